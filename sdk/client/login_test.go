//go:build !js

package client_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/ws"
)

// switched dials one of several servers, whatever the address.
type switched struct {
	urls []string
	now  atomic.Int32
}

func (s *switched) Dial(ctx context.Context, _ string, arrived func()) (transport.Conn, error) {
	return (&ws.Dialer{}).Dial(ctx, s.urls[s.now.Load()], arrived)
}

// TestWeakerLogin checks that a server that offers only weaker mechanisms than before
// gets no password, neither at a reconnection, after which the client tries again, nor
// after a reload, until the program allows it.
func TestWeakerLogin(t *testing.T) {
	servers := &switched{}
	for _, mechanisms := range [][]string{nil, {"PLAIN"}, {"SCRAM-SHA-256", "PLAIN"}} {
		server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": testPassword}, Mechanisms: mechanisms})
		if err != nil {
			t.Fatal(err)
		}
		front := httptest.NewServer(server)
		t.Cleanup(front.Close)
		t.Cleanup(func() { _ = server.Close() })
		servers.urls = append(servers.urls, "ws"+strings.TrimPrefix(front.URL, "http"))
	}
	const strong, weak, middle = 0, 1, 2
	kept := keep(store.NewMemory())
	again := func(edit ...func(*client.Options)) *device {
		return newDevice(t, &peer{url: "ws://localhost/", domain: "localhost"}, kept,
			append([]func(*client.Options){quick, func(o *client.Options) { o.Dialer = servers }}, edit...)...)
	}
	refused := func(a *device, from int, phase pam.Phase) {
		t.Helper()
		var err *pam.Error
		a.wait("the refusal", func() bool {
			s := a.State()
			err = s.Err
			return s.Phase == phase && err.Code == pam.CodeWeaker
		})
		if err.Retryable != (phase == pam.PhaseWaiting) || !strings.Contains(err.Text, "SCRAM-SHA-512") || !strings.Contains(err.Text, "mechanisms") {
			t.Errorf("%+v", err)
		}
		if wire := a.wire(true)[from:]; strings.Contains(wire, "<auth") {
			t.Errorf("it logged in:\n%s", wire)
		}
	}

	a := again().connect() // with SCRAM-SHA-512
	for _, server := range []int32{weak, middle} {
		before := len(a.wire(true))
		servers.now.Store(server)
		a.Drop()
		refused(a, before, pam.PhaseWaiting)
		servers.now.Store(strong)
		a.wait("the session", func() bool { return a.State().Phase == pam.PhaseLive })
	}
	_ = a.Close()

	servers.now.Store(weak)
	b := again()
	if _, err := b.Connect(t.Context()); asError(t, err).Code != pam.CodeWeaker {
		t.Errorf("after a reload: %v", err)
	}
	refused(b, 0, pam.PhaseFailed)
	if e, err := b.Export(t.Context()); err != nil || e.Mechanism != "SCRAM-SHA-512" {
		t.Errorf("exported: %q, %v", e.Mechanism, err)
	}
	_ = b.Close()

	// The record of another account does not weaken it.
	servers.now.Store(strong)
	c := again(func(o *client.Options) { o.Mechanisms = []string{"SCRAM-SHA-512"} }).connect()
	_ = c.Close()
	servers.now.Store(weak)
	d := again()
	_, _ = d.Connect(t.Context())
	refused(d, 0, pam.PhaseFailed)
	if err := d.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e, err := d.Export(t.Context()); err != nil || e.Mechanism != "" {
		t.Errorf("exported after Forget: %q, %v", e.Mechanism, err)
	}
	d.connect()
	if err := d.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = d.Close()

	// If the options name the mechanism, the client uses and stores it.
	servers.now.Store(strong)
	_ = again().connect().Close()
	servers.now.Store(weak)
	_ = again(func(o *client.Options) { o.Mechanisms = []string{"SCRAM-SHA-1", "PLAIN"} }).connect().Close()
	_ = again().connect().Close()
}

// challenging has the server demand a number of iterations in every SCRAM login.
func (f *scripted) challenging(iterations int) {
	f.handle = func(s *socket, e *element.Element) bool {
		switch {
		case e.Is(nsFraming, "open") && !s.authed:
			s.push("<open xmlns='"+nsFraming+"' from='localhost' id='s' version='1.0'/>", "<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='"+
				nsSASL+"'><mechanism>SCRAM-SHA-512</mechanism></mechanisms></features>")
		case e.Is(nsSASL, "auth"):
			first, _ := base64.StdEncoding.DecodeString(e.Text())
			_, nonce, _ := strings.Cut(string(first), ",r=")
			s.push("<challenge xmlns='" + nsSASL + "'>" + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "r=%sx,s=c2FsdHNhbHQ=,i=%d", nonce, iterations)) + "</challenge>")
		case e.Is(nsSASL, "response"):
			s.push("<failure xmlns='" + nsSASL + "'><not-authorized/></failure>")
		case e.Is(nsSASL, "abort"):
		default:
			return false
		}
		return true
	}
}

func scram(o *client.Options) { o.Mechanisms = nil }

// TestDeriveSlowly checks that a device that needs most of a minute for the key logs in,
// and that one that needs longer gets an error that says so, and tries again.
func TestDeriveSlowly(t *testing.T) {
	for takes, want := range map[time.Duration]pam.Code{55 * time.Second: pam.CodeAuth, time.Hour: pam.CodeTimeout} {
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			f.challenging(1_000_000)
			var asked []client.Derivation
			a := f.device(t, scram, func(o *client.Options) {
				o.Derive = func(ctx context.Context, d client.Derivation) ([]byte, error) {
					asked = append(asked, d)
					select {
					case <-time.After(takes):
						return make([]byte, 64), nil
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				}
			})
			start := time.Now()
			_, err := a.Connect(t.Context())
			got, took := asError(t, err), time.Since(start)
			if got.Code != want || got.Retryable != (want == pam.CodeTimeout) || took < 55*time.Second || took > time.Minute {
				t.Errorf("%v after %v", got, took)
			}
			if len(asked) != 1 || asked[0].Hash != "SHA-512" || asked[0].Iterations != 1_000_000 || asked[0].Password != testPassword || string(asked[0].Salt) != "saltsalt" {
				t.Errorf("it requested %d keys", len(asked))
			}
			_ = a.Close()
		})
	}
}

// TestDeriveEnds checks that Close, Disconnect and the server end a derivation at once.
func TestDeriveEnds(t *testing.T) {
	for name, end := range map[string]func(f *scripted, a *device) error{
		"close":      func(_ *scripted, a *device) error { return a.Close() },
		"disconnect": func(_ *scripted, a *device) error { return a.Disconnect(context.Background()) },
		"cut":        func(f *scripted, _ *device) error { f.socket().fail(errors.New("reset")); return nil },
	} {
		bubble(t, name, func(t *testing.T) {
			f := newScripted()
			f.challenging(1_000_000)
			running, ended := 0, 0
			a := f.device(t, scram, func(o *client.Options) {
				o.Reconnect = &client.Reconnect{Off: true}
				o.Derive = func(ctx context.Context, d client.Derivation) ([]byte, error) {
					running++
					defer func() { running--; ended++ }()
					<-ctx.Done()
					return nil, ctx.Err()
				}
			})
			failed := a.connecting(context.Background())
			synctest.Wait()
			if running != 1 {
				t.Fatalf("%d keys are derived", running)
			}
			start := time.Now()
			if err := end(f, a); err != nil {
				t.Error(err)
			}
			if err := <-failed; err == nil || time.Since(start) > 0 {
				t.Errorf("Connect: %v after %v", err, time.Since(start))
			}
			synctest.Wait()
			if running != 0 || ended != 1 || f.count() != 0 {
				t.Errorf("%d keys are derived, %d have ended, %d sockets are open", running, ended, f.count())
			}
			_ = a.Close()
		})
	}
}

// TestDeriveDoesNotBlock checks that calls return while Go derives the key, and that the
// computation ends with the connection.
func TestDeriveDoesNotBlock(t *testing.T) {
	f := newScripted()
	f.challenging(1_000_000)
	began, ended := make(chan bool), make(chan error, 1)
	a := f.device(t, scram, func(o *client.Options) {
		o.Derive = func(ctx context.Context, d client.Derivation) ([]byte, error) {
			d.Iterations = 1 << 40 // It would take days.
			close(began)
			_, err := d.Key(ctx.Err)
			ended <- err
			return nil, err
		}
	})
	go func() { _, _ = a.Connect(context.Background()) }()
	<-began
	if err := a.Disconnect(t.Context()); err != nil || a.State().Phase != pam.PhaseOffline {
		t.Errorf("%v, %s", err, a.State().Phase)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the derivation ended with %v", err)
	}
}

// TestTooManyIterations has the server demand too many iterations: that ends the first
// attempt; after a session was live, the client tries again after a long wait.
func TestTooManyIterations(t *testing.T) {
	for _, wasLive := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			a := f.device(t, func(o *client.Options) {
				o.Mechanisms = []string{"SCRAM-SHA-512", "PLAIN"}
				o.Derive = func(context.Context, client.Derivation) ([]byte, error) { panic("derived") }
			})
			if wasLive {
				a.connect()
				f.set(func() { f.challenging(1_000_001) })
				f.socket().fail(errors.New("reset"))
				time.Sleep(10 * time.Second)
			} else {
				f.challenging(1_000_001)
				_, _ = a.Connect(t.Context())
			}
			synctest.Wait()
			s := a.State()
			want := pam.PhaseFailed
			if wasLive {
				want = pam.PhaseWaiting
			}
			if s.Phase != want || s.Err.Code != pam.CodeAuth || s.Err.Retryable != wasLive || !strings.Contains(s.Err.Text, "1000001 iterations") {
				t.Errorf("live before: %v: it is %s: %v", wasLive, s.Phase, s.Err)
			}
			if dials := len(f.dialed()); wasLive {
				time.Sleep(time.Hour)
				synctest.Wait()
				if n := len(f.dialed()) - dials; n > 121 {
					t.Errorf("%d attempts in an hour", n)
				}
			}
			if slices.Contains(a.reasons, "rejected") {
				t.Errorf("the client treated the password as wrong: %q", a.reasons)
			}
			_ = a.Close()
		})
	}
}
