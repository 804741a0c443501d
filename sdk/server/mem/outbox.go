package mem

import "time"

// maxQueued is how many bytes may wait for a client that does not read; with one more it is dropped.
const maxQueued = 32 << 20

// end closes the stream, with the stream error cond if there is one. Nothing is sent afterwards; what is held back is lost.
func (c *session) end(cond string) {
	if c.ended {
		return
	}
	c.unbind()
	c.held, c.heldBy = nil, nil
	if c.phase == wantOpen || c.phase == wantOpen2 {
		if cond != "" {
			c.sendOpen() // an error during the opening follows an <open/> (RFC 7395 §3.5)
		}
	}
	if cond != "" {
		c.enqueue("<stream:error xmlns:stream='" + nsStream + "'><" + cond + " xmlns='" + nsStreams + "'/></stream:error>")
	}
	c.enqueue(el(nsFraming, "close").String())
	c.ended = true
	time.AfterFunc(deadline, c.cancel)
}

// drop ends the connection without a word.
func (c *session) drop() {
	c.unbind()
	c.ended = true
	c.queue, c.held = nil, nil
	c.cancel()
}

// push queues a message to the client, unless the session is being held.
func (c *session) push(xml string) {
	if c.ended {
		return
	}
	if c.heldBy == nil {
		for _, h := range c.srv.holds {
			if h.match(c.name, xml) {
				c.heldBy = h
				break
			}
		}
	}
	if c.heldBy != nil {
		c.held = append(c.held, xml)
		return
	}
	c.enqueue(xml)
}

func (c *session) enqueue(xml string) {
	if c.queued += len(xml); c.queued > maxQueued {
		c.drop()
		return
	}
	c.queue = append(c.queue, Frame{Session: c.name, Out: true, XML: xml})
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *session) send(e *elem) { c.push(e.String()) }

// unbind takes the session out of its account: nothing is routed to it any more.
func (c *session) unbind() {
	if c.account != nil && c.account.sessions[c.resource] == c {
		delete(c.account.sessions, c.resource)
	}
	c.available = false
}
