package stream

import (
	"fmt"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/sasl"
)

// open starts or restarts the stream (RFC 7395 §3.4, §3.7). It sends no from, which is
// not needed before authentication (RFC 6120 §4.7.1).
func (s *Stream) open() {
	s.phase = opening
	s.write(element.New(ns.Framing, "open").Set("to", s.cfg.Account.Domainpart()).Set("version", "1.0"))
}

// onOpen handles the server's <open/>. If it is not acceptable, a stream error with the
// reason may follow, such as host-unknown (RFC 7395 §3.5). The stream therefore waits for
// the next message, but only for a short time, because a server that does not speak XMPP
// may never send one.
func (s *Stream) onOpen(e *element.Element) {
	if !e.Is(ns.Framing, "open") {
		s.unexpected(e)
		return
	}
	domain := s.cfg.Account.Domain()
	from, err := address.Parse(e.Attr("from"))
	switch version := e.Attr("version"); {
	case err != nil || !from.Equal(domain):
		s.wrongOpen = protocolError(fmt.Sprintf("The server calls itself %q instead of %q. Check the address.", cut(e.Attr("from")), domain))
	case version != "1.0":
		s.wrongOpen = protocolError(fmt.Sprintf("The server speaks version %q of XMPP; only 1.0 is supported.", cut(version)))
	}
	if s.wrongOpen != nil {
		s.setDeadline(closeTime)
	}
	s.phase = features
}

// onFeatures handles <stream:features/>: the first is followed by authentication, the
// second by resource binding (RFC 6120 §4.3).
func (s *Stream) onFeatures(e *element.Element) {
	switch {
	case s.wrongOpen != nil:
		s.end(s.wrongOpen)
	case !e.Is(ns.Stream, "features"):
		s.unexpected(e)
	case !s.authenticated:
		s.login(e.Child(ns.SASL, "mechanisms"))
	default:
		s.binds = e.Child(ns.Bind, "bind") != nil
		s.sm.offered = e.Child(ns.SM, "sm") != nil
		if s.sm.offered && s.cfg.Resume != nil {
			s.resume()
			return
		}
		s.bind()
	}
}

// login chooses the mechanisms and requests credentials.
func (s *Stream) login(mechanisms *element.Element) {
	var offered []string
	for m := range mechanisms.Elements() {
		if m.Is(ns.SASL, "mechanism") {
			offered = append(offered, cut(m.Text()))
		}
	}
	if len(offered) == 0 {
		text := "The server offers no login."
		if !s.cfg.Encrypted {
			text = "The server offers no login on this connection, perhaps because it can be listened to. Connect with wss:."
		}
		s.end(protocolError(text))
		return
	}
	common, err := sasl.Choose(offered, s.cfg.Mechanisms, s.cfg.Used, s.cfg.Encrypted)
	if err != nil {
		s.end(authError(err))
		return
	}
	s.mechanisms = common
	s.phase = awaitCredentials
	s.setDeadline(0)
	s.emit(NeedCredentials{common})
}

// bind requests the resource (RFC 6120 §7.6, §7.7).
func (s *Stream) bind() {
	if !s.binds {
		s.end(protocolError("The server offers no resource binding after the login."))
		return
	}
	request := element.New(ns.Bind, "bind")
	if s.cfg.Resource != "" {
		request.Add(element.New(ns.Bind, "resource").AddText(s.cfg.Resource))
	}
	s.phase = binding
	s.bindID = s.cfg.ID()
	s.write(element.New(ns.Client, "iq").Set("type", "set").Set("id", s.bindID).Add(request))
}

// onBindResult handles the answer to bind. The session begins only if the answer contains
// a full JID of the account.
func (s *Stream) onBindResult(e *element.Element) {
	if !e.Is(ns.Client, "iq") || e.Attr("id") != s.bindID {
		s.drop(fmt.Errorf("%s arrived before the answer to the bind request", describe(e)))
		return
	}
	switch e.Attr("type") {
	case "result":
		text := e.Child(ns.Bind, "bind").Child(ns.Bind, "jid").Text()
		full, err := address.Parse(text)
		if err != nil || !full.Bare().Equal(s.cfg.Account) || full.Resourcepart() == "" {
			s.end(protocolError(fmt.Sprintf("The server bound the session to %q, which is not a full JID of %q.", cut(text), s.cfg.Account)))
			return
		}
		s.begin()
		s.enable(full)
		s.emit(Bound{full})
	case "error":
		s.end(bindError(e.Child(ns.Client, "error")))
	default:
		s.unexpected(e)
	}
}

// unexpected ends the negotiation after a message that does not fit the phase.
func (s *Stream) unexpected(e *element.Element) {
	s.end(protocolError(fmt.Sprintf("The server sent a %s at the wrong moment of the negotiation.", describe(e))))
}
