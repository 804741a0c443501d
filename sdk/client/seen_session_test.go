//go:build !js

package client_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestMarkerOfALaterSession has two devices mark events at the same moment, in the second
// session of one of them, whose inbox may know fewer markers than its first session. While
// that one stores its mark, the later marker of the other arrives: it does not replace it by
// its own.
func TestMarkerOfALaterSession(t *testing.T) {
	needsMem(t)
	for _, forgotten := range []bool{false, true} {
		bubble(t, fmt.Sprint("forgotten ", forgotten), func(t *testing.T) {
			p, dial := bubbledPeer(t, func(c *mem.Config) { c.Archive = true })
			a := newDevice(t, p, keep(slow{store.NewMemory(), 0, time.Second}), dial).connect()
			b := newDevice(t, p, nil, dial).connect()
			subscribe(t, b, "pubsub."+p.domain, "news")
			time.Sleep(time.Minute)
			for i := range 6 {
				check(t, p.publish("news", fmt.Sprint(i+1), fmt.Sprintf("<x xmlns='urn:x'>%d</x>", i)))
				time.Sleep(time.Second)
			}
			time.Sleep(time.Minute)
			for _, item := range []string{"1", "2", "3"} {
				check(t, b.MarkSeenUpTo(t.Context(), b.id(item)))
				time.Sleep(time.Minute)
			}
			third := synced
			if forgotten { // The server has no markers any more, either.
				check(t, a.Forget(t.Context()))
				check(t, b.Forget(t.Context()))
				third = notSeen
				nodes, _, err := newDevice(t, p, nil, dial).connect().Nodes(t.Context(), "alice@"+p.domain, 0, "")
				check(t, err)
				for _, n := range nodes {
					if strings.HasPrefix(n.Node, ns.Seen) {
						check(t, p.DeleteNode("alice@"+p.domain, n.Node, ""))
					}
				}
				b.connect()
			} else {
				check(t, a.Disconnect(t.Context()))
			}
			a.connect()
			time.Sleep(time.Minute)
			if got := a.seen(); got["3"] != third || got["4"] != notSeen {
				t.Errorf("before: %v", got)
			}

			check(t, a.MarkSeenUpTo(t.Context(), a.id("4")))
			check(t, b.MarkSeenUpTo(t.Context(), b.id("6")))
			time.Sleep(time.Minute)
			if out := a.wire(true); strings.Contains(out, "item='4'") {
				t.Errorf("the device has published an earlier marker:\n%s", out)
			}
			if out := b.wire(true); strings.Count(out, "item='6'") != 1 {
				t.Errorf("the other device has published:\n%s", out)
			}
			if got := a.seen(); got["4"] != here || got["6"] != synced {
				t.Errorf("after: %v", got)
			}
		})
	}
}

// TestMarkerOfANodeThatIsAskedLater marks an event of a node that was asked less than 5
// minutes ago. Others that were missed may come before it, so that the marker is shared
// only when the node has been read.
func TestMarkerOfANodeThatIsAskedLater(t *testing.T) {
	needsMem(t)
	bubble(t, "asked later", func(t *testing.T) {
		p, dial := bubbledPeer(t, func(*mem.Config) {})
		a := newDevice(t, p, keep(store.NewMemory()), dial).connect()
		subscribe(t, a, "pubsub."+p.domain, "news")
		time.Sleep(10 * time.Minute)
		for _, item := range []string{"1", "2"} { // Each session is asked for what the one before it has missed.
			check(t, a.Disconnect(t.Context()))
			check(t, p.publish("news", item, "<x xmlns='urn:x'>"+item+"</x>"))
			a.connect()
			time.Sleep(time.Minute)
		}
		check(t, a.MarkSeenUpTo(t.Context(), a.id("1")))
		time.Sleep(time.Minute)
		if out := a.wire(true); len(a.seen()) != 1 || strings.Contains(out, "item='1'") {
			t.Errorf("before the node was read: %v\n%s", a.seen(), out)
		}
		time.Sleep(5 * time.Minute)
		if out := a.wire(true); len(a.seen()) != 2 || !strings.Contains(out, "item='1'") {
			t.Errorf("after the node was read: %v\n%s", a.seen(), out)
		}
	})
}
