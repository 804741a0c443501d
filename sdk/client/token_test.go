//go:build !js

package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/transport/ws"
)

const token = "t0ken-Zk38Qf"

// shows returns where an error, or its cause, shows the token.
func shows(err error) string {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if data, _ := json.Marshal(e); strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e)+string(data), token) {
			return fmt.Sprintf("%T: %v", e, e)
		}
		if many, ok := e.(interface{ Unwrap() []error }); ok {
			for _, one := range many.Unwrap() {
				if where := shows(one); where != "" {
					return where
				}
			}
		}
	}
	return ""
}

// TestNoToken checks that no error, warning or state shows the parts of a wrong address
// that may be secret.
func TestNoToken(t *testing.T) {
	// Addresses that New refuses.
	for _, url := range []string{
		"https://localhost/?" + token, "ws://example.org/?token=" + token, "wss://" + token + "@localhost/", "wss://al:" + token + "@localhost/", "wss:?" + token,
		"wss://localhost/#" + token, "wss://localhost/ x?" + token, "ws://u:" + token + "@example.org/", "//localhost?" + token, "wss://exa%6dple/?" + token,
	} {
		_, err := client.New(&client.Options{Account: "alice@localhost", URL: url, Credentials: password("x"), Dialer: newScripted()})
		if err == nil || shows(err) != "" {
			t.Errorf("%q: %s", url, shows(err))
		}
		_, err = client.New(&client.Options{Account: "alice@localhost", URL: "wss://localhost/", FollowTo: []string{url, strings.TrimPrefix(url, "wss://")},
			Credentials: password("x"), Dialer: newScripted()})
		if err == nil || shows(err) != "" {
			t.Errorf("followTo %q: %s", url, shows(err))
		}
	}

	// Addresses without an XMPP server.
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	addresses := []string{"ws://" + closed.Addr().String() + "/?" + token, "wss://" + closed.Addr().String() + "/?" + token, "ws://127.0.0.1:99999/?" + token, "wss://localhost:0/%zz?" + token}
	for _, handler := range []http.HandlerFunc{http.NotFound,
		func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/"+token, http.StatusFound) },
		func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("hello")) },
		func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	} {
		front := httptest.NewServer(handler)
		defer front.Close()
		addresses = append(addresses, "ws"+strings.TrimPrefix(front.URL, "http")+"/?"+token)
	}
	for _, url := range addresses {
		if c, err := (&ws.Dialer{}).Dial(t.Context(), url, func() {}); err == nil || shows(err) != "" {
			t.Errorf("%s: %v, %s", url, c, shows(err))
		}
		a := newDevice(t, &peer{url: url, domain: "localhost"}, nil)
		_, err := a.Connect(t.Context())
		if err == nil || shows(err) != "" || shows(a.State().Err) != "" {
			t.Errorf("%s: %s", url, shows(err))
		}
		if !strings.Contains(err.Error(), "ws") || strings.Contains(url, "127.0.0.1") && !strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: the error does not say where: %v", url, err)
		}
		_ = a.Close()
	}

	// Addresses that a server or its host metadata names.
	for _, other := range []string{"wss://other.example/?" + token, "ws://localhost/?" + token, "https://other.example/?" + token,
		"wss://al:" + token + "@localhost/", "wss://localhost/#" + token, "wss://localhost/" + strings.Repeat("x", 300) + "?" + token} {
		for _, when := range []occasion{atOpen, atLogin, inSession} {
			synctest.Test(t, func(t *testing.T) {
				f := newScripted()
				f.sendOn(when, map[string]string{"wss://localhost/?" + token: other, other: other})
				a := f.device(t, func(o *client.Options) { o.URL = "wss://localhost/?" + token })
				_, err := a.Connect(t.Context())
				time.Sleep(time.Minute)
				synctest.Wait()
				if when != inSession && err == nil || shows(err) != "" || a.State().Err != nil && shows(a.State().Err) != "" {
					t.Errorf("redirected to %q %s: %s", other, when, shows(err))
				}
				a.noToken(t)
				_ = a.Close()
			})
		}
		synctest.Test(t, func(t *testing.T) {
			f, d := newScripted(), &directory{at: other}
			f.refuse = errors.New("no server listens")
			a := f.device(t, d.lookup)
			if _, err := a.Connect(t.Context()); err == nil || shows(err) != "" {
				t.Errorf("host metadata with %q: %s", other, shows(err))
			}
			a.noToken(t)
			_ = a.Close()
		})
	}
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.dial = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		a := f.device(t, func(o *client.Options) { o.URL = "wss://localhost/?" + token })
		if _, err := a.Connect(t.Context()); err == nil || shows(err) != "" {
			t.Errorf("a dial without an end: %s", shows(err))
		}
		a.noToken(t)
		_ = a.Close()
	})
}

// noToken searches the events of a client for the token.
func (d *device) noToken(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		switch e := e.(type) {
		case client.Warning:
			if where := shows(e.Err); where != "" {
				t.Errorf("a warning: %s", where)
			}
		case client.StateChanged:
			if e.State.Err != nil && shows(e.State.Err) != "" {
				t.Errorf("a state: %s", shows(e.State.Err))
			}
		}
	}
}
