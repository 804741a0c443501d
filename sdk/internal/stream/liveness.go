package stream

import (
	"fmt"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// How a dead connection is found out. A browser says nothing of one.
const (
	idleTime   = 30 * time.Second // silence after which the server is asked for a sign of life
	answerTime = 10 * time.Second // that it has to give
	wakeTime   = 5 * time.Second  // after a sleep of the program, when sockets are often dead
)

// A keepalive looks after the connection of a session.
type keepalive struct {
	heard    time.Time     // when the last message came
	answerBy time.Time     // when a sign of life is due; zero if none is asked for
	within   time.Duration // how long the server has to give it
	late     bool          // it was due when the program slept, and is asked for anew
	pingID   string        // the id of the last ping
}

// begin enters the session.
func (s *Stream) begin() {
	s.phase = bound
	s.alive = keepalive{heard: s.now}
	s.setDeadline(idleTime)
}

// onTraffic notes a message. If a sign of life is asked for, the message may be older
// than the question, and have waited in a dead connection: it only gives the
// server more time.
func (s *Stream) onTraffic() {
	w := &s.alive
	w.heard, w.late = s.now, false
	if !w.answerBy.IsZero() {
		w.answerBy = s.now.Add(w.within)
	}
}

// onSignOfLife notes the sign of life that was asked for.
func (s *Stream) onSignOfLife() { s.alive.answerBy = time.Time{} }

// probe asks for a sign of life within d: an acknowledgement if the server
// gives them, a ping otherwise.
func (s *Stream) probe(d time.Duration) {
	s.alive.answerBy, s.alive.within = s.now.Add(d), d
	if s.sm.counting {
		s.requestBy(ackTime)
		return
	}
	s.alive.pingID = s.cfg.ID()
	s.writeStanza(element.New(ns.Client, "iq").Set("type", "get").Set("id", s.alive.pingID).
		Set("to", s.cfg.Account.Domainpart()).Add(element.New(ns.Ping, "ping")))
}

// onProbe asks for a sign of life soon, unless one is due as soon: a program that
// is woken again and again must still find out a dead connection.
func (s *Stream) onProbe() {
	if by := s.alive.answerBy; by.After(s.now) && !by.After(s.now.Add(wakeTime)) {
		return
	}
	s.probe(wakeTime)
}

// shortenDeadline shortens a wait of the negotiation, for the server may be gone. A sign
// of life lengthens it again.
func (s *Stream) shortenDeadline() {
	if full := s.deadline; s.now.Add(wakeTime).Before(full) {
		s.setDeadline(wakeTime)
		s.fullDeadline = full
	}
}

// restoreDeadline takes back what shortenDeadline has done.
func (s *Stream) restoreDeadline() {
	if full := s.fullDeadline; !full.IsZero() {
		s.setDeadline(full.Sub(s.now))
	}
}

// isPong tells whether e answers the last ping. Nobody else needs to see it.
func (s *Stream) isPong(e *element.Element) bool {
	return s.alive.pingID != "" && e.Name.Local == "iq" && e.Attr("id") == s.alive.pingID &&
		(e.Attr("type") == "result" || e.Attr("type") == "error")
}

// checkLiveness does what is due in a session.
func (s *Stream) checkLiveness() {
	w, l := &s.alive, &s.sm
	switch answerDue, ackDue := s.due(w.answerBy), s.due(l.ackBy); {
	case answerDue && (w.late || !s.slept(w.answerBy)):
		// No <close/>: should it arrive after all, it would end a session that
		// can be resumed.
		s.hangup(unresponsive(fmt.Sprintf("The server has been silent for %d seconds, even when asked.", s.now.Sub(w.heard)/time.Second)))
		return
	case ackDue && (l.ackLate || !answerDue && !s.slept(l.ackBy)):
		s.hangup(unresponsive(fmt.Sprintf("The server acknowledged nothing within %d seconds of being asked.", ackTime/time.Second)))
		return
	case answerDue, ackDue:
		// It was the program that slept. But only once: the timers of a page in
		// the background are always late.
		if answerDue {
			w.late = true
		}
		if ackDue {
			l.ackLate, l.ackBy = true, time.Time{}
		}
		s.probe(wakeTime)
	case w.answerBy.IsZero() && s.due(w.heard.Add(idleTime)):
		s.probe(answerTime)
	}
	if s.due(s.askBy()) {
		s.request()
	}
}

// reschedule asks for a Tick when the next thing is due, if the present demand
// is later. One that is too early costs a Tick and is cheaper than a new
// demand with every message.
func (s *Stream) reschedule() {
	next := s.alive.answerBy
	if next.IsZero() {
		next = s.alive.heard.Add(idleTime)
	}
	for _, t := range [...]time.Time{s.askBy(), s.sm.ackBy} {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if s.deadline.IsZero() || next.Before(s.deadline) {
		s.deadline = next
		s.emit(SetTimer{next})
	}
}

// askBy is when an acknowledgement must be asked for; zero if it need not.
func (s *Stream) askBy() time.Time {
	if !s.sm.counting || !s.sm.ackBy.IsZero() || len(s.sm.unacked) == 0 {
		return time.Time{}
	}
	return s.sm.oldest.Add(askLatest)
}

// slept reports whether a Tick comes so late that the program must have slept.
func (s *Stream) slept(due time.Time) bool { return s.now.Sub(due) > wakeTime }

func (s *Stream) due(t time.Time) bool { return !t.IsZero() && !s.now.Before(t) }
