package mem

import (
	"slices"
	"strconv"
	"time"
)

const (
	nsSM = "urn:xmpp:sm:3"

	askEvery    = 4   // stanzas sent between two <r/>
	maxRemember = 100 // maximum number of ended sessions per account whose counts are kept
)

// An smState counts the stanzas of a session in both directions (XEP-0198 §4). All counts are modulo 2³². It is kept while the session
// lives, whichever connection serves it.
type smState struct {
	id   string        // of the session; empty if it cannot be resumed
	keep time.Duration // how long it may hibernate

	received uint32    // stanzas of the client that were handled
	acked    uint32    // number of stanzas that the client has acknowledged
	unacked  []message // the stanzas sent after those
	pending  []message // stanzas not sent, because there is no connection
	bytes    int       // size of unacked and pending

	fresh  int         // stanzas sent since the last <r/>
	asked  bool        // <r/> has not been answered
	expiry *time.Timer // ends the hibernation; nil if there is a connection
}

// ended is the record of an ended session: the number of its handled stanzas.
type ended struct {
	id string
	h  uint32
}

// manage handles an element of stream management. An unexpected one is refused, and
// the stream stays open (XEP-0198 §3, §6).
func (c *session) manage(e *elem) {
	switch {
	case e.local == "enable" && c.phase == bound && c.sm == nil:
		c.enable(e)
	case e.local == "resume" && c.phase == wantBind:
		c.resume(e)
	case e.local == "r" && c.sm != nil:
		c.send(el(nsSM, "a", "h", count(c.sm.received)))
	case e.local == "a" && c.sm != nil:
		c.acknowledged(e)
	case e.local == "enable", e.local == "resume", e.local == "r", e.local == "a":
		c.send(smFailed("unexpected-request"))
	default:
		c.end("unsupported-stanza-type")
	}
}

// enable answers <enable/>. The client's stanzas are counted from <enable/> on, those
// of the server from <enabled/> on. The session is kept for the shorter of the two
// sides' times.
func (c *session) enable(e *elem) {
	resume, ok := boolean(e, "resume")
	keep := c.srv.cfg.ResumeFor
	if wish, given := e.lookup("max"); given {
		n, err := strconv.ParseUint(wish, 10, 32)
		if err != nil || n == 0 {
			ok = false
		}
		keep = min(keep, time.Duration(n)*time.Second)
	}
	if !ok {
		c.send(smFailed("bad-request"))
		return
	}
	c.sm = &smState{keep: keep}
	enabled := el(nsSM, "enabled")
	if resume {
		c.sm.id = c.srv.newID("sm") + secret()
		enabled = el(nsSM, "enabled", "id", c.sm.id, "resume", "true", "max", seconds(keep), "location", c.srv.cfg.SMLocation)
	}
	c.send(enabled)
}

// resume attaches the connection to an earlier session of the same account, even if
// that session's connection seems to be alive (XEP-0198 §5). Unacknowledged stanzas
// are sent again, in order.
func (c *session) resume(e *elem) {
	previd := e.get("previd")
	h, ok := handledCount(e)
	if previd == "" || !ok {
		c.send(smFailed("bad-request"))
		return
	}
	old := c.account.resumable(previd)
	if old == nil {
		failed := smFailed("item-not-found")
		if i := slices.IndexFunc(c.account.ended, func(x ended) bool { return x.id == previd }); i >= 0 {
			failed.set("h", count(c.account.ended[i].h))
		}
		c.send(failed)
		return
	}
	if !old.sm.trim(h) {
		c.endMiscounted(old.sm, h)
		return
	}
	again := append(old.sm.unacked, old.sm.waiting(old.held)...)
	c.binding, c.name, c.phase = old.binding, old.name, bound
	c.account.sessions[c.resource] = c
	old.binding = binding{}
	old.end("conflict") // has no effect if the session hibernates

	if c.sm.expiry != nil {
		c.sm.expiry.Stop()
	}
	c.sm.expiry, c.sm.unacked, c.sm.pending, c.sm.bytes = nil, nil, nil, 0
	c.sm.fresh, c.sm.asked = 0, false
	c.send(el(nsSM, "resumed", "previd", previd, "h", count(c.sm.received)))
	for _, m := range again {
		m.xml = c.stamped(m)
		c.push(m)
	}
}

// acknowledged handles <a/>.
func (c *session) acknowledged(e *elem) {
	h, ok := handledCount(e)
	switch {
	case !ok:
		c.end("bad-format")
		return
	case !c.sm.trim(h):
		c.endMiscounted(c.sm, h)
		return
	}
	c.sm.asked = false
	c.ask()
}

// ask requests the client's count after every askEvery stanzas. It does not repeat
// the request after an answer that acknowledges nothing.
func (c *session) ask() {
	if c.sm.fresh >= askEvery && !c.sm.asked {
		c.sm.fresh, c.sm.asked = 0, true
		c.send(el(nsSM, "r"))
	}
}

// endMiscounted ends the stream of a client that acknowledges stanzas that were not
// sent, or revokes an acknowledgement (XEP-0198 §6).
func (c *session) endMiscounted(sm *smState, h uint32) {
	c.end("undefined-condition", el(nsSM, "handled-count-too-high", "h", count(h), "send-count", count(sm.acked+uint32(len(sm.unacked)))))
}

// trim discards the acknowledged stanzas. It reports whether the count is possible.
func (sm *smState) trim(h uint32) bool {
	n := h - sm.acked
	if uint64(n) > uint64(len(sm.unacked)) {
		return false
	}
	for _, m := range sm.unacked[:n] {
		sm.bytes -= len(m.xml)
	}
	sm.acked, sm.unacked = h, slices.Clone(sm.unacked[n:])
	return true
}

// waiting returns the stanzas that were never sent; held are the ones that a hold
// kept back.
func (sm *smState) waiting(held []message) []message {
	out := sm.pending
	for _, m := range held {
		if m.counted {
			out = append(out, m)
		}
	}
	return out
}

// resumable returns the session with the id sent in <enabled/>, or nil.
func (a *account) resumable(id string) *session {
	for _, c := range a.sessions {
		if c.sm != nil && c.sm.id == id {
			return c
		}
	}
	return nil
}

// remember keeps the count of an ended session.
func (a *account) remember(sm *smState) {
	if len(a.ended) >= maxRemember {
		a.ended = slices.Delete(a.ended, 0, 1)
	}
	a.ended = append(a.ended, ended{sm.id, sm.received})
}

func smFailed(condition string) *elem { return el(nsSM, "failed").with(el(nsStanzas, condition)) }

// handledCount parses the attribute h, an xs:unsignedInt.
func handledCount(e *elem) (uint32, bool) {
	n, err := strconv.ParseUint(e.get("h"), 10, 32)
	return uint32(n), err == nil
}

func count(h uint32) string { return strconv.FormatUint(uint64(h), 10) }

// seconds formats an xs:positiveInteger, or "" for less than a second.
func seconds(d time.Duration) string {
	if d < time.Second {
		return ""
	}
	return strconv.Itoa(int(d / time.Second))
}

// boolean parses an xs:boolean, which is false if absent.
func boolean(e *elem, name string) (value, ok bool) {
	switch v, given := e.lookup(name); v {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	default:
		return false, !given
	}
}
