//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// slow is a store whose reads and commits take a while.
type slow struct {
	store.Store
	get, commit time.Duration
}

func (s slow) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	time.Sleep(s.get)
	return s.Store.Get(ctx, keys...)
}

func (s slow) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	time.Sleep(s.commit)
	return s.Store.Commit(ctx, expect, ops)
}

func slowly(get, commit time.Duration) func(*client.Options) {
	return func(o *client.Options) { o.Store = slow{store.NewMemory(), get, commit} }
}

// TestDisconnectDuringLoad ends a Connect that waits for the store. The client must not
// connect after the store has answered, unless only the wait has ended.
func TestDisconnectDuringLoad(t *testing.T) {
	for _, how := range []string{"disconnect", "deadline"} {
		bubble(t, how, func(t *testing.T) {
			f := newScripted()
			a := f.device(t, slowly(time.Second, 0))
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			want, phase, dials := pam.CodeTimeout, pam.PhaseLive, 1
			if how == "disconnect" {
				ctx, want, phase, dials = t.Context(), pam.CodeAborted, pam.PhaseOffline, 0
				time.AfterFunc(100*time.Millisecond, func() { _ = a.Disconnect(t.Context()) })
			}
			if _, err := a.Connect(ctx); asError(t, err).Code != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if time.Since(f.start) > 200*time.Millisecond {
				t.Error("Connect waited for the store")
			}
			time.Sleep(time.Minute)
			if p := a.State().Phase; p != phase || len(f.dialed()) != dials {
				t.Errorf("phase %s after %d dials", p, len(f.dialed()))
			}
			if _, err := a.Connect(t.Context()); err != nil {
				t.Errorf("connecting again: %v", err)
			}
			_ = a.Close()
		})
	}
}

// TestChangedMeanwhile has another client store a list after the store has performed
// this client's read or deletion, but before it returns. The hint is not lost, even if
// it is the second.
func TestChangedMeanwhile(t *testing.T) {
	for name, doing := range map[string]func(*client.Client, context.Context) error{
		"loading": func(c *client.Client, ctx context.Context) error {
			_, err := c.Load(ctx)
			return err
		},
		"forgetting": (*client.Client).Forget,
		"reloading":  func(c *client.Client, _ context.Context) error { c.Reload(); return nil },
	} {
		for _, after := range []time.Duration{time.Second / 2, 3 * time.Second / 2, 5 * time.Second / 2} {
			bubble(t, fmt.Sprint(name, " ", after), func(t *testing.T) {
				f := newScripted()
				shared := store.NewMemory()
				a := f.device(t, func(o *client.Options) { o.Store = keep(shared) }).connect()
				b := f.device(t, func(o *client.Options) { o.Store = keep(tardy{shared}) })
				if name != "loading" {
					_, _ = b.Inbox(t.Context()) // which is read after the list
				}
				done := begin(func() error { return doing(b.Client, t.Context()) })
				time.Sleep(after)
				f.socket().notify("v1", "news", "subscribed")
				synctest.Wait()
				b.Reload()
				time.Sleep(time.Minute)
				if err := <-done; err != nil {
					t.Error(err)
				}
				if s, want := b.Snapshot(), a.Snapshot(); s.Version != want.Version || len(s.List) != 1 {
					t.Errorf("it shows %+v, want %+v", s, want)
				}
				_ = a.Close()
				_ = b.Close()
			})
		}
	}
}

// A tardy store returns a second after it has performed a call.
type tardy struct{ store.Store }

func (s tardy) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	defer time.Sleep(time.Second)
	return s.Store.Get(ctx, keys...)
}

func (s tardy) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	defer time.Sleep(time.Second)
	return s.Store.Scan(ctx, r)
}

func (s tardy) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	defer time.Sleep(time.Second)
	return s.Store.Commit(ctx, expect, ops)
}

// TestAnswerDuringCommit answers an unsubscribe while the commit of the subscription
// itself is pending: the list shows it after that, so Unsubscribe must not return before
// the list no longer shows it.
func TestAnswerDuringCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if isPAM(e) {
				s.notify("v2", "news", "none")
			}
			return false
		}
		a := f.device(t, slowly(0, time.Second)).connect()
		f.socket().notify("v1", "news", "subscribed")
		synctest.Wait()
		if err := a.Unsubscribe(t.Context(), news); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		seen := len(a.events)
		if v := a.Snapshot().Version; v != "v2" {
			t.Errorf("returned at version %q", v)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, e := range a.events[seen:] {
			if c, ok := e.(client.Changed); ok {
				t.Errorf("announced afterwards: %+v", c)
			}
		}
		_ = a.Close()
	})
}

// TestBadStores uses stores that fail in every way. The list stays correct, calls
// return, and the client does not request the list too often.
func TestBadStores(t *testing.T) {
	broken := errors.New("broken")
	for name, s := range map[string]*bad{
		"unreadable":                   {get: func(int) error { return broken }},
		"unwritable":                   {commit: func(int) error { return broken }},
		"always another tab":           {commit: func(int) error { return store.ErrConflict }},
		"another tab after the first":  {commit: func(n int) error { return map[bool]error{true: store.ErrConflict}[n > 1] }},
		"another tab, then unreadable": {commit: func(int) error { return store.ErrConflict }, get: func(n int) error { return map[bool]error{true: broken}[n > 1] }},
		"every third commit":           {commit: func(n int) error { return map[bool]error{true: store.ErrConflict}[n%3 == 2] }},
		"fails later":                  {commit: func(n int) error { return map[bool]error{true: broken}[n > 2] }},
		"always another inbox":         {inbox: true, commit: func(int) error { return store.ErrConflict }},
		"inbox unwritable":             {inbox: true, commit: func(int) error { return broken }},
	} {
		bubble(t, name, func(t *testing.T) {
			f := newScripted()
			version, row := "v1", ""
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isPAM(e):
					version, row = "v2", "<subscription service='pubsub.localhost' node='news'/>"
					s.notify(version, "news", "subscribed")
					s.result(e, "")
				case isList(e) && e.First().Attr("ver") == version:
					s.result(e, "")
				case isList(e):
					s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='"+version+"'>"+row+"</subscriptions>")
				default:
					return false
				}
				return true
			}
			s.Store = store.NewMemory()
			a := f.device(t, func(o *client.Options) { o.Store = s })
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := a.Connect(ctx); err != nil {
				t.Errorf("connect: %v", err)
			}
			if _, err := a.Subscribe(ctx, news); err != nil {
				t.Errorf("subscribe: %v", err)
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if n := len(f.listed()); n > 10 {
				t.Errorf("%d lists in ten minutes", n)
			}
			if got := a.Snapshot(); string(got.Version) != version || len(got.List) != 1 || len(got.Provisional) != 0 {
				t.Errorf("left %+v", got)
			}
			if got, want := a.State().Storage.Degraded, name != "every third commit" && name != "fails later"; got != want {
				t.Errorf("degraded: %v", got)
			}
			_ = a.Close()
		})
	}
}

// A bad store fails in the given way at the nth read or commit of the list, or of the
// inbox.
type bad struct {
	store.Store
	inbox         bool
	get, commit   func(n int) error
	gets, commits int
}

func (b *bad) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	b.gets++
	if b.get != nil && b.get(b.gets) != nil {
		return nil, b.get(b.gets)
	}
	return b.Store.Get(ctx, keys...)
}

func (b *bad) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	if len(expect) == 0 || strings.HasPrefix(expect[0].Key, "inbox/") != b.inbox {
		return b.Store.Commit(ctx, expect, ops) // such as the time of a sync
	}
	b.commits++
	if b.commit != nil && b.commit(b.commits) != nil {
		return b.commit(b.commits)
	}
	return b.Store.Commit(ctx, expect, ops)
}
