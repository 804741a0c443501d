package client

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport"
)

type noNetwork struct{}

func (noNetwork) Dial(context.Context, string, func()) (transport.Conn, error) {
	return nil, errors.New("there is no network")
}

// FuzzOptions passes hostile text to New and to a request: every outcome is a Client or
// an error with a code, and net/url reads an accepted URL in the same way.
func FuzzOptions(f *testing.F) {
	f.Add("francisco@denmark.lit", "wss://denmark.lit/xmpp-websocket", "r", "PLAIN", "pubsub.lit", "n", "s")
	f.Add("a@b", "ws://localhost:80", "", "", "", "", "")
	f.Add("@", "ws://[::1]:1/", "'/>", "\x00", "@", "\xff", "")
	for _, u := range []string{"ws://localhost@evil.example/", "ws://evil.example#localhost", "ws://[localhost]/", "ws://]localhost[/", "ws://[localhost", "ws://127.0.0.1.evil.example/",
		"ws://%6cocalhost/", "WS://LOCALHOST?x", "ws://localhost:8o", "ws://[::1%25lo]/", "ws://[::1]x:1/", "ws://localhost\\@evil.example/", "wss://a,b/", "ws://:80/"} {
		f.Add("a@b", u, "r", "PLAIN", "pubsub.lit", "n", "")
	}
	f.Fuzz(func(t *testing.T, account, address, resource, mechanism, service, node, subid string) {
		c, err := New(&Options{Account: account, URL: address, Resource: resource, Mechanisms: []string{mechanism}, Dialer: noNetwork{}, Reconnect: &Reconnect{Off: true},
			Credentials: func(context.Context, CredentialRequest) (Credentials, error) { return Credentials{Password: "x"}, nil }})
		if err != nil {
			hasCode(t, err, pam.CodeBadOptions, pam.CodeBadJID, pam.CodeTLSRequired)
			return
		}
		defer c.Close()
		sameAddress(t, address)
		target := pam.Target{Service: service, Node: node, SubID: subid}
		if _, err = c.Subscribe(t.Context(), target); true {
			hasCode(t, err, pam.CodeBadOptions, pam.CodeBadJID, pam.CodeOffline)
		}
		hasCode(t, c.Unsubscribe(t.Context(), target), pam.CodeBadOptions, pam.CodeBadJID, pam.CodeOffline)
		if j, err := jid.Parse(service); err == nil {
			r := listsync.UnsubscribeRequest(j.String(), node, account, subid)
			if got := r.First(); r.Attr("jid") != j.String() || got.Attr("node") != node || got.Attr("subid") != subid {
				t.Errorf("the request holds %s", r)
			}
		}
	})
}

func hasCode(t *testing.T, err error, codes ...pam.Code) {
	t.Helper()
	var e *pam.Error
	if errors.As(err, &e) {
		for _, code := range codes {
			if e.Code == code && e.Text != "" {
				return
			}
		}
	}
	t.Fatalf("got %#v, want one of %v", err, codes)
}

// sameAddress compares scheme and authority only, because net/url is too strict for the
// rest.
func sameAddress(t *testing.T, address string) {
	t.Helper()
	at, err := hostmeta.ParseEndpoint(address)
	if err != nil {
		t.Fatal(err)
	}
	scheme, host := "ws", at.Host
	if at.TLS {
		scheme = "wss"
	}
	end := strings.Index(address, "://") + 3
	if i := strings.IndexAny(address[end:], "/?"); i >= 0 {
		end += i
	} else {
		end = len(address)
	}
	u, err := url.Parse(address[:end])
	if err != nil || u.Scheme != scheme || strings.ToLower(u.Hostname()) != host || u.User != nil {
		t.Fatalf("%q is %q at %q here, and %v (%v) to net/url", address, scheme, host, u, err)
	}
}
