package mem

import (
	"strings"

	"mellium.im/xmpp/jid"
)

const (
	nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsPing    = "urn:xmpp:ping"
)

// stanzaError is an error of RFC 6120 §8.3, with a condition of XEP-0060 §16.4 in app where there is one.
type stanzaError struct {
	typ, cond    string
	app, feature string // pubsub#errors condition, and the feature for "unsupported"
	by           string
	uri          string // the content of gone
	text         string
}

func (e *stanzaError) elem() *elem {
	cond := el(nsStanzas, e.cond)
	if e.uri != "" {
		cond.with(e.uri)
	}
	out := el(nsClient, "error", "type", e.typ, "by", e.by).with(cond)
	if e.text != "" {
		out.with(el(nsStanzas, "text").with(e.text))
	}
	if e.app != "" {
		out.with(el(nsPubsubErrors, e.app, "feature", e.feature))
	}
	return out
}

func badRequest() *stanzaError  { return &stanzaError{typ: "modify", cond: "bad-request"} }
func unavailable() *stanzaError { return &stanzaError{typ: "cancel", cond: "service-unavailable"} }
func remoteNotFound() *stanzaError {
	return &stanzaError{typ: "cancel", cond: "remote-server-not-found"}
}
func forbidden() *stanzaError    { return &stanzaError{typ: "auth", cond: "forbidden"} }
func itemNotFound() *stanzaError { return &stanzaError{typ: "cancel", cond: "item-not-found"} }
func malformedJID() *stanzaError { return &stanzaError{typ: "modify", cond: "jid-malformed"} }
func pubsubError(typ, cond, app string) *stanzaError {
	return &stanzaError{typ: typ, cond: cond, app: app}
}

// request is an IQ get or set that an entity of this server answers.
type request struct {
	from    jid.JID  // full JID of the sender, or the account's bare JID if it comes from PAM
	sender  *session // nil if it comes from PAM
	stanza  *elem    // the stanza that sender sent
	set     bool
	payload *elem
}

// reply returns an empty answer to st, a stanza of this session. The account answers
// a stanza without to.
func (c *session) reply(st *elem, typ string) *elem {
	from := st.get("to")
	if from == "" {
		from = c.account.bare
	}
	return el(nsClient, st.local, "type", typ, "id", st.get("id"), "from", from, "to", c.name)
}

// stanza handles a stanza of a bound session. It replaces from by the session's full
// JID and does not change the children.
func (c *session) stanza(st *elem) {
	st.set("from", c.name)
	self, _ := parseJID(c.name)
	to := self.Bare() // a stanza without to is handled on behalf of the account (RFC 6120 §10.3)
	if raw := st.get("to"); raw != "" {
		var err error
		if to, err = parseJID(raw); err != nil {
			c.sendError(st, malformedJID())
			return
		}
	}
	switch st.local {
	case "iq":
		c.iq(st, self, to)
	case "message":
		c.message(st, self, to)
	case "presence":
		c.presence(st, to)
	}
}

// sendError answers st with an error, unless it is an error or a result itself.
func (c *session) sendError(st *elem, err *stanzaError) {
	if typ := st.get("type"); typ == "error" || st.local == "iq" && typ == "result" {
		return
	}
	c.send(c.reply(st, "error").with(err.elem()))
}

func (c *session) iq(st *elem, self, to jid.JID) {
	typ := st.get("type")
	kids := st.elems()
	switch {
	case st.get("id") == "", typ != "get" && typ != "set" && typ != "result" && typ != "error":
		c.sendError(st, badRequest())
		return
	case (typ == "get" || typ == "set") && len(kids) != 1:
		c.sendError(st, badRequest())
		return
	}
	if to.Resourcepart() != "" && to.Localpart() != "" {
		switch other := c.srv.session(to); {
		case other != nil:
			other.send(st)
		case to.Domainpart() != c.srv.cfg.Domain:
			c.sendError(st, remoteNotFound())
		default:
			c.sendError(st, unavailable())
		}
		return
	}
	if typ == "result" || typ == "error" {
		c.learnCaps(st)
		return
	}
	defer c.srv.runLater()
	payload, err := c.srv.answer(request{from: self, sender: c, stanza: st, set: typ == "set", payload: kids[0]}, to)
	if c.ended || err == unanswered {
		return
	}
	if err != nil {
		c.sendError(st, err)
		return
	}
	c.send(c.reply(st, "result").with(payload))
}

// answer handles a request to the domain, the pubsub service or an account.
func (s *Server) answer(r request, to jid.JID) (*elem, *stanzaError) {
	target := to.String()
	own := target == r.from.Bare().String()
	svc := s.services[target]
	domain := target == s.cfg.Domain
	if !domain && svc == nil {
		if !s.hosts(to.Domainpart()) {
			return nil, remoteNotFound()
		}
		return nil, unavailable()
	}
	p := r.payload
	switch {
	case p.is(nsPing, "ping") && !r.set:
		return nil, nil
	case p.is(nsDiscoInfo, "query") && !r.set:
		return s.discoInfo(svc, p.get("node"))
	case p.is(nsDiscoItems, "query") && !r.set:
		return s.discoItems(svc, r)
	case p.space == nsMAM:
		return s.answerMAM(r, svc, own)
	case p.space == nsPAM && (own || domain) && !s.cfg.DisablePAM:
		return s.answerPAM(r)
	case p.is(nsPubsub, "pubsub") && svc != nil:
		return s.pubsub(svc, r)
	case p.is(nsPubsubOwner, "pubsub") && svc != nil:
		return s.pubsubOwner(svc, r)
	case p.is(nsBind, "bind"):
		return nil, &stanzaError{typ: "cancel", cond: "not-allowed"}
	}
	return nil, unavailable()
}

// session returns the bound session of a full JID, or nil.
func (s *Server) session(full jid.JID) *session {
	if a := s.accounts[full.Bare().String()]; a != nil {
		return a.sessions[full.Resourcepart()]
	}
	return nil
}

// deliver routes a message stanza (RFC 6121 §8.5). To a full JID it goes to that
// session, with or without presence. To a bare JID a headline goes to every session
// with a priority of 0 or more, a normal or chat message to those of the highest such
// priority only. A message without a recipient session is kept if Config.Offline is
// set, and refused otherwise; a headline or an error is discarded.
func (s *Server) deliver(st *elem, to jid.JID) *stanzaError {
	typ := st.get("type")
	if !s.hosts(to.Domainpart()) {
		return remoteNotFound()
	}
	if to.Resourcepart() != "" {
		if c := s.session(to); c != nil {
			c.send(st)
			return nil
		}
	}
	lost := unavailable()
	if typ == "headline" || typ == "error" {
		lost = nil
	}
	a := s.accounts[to.Bare().String()]
	if a == nil || typ == "groupchat" || typ == "error" || typ == "headline" && to.Resourcepart() != "" {
		return lost
	}
	top := 0
	var ready []*session
	for _, c := range a.ordered() {
		if c.available && c.priority >= 0 {
			ready = append(ready, c)
			top = max(top, c.priority)
		}
	}
	for _, c := range ready {
		if typ == "headline" || c.priority == top {
			c.send(st)
			lost = nil
		}
	}
	if lost != nil && s.keepOffline(a, st) {
		return nil
	}
	return lost
}

// message handles a message of a session: a form for a pubsub service, or a message to
// an account, which both sides archive.
func (c *session) message(st *elem, self, to jid.JID) {
	s := c.srv
	var err *stanzaError
	if svc := s.services[to.String()]; svc != nil && svc.owner == "" {
		err = s.approve(svc, st, self)
	} else {
		s.archiveMessage(c.account, st, to)
		if other := s.accounts[to.Bare().String()]; other != nil && other != c.account {
			st = s.archiveMessage(other, st, self)
		}
		err = s.deliver(st, to)
	}
	if err != nil {
		c.sendError(st, err)
	}
}

// runLater runs what after has put off.
func (s *Server) runLater() {
	for _, f := range s.later {
		f()
	}
	s.later = nil
}

// isBare reports whether name, as given by a client, is the bare JID of who.
func isBare(name string, who jid.JID) bool {
	j, err := parseJID(name)
	return err == nil && !strings.Contains(name, "/") && j.Equal(who.Bare())
}
