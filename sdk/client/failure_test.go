//go:build !js

package client_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport/web"
	"xmpp-pam/sdk/transport/ws"
)

func TestNewErrors(t *testing.T) {
	good := client.Options{
		Account: "alice@localhost", URL: "ws://127.0.0.1:1/", Credentials: password("x"), Dialer: &ws.Dialer{},
	}
	tests := []struct {
		name string
		edit func(*client.Options)
		want pam.Code
	}{
		{"no account", func(o *client.Options) { o.Account = "" }, pam.CodeBadOptions},
		{"full JID", func(o *client.Options) { o.Account = "alice@localhost/phone" }, pam.CodeBadJID},
		{"domain", func(o *client.Options) { o.Account = "localhost" }, pam.CodeBadJID},
		{"no JID", func(o *client.Options) { o.Account = "a@b@c" }, pam.CodeBadJID},
		{"no URL", func(o *client.Options) { o.URL = "" }, pam.CodeBadOptions},
		{"https", func(o *client.Options) { o.URL = "https://localhost/" }, pam.CodeBadOptions},
		{"no host", func(o *client.Options) { o.URL = "wss:" }, pam.CodeBadOptions},
		{"control character", func(o *client.Options) { o.URL = "wss://a\x00b/" }, pam.CodeBadOptions},
		{"not encrypted", func(o *client.Options) { o.URL = "ws://example.org/" }, pam.CodeTLSRequired},
		{"looks like loopback", func(o *client.Options) { o.URL = "ws://localhost.example.org/" }, pam.CodeTLSRequired},
		{"a URL to follow to", func(o *client.Options) { o.FollowTo = []string{"wss://b.example"} }, pam.CodeBadOptions},
		{"a port to follow to", func(o *client.Options) { o.FollowTo = []string{"a.example", "b.example:443"} }, pam.CodeBadOptions},
		{"no host to follow to", func(o *client.Options) { o.FollowTo = []string{""} }, pam.CodeBadOptions},
		{"a wrong URL beside a Fetcher", func(o *client.Options) { o.URL, o.Fetcher = "https://localhost/", &web.Fetcher{} }, pam.CodeBadOptions},
		{"no credentials", func(o *client.Options) { o.Credentials = nil }, pam.CodeBadOptions},
		{"no dialer", func(o *client.Options) { o.Dialer = nil }, pam.CodeBadOptions},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := good
			tt.edit(&opts)
			_, err := client.New(&opts)
			if got := asError(t, err); got.Code != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
	if _, err := client.New(nil); asError(t, err).Code != pam.CodeBadOptions {
		t.Errorf("nil options gave %v", err)
	}
}

// TestNoServer connects to servers that do not speak XMPP. The first attempt fails
// with the error of the case, and Disconnect ends the attempts.
func TestNoServer(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, data, err := c.Read(r.Context())
			if err != nil {
				return
			}
			_ = c.Write(r.Context(), kind, data)
		}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "ws://" + closed.Addr().String() + "/"
	_ = closed.Close()

	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    pam.Code
	}{
		{"connection refused", nil, pam.CodeTransport},
		{"plain HTTP", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }, pam.CodeTransport},
		{"not found", http.NotFound, pam.CodeTransport},
		{"another subprotocol", func(w http.ResponseWriter, r *http.Request) {
			if c, err := websocket.Accept(w, r, nil); err == nil {
				_ = c.CloseNow()
			}
		}, pam.CodeTransport},
		{"echo", echo, pam.CodeProtocol},
		{"greets in prose", func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
			if err == nil {
				_ = c.Write(r.Context(), websocket.MessageText, []byte("hello"))
				_, _, _ = c.Read(r.Context())
				_ = c.CloseNow()
			}
		}, pam.CodeProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := refusing
			if tt.handler != nil {
				front := httptest.NewServer(tt.handler)
				defer front.Close()
				url = "ws" + strings.TrimPrefix(front.URL, "http")
			}
			d := newDevice(t, &peer{url: url, domain: "localhost"}, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := d.Connect(ctx)
			if got := asError(t, err); got.Code != tt.want {
				t.Errorf("got %v (%v), want %s", got, got.Err, tt.want)
			}
			if err := d.Disconnect(ctx); err != nil || d.State().Phase != pam.PhaseOffline {
				t.Errorf("disconnect: %v, %+v", err, d.State())
			}
		})
	}
}

// TestNoReconnect checks that a client does not reconnect if its options disable it.
func TestNoReconnect(t *testing.T) {
	d := newDevice(t, &peer{url: "ws://127.0.0.1:1/", domain: "localhost"}, nil, noReconnect)
	_, err := d.Connect(t.Context())
	if got := asError(t, err); got.Code != pam.CodeTransport {
		t.Errorf("got %v", got)
	}
	if s := d.State(); s.Phase != pam.PhaseFailed || !s.NextAttempt.IsZero() {
		t.Errorf("state %+v", s)
	}
}

// TestMalformed has the server send malformed XML.
func TestMalformed(t *testing.T) {
	p := newPeer(t)
	p.onlyMem(t)
	for _, text := range []string{"hello", "<a><b></a>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<message xmlns='jabber:client'/><message xmlns='jabber:client'/>"} {
		a := newDevice(t, p, nil, quick).connect()
		if err := p.Send(p.Sessions("alice@localhost")[0], text); err != nil {
			t.Fatal(err)
		}
		a.wait("an error", func() bool { return a.State().Phase != pam.PhaseLive })
		a.wait("live again", func() bool { return a.State().Phase == pam.PhaseLive })
		if !strings.Contains(a.log(), "stream:error") && !strings.Contains(a.log(), "urn:ietf:params:xml:ns:xmpp-streams") {
			t.Errorf("%s: no stream error was sent\n%s", text, a.log())
		}
		_ = a.Close()
	}
}

// TestWithoutPAM logs in at a server that does not offer PAM.
func TestWithoutPAM(t *testing.T) {
	kept := keep(store.NewMemory())
	with := newPeer(t)
	with.onlyMem(t)
	a := newDevice(t, with, kept).connect()
	subscribe(t, a, "pubsub.localhost", "news")
	_ = a.Close()

	server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": testPassword}, DisablePAM: true})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server)
	defer front.Close()
	defer server.Close()
	a = newDevice(t, &peer{url: "ws" + strings.TrimPrefix(front.URL, "http"), domain: "localhost"}, kept).connect()
	if s := a.State(); s.Phase != pam.PhaseLive || len(s.Missing) != 1 || s.Missing[0] != "pam" {
		t.Errorf("state %+v", s)
	}
	a.waitNodes("news")
	_, err = a.Subscribe(t.Context(), pam.Target{Service: "pubsub.localhost", Node: "weather"})
	if got := asError(t, err); got.Code != pam.CodeUnsupported {
		t.Errorf("subscribe gave %v", got)
	}
	if got := asError(t, a.Refresh(t.Context(), false)); got.Code != pam.CodeUnsupported {
		t.Errorf("refresh gave %v", got)
	}
}

// TestBrokenStore has every commit fail: the client keeps the list in memory, and
// warns.
func TestBrokenStore(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, broken{store.NewMemory()}).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	a.waitNodes("news")
	if s := a.State(); !s.Storage.Degraded || s.Storage.Err == nil || s.Phase != pam.PhaseLive {
		t.Errorf("state %+v", s)
	}
	warned := false
	for _, e := range a.events {
		w, ok := e.(client.Warning)
		warned = warned || ok && w.Err.Code == pam.CodeStorage
	}
	if !warned {
		t.Error("no warning")
	}
}

type broken struct{ store.Store }

func (broken) Commit(context.Context, []store.Record, []store.Op) error {
	return errors.New("the disk is full")
}
