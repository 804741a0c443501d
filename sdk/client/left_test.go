//go:build !js

package client_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestLeft deletes the only node of a service while a device is away: it finds all that
// was published before, once, and does not ask again.
func TestLeft(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p, dial := bubbledPeer(t, func(c *mem.Config) {
			c.Archive, c.ArchivePage = true, 3
			c.Accounts["bob"] = "secret-b"
		})
		check(t, p.CreateNodeAt("bob", "blog", map[string]string{"pubsub#access_model": "open"}))
		kept := keep(store.NewMemory())
		run := func(do func(*device)) *device {
			d := newDevice(t, p, kept, dial).connect()
			d.caughtUp(t)
			do(d)
			time.Sleep(3 * time.Second) // until it is stored how far the nodes were read
			check(t, d.Close())
			time.Sleep(time.Hour)
			return d
		}
		subscribed := func(d *device) {
			subscribe(t, d, "bob@localhost", "blog")
			time.Sleep(time.Second) // until the node is read
		}
		nothing := func(*device) {}
		run(func(d *device) {
			subscribed(d)
			check(t, p.PublishAt("bob", "blog", "known", atomEntry)) // from which the archive is read
			time.Sleep(time.Second)
		})
		var want []string
		for i := range 10 { // pages of the archive
			check(t, p.PublishAt("bob", "blog", fmt.Sprint(i), fmt.Sprintf("<x xmlns='urn:x'>%d</x>", i)))
			want = append(want, fmt.Sprint("blog published ", i))
		}
		check(t, p.DeleteNode("bob", "blog", ""))
		if got := run(nothing).added(); !slices.Equal(got, append(want, "blog deleted ")) {
			t.Errorf("found %q", got)
		}
		if d := run(nothing); strings.Contains(d.wire(true), "urn:xmpp:mam:2") || len(d.added()) > 0 {
			t.Errorf("asked again:\n%s", d.log())
		}

		// A subscription that ends while the device is connected needs no request either.
		check(t, p.CreateNodeAt("bob", "blog", map[string]string{"pubsub#access_model": "open"}))
		run(func(d *device) {
			subscribed(d)
			check(t, d.Unsubscribe(t.Context(), pam.Target{Service: "bob@localhost", Node: "blog"}))
		})
		if d := run(nothing); strings.Contains(d.wire(true), "urn:xmpp:mam:2") || len(d.added()) > 0 {
			t.Errorf("asked again:\n%s", d.log())
		}
	})
}

// TestLeftWhileItIsRead ends a subscription while the archive is read. The catch-up goes on
// without the node, and what was published there before is found by the next one.
func TestLeftWhileItIsRead(t *testing.T) {
	needsMem(t)
	bubble(t, "", func(t *testing.T) {
		p, dial := bubbledPeer(t, func(c *mem.Config) { c.Archive = true })
		kept := keep(store.NewMemory())
		a := newDevice(t, p, kept, dial).connect()
		subscribe(t, a, "pubsub.localhost", "news")
		subscribe(t, a, "pubsub.localhost", "weather")
		time.Sleep(10 * time.Minute)
		check(t, a.Close())
		check(t, p.publish("news", "missed", "<x xmlns='urn:x'>n</x>"))
		check(t, p.publish("weather", "missed", "<x xmlns='urn:x'>w</x>"))

		m := &meddler{server: p.Server, random: rand.New(rand.NewPCG(1, 1)), asked: map[string]*meddled{}, quiet: map[pam.Target]time.Time{},
			read: map[pam.Target]bool{}, erred: map[pam.Target]time.Time{}, stats: map[string]int{}}
		m.choose = func(e *element.Element) string {
			if e.Child(ns.MAM, "query") != nil {
				return "never"
			}
			return "pass"
		}
		b := newDevice(t, p, kept, dial, func(o *client.Options) { m.Dialer, o.Dialer = o.Dialer, m }).connect()
		time.Sleep(5 * time.Second)
		if s := b.inbox().CatchUp; s.Phase != pam.CatchUpRunning || s.Nodes != 2 {
			t.Errorf("before: %+v", s)
		}
		check(t, p.SetSubscription("alice", "weather", "none"))
		time.Sleep(time.Second)
		if s := b.inbox().CatchUp; s.Phase != pam.CatchUpRunning || s.Nodes != 1 {
			t.Errorf("without the node: %+v", s)
		}
		check(t, b.Close())
		time.Sleep(time.Hour)
		c := newDevice(t, p, kept, dial).connect()
		time.Sleep(10 * time.Second)
		var got []string // with what came before the end of the last session
		for _, e := range c.all(t) {
			got = append(got, e.Node+" "+e.ItemID)
		}
		slices.Sort(got)
		if s := c.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.Nodes != 1 || !slices.Equal(got, []string{"news missed", "weather missed"}) {
			t.Errorf("then it has %q, %+v\n%s", got, s, c.log())
		}
		check(t, c.Close())
	})
}
