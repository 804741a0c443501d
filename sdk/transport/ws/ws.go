//go:build !js

// Package ws connects natively, with the WebSocket library of coder. A program
// inside a browser uses the browser's own WebSocket instead.
package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"xmpp-pam/sdk/transport"
)

// subprotocol is what both sides have to agree to (RFC 7395 §3.1).
const subprotocol = "xmpp"

// farewell is how long queued messages may leave, and the other side answer, after
// Close.
const farewell = 250 * time.Millisecond

var errClosed = errors.New("ws: the connection was closed on this side")

// A Dialer opens connections over TCP or TLS. Redirects are not followed, as in
// a browser.
type Dialer struct {
	// HTTPClient makes the opening handshake; nil stands for
	// http.DefaultClient. Set one to trust other certificates or to use a
	// proxy.
	HTTPClient *http.Client
}

var _ transport.Dialer = (*Dialer)(nil)

// Dial implements transport.Dialer. Close the connection when done with it: it
// runs two goroutines until then, or until the other side ends it.
func (d *Dialer) Dial(ctx context.Context, address string) (transport.Conn, error) {
	if !strings.HasPrefix(address, "ws:") && !strings.HasPrefix(address, "wss:") {
		return nil, errors.New("ws: the address must start with ws: or wss:")
	}
	client := http.DefaultClient
	if d.HTTPClient != nil {
		client = d.HTTPClient
	}
	direct := *client
	direct.Transport = wholeMessages{client.Transport}
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	conn, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient:   &direct,
		Subprotocols: []string{subprotocol},
	})
	switch {
	case ctx.Err() != nil:
		if conn != nil {
			conn.CloseNow()
		}
		return nil, fmt.Errorf("ws: gave up connecting: %w", ctx.Err())
	case err != nil && response != nil:
		err = withoutURL(err)
		return nil, fmt.Errorf("ws: the server answered with HTTP status %s, so there is no XMPP over WebSocket at this address; check it: %w", response.Status, err)
	case err != nil:
		return nil, fmt.Errorf("ws: cannot connect: %w", withoutURL(err))
	case conn.Subprotocol() != subprotocol:
		conn.CloseNow()
		return nil, fmt.Errorf("ws: the server speaks WebSocket at this address, but does not agree to the subprotocol %q; check the address", subprotocol)
	}
	conn.SetReadLimit(transport.MaxMessage)
	return newConn(conn), nil
}

// withoutURL returns the cause of an error of net/http or net/url, whose text holds
// the whole URL, in which there may be a secret.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// A conn has one goroutine that reads, so that what has arrived is safe from
// everything else, and one that writes and says goodbye.
type conn struct {
	ws   *websocket.Conn
	ctx  context.Context // of all reading and writing
	stop context.CancelFunc

	arrived chan struct{} // signals Receive: received or err changed
	queued  chan struct{} // signals write: sending or goodbye changed
	taken   chan struct{} // signals read: received was emptied, or nobody wants it

	mu            sync.Mutex
	received      []string
	receivedBytes int
	err           error // why nothing more is received
	sending       []string
	sendingBytes  int
	goodbye       websocket.StatusCode // to close with, once sending is empty
	ended         bool                 // by this side: received messages are dropped
}

func newConn(ws *websocket.Conn) *conn {
	c := &conn{
		ws:      ws,
		arrived: make(chan struct{}, 1),
		queued:  make(chan struct{}, 1),
		taken:   make(chan struct{}, 1),
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	go c.read()
	go c.write()
	return c
}

// Receive implements transport.Conn. A message that is not text and one that is
// too large end the connection like a CloseError of code 1003 and 1009, a lost
// connection like one of 1006. When ctx ends, the connection goes on.
func (c *conn) Receive(ctx context.Context) ([]string, error) {
	for {
		c.mu.Lock()
		messages, err := c.received, c.err
		c.received, c.receivedBytes = nil, 0
		c.mu.Unlock()
		if len(messages) > 0 {
			signal(c.taken)
			return messages, nil
		}
		if err != nil {
			signal(c.arrived) // for the next call
			return nil, err
		}
		select {
		case <-c.arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Send implements transport.Conn. It never waits. A message that would make
// more than MaxQueued bytes wait is not sent; the connection goes on.
func (c *conn) Send(message string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return fmt.Errorf("ws: not sent, the connection has ended: %w", c.err)
	}
	if c.sendingBytes+len(message) > transport.MaxQueued {
		return fmt.Errorf("ws: not sent, more than %d bytes would wait for the server to read them; send less at a time or close", transport.MaxQueued)
	}
	c.sending = append(c.sending, message)
	c.sendingBytes += len(message)
	signal(c.queued)
	return nil
}

// Close implements transport.Conn. What was sent before still leaves, and the
// closing handshake is made, if the other side takes part in it within a quarter
// of a second; Close does not wait for that. Closing again does nothing.
func (c *conn) Close() error {
	c.end(errClosed, websocket.StatusNormalClosure)
	return nil
}

// end lets this side end the connection with code; Receive returns err once
// what had arrived is taken, or at once after Close.
func (c *conn) end(err error, code websocket.StatusCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == errClosed {
		c.err, c.received, c.receivedBytes = err, nil, 0
	}
	if c.ended {
		return
	}
	c.ended = true
	if c.err == nil {
		c.err = err
	}
	c.goodbye = code
	signal(c.arrived)
	signal(c.queued)
	signal(c.taken)
	time.AfterFunc(farewell, c.stop)
}

// read takes messages off the network until there are no more. It pauses when
// nobody takes them, so that the server has to wait.
func (c *conn) read() {
	defer c.stop()
	buffer := make([]byte, 4<<10)
	for {
		kind, message, err := c.next(buffer)
		if err != nil {
			c.mu.Lock()
			if c.err == nil {
				c.err = closeError(err)
			}
			c.mu.Unlock()
			signal(c.arrived)
			return
		}
		if kind != websocket.MessageText {
			c.end(&transport.CloseError{Code: int(websocket.StatusUnsupportedData), Reason: "the server sent a message that is not text"},
				websocket.StatusUnsupportedData)
		}
		for !c.keep(message) {
			<-c.taken
		}
	}
}

// keep queues a message for Receive unless too much waits already.
func (c *conn) keep(message string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return true
	}
	if c.receivedBytes >= transport.MaxMessage {
		return false
	}
	c.received = append(c.received, message)
	c.receivedBytes += len(message)
	signal(c.arrived)
	return true
}

func (c *conn) next(buffer []byte) (websocket.MessageType, string, error) {
	kind, r, err := c.ws.Reader(c.ctx)
	if err != nil {
		return 0, "", err
	}
	var b strings.Builder
	_, err = io.CopyBuffer(&b, r, buffer)
	return kind, b.String(), err
}

// write sends what is queued, then closes, and frees the connection in any case.
// After a failure nothing more is sent, but what has arrived is still read.
func (c *conn) write() {
	defer c.ws.CloseNow()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.queued:
		}
		for {
			message, ok, goodbye := c.oldest()
			if !ok {
				if goodbye != 0 {
					c.ws.Close(goodbye, "")
					return
				}
				break
			}
			if c.ws.Write(c.ctx, websocket.MessageText, []byte(message)) != nil {
				<-c.ctx.Done()
				return
			}
			c.mu.Lock()
			c.sendingBytes -= len(message)
			c.mu.Unlock()
		}
	}
}

// oldest takes the first message to send. If there is none, it tells the code
// to close with, if any. The size of the message counts until it has left.
func (c *conn) oldest() (message string, ok bool, goodbye websocket.StatusCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sending) == 0 {
		return "", false, c.goodbye
	}
	message = c.sending[0]
	c.sending[0] = ""
	c.sending = c.sending[1:]
	return message, true, 0
}

// closeError says in the terms of transport why reading has ended.
func closeError(err error) *transport.CloseError {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return &transport.CloseError{Code: int(closed.Code), Reason: closed.Reason}
	case errors.Is(err, websocket.ErrMessageTooBig):
		return &transport.CloseError{Code: int(websocket.StatusMessageTooBig), Reason: transport.ReasonTooLarge}
	}
	return &transport.CloseError{Code: int(websocket.StatusAbnormalClosure), Reason: err.Error()}
}

// signal makes one waiter look again.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
