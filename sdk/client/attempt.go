package client

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// connect dials, unless a connection is there already. One that is leaving is
// followed by another.
func (o *owner) connect(w *waiter) {
	switch {
	case w.gone:
		return
	case o.wanted && o.live():
		w.reply(nil)
		return
	}
	if !o.wanted || o.conn == nil {
		o.attempt = 0
	}
	o.wanted = true
	o.waiters = append(o.waiters, w)
	w.time.left = connectTimeout
	if o.conn == nil || !o.conn.asking {
		w.time.run(o, func() { o.late(w) })
	}
	o.connectLoaded()
}

// connectLoaded dials once the store has been read, or emptied, if that is still
// wanted then.
func (o *owner) connectLoaded() {
	o.load(func(error) {
		if o.wanted && o.conn == nil {
			o.dial()
		}
	})
}

// asking stops the time of all calls of connect, or lets it run again: what
// Credentials takes does not count, because a person may be typing.
func (o *owner) asking(yes bool) {
	for _, w := range o.waiters {
		if yes {
			w.time.pause()
		} else {
			w.time.run(o, func() { o.late(w) })
		}
	}
}

// late ends the wait of one call of connect that has lasted too long.
func (o *owner) late(w *waiter) {
	o.giveUp(w)
	w.reply(&pam.Error{Code: pam.CodeTimeout, Origin: pam.FromNetwork, Retryable: true,
		Text: "The client was not live within " + connectTimeout.String() + ". It goes on trying."})
}

// giveUp ends the wait of one call of connect, and that alone.
func (o *owner) giveUp(w *waiter) {
	w.gone = true
	w.time.timer.stop()
	o.waiters = slices.DeleteFunc(o.waiters, func(x *waiter) bool { return x == w })
}

// live tells whether the session is live, and nobody has asked to end it.
func (o *owner) live() bool { return o.state.Phase == pam.PhaseLive && o.conn.usable() }

// wake ends a wait between attempts, and asks a connection for a sign of life.
func (o *owner) wake() {
	if o.retry != nil {
		o.dial()
		return
	}
	switch c := o.conn; {
	case c == nil || len(c.leaving) > 0:
	case c.socket == nil:
		c.hurry()
	default:
		c.step(stream.Probe{})
	}
}

// drop cuts the socket.
func (o *owner) drop() {
	if o.conn != nil {
		o.conn.end(&stream.Error{Code: stream.CodeTransport, Text: "The connection was dropped on request.", Retry: true})
	}
}

// disconnect ends the session in order, or stops trying to have one.
func (o *owner) disconnect(reply func(error)) {
	o.wanted = false
	o.stopRetry()
	if o.conn == nil {
		o.ended(nil)
		reply(nil)
		return
	}
	o.answerWaiters(clientError(pam.CodeAborted, "The client was disconnected while it connected."))
	o.conn.leaving = append(o.conn.leaving, reply)
	if o.conn.socket == nil {
		o.conn.end(nil)
		return
	}
	o.conn.step(stream.Close{})
}

// dial begins an attempt at the ordinary address, or where the session to go on
// with would like to be.
func (o *owner) dial() {
	o.places.followed = 0
	if c := o.begin(); c != nil {
		o.locate(c)
	}
}

// begin begins an attempt whose address is still to be told: see open. It
// returns nil if there cannot be one.
func (o *owner) begin() *connection {
	o.stopRetry()
	o.attempt++
	ctx, cancel := context.WithCancel(o.c.ctx)
	c := &connection{o: o, ctx: ctx, cancel: cancel}
	s, err := stream.New(stream.Config{
		Account: o.account, Resource: o.opts.Resource,
		Private:    true, // as every hostmeta.Endpoint is
		Mechanisms: o.opts.Mechanisms, Used: o.sync.mechanism, Nonce: randomID, ID: randomID,
		Resume: o.suspended, Unstored: o.opts.Tab == "",
		Inspect: o.opts.OnFrame != nil,
	})
	if err != nil {
		cancel()
		o.ended(&pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient, Text: err.Error(), Err: err})
		return nil
	}
	c.stream = s
	o.conn = c
	o.setPhase(pam.PhaseConnecting, nil)
	return c
}

// ended decides what comes after a connection.
func (o *owner) ended(err *pam.Error) {
	if !o.wanted || err == nil {
		if o.restored == nil { // One of an earlier run that was never gone on with may be yet.
			o.forgetSession()
		}
		o.setPhase(pam.PhaseOffline, nil)
		o.answerWaiters(clientError(pam.CodeAborted, "The client was disconnected while it connected."))
		return
	}
	if isRefused(err) {
		o.rejected = true
	}
	slow := o.wasLive && !err.Retryable && !isFinal(err)
	if slow {
		later := *err
		later.Retryable = true
		err = &later
	}
	again := err.Retryable && !o.policy.Off && (o.policy.MaxAttempts == 0 || o.attempt < o.policy.MaxAttempts)
	if !again {
		o.wanted = false
		o.forgetSession()
		o.setPhase(pam.PhaseFailed, err)
		o.answerWaiters(err)
		return
	}
	wait := o.backoff(slow)
	if err.Code != pam.CodeTooLarge {
		o.oversized = 0
	} else if o.oversized++; o.oversized > 1 {
		wait = max(wait, oversizedWait)
	}
	o.state.NextAttempt = time.Now().Add(wait)
	o.setPhase(pam.PhaseWaiting, err)
	o.retry = o.after(wait, o.dial)
	o.answerWaiters(err)
}

// backoff draws the wait before the next attempt: full jitter. A slow one is for
// what only a person at the server can change, and at least half of the longest.
func (o *owner) backoff(slow bool) time.Duration {
	if half := o.policy.Max / 2; slow && !o.policy.NoJitter {
		return half + time.Duration(rand.Int64N(int64(half)+1))
	} else if slow {
		return o.policy.Max
	}
	limit := min(o.policy.Base, o.policy.Max)
	for range o.attempt - 1 {
		if limit > o.policy.Max/2 {
			limit = o.policy.Max
			break
		}
		limit *= 2
	}
	if o.policy.NoJitter {
		return limit
	}
	return time.Duration(rand.Int64N(int64(limit)))
}

func (o *owner) stopRetry() {
	o.retry.stop()
	o.retry = nil
	o.state.NextAttempt = time.Time{}
}

func (o *owner) answerWaiters(err error) {
	waiters := o.waiters
	o.waiters = nil
	for _, w := range waiters {
		w.time.timer.stop()
		w.reply(err)
	}
}

func (o *owner) setPhase(p pam.Phase, err *pam.Error) {
	o.state.Phase, o.state.Err = p, err
	if p != pam.PhaseLive {
		o.state.Missing = nil
	}
	o.publish()
}
