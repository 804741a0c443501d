//go:build !js

package client_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// A slowStore takes three seconds to read the inbox.
type slowStore struct{ store.Store }

func (s slowStore) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	if r.From == "inbox/" {
		time.Sleep(3 * time.Second)
	}
	return s.Store.Scan(ctx, r)
}

// TestSlowInbox checks that the catch-up waits until the inbox is read: without it, nodes
// of which events were missed look like new ones.
func TestSlowInbox(t *testing.T) {
	needsMem(t)
	for _, live := range []time.Duration{time.Minute, 0} { // when an event comes after the connection
		bubble(t, fmt.Sprint("a live event after ", live), func(t *testing.T) {
			p, dial := bubbledPeer(t, func(c *mem.Config) { c.Archive = true })
			kept := store.NewMemory()
			a := newDevice(t, p, keep(kept), dial).connect()
			subscribe(t, a, "pubsub."+p.domain, "news")
			a.caughtUp(t)
			time.Sleep(time.Hour)
			check(t, a.Close())
			const missed = 25 // more than are fetched of a new node
			for i := range missed {
				check(t, p.publish("news", fmt.Sprint(i), fmt.Sprintf("<x xmlns='urn:x'>%d</x>", i)))
			}
			b := newDevice(t, p, keep(slowStore{kept}), dial).connect()
			time.Sleep(live)
			check(t, p.publish("news", "live", "<x xmlns='urn:x'>live</x>"))
			time.Sleep(time.Minute)
			s := b.caughtUp(t)
			if s.CatchUp.Since.IsZero() || s.Unseen != missed+1 || len(b.added()) != missed+1 {
				t.Errorf("found %q, %+v", b.added(), s.CatchUp)
			}
		})
	}
}

// TestSlowInboxAndAccountRefuses has the account refuse to tell its features before the
// inbox is read: it is asked again, and then the nodes are read without an archive.
func TestSlowInboxAndAccountRefuses(t *testing.T) {
	bubble(t, "refuses", func(t *testing.T) {
		f, kept := newScripted(), store.NewMemory()
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case nothingSince("v1")(s, e):
			case isList(e):
				s.result(e, rowsOfNews("v1", "s1"))
			case isDisco(e) && e.Attr("to") == "alice@localhost":
				s.failure(e, "service-unavailable")
			default:
				return false
			}
			return true
		}
		first := f.device(t, func(o *client.Options) { o.Store = keep(kept) }).connect()
		time.Sleep(time.Hour)
		check(t, first.Close())
		d := f.device(t, func(o *client.Options) { o.Store = slowStore{kept} }).connect()
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := d.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.NodesDone != 1 {
			t.Errorf("%+v\n%s", s, d.log())
		}
		_ = d.Close()
	})
}
