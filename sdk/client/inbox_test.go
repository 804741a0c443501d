//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// added returns the item ids and types of the events that were announced.
func (d *device) added() (items []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if c, ok := e.(client.EventsChanged); ok {
			for _, a := range c.Added {
				items = append(items, fmt.Sprintf("%s %s %s", a.Node, a.Type, a.ItemID))
			}
		}
	}
	return items
}

// until waits until ok reports true.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("there is not %s", what)
		}
	}
}

// TestInboxLive publishes at a followed node: the event is announced once, stored, and
// still there in the next run, with the mark that it was seen.
func TestInboxLive(t *testing.T) {
	p := newPeer(t)
	kept := store.NewMemory()
	a := newDevice(t, p, keep(kept)).connect()
	service := "pubsub." + p.domain
	subscribe(t, a, service, "news")
	if err := p.publish("news", "1", atomEntry); err != nil {
		t.Fatal(err)
	}
	if err := p.publish("weather", "2", atomEntry); err != nil { // not followed
		t.Fatal(err)
	}
	if err := p.publish("news", "3", atomEntry); err != nil {
		t.Fatal(err)
	}
	until(t, "the events", func() bool { return slices.Equal(a.added(), []string{"news published 1", "news published 3"}) })
	got, next, err := a.Events(t.Context(), pam.EventQuery{})
	if err != nil || len(got) != 2 || next != "" {
		t.Fatalf("got %+v, %q, %v", got, next, err)
	}
	e := got[1]
	if e.ItemID != "1" || e.Entry == nil || e.Entry.Title != "A & B" || e.Delivery != pam.DeliveryLive || e.Seen.State != pam.Unseen || e.XML == "" || e.Service != service {
		t.Errorf("got %+v", e)
	}
	if want := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC); !e.OccurredAt.Equal(want) || e.TimeSource != pam.TimePayload {
		t.Errorf("it happened at %v, by %s", e.OccurredAt, e.TimeSource)
	}
	if err := a.MarkSeen(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "the mark", func() bool { s, _ := a.Inbox(t.Context()); return s.Unseen == 1 })
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b := newDevice(t, p, keep(kept))
	got, _, err = b.Events(t.Context(), pam.EventQuery{UnseenOnly: true})
	if err != nil || len(got) != 1 || got[0].ItemID != "3" || got[0].XML == "" {
		t.Errorf("the next run has %+v, %v", got, err)
	}
}

// TestInboxAway publishes while a device is away: it finds each event once, and says how.
func TestInboxAway(t *testing.T) {
	p := newPeer(t)
	kept := store.NewMemory()
	a := newDevice(t, p, keep(kept)).connect()
	service := "pubsub." + p.domain
	subscribe(t, a, service, "news")
	if err := p.publish("news", "1", atomEntry); err != nil {
		t.Fatal(err)
	}
	until(t, "the event", func() bool { return len(a.added()) == 1 })
	until(t, "the catch-up", func() bool { s, _ := a.Inbox(t.Context()); return s.CatchUp.Phase == pam.CatchUpDone })
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := p.publish("news", fmt.Sprint("away", i), atomEntry); err != nil {
			t.Fatal(err)
		}
	}
	b := newDevice(t, p, keep(kept)).connect()
	until(t, "the catch-up", func() bool { s, _ := b.Inbox(t.Context()); return s.CatchUp.Phase == pam.CatchUpDone })
	until(t, "the missed events", func() bool { return len(b.added()) >= 5 })
	want := []string{"news published away0", "news published away1", "news published away2", "news published away3", "news published away4"}
	if got := b.added(); !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
	s, _ := b.Inbox(t.Context())
	if s.Unseen != 6 || s.CatchUp.Completeness == pam.Complete && p.Server != nil {
		t.Errorf("got %+v", s)
	}
}
