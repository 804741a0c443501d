//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestOriginOfChanges has notifies come while a request is under way: only what the
// request explains is this device's.
func TestOriginOfChanges(t *testing.T) {
	for _, subscribe := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			f.handle = func(_ *socket, e *element.Element) bool { return isPAM(e) }
			a := f.device(t).connect()
			f.socket().notify("v1", "mine", "subscribed")
			f.socket().notify("v2", "other", "subscribed")
			synctest.Wait()
			target := client.Target{Service: news.Service, Node: "mine"}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if subscribe {
					target.Node = "new"
					_, _ = a.Subscribe(ctx, target)
				} else {
					_ = a.Unsubscribe(ctx, target)
				}
			}()
			synctest.Wait()
			seen := len(a.events)
			steps := [][2]string{{"other", "none"}, {"new2", "subscribed"}, {"mine", "pending"}, {"mine", "none"}}
			want := []client.Origin{client.OriginOtherDevice, client.OriginOtherDevice, client.OriginOtherDevice, client.OriginThisDevice}
			if subscribe {
				steps = [][2]string{{"other", "none"}, {"new2", "subscribed"}, {"mine", "none"}, {"new", "subscribed"}, {"new", "none"}}
				want = []client.Origin{client.OriginOtherDevice, client.OriginOtherDevice, client.OriginOtherDevice, client.OriginThisDevice, client.OriginOtherDevice}
			}
			for i, step := range steps {
				f.socket().notify(fmt.Sprint("w", i), step[0], step[1])
				synctest.Wait()
			}
			f.socket().push("<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='urn:xmpp:pam:0' ver='x' service='elsewhere.localhost'>" +
				"<subscription xmlns='http://jabber.org/protocol/pubsub' node='" + target.Node + "' jid='alice@localhost' subscription='subscribed'/></notify></message>")
			want = append(want, client.OriginOtherDevice)
			synctest.Wait()
			var got []client.Origin
			for _, e := range a.events[seen:] {
				if c, ok := e.(client.Changed); ok {
					got = append(got, c.Origin)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("subscribe %v: %q, want %q", subscribe, got, want)
			}
			cancel()
			synctest.Wait()
			_ = a.Close()
		})
	}
}

// TestDecidedOnceQuiet subscribes while every list brings more than the list: the
// effect is only provisional until a list is quiet, and the call waits for that.
func TestDecidedOnceQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		noise, version := false, 0
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isPAM(e):
				version++
				s.notify(fmt.Sprint("v", version), "news", "subscribed")
				s.result(e, "")
			case isList(e) && noise:
				version++
				s.notify(fmt.Sprint("v", version), "noise", []string{"subscribed", "none"}[version%2])
				s.result(e, "")
			case isList(e):
				s.result(e, fmt.Sprintf("<subscriptions xmlns='urn:xmpp:pam:0' ver='v%d' service='pubsub.localhost'>%s</subscriptions>", version,
					map[bool]string{true: "<subscription node='news'/>"}[f.sent["news"] > 0]))
			default:
				return false
			}
			return true
		}
		a := f.device(t).connect()
		f.set(func() { noise = true })
		go func() { _ = a.Refresh(context.Background(), false) }()
		time.Sleep(time.Second) // It is dirty by now.
		time.AfterFunc(5*time.Second, func() { f.set(func() { noise, f.sent["news"] = false, 1 }) })
		begun := time.Now()
		got, err := a.Subscribe(t.Context(), news)
		if err != nil || got.Node != "news" {
			t.Errorf("got %+v, %v after %v", got, err, time.Since(begun))
		}
		if !slices.Contains(nodesOf(a.Snapshot().List), "news") {
			t.Errorf("returned before the list shows it")
		}
		_ = a.Close()
	})
}

// TestConnectKeepsTheBackOff calls Connect again and again while an attempt is
// under way: the attempts are counted on, so that the waits go on growing.
func TestConnectKeepsTheBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.refuse = errors.New("refused")
		a := f.device(t, func(o *client.Options) { o.Reconnect = &client.Reconnect{Base: time.Second, NoJitter: true} })
		_, _ = a.Connect(t.Context())
		f.set(func() {
			f.dial = func(ctx context.Context) error {
				time.Sleep(5 * time.Second)
				return f.refuse
			}
		})
		time.Sleep(2 * time.Second) // the second attempt
		for range 3 {
			go func() { _, _ = a.Connect(t.Context()) }()
			synctest.Wait()
		}
		if n := a.State().Attempt; n != 2 {
			t.Errorf("attempt %d", n)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if s := a.State(); s.Phase != client.PhaseWaiting || s.Attempt != 2 || len(f.dials) != 2 {
			t.Errorf("state %+v after %d dials", s, len(f.dials))
		}
		_ = a.Close()
	})
}

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
