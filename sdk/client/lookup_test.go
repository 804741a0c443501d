//go:build !js

package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/web"
	"xmpp-pam/sdk/transport/ws"
)

// A directory answers lookups: with status 404 if it has no address.
type directory struct {
	mu    sync.Mutex
	at    string // the address in its answer
	err   error
	asked int // lookups, not documents
	slow  bool
}

func (d *directory) Fetch(ctx context.Context, url string) (transport.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if strings.HasSuffix(url, ".json") {
		d.asked++
	}
	switch {
	case d.slow:
		<-ctx.Done()
		return transport.Response{}, ctx.Err()
	case d.err != nil:
		return transport.Response{}, d.err
	case d.at == "":
		return transport.Response{Status: 404}, nil
	}
	return transport.Response{Status: 200, Body: `{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"` + d.at + `"}]}`}, nil
}

func (d *directory) lookups() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

func (d *directory) lookup(o *client.Options) { o.URL, o.Fetcher = "", d }

// TestLookUp checks when a client looks up the address, from the first connection on.
func TestLookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, d := newScripted(), &directory{at: "wss://one.example/ws"}
		a := f.device(t, d.lookup, waits(time.Second, 0)).connect()
		expect := func(asked, dials int, last string) {
			t.Helper()
			synctest.Wait()
			if s := a.State(); s.Phase != pam.PhaseLive || d.lookups() != asked || len(f.addresses()) != dials || f.addresses()[dials-1] != last {
				t.Fatalf("%+v (%v) after %d lookups, dialed %q", s, s.Err, d.lookups(), f.addresses())
			}
		}
		expect(1, 1, "wss://one.example/ws")

		// The client looks nothing up after a lost session.
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Minute + 10*time.Second)
		expect(1, 2, "wss://one.example/ws")

		// It does so after a failed attempt.
		f.set(func() { f.down = "wss://one.example/ws" })
		d.at = "wss://two.example/ws"
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Minute + 10*time.Second)
		expect(2, 4, "wss://two.example/ws")

		// While a lookup finds nothing, the client uses the last address.
		f.set(func() { f.down = "wss://two.example/ws" })
		d.at = ""
		f.socket().fail(errors.New("reset"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseWaiting || s.Err.Code != pam.CodeTransport || d.lookups() < 3 {
			t.Fatalf("%+v (%v) after %d lookups", s, s.Err, d.lookups())
		}
		f.set(func() { f.down = "" })
		time.Sleep(time.Minute)
		synctest.Wait()
		expect(d.lookups(), len(f.addresses()), "wss://two.example/ws")
		_ = a.Close()
	})
}

// TestLookUpFails has the lookup find no address, with a final error or a temporary one.
func TestLookUpFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		dir   *directory
		phase pam.Phase
		text  string
	}{
		{"nothing is there", &directory{}, pam.PhaseFailed, "http://localhost/.well-known/host-meta.json was answered with status 404"},
		{"not encrypted", &directory{at: "ws://example.org/"}, pam.PhaseFailed, `"ws://example.org/"`},
		{"not reachable", &directory{err: errors.New("no route")}, pam.PhaseWaiting, "no route"},
		{"silent", &directory{slow: true}, pam.PhaseWaiting, "10s"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f, d := newScripted(), tt.dir
			a := f.device(t, d.lookup, quick)
			_, err := a.Connect(t.Context())
			got := asError(t, err)
			if got.Code != pam.CodeDiscovery || got.Origin != pam.FromNetwork || !strings.Contains(got.Text, tt.text) ||
				got.Retryable != (tt.phase == pam.PhaseWaiting) || a.State().Phase != tt.phase || len(f.addresses()) > 0 || time.Since(f.start) > 10*time.Second {
				t.Errorf("%+v in %v, dialed %q, %+v", got, time.Since(f.start), f.addresses(), a.State())
			}
			d.mu.Lock()
			d.at, d.err, d.slow = "wss://localhost/", nil, false
			d.mu.Unlock()
			if tt.phase == pam.PhaseWaiting {
				time.Sleep(time.Second)
			} else {
				a.connect()
			}
			if s := a.State(); s.Phase != pam.PhaseLive {
				t.Errorf("%+v", s)
			}
			_ = a.Close()
		})
	}
}

// TestGivenURL checks that a client with a URL looks up nothing.
func TestGivenURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, d := newScripted(), &directory{at: "wss://found.example/"}
		f.down = "wss://localhost/"
		a := f.device(t, func(o *client.Options) { o.Fetcher = d }, quick)
		_, _ = a.Connect(t.Context())
		time.Sleep(time.Second)
		synctest.Wait()
		if d.lookups() > 0 || len(f.addresses()) < 2 || f.addresses()[1] != "wss://localhost/" {
			t.Errorf("%d lookups, dialed %q", d.lookups(), f.addresses())
		}
		_ = a.Close()
	})
}

// TestDisconnectDuringLookUp checks that Disconnect ends a lookup.
func TestDisconnectDuringLookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, d := newScripted(), &directory{slow: true}
		a := f.device(t, d.lookup)
		connected := a.connecting(t.Context())
		synctest.Wait()
		if err := a.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-connected; asError(t, err).Code != pam.CodeAborted {
			t.Errorf("connect gave %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseOffline || len(f.addresses()) > 0 || d.lookups() != 1 {
			t.Errorf("%+v after %d lookups, dialed %q", s, d.lookups(), f.addresses())
		}
		_ = a.Close()
	})
}

// TestLookUpOverTLS uses real sockets: a domain's web server over https:, the WebSocket
// server that it names, and the server to which that one redirects.
func TestLookUpOverTLS(t *testing.T) {
	server, err := mem.New(mem.Config{Domain: "example.com", Accounts: map[string]string{"alice": testPassword}})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.CreateNode("news", "open"); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/xmpp-websocket", server)
	mux.HandleFunc("/.well-known/host-meta", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">
			<Link rel="urn:xmpp:alt-connections:websocket" href="wss://xmpp.example.com/xmpp-websocket"/></XRD>`))
	})
	front := httptest.NewTLSServer(mux)
	defer front.Close()
	defer server.Close()

	// The server's client resolves example.com to this server, and trusts its certificate.
	d := newDevice(t, &peer{domain: "example.com"}, nil, func(o *client.Options) {
		o.Fetcher = &web.Fetcher{HTTPClient: front.Client()}
		o.Dialer = &ws.Dialer{HTTPClient: front.Client()}
	}).connect()
	subscribe(t, d, "pubsub.example.com", "news")

	to := goTo("wss://xmpp.example.com:443/xmpp-websocket")
	if err := server.Send(server.Sessions("alice@example.com")[0], to); err != nil {
		t.Fatal(err)
	}
	d.wait("another session", func() bool {
		return strings.Count(d.logLocked(), "<auth") == 2 && d.State().Phase == pam.PhaseLive
	})
	if s := d.State(); s.Attempt != 2 {
		t.Errorf("%+v", s)
	}

	// A client that does not trust the certificate finds no address, and sends nothing.
	e := newDevice(t, &peer{domain: "example.com"}, nil, func(o *client.Options) {
		o.Fetcher = &web.Fetcher{HTTPClient: &http.Client{Transport: untrusting(front)}}
	})
	_, err = e.Connect(t.Context())
	if got := asError(t, err); got.Code != pam.CodeDiscovery || !strings.Contains(got.Text, "certificate") {
		t.Errorf("got %v", err)
	}
	_ = e.Close()
	front.Client().CloseIdleConnections()
}

// untrusting returns a client that reaches the server as the server's own client does,
// but trusts only the certificates of the system.
func untrusting(front *httptest.Server) http.RoundTripper {
	transport := front.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig = nil
	transport.DisableKeepAlives = true
	return transport
}
