package stream

import (
	"errors"
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// message handles the messages that may arrive at any time, and passes the others to the
// handler of the phase.
func (s *Stream) message(text string) {
	s.restoreDeadline()
	limits := &element.PreAuthLimits
	if s.inSession() {
		limits = &element.DefaultLimits
		s.onTraffic()
	}
	e, err := element.Parse(text, limits)
	if err != nil {
		if declared, ok := declareStream(text); ok {
			if again, bad := element.Parse(declared, limits); bad == nil {
				e, err = again, nil
			}
		}
	}
	if s.cfg.Inspect {
		s.emit(Read{Text: text, Element: e})
	}
	switch {
	case err != nil:
		s.malformed(err)
		return
	case e.Is(ns.Framing, "close"):
		s.end(&Error{Code: CodeStream, Text: "The server closed the stream.", Retry: true, SeeOther: e.Attr("see-other-uri")})
		return
	case e.Is(ns.Stream, "error"):
		s.end(s.streamError(e))
		return
	case e.Is(ns.Stream, "stream"):
		s.end(protocolError("The server speaks XMPP over TCP on a WebSocket. It must follow RFC 7395."))
		return
	}
	switch s.phase {
	case opening:
		s.onOpen(e)
	case features:
		s.onFeatures(e)
	case authenticating:
		s.answer(e)
	case deriving:
		s.duringDerivation(e)
	case resuming:
		s.onResumed(e)
	case binding:
		s.onBindResult(e)
	case bound, closing:
		if e.Name.Space == ns.SM {
			s.management(e)
			return
		}
		s.stanza(e)
	default:
		s.unexpected(e)
	}
}

// declareStream declares the prefix of a message that begins literally with
// <stream:error>, without attributes. Prosody 13.0 sends every stream error over
// WebSocket in this form, although RFC 7395 §3.3.3 requires each message to be
// well-formed by itself. Only the server can send such a message. If it were dropped, two
// clients with the same resource would disconnect each other repeatedly. No other
// malformed message is accepted.
func declareStream(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, "<stream:error>")
	return "<stream:error xmlns:stream='" + ns.Stream + "'>" + rest, ok
}

// malformed handles a message that is not one valid element. A message that is only too
// big or misuses namespaces does not end a bound stream, because other entities can cause
// it.
func (s *Stream) malformed(err error) {
	condition := "bad-format"
	var syntax *element.SyntaxError
	if errors.As(err, &syntax) {
		if !syntax.Kind.Fatal() && s.inSession() {
			s.unusable(syntax)
			return
		}
		condition = syntax.Kind.String()
	}
	if s.phase != closing {
		s.write(element.New(ns.Stream, "error").Add(element.New(ns.Streams, condition)))
	}
	s.end(&Error{Code: CodeProtocol, Text: "The server sent something that is not an XMPP message.", Retry: true, Err: err})
}
