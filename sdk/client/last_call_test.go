//go:build !js

package client_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestConnectDeadline has one call of Connect wait for the network without limit and
// another with a deadline. The deadline ends only its own call: the client is live as
// soon as the network is back.
func TestConnectDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		f.set(func() { f.refuse = errors.New("unreachable") })
		f.socket().fail(errors.New("cut"))
		time.Sleep(time.Second)
		f.set(func() {
			f.dial = func(ctx context.Context) error { // hangs, so that callers wait
				<-ctx.Done()
				return ctx.Err()
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Connect(ctx); asError(t, err).Code != pam.CodeTimeout {
			t.Errorf("connect gave %v", err)
		}
		f.set(func() { f.refuse, f.dial = nil, nil })
		time.Sleep(5 * time.Minute)
		if s := a.State(); s.Phase != pam.PhaseLive {
			t.Errorf("state %+v", s)
		}
		_ = a.Close()
	})
}

// TestLastCallDecides calls Connect, Disconnect and Forget in one turn, in any order, at
// several times: the last call decides, and every call returns.
func TestLastCallDecides(t *testing.T) {
	r := seeded(t)
	for i := range 1000 {
		draw := rand.New(rand.NewPCG(r.Uint64(), uint64(i)))
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			f.delay = 5 * time.Millisecond
			disk := time.Duration(3+draw.IntN(2)*200) * time.Millisecond
			a := f.device(t, slowly(disk, disk), func(o *client.Options) { o.Tab = "tab" })
			calls := make(chan error, 100)
			var asked []string
			for turn := range 1 + draw.IntN(3) {
				for range 1 + draw.IntN(4) {
					what := []string{"connect", "connect", "disconnect", "forget", "connect and give up"}[draw.IntN(5)]
					asked = append(asked, what)
					go func() {
						ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
						defer cancel()
						if what == "connect and give up" {
							ctx, cancel = context.WithTimeout(ctx, time.Millisecond)
							defer cancel()
						}
						var err error
						switch what {
						case "disconnect":
							err = a.Disconnect(ctx)
						case "forget":
							err = a.Forget(ctx)
						default:
							if _, err = a.Connect(ctx); what != "connect" || asErrorOf(err).Code == pam.CodeAborted {
								err = nil
							}
						}
						calls <- err
					}()
					synctest.Wait()
				}
				time.Sleep(time.Duration((turn+1)*draw.IntN(100)) * time.Millisecond)
			}
			for range len(asked) {
				if err := <-calls; err != nil {
					t.Errorf("%q: a call gave %v", asked, err)
				}
			}
			time.Sleep(time.Minute)
			want, sockets := pam.PhaseOffline, 0
			for _, what := range asked {
				switch what {
				case "disconnect", "forget":
					want, sockets = pam.PhaseOffline, 0
				default:
					want, sockets = pam.PhaseLive, 1
				}
			}
			if p := a.State().Phase; p != want || f.count() != sockets || f.atOnce() > 1 {
				t.Errorf("%q ends %s, with %d sockets, %d at once", asked, p, f.count(), f.atOnce())
			}
			if w := client.Waiting(a.Client); w != "" {
				t.Errorf("%q: left %s", asked, w)
			}
			if want == pam.PhaseLive && a.State().LastSynced.IsZero() {
				t.Errorf("%q: the client has lost the session's list", asked)
			}
			_ = a.Close()
		})
		if t.Failed() {
			return
		}
	}
}

// TestForgetStoredSession forgets the account in a run that has not resumed the session
// of the run before: the client removes that session, too.
func TestForgetStoredSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		kept := keep(store.NewMemory())
		tab := inTab(kept, "tab")
		a := f.device(t, tab).connect()
		time.Sleep(time.Second)
		b := f.device(t, tab)
		if _, err := b.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = a.Close()
		if err := b.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.connect()
		if len(r.asked) != 0 || r.binds != 2 {
			t.Errorf("%d resumptions requested, %d sessions bound", len(r.asked), r.binds)
		}
		_ = b.Close()
	})
}

// TestNoSessionAfterForget forgets the account while the store works, and while it
// fails. Close then removes the session's record only if Forget could not.
func TestNoSessionAfterForget(t *testing.T) {
	for name, fails := range map[string]bool{"the store works": false, "the store fails": true} {
		bubble(t, name, func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			f.handle = r.handle
			memory := store.NewMemory()
			disk := &failing{Store: kept{memory}}
			s := &commitCounter{Store: disk}
			a := f.device(t, func(o *client.Options) { o.Store, o.Tab = s, "tab" }).connect()
			time.Sleep(time.Second)
			disk.on.Store(fails)
			if err := a.Forget(t.Context()); (err != nil) != fails || fails && asError(t, err).Code != pam.CodeStorage {
				t.Errorf("got %v", err)
			}
			disk.on.Store(false)
			before := s.commits.Load()
			_ = a.Close()
			if commits := s.commits.Load() - before; !fails && commits != 0 {
				t.Errorf("%d commits after Forget", commits)
			}
			records, err := memory.Scan(t.Context(), store.Range{})
			if err != nil || slices.ContainsFunc(records, func(r store.Record) bool { return strings.HasPrefix(r.Key, "session") }) {
				t.Errorf("left %v, %v", records, err)
			}
		})
	}
}

// TestExportCanceled ends the context of an Export at many points, for the race
// detector.
func TestExportCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t, slowly(time.Millisecond, 0)).connect()
		for range 200 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			e, err := a.Export(ctx)
			if err != nil && e.Account != "" {
				t.Errorf("got %+v with %v", e, err)
			}
			cancel()
		}
		_ = a.Close()
	})
}

// TestCallWhileBusy ends the contexts of calls while the client's goroutine is busy and
// its queue is full.
func TestCallWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		busy := make(chan struct{})
		a := f.device(t, func(o *client.Options) {
			next := o.OnEvent
			o.OnEvent = func(e client.Event) {
				<-busy
				next(e)
			}
		})
		go func() { _, _ = a.Connect(context.Background()) }()
		synctest.Wait()
		for range 200 {
			go a.Wake()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Refresh(ctx, true); asError(t, err).Code != pam.CodeTimeout {
			t.Errorf("refresh gave %v", err)
		}
		close(busy)
		_ = a.Close()
	})
}

// A slowToEmpty store needs 5 s until it has deleted all records, like a database that
// another page keeps open.
type slowToEmpty struct{ store.Store }

func (s slowToEmpty) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	if len(expect) == 0 && ops[0].Kind == store.OpDeleteRange {
		time.Sleep(5 * time.Second)
	}
	return s.Store.Commit(ctx, expect, ops)
}

// A fullToEmpty store cannot delete all records.
type fullToEmpty struct{ store.Store }

func (s fullToEmpty) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	if len(expect) == 0 && ops[0].Kind == store.OpDeleteRange {
		return errors.New("no space left")
	}
	return s.Store.Commit(ctx, expect, ops)
}

// TestForgetFails fails to forget the account while the first record of the inbox waits to be
// stored: it is stored nevertheless.
func TestForgetFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, kept := newScripted(), store.NewMemory()
		d := f.device(t, func(o *client.Options) { o.Store = fullToEmpty{kept} }).connect()
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(time.Second)
		if err := d.Forget(t.Context()); asError(t, err).Code != pam.CodeStorage {
			t.Errorf("forget gave %v", err)
		}
		stored := func() bool {
			records, err := kept.Scan(t.Context(), store.Range{From: "inbox/", To: "inbox0"})
			return len(records) > 0 && err == nil
		}
		if stored() {
			t.Error("the inbox was stored before")
		}
		time.Sleep(time.Minute)
		if !stored() || d.State().Storage.Degraded {
			t.Errorf("the inbox is not stored; the storage is %+v", d.State().Storage)
		}
		_ = d.Close()
	})
}

// TestForgetSlowly forgets the account while the first record of the inbox waits to be
// stored. The store stays empty.
func TestForgetSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, kept := newScripted(), store.NewMemory()
		d := f.device(t, func(o *client.Options) { o.Store = slowToEmpty{kept} }).connect()
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(time.Second)
		if err := d.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if records, err := kept.Scan(t.Context(), store.Range{}); len(records) > 0 || err != nil {
			t.Errorf("%d records are stored, %v", len(records), err)
		}
		_ = d.Close()
	})
}
