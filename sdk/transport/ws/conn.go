//go:build !js

package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"xmpp-pam/sdk/transport"
)

// closeGrace is the time after Close in which queued messages are still sent and the
// other side may complete the closing handshake.
const closeGrace = 250 * time.Millisecond

var errClosed = errors.New("ws: the connection was closed on this side")

// A conn has one goroutine that reads, so that nothing else delays or loses received
// messages, and one that writes and closes the connection.
type conn struct {
	ws   *websocket.Conn
	ctx  context.Context // for all reads and writes
	stop context.CancelFunc

	arrived func()        // called when received or err has changed, without mu
	queued  chan struct{} // signals write: sending or goodbye changed
	taken   chan struct{} // signals read: received was emptied, or the conn was closed

	mu            sync.Mutex
	received      []string
	receivedBytes int
	err           error // why no more messages are received
	sending       []string
	sendingBytes  int
	goodbye       websocket.StatusCode // the status to close with once sending is empty
	ended         bool                 // this side has closed the connection: received messages are dropped
}

func newConn(ws *websocket.Conn, arrived func()) *conn {
	c := &conn{
		ws:      ws,
		arrived: arrived,
		queued:  make(chan struct{}, 1),
		taken:   make(chan struct{}, 1),
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	go c.read()
	go c.write()
	return c
}

// Receive implements transport.Conn. The CloseError has code 1003 after a message
// that is not text, 1009 after one that is too large, and 1006 after a lost
// connection.
func (c *conn) Receive() ([]string, error) {
	c.mu.Lock()
	messages, err := c.received, c.err
	c.received, c.receivedBytes = nil, 0
	c.mu.Unlock()
	if len(messages) > 0 {
		signal(c.taken)
		return messages, nil
	}
	return nil, err
}

// Send implements transport.Conn. It never blocks. If the message would exceed
// MaxQueued, Send returns an error and the connection stays open.
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

// Close implements transport.Conn. It returns at once. In the next quarter of a
// second the conn still sends the queued messages and completes the closing
// handshake with the other side. Closing again does nothing.
func (c *conn) Close() error {
	c.end(errClosed, websocket.StatusNormalClosure)
	return nil
}

// end closes the connection from this side with code. Receive returns err after the
// messages that had arrived, or at once after Close.
func (c *conn) end(err error, code websocket.StatusCode) {
	defer c.arrived()
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
	signal(c.queued)
	signal(c.taken)
	time.AfterFunc(closeGrace, c.stop)
}

// read reads messages from the network until the connection ends. It pauses while
// too many bytes wait for Receive, so that the server has to wait.
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
			c.arrived()
			return
		}
		if kind != websocket.MessageText {
			c.end(&transport.CloseError{Code: int(websocket.StatusUnsupportedData), Reason: "the server sent a message that is not text"},
				websocket.StatusUnsupportedData)
		}
		for !c.keep(message) {
			<-c.taken
		}
		c.arrived()
	}
}

// keep queues a message for Receive. It returns false, and queues nothing, while
// too many bytes are queued.
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

// write sends the queued messages, closes the connection when end is called, and
// always releases it. After a failed write it sends nothing more, but read still
// reads the messages that have arrived.
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

// oldest removes and returns the first message to send. If there is none, it returns
// the status to close with, if any. The size of the message counts towards MaxQueued
// until it has been sent.
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

// closeError converts a read error to a CloseError.
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

// signal wakes the goroutine that waits on c.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
