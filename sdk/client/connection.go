package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/stream"
	"xmpp-pam/sdk/transport"
)

// A connection is one socket and the stream on it. Work that other goroutines
// post for it is ignored once it is not the owner's connection any more.
type connection struct {
	o      *owner
	ctx    context.Context
	cancel context.CancelFunc
	socket transport.Conn // nil while dialing
	stream *stream.Stream
	timer  *time.Timer

	bound     bool
	fullJID   string
	heard     time.Time        // when the last message came
	since     time.Time        // when it was bound
	leaving   []func(error)    // waiters of disconnect
	support   support          // what disco said about PAM
	deaf      *time.Timer      // runs since a message could not be sent
	sessionOf *sessionProgress // set once bound
}

// connect dials, unless a connection is there already. One that is leaving is
// followed by another.
func (o *owner) connect(w *waiter) {
	switch {
	case w.gone:
		return
	case o.wanted && o.state.Phase == PhaseLive:
		w.reply(nil)
		return
	}
	if !o.wanted || o.conn == nil {
		o.attempt = 0
	}
	o.wanted = true
	o.waiters = append(o.waiters, w)
	o.load(func(error) {
		if o.wanted && o.conn == nil {
			o.dial()
		}
	})
}

// giveUp ends one call of connect. The last one to wait takes the client
// offline again, unless it is live.
func (o *owner) giveUp(w *waiter) {
	w.gone = true
	waited := len(o.waiters)
	o.waiters = slices.DeleteFunc(o.waiters, func(x *waiter) bool { return x == w })
	if waited > 0 && len(o.waiters) == 0 && o.state.Phase != PhaseLive {
		o.disconnect(nil)
	}
}

// wake ends a wait between attempts.
func (o *owner) wake() {
	if o.retry != nil {
		o.dial()
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
	if reply == nil {
		reply = func(error) {}
	}
	o.wanted = false
	o.stopRetry()
	if o.conn == nil {
		o.ended(nil)
		reply(nil)
		return
	}
	o.answerWaiters(clientError(CodeAborted, "The client was disconnected while it connected."))
	o.conn.leaving = append(o.conn.leaving, reply)
	if o.conn.socket == nil {
		o.conn.end(nil)
		return
	}
	o.conn.step(stream.Close{})
}

func (o *owner) dial() {
	o.stopRetry()
	o.attempt++
	ctx, cancel := context.WithCancel(o.c.ctx)
	c := &connection{o: o, ctx: ctx, cancel: cancel}
	s, err := stream.New(stream.Config{
		Account: o.account, Resource: o.opts.Resource, Private: o.private,
		Mechanisms: o.opts.Mechanisms, Nonce: randomID, ID: randomID,
	})
	if err != nil {
		cancel()
		o.ended(&Error{Code: CodeBadOptions, Origin: FromClient, Text: err.Error(), Err: err})
		return
	}
	c.stream = s
	o.conn = c
	o.setPhase(PhaseConnecting, nil)
	go func() {
		dialing, stop := context.WithTimeout(ctx, dialTimeout)
		defer stop()
		socket, err := o.opts.Dialer.Dial(dialing, o.opts.URL)
		if err == nil {
			// Whether or not the owner ever gets to see it.
			context.AfterFunc(ctx, func() { _ = socket.Close() })
		}
		c.post(func() {
			if err != nil {
				c.end(&stream.Error{Code: stream.CodeTransport, Retry: true, Err: err,
					Text: "The server at " + o.opts.URL + " cannot be reached as XMPP over WebSocket: " + err.Error()})
				return
			}
			c.socket = socket
			o.setPhase(PhaseAuthenticating, nil)
			go c.receive(socket)
			c.step(stream.Opened{})
		})
	}()
}

// receive reads the socket until it ends.
func (c *connection) receive(socket transport.Conn) {
	for {
		messages, err := socket.Receive(c.ctx)
		c.post(func() {
			c.heard = time.Now()
			for _, m := range messages {
				c.inspect(false, m, !c.bound && proves(m))
				c.step(stream.Message{Text: m})
				if c.o.conn != c {
					return
				}
			}
			if err != nil {
				c.step(stream.Closed{Err: err})
			}
		})
		if err != nil {
			return
		}
	}
}

// post runs work on the owner's goroutine if c is still its connection then.
func (c *connection) post(work func()) {
	c.o.c.post(func() {
		if c.o.conn == c {
			work()
		}
	})
}

func (c *connection) step(in stream.Input) {
	for _, out := range c.stream.Step(time.Now(), in) {
		if c.o.conn != c {
			return
		}
		c.perform(out)
	}
}

func (c *connection) perform(out stream.Output) {
	switch out := out.(type) {
	case stream.Write:
		c.inspect(true, out.Text, out.Secret)
		if err := c.socket.Send(out.Text); err != nil {
			c.unsent(err)
		}
	case stream.NeedCredentials:
		c.needCredentials(out)
	case stream.Bound:
		c.bound, c.fullJID, c.since = true, out.JID.String(), time.Now()
		c.o.rejected = false
		c.startSession()
	case stream.Deliver:
		c.deliver(out.Stanza)
	case stream.Dropped:
		c.o.warn(&Error{Code: CodeProtocol, Origin: FromNetwork, Err: out.Err, Retryable: true,
			Text: "A message was ignored: " + out.Err.Error()})
	case stream.SetTimer:
		c.setTimer(out.At)
	case stream.Hangup:
		c.end(out.Err)
	}
}

// unsent ends the connection after a message could not be sent, but not at
// once: the server may have said why it left, and that counts more.
func (c *connection) unsent(err error) {
	if c.deaf != nil {
		return
	}
	c.deaf = time.AfterFunc(lastWords, func() {
		c.post(func() {
			c.end(&stream.Error{Code: stream.CodeTransport, Retry: true, Err: err, Text: "Sending failed: " + err.Error()})
		})
	})
}

func (c *connection) setTimer(at time.Time) {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if at.IsZero() {
		return
	}
	c.timer = time.AfterFunc(time.Until(at), func() {
		c.post(func() { c.step(stream.Tick{}) })
	})
}

func (c *connection) needCredentials(need stream.NeedCredentials) {
	request := CredentialRequest{Reason: "initial", Mechanisms: need.Mechanisms}
	switch {
	case c.o.rejected:
		request.Reason = "rejected"
	case c.o.attempt > 1 || c.o.source == SourceServer:
		request.Reason = "reconnect"
	}
	go func() {
		got, err := c.o.opts.Credentials(c.ctx, request)
		c.post(func() { c.step(stream.Credentials{Password: got.Password, Err: err}) })
	}()
}

// usable tells whether requests can be sent: the session is bound, and nobody
// has asked to end it.
func (c *connection) usable() bool { return c != nil && c.bound && len(c.leaving) == 0 }

// send sends a stanza in a bound session.
func (c *connection) send(stanza *element.Element) { c.step(stream.Send{Stanza: stanza}) }

// hangup frees the socket and all that belongs to it.
func (c *connection) hangup() {
	c.cancel()
	for _, t := range []*time.Timer{c.timer, c.deaf} {
		if t != nil {
			t.Stop()
		}
	}
	if c.socket != nil {
		_ = c.socket.Close()
	}
}

// end is called once, when the connection is over. A nil cause is an end that
// was asked for.
func (c *connection) end(cause *stream.Error) {
	o := c.o
	if o.conn != c {
		return
	}
	c.hangup()
	o.conn = nil
	o.sessionEnded(c.heard)
	if c.bound && time.Since(c.since) >= stableAfter {
		o.attempt = 0
	}
	switch {
	case cause != nil:
		o.ended(streamError(cause))
	case o.wanted: // somebody connected again while this one was leaving
		o.dial()
	default:
		o.ended(nil)
	}
	for _, reply := range c.leaving {
		reply(nil)
	}
}

// ended decides what comes after a connection.
func (o *owner) ended(err *Error) {
	if !o.wanted || err == nil {
		o.setPhase(PhaseOffline, nil)
		o.answerWaiters(clientError(CodeAborted, "The client was disconnected while it connected."))
		return
	}
	if err.Code == CodeAuth && !err.Retryable {
		o.rejected = true
	}
	again := err.Retryable && !o.policy.Off && (o.policy.MaxAttempts == 0 || o.attempt < o.policy.MaxAttempts)
	if !again {
		o.wanted = false
		o.setPhase(PhaseFailed, err)
		o.answerWaiters(err)
		return
	}
	wait := o.backoff()
	o.state.NextAttempt = time.Now().Add(wait)
	o.setPhase(PhaseWaiting, err)
	var retry *time.Timer
	retry = time.AfterFunc(wait, func() {
		o.c.post(func() {
			if o.retry == retry { // and not a later one
				o.dial()
			}
		})
	})
	o.retry = retry
	o.answerWaiters(err)
}

// backoff draws the wait before the next attempt: full jitter.
func (o *owner) backoff() time.Duration {
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
	if o.retry != nil {
		o.retry.Stop()
		o.retry = nil
	}
	o.state.NextAttempt = time.Time{}
}

func (o *owner) answerWaiters(err error) {
	waiters := o.waiters
	o.waiters = nil
	for _, w := range waiters {
		w.reply(err)
	}
}

func (o *owner) setPhase(p Phase, err *Error) {
	o.state.Phase, o.state.Err = p, err
	if p != PhaseLive {
		o.state.Missing = nil
	}
	o.publish()
}

// inspect shows a message to the inspector.
func (c *connection) inspect(out bool, xml string, secret bool) {
	if c.o.opts.OnFrame == nil {
		return
	}
	if secret {
		xml = redact(xml)
	}
	c.o.opts.OnFrame(Frame{At: time.Now(), Out: out, XML: xml})
}

// proves tells whether a message of a log-in lets somebody who reads it guess
// the password at leisure: a SCRAM challenge or the server's proof.
func proves(xml string) bool {
	return strings.HasPrefix(xml, "<challenge") || strings.HasPrefix(xml, "<success")
}

// redact empties the one element that a message is, and keeps it well-formed.
func redact(xml string) string {
	end := strings.IndexByte(xml, '>')
	if end < 1 || xml[0] != '<' {
		return "…"
	}
	if xml[end-1] == '/' {
		return xml[:end+1]
	}
	name, _, _ := strings.Cut(xml[1:end], " ")
	return xml[:end+1] + "…</" + name + ">"
}

// streamError turns the stream's error into this package's.
func streamError(e *stream.Error) *Error {
	out := &Error{Code: Code(e.Code), Origin: FromServer, Condition: e.Condition, Text: e.Text, Retryable: e.Retry, Err: e.Err}
	switch e.Code {
	case stream.CodeTransport, stream.CodeTimeout:
		out.Origin = FromNetwork
	case stream.CodeAborted, stream.CodeTLSRequired:
		out.Origin = FromClient
	}
	var own *Error
	if errors.As(e.Err, &own) {
		return own
	}
	return out
}
