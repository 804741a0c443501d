package stream

import (
	"fmt"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// The timeouts that detect a lost connection, which browsers do not report.
const (
	idleTime   = 30 * time.Second // silence after which the stream probes the server
	answerTime = 10 * time.Second // time for the server to answer
	wakeTime   = 5 * time.Second  // the same after the program was suspended, when connections are often lost
)

// A keepalive monitors the connection of a session.
type keepalive struct {
	lastReceived time.Time     // when the last message arrived
	answerBy     time.Time     // when the answer to a probe is due; zero if none is pending
	within       time.Duration // how long the server has to answer
	late         bool          // the answer was due while the program was suspended, and the server was probed again
	pingID       string        // the id of the last ping
	pinged       bool          // the probe that is pending is a ping
}

// begin enters phase bound.
func (s *Stream) begin() {
	s.phase = bound
	s.keepalive = keepalive{lastReceived: s.now}
	s.setDeadline(idleTime)
}

// onTraffic records the arrival of a message. While a probe is pending, the message may
// be older than the probe and may have been buffered on a lost connection, so it only
// extends the server's time to answer.
func (s *Stream) onTraffic() {
	w := &s.keepalive
	w.lastReceived, w.late = s.now, false
	if !w.answerBy.IsZero() {
		w.answerBy = s.now.Add(w.within)
	}
}

// onSignOfLife records the answer to a probe.
func (s *Stream) onSignOfLife() { s.keepalive.answerBy, s.keepalive.pinged = time.Time{}, false }

// onAck records an acknowledgement. While a ping is pending, it answers an earlier request
// and may have been buffered on a lost connection.
func (s *Stream) onAck() {
	if !s.keepalive.pinged {
		s.onSignOfLife()
	}
}

// probe requests an answer within d: an acknowledgement if stream management is enabled
// and none is pending, a ping otherwise.
func (s *Stream) probe(d time.Duration) {
	w := &s.keepalive
	w.answerBy, w.within, w.pinged = s.now.Add(d), d, !s.sm.counting || !s.sm.ackBy.IsZero()
	if !w.pinged {
		s.requestBy(ackTime)
		return
	}
	w.pingID = s.cfg.ID()
	s.writeStanza(element.New(ns.Client, "iq").Set("type", "get").Set("id", w.pingID).
		Set("to", s.cfg.Account.Domainpart()).Add(element.New(ns.Ping, "ping")))
}

// onProbe probes the server, unless a pending probe is due as soon: repeated calls must
// not prevent the detection of a lost connection.
func (s *Stream) onProbe() {
	if by := s.keepalive.answerBy; by.After(s.now) && !by.After(s.now.Add(wakeTime)) {
		return
	}
	s.probe(wakeTime)
}

// shortenDeadline shortens the deadline of the negotiation, because the connection may be
// lost. The next message restores it.
func (s *Stream) shortenDeadline() {
	if full := s.deadline; s.now.Add(wakeTime).Before(full) {
		s.setDeadline(wakeTime)
		s.fullDeadline = full
	}
}

// restoreDeadline restores the deadline that shortenDeadline has shortened.
func (s *Stream) restoreDeadline() {
	if full := s.fullDeadline; !full.IsZero() {
		s.setDeadline(full.Sub(s.now))
	}
}

// isPong reports whether e answers the last ping. The stream does not deliver it.
func (s *Stream) isPong(e *element.Element) bool {
	return s.keepalive.pingID != "" && e.Name.Local == "iq" && e.Attr("id") == s.keepalive.pingID &&
		(e.Attr("type") == "result" || e.Attr("type") == "error")
}

// checkLiveness sends the probes and acknowledgement requests that are due, and hangs up
// if the server has not answered.
func (s *Stream) checkLiveness() {
	w, l := &s.keepalive, &s.sm
	switch answerDue, ackDue := s.due(w.answerBy), s.due(l.ackBy); {
	case answerDue && (w.late || !s.slept(w.answerBy)):
		// The stream sends no <close/>: if it arrived, it would end a session that can
		// be resumed.
		s.hangup(unresponsive(fmt.Sprintf("The server has been silent for %d seconds, even after a ping.", s.now.Sub(w.lastReceived)/time.Second)))
		return
	case ackDue && (l.ackLate || !answerDue && !s.slept(l.ackBy)):
		s.hangup(unresponsive(fmt.Sprintf("The server acknowledged nothing within %d seconds of a request.", ackTime/time.Second)))
		return
	case answerDue, ackDue:
		// The program was suspended, so the server is probed again, but only once: the
		// timers of a background page are always late.
		if answerDue {
			w.late = true
		}
		if ackDue {
			l.ackLate, l.ackBy = true, time.Time{}
		}
		s.probe(wakeTime)
	case w.answerBy.IsZero() && s.due(w.lastReceived.Add(idleTime)):
		s.probe(answerTime)
	}
	if s.due(s.askBy()) {
		s.request()
	}
}

// reschedule requests a Tick for the next deadline, if the timer is set to a later time.
// A timer that is set too early is kept, because a superfluous Tick costs less than
// setting the timer for every message.
func (s *Stream) reschedule() {
	next := s.keepalive.answerBy
	if next.IsZero() {
		next = s.keepalive.lastReceived.Add(idleTime)
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

// askBy returns when an acknowledgement must be requested, or zero if none is needed.
func (s *Stream) askBy() time.Time {
	if !s.sm.counting || !s.sm.ackBy.IsZero() || len(s.sm.unacked) == 0 {
		return time.Time{}
	}
	return s.sm.oldest.Add(askLatest)
}

// slept reports whether a Tick is so late that the program must have been suspended.
func (s *Stream) slept(due time.Time) bool { return s.now.Sub(due) > wakeTime }

func (s *Stream) due(t time.Time) bool { return !t.IsZero() && !s.now.Before(t) }
