//go:build !js

package client_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// goTo returns a <close/> that redirects the client.
func goTo(url string) string {
	return element.New(nsFraming, "close").Set("see-other-uri", url).String()
}

// An occasion is the point at which a server redirects the client.
type occasion string

const (
	atOpen    occasion = "instead of features"
	atLogin   occasion = "instead of an answer to the login"
	inSession occasion = "in the session"
)

// sendOn has the servers at the given addresses redirect their client.
func (f *scripted) sendOn(when occasion, from map[string]string) {
	f.handle = func(s *socket, e *element.Element) bool {
		to, ok := from[s.url]
		switch {
		case !ok:
		case when == atOpen && e.Is(nsFraming, "open"), when == atLogin && e.Is(nsSASL, "auth"):
			s.push(goTo(to))
			return true
		case when == inSession && isList(e):
			s.answer(e)
			s.push(goTo(to))
			return true
		}
		return false
	}
}

// TestSeeOther redirects the client at every occasion (RFC 7395 §3.6.1). The client does
// not dial an address to which it may not go, so it sends no credentials there.
func TestSeeOther(t *testing.T) {
	const home = "wss://localhost/"
	long := "wss://other.example/" + strings.Repeat("x", 1000)
	tests := []struct {
		name   string
		home   string
		follow []string
		to     map[string]string
		dials  []string // all of them within a second
		why    string   // the text of the error; empty if the client becomes live
	}{
		{name: "same host", to: map[string]string{home: "wss://localhost/other"}, dials: []string{home, "wss://localhost/other"}},
		{name: "same host in upper case", to: map[string]string{home: "wss://LOCALHOST/"}, dials: []string{home, "wss://LOCALHOST/"}},
		{name: "another port", to: map[string]string{home: "wss://localhost:5443/"}, dials: []string{home, "wss://localhost:5443/"}},
		{name: "ws to wss", home: "ws://localhost/", to: map[string]string{"ws://localhost/": home}, dials: []string{"ws://localhost/", home}},
		{name: "ws to ws", home: "ws://localhost/", to: map[string]string{"ws://localhost/": "ws://localhost/2"}, dials: []string{"ws://localhost/", "ws://localhost/2"}},
		{name: "allowed host", follow: []string{"a.example", "Other.Example"}, to: map[string]string{home: "wss://other.example:1/"}, dials: []string{home, "wss://other.example:1/"}},
		{name: "and back", follow: []string{"other.example"}, to: map[string]string{home: "wss://other.example/", "wss://other.example/": "wss://localhost/2"},
			dials: []string{home, "wss://other.example/", "wss://localhost/2"}},
		{name: "allowed IPv6", follow: []string{"[::1]"}, to: map[string]string{home: "wss://[::1]/"}, dials: []string{home, "wss://[::1]/"}},
		{name: "three times", to: map[string]string{home: home + "1", home + "1": home + "2", home + "2": home + "3"},
			dials: []string{home, home + "1", home + "2", home + "3"}},

		{name: "in a circle", to: map[string]string{home: home + "1", home + "1": home},
			dials: []string{home, home + "1", home, home + "1"}, why: `"wss://localhost/", which is not followed: it is the fourth time in a row`},
		{name: "to itself", to: map[string]string{home: home}, dials: []string{home, home, home, home}, why: "fourth time"},
		{name: "another host", to: map[string]string{home: "wss://other.example/"}, dials: []string{home}, why: "name it in the option FollowTo"},
		{name: "a host below", to: map[string]string{home: "wss://a.localhost/"}, dials: []string{home}, why: "another host"},
		{name: "another host behind an allowed one", follow: []string{"other.example"}, to: map[string]string{home: "wss://other.example/", "wss://other.example/": "wss://evil.example/"},
			dials: []string{home, "wss://other.example/"}, why: `The server at wss://other.example/ sends this client on to "wss://evil.example/"`},
		{name: "less secure", to: map[string]string{home: "ws://localhost/"}, dials: []string{home}, why: "unlike this connection"},
		{name: "less secure, allowed host", follow: []string{"127.0.0.1"}, to: map[string]string{home: "ws://127.0.0.1/"}, dials: []string{home}, why: "unlike this connection"},
		{name: "not encrypted", follow: []string{"other.example"}, to: map[string]string{home: "ws://other.example/"}, dials: []string{home}, why: "not encrypted"},
		{name: "BOSH", to: map[string]string{home: "https://localhost/bosh"}, dials: []string{home}, why: "no WebSocket address"},
		{name: "javascript:", to: map[string]string{home: "javascript:alert(1)"}, dials: []string{home}, why: "no WebSocket address"},
		{name: "a path", to: map[string]string{home: "/other"}, dials: []string{home}, why: "no WebSocket address"},
		{name: "a user", to: map[string]string{home: "wss://localhost@evil.example/"}, dials: []string{home}, why: "no WebSocket address"},
		{name: "a backslash", to: map[string]string{home: `wss://evil.example\@localhost/`}, dials: []string{home}, why: "no WebSocket address"},
		{name: "very long", to: map[string]string{home: long}, dials: []string{home}, why: `xxx…", which`},
	}
	for _, tt := range tests {
		for _, when := range []occasion{atOpen, atLogin, inSession} {
			bubble(t, tt.name+" "+string(when), func(t *testing.T) {
				f := newScripted()
				f.sendOn(when, tt.to)
				a := f.device(t, func(o *client.Options) {
					o.FollowTo = tt.follow
					o.Reconnect = &client.Reconnect{Base: time.Minute, NoJitter: true}
					if tt.home != "" {
						o.URL = tt.home
					}
				})
				_, err := a.Connect(t.Context())
				synctest.Wait()
				s := a.State()
				if !slices.Equal(f.addresses(), tt.dials) || f.atOnce() != 1 || s.Attempt != len(tt.dials) || time.Since(f.start) > time.Second {
					t.Errorf("dialed %q in %v, attempt %d, %d sockets at once\n%s", f.addresses(), time.Since(f.start), s.Attempt, f.atOnce(), a.log())
				}
				if tt.why == "" {
					// In a session it may have been live before the redirect.
					if s.Phase != pam.PhaseLive || err != nil {
						t.Errorf("%+v, %v", s, err)
					}
				} else if s.Phase != pam.PhaseWaiting || s.Err.Code != pam.CodeStream || s.Err.Origin != pam.FromServer ||
					!s.Err.Retryable || !strings.Contains(s.Err.Text, tt.why) || len(s.Err.Text) > 500 {
					t.Errorf("%+v (%v)", s, s.Err)
				}
				_ = a.Close()
			})
		}
	}
}

// TestDrained repeatedly redirects a client that has been live for a long time to another
// node, and also a client whose options disable reconnecting.
func TestDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		for range 10 {
			time.Sleep(2 * time.Minute)
			f.socket().push(goTo("wss://localhost/x"))
			synctest.Wait()
			if s := a.State(); s.Phase != pam.PhaseLive || s.Attempt != 1 {
				t.Fatalf("%+v after %q", s, f.addresses())
			}
		}
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if last := f.addresses()[len(f.addresses())-1]; len(f.addresses()) != 12 || last != "wss://localhost/" {
			t.Errorf("returned to %s, dialed %q", last, f.addresses())
		}
		_ = a.Close()

		b := f.device(t, noReconnect).connect()
		f.socket().push(goTo("wss://localhost/x"))
		synctest.Wait()
		if s := b.State(); s.Phase != pam.PhaseFailed || s.Err.Code != pam.CodeStream || len(f.addresses()) != 13 {
			t.Errorf("%+v after %q", s, f.addresses())
		}
		_ = b.Close()
	})
}

// TestRedirectWhileDisconnecting has the caller disconnect when the server redirects it.
func TestRedirectWhileDisconnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		f.set(func() {
			f.handle = func(s *socket, e *element.Element) bool {
				if e.Is(nsFraming, "close") {
					s.push(goTo("wss://localhost/x"))
					return true
				}
				return false
			}
		})
		if err := a.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseOffline || len(f.addresses()) != 1 {
			t.Errorf("%+v after %q", s, f.addresses())
		}
		_ = a.Close()
	})
}

// TestRedirectKeepsTheSession redirects the client while it reconnects: it resumes the
// session at the other address.
func TestRedirectKeepsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		a := f.device(t).connect()
		sent := false
		f.set(func() {
			f.handle = func(s *socket, e *element.Element) bool {
				if e.Is(nsFraming, "open") && !sent {
					sent = true
					s.push(goTo("wss://localhost/2"))
					return true
				}
				return r.handle(s, e)
			}
		})
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := a.State(); !s.Resumed || s.Phase != pam.PhaseLive || r.binds != 1 || f.addresses()[len(f.addresses())-1] != "wss://localhost/2" {
			t.Errorf("%+v after %d binds, dialed %q", s, r.binds, f.addresses())
		}
		_ = a.Close()
	})
}

// TestLocation checks that the client resumes at the server's preferred location
// (XEP-0198 §5) if it may go there, and at the ordinary address if that fails.
func TestLocation(t *testing.T) {
	const home = "wss://localhost/"
	tests := []struct {
		name, location string
		down           bool     // no server listens at the location
		dials          []string // after the loss
	}{
		{"an address at the host", "wss://localhost:5443/node2", false, []string{"wss://localhost:5443/node2"}},
		{"an allowed host", "wss://node2.example/", false, []string{"wss://node2.example/"}},
		{"one that is down", "wss://localhost:5443/node2", true, []string{"wss://localhost:5443/node2", home}},
		{"another host", "wss://evil.example/", false, []string{home}},
		{"less secure", "ws://localhost/", false, []string{home}},
		{"a host and port, which is for TCP", "node2.example:5222", false, []string{home}},
		{"an address and port", "[2001:41D0:1:A49b::1]:9222", false, []string{home}},
		{"nothing", "", false, []string{home}},
	}
	for _, tt := range tests {
		for _, run := range []string{"same run", "next run"} {
			bubble(t, tt.name+" "+run, func(t *testing.T) {
				f, r := newScripted(), &resumer{location: tt.location}
				f.handle = r.handle
				kept := store.NewMemory()
				device := func(base time.Duration) *device {
					return f.device(t, func(o *client.Options) {
						o.Store, o.Tab, o.FollowTo = keep(kept), "tab", []string{"node2.example"}
						o.Reconnect = &client.Reconnect{Base: base, NoJitter: true}
					})
				}
				base := time.Second
				if run == "next run" {
					base = time.Minute // The client does not reconnect in time.
				}
				a := device(base).connect()
				time.Sleep(time.Second)
				f.set(func() {
					f.urls = nil
					if tt.down {
						f.down = tt.location
					}
				})
				b := a
				if run == "next run" {
					f.set(func() { f.refuse = errors.New("the program is gone") })
					f.socket().fail(errors.New("reset"))
					f.set(func() { f.refuse = nil; f.urls = nil })
					b = device(time.Second)
					_, _ = b.Connect(t.Context())
				} else {
					f.socket().fail(errors.New("reset"))
				}
				time.Sleep(4 * time.Second)
				synctest.Wait()
				if s := b.State(); !s.Resumed || s.Phase != pam.PhaseLive || r.binds != 1 || !slices.Equal(f.addresses(), tt.dials) {
					t.Errorf("%+v after %d binds, dialed %q\n%s", s, r.binds, f.addresses(), b.log())
				}
				f.set(func() { f.urls, f.down = nil, "" }) // The next loss has no location.
				f.socket().fail(errors.New("reset"))
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if !slices.Equal(f.addresses(), tt.dials[:1]) {
					t.Errorf("after another loss it dialed %q", f.addresses())
				}
				_, _ = a.Close(), b.Close()
			})
		}
	}
}
