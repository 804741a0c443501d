package engine

import (
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// serve answers an iq request of another entity.
func (s *session) serve(iq *element.Element) {
	reply := element.New(ns.Client, "iq").Set("type", "result").Set("id", iq.Attr("id"))
	if from, ok := iq.Lookup("from"); ok {
		reply.Set("to", from)
	}
	payload := iq.First()
	isGet := iq.Attr("type") == "get"
	switch {
	case isGet && payload.Is(ns.DiscoInfo, "query"):
		answer := s.self.Answer(payload, capsNode)
		if answer == nil {
			s.send(stanzaError(reply, "cancel", "item-not-found"))
			return
		}
		s.send(reply.Add(answer))
		if s.isOwnServer(iq.Attr("from")) {
			s.report(capsRequested{})
		}
	case isGet && payload.Is(ns.Ping, "ping"):
		s.send(reply)
	default:
		s.send(stanzaError(reply, "cancel", "service-unavailable"))
	}
}

func stanzaError(reply *element.Element, kind, condition string) *element.Element {
	return reply.Set("type", "error").Add(element.New(ns.Client, "error").Set("type", kind).
		Add(element.New(ns.Stanzas, condition)))
}
