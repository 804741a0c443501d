//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// caughtUp waits for the end of the catch-up and returns the state of the inbox.
func (d *device) caughtUp(t *testing.T) pam.InboxState {
	t.Helper()
	var s pam.InboxState
	until(t, "the end of the catch-up", func() bool {
		s, _ = d.Inbox(t.Context())
		return s.CatchUp.Phase == pam.CatchUpDone
	})
	return s
}

// bubbledPeer starts a server in a bubble, with a node news and a node weather. Its devices
// reach it by the dialer.
func bubbledPeer(t *testing.T, edit func(*mem.Config)) (p *peer, dial func(*client.Options)) {
	t.Helper()
	config := mem.Config{Accounts: map[string]string{"alice": testPassword}, ResumeFor: time.Hour}
	edit(&config)
	server, err := mem.New(config)
	check(t, err)
	check(t, server.CreateNode("news", "open"))
	check(t, server.CreateNode("weather", "open"))
	n := newNetwork()
	front := n.serve(server)
	t.Cleanup(func() {
		_ = server.Close()
		_ = front.Close()
	})
	return &peer{url: "ws://localhost/xmpp-websocket", domain: "localhost", publish: server.Publish, Server: server, like: config.Personality},
		func(o *client.Options) { o.Dialer, o.Mechanisms = n, []string{"PLAIN"} }
}

// TestMeans has a device miss events, which it finds by every means that a server can
// offer: each once, and with the completeness that the means allows.
func TestMeans(t *testing.T) {
	for _, tt := range []struct {
		name     string
		edit     func(*mem.Config)
		complete pam.Completeness
		gaps     bool
		away     []string // retractions and the deletion are known to archives of accounts only
	}{
		{"archive of the account", func(c *mem.Config) { c.Archive, c.ArchivePage = true, 3 }, pam.Complete, false, []string{"retracted", "deleted"}},
		{"archive of the node", func(c *mem.Config) { c.NodeArchive, c.ArchivePage = true, 3 }, pam.Partial, true, []string{"deleted"}},
		{"items in pages", func(c *mem.Config) { c.RSM = true }, pam.CompletenessUnknown, false, []string{"retracted", "deleted"}},
		{"items", func(*mem.Config) {}, pam.CompletenessUnknown, false, []string{"retracted", "deleted"}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			p, dial := bubbledPeer(t, tt.edit)
			kept := keep(store.NewMemory())
			service := "pubsub." + p.domain
			a := newDevice(t, p, kept, dial).connect()
			subscribe(t, a, service, "news")
			subscribe(t, a, service, "weather")
			a.caughtUp(t)
			for i := range 3 {
				check(t, p.publish("news", fmt.Sprint("n", i), atomEntry))
			}
			until(t, "the events", func() bool { return len(a.added()) == 3 })
			check(t, a.Looked(t.Context()))
			time.Sleep(time.Hour) // A node is not asked again for 5 minutes.
			check(t, a.Close())

			for i := range 10 {
				check(t, p.publish("news", fmt.Sprint("away", i), fmt.Sprintf("<x xmlns='urn:x'>%d</x>", i)))
			}
			check(t, p.Retract(service, "news", "n1"))
			check(t, p.DeleteNode(service, "weather", ""))

			b := newDevice(t, p, kept, dial).connect()
			s := b.caughtUp(t)
			var want []string
			for i := range 10 {
				want = append(want, fmt.Sprint("news published away", i))
			}
			got := slices.DeleteFunc(b.added(), func(e string) bool { return !slices.Contains(want, e) })
			if !slices.Equal(got, want) {
				t.Errorf("found %q", got)
			}
			all := b.added()
			if retracted := slices.Contains(all, "news retracted n1"); retracted != slices.Contains(tt.away, "retracted") {
				t.Errorf("the retraction was found: %v", retracted)
			}
			if s.CatchUp.Completeness != tt.complete || (len(s.CatchUp.Gaps) > 0) != tt.gaps || s.CatchUp.Received != len(all) || s.CatchUp.Since.IsZero() {
				t.Errorf("%+v, found %q", s.CatchUp, all)
			}
			check(t, p.publish("news", "live", atomEntry))
			until(t, "the live event", func() bool { return len(b.added()) > len(all) })
			if now := b.inbox().CatchUp; now.Received != len(all) {
				t.Errorf("the catch-up received %d of %d", now.Received, len(all))
			}
			if s.Away == nil || s.Away.Events != len(all) {
				t.Errorf("away: %+v", s.Away)
			}
			check(t, b.Close())
			time.Sleep(time.Hour)
			c := newDevice(t, p, kept, dial).connect()
			if s := c.caughtUp(t); len(c.added()) > 0 || s.CatchUp.Received > 0 {
				t.Errorf("then it found %q", c.added())
			}
			check(t, c.Close())
		})
	}
}

// TestInterests declares what can be shown: other nodes are listed, but their events are
// neither kept nor counted. If more is wanted later, what was left out is fetched.
func TestInterests(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, keep(store.NewMemory())).connect()
	service := "pubsub." + p.domain
	check(t, a.SetInterests(t.Context(), []pam.Interest{{Node: "weather"}}))
	subscribe(t, a, service, "news")
	subscribe(t, a, service, "weather")
	a.caughtUp(t)
	check(t, p.publish("news", "1", atomEntry))
	check(t, p.publish("weather", "2", atomEntry))
	until(t, "the event", func() bool { return slices.Contains(a.added(), "weather published 2") })
	if got := a.added(); len(got) != 1 || len(a.Snapshot().List) != 2 {
		t.Errorf("kept %q", got)
	}
	check(t, a.SetInterests(t.Context(), nil))
	until(t, "what was left out", func() bool { return slices.Contains(a.added(), "news published 1") })
}

// TestInboxForgotten forgets the account: the next session starts without events.
func TestInboxForgotten(t *testing.T) {
	p := newPeer(t)
	kept := store.NewMemory()
	a := newDevice(t, p, keep(kept)).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	check(t, p.publish("news", "1", atomEntry))
	until(t, "the event", func() bool { return len(a.added()) == 1 })
	check(t, a.Forget(t.Context()))
	records, err := kept.Scan(t.Context(), store.Range{})
	if s, _ := a.Inbox(t.Context()); err != nil || len(records) > 0 || s.Unseen != 0 || len(s.Nodes) != 0 {
		t.Errorf("left %+v, %d records, %v", s, len(records), err)
	}
	a.connect()
	until(t, "the first items", func() bool { return len(a.added()) == 2 })
}

// TestInboxShared has two Clients share a store: one keeps what was published, the other,
// which has no connection, shows it after a hint.
func TestInboxShared(t *testing.T) {
	p := newPeer(t)
	kept := keep(store.NewMemory())
	a, b := newDevice(t, p, kept).connect(), newDevice(t, p, kept)
	_, _ = b.Inbox(t.Context())
	subscribe(t, a, "pubsub."+p.domain, "news")
	check(t, p.publish("news", "1", atomEntry))
	until(t, "the event", func() bool { return len(a.added()) == 1 })
	b.Reload()
	until(t, "the event in the other Client", func() bool { s, _ := b.Inbox(t.Context()); return s.Unseen == 1 })
	events, _, err := b.Events(t.Context(), pam.EventQuery{})
	if err != nil || len(events) != 1 || events[0].Entry == nil {
		t.Fatalf("got %+v, %v", events, err)
	}
	check(t, b.MarkSeen(t.Context(), events[0].ID))
	until(t, "the mark", func() bool { s, _ := b.Inbox(t.Context()); return s.Unseen == 0 })
	a.Reload()
	until(t, "the mark in the other Client", func() bool { s, _ := a.Inbox(t.Context()); return s.Unseen == 0 })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestDoneWhenStored has a store that is slow: the catch-up is not done before what it has
// found is stored and announced.
func TestDoneWhenStored(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p, dial := bubbledPeer(t, func(*mem.Config) {})
		kept := store.NewMemory()
		a := newDevice(t, p, keep(kept), dial).connect()
		subscribe(t, a, "pubsub."+p.domain, "news")
		a.caughtUp(t)
		time.Sleep(time.Hour)
		check(t, a.Close())
		check(t, p.publish("news", "1", atomEntry))
		b := newDevice(t, p, keep(slow{kept, 0, time.Second}), dial).connect()
		if s := b.caughtUp(t); s.CatchUp.Received != 1 || s.Unseen != 1 || len(b.added()) != 1 {
			t.Errorf("%+v, found %q", s, b.added())
		}
		check(t, b.Close())
	})
}

// TestFollowedAgain ends a subscription and makes it again: the node is read at once, like a
// new one, so that the device finds what it misses afterwards.
func TestFollowedAgain(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p, dial := bubbledPeer(t, func(c *mem.Config) { c.Archive = true })
		service := "pubsub." + p.domain
		kept := keep(store.NewMemory())
		a := newDevice(t, p, kept, dial).connect()
		subscribe(t, a, service, "news")
		a.caughtUp(t)
		time.Sleep(10 * time.Second)
		check(t, a.Unsubscribe(t.Context(), pam.Target{Service: service, Node: "news"}))
		check(t, p.publish("news", "0", atomEntry))
		subscribe(t, a, service, "news")
		time.Sleep(10 * time.Second)
		if got := a.added(); !slices.Equal(got, []string{"news published 0"}) {
			t.Errorf("at once it found %q", got)
		}
		check(t, a.Close())
		check(t, p.publish("news", "1", atomEntry))
		b := newDevice(t, p, kept, dial).connect()
		time.Sleep(10 * time.Second)
		if got := b.added(); !slices.Equal(got, []string{"news published 1"}) {
			t.Errorf("found %q", got)
		}
		check(t, b.Close())
	})
}

// TestLiveBeforeCatchUp has an event come live in a new session before the list, and so the
// catch-up, is there. What was missed before it is not lost.
func TestLiveBeforeCatchUp(t *testing.T) {
	bubble(t, "archive", func(t *testing.T) {
		p, dial := bubbledPeer(t, func(c *mem.Config) { c.Archive, c.Personality = true, mem.Personality{Races: true} })
		a := newDevice(t, p, keep(store.NewMemory()), dial).connect()
		subscribe(t, a, "pubsub."+p.domain, "news")
		a.caughtUp(t)
		check(t, p.publish("news", "known", atomEntry))
		until(t, "the first event", func() bool { return len(a.added()) == 1 })
		time.Sleep(time.Minute)

		p.SetLog(func(f mem.Frame) {
			if !f.Out && strings.HasPrefix(f.XML, "<presence") {
				time.AfterFunc(5*time.Millisecond, func() { check(t, p.publish("news", "live", atomEntry)) }) // the list takes longer
			}
		})
		for _, s := range p.Sessions("alice") {
			p.ForgetSession(s)
		}
		check(t, p.publish("news", "missed", atomEntry))
		check(t, p.SetSubscription("alice", "weather", "subscribed"))
		p.ForgetHistory("alice")
		until(t, "the live event", func() bool { return slices.Contains(a.added(), "news published live") })
		a.caughtUp(t)
		time.Sleep(time.Minute)
		if got := a.added(); !slices.Contains(got, "news published missed") || len(got) != 3 {
			t.Errorf("the inbox has %q", got)
		}
	})
}
