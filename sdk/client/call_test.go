//go:build !js

package client_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestRefreshRefused has the server refuse the list: every call of Refresh is
// answered, once, and nothing is left of it.
func TestRefreshRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		f.set(func() {
			f.handle = func(s *socket, e *element.Element) bool {
				if isList(e) {
					s.failure(e, "internal-server-error")
				}
				return isList(e)
			}
		})
		for range 3 {
			if err := a.Refresh(t.Context(), false); asError(t, err).Condition != "internal-server-error" || !asErrorOf(err).Retryable {
				t.Errorf("refresh gave %v", err)
			}
			if w := client.Waiting(a.Client); w != "" {
				t.Errorf("left %s", w)
			}
		}
		_ = a.Close()
	})
}

// TestForgetUnderWay forgets the account at every moment of a subscribe, a commit, a
// refresh and a reading of the store. Nothing is left in the store, nothing is shown,
// and the client begins with nothing.
func TestForgetUnderWay(t *testing.T) {
	for at := time.Duration(0); at <= 60*time.Millisecond; at += 2 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			f.delay = 5 * time.Millisecond
			version := 0
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isPAM(e):
					r.h++
					version++
					s.notify(fmt.Sprint("v", version), e.First().First().Attr("node"), "subscribed")
					s.result(e, "")
					return true
				case isList(e) && version > 0 && e.First().Attr("ver") != "":
					r.h++
					s.result(e, "")
					return true
				}
				return r.handle(s, e)
			}
			s := store.NewMemory()
			a := f.device(t, func(o *client.Options) {
				o.Store, o.Tab = keep(slow{s, 7 * time.Millisecond, 7 * time.Millisecond}), "tab"
			}).connect()
			subscribe(t, a, news.Service, "first")
			calls := make(chan error, 10)
			go func() {
				_, err := a.Subscribe(context.Background(), news)
				calls <- err
			}()
			go func() { calls <- a.Refresh(context.Background(), true) }()
			go func() {
				_, err := a.Export(context.Background())
				calls <- err
			}()
			a.Reload()
			time.Sleep(at)
			if err := a.Forget(t.Context()); err != nil {
				t.Errorf("at %v: %v", at, err)
			}
			got, state := a.Snapshot(), a.State()
			if len(got.List)+len(got.Provisional) != 0 || got.Version != "" || got.Source != client.SourceEmpty ||
				state.Phase != client.PhaseOffline || !state.LastSynced.IsZero() || state.Pending != 0 {
				t.Errorf("at %v: it shows %+v in %+v", at, got, state)
			}
			for range 3 {
				if err := <-calls; err != nil && asErrorOf(err).Code == "" {
					t.Errorf("at %v: a call gave %v", at, err)
				}
			}
			time.Sleep(time.Minute)
			if left, _ := s.Scan(context.Background(), store.Range{}); len(left) != 0 {
				t.Errorf("at %v: the store has %q", at, left)
			}
			shown := map[pam.Key]bool{}
			var last client.Changed
			stored := false
			for _, e := range a.events {
				switch e := e.(type) {
				case client.Changed:
					last, stored = e, false
					for _, c := range e.Changes {
						if shown[changed(c).Key] = c.After != nil; c.After == nil {
							delete(shown, changed(c).Key)
						}
					}
				case client.Stored:
					stored = true
				}
			}
			if len(shown) != 0 || last.To != "" || last.From == "" || last.Origin != client.OriginThisDevice || last.Source != client.SourceEmpty || !stored {
				t.Errorf("at %v: announced %+v last, stored: %v; left %v", at, last, stored, shown)
			}
			before := len(f.lists)
			a.connect()
			if f.lists[before] != "" || len(r.asked) != 0 {
				t.Errorf("at %v: asked with %q, resumed %q", at, f.lists[before:], r.asked)
			}
			_ = a.Close()
			if n := client.Timers(a.Client); n > 0 {
				t.Errorf("at %v: %d timers are left", at, n)
			}
		})
	}
}
