// Package transport defines the connections that the client uses. A connection
// carries whole messages, in order, and delivers every message that arrived before
// it closed.
//
// Package transport/ws implements it natively on coder/websocket; wasm/socket
// implements it in a browser on the browser's WebSocket.
package transport

import (
	"context"
	"errors"
	"fmt"
)

// A Dialer opens connections that speak the WebSocket subprotocol "xmpp"
// (RFC 7395 §3.1).
type Dialer interface {
	// Dial connects to url, which starts with ws: or wss:. If ctx ends first, Dial
	// returns an error and leaves no connection open. It also returns an error if
	// the server does not agree to the subprotocol.
	//
	// The connection calls arrived when messages have arrived and when it has ended:
	// after each change of what Receive would return, from any goroutine, and perhaps
	// before Dial returns or when nothing has changed. arrived must return at once.
	Dial(ctx context.Context, url string, arrived func()) (Conn, error)
}

// A Conn carries messages, each of them one XML element. Receive may be called
// while Send runs, from another goroutine.
type Conn interface {
	// Receive returns the messages that have arrived since the last call, in order,
	// or none. It does not wait. After the connection has ended, Receive first
	// returns all messages that arrived before, and then an error, which is a
	// *CloseError if the other side closed the connection. The connection limits the
	// bytes that wait for Receive.
	Receive() ([]string, error)

	// Send queues one message. It may return before the message is sent. It returns
	// an error if the connection has ended or more than MaxQueued bytes are queued.
	Send(message string) error

	// Close closes the connection with status 1000 and releases its resources. It
	// does not wait for the other side. Receive then returns an error.
	Close() error
}

// MaxQueued is the maximum number of bytes that Send queues.
const MaxQueued = 8 << 20

// MaxMessage is the maximum size in bytes of a received message. The connection
// closes itself when it receives a larger one.
const MaxMessage = 32 << 20

// ReasonTooLarge is the Reason of the CloseError, with code 1009, of a connection
// that this side closed because a message was larger than MaxMessage.
const ReasonTooLarge = "a message came that is too large"

// TooLarge reports whether err is the error of a connection that this side closed
// because a message was larger than MaxMessage.
func TooLarge(err error) bool {
	var e *CloseError
	return errors.As(err, &e) && e.Code == 1009 && e.Reason == ReasonTooLarge
}

// A CloseError describes how the connection was closed. In a browser nearly every
// failure has code 1006.
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
