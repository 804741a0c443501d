//go:build !js

package client_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// TestBackOff has several attempts fail and one succeed, and then cuts its connection.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.refuse = errors.New("refused")
		a := f.device(t, waits(time.Second, 5*time.Second))
		if _, err := a.Connect(t.Context()); err == nil {
			t.Fatal("connected")
		}
		expect := func(at ...time.Duration) {
			t.Helper()
			synctest.Wait()
			for i := range at {
				at[i] *= time.Second
			}
			if !slices.Equal(f.dialed(), at) {
				t.Fatalf("dialed at %v, want %v", f.dialed(), at)
			}
		}
		time.Sleep(20 * time.Second)
		expect(0, 1, 3, 7, 12, 17)
		f.set(func() { f.refuse = nil })
		time.Sleep(7 * time.Second) // 27: live since 22
		if s := a.State(); s.Phase != pam.PhaseLive || !s.NextAttempt.IsZero() {
			t.Fatalf("state %+v", s)
		}
		f.socket().fail(errors.New("cut")) // the session was too short, so the wait grows
		time.Sleep(10 * time.Second)       // 37: live since 32
		expect(0, 1, 3, 7, 12, 17, 22, 32)
		time.Sleep(60 * time.Second) // 97
		f.socket().fail(errors.New("cut"))
		time.Sleep(10 * time.Second)
		expect(0, 1, 3, 7, 12, 17, 22, 32, 98)
		_ = a.Close()
	})
}

// TestBackOffLimits sets a limit below the base, and the highest limit.
func TestBackOffLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.refuse = errors.New("refused")
		a := f.device(t, waits(0, 100*time.Millisecond))
		_, _ = a.Connect(t.Context())
		if d := time.Until(a.State().NextAttempt); d != 100*time.Millisecond {
			t.Errorf("the first wait is %v", d)
		}
		_ = a.Close()

		b := f.device(t, func(o *client.Options) { o.Reconnect = &client.Reconnect{Base: time.Hour, Max: 1<<63 - 1} })
		_, _ = b.Connect(t.Context())
		for range 70 {
			b.Wake()
			synctest.Wait()
			if s := b.State(); s.Phase != pam.PhaseWaiting || time.Until(s.NextAttempt) < 0 {
				t.Fatalf("state %+v", s)
			}
		}
		_ = b.Close()
	})
}

// TestWakeWhileConnecting wakes a client whose attempt hangs, before the socket
// opens or in the negotiation: the attempt gets 5 more seconds.
func TestWakeWhileConnecting(t *testing.T) {
	for _, where := range []string{"dialing", "negotiating"} {
		bubble(t, where, func(t *testing.T) {
			f := newScripted()
			var free atomic.Bool
			f.dial = func(ctx context.Context) error {
				if where == "dialing" && !free.Load() {
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			}
			f.handle = func(*socket, *element.Element) bool { return where == "negotiating" && !free.Load() }
			a := f.device(t, waits(time.Second, 0))
			go func() { _, _ = a.Connect(t.Context()) }()
			time.Sleep(2 * time.Second)
			a.Wake()
			free.Store(true)
			time.Sleep(4900 * time.Millisecond)
			if s := a.State(); s.Attempt != 1 || s.Phase == pam.PhaseWaiting {
				t.Errorf("state %+v", s)
			}
			time.Sleep(1200 * time.Millisecond)
			synctest.Wait()
			if s := a.State(); s.Phase != pam.PhaseLive || s.Attempt != 2 {
				t.Errorf("state %+v", s)
			}
			_ = a.Close()
		})
	}
}

// TestLongBackOff checks that the client dials less often after an error that only an
// administrator can fix.
func TestLongBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHalfStarted()
		a := f.device(t).connect()
		f.handle = func(s *socket, e *element.Element) bool {
			if e.Is(nsFraming, "open") {
				s.push("<error xmlns='http://etherx.jabber.org/streams'><host-unknown xmlns='" + nsStreams + "'/></error>")
				return true
			}
			return false
		}
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(f.dialed()); n < 60 || n > 122 {
			t.Errorf("it dialed %d times in an hour", n)
		}
		if s := a.State(); s.Phase != pam.PhaseWaiting || s.Err.Condition != "host-unknown" || !s.Err.Retryable {
			t.Errorf("%+v (%v)", s, s.Err)
		}
		_ = a.Close()
	})
}

// TestConnectWhileDialing calls Connect at every attempt: the waits still grow.
func TestConnectWhileDialing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		var d *device
		f.refuse = errors.New("refused")
		d = f.device(t, waits(time.Second, time.Hour))
		go d.Connect(t.Context())
		synctest.Wait()
		f.set(func() {
			f.dial = func(ctx context.Context) error {
				time.Sleep(100 * time.Millisecond)
				go d.Connect(t.Context())
				time.Sleep(100 * time.Millisecond)
				return errors.New("refused")
			}
		})
		time.Sleep(20 * time.Second) // 0, 1, 3.2, 7.4, 15.6
		if len(f.dialed()) != 5 {
			t.Errorf("dialed at %v", f.dialed())
		}
		_ = d.Close()
	})
}
