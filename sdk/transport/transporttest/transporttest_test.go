//go:build !js

package transporttest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/transporttest"
	"xmpp-pam/sdk/transport/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A wrong dialer makes right connections and breaks one promise of them.
type wrong struct {
	transport.Dialer
	dial func(ctx context.Context, d transport.Dialer, url string, arrived func()) (transport.Conn, error)
	conn func(transport.Conn) transport.Conn
}

func (w wrong) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	if w.dial != nil {
		return w.dial(ctx, w.Dialer, url, arrived)
	}
	c, err := w.Dialer.Dial(ctx, url, arrived)
	if err != nil || w.conn == nil {
		return c, err
	}
	return w.conn(c), nil
}

// losesTail discards messages that arrived just before the end.
type losesTail struct{ transport.Conn }

func (c losesTail) Receive() ([]string, error) {
	messages, err := c.Conn.Receive()
	time.Sleep(5 * time.Millisecond)
	if more, end := c.Conn.Receive(); end != nil {
		return nil, end
	} else if len(more) > 0 {
		messages = append(messages, more...)
	}
	return messages, err
}

// hidesCodes hides the code and the reason of the end.
type hidesCodes struct{ transport.Conn }

func (c hidesCodes) Receive() ([]string, error) {
	messages, err := c.Conn.Receive()
	if err != nil {
		err = errors.New("the connection has ended")
	}
	return messages, err
}

// lastFirst reverses each batch.
type lastFirst struct{ transport.Conn }

func (c lastFirst) Receive() ([]string, error) {
	time.Sleep(time.Millisecond)
	messages, err := c.Conn.Receive()
	for i, j := 0, len(messages)-1; i < j; i, j = i+1, j-1 {
		messages[i], messages[j] = messages[j], messages[i]
	}
	return messages, err
}

// waits makes Receive wait for a message.
type waits struct{ transport.Conn }

func (c waits) Receive() ([]string, error) {
	for range 3000 {
		if messages, err := c.Conn.Receive(); len(messages) > 0 || err != nil {
			return messages, err
		}
		time.Sleep(time.Millisecond)
	}
	return nil, errors.New("no message arrived")
}

// dropsQueue sends later than Close.
type dropsQueue struct{ transport.Conn }

func (c dropsQueue) Send(message string) error {
	time.AfterFunc(time.Millisecond, func() { c.Conn.Send(message) })
	return nil
}

// slowClose waits for the other side.
type slowClose struct{ transport.Conn }

func (c slowClose) Close() error {
	defer c.Conn.Close()
	for end := time.Now().Add(2100 * time.Millisecond); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := c.Conn.Receive(); err != nil {
			break
		}
	}
	return nil
}

func TestWrongTransportsFail(t *testing.T) {
	s := transporttest.NewServer()
	idle := &http.Transport{}
	t.Cleanup(func() { // after the parallel tests
		idle.CloseIdleConnections()
		s.Close()
	})
	right := &ws.Dialer{HTTPClient: &http.Client{Transport: idle}}
	for _, v := range []struct {
		name   string
		dialer wrong
		caught string
	}{
		{"loses the messages before the end", wrong{conn: func(c transport.Conn) transport.Conn { return losesTail{c} }}, "nothing is lost before a close"},
		{"hides codes", wrong{conn: func(c transport.Conn) transport.Conn { return hidesCodes{c} }}, "a close without messages"},
		{"reverses batches", wrong{conn: func(c transport.Conn) transport.Conn { return lastFirst{c} }}, "order of many messages"},
		{"waits in Receive", wrong{conn: func(c transport.Conn) transport.Conn { return waits{c} }}, "Receive does not wait"},
		{"does not wake a receiver", wrong{dial: func(ctx context.Context, d transport.Dialer, url string, _ func()) (transport.Conn, error) {
			return d.Dial(ctx, url, func() {})
		}}, "Close wakes a receiver"},
		{"drops the queue", wrong{conn: func(c transport.Conn) transport.Conn { return dropsQueue{c} }}, "Close sends what was queued, then status 1000"},
		{"waits for the other side", wrong{conn: func(c transport.Conn) transport.Conn { return slowClose{c} }}, "Close does not depend on the other side"},
		{"ignores the context of Dial", wrong{dial: func(ctx context.Context, d transport.Dialer, url string, arrived func()) (transport.Conn, error) {
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2100*time.Millisecond)
			defer cancel()
			return d.Dial(late, url, arrived)
		}}, "Dial gives up with its context"},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(transporttest.Checks, func(c transporttest.Check) bool { return c.Name == v.caught })
			if i < 0 {
				t.Fatalf("there is no check %q", v.caught)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := transporttest.Checks[i].Run(ctx, right, s.URL); err != nil {
				t.Fatalf("the right dialer fails too: %v", err)
			}
			v.dialer.Dialer = right
			err := transporttest.Checks[i].Run(ctx, v.dialer, s.URL)
			if err == nil {
				t.Errorf("%q did not fail", v.caught)
			}
			t.Log(err)
		})
	}
}
