package engine

import (
	"errors"
	"math/rand/v2"
	"time"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport"
)

// oversizedWait is the wait once two attempts in a row ended with a message that is
// too large.
const oversizedWait = 10 * time.Minute

// A fate is what becomes of a session when its connection, or an attempt to
// resume it, ends.
type fate uint8

const (
	sessionNone  fate = iota // there was none
	sessionWaits             // it can be resumed
	sessionEnds
)

// A next is what a link does after a connection.
type next struct {
	do   nextStep
	err  *pam.Error        // why it waits or stops
	wait time.Duration     // until the next attempt
	at   hostmeta.Endpoint // where the server wants to be reached instead
}

type nextStep uint8

const (
	stop   nextStep = iota // because nobody wants to be connected
	fail                   // because no attempt can succeed
	retry                  // after a wait
	redial                 // at once: somebody connected again while the connection was leaving
	follow                 // the server elsewhere, at once
)

// ended decides what becomes of the session of c, and whether the link
// reconnects. A nil cause is an end that was asked for.
func (l *link) ended(c *connection, cause *stream.Error) {
	if c.bound && time.Since(c.since) >= stableAfter {
		l.setAttempt(0)
		l.endpoints.followed = 0
	}
	down := connectionDown{bound: c.bound, heard: c.heard, replies: c.closeWaiters, session: sessionWaits}
	switch {
	case cause == nil:
		down.session = sessionEnds
	case !c.bound && (cause.Code == stream.CodeTransport || cause.Code == stream.CodeTimeout || cause.SeeOther != ""):
		// An attempt failed, or is to be made elsewhere. The session, if any, still waits.
	case !c.bound:
		down.session = sessionEnds // What the server objects to may be the session.
	case cause.Code == stream.Code(pam.CodeTooLarge):
		down.session = sessionEnds // The server would send the same message again.
	default:
		l.suspended = c.stream.Resumption()
		down.stuck = l.suspended != nil && l.suspended.Stuck()
		if l.suspended == nil || down.stuck {
			down.session = sessionEnds
		}
	}
	if down.session == sessionEnds {
		l.suspended = nil
	}
	switch {
	case cause != nil && cause.SeeOther != "" && l.mayRedirect(c):
		down.next = l.redirect(c, cause.SeeOther)
	case cause != nil:
		l.endpoints.markFailed(c, l.cfg, l.suspended)
		down.next = l.afterFailure(streamError(cause))
	case l.wanted:
		down.next.do = redial
	}
	if !l.wanted && (l.suspended == nil || !l.suspended.Stored) || down.next.do == fail {
		down.session = sessionEnds // Nobody will resume it, but one of an earlier run may yet be.
	}
	if down.session == sessionEnds {
		l.suspended = nil
	}
	l.tell(down)
}

// endSearch ends the attempts while there is no connection. A nil error is an end
// that was asked for.
func (l *link) endSearch(err *pam.Error, replies ...func(error)) {
	down := connectionDown{replies: replies}
	if err != nil {
		down.next = l.afterFailure(err)
	}
	if l.suspended != nil && (down.next.do == fail || down.next.do == stop && !l.suspended.Stored) {
		l.suspended, down.session = nil, sessionEnds
	}
	l.tell(down)
}

// afterFailure decides whether another attempt follows one that failed, or a
// connection that was lost.
func (l *link) afterFailure(err *pam.Error) next {
	if !l.wanted {
		return next{do: stop}
	}
	if isRefused(err) {
		l.rejected = true
	}
	slow := l.wasLive && !err.Retryable && !isFinal(err)
	if slow {
		later := *err
		later.Retryable = true
		err = &later
	}
	policy := l.cfg.Policy
	if !err.Retryable || policy.Off || policy.MaxAttempts != 0 && l.attempt >= policy.MaxAttempts {
		l.wanted = false
		return next{do: fail, err: err}
	}
	wait := backoff(policy, l.attempt, slow)
	if err.Code != pam.CodeTooLarge {
		l.oversized = 0
	} else if l.oversized++; l.oversized > 1 {
		wait = max(wait, oversizedWait)
	}
	return next{do: retry, err: err, wait: wait}
}

// proceed does what was decided, after all others have heard that the connection
// is down.
func (l *link) proceed(down connectionDown) {
	switch n := down.next; n.do {
	case stop:
		l.view.setPhase(pam.PhaseOffline, nil)
		l.answerConnect(errDisconnected())
	case fail:
		l.view.setPhase(pam.PhaseFailed, n.err)
		l.answerConnect(n.err)
	case retry:
		l.view.setNextAttempt(time.Now().Add(n.wait))
		l.view.setPhase(pam.PhaseWaiting, n.err)
		l.retry = l.after(n.wait, l.dial)
		l.answerConnect(n.err)
	case redial:
		l.tell(dialWanted{})
	case follow:
		if c := l.begin(); c != nil {
			c.open(n.at)
		}
	}
	for _, reply := range down.replies {
		reply(nil)
	}
}

// backoff draws the wait before the next attempt: full jitter. A slow one is for
// what only a person at the server can change, and at least half of the longest.
func backoff(policy Policy, attempt int, slow bool) time.Duration {
	if half := policy.Max / 2; slow && !policy.NoJitter {
		return half + time.Duration(rand.Int64N(int64(half)+1))
	} else if slow {
		return policy.Max
	}
	limit := min(policy.Base, policy.Max)
	for range attempt - 1 {
		if limit > policy.Max/2 {
			limit = policy.Max
			break
		}
		limit *= 2
	}
	if policy.NoJitter {
		return limit
	}
	return time.Duration(rand.Int64N(int64(limit)))
}

// mayRedirect reports whether c may be followed by an attempt elsewhere. An end of
// the session counts as a loss for those who never want to reconnect; before the
// log-in, being sent on is part of connecting.
func (l *link) mayRedirect(c *connection) bool { return l.wanted && !(c.bound && l.cfg.Policy.Off) }

// redirect decides to go where the server at c wants to be reached instead (RFC
// 7395 §3.6.1), or why not, and to come back later to the ordinary address.
//
// It does so before the log-in and in a session alike. Nothing is risked by
// that: the new address is as private as the old one, its certificate is
// checked for a host that the old address has already proved to be, or that
// the program trusts, and the log-in there begins from the start. A server that
// has proved to know the password is no less to be believed than one that has
// not, and a session is how a server is emptied before it is stopped.
//
// see-other-host (RFC 6120 §4.9.3.19) is a host and port for TCP and is not
// followed: the client comes back as after any other stream error.
func (l *link) redirect(c *connection, address string) next {
	p := &l.endpoints
	at, err := p.permit(c.at, address)
	if err == nil && p.followed == maxFollowed {
		err = errors.New("it is the fourth time in a row")
	}
	if err != nil {
		p.markFailed(c, l.cfg, l.suspended)
		return l.afterFailure(&pam.Error{Code: pam.CodeStream, Origin: pam.FromServer, Retryable: true,
			Text: "The server at " + c.at.String() + " sends this client on to " + quote(transport.Show(address)) + ", which is not followed: " + err.Error() + "."})
	}
	p.followed++
	return next{do: follow, at: at}
}
