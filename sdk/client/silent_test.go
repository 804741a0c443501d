//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A silentStore does not return from the nth call of one kind, nor from later calls,
// until long after all time-outs. It performs the call before that, after it, or never.
type silentStore struct {
	store.Store
	call    string // get, scan, commit or close
	at      int
	applied string // before, late or never
	obeys   bool   // it returns when its context ends

	mu     sync.Mutex
	calls  int
	silent bool
}

const silence = 10 * time.Minute

// wait reports whether to perform the call.
func (s *silentStore) wait(ctx context.Context, call string, do func() error) error {
	s.mu.Lock()
	if s.call == call {
		s.calls++
	}
	s.silent = s.silent || s.calls == s.at
	silent := s.silent
	s.mu.Unlock()
	if !silent {
		return do()
	}
	err := errors.New("no caller gets this error")
	if s.applied == "before" {
		err = do()
	}
	if s.obeys && call != "close" {
		<-ctx.Done()
		err = ctx.Err()
	} else {
		time.Sleep(silence)
	}
	if s.applied == "late" {
		err = do()
	}
	return err
}

func (s *silentStore) Get(ctx context.Context, keys ...string) (values [][]byte, err error) {
	err = s.wait(ctx, "get", func() error {
		values, err = s.Store.Get(context.Background(), keys...)
		return err
	})
	return values, err
}

func (s *silentStore) Scan(ctx context.Context, r store.Range) (records []store.Record, err error) {
	err = s.wait(ctx, "scan", func() error {
		records, err = s.Store.Scan(context.Background(), r)
		return err
	})
	return records, err
}

func (s *silentStore) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	return s.wait(ctx, "commit", func() error { return s.Store.Commit(context.Background(), expect, ops) })
}

func (s *silentStore) Close() error {
	return s.wait(context.Background(), "close", func() error { return nil })
}

// TestSilentStore has the store stop returning from every call: the client continues in
// memory and reports this, no call takes longer than the time-outs of the store and of
// the call, and late results of the store change nothing.
func TestSilentStore(t *testing.T) {
	needsMem(t)
	for _, call := range []string{"get", "scan", "commit", "close"} {
		for at := 1; at <= 8; at++ {
			for _, applied := range []string{"before", "late", "never"} {
				for _, obeys := range []bool{false, true} {
					for _, tab := range []string{"", "tab"} {
						bubble(t, fmt.Sprint(call, at, " applied ", applied, " obeys ", obeys, tab), func(t *testing.T) {
							playSilent(t, &silentStore{Store: store.NewMemory(), call: call, at: at, applied: applied, obeys: obeys}, tab)
						})
					}
				}
			}
		}
	}
}

func playSilent(t *testing.T, s *silentStore, tab string) {
	const storeTimeout = 10*time.Second + time.Millisecond
	f, r := newScripted(), &resumer{}
	version, rows := 0, map[string]bool{}
	f.handle = func(k *socket, e *element.Element) bool {
		if !isPAM(e) {
			return r.handle(k, e)
		}
		r.h++
		version++
		node, state := e.First().First().Attr("node"), "none"
		if rows[node] = e.First().First().Name.Local == "subscribe"; rows[node] {
			state = "subscribed"
		}
		k.notify(fmt.Sprint("v", version), node, state)
		k.result(e, "")
		return true
	}
	a := f.device(t, quick, inTab(s, tab))
	within := func(what string, limit time.Duration, call func(ctx context.Context) error) {
		t.Helper()
		began := time.Now()
		if err := call(context.Background()); err != nil && !errors.Is(err, &pam.Error{Code: pam.CodeStorage}) {
			t.Errorf("%s: %v", what, err)
		}
		if d := time.Since(began); d > limit {
			t.Errorf("%s took %v", what, d)
		}
	}
	within("load", storeTimeout, func(ctx context.Context) error { _, err := a.Load(ctx); return err })
	within("connect", storeTimeout, func(ctx context.Context) error { _, err := a.Connect(ctx); return err })
	for i := range 4 {
		within("subscribe", storeTimeout, func(ctx context.Context) error {
			_, err := a.Subscribe(ctx, pam.Target{Service: news.Service, Node: fmt.Sprint("n", i)})
			return err
		})
		time.Sleep(time.Second)
	}
	within("export", storeTimeout, func(ctx context.Context) error { _, err := a.Export(ctx); return err })
	a.Reload()
	within("unsubscribe", storeTimeout, func(ctx context.Context) error {
		return a.Unsubscribe(ctx, pam.Target{Service: news.Service, Node: "n0"})
	})
	time.Sleep(2 * storeTimeout)
	s.mu.Lock()
	silent := s.silent
	s.mu.Unlock()
	if got := a.State().Storage; got.Degraded != silent || silent && got.Err == nil {
		t.Errorf("silent: %v, but storage is %+v", silent, got)
	}
	check := func() {
		t.Helper()
		got := a.Snapshot()
		if want := []string{"n1", "n2", "n3"}; !slices.Equal(nodesOf(got.List), want) || string(got.Version) != fmt.Sprint("v", version) || len(got.Provisional) != 0 {
			t.Errorf("it shows %+v", got)
		}
	}
	check()
	time.Sleep(2 * silence) // for the late answer
	check()
	if s.call != "close" && a.State().Phase != pam.PhaseLive {
		t.Errorf("state %+v", a.State())
	}
	began := time.Now()
	err := a.Close()
	if d := time.Since(began); d > 7*time.Second {
		t.Errorf("close took %v", d)
	}
	s.mu.Lock()
	silentClose := s.silent && !silent
	s.mu.Unlock()
	if (err != nil) != silentClose || err != nil && asError(t, err).Code != pam.CodeStorage {
		t.Errorf("close gave %v", err)
	}
	if again := a.Close(); (again != nil) != (err != nil) {
		t.Errorf("closing again gave %v", again)
	}
	if n := client.Timers(a.Client); n > 0 {
		t.Errorf("%d timers are left", n)
	}
	time.Sleep(2 * silence) // until the store has returned, too
}

// TestFailedStoreAndSession has commits of the list fail: the client removes the record
// of the session, too, because the next run would request more stanzas than the server
// has kept; and it counts changes in memory as handled.
func TestFailedStoreAndSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		s := &bad{Store: keep(store.NewMemory()), commit: func(n int) error {
			return map[bool]error{true: errBroken}[n > 1]
		}}
		a := f.device(t, inTab(s, "tab")).connect()
		time.Sleep(time.Minute)
		records := func() int {
			left, _ := s.Scan(context.Background(), store.Range{From: "session/", To: "session0"})
			return len(left)
		}
		if records() != 1 {
			t.Fatalf("%d records of sessions", records())
		}
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(time.Minute)
		if h := r.requestAck(f.socket()); !a.State().Storage.Degraded || records() != 0 || h != "5" { // disco, the list, the notify, and the catch-up twice
			t.Errorf("%+v, with %d records; h is %s", a.State().Storage, records(), h)
		}
		_ = a.Close()
	})
}

// TestAcknowledgesAfterAStaleRecord lets a store fail that keeps an old record of the
// session. This session acknowledges no more, because the next run could resume it from
// that record; the next session acknowledges again.
func TestAcknowledgesAfterAStaleRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		s := &failing{Store: keep(store.NewMemory())}
		a := f.device(t, inTab(s, "tab")).connect()
		time.Sleep(time.Minute)
		before := r.requestAck(f.socket())
		s.on.Store(true)
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(time.Minute)
		if h := r.requestAck(f.socket()); !a.State().Storage.Degraded || h != before {
			t.Errorf("%+v, h is %s, was %s", a.State().Storage, h, before)
		}
		r.refuse = true
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Minute)
		f.socket().notify("v2", "other", "subscribed")
		time.Sleep(time.Minute)
		if h := r.requestAck(f.socket()); r.binds != 2 || h != "4" { // disco, the list, the notify, the items of the new node
			t.Errorf("%d sessions, h is %s", r.binds, h)
		}
		_ = a.Close()
	})
}
