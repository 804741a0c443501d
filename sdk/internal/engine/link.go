package engine

import (
	"context"
	"slices"
	"time"

	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// Time limits of a connection.
const (
	dialTimeout      = 20 * time.Second
	wakeTimeout      = 5 * time.Second // for the dialing, after a sleep of the program
	connectTimeout   = 2 * time.Minute // of the wait for the first attempt, redirections and all
	deriveTimeout    = time.Minute     // for the key of the log-in, which this device computes
	sendFailureGrace = time.Second     // for the server's reason, once sending fails
	stableAfter      = time.Minute     // a connection this old resets the back-off
)

// A link has a connection to the server for as long as one is wanted: it dials,
// looks the address up and follows the server elsewhere, waits between attempts,
// and offers the session of before to resume. What the stanzas mean is no matter
// to it.
type link struct {
	*loop
	cfg  *Config
	view *view
	tell func(message)

	endpoints endpoints
	conn      *connection        // nil if there is none
	suspended *stream.Resumption // the session, while no connection carries it
	frames    frameLog

	wanted    bool // the program wants to be connected
	waiters   []*connectWaiter
	attempt   int    // attempts in a row
	oversized int    // attempts in a row that a message ended that is too large
	retry     *timer // until the next attempt
	rejected  bool   // the last credentials were refused
	wasLive   bool   // the list of this account came over a connection
	mechanism string // of the last log-in; empty if none is known
}

func newLink(l *loop, cfg *Config, v *view, tell func(message)) *link {
	return &link{loop: l, cfg: cfg, view: v, tell: tell, endpoints: newEndpoints(cfg)}
}

// A connectWaiter is a call of Connect.
type connectWaiter struct {
	reply func(error)
	time  budget
}

// connect wants a connection from now on, and replies when the session is live or
// the attempt has failed. One that is leaving is followed by another. The result
// ends the wait, and that alone.
func (l *link) connect(reply func(error)) (cancel func()) {
	if l.wanted && l.conn.usable() && l.conn.live {
		reply(nil)
		return func() {}
	}
	if !l.wanted || l.conn == nil {
		l.setAttempt(0)
	}
	l.wanted = true
	w := &connectWaiter{reply: reply, time: budget{left: connectTimeout}}
	l.waiters = append(l.waiters, w)
	if l.conn == nil || !l.conn.asking {
		l.runConnectTime(w)
	}
	l.tell(dialWanted{})
	return func() { l.cancelConnect(w) }
}

func (l *link) cancelConnect(w *connectWaiter) {
	w.time.stop()
	l.waiters = slices.DeleteFunc(l.waiters, func(x *connectWaiter) bool { return x == w })
}

// runConnectTime lets the time of one call of Connect run.
func (l *link) runConnectTime(w *connectWaiter) {
	w.time.run(l.loop, func() {
		l.cancelConnect(w)
		w.reply(&pam.Error{Code: pam.CodeTimeout, Origin: pam.FromNetwork, Retryable: true,
			Text: "The client was not live within " + connectTimeout.String() + ". It goes on trying."})
	})
}

// pauseConnectTime stops the time of all calls of Connect, or lets it run again:
// what Credentials takes does not count, because a person may be typing.
func (l *link) pauseConnectTime(yes bool) {
	for _, w := range l.waiters {
		if yes {
			w.time.pause()
		} else {
			l.runConnectTime(w)
		}
	}
}

// answerConnect ends all waits of Connect.
func (l *link) answerConnect(err error) {
	waiters := l.waiters
	l.waiters = nil
	for _, w := range waiters {
		w.time.stop()
		w.reply(err)
	}
}

// markLive says that the session is live, which is what Connect waits for.
func (l *link) markLive() {
	l.wasLive = true
	if l.conn != nil {
		l.conn.live = true
	}
	l.answerConnect(nil)
}

// wake ends a wait between attempts, and asks a connection for a sign of life.
func (l *link) wake() {
	if l.retry != nil {
		l.dial()
		return
	}
	switch c := l.conn; {
	case c == nil || len(c.closeWaiters) > 0:
	case c.socket == nil:
		c.shortenDeadline()
	default:
		c.step(stream.Probe{})
	}
}

// drop cuts the socket.
func (l *link) drop() {
	if l.conn != nil {
		l.conn.end(&stream.Error{Code: stream.CodeTransport, Text: "The connection was dropped on request.", Retry: true})
	}
}

// disconnect ends the session in order, or stops trying to have one.
func (l *link) disconnect(reply func(error)) {
	l.wanted = false
	l.stopRetry()
	if l.conn == nil {
		l.endSearch(nil, reply)
		return
	}
	l.answerConnect(errDisconnected())
	l.conn.closeWaiters = append(l.conn.closeWaiters, reply)
	if l.conn.socket == nil {
		l.conn.end(nil)
		return
	}
	l.conn.step(stream.Close{})
}

func errDisconnected() *pam.Error {
	return clientError(pam.CodeAborted, "The client was disconnected while it connected.")
}

// close frees the connection, without a word.
func (l *link) close() {
	if l.conn != nil {
		l.conn.hangup()
		l.conn = nil
	}
}

// dialIfWanted dials, unless there is a connection already.
func (l *link) dialIfWanted() {
	if l.wanted && l.conn == nil {
		l.dial()
	}
}

// dial begins an attempt at the ordinary address, or where the session to resume
// would like to be.
func (l *link) dial() {
	l.endpoints.followed = 0
	if c := l.begin(); c != nil {
		l.locate(c)
	}
}

// begin begins an attempt whose address is still to be told: see open. It
// returns nil if there cannot be one.
func (l *link) begin() *connection {
	l.stopRetry()
	l.setAttempt(l.attempt + 1)
	ctx, cancel := context.WithCancel(l.ctx)
	c := &connection{link: l, ctx: ctx, cancel: cancel}
	s, err := stream.New(stream.Config{
		Account: l.cfg.Account, Resource: l.cfg.Resource,
		Encrypted:  true, // as every hostmeta.Endpoint is
		Mechanisms: l.cfg.Mechanisms, Used: l.mechanism, Nonce: randomID, ID: randomID,
		Resume: l.suspended, NoPersistence: l.cfg.Tab == "",
		Inspect: l.cfg.OnFrame != nil,
	})
	if err != nil {
		cancel()
		l.endSearch(&pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient, Text: err.Error(), Err: err})
		return nil
	}
	c.stream = s
	l.conn = c
	l.view.setPhase(pam.PhaseConnecting, nil)
	return c
}

func (l *link) setAttempt(n int) {
	l.attempt = n
	l.view.setAttempt(n)
}

func (l *link) stopRetry() {
	l.retry.stop()
	l.retry = nil
	l.view.setNextAttempt(time.Time{})
}

// usable reports whether requests can be sent: there is a session, and nobody has
// asked to end it.
func (l *link) usable() bool { return l.conn.usable() }

// bound reports whether a connection carries the session.
func (l *link) bound() bool { return l.conn != nil && l.conn.bound }

// step gives an input to the stream of a session, and reports whether there is
// one. Nothing that comes of it is called before the work under way is done.
func (l *link) step(in stream.Input) bool {
	if !l.bound() {
		return false
	}
	l.conn.step(in)
	return true
}

// authenticated notes that the credentials were taken. The mechanism is stored once
// the session is live.
func (l *link) authenticated(mechanism string) { l.rejected, l.mechanism = false, mechanism }

// markBound is for a connection that carries a session.
func (l *link) markBound() {
	l.suspended, l.endpoints.avoid = nil, ""
}

// sleep acknowledges what is stored, because the program may be stopped soon.
func (l *link) sleep() {
	if l.conn.usable() {
		l.conn.step(stream.Sleep{})
	}
}

// offer gives the link a session of an earlier run to resume.
func (l *link) offer(r *stream.Resumption) { l.suspended = r }

// restore takes the mechanism of the last log-in.
func (l *link) restore(mechanism string) { l.mechanism = mechanism }

// saved tells the stream what is stored of the session.
func (l *link) saved(h uint32) { l.step(stream.Saved{H: h}) }

// resumption is the state of the session as far as it is handled, nil if it
// cannot be resumed.
func (l *link) resumption() *stream.Resumption {
	if l.bound() {
		return l.conn.stream.Resumption()
	}
	return l.suspended
}

// dropSession gives up the session that waits, and reports whether there was one.
func (l *link) dropSession() bool {
	waited := l.suspended != nil
	l.suspended = nil
	return waited
}

// forget is for an account of which nothing is stored any more.
func (l *link) forget() { l.mechanism, l.wasLive = "", false }
