package mem

import (
	"strings"
	"time"
)

const maxOffline = 1000 // messages kept for an account without a session

// keepOffline stores a message of type normal or chat for an account without a session
// that takes it (XEP-0160, as Prosody does). It reports whether it did.
func (s *Server) keepOffline(a *account, st *elem) bool {
	if !s.cfg.Offline || a == nil || len(a.offline) >= maxOffline {
		return false
	}
	switch st.get("type") {
	case "", "normal", "chat":
		a.offline = append(a.offline, st.copy().with(delayElem(s.cfg.Domain, time.Now().UTC().Format(stampSeconds), "")))
		return true
	}
	return false
}

// sendOffline sends the stored messages to a session that has become available, unless
// its client has queried the archive.
func (c *session) sendOffline() {
	if c.mamAsked {
		return
	}
	kept := c.account.offline
	c.account.offline = nil
	for _, st := range kept {
		c.send(st)
	}
}

// salvage stores the messages that the client of an ending session has not
// acknowledged, if it is the account's last session, with the time at which they were
// sent. Those that a client has queried from the archive are left out.
func (c *session) salvage() {
	if len(c.account.sessions) != 1 {
		return
	}
	for _, m := range append(c.sm.unacked, c.sm.waiting(c.held)...) {
		st, err := parse([]byte(m.xml))
		if err != nil || !st.is(nsClient, "message") || st.child(nsMAM, "result") != nil ||
			c.mamAsked && st.child(nsStanzaID, "stanza-id") != nil {
			continue
		}
		if st.child(nsDelay, "delay") == nil {
			st.with(delayElem(c.account.bare, m.at.Format(stampSeconds), ""))
		}
		c.srv.keepOffline(c.account, st)
	}
}

// stamped returns a stanza that is sent again by a resumption, with a delay stamp if
// the account's server is one that adds it. An IQ, or a stanza that has one, is not
// changed.
func (c *session) stamped(m message) string {
	like := c.account.like
	if !like.Stamped && !like.Ejabberd || strings.HasPrefix(m.xml, "<iq") {
		return m.xml
	}
	st, err := parse([]byte(m.xml))
	if err != nil || st.child(nsDelay, "delay") != nil {
		return m.xml
	}
	stamp := delayElem(c.account.bare, m.at.Format(stampSeconds), "")
	if like.Ejabberd {
		stamp = delayElem(c.srv.cfg.Domain, m.at.Format(stampMicros), "Resent")
	}
	return st.with(stamp).String()
}
