package stream

import (
	"errors"
	"fmt"
	"strings"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// stanza handles a message of a bound stream. Other entities control most of the content
// of a stanza, so an invalid stanza is dropped and the stream stays open.
func (s *Stream) stanza(e *element.Element) {
	if err := checkStanza(e); err != nil {
		s.drop(err)
		return
	}
	if s.sm.count() {
		return
	}
	if s.isPong(e) {
		s.onSignOfLife()
		return
	}
	for _, name := range [...]string{"from", "to"} {
		if address, ok := e.Lookup(name); ok {
			if err := s.known.check(address); err != nil {
				s.drop(fmt.Errorf("the stanza's %s is not a JID: %w", name, err))
				return
			}
		}
	}
	switch kind := e.Attr("type"); {
	case e.Name.Local != "iq" || kind == "result" || kind == "error":
		switch {
		case e.ContainsStreamElements():
			s.drop(errStreamElement)
		case e.Name.Local == "iq" && e.Attr("id") == "":
			s.drop(errors.New("the iq reply has no id, so it matches no request"))
		default:
			s.deliver(e)
		}
	case kind != "get" && kind != "set":
		s.refuse(e, "bad-request", fmt.Errorf("iq type %q does not exist (RFC 6120 §8.2.3)", cut(kind)))
	case e.ContainsStreamElements():
		s.refuse(e, "bad-request", errStreamElement)
	case count(e) != 1:
		s.refuse(e, "bad-request", errors.New("the iq request does not have exactly one child element (RFC 6120 §8.2.3)"))
	case e.Attr("id") == "":
		s.drop(errors.New("the iq request has no id, so it cannot be answered"))
	default:
		s.deliver(e)
	}
}

// addresses caches texts that are valid JIDs, because validation is slow (RFC 7622) and
// most stanzas have one of a few addresses.
type addresses map[string]bool

// maxKnown is the maximum size of the cache, which is then cleared.
const maxKnown = 64

// check returns an error if text is not a valid JID.
func (known *addresses) check(text string) error {
	if (*known)[text] {
		return nil
	}
	if _, err := address.Parse(text); err != nil {
		return err
	}
	if *known == nil || len(*known) >= maxKnown {
		*known = addresses{}
	}
	(*known)[strings.Clone(text)] = true // without Clone, text keeps its whole message in memory
	return nil
}

var errStreamElement = errors.New("the stanza contains stream-level elements, which is an attempt at forgery")

// send writes a stanza.
func (s *Stream) send(e *element.Element) {
	if err := checkStanza(e); err != nil {
		s.drop(fmt.Errorf("the client did not send it: %w", err))
		return
	}
	s.writeStanza(e)
}

// unusable handles a malformed message of a bound stream after which the stream can
// continue. An iq request is answered with not-acceptable, as RFC 6120 §11.3 requires. A
// message stanza is not answered, because the answer would disclose the full JID of this
// session to any sender that knows the account's bare JID.
func (s *Stream) unusable(err *element.SyntaxError) {
	root := err.Root
	if root == nil { // The server has counted it as a stanza.
		s.sm.count()
		s.drop(err)
		return
	}
	if checkStanza(root) == nil {
		s.sm.count()
	}
	kind := root.Attr("type")
	_, from := address.Parse(root.Attr("from"))
	if root.Is(ns.Client, "iq") && (kind == "get" || kind == "set") && (from == nil || root.Attr("from") == "") {
		s.refuse(root, "not-acceptable", err)
		return
	}
	s.drop(err)
}

// refuse drops an iq request and answers it with a stanza error (RFC 6120 §8.3)
// of type modify, unless it cannot be answered.
func (s *Stream) refuse(e *element.Element, condition string, err error) {
	s.drop(err)
	if e.Attr("id") == "" || s.phase != bound {
		return
	}
	reply := element.New(ns.Client, "iq").Set("type", "error").Set("id", e.Attr("id"))
	if from := e.Attr("from"); from != "" {
		reply.Set("to", from)
	}
	s.writeStanza(reply.Add(element.New(ns.Client, "error").Set("type", "modify").Add(element.New(ns.Stanzas, condition))))
}

// checkStanza returns an error if e is not a stanza.
func checkStanza(e *element.Element) error {
	if e != nil && e.Name.Space == ns.Client {
		switch e.Name.Local {
		case "iq", "message", "presence":
			return nil
		}
	}
	return fmt.Errorf("%s is not an iq, message or presence in %s", describe(e), ns.Client)
}

// count returns the number of child elements.
func count(e *element.Element) (n int) {
	for range e.Elements() {
		n++
	}
	return n
}

// describe returns the name of e for an error text.
func describe(e *element.Element) string {
	if e == nil {
		return "nil element"
	}
	return fmt.Sprintf("<%s xmlns='%s'/>", cut(e.Name.Local), cut(e.Name.Space))
}
