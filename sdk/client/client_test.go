//go:build !js

package client_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestTwoDevices subscribes on one device and waits for the row on the other.
func TestTwoDevices(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	b := newDevice(t, p, nil).connect()
	service := "pubsub." + p.domain

	got, err := a.Subscribe(t.Context(), pam.Target{Service: service, Node: "news"})
	if err != nil {
		t.Fatalf("subscribe: %v\n%s", err, a.log())
	}
	if got.State != pam.StateSubscribed || got.Node != "news" || got.JID != "alice@"+p.domain {
		t.Errorf("got %+v", got)
	}
	if nodes := nodesOf(a.Snapshot().List); len(nodes) != 1 {
		t.Errorf("subscribe returned before the list showed the row: %v", nodes)
	}
	b.waitNodes("news")
	if va, vb := a.Snapshot().Version, b.Snapshot().Version; (va == "") != p.like.NoVersions || va != vb {
		t.Errorf("versions %q and %q", va, vb)
	}

	if err := b.Unsubscribe(t.Context(), pam.Target{Service: service, Node: "news"}); err != nil {
		t.Fatalf("unsubscribe: %v", err)
	}
	p.refreshIfSilent(a)
	a.waitNodes()
	if err := b.Unsubscribe(t.Context(), pam.Target{Service: service, Node: "news"}); err != nil {
		t.Errorf("unsubscribing again: %v", err)
	}
}

// TestDelta disconnects a device, changes the list on another one, and checks that the
// server sends only the difference when the device reconnects.
func TestDelta(t *testing.T) {
	p := newPeer(t)
	kept := keep(store.NewMemory())
	a := newDevice(t, p, nil).connect()
	b := newDevice(t, p, kept).connect()
	service := "pubsub." + p.domain
	subscribe(t, a, service, "news")
	b.waitNodes("news")

	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	subscribe(t, a, service, "weather")
	if err := a.Unsubscribe(t.Context(), pam.Target{Service: service, Node: "news"}); err != nil {
		t.Fatal(err)
	}

	b = newDevice(t, p, kept)
	snapshot, err := b.Load(t.Context())
	if err != nil || len(snapshot.List) != 1 || snapshot.Source != pam.SourceCache {
		t.Fatalf("stored: %+v, %v", snapshot, err)
	}
	b.connect().waitNodes("weather")
	if in := b.wire(false); p.like.NoVersions {
		t.Log("this server always sends the whole list")
	} else if strings.Contains(in, "<subscriptions") {
		t.Errorf("a full list crossed the wire:\n%s", in)
	} else if strings.Count(in, "<notify") != 2 {
		t.Errorf("want two notifies:\n%s", in)
	}
	if v := b.Snapshot().Version; v != a.Snapshot().Version {
		t.Errorf("version %q, want %q", v, a.Snapshot().Version)
	}

	// A new device gets the whole list.
	c := newDevice(t, p, nil).connect()
	c.waitNodes("weather")
	if in := c.wire(false); !strings.Contains(in, "<subscriptions") {
		t.Errorf("no list crossed the wire:\n%s", in)
	}
}

// TestReconnect drops the socket and checks that the client reconnects.
func TestReconnect(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	b := newDevice(t, p, nil, quick).connect()
	b.Drop()
	b.wait("the loss", func() bool { return b.State().Phase != pam.PhaseLive })
	subscribe(t, a, "pubsub."+p.domain, "news")
	b.waitNodes("news")
	b.wait("live", func() bool { return b.State().Phase == pam.PhaseLive })
}

func TestAccountsAreApart(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	b := newDevice(t, p, nil, func(o *client.Options) {
		o.Account = "bob@" + p.domain
		o.Credentials = password("secret-b")
	}).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	subscribe(t, b, "pubsub."+p.domain, "weather")
	a.waitNodes("news")
	b.waitNodes("weather")
}

func TestRequestErrors(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	service := "pubsub." + p.domain
	tests := []struct {
		name   string
		target pam.Target
		want   pam.Error
	}{
		{"missing node", pam.Target{Service: service, Node: "nowhere"},
			pam.Error{Code: pam.CodeStanza, Origin: pam.FromService, By: service, Condition: "item-not-found"}},
		{"forbidden node", pam.Target{Service: service, Node: "club"},
			pam.Error{Code: pam.CodeStanza, Origin: pam.FromService, By: service}},
		{"bad service", pam.Target{Service: "a@b@c", Node: "news"},
			pam.Error{Code: pam.CodeBadJID, Origin: pam.FromClient}},
		{"no service", pam.Target{Node: "news"},
			pam.Error{Code: pam.CodeBadJID, Origin: pam.FromClient}},
		{"no node", pam.Target{Service: service},
			pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := a.Subscribe(t.Context(), tt.target)
			got := asError(t, err)
			switch {
			case tt.want.Code != pam.CodeStanza:
			case p.like.Silent && tt.target.Node == "club": // The service, asked directly, refuses nothing.
				tt.want = pam.Error{Code: pam.CodeTimeout, Origin: got.Origin}
			case p.like.NoBy && !p.like.Silent:
				tt.want.By, tt.want.Origin = "", pam.FromServer
			}
			if got.Code != tt.want.Code || got.Origin != tt.want.Origin || got.By != tt.want.By {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if tt.want.Condition != "" && got.Condition != tt.want.Condition {
				t.Errorf("condition %q, want %q", got.Condition, tt.want.Condition)
			}
			if tt.want.Code == pam.CodeStanza && got.Condition == "" {
				t.Errorf("no condition in %+v", got)
			}
		})
	}
	if len(a.Snapshot().List) != 0 || len(a.Snapshot().Provisional) != 0 {
		t.Errorf("left behind: %+v", a.Snapshot())
	}
	subscribe(t, a, service, "news") // The client still works.
}

func TestWrongPassword(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil)
	a.password = "wrong"
	_, err := a.Connect(t.Context())
	got := asError(t, err)
	if got.Code != pam.CodeAuth || got.Condition != "not-authorized" || got.Retryable {
		t.Errorf("got %+v", got)
	}
	if s := a.State(); s.Phase != pam.PhaseFailed || s.Err == nil {
		t.Errorf("state %+v", s)
	}
	_, err = a.Subscribe(t.Context(), pam.Target{Service: "pubsub." + p.domain, Node: "news"})
	if got := asError(t, err); got.Code != pam.CodeOffline {
		t.Errorf("subscribe gave %+v", got)
	}
	a.mu.Lock()
	a.password = testPassword
	a.mu.Unlock()
	a.connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	if strings.Contains(a.log(), "wrong") || strings.Contains(a.log(), testPassword) {
		t.Error("a password was shown")
	}
	if !slices.Equal(a.reasons, []string{"initial", "rejected"}) {
		t.Errorf("credentials were asked for because of %q", a.reasons)
	}
	for line := range strings.Lines(a.log()) {
		for _, tag := range []string{"<auth", "<challenge", "<response", "<success"} {
			if strings.Contains(line, tag) && !strings.Contains(line, ">…</") {
				t.Errorf("shown: %s", line)
			}
		}
	}
}

func TestDisconnectAndClose(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	if err := a.Disconnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := a.State(); s.Phase != pam.PhaseOffline || s.Err != nil {
		t.Errorf("state %+v", s)
	}
	if got := nodesOf(a.Snapshot().List); len(got) != 1 {
		t.Errorf("the list is gone: %v", got)
	}
	a.connect()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := a.Connect(t.Context())
	if got := asError(t, err); got.Code != pam.CodeClosed {
		t.Errorf("after Close: %+v", got)
	}
}

func TestAbort(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Connect(ctx)
	if got := asError(t, err); got.Code != pam.CodeAborted {
		t.Errorf("got %+v", got)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err = a.Connect(ctx)
	if got := asError(t, err); got.Code != pam.CodeTimeout {
		t.Errorf("got %+v", got)
	}
	a.connect()
}

// TestOneConnectCanceled ends the context of one call of Connect: another call continues.
func TestOneConnectCanceled(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil)
	impatient, cancel := context.WithCancel(t.Context())
	first := a.connecting(impatient)
	a.wait("the first call", func() bool { return a.State().Phase != pam.PhaseOffline })
	second := a.connecting(t.Context())
	time.Sleep(time.Millisecond)
	cancel()
	if err := <-second; err != nil {
		t.Errorf("the other call: %v", err)
	}
	<-first
	if s := a.State(); s.Phase != pam.PhaseLive {
		t.Errorf("state %+v", s)
	}
}

// TestLastSynced checks that a change updates the time of the last sync, and that the
// client stores that time when the session ends.
func TestLastSynced(t *testing.T) {
	p := newPeer(t)
	kept := keep(store.NewMemory())
	a := newDevice(t, p, kept).connect()
	before := a.State().LastSynced
	time.Sleep(5 * time.Millisecond)
	subscribe(t, a, "pubsub."+p.domain, "news")
	after := a.State().LastSynced
	if !after.After(before) {
		t.Errorf("%v, then %v", before, after)
	}
	_ = a.Close()
	a = newDevice(t, p, kept)
	if _, err := a.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.State().LastSynced; got.Before(after.Truncate(time.Millisecond)) {
		t.Errorf("stored %v, want %v or later", got, after)
	}
}
