package stream

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// When acknowledgements are sent and requested.
const (
	askAfter  = 8                // unacknowledged sent stanzas,
	askLatest = 5 * time.Second  // or age of the oldest of them, after which an acknowledgement is requested
	ackAfter  = 100              // received stanzas after which an acknowledgement is sent without a request
	ackTime   = 30 * time.Second // time for the server to answer <r/>, whatever else it sends
)

// maxReplays is the maximum number of resumptions in a row that send the same stanzas
// again without an acknowledgement. One of these stanzas may be the reason why the server
// drops the connection.
const maxReplays = 2

// An smState counts the stanzas of a session in both directions (XEP-0198 §4).
// All counts are modulo 2³², so they are only compared by their differences.
type smState struct {
	offered  bool    // the server supports XEP-0198
	sending  bool    // sent stanzas are counted: since <enable/>
	counting bool    // received stanzas are counted: since <enabled/>
	id       string  // id of the session; empty if it cannot be resumed
	location string  // where the server prefers the session to be resumed
	full     jid.JID // of the session

	seq           uint64 // stanzas delivered
	received      uint32
	replaysLeft   uint32   // number of received stanzas that the server will send again
	beforeEnabled int      // delivered before <enabled/>, and not handled
	waiting       []uint32 // the numbers of those delivered and not handled, oldest first
	saved         uint32   // received stanzas up to this count are saved
	lastAckSent   uint32   // the count acknowledged last

	acked           uint32
	unacked         []string  // the sent stanzas after acked
	bytes           int       // of unacked
	oldest          time.Time // when the first of them was sent, or the last <a/> arrived
	ackBy           time.Time // when the answer to <r/> is due; zero if none is pending
	ackLate         bool      // the answer was due while the program was suspended, and was requested again
	replays         int       // resumptions in a row that sent unacked again without an acknowledgement
	mayHaveSentMore bool      // more stanzas may have been sent than were counted
}

// Inspect sets whether the stream outputs a Read for every message.
func (s *Stream) Inspect(yes bool) { s.cfg.Inspect = yes }

// Resumption returns what a later stream needs to resume this session. It returns nil if
// the server does not support that, or if one side has closed the stream. It may be
// called after Hangup.
func (s *Stream) Resumption() *Resumption {
	l := &s.sm
	if l.id == "" || s.over {
		return nil
	}
	return &Resumption{ID: l.id, Location: l.location, JID: l.full,
		Seq: l.seq, H: l.handled(), Seen: l.received - l.handled(), Waiting: slices.Clone(l.waiting),
		Early: l.beforeEnabled, Unsaved: l.handled() - l.saved,
		Acked: l.acked, Unacked: slices.Clone(l.unacked), Replays: l.replays}
}

// Stuck reports whether the session should be abandoned, because the server has
// acknowledged none of Unacked although the last resumptions sent it again. A stream
// that is given such a Resumption starts a new session.
func (r *Resumption) Stuck() bool { return r.Replays >= maxReplays }

// handled returns the count up to which all received stanzas are handled.
func (l *smState) handled() uint32 {
	if len(l.waiting) > 0 {
		return l.waiting[0] - 1
	}
	return l.received
}

// count counts a received stanza, and reports whether it was received before. A stanza
// that is not delivered is handled as soon as all stanzas before it are.
func (l *smState) count() (again bool) {
	switch {
	case !l.counting:
	case l.replaysLeft > 0:
		l.replaysLeft--
		return true
	default:
		l.received++
	}
	return false
}

// deliver outputs the stanza that was counted last.
func (s *Stream) deliver(e *element.Element) {
	s.sm.seq++
	if s.sm.counting {
		s.sm.waiting = append(s.sm.waiting, s.sm.received)
	} else {
		s.sm.beforeEnabled++
	}
	s.emit(Deliver{s.sm.seq, e})
}

// markHandled handles the input Handled.
func (l *smState) markHandled(seq uint64) {
	open := l.beforeEnabled + len(l.waiting)
	n := open - int(min(l.seq-seq, uint64(open))) // A seq ahead of l.seq wraps around, and handles none.
	early := min(n, l.beforeEnabled)
	l.beforeEnabled, l.waiting = l.beforeEnabled-early, l.waiting[n-early:]
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
}

// store handles the input Saved.
func (s *Stream) store(h uint32) {
	l := &s.sm
	if !l.counting || int32(h-l.saved) < 0 || int32(l.handled()-h) < 0 {
		return
	}
	l.saved = h
	if l.saved-l.lastAckSent >= ackAfter {
		s.acknowledge()
	}
}

// acknowledge sends an acknowledgement of the saved stanzas.
func (s *Stream) acknowledge() {
	s.sm.lastAckSent = s.sm.saved
	s.write(element.New(ns.SM, "a").Set("h", strconv.FormatUint(uint64(s.sm.saved), 10)))
}

// acknowledgeRest sends a last acknowledgement, if needed, before the program is
// suspended or the stream ends.
func (s *Stream) acknowledgeRest() {
	if s.sm.counting && s.sm.saved != s.sm.lastAckSent {
		s.acknowledge()
	}
}

// enable enables stream management for a new session. The first stanzas are sent
// without waiting for the answer.
func (s *Stream) enable(full jid.JID) {
	s.sm = smState{offered: s.sm.offered, full: full}
	if s.sm.offered {
		s.sm.sending = true
		s.write(element.New(ns.SM, "enable").Set("resume", "true"))
	}
}

// management handles a stream management element in a session.
func (s *Stream) management(e *element.Element) {
	l := &s.sm
	switch {
	case s.phase == closing: // Nothing may follow our <close/> (RFC 6120 §4.4).
	case e.Name.Local == "enabled" && l.sending && !l.counting:
		l.counting = true
		if resume := e.Attr("resume"); resume == "true" || resume == "1" {
			l.id, l.location = e.Attr("id"), e.Attr("location")
		}
		if len(l.unacked) >= askAfter {
			s.request()
		}
	case e.Name.Local == "failed" && l.sending && !l.counting:
		*l = smState{full: l.full, seq: l.seq}
	case e.Name.Local == "r" && l.counting:
		s.acknowledge()
	case e.Name.Local == "a" && l.sending:
		s.onAck()
		s.acknowledged(e.Attr("h"))
	default:
		s.drop(fmt.Errorf("%s is not expected in this state", describe(e)))
	}
}

// resume requests the session of an earlier stream (XEP-0198 §5).
func (s *Stream) resume() {
	r := s.cfg.Resume
	saved := r.H - r.Unsaved
	s.sm = smState{
		offered: true, id: r.ID, location: r.Location, full: r.JID, seq: r.Seq,
		received: r.H + r.Seen, replaysLeft: r.Seen + r.Unsaved, waiting: slices.Clone(r.Waiting), beforeEnabled: r.Early,
		saved: saved, lastAckSent: saved,
		acked: r.Acked, unacked: slices.Clone(r.Unacked), replays: r.Replays, mayHaveSentMore: r.Stored,
	}
	s.phase = resuming
	s.write(element.New(ns.SM, "resume").Set("previd", r.ID).Set("h", strconv.FormatUint(uint64(saved), 10)))
}

// onResumed handles the answer to resume. If the server no longer has the session, the
// stream binds a new one.
func (s *Stream) onResumed(e *element.Element) {
	l := &s.sm
	switch {
	case e.Is(ns.SM, "resumed") && e.Attr("previd") == l.id:
		if err := l.forget(e.Attr("h")); err != nil {
			s.refuseCount(e.Attr("h"), err)
			return
		}
		l.sending, l.counting, l.mayHaveSentMore, l.oldest = true, true, false, s.now
		s.begin()
		s.emit(Resumed{l.full})
		for _, text := range l.unacked {
			s.emit(Write{Text: text})
		}
		if len(l.unacked) > 0 {
			if l.acked == s.cfg.Resume.Acked {
				l.replays++
			}
			s.request()
		}
	case e.Is(ns.SM, "failed"):
		s.sm = smState{offered: true}
		s.bind()
	default: // A new session may do better.
		err := protocolError(fmt.Sprintf("The server answered the request to resume the session with a %s.", describe(e)))
		err.Retry = true
		s.end(err)
	}
}
