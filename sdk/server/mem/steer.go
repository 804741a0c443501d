package mem

import (
	"fmt"
	"slices"
	"strconv"
)

// hold keeps back messages to some sessions.
type hold struct {
	match func(fullJID, xml string) bool
}

// Sessions returns the full JIDs of an account's bound sessions, sorted, including
// hibernating ones. In this and the following methods an account is a localpart or a
// bare JID.
func (s *Server) Sessions(account string) []string {
	return s.sessionsThat(account, func(*session) bool { return true })
}

// Hibernating returns those of the Sessions that have no connection and wait to be
// resumed.
func (s *Server) Hibernating(account string) []string {
	return s.sessionsThat(account, (*session).hibernating)
}

func (s *Server) sessionsThat(account string, ok func(*session) bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	if a := s.account(account); a != nil {
		for _, c := range a.ordered() {
			if ok(c) {
				out = append(out, c.name)
			}
		}
	}
	return out
}

// Cut drops the connection of a session without a closing handshake. If the session
// can be resumed, it hibernates: messages to it are kept for Config.ResumeFor.
// Otherwise nothing more is routed to it. Cut reports whether there was such a
// connection.
func (s *Server) Cut(fullJID string) bool {
	return s.cut(fullJID, func(c *session) bool {
		connected := !c.hibernating()
		c.lose()
		return connected
	})
}

// ExpireSession ends a session as if it had hibernated too long, and drops its
// connection if it has one. A client that tries to resume it gets an error with the
// number of its handled stanzas. It reports whether there was such a session.
func (s *Server) ExpireSession(fullJID string) bool {
	return s.cut(fullJID, func(c *session) bool {
		c.finish(true)
		c.lose()
		return true
	})
}

// ForgetSession ends a session as if the server had restarted, and drops its
// connection if it has one. A client that tries to resume it gets an error without a
// count. It reports whether there was such a session.
func (s *Server) ForgetSession(fullJID string) bool {
	return s.cut(fullJID, func(c *session) bool {
		c.forget()
		c.lose()
		return true
	})
}

func (s *Server) cut(fullJID string, how func(*session) bool) bool {
	s.mu.Lock()
	c := s.bySession(fullJID)
	done := c != nil && how(c)
	s.mu.Unlock()
	if done {
		c.ws.CloseNow()
	}
	return done
}

// Outrank adds another session of the account with the given priority, and announces
// it to the other sessions; priority 0 removes it. That session receives nothing,
// except that it takes notifies from the others if the server is Plain.
func (s *Server) Outrank(account string, priority int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(account)
	if a == nil {
		return
	}
	a.outrank = priority
	for _, c := range a.ordered() {
		c.send(a.outranking(c.name))
	}
}

func (a *account) outranking(to string) *elem {
	presence := el(nsClient, "presence", "from", a.bare+"/outranking", "to", to)
	if a.outrank == 0 {
		presence.set("type", "unavailable")
		return presence
	}
	return presence.with(el(nsClient, "priority").with(strconv.Itoa(a.outrank)))
}

// Subscriptions returns the PAM list of an account and its version, or nothing for an
// unknown account.
func (s *Server) Subscriptions(account string) ([]Subscription, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(account)
	if a == nil {
		return nil, ""
	}
	return a.pam.at(len(a.pam.changes)), a.pam.version()
}

// SubscriptionsAt returns the list of a version, and reports whether the list ever
// had that version. Config.History and ForgetHistory do not matter, because the
// server keeps all versions.
func (s *Server) SubscriptionsAt(account, version string) ([]Subscription, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(account)
	if a == nil {
		return nil, false
	}
	i, ok := a.pam.index[version]
	if !ok {
		return nil, false
	}
	return a.pam.at(i), true
}

// ForgetHistory makes the server treat all versions of the account's list except the
// current one as unknown, and answer with the full list.
func (s *Server) ForgetHistory(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(account); a != nil {
		a.pam.floor = len(a.pam.changes)
	}
}

// Send queues an arbitrary text as one message to a session. Stream management counts
// it if it is a stanza; while the session hibernates, any other text is lost.
func (s *Server) Send(fullJID, xml string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.bySession(fullJID)
	if c == nil {
		return fmt.Errorf("mem: no session is bound to %q; Sessions lists them", fullJID)
	}
	m := message{xml: xml}
	if c.sm != nil {
		e, err := parse([]byte(xml))
		m.counted = err == nil && c.counts(e)
	}
	c.push(m)
	return nil
}

// Hold keeps messages back: for each session, the first that match accepts and all
// that follow, until release is called; then they are sent in order. The name of a
// session that is not bound yet is its remote address. match must not call the
// server.
func (s *Server) Hold(match func(fullJID, xml string) bool) (release func()) {
	h := &hold{match}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds = append(s.holds, h)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.holds = slices.DeleteFunc(s.holds, func(x *hold) bool { return x == h })
		for c := range s.conns {
			if c.heldBy == h {
				held := c.held
				c.held, c.heldBy = nil, nil
				for _, m := range held {
					c.push(m) // another hold may match it
				}
			}
		}
	}
}

func (s *Server) bySession(fullJID string) *session {
	j, err := parseJID(fullJID)
	if err != nil {
		return nil
	}
	return s.session(j)
}

// SetSubscription subscribes the account to a node of the pubsub service, with the
// state subscribed, pending or unconfigured, or ends its subscription with none, as
// another client without PAM would. The notifies are queued when it returns.
func (s *Server) SetSubscription(account, node, state string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	svc := s.services[s.pubsubJID()]
	a, n := s.account(account), svc.nodes[node]
	switch {
	case a == nil || n == nil:
		return fmt.Errorf("mem: there is no account %q or no node %q", account, node)
	case !slices.Contains([]string{"subscribed", "pending", "unconfigured", "none"}, state):
		return fmt.Errorf("mem: a subscription cannot be %q; use subscribed, pending, unconfigured or none", state)
	case state != "none" || n.sub(a.bare) != nil:
		s.setState(n, a.bare, state)
	}
	return nil
}
