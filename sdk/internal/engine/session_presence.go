package engine

import (
	"strconv"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/privatepep"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// features returns the features of this client: those of the program, the nodes of the
// seen markers, and the nodes of the interests.
func features(interests []pam.Interest) []string {
	all := append([]string{ns.PAM, ns.Ping}, privatepep.Features(ns.Seen)...)
	for _, node := range notifyNodes(interests) {
		all = append(all, node+"+notify")
	}
	return all
}

// setInterests announces the nodes of the interests. During a session it sends presence
// if the capabilities have changed.
func (s *session) setInterests(interests []pam.Interest) {
	me := s.self.Identities[0]
	s.self = disco.NewInfo(me.Type, me.Name, features(interests)...)
	if s.open && s.caps != s.self.Ver() {
		s.sendPresence()
	}
}

// sendPresence sends presence with the capabilities.
func (s *session) sendPresence() {
	s.caps = s.self.Ver()
	s.send(element.New(ns.Client, "presence").
		Add(element.New(ns.Client, "priority").AddText("0"), s.self.Caps(capsNode)))
}

// otherSession reads presence of another session of the account. It reports a priority
// that is higher than that of this session, which is 0, and the sessions of this program.
// Those of other programs, such as a chat client that is always connected, do not show
// events.
func (s *session) otherSession(presence *element.Element) {
	from, _ := address.Parse(presence.Attr("from"))
	if !from.Bare().Equal(s.account) || from.String() == s.fullJID {
		return
	}
	device := devicePresence{name: from.String()}
	switch presence.Attr("type") {
	case "":
		priority, _ := strconv.Atoi(strings.TrimSpace(presence.Child(ns.Client, "priority").Text()))
		s.outrank = s.outrank || priority > 0
		device.since = time.Now()
		if stamp := pubsub.DelayStamp(presence); !stamp.IsZero() && stamp.Before(device.since) {
			device.since = stamp
		}
		if presence.Child(ns.Caps, "c").Attr("node") == capsNode {
			s.report(device)
		}
	case "unavailable":
		s.report(device)
	default:
		return
	}
	if s.outrank {
		s.report(outranked{})
	}
}

// takePrivate moves the notifications of the private nodes of the seen markers from
// published to private, and reports whether the message contains nothing else. Only the
// account itself can send them: any entity can send events about nodes of these names.
// pubsub.ParseEvent refuses those from a full JID.
func (s *session) takePrivate(delayed bool, handled *stanzaHandled) bool {
	var other []pubsub.Notification
	for _, n := range handled.published {
		own := n.Service == "" || n.Service == s.account.String()
		if own && privatepep.Owns(ns.Seen, n.Node) {
			handled.private = append(handled.private, privatepep.Notification{Notification: n, Delayed: delayed})
		} else {
			other = append(other, n)
		}
	}
	if len(handled.private) == 0 {
		return false
	}
	handled.published = other
	return len(other) == 0
}

// info calls done with what an entity announces, or with an error. That of the account is
// requested once in a session. It never calls done after the end of the session.
func (s *session) info(to string, done func(*disco.Info, *pam.Error)) {
	account := to == s.account.String()
	if account && s.features != nil {
		done(s.features, nil)
		return
	}
	if account {
		if s.asking = append(s.asking, done); len(s.asking) > 1 {
			return
		}
		done = s.informed
	}
	s.ask("get", to, disco.Query(), func(iq *element.Element, err *pam.Error) {
		if err != nil {
			done(nil, err)
			return
		}
		done(disco.Parse(iq), nil)
	})
}

// informed handles the answer of the account.
func (s *session) informed(info *disco.Info, err *pam.Error) {
	if info != nil {
		s.features = info
	}
	waiting := s.asking
	s.asking = nil
	for _, done := range waiting {
		done(info, err)
	}
}
