package mem

import "time"

// maxQueued is the maximum number of bytes queued for a client, and the maximum
// number unacknowledged by it. The server ends a session that exceeds it.
const maxQueued = 32 << 20

// message is an outgoing message.
type message struct {
	xml     string
	counted bool      // a stanza counted by stream management
	at      time.Time // when a counted one was first queued
}

// end closes the stream and the session, with the stream error cond if it is not
// empty. Nothing is sent afterwards; messages held back are lost.
func (c *session) end(cond string, details ...any) {
	if c.ended {
		return
	}
	c.finish(cond != "")
	c.held, c.heldBy = nil, nil
	if c.phase == wantOpen || c.phase == wantOpen2 {
		if cond != "" {
			c.sendOpen() // an error during the opening follows an <open/> (RFC 7395 §3.5)
		}
	}
	if cond != "" {
		text := el(nsStreams, cond).String()
		for _, d := range details {
			text += d.(*elem).String()
		}
		c.enqueue(message{xml: "<stream:error xmlns:stream='" + nsStream + "'>" + text + "</stream:error>"})
	}
	c.enqueue(message{xml: el(nsFraming, "close").String()})
	c.ended = true
	time.AfterFunc(deadline, c.cancel)
}

// lose drops the connection without closing the stream. A session that can be resumed
// hibernates.
func (c *session) lose() {
	if c.ended {
		return
	}
	if c.sm != nil && c.sm.id != "" {
		c.hibernate()
	} else {
		c.finish(false)
	}
	c.ended = true
	c.queue, c.held, c.heldBy = nil, nil, nil
	c.cancel()
}

// send queues an element, unless the session is being held.
func (c *session) send(e *elem) { c.push(message{xml: e.String(), counted: c.counts(e)}) }

// counts reports whether stream management counts e.
func (c *session) counts(e *elem) bool { return c.sm != nil && e.isStanza() }

// push queues a message to the client, unless the session is being held. Without a
// connection the message is kept.
func (c *session) push(m message) {
	if m.counted && m.at.IsZero() {
		m.at = time.Now().UTC()
	}
	if c.hibernating() {
		if m.counted {
			c.sm.pending = append(c.sm.pending, m)
			c.keep(m)
		}
		return
	}
	if c.ended {
		return
	}
	if c.heldBy == nil {
		for _, h := range c.srv.holds {
			if h.match(c.name, m.xml) {
				c.heldBy = h
				break
			}
		}
	}
	if c.heldBy != nil {
		c.held = append(c.held, m)
		return
	}
	c.enqueue(m)
}

func (c *session) enqueue(m message) {
	if c.queued += len(m.xml); c.queued > maxQueued {
		c.finish(true)
		c.lose()
		return
	}
	c.queue = append(c.queue, Frame{Session: c.name, Out: true, XML: m.xml})
	select {
	case c.wake <- struct{}{}:
	default:
	}
	if m.counted {
		c.sm.unacked = append(c.sm.unacked, m)
		c.sm.fresh++
		if c.keep(m) {
			c.ask()
		}
	}
}

// keep records m for retransmission. If too much is unacknowledged, the session ends.
func (c *session) keep(m message) bool {
	if c.sm.bytes += len(m.xml); c.sm.bytes > maxQueued {
		c.finish(true)
		c.lose()
		return false
	}
	return true
}
