// Package transporttest is the conformance suite for implementations of
// transport.Dialer and transport.Conn. The other side of the connection is Handler,
// which runs natively even if the connection is in a browser.
package transporttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"xmpp-pam/sdk/transport"
)

// A Check tests one requirement. url is the address of Handler, without a path.
// The error describes what was expected and what happened.
type Check struct {
	Name string
	Run  func(ctx context.Context, d transport.Dialer, url string) error
}

// Checks is the whole suite.
var Checks = []Check{
	{"echo", echoes},
	{"order of many messages", order},
	{"large messages", large},
	{"Receive does not wait", receiveAtOnce},
	{"send while another goroutine receives", sendWhileReceiving},
	{"the context of Dial may end afterwards", dialContextEnds},
	{"nothing is lost before a close", burstThenClose},
	{"a close without messages", emptyBurst},
	{"Receive repeats its final error", endStays},
	{"a lost connection", lostConnection},
	{"a binary message ends the connection", binaryMessage},
	{"the largest message", largestMessage},
	{"a larger message ends the connection", tooLarge},
	{"Close sends what was queued, then status 1000", closeSendsQueue},
	{"Close does not depend on the other side", closeSilent},
	{"Close returns at once", closeAtOnce},
	{"Close wakes a receiver", closeWakesReceiver},
	{"Close twice", closeTwice},
	{"Send fails after Close", sendAfterClose},
	{"Send fails when too much waits", sendTooMuch},
	{"servers that are not XMPP over WebSocket", notXMPP},
	{"Dial gives up with its context", dialGivesUp},
}

// Run runs every check. url is the address of a Server, or of a Handler
// elsewhere, without a path.
func Run(t *testing.T, newDialer func() transport.Dialer, url string) {
	for _, check := range Checks {
		t.Run(check.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if err := check.Run(ctx, newDialer(), url); err != nil {
				t.Error(err)
			}
		})
	}
}

// A Conn is a connection whose messages can be waited for.
type Conn struct {
	transport.Conn
	arrived chan struct{} // holds a token if Receive may return something
}

// Dial opens a connection.
func Dial(ctx context.Context, d transport.Dialer, url string) (*Conn, error) {
	c := &Conn{arrived: make(chan struct{}, 1)}
	inner, err := d.Dial(ctx, url, func() {
		select {
		case c.arrived <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return nil, err
	}
	c.Conn = inner
	return c, nil
}

// Wait is like Receive, but waits until there is a message or an error. It is for one
// goroutine at a time.
func (c *Conn) Wait(ctx context.Context) ([]string, error) {
	for {
		if messages, err := c.Receive(); len(messages) > 0 || err != nil {
			return messages, err
		}
		select {
		case <-c.arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// with runs do on a new connection and then closes the connection.
func with(ctx context.Context, d transport.Dialer, url string, do func(*Conn) error) error {
	c, err := Dial(ctx, d, url)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// wantMessages receives messages until it has as many as wanted.
func wantMessages(ctx context.Context, c *Conn, want ...string) error {
	var got []string
	for len(got) < len(want) {
		messages, err := c.Wait(ctx)
		if err != nil {
			return fmt.Errorf("got %d of %d messages, then: %w", len(got), len(want), err)
		}
		got = append(got, messages...)
	}
	for i, m := range got {
		if i >= len(want) || m != want[i] {
			return fmt.Errorf("message %d is %.60q (%d bytes); the messages differ from what was sent at %d", i, m, len(m),
				slices.IndexFunc(want, func(w string) bool { return w == m }))
		}
	}
	return nil
}

// wantClose expects the connection to have ended; an empty reason matches any.
func wantClose(ctx context.Context, c *Conn, code int, reason string) error {
	messages, err := c.Wait(ctx)
	var closed *transport.CloseError
	if !errors.As(err, &closed) || closed.Code != code || reason != "" && closed.Reason != reason {
		return fmt.Errorf("got %.60q, %v, want a CloseError with code %d %s", messages, err, code, reason)
	}
	return nil
}

// closeSoon expects Close to return without the help of the other side.
func closeSoon(c transport.Conn) error {
	start := time.Now()
	if err := c.Close(); err != nil {
		return err
	}
	if took := time.Since(start); took > 2*time.Second {
		return fmt.Errorf("Close took %v", took)
	}
	return nil
}

func burstMessage(i int) string { return fmt.Sprintf("<m n='%d'/>", i) }
