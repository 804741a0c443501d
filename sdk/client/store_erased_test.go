//go:build !js

package client_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestStoreErased deletes all records while a client is connected, as a browser does
// to free space. The client still shows the list in memory and does not request it, and
// the next change stores the whole list again, with or without a hint.
func TestStoreErased(t *testing.T) {
	for _, hinted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			shared := store.NewMemory()
			a := f.device(t, func(o *client.Options) { o.Store = keep(shared) }).connect()
			f.socket().notify("v1", "news", "subscribed")
			time.Sleep(time.Second)
			if err := shared.Commit(t.Context(), nil, []store.Op{store.DeleteRange("", "")}); err != nil {
				t.Fatal(err)
			}
			if hinted {
				a.Reload()
				time.Sleep(time.Second)
			}
			synctest.Wait()
			seen, lists := len(a.events), len(f.listed())
			f.socket().notify("v2", "weather", "subscribed")
			time.Sleep(time.Minute)
			synctest.Wait()
			for _, e := range a.events[seen:] {
				if c, ok := e.(client.Changed); ok && slices.ContainsFunc(c.Changes, func(c pam.Change) bool { return c.After == nil }) {
					t.Errorf("hinted %v: a row vanished: %+v", hinted, c)
				}
			}
			if len(f.listed()) != lists {
				t.Errorf("hinted %v: %d more lists", hinted, len(f.listed())-lists)
			}
			b := f.device(t, func(o *client.Options) { o.Store = keep(shared) })
			if s, err := b.Load(t.Context()); err != nil || s.Version != "v2" || len(s.List) != 2 {
				t.Errorf("hinted %v: stored is %+v, %v", hinted, s, err)
			}
			_ = a.Close()
			_ = b.Close()
		})
	}
}

// TestReloadAfterFailedCommit sends a hint during a commit that fails, and then ends
// the session. The list in memory must stay.
func TestReloadAfterFailedCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		s := &bad{Store: keep(store.NewMemory()), commit: func(n int) error {
			if n < 3 {
				return nil
			}
			time.Sleep(time.Second)
			return errBroken
		}}
		a := f.device(t, func(o *client.Options) { o.Store = s }).connect()
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(time.Minute)
		f.socket().notify("v2", "weather", "subscribed")
		synctest.Wait()
		a.Reload()
		_ = a.Disconnect(t.Context())
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := a.Snapshot(); !errors.Is(a.State().Storage.Err, errBroken) || got.Version != "v2" || !slices.Equal(nodesOf(got.List), []string{"news", "weather"}) {
			t.Errorf("%+v shows %+v", a.State().Storage, got)
		}
		_ = a.Close()
	})
}

// TestFirstListOverErasedStore has clients read an empty store before another one
// stores the first list, and erases the store again. They must show the stored list.
// None of them has a session, and the random epochs do not matter.
func TestFirstListOverErasedStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		shared := store.NewMemory()
		var others []*device
		for range 16 {
			b := f.device(t, func(o *client.Options) { o.Store = keep(shared) })
			_, _ = b.Load(t.Context())
			others = append(others, b)
		}
		a := f.device(t, func(o *client.Options) { o.Store = keep(shared) }).connect()
		show := func(want string, rows int, source pam.Source) {
			t.Helper()
			time.Sleep(time.Second)
			for i, b := range others {
				b.Reload()
				time.Sleep(time.Second)
				if s := b.Snapshot(); string(s.Version) != want || len(s.List) != rows || s.Source != source {
					t.Errorf("client %d shows %+v, want %d rows of %q, %s", i, s, rows, want, source)
				}
			}
		}
		f.socket().notify("v1", "news", "subscribed")
		show("v1", 1, pam.SourceCache)
		if err := a.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		show("", 0, pam.SourceEmpty)
		for _, d := range append(others, a) {
			_ = d.Close()
		}
	})
}
