//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestRefreshRefused has the server refuse the list: every call of Refresh returns
// once, and the client keeps no state of it.
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

// TestCallsWhileAway calls the client while its session waits for a network that does
// not return: each call ends after 40 seconds, and leaves no timer and no request.
func TestCallsWhileAway(t *testing.T) {
	for name, call := range map[string]func(*device) error{
		"subscribe":   func(a *device) error { _, err := a.Subscribe(context.Background(), news); return err },
		"unsubscribe": func(a *device) error { return a.Unsubscribe(context.Background(), news) },
		"refresh":     func(a *device) error { return a.Refresh(context.Background(), false) },
	} {
		synctest.Test(t, func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			f.handle = r.handle
			a := f.device(t, quick).connect()
			if name == "refresh" {
				synctest.Wait() // Jobs of the store have timers, too.
				before := client.Running(a.Client)
				err := call(a)
				synctest.Wait()
				if n := client.Running(a.Client); err != nil || n != before {
					t.Errorf("%s: %v; %d timers run, %d before", name, err, n, before)
				}
			}
			r.ignored = func(e *element.Element) bool { return e.Name.Local == "iq" }
			done := make(chan error, 1)
			began := time.Now()
			go func() { done <- call(a) }()
			synctest.Wait()
			f.set(func() { f.refuse = errors.New("no network") })
			f.socket().fail(errors.New("reset"))
			if err := <-done; !asErrorOf(err).Retryable || asErrorOf(err).Origin != pam.FromNetwork || time.Since(began) != 40*time.Second {
				t.Errorf("%s: %v after %v", name, err, time.Since(began))
			}
			f.set(func() { f.refuse, r.ignored = nil, nil })
			time.Sleep(10 * time.Minute)
			if w := client.Waiting(a.Client); w != "" || a.State().Phase != pam.PhaseLive {
				t.Errorf("%s left %s in %+v", name, w, a.State())
			}
			_ = a.Close()
		})
	}
}

// TestSubscribeLeavesNoTimer counts the timers after a call has ended.
func TestSubscribeLeavesNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if isPAM(e) {
				s.notify("v1", "news", "subscribed")
			}
			return false
		}
		a := f.device(t).connect()
		time.Sleep(3 * time.Second) // The inbox stores after 2 s what need not be stored at once.
		before := client.Running(a.Client)
		if _, err := a.Subscribe(t.Context(), news); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		if n := client.Running(a.Client); n != before {
			t.Errorf("%d timers run, %d before", n, before)
		}
		_ = a.Close()
	})
}

// TestForgetDuringCalls forgets the account at many points of a subscribe, a commit, a
// refresh and a read of the store. The store and the shown list are empty afterwards,
// and the next session starts without a list.
func TestForgetDuringCalls(t *testing.T) {
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
			for i := range 3 { // The last ones wait for the commit of the first.
				f.socket().notify(fmt.Sprint("x", i), "other", []string{"subscribed", "none"}[i%2])
				time.Sleep(2 * time.Millisecond)
			}
			if err := a.Forget(t.Context()); err != nil {
				t.Errorf("at %v: %v", at, err)
			}
			got, state := a.Snapshot(), a.State()
			if state.Storage.Degraded {
				t.Errorf("at %v: %v", at, state.Storage.Err)
			}
			if len(got.List)+len(got.Provisional) != 0 || got.Version != "" || got.Source != pam.SourceEmpty ||
				state.Phase != pam.PhaseOffline || !state.LastSynced.IsZero() || state.Pending != 0 {
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
			for _, e := range a.events {
				if e, ok := e.(client.Changed); ok {
					last = e
					for _, c := range e.Changes {
						if shown[changed(c).Key] = c.After != nil; c.After == nil {
							delete(shown, changed(c).Key)
						}
					}
				}
			}
			if len(shown) != 0 || last.To != "" || last.From == "" || last.Origin != pam.OriginThisDevice || last.Source != pam.SourceEmpty || !last.Stored {
				t.Errorf("at %v: announced %+v last, left %v", at, last, shown)
			}
			before := len(f.listed())
			a.connect()
			if f.listed()[before] != "" || len(r.asked) != 0 {
				t.Errorf("at %v: asked with %q, resumed %q", at, f.listed()[before:], r.asked)
			}
			_ = a.Close()
			if n := client.Timers(a.Client); n > 0 {
				t.Errorf("at %v: %d timers are left", at, n)
			}
		})
	}
}

// TestSpellingOfAService names a service in another spelling than the list does: it
// is the same one in requests, lookups and the shown list.
func TestSpellingOfAService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		version := 0
		f.handle = func(s *socket, e *element.Element) bool {
			if !isPAM(e) {
				return false
			}
			version++
			what := e.First().First()
			if to := e.First().Attr("jid"); to != "pubsub.localhost" {
				t.Errorf("the server received a request for %q", to)
			}
			s.notify(fmt.Sprint("v", version), what.Attr("node"), map[string]string{"subscribe": "subscribed", "unsubscribe": "none"}[what.Name.Local])
			return false
		}
		a := f.device(t).connect()
		target := pam.Target{Service: "PubSub.LOCALHOST", Node: "news"}
		if s, err := a.Subscribe(t.Context(), target); err != nil || s.Service != "pubsub.localhost" {
			t.Errorf("subscribe gave %+v, %v", s, err)
		}
		if err := a.Unsubscribe(t.Context(), target); err != nil || len(a.Snapshot().List) != 0 {
			t.Errorf("unsubscribe gave %v, and %+v is listed", err, a.Snapshot().List)
		}
		_ = a.Close()
	})
}
