package mem

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"

	"mellium.im/xmpp/jid"
)

const (
	nsSASL = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind = "urn:ietf:params:xml:ns:xmpp-bind"

	maxAttempts = 3 // failed login attempts per connection
)

// authenticate handles an element of the SASL negotiation (RFC 6120 §6.4).
func (c *session) authenticate(e *elem) {
	switch e.local {
	case "auth":
		mech := e.get("mechanism")
		if !slices.Contains(c.srv.cfg.Mechanisms, mech) {
			c.refuse("invalid-mechanism")
			return
		}
		c.sasl = &exchange{mech: mech, domain: c.srv.cfg.Domain, find: c.srv.credentials}
		if len(e.kids) == 0 { // no initial response, so request it
			c.send(el(nsSASL, "challenge"))
			return
		}
	case "response":
		if c.sasl == nil {
			c.refuse("malformed-request")
			return
		}
	case "abort":
		c.refuse("aborted")
		return
	default:
		c.refuse("malformed-request")
		return
	}
	text := e.text()
	if text == "=" { // an empty initial response
		text = ""
	}
	msg, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		c.refuse("incorrect-encoding")
		return
	}
	reply, done, failure := c.sasl.step(string(msg))
	switch {
	case failure != "":
		c.refuse(failure)
	case done:
		c.account = c.srv.local(c.sasl.user)
		c.sasl, c.phase = nil, wantOpen2
		c.send(el(nsSASL, "success").with(encoded(reply)...))
	default:
		c.send(el(nsSASL, "challenge").with(encoded(reply)...))
	}
}

// refuse answers a failed login. After the third failure the server closes the
// stream.
func (c *session) refuse(condition string) {
	c.sasl = nil
	c.send(el(nsSASL, "failure").with(el(nsSASL, condition)))
	if c.attempts++; c.attempts >= maxAttempts {
		c.end("policy-violation")
	}
}

// bind handles elements between login and resource binding, of which only the bind
// request is allowed (RFC 6120 §7). The requested resource is granted; if another
// session has it, that session ends with the stream error conflict.
func (c *session) bind(e *elem) {
	req := e.child(nsBind, "bind")
	if e.local != "iq" || e.get("type") != "set" || req == nil {
		c.end("not-authorized")
		return
	}
	resource := rand.Text()[:12]
	if r := req.child(nsBind, "resource"); r != nil && r.text() != "" {
		resource = r.text()
	}
	j, err := parseJID(c.account.bare)
	if err == nil {
		j, err = jid.New(j.Localpart(), j.Domainpart(), resource)
	}
	if err != nil || e.get("id") == "" || len(e.elems()) != 1 {
		c.send(el(nsClient, "iq", "type", "error", "id", e.get("id")).with(badRequest().elem()))
		return
	}
	if old := c.account.sessions[j.Resourcepart()]; old != nil {
		old.finish(true) // it may hibernate
		old.end("conflict")
	}
	c.resource, c.name, c.phase = j.Resourcepart(), j.String(), bound
	c.account.sessions[c.resource] = c
	c.send(el(nsClient, "iq", "type", "result", "id", e.get("id")).with(el(nsBind, "bind").with(el(nsBind, "jid").with(c.name))))
}

// credentials returns those of an account, or unknown if it does not exist.
func (s *Server) credentials(localpart string) *secrets {
	if a := s.local(localpart); a != nil {
		return a.secrets
	}
	return s.unknown
}

// local finds an account by the name given at login, which may not be in canonical
// form.
func (s *Server) local(localpart string) *account {
	j, err := jid.New(localpart, s.cfg.Domain, "")
	if err != nil || localpart == "" {
		return nil
	}
	return s.accounts[j.String()]
}

func encoded(s string) []any {
	if s == "" {
		return nil
	}
	return []any{base64.StdEncoding.EncodeToString([]byte(s))}
}

func secret() string { return rand.Text() }

// parseJID parses an address in canonical form. An empty one is an error.
func parseJID(s string) (jid.JID, error) { return jid.Parse(s) }
