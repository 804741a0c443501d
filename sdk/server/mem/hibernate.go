package mem

import "time"

// hibernate keeps the session without a connection for a limited time. Messages to it
// are queued.
func (c *session) hibernate() {
	c.sm.pending = c.sm.waiting(c.held)
	c.sm.expiry = time.AfterFunc(c.sm.keep, func() {
		c.srv.mu.Lock()
		defer c.srv.mu.Unlock()
		if c.hibernating() {
			c.finish(true)
		}
	})
}

func (c *session) hibernating() bool { return c.sm != nil && c.sm.expiry != nil }

// finish ends the session permanently: nothing more is routed to it. Its count may be
// remembered for a client that tries to resume it.
func (c *session) finish(remember bool) {
	if l := c.sm; l != nil {
		if l.expiry != nil {
			l.expiry.Stop()
		}
		if l.id != "" && remember {
			c.account.remember(l)
		}
		c.sm = nil
	}
	if c.account != nil && c.account.sessions[c.resource] == c {
		delete(c.account.sessions, c.resource)
	}
	c.available = false
}
