//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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
