package stream

import (
	"errors"
	"fmt"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/sasl"
)

// The time limits for the server.
const (
	negotiationTime = 20 * time.Second // from Opened to Bound, not counting the waits for Credentials and Derived
	closeTime       = 2 * time.Second  // from our <close/> to the server's
)

// A Stream is one client stream. It is not safe for concurrent use.
type Stream struct {
	cfg   Config
	phase phase

	// Negotiation.
	authenticated bool           // authentication has succeeded, including the server's proof
	wrongOpen     *Error         // what is wrong with the server's <open/>
	mechanisms    []string       // what both sides support, strongest first
	mechanism     sasl.Mechanism // the current authentication
	binds         bool           // the server offers resource binding
	bindID        string         // the id of the bind request

	// The session.
	sm        smState
	keepalive keepalive
	known     addresses
	over      bool // one side has closed the stream, which ends the session

	// The current Step.
	now          time.Time
	deadline     time.Time // of the phase; zero if it has none
	fullDeadline time.Time // the deadline that a Probe has brought forward; zero if none has
	out          []Output
}

// A phase is what the stream waits for.
type phase int

const (
	idle             phase = iota // Opened
	opening                       // the server's <open/>
	features                      // <stream:features/>
	awaitCredentials              // Credentials
	authenticating                // <challenge/>, <success/> or <failure/>
	deriving                      // Derived
	resuming                      // the answer to resume
	binding                       // the answer to bind
	bound                         // nothing in particular
	closing                       // the server's <close/>, after ours
	ended
)

var awaited = [...]string{
	opening: "<open/>", features: "<stream:features/>", authenticating: "an answer to the login", resuming: "an answer to the resume request", binding: "an answer to the bind request",
}

// New returns a stream that waits for Opened. It returns an error if the Config is
// invalid.
//
// A stream is Bound only to a full JID of the account and only after authentication has
// succeeded, in which the server has also proved that it knows the password, if the
// mechanism includes such a proof. Until then messages are limited to 64 KiB
// (element.PreAuthLimits). The stream does not follow redirects; Error.SeeOther reports
// them to the caller. New ignores a Config.Resume that belongs to another account or is
// stuck.
func New(cfg Config) (*Stream, error) {
	switch {
	case cfg.Account.Localpart() == "" || cfg.Account.Resourcepart() != "":
		return nil, fmt.Errorf("the account %q must be a bare JID with a localpart, such as romeo@example.org", cfg.Account)
	case cfg.Nonce == nil || cfg.ID == nil:
		return nil, errors.New("options Nonce and ID must be set")
	}
	if _, err := cfg.Account.WithResource(cfg.Resource); err != nil {
		return nil, fmt.Errorf("the resource %q cannot be part of a JID (RFC 7622 §3.4): %w", cfg.Resource, err)
	}
	if r := cfg.Resume; r != nil && (!r.JID.Bare().Equal(cfg.Account) || r.Stuck()) {
		cfg.Resume = nil
	}
	return &Stream{cfg: cfg}, nil
}

// Step takes one input and returns the actions to carry out, in order. now must not
// decrease between calls. Hangup is the last output of a stream; after it Step returns
// nil. Step ignores an input that does not fit the phase, such as Credentials that were
// not requested.
func (s *Stream) Step(now time.Time, in Input) []Output {
	if s.phase == ended {
		return nil
	}
	s.now = now
	switch in := in.(type) {
	case Opened:
		if s.phase == idle {
			s.setDeadline(negotiationTime)
			s.open()
		}
	case Message:
		if s.phase != idle {
			s.message(in.Text)
		}
	case Closed:
		s.hangup(&Error{Code: CodeTransport, Text: "The connection was lost.", Retry: true, Err: in.Err})
	case Tick:
		s.tick()
	case Credentials:
		if s.phase == awaitCredentials {
			s.authenticate(in)
		}
	case Derived:
		if s.phase == deriving {
			s.derived(in)
		}
	case Send:
		if s.phase == bound {
			s.send(in.Stanza)
		}
	case Handled:
		s.sm.markHandled(in.Seq)
		if s.phase == bound && (s.cfg.NoPersistence || s.sm.id == "") { // The session cannot be resumed with a lower count.
			s.store(s.sm.handled())
		}
	case Saved:
		if s.phase == bound {
			s.store(in.H)
		}
	case Probe:
		if s.phase == bound {
			s.onProbe()
		} else {
			s.shortenDeadline()
		}
	case Sleep:
		if s.phase == bound {
			s.acknowledgeRest()
		}
	case Close:
		s.close()
	}
	if s.phase == bound {
		s.reschedule()
	}
	out := s.out
	s.out = nil
	return out
}

// inSession reports whether the stream was bound.
func (s *Stream) inSession() bool { return s.phase == bound || s.phase == closing }

// tick handles a Tick: it ends an expired wait, or sets the timer again if the Tick is
// too early.
func (s *Stream) tick() {
	switch {
	case s.deadline.IsZero():
	case s.now.Before(s.deadline):
		s.emit(SetTimer{s.deadline})
	case s.phase == closing:
		s.hangup(nil)
	case s.phase == bound:
		s.deadline = time.Time{}
		s.checkLiveness()
	case s.wrongOpen != nil:
		s.end(s.wrongOpen)
	default:
		s.end(&Error{Code: CodeTimeout, Retry: true,
			Text: fmt.Sprintf("The server did not send %s in time.", awaited[s.phase])})
	}
}

// close handles the input Close.
func (s *Stream) close() {
	switch s.phase {
	case bound:
		s.acknowledgeRest()
		s.over = true
		s.write(element.New(ns.Framing, "close"))
		s.phase = closing
		s.setDeadline(closeTime)
	case closing:
	default:
		s.end(nil)
	}
}

// end sends <close/>, if the stream is open, and hangs up.
func (s *Stream) end(err *Error) {
	s.over = true
	if s.phase != idle && s.phase != closing {
		s.write(element.New(ns.Framing, "close"))
	}
	s.hangup(err)
}

// hangup ends the stream. After Close the stream ends without an error.
func (s *Stream) hangup(err *Error) {
	if s.phase == closing {
		err = nil
	}
	s.phase = ended
	s.mechanism = nil
	s.emit(Hangup{err})
}

// setDeadline requests a Tick after d, or cancels it if d is zero.
func (s *Stream) setDeadline(d time.Duration) {
	s.deadline, s.fullDeadline = time.Time{}, time.Time{}
	if d != 0 {
		s.deadline = s.now.Add(d)
	}
	s.emit(SetTimer{s.deadline})
}

func (s *Stream) write(e *element.Element) { s.emit(Write{Text: e.String()}) }

func (s *Stream) drop(err error) { s.emit(Dropped{err}) }

func (s *Stream) emit(out Output) { s.out = append(s.out, out) }
