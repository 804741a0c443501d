// Package transport says what a connection must do for the client: carry
// whole messages, in order, and lose none that arrived before it closed.
//
// Natively it is implemented by transport/ws on coder/websocket, in a browser
// by wasm/socket on the browser's own WebSocket.
package transport

import (
	"context"
	"errors"
	"fmt"
)

// A Dialer opens connections that speak the WebSocket subprotocol "xmpp"
// (RFC 7395 §3.1).
type Dialer interface {
	// Dial connects to url, which starts with ws: or wss:. When ctx ends first
	// nothing stays open. A server that does not agree to the subprotocol is
	// an error.
	Dial(ctx context.Context, url string) (Conn, error)
}

// A Conn carries messages, each of them one XML element. Receive may be called
// while Send runs, from another goroutine.
type Conn interface {
	// Receive returns the messages that have arrived since the last call, in
	// order and at least one, and waits for one if there are none. Every
	// message that arrived before the connection ended is returned before the
	// error is, which is a *CloseError if the other side closed.
	Receive(ctx context.Context) ([]string, error)

	// Send queues one message. It may return before the message has left, and
	// fails if the connection has ended or more than MaxQueued bytes wait.
	Send(message string) error

	// Close ends the connection with status 1000 and frees it, at once and
	// whatever the other side does. Receive then returns an error.
	Close() error
}

// MaxQueued is how many bytes may wait to be sent before Send fails.
const MaxQueued = 8 << 20

// MaxMessage is the size in bytes of the largest message that Receive accepts.
// A larger one ends the connection.
const MaxMessage = 32 << 20

// ReasonTooLarge is the reason, beside code 1009, of a connection that this side
// ended because a message was larger than MaxMessage.
const ReasonTooLarge = "a message came that is too large"

// TooLarge reports whether err says that.
func TooLarge(err error) bool {
	var e *CloseError
	return errors.As(err, &e) && e.Code == 1009 && e.Reason == ReasonTooLarge
}

// A CloseError says how the other side ended the connection. In a browser
// nearly every failure has code 1006.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("the connection closed with code %d", e.Code)
	}
	return fmt.Sprintf("the connection closed with code %d: %s", e.Code, e.Reason)
}
