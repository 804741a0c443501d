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

// oversizedWait is the delay after two attempts in a row ended because a message was
// too large.
const oversizedWait = 10 * time.Minute

// A fate is what happens to a session when its connection, or an attempt to resume
// it, ends.
type fate uint8

const (
	sessionNone  fate = iota // there was no session
	sessionWaits             // it can be resumed
	sessionEnds
)

// A next is what a link does after a connection has ended.
type next struct {
	do   nextStep
	err  *pam.Error        // why it waits or stops
	wait time.Duration     // until the next attempt
	at   hostmeta.Endpoint // the endpoint to which the server redirects
}

type nextStep uint8

const (
	stop   nextStep = iota // because the program does not want to be connected
	fail                   // because no attempt can succeed
	retry                  // after a wait
	rest                   // until wake or connect
	redial                 // at once, because Connect was called while the connection was closing
	follow                 // the redirect, at once
)

// ended decides what happens to the session of c, and whether the link reconnects. A
// nil cause means that the program asked for the end.
func (l *link) ended(c *connection, cause *stream.Error) {
	if c.bound && time.Since(c.since) >= stableAfter {
		l.setAttempt(0)
		l.endpoints.followed = 0
	}
	down := connectionDown{bound: c.bound, lastReceived: c.lastReceived, replies: c.closeWaiters, session: sessionWaits}
	switch {
	case cause == nil:
		down.session = sessionEnds
	case !c.bound && (cause.Code == stream.CodeTransport || cause.Code == stream.CodeTimeout || cause.SeeOther != ""):
		// An attempt failed or was redirected. A suspended session can still be resumed.
	case !c.bound:
		down.session = sessionEnds // The session itself may be the cause of the error.
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
		down.session = sessionEnds // The session will not be resumed, but one of an earlier run may be.
	}
	if down.session == sessionEnds {
		l.suspended = nil
	}
	l.report(down)
}

// endSearch ends the attempts while there is no connection. A nil error means that the
// program asked for the end.
func (l *link) endSearch(err *pam.Error, replies ...func(error)) {
	down := connectionDown{replies: replies}
	if err != nil {
		down.next = l.afterFailure(err)
	}
	if l.suspended != nil && (down.next.do == fail || down.next.do == stop && !l.suspended.Stored) {
		l.suspended, down.session = nil, sessionEnds
	}
	l.report(down)
}

// afterFailure decides whether another attempt follows one that failed, or a
// connection that was lost.
func (l *link) afterFailure(err *pam.Error) next {
	if !l.wanted {
		return next{do: stop}
	}
	if l.frozen {
		return next{do: rest, err: err}
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

// proceed carries out the decided step, after all parts have handled connectionDown.
func (l *link) proceed(down connectionDown) {
	switch n := down.next; n.do {
	case stop:
		l.view.setPhase(pam.PhaseOffline, nil)
		l.answerConnect(errDisconnected())
	case fail:
		l.view.setPhase(pam.PhaseFailed, n.err)
		l.answerConnect(n.err)
	case retry, rest:
		if n.do == retry {
			l.view.setNextAttempt(time.Now().Add(n.wait))
			l.retry = l.after(n.wait, l.dial)
		}
		l.view.setPhase(pam.PhaseWaiting, n.err)
		l.answerConnect(n.err)
	case redial:
		l.report(dialWanted{})
	case follow:
		if c := l.begin(); c != nil {
			c.open(n.at)
		}
	}
	for _, reply := range down.replies {
		reply(nil)
	}
}

// backoff returns a random delay before the next attempt (full jitter). A slow delay is
// at least half of the maximum; it is for errors that only the server's administrator
// can correct.
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

// mayRedirect reports whether the link may follow a redirect from c. If the policy is
// never to reconnect, it follows redirects only before a session is bound, where they
// are part of connecting.
func (l *link) mayRedirect(c *connection) bool { return l.wanted && !(c.bound && l.cfg.Policy.Off) }

// redirect decides whether to follow a redirect of the server at c (RFC 7395 §3.6.1,
// see-other-uri). If it does not, the link retries at the ordinary endpoint.
//
// It follows redirects before authentication and in a session alike; servers use the
// latter to move their sessions before a shutdown. Both are safe: the new endpoint is
// encrypted if the old one is, its certificate is verified for the host of the old
// endpoint or for one that the program trusts, and the client authenticates there from
// the start.
//
// see-other-host (RFC 6120 §4.9.3.19) names a host and port for TCP and is not
// followed: the client reconnects as after any other stream error.
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
