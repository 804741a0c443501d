//go:build !js

package client_test

import (
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"xmpp-pam/sdk/pam"
)

// entryAt returns an Atom entry of a time.
func entryAt(at time.Time) string {
	return "<entry xmlns='http://www.w3.org/2005/Atom'><title>A</title><updated>" + at.UTC().Format(time.RFC3339Nano) + "</updated></entry>"
}

// entries counts the entries that publishEntries has published.
var entries atomic.Int64

// publishEntries publishes entries at news, of the last hour, each a second after the last
// one.
func publishEntries(t *testing.T, p *peer, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := p.publish("news", id, entryAt(time.Now().Add(time.Duration(entries.Add(1))*time.Second-time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
}

// seen returns state and basis of each event, by item.
func (d *device) seen() map[string]string {
	d.t.Helper()
	events, _, err := d.Events(d.t.Context(), pam.EventQuery{Limit: 500})
	if err != nil {
		d.t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range events {
		found[e.ItemID] = fmt.Sprintf("%s %s", e.Seen.State, e.Seen.Basis)
	}
	return found
}

// id returns the id of the event of an item.
func (d *device) id(item string) string {
	d.t.Helper()
	events, _, _ := d.Events(d.t.Context(), pam.EventQuery{Limit: 500})
	for _, e := range events {
		if e.ItemID == item {
			return e.ID
		}
	}
	d.t.Fatalf("there is no event of %s", item)
	return ""
}

func (d *device) inbox() pam.InboxState {
	d.t.Helper()
	s, err := d.Inbox(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// untilShared waits until the device shares what was seen, and knows all that it missed.
func (d *device) untilShared() *device {
	d.t.Helper()
	until(d.t, "the end of the catch-up", func() bool {
		s := d.inbox()
		return s.SeenScope == pam.ScopeAccount && s.CatchUp.Phase == pam.CatchUpDone
	})
	return d
}

// untilSeen waits until the events have these states.
func (d *device) untilSeen(want map[string]string) {
	d.t.Helper()
	var got map[string]string
	for end := time.Now().Add(10 * time.Second); !maps.Equal(got, want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("seen: %v, want %v\n%s", got, want, d.log())
		}
		got = d.seen()
	}
}

const (
	notSeen   = "unseen none"
	here      = "seen-here this-device"
	synced    = "likely-seen-elsewhere displayed-sync"
	elsewhere = "likely-seen-elsewhere live-elsewhere"
)

// privateNode is how the wire names the private nodes, and the namespace of their items.
const privateNode = "'urn:xmpp-pam:seen:0"
