//go:build !js

package client_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/transport"
)

// TestFreeze freezes a client for half an hour, in which the list changes and the clocks of
// its timers run. It has no connection in that time, acknowledges before, and resumes its
// session afterwards.
func TestFreeze(t *testing.T) {
	for name, wake := range map[string]func(context.Context, *device) error{
		"wake":    func(_ context.Context, a *device) error { a.Wake(); return nil },
		"connect": func(ctx context.Context, a *device) error { _, err := a.Connect(ctx); return err },
	} {
		bubble(t, name, func(t *testing.T) {
			p, dial := bubbledPeer(t, func(*mem.Config) {})
			d := &dialCounter{}
			a := newDevice(t, p, nil, dial, d.use, func(o *client.Options) { o.Tab = "tab" }).connect()
			other := newDevice(t, p, nil, dial).connect()
			time.Sleep(10 * time.Second)
			a.Freeze()
			synctest.Wait()
			if s := a.State(); s.Phase != pam.PhaseWaiting || !s.NextAttempt.IsZero() || s.Err.Code != pam.CodeTransport {
				t.Errorf("frozen in state %+v", s)
			}
			if d.open.Load() != 0 {
				t.Error("the connection is open")
			}
			subscribe(t, other, "pubsub.localhost", "news")
			time.Sleep(30 * time.Minute)
			if n := d.count.Load(); n != 1 || len(a.Snapshot().List) != 0 {
				t.Errorf("dialed %d times, list %v", n, a.Snapshot().List)
			}
			check(t, wake(t.Context(), a))
			time.Sleep(time.Second)
			synctest.Wait()
			if s := a.State(); s.Phase != pam.PhaseLive || !s.Resumed || len(a.Snapshot().List) != 1 || d.count.Load() != 2 {
				t.Errorf("after it %+v, list %v, dialed %d times", s, a.Snapshot().List, d.count.Load())
			}
			a.Drop() // The back-off is as before.
			time.Sleep(time.Minute)
			if s := a.State(); s.Phase != pam.PhaseLive || d.count.Load() != 3 {
				t.Errorf("after a cut %+v", s)
			}
		})
	}
}

// TestFreezeBetweenAttempts freezes a client that waits to reconnect.
func TestFreezeBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t, waits(time.Minute, time.Minute)).connect()
		f.socket().fail(errors.New("cut"))
		synctest.Wait()
		a.Freeze()
		time.Sleep(time.Hour)
		if n := len(f.dialed()); n != 1 || a.State().Phase != pam.PhaseWaiting || !a.State().NextAttempt.IsZero() {
			t.Errorf("dialed %d times, %+v", n, a.State())
		}
		a.Wake()
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseLive {
			t.Errorf("state %+v", s)
		}
		_ = a.Close()
	})
}

// TestFreezeKeepsTheLastConnection freezes clients that may not connect again.
func TestFreezeKeepsTheLastConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t, noReconnect)
		a.Freeze() // without a connection
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseOffline {
			t.Errorf("state %+v", s)
		}
		a.connect()
		a.Freeze()
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseLive || f.count() != 1 {
			t.Errorf("state %+v with %d sockets", s, f.count())
		}
		_ = a.Close()
		f.refuse = errors.New("refused")
		b := f.device(t, func(o *client.Options) { o.Reconnect = &client.Reconnect{MaxAttempts: 1} })
		if _, err := b.Connect(t.Context()); err == nil {
			t.Fatal("connected")
		}
		b.Freeze()
		synctest.Wait()
		if s := b.State(); s.Phase != pam.PhaseFailed {
			t.Errorf("state %+v", s)
		}
		_ = b.Close()
	})
}

// A dialCounter counts the connections that were opened, and those that are open.
type dialCounter struct {
	transport.Dialer
	count, open atomic.Int32
}

func (d *dialCounter) use(o *client.Options) { d.Dialer, o.Dialer = o.Dialer, d }

func (d *dialCounter) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	conn, err := d.Dialer.Dial(ctx, url, arrived)
	if err != nil {
		return nil, err
	}
	d.count.Add(1)
	d.open.Add(1)
	return &countedConn{Conn: conn, open: &d.open}, nil
}

type countedConn struct {
	transport.Conn
	open *atomic.Int32
}

func (c *countedConn) Close() error {
	c.open.Add(-1)
	return c.Conn.Close()
}
