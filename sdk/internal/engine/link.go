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
	wakeTimeout      = 5 * time.Second // for dialing, after the program was suspended
	deriveTimeout    = time.Minute     // for this device to compute the SCRAM key
	sendFailureGrace = time.Second     // for the server's close reason to arrive, once sending fails
	stableAfter      = time.Minute     // a connection this old resets the back-off
)

// A link maintains a connection to the server for as long as the program wants one:
// it looks the endpoint up, dials, follows redirects, waits between attempts, and
// offers the previous session for resumption. It does not interpret stanzas.
type link struct {
	*loop
	cfg    *Config
	view   *view
	report func(message)

	endpoints endpoints
	conn      *connection        // nil if there is none
	arrived   chan struct{}      // holds a token while receive has something to do
	suspended *stream.Resumption // the session, while no connection carries it
	frames    frameLog

	wanted    bool // the program wants to be connected
	waiters   []*connectWaiter
	attempt   int    // attempts in a row
	oversized int    // attempts in a row that ended because a message was too large
	retry     *timer // until the next attempt
	frozen    bool   // no attempt follows before wake or connect
	rejected  bool   // the server refused the last credentials
	wasLive   bool   // a session of this account has been live
	mechanism string // of the last authentication; empty if unknown
}

func newLink(l *loop, cfg *Config, v *view, report func(message)) *link {
	return &link{loop: l, cfg: cfg, view: v, report: report, endpoints: newEndpoints(cfg), arrived: make(chan struct{}, 1),
		frames: frameLog{on: cfg.OnFrame != nil}}
}

// A connectWaiter is a pending call of Connect.
type connectWaiter struct {
	reply func(error)
	time  deadline
}

// connect starts connecting and reconnecting, and replies when the session is live or
// the attempt has failed. If the current connection is closing, another one follows.
// The returned function cancels the wait only.
func (l *link) connect(reply func(error)) (cancel func()) {
	if l.wanted && l.conn.usable() && l.conn.live {
		reply(nil)
		return func() {}
	}
	if !l.wanted || l.conn == nil {
		l.setAttempt(0)
	}
	l.wanted, l.frozen = true, false
	w := &connectWaiter{reply: reply, time: deadline{left: connectTimeout}}
	l.waiters = append(l.waiters, w)
	if l.conn == nil || !l.conn.asking {
		l.runConnectTime(w)
	}
	l.report(dialWanted{})
	return func() { l.cancelConnect(w) }
}

func (l *link) cancelConnect(w *connectWaiter) {
	w.time.stop()
	l.waiters = slices.DeleteFunc(l.waiters, func(x *connectWaiter) bool { return x == w })
}

// runConnectTime starts the timeout of one call of Connect.
func (l *link) runConnectTime(w *connectWaiter) {
	w.time.run(l.loop, func() {
		l.cancelConnect(w)
		w.reply(&pam.Error{Code: pam.CodeTimeout, Origin: pam.FromNetwork, Retryable: true,
			Text: "The client was not live within " + connectTimeout.String() + ". It goes on trying."})
	})
}

// pauseConnectTime pauses or continues the timeouts of all calls of Connect. The time
// that Credentials takes does not count, because a user may be typing the password.
func (l *link) pauseConnectTime(yes bool) {
	for _, w := range l.waiters {
		if yes {
			w.time.pause()
		} else {
			l.runConnectTime(w)
		}
	}
}

// answerConnect ends all pending calls of Connect.
func (l *link) answerConnect(err error) {
	waiters := l.waiters
	l.waiters = nil
	for _, w := range waiters {
		w.time.stop()
		w.reply(err)
	}
}

// markLive records that the session is live, which Connect waits for.
func (l *link) markLive() {
	l.wasLive = true
	if l.conn != nil {
		l.conn.live = true
	}
	l.answerConnect(nil)
}

// drop drops the connection without closing the stream.
func (l *link) drop() {
	if l.conn != nil {
		l.conn.end(&stream.Error{Code: stream.CodeTransport, Text: "The connection was dropped on request.", Retry: true})
	}
}

// disconnect closes the session or stops reconnecting.
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
	return ClientError(pam.CodeAborted, "The client was disconnected while it connected.")
}

// close releases the connection without closing the stream.
func (l *link) close() {
	if l.conn != nil {
		l.conn.hangup()
		l.conn = nil
	}
}

// dialIfWanted dials, unless there is a connection already or the program is frozen.
func (l *link) dialIfWanted() {
	if l.wanted && l.conn == nil && !l.frozen {
		l.dial()
	}
}

// dial starts an attempt at the ordinary endpoint, or at the location of the session
// to resume.
func (l *link) dial() {
	l.endpoints.followed = 0
	if c := l.begin(); c != nil {
		l.locate(c)
	}
}

// begin starts an attempt; open sets its endpoint. It returns nil if the stream
// cannot be created.
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
		Inspect: l.frames.on,
	})
	if err != nil {
		cancel()
		l.endSearch(&pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient, Text: "The client cannot connect with these options: " + err.Error() + ".", Err: err})
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

// usable reports whether requests can be sent: a session is bound, and the program
// has not asked to end it.
func (l *link) usable() bool { return l.conn.usable() }

// bound reports whether a connection carries the session.
func (l *link) bound() bool { return l.conn != nil && l.conn.bound }

// step passes an input to the stream of a bound session, and reports whether there is
// one. The resulting messages are handled after the current work.
func (l *link) step(in stream.Input) bool {
	if !l.bound() {
		return false
	}
	l.conn.step(in)
	return true
}

// authenticated records that the server accepted the credentials. The mechanism is
// stored once the session is live.
func (l *link) authenticated(mechanism string) { l.rejected, l.mechanism = false, mechanism }

// markBound records that the connection carries a session.
func (l *link) markBound() {
	l.suspended, l.endpoints.avoid = nil, ""
}

// offer sets the session of an earlier run to resume.
func (l *link) offer(r *stream.Resumption) { l.suspended = r }

// restore sets the mechanism of the last authentication.
func (l *link) restore(mechanism string) { l.mechanism = mechanism }

// saved tells the stream up to which stanza the session is stored.
func (l *link) saved(h uint32) { l.step(stream.Saved{H: h}) }

// resumption returns the state of the session, as far as stanzas are handled, or nil
// if it cannot be resumed.
func (l *link) resumption() *stream.Resumption {
	if l.bound() {
		return l.conn.stream.Resumption()
	}
	return l.suspended
}

// dropSession discards the suspended session, and reports whether there was one.
func (l *link) dropSession() bool {
	waited := l.suspended != nil
	l.suspended = nil
	return waited
}

// forget clears the state of the account after its stored data was removed.
func (l *link) forget() { l.mechanism, l.wasLive = "", false }
