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

// When acknowledgements are sent and asked for.
const (
	askAfter    = 8                // own stanzas that are not acknowledged,
	askLatest   = 5 * time.Second  // or one of this age
	tellUnasked = 100              // stanzas that may be acknowledged
	ackTime     = 30 * time.Second // that the server has to answer <r/>, whatever else it sends
)

// maxReplays is how many resumptions in a row may send the same stanzas again
// while the server acknowledges none: it may be one of them that makes the server
// cut the connection.
const maxReplays = 2

// An smState counts the stanzas of a session in both directions (XEP-0198 §4).
// All counts are modulo 2³², so they are only compared by their differences.
type smState struct {
	offered  bool    // the server knows XEP-0198
	sending  bool    // own stanzas are counted: since <enable/>
	counting bool    // the server's are: since <enabled/>
	id       string  // of the session; empty if it cannot be resumed
	location string  // where to resume it
	full     jid.JID // of the session

	seq           uint64 // stanzas delivered
	received      uint32
	replaysLeft   uint32   // of the received ones, how many the server will send again
	beforeEnabled int      // delivered before <enabled/>, and not handled
	waiting       []uint32 // the numbers of those delivered and not handled, oldest first
	saved         uint32   // up to here nobody will ask again
	lastAckSent   uint32   // what the server was told last

	acked           uint32
	unacked         []string  // the own stanzas after acked
	bytes           int       // of unacked
	oldest          time.Time // when the first of them was sent, or the last <a/> came
	ackBy           time.Time // when the answer to <r/> is due; zero if none is awaited
	ackLate         bool      // it was due when the program slept, and is asked for anew
	replays         int       // resumptions in a row that sent unacked again in vain
	mayHaveSentMore bool      // more may have been sent than was counted
}

// Resumption exports what a later stream needs to go on with this session, nil
// if that is impossible: the server cannot, or one side has closed the stream.
// It stays valid after Hangup.
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

// Stuck reports whether the session is given up, because the server has
// acknowledged none of Unacked though the last resumptions sent it again. A stream
// that is to resume it begins a new session.
func (r *Resumption) Stuck() bool { return r.Replays >= maxReplays }

// handled is the number of the last stanza before which all are handled.
func (l *smState) handled() uint32 {
	if len(l.waiting) > 0 {
		return l.waiting[0] - 1
	}
	return l.received
}

// count counts a stanza of the server, and tells whether it came before. One
// that is not delivered is handled as soon as all before it are.
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

// deliver hands on the stanza that was counted last.
func (s *Stream) deliver(e *element.Element) {
	s.sm.seq++
	if s.sm.counting {
		s.sm.waiting = append(s.sm.waiting, s.sm.received)
	} else {
		s.sm.beforeEnabled++
	}
	s.emit(Deliver{s.sm.seq, e})
}

// markHandled takes Handled.
func (l *smState) markHandled(seq uint64) {
	open := l.beforeEnabled + len(l.waiting)
	n := open - int(min(l.seq-seq, uint64(open))) // A seq ahead of l.seq wraps around, and handles none.
	early := min(n, l.beforeEnabled)
	l.beforeEnabled, l.waiting = l.beforeEnabled-early, l.waiting[n-early:]
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
}

// store takes Saved.
func (s *Stream) store(h uint32) {
	l := &s.sm
	if !l.counting || int32(h-l.saved) < 0 || int32(l.handled()-h) < 0 {
		return
	}
	l.saved = h
	if l.saved-l.lastAckSent >= tellUnasked {
		s.acknowledge()
	}
}

// acknowledge says what the server need not send again.
func (s *Stream) acknowledge() {
	s.sm.lastAckSent = s.sm.saved
	s.write(element.New(ns.SM, "a").Set("h", strconv.FormatUint(uint64(s.sm.saved), 10)))
}

// acknowledgeRest is for the last moment before a sleep or the end.
func (s *Stream) acknowledgeRest() {
	if s.sm.counting && s.sm.saved != s.sm.lastAckSent {
		s.acknowledge()
	}
}

// enable turns stream management on for a new session. It travels with the
// first stanzas: nobody waits for its answer.
func (s *Stream) enable(full jid.JID) {
	s.sm = smState{offered: s.sm.offered, full: full}
	if s.sm.offered {
		s.sm.sending = true
		s.write(element.New(ns.SM, "enable").Set("resume", "true"))
	}
}

// management takes an element of stream management in a session.
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
		s.onSignOfLife()
		s.acknowledged(e.Attr("h"))
	default:
		s.drop(fmt.Errorf("A %s that fits nothing was ignored.", describe(e)))
	}
}

// resume asks for the session of an earlier stream (XEP-0198 §5).
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

// onResumed takes the answer to resume. What the server has lost begins anew.
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
