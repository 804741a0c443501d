package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport"
)

// A connection is one socket and the stream on it. Work that other goroutines
// post for it is dropped once it is no longer the link's connection.
type connection struct {
	link   *link
	ctx    context.Context
	cancel context.CancelFunc
	at     hostmeta.Endpoint // zero until it is known
	socket transport.Conn    // nil while dialing
	free   func() bool       // stops the closing of socket with ctx
	stream *stream.Stream
	timer  *timer

	received     []string      // messages taken from socket and not handled
	asking       bool          // the program has been asked for credentials
	bound        bool          // it carries a session, new or resumed
	live         bool          // the session is live
	lastReceived time.Time     // when the last message was taken from socket
	since        time.Time     // when it was bound
	closeWaiters []func(error) // of calls that asked for the end
	sendFailed   *timer        // runs since a message could not be sent
}

// open dials and starts the stream.
func (c *connection) open(at hostmeta.Endpoint) {
	c.at = at
	go func() {
		dialing, stop := context.WithTimeout(c.ctx, dialTimeout)
		defer stop()
		socket, err := c.link.cfg.Dialer.Dial(dialing, at.URL, c.link.wakeReceive)
		if err == nil {
			// The socket is closed even if the loop never sees it.
			c.free = context.AfterFunc(c.ctx, func() { _ = socket.Close() })
		}
		c.post(func() {
			if err != nil {
				c.end(&stream.Error{Code: stream.CodeTransport, Retry: true, Err: err,
					Text: "The server at " + at.String() + " cannot be reached as XMPP over WebSocket: " + err.Error()})
				return
			}
			c.socket = socket
			c.link.view.setPhase(pam.PhaseAuthenticating, nil)
			c.step(stream.Opened{})
			c.link.wakeReceive() // It may have been called before there was a socket.
		})
	}()
}

// wakeReceive has the loop call receive. It does not wait, and may be called from any
// goroutine.
func (l *link) wakeReceive() {
	select {
	case l.arrived <- struct{}{}:
	default:
	}
}

// receive handles the next message of the socket, or its end. Each message is a work
// item of its own, so that its effects are complete before the next message is handled.
func (l *link) receive() {
	c := l.conn
	if c == nil || c.socket == nil {
		return
	}
	if len(c.received) == 0 {
		l.readClock()
		messages, err := c.socket.Receive()
		switch {
		case transport.TooLarge(err):
			l.report(messageTooLarge{err})
			return
		case err != nil:
			c.step(stream.Closed{Err: err})
			return
		case len(messages) == 0:
			return
		}
		c.received, c.lastReceived = messages, l.now
	}
	message := c.received[0]
	c.received[0] = "" // so that a handled message is not kept in memory
	c.received = c.received[1:]
	l.wakeReceive()
	c.step(stream.Message{Text: message})
}

// endOversized ends a connection after a message that is too large. If a list was due,
// the message was probably the list.
func (l *link) endOversized(err error, listDue bool) {
	text := fmt.Sprintf("The server sent a message of more than %d MiB, the most that is taken.", transport.MaxMessage>>20)
	if listDue {
		text += " The list of subscriptions was due, so it is probably that long: unsubscribe with another client, or ask the server's operator."
	}
	if l.conn != nil {
		l.conn.end(&stream.Error{Code: stream.Code(pam.CodeTooLarge), Retry: true, Err: err, Text: text})
	}
}

// post runs work on the loop, unless c is no longer the link's connection then.
func (c *connection) post(work func()) {
	c.link.post(func() {
		if c.link.conn == c {
			work()
		}
	})
}

// step passes an input to the stream and carries out its outputs.
func (c *connection) step(in stream.Input) {
	for _, out := range c.stream.Step(c.link.now, in) {
		c.perform(out)
	}
	switch in.(type) {
	case stream.Saved, stream.Sleep: // They do not change what has to be stored.
	default:
		c.link.report(streamStepped{})
	}
}

func (c *connection) perform(out stream.Output) {
	switch out := out.(type) {
	case stream.Read:
		c.inspectRead(out)
	case stream.Write:
		c.inspectWrite(out)
		if err := c.socket.Send(out.Text); err != nil {
			c.unsent(err)
		}
	case stream.NeedCredentials:
		c.needCredentials(out)
	case stream.Derive:
		c.derive(out.Derivation)
	case stream.Authenticated:
		c.link.authenticated(out.Mechanism)
	case stream.Bound:
		c.markBound(sessionUp{jid: out.JID})
	case stream.Resumed:
		c.markBound(sessionUp{jid: out.JID, resumed: true, earlierRun: c.link.suspended.Stored})
	case stream.Deliver:
		c.link.report(stanzaReceived{out.Seq, out.Stanza})
	case stream.Dropped:
		c.link.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Err: out.Err, Retryable: true,
			Text: "A message was ignored: " + out.Err.Error() + "."})
	case stream.SetTimer:
		c.setTimer(out.At)
	case stream.Hangup:
		c.end(out.Err)
	}
}

// unsent ends the connection after a message could not be sent. It first waits
// sendFailureGrace, because the server may have sent the reason for closing.
func (c *connection) unsent(err error) {
	if c.sendFailed != nil {
		return
	}
	c.sendFailed = c.link.after(sendFailureGrace, func() {
		c.end(&stream.Error{Code: stream.CodeTransport, Retry: true, Err: err, Text: "Sending failed: " + err.Error()})
	})
}

func (c *connection) setTimer(at time.Time) {
	c.timer.stop()
	c.timer = nil
	if !at.IsZero() {
		c.timer = c.link.after(time.Until(at), func() { c.step(stream.Tick{}) })
	}
}

// shortenDeadline limits the remaining time for dialing to a few seconds. After the
// program was suspended, the server may no longer respond to an earlier attempt.
func (c *connection) shortenDeadline() {
	if c.timer != nil {
		return
	}
	c.timer = c.link.after(wakeTimeout, func() {
		if c.socket == nil {
			c.end(&stream.Error{Code: stream.CodeTransport, Retry: true,
				Text: "The server did not take the connection in time."})
		}
	})
}

func (c *connection) needCredentials(need stream.NeedCredentials) {
	l, reason := c.link, "initial"
	switch {
	case l.rejected:
		reason = "rejected"
	case l.attempt > 1 || l.wasLive:
		reason = "reconnect"
	}
	c.asking = true
	l.pauseConnectTime(true)
	go func() {
		password, err := l.cfg.Credentials(c.ctx, reason, need.Mechanisms)
		c.post(func() {
			c.asking = false
			l.pauseConnectTime(false)
			c.step(stream.Credentials{Password: password, Err: err})
		})
	}()
}

// derive computes the SCRAM key. It stops when the connection ends.
func (c *connection) derive(d sasl.Derivation) {
	go func() {
		ctx, cancel := context.WithTimeout(c.ctx, deriveTimeout)
		defer cancel()
		key, err := c.link.cfg.Derive(ctx, d)
		c.post(func() { c.step(stream.Derived{Key: key, Err: err}) })
	}()
}

// markBound records and reports that the connection carries a session.
func (c *connection) markBound(up sessionUp) {
	c.bound, c.since = true, time.Now()
	c.link.markBound()
	up.mechanism = c.link.mechanism
	c.link.report(up)
}

// usable reports whether requests can be sent: the session is bound, and the program
// has not asked to end it.
func (c *connection) usable() bool { return c != nil && c.bound && len(c.closeWaiters) == 0 }

// hangup releases the socket and the timers of the connection.
func (c *connection) hangup() {
	c.timer.stop()
	c.sendFailed.stop()
	if c.socket != nil && c.free() { // otherwise the socket is already being closed
		_ = c.socket.Close()
	}
	c.cancel()
}

// end is called once, when the connection has ended. A nil cause means that the
// program asked for it.
func (c *connection) end(cause *stream.Error) {
	if c.link.conn == c {
		c.hangup()
		c.link.conn = nil
		c.link.ended(c, cause)
	}
}

// streamError converts an error of package stream to a *pam.Error.
func streamError(e *stream.Error) *pam.Error {
	out := &pam.Error{Code: pam.Code(e.Code), Origin: pam.FromServer, Condition: e.Condition, Text: e.Text, Retryable: e.Retry, Err: e.Err}
	switch e.Code {
	case stream.CodeTransport, stream.CodeTimeout:
		out.Origin = pam.FromNetwork
	case stream.CodeAborted, stream.CodeTLSRequired, stream.CodeWeaker:
		out.Origin = pam.FromClient
	}
	var own *pam.Error
	if errors.As(e.Err, &own) {
		return own
	}
	return out
}
