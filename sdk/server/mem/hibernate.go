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
	if sm := c.sm; sm != nil {
		c.salvage()
		if sm.expiry != nil {
			sm.expiry.Stop()
		}
		if sm.id != "" && remember {
			c.account.remember(sm)
		}
		c.sm = nil
	}
	if c.account != nil && c.account.sessions[c.resource] == c {
		delete(c.account.sessions, c.resource)
	}
	c.available = false
}

// forget ends the session as a restart of the server would: nothing of it is kept.
func (c *session) forget() {
	if c.sm != nil {
		c.sm.unacked, c.sm.pending = nil, nil
	}
	c.held = nil
	c.finish(false)
}
