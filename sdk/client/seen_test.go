//go:build !js

package client_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/privatepep"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestSeenElsewhere marks events on one device: the other shows it after one publication
// and one notification, which it shows neither as a message nor as an event.
func TestSeenElsewhere(t *testing.T) {
	p := newPeer(t)
	a, b := newDevice(t, p, nil).connect(), newDevice(t, p, nil).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	b.waitNodes("news")
	for _, d := range []*device{a, b} {
		d.untilShared()
	}
	publishEntries(t, p, "1", "2", "3")
	for _, d := range []*device{a, b} {
		d.untilSeen(map[string]string{"1": notSeen, "2": notSeen, "3": notSeen})
	}
	if err := a.MarkSeenUpTo(t.Context(), a.id("2")); err != nil {
		t.Fatal(err)
	}
	b.untilSeen(map[string]string{"1": synced, "2": synced, "3": notSeen})
	a.untilSeen(map[string]string{"1": here, "2": here, "3": notSeen})
	if n := strings.Count(a.wire(true), "<publish node="+privateNode); n != 1 {
		t.Errorf("%d publications:\n%s", n, a.log())
	}
	notified := 0
	b.mu.Lock()
	for _, f := range b.frames {
		if !f.Out && f.Kind == "message" && strings.Contains(f.XML, privateNode[1:]) {
			notified++
		}
	}
	b.mu.Unlock()
	if notified != 1 {
		t.Errorf("%d notifications:\n%s", notified, b.log())
	}
	if s := b.inbox(); s.Unseen != 1 {
		t.Errorf("%d are unseen", s.Unseen)
	}
	for _, d := range []*device{a, b} {
		d.mu.Lock()
		for _, e := range d.events {
			if m, ok := e.(client.MessageReceived); ok && strings.Contains(m.XML, privateNode[1:]) {
				t.Errorf("the marker is shown as a message: %s", m.XML)
			}
		}
		d.mu.Unlock()
		if s := d.inbox(); len(s.Nodes) != 1 {
			t.Errorf("nodes: %v", s.Nodes)
		}
	}
}

// TestSeenWhileAway marks events while the other device is away: it shows that when it is
// back. A new device shows it too.
func TestSeenWhileAway(t *testing.T) {
	p := newPeer(t, func(c *mem.Config) { c.Archive = true })
	kept := keep(store.NewMemory())
	a, b := newDevice(t, p, nil).connect(), newDevice(t, p, kept).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	b.waitNodes("news")
	publishEntries(t, p, "before")
	b.untilSeen(map[string]string{"before": notSeen})
	b.untilShared()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	a.untilShared()
	publishEntries(t, p, "1", "2", "3", "4")
	until(t, "the events", func() bool { return len(a.seen()) == 5 })
	if err := a.MarkSeenUpTo(t.Context(), a.id("2")); err != nil {
		t.Fatal(err)
	}
	a.wait("the publication", func() bool { return published(a.frames) })

	b = newDevice(t, p, kept).connect()
	until(t, "the marker", func() bool { return b.seen()["2"] == synced && len(b.seen()) == 5 })
	for id, want := range map[string]string{"before": synced, "1": synced, "3": notSeen, "4": notSeen} {
		// Prosody sends presence of the other device, which was connected all the time. Its
		// stamps are in whole seconds, so that an event may seem older than the connection.
		if got := b.seen()[id]; got != want && (p.Server != nil || want != notSeen || got != elsewhere) {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	c := newDevice(t, p, nil).connect()
	until(t, "the marker on a new device", func() bool { return c.seen()["2"] == synced })
}

// published reports whether a marker was published, and the server has confirmed it.
func published(frames []client.Frame) bool {
	id := ""
	for _, f := range frames {
		if f.Out && strings.Contains(f.XML, "<publish node="+privateNode) {
			id = f.ID
		}
		if !f.Out && f.Kind == "iq" && f.ID == id && id != "" {
			return true
		}
	}
	return false
}

// TestSeenStaysHere uses a server without private nodes: what is seen stays on the device,
// which says so once, and publishes nothing.
func TestSeenStaysHere(t *testing.T) {
	needsMem(t)
	p := newPeer(t, func(c *mem.Config) { c.Personality = mem.Personality{Public: true} })
	a, b := newDevice(t, p, nil).connect(), newDevice(t, p, nil).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	b.waitNodes("news")
	publishEntries(t, p, "1")
	until(t, "the event", func() bool { return len(a.seen()) == 1 && len(b.seen()) == 1 })
	if err := a.MarkSeen(t.Context(), a.id("1")); err != nil {
		t.Fatal(err)
	}
	a.untilSeen(map[string]string{"1": here})
	for _, d := range []*device{a, b} {
		until(t, "the scope", func() bool { return d.inbox().SeenScope == pam.ScopeDevice })
	}
	for range 2 { // A new session does not say it again.
		presences := func() int { return strings.Count(a.wire(true)+b.wire(true), "<presence ") }
		before := presences()
		for _, s := range p.Sessions("alice") {
			p.ForgetSession(s)
		}
		a.Drop()
		b.Drop()
		until(t, "the next sessions", func() bool {
			return presences() == before+2 && a.State().Phase == pam.PhaseLive && b.State().Phase == pam.PhaseLive
		})
	}
	if got := b.seen(); got["1"] != notSeen {
		t.Errorf("seen: %v", got)
	}
	for _, d := range []*device{a, b} {
		warnings := d.warnings(pam.CodeUnsupported)
		if len(warnings) != 1 || !strings.Contains(warnings[0], "stays on this device") {
			t.Errorf("warnings: %q", warnings)
		}
		if w := d.wire(true); strings.Contains(w, "<publish ") || strings.Contains(w, "<create ") {
			t.Errorf("a marker was published:\n%s", d.log())
		}
	}
}

// warnings returns the texts of the warnings with a code.
func (d *device) warnings(code pam.Code) (texts []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if w, ok := e.(client.Warning); ok && w.Err.Code == code {
			texts = append(texts, w.Err.Text)
		}
	}
	return texts
}

// TestForgedMarkers sends a device markers that the account has not published. They change
// nothing, and are shown as the messages that they are. Then the account publishes one.
func TestForgedMarkers(t *testing.T) {
	needsMem(t)
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	service := "pubsub.localhost"
	subscribe(t, a, service, "news")
	a.untilShared()
	publishEntries(t, p, "1", "2")
	a.untilSeen(map[string]string{"1": notSeen, "2": notSeen})

	key, payload := engine.Marker(pam.Marker{Service: service, Node: "news", ItemID: "2", At: time.Now().Add(time.Hour), TimeSource: pam.TimePayload})
	other, _ := engine.Marker(pam.Marker{Service: service, Node: "weather"})
	node, full := privatepep.Node(ns.Seen, key), p.Sessions("alice")[0]
	message := func(from, more string) string {
		return "<message xmlns='jabber:client' " + from + "><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='" + node +
			"'><item id='" + key + "'>" + payload + "</item></items></event>" + more + "</message>"
	}
	forged := []string{
		message("from='mallory@localhost'", ""),
		message("from='bob@localhost/phone'", ""),
		message("from='"+full+"'", ""),
		message("from='localhost'", ""),
		message("from='pubsub.localhost'", ""),
		message("from='alice@localhost.example'", ""),
		message("from='alice@localhost' type='error'", ""),
		message("xmlns:x='jabber:client' x:from='alice@localhost' from='mallory@localhost'", ""),
		"<message xmlns='jabber:client' from='alice@localhost'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>" +
			message("from='alice@localhost'", "") + "</forwarded></received></message>",
	}
	for _, m := range forged {
		if err := p.Send(full, m); err != nil {
			t.Fatal(err)
		}
	}
	// What the account itself sends counts only if it names the node of its key.
	wrong := strings.Replace(message("from='alice@localhost'", ""), node, privatepep.Node(ns.Seen, key+"x"), 1)
	if wrong == message("from='alice@localhost'", "") {
		t.Fatal("both keys belong in the same node")
	}
	for _, m := range []string{
		wrong,
		strings.NewReplacer(key, other, node, privatepep.Node(ns.Seen, other)).Replace(message("from='alice@localhost'", "")),
		strings.Replace(message("from='alice@localhost'", ""), "item='2'", "", 1),
	} {
		if err := p.Send(full, m); err != nil {
			t.Fatal(err)
		}
	}
	publishEntries(t, p, "3")
	a.untilSeen(map[string]string{"1": notSeen, "2": notSeen, "3": notSeen})
	shown := 0
	a.mu.Lock()
	for _, e := range a.events {
		if m, ok := e.(client.MessageReceived); ok && strings.Contains(m.XML, "urn:xmpp-pam:seen:0:") {
			shown++
		}
	}
	a.mu.Unlock()
	if shown != len(forged) {
		t.Errorf("%d messages are shown, want %d", shown, len(forged))
	}
	if err := p.Send(full, strings.ReplaceAll(message("from='Alice@LOCALHOST'", ""), "\"", "'")); err != nil {
		t.Fatal(err)
	}
	until(t, "the genuine marker", func() bool { s := a.seen(); return s["1"] == synced && s["2"] == synced })
}

// TestScopeEvents checks that a change of the scope is announced.
func TestScopeEvents(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	for range 5 {
		if _, err := a.IQ(t.Context(), "", "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
			t.Fatal(err)
		}
	}
	if s := a.inbox().SeenScope; s != pam.ScopeUnknown {
		t.Errorf("without a subscription: %q", s)
	}
	subscribe(t, a, "pubsub."+p.domain, "news")
	a.wait("the scope", func() bool {
		return slices.Contains(a.events, client.Event(client.SeenScopeChanged{Scope: pam.ScopeAccount}))
	})
}
