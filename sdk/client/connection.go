package client

import (
	"context"
	"errors"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport"
)

// A connection is one socket and the stream on it. Work that other goroutines
// post for it is ignored once it is not the owner's connection any more. What
// outlives it, because the session may go on with another connection, is in
// the owner's session.
type connection struct {
	o      *owner
	ctx    context.Context
	cancel context.CancelFunc
	at     hostmeta.Endpoint // zero until it is known
	socket transport.Conn    // nil while dialing
	free   func() bool       // stops the closing of socket with ctx
	stream *stream.Stream
	timer  *timer

	inputs   []stream.Input // waiting while the outputs of another are carried out
	stepping bool

	asking  bool          // for credentials
	bound   bool          // there is a session, new or resumed
	heard   time.Time     // when the last message came
	since   time.Time     // when it was bound
	leaving []func(error) // waiters of disconnect
	deaf    *timer        // runs since a message could not be sent
}

// open dials, and begins the stream.
func (c *connection) open(at hostmeta.Endpoint) {
	o := c.o
	c.at = at
	go func() {
		dialing, stop := context.WithTimeout(c.ctx, dialTimeout)
		defer stop()
		socket, err := o.opts.Dialer.Dial(dialing, at.URL)
		if err == nil {
			// Whether or not the owner ever gets to see it.
			c.free = context.AfterFunc(c.ctx, func() { _ = socket.Close() })
		}
		c.post(func() {
			if err != nil {
				c.end(&stream.Error{Code: stream.CodeTransport, Retry: true, Err: err,
					Text: "The server at " + at.String() + " cannot be reached as XMPP over WebSocket: " + err.Error()})
				return
			}
			c.socket = socket
			o.setPhase(pam.PhaseAuthenticating, nil)
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
			if len(messages) > 0 {
				c.heard = time.Now()
			}
			for _, m := range messages {
				c.step(stream.Message{Text: m})
				if c.o.conn != c {
					return
				}
			}
			switch {
			case transport.TooLarge(err):
				c.end(&stream.Error{Code: stream.Code(pam.CodeTooLarge), Retry: true, Err: err, Text: c.o.tooLarge()})
			case err != nil:
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

// step feeds the stream and carries out what it asks for. An input that comes
// up meanwhile waits until that is done, so that messages leave in the order
// in which the stream counts them.
func (c *connection) step(in stream.Input) {
	c.inputs = append(c.inputs, in)
	if c.stepping {
		return
	}
	c.stepping = true
	for len(c.inputs) > 0 && c.o.conn == c {
		next := c.inputs[0]
		c.inputs = c.inputs[1:]
		for _, out := range c.stream.Step(time.Now(), next) {
			if c.o.conn != c {
				return
			}
			c.perform(out)
		}
	}
	c.stepping = false
	c.o.saveSession()
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
		c.o.rejected = false
		c.o.sync.mechanism = out.Mechanism // It is stored once the session is live.
	case stream.Bound:
		c.begun()
		c.o.startSession(out.JID.String())
	case stream.Resumed:
		c.begun()
		c.o.resumeSession(out.JID.String())
	case stream.Deliver:
		c.deliver(out.Stanza)
	case stream.Dropped:
		c.o.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Err: out.Err, Retryable: true,
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
	c.deaf = c.o.after(lastWords, func() {
		c.end(&stream.Error{Code: stream.CodeTransport, Retry: true, Err: err, Text: "Sending failed: " + err.Error()})
	})
}

func (c *connection) setTimer(at time.Time) {
	c.timer.stop()
	c.timer = nil
	if !at.IsZero() {
		c.timer = c.o.after(time.Until(at), func() { c.step(stream.Tick{}) })
	}
}

// hurry gives the dialing a few seconds more: what was begun before a sleep may
// have nobody at the other end.
func (c *connection) hurry() {
	if c.timer != nil {
		return
	}
	c.timer = c.o.after(wakeTimeout, func() {
		if c.socket == nil {
			c.end(&stream.Error{Code: stream.CodeTransport, Retry: true,
				Text: "The server did not take the connection in time."})
		}
	})
}

func (c *connection) needCredentials(need stream.NeedCredentials) {
	request := CredentialRequest{Reason: "initial", Mechanisms: need.Mechanisms}
	switch {
	case c.o.rejected:
		request.Reason = "rejected"
	case c.o.attempt > 1 || c.o.source == pam.SourceServer:
		request.Reason = "reconnect"
	}
	c.asking = true
	c.o.asking(true)
	go func() {
		got, err := c.o.opts.Credentials(c.ctx, request)
		c.post(func() {
			c.asking = false
			c.o.asking(false)
			c.step(stream.Credentials{Password: got.Password, Err: err})
		})
	}()
}

// derive computes the key of the log-in, and ends with the connection.
func (c *connection) derive(d sasl.Derivation) {
	go func() {
		ctx, cancel := context.WithTimeout(c.ctx, deriveTimeout)
		defer cancel()
		key, err := c.o.opts.Derive(ctx, Derivation(d))
		c.post(func() { c.step(stream.Derived{Key: key, Err: err}) })
	}()
}

// begun notes that the connection carries a session.
func (c *connection) begun() {
	c.bound, c.since = true, time.Now()
	c.o.places.avoid = ""
}

// usable tells whether requests can be sent: the session is bound, and nobody
// has asked to end it.
func (c *connection) usable() bool { return c != nil && c.bound && len(c.leaving) == 0 }

// send sends a stanza in a bound session.
func (c *connection) send(stanza *element.Element) { c.step(stream.Send{Stanza: stanza}) }

// hangup frees the socket and all that belongs to it.
func (c *connection) hangup() {
	c.timer.stop()
	c.deaf.stop()
	if c.socket != nil && c.free() { // else it is being closed already
		_ = c.socket.Close()
	}
	c.cancel()
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
	o.lost(c, cause)
	if c.bound && time.Since(c.since) >= stableAfter {
		o.attempt, o.places.followed = 0, 0
	}
	switch {
	case cause != nil && cause.SeeOther != "" && o.goesOn(c):
		o.follow(c, cause.SeeOther)
	case cause != nil:
		o.failedAt(c)
		o.ended(streamError(cause))
	case o.wanted: // somebody connected again while this one was leaving
		o.connectLoaded()
	default:
		o.ended(nil)
	}
	for _, reply := range c.leaving {
		reply(nil)
	}
}

// streamError turns the stream's error into this package's.
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
