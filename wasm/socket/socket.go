//go:build js && wasm

// Package socket implements [transport.Dialer] with the browser's WebSocket.
//
// Its JavaScript half is socket.js, which collects the messages of one turn of the
// event loop and calls Go once for all of them.
package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/transport"
)

// subprotocol is the one that RFC 7395 §3.1 registers.
const subprotocol = "xmpp"

// maxWaiting is how many bytes may wait for Receive. A browser accepts messages
// without limit, so this limit bounds memory.
const maxWaiting = 2 * transport.MaxMessage

// keptBuffer is the largest buffer that is kept for further batches.
const keptBuffer = 1 << 18

// codeRefused tells the server that the client does not accept its message. Of the
// codes below 3000, browsers send only 1000, so it cannot be 1008 (RFC 6455 §7.4.1).
const codeRefused = 4008

// errBlocked is the error if the browser blocks a connection without a reason.
var errBlocked = errors.New("the browser blocked it before anything was sent; allow the address in connect-src of the " +
	"page's (or the worker script's) Content-Security-Policy, and use wss: on a page loaded over https: (mixed content)")

var errClosed = errors.New("socket: the connection was closed here; dial again")

// A Dialer opens the browser's WebSockets. It works on a page and in a worker.
type Dialer struct {
	host safejs.Value
}

// New returns a Dialer that uses host.openSocket, the function that socket.js
// exports.
//
// A browser does not report why a connection failed: an unreachable server, a bad
// certificate, an answer that is not WebSocket and, except in Chromium, a connection
// that the page's Content-Security-Policy forbids all give the same error. A browser
// does not limit what arrives either: if more than 64 MiB wait for Receive, the
// Dialer's connection ends.
func New(host safejs.Value) Dialer { return Dialer{host: host} }

// Dial implements [transport.Dialer].
func (d Dialer) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	where := transport.Show(url)
	if !strings.HasPrefix(url, "ws://") && !strings.HasPrefix(url, "wss://") {
		return nil, fmt.Errorf("socket: %q is not a WebSocket address: it must start with wss:// or ws://", where)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("socket: connecting to %s: %w", where, err)
	}
	c := &conn{
		opened:  make(chan string, 1),
		arrived: arrived,
		done:    make(chan struct{}),
	}
	if err := c.open(d.host, url); err != nil {
		return nil, fmt.Errorf("socket: cannot connect to %s: %w", where, err)
	}
	select {
	case agreed := <-c.opened:
		if agreed != subprotocol {
			c.Close()
			return nil, fmt.Errorf("socket: the server at %s did not agree to the subprotocol %q; is this its XMPP over WebSocket address?", where, subprotocol)
		}
		return c, nil
	case <-c.done:
		if errors.Is(c.err, errBlocked) {
			return nil, fmt.Errorf("socket: cannot connect to %s: %w", where, c.err)
		}
		return nil, fmt.Errorf("socket: cannot connect to %s: the browser does not say why; check that the server runs and is reachable, "+
			"that its certificate is valid, that it speaks XMPP over WebSocket at this address, that the page's "+
			"Content-Security-Policy (connect-src) allows it, and that a page loaded over https: uses wss: (mixed content): %w", where, c.err)
	case <-ctx.Done():
		c.Close()
		return nil, fmt.Errorf("socket: connecting to %s: %w", where, ctx.Err())
	}
}

// A conn is one WebSocket. The callbacks run on the browser's event loop and
// never wait; neither JavaScript nor arrived is called while mu is held, because
// both may call back.
type conn struct {
	handle    safejs.Value
	callbacks []safejs.Func
	opened    chan string   // receives the subprotocol, once
	arrived   func()        // called when messages or err has changed
	done      chan struct{} // closed when err is set
	buffer    []byte        // of copyBatch

	mu       sync.Mutex
	messages []string
	waiting  int // bytes in messages
	err      error
}

// open starts connecting. After an error it has released everything.
func (c *conn) open(host safejs.Value, url string) error {
	args := []any{url, subprotocol, transport.MaxMessage, transport.MaxQueued}
	for _, callback := range []func([]safejs.Value){c.onOpen, c.onBatch, c.onClose} {
		f, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
			callback(args)
			return nil
		})
		if err != nil {
			c.end(err, 0)
			return err
		}
		c.callbacks = append(c.callbacks, f)
		args = append(args, f)
	}
	handle, err := host.Call("openSocket", args...)
	if err == nil {
		var refusal safejs.Value
		if refusal, err = handle.Get("error"); err == nil && !refusal.IsUndefined() {
			err = refused(text(refusal))
		}
	}
	if err != nil {
		c.end(err, 0)
		return err
	}
	c.handle = handle
	return nil
}

// refused returns the error for an exception that the browser's constructor threw. It
// leaves out the message, because that contains the URL, which may contain a secret.
func refused(exception string) error {
	switch name, _, _ := strings.Cut(exception, ":"); name {
	case "SyntaxError":
		return errors.New("the browser does not accept this as a WebSocket address")
	case "SecurityError":
		return errors.New("the browser forbids it; a page loaded over https: needs a wss: address")
	default:
		return fmt.Errorf("the browser refuses it (%s)", name)
	}
}

// Receive implements [transport.Conn].
func (c *conn) Receive() ([]string, error) {
	c.mu.Lock()
	messages, err := c.messages, c.err
	c.messages, c.waiting = nil, 0
	c.mu.Unlock()
	if len(messages) > 0 {
		return messages, nil
	}
	return nil, err
}

// Send implements [transport.Conn].
func (c *conn) Send(message string) error {
	c.mu.Lock()
	err := c.err
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("socket: not sent: %w", err)
	}
	verdict, err := c.handle.Call("send", message)
	if err != nil {
		return fmt.Errorf("socket: not sent: %w", err)
	}
	switch text(verdict) {
	case "":
		return nil
	case "full":
		return fmt.Errorf("socket: not sent: more than %d bytes wait to be sent; the connection is too slow or dead, close it and dial again", transport.MaxQueued)
	default:
		return errors.New("socket: not sent: the connection is closing; dial again")
	}
}

// Close implements [transport.Conn]. Messages that Go already has can still be
// received. The browser completes the closing handshake by itself.
func (c *conn) Close() error {
	c.end(errClosed, 1000)
	return nil
}

func (c *conn) onOpen(args []safejs.Value) {
	c.opened <- text(args[0])
}

func (c *conn) onBatch(args []safejs.Value) {
	batch, err := c.copyBatch(args[0])
	if err != nil {
		c.end(fmt.Errorf("socket: a message could not be taken from the browser: %w", err), codeRefused)
		return
	}
	var messages []string // a string for each, so that one retained message does not retain the batch
	if single, err := args[1].Bool(); err != nil || single {
		messages = []string{string(batch)}
	} else {
		messages = make([]string, 0, 1+bytes.Count(batch, separator))
		for m := range bytes.SplitSeq(batch, separator) {
			messages = append(messages, string(m))
		}
	}
	for i, m := range messages {
		if len(m) > transport.MaxMessage { // socket.js counts UTF-16 units, not bytes
			c.take(messages[:i])
			c.end(&transport.CloseError{Code: 1009, Reason: transport.ReasonTooLarge}, codeRefused)
			return
		}
	}
	if c.take(messages) > maxWaiting {
		c.end(fmt.Errorf("socket: more than %d bytes wait to be received; receive faster, or ask the server for less", maxWaiting), codeRefused)
	}
}

var separator = []byte{0}

// copyBatch returns the bytes of a batch, until the next call.
func (c *conn) copyBatch(batch safejs.Value) ([]byte, error) {
	size, err := batch.Length()
	if err != nil {
		return nil, err
	}
	buffer := c.buffer
	if size > len(buffer) {
		buffer = make([]byte, size)
	}
	if size <= keptBuffer {
		c.buffer = buffer
	}
	n, err := safejs.CopyBytesToGo(buffer, batch)
	return buffer[:n], err
}

func (c *conn) onClose(args []safejs.Value) {
	code, err := args[0].Int()
	if err != nil {
		code = 1006
	}
	if code == 0 {
		c.end(errBlocked, 0)
		return
	}
	c.end(&transport.CloseError{Code: code, Reason: text(args[1])}, 0)
}

// take appends messages to those that wait, and returns the number of bytes that wait.
func (c *conn) take(messages []string) int {
	c.mu.Lock()
	if c.messages == nil {
		c.messages = messages
	} else {
		c.messages = append(c.messages, messages...)
	}
	for _, m := range messages {
		c.waiting += len(m)
	}
	waiting := c.waiting
	c.mu.Unlock()
	c.arrived()
	return waiting
}

// end ends the connection because of err, unless it has ended already. It closes
// the socket with code; code 0 means that the socket is already closed.
func (c *conn) end(err error, code int) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
		close(c.done)
	}
	c.mu.Unlock()
	if !first {
		return
	}
	c.arrived()
	if code != 0 {
		// The only possible error is a code that browsers do not send.
		_, _ = c.handle.Call("close", code, "")
	}
	// JavaScript does not call them any more.
	for _, f := range c.callbacks {
		f.Release()
	}
}

// text returns v as a string, or "" if v is not a string.
func text(v safejs.Value) string {
	if v.Type() != safejs.TypeString {
		return ""
	}
	s, err := v.String()
	if err != nil {
		return ""
	}
	return s
}
