//go:build !js

package client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/store"
)

// TestStoredIsReported checks that a client reports what it has stored itself, and
// nothing else: not the stored list that the server confirms, and not what another
// client has stored.
func TestStoredIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isList(e) && e.First().Attr("ver") == "":
				s.result(e, listOf("v1"))
			case isList(e):
				s.result(e, "")
			default:
				return false
			}
			return true
		}
		kept := store.NewMemory()
		run := func() *device { return f.device(t, func(o *client.Options) { o.Store = keep(kept) }).connect() }
		stored := func(d *device) (n int) {
			d.mu.Lock()
			defer d.mu.Unlock()
			for _, e := range d.events {
				if c, ok := e.(client.Changed); ok && c.Stored {
					n++
				}
			}
			return n
		}
		a := run()
		time.Sleep(time.Second)
		if n := stored(a); n != 1 {
			t.Errorf("the first list is reported %d times", n)
		}
		b := run()
		time.Sleep(time.Second)
		if n := stored(b); n != 0 {
			t.Errorf("a list that the server confirms is reported %d times", n)
		}
		f.socket().notify("v2", "weather", "subscribed")
		time.Sleep(time.Second)
		a.Reload()
		time.Sleep(time.Second)
		if n := stored(b); n != 1 || stored(a) != 1 || a.Snapshot().Version != "v2" {
			t.Errorf("a change is reported %d times, by the other client %d times; it shows %s", n, stored(a)-1, a.Snapshot().Version)
		}
		_ = a.Close()
		_ = b.Close()
	})
}
