//go:build !js

package client_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/store"
)

// A storeFault is the failure of one call to the store.
type storeFault struct {
	name    string
	get     bool          // else a commit
	applied bool          // the store performs the call nevertheless
	lasting bool          // all later calls fail too
	silent  time.Duration // how long after the end of its context it returns
	late    bool          // the store performs the call then
	corrupt bool          // the values read differ from those written
	err     error
}

var errBroken = errors.New("the disk is broken")

var storeFaults = []storeFault{
	{name: "a reading fails", get: true, err: errBroken},
	{name: "no reading works any more", get: true, lasting: true, err: errBroken},
	{name: "a commit fails", err: errBroken},
	{name: "no commit works any more", lasting: true, err: errBroken},
	{name: "a commit fails, but is stored", applied: true, err: errBroken},
	{name: "a conflict that is none", err: store.ErrConflict},
	{name: "a read is not answered", get: true, silent: time.Hour, err: errBroken},
	{name: "a commit is not answered", silent: time.Hour, err: errBroken},
	{name: "a commit is not answered, but is stored", applied: true, silent: time.Hour, err: errBroken},
	{name: "no commit is answered any more", lasting: true, silent: time.Hour, err: errBroken},
	{name: "a commit is stored too late", late: true, silent: time.Second, err: errBroken},
	{name: "a commit is stored much too late", late: true, silent: time.Minute, err: errBroken},
	{name: "what is read is corrupt", get: true, corrupt: true},
}

// faulty is the handle of the first program of a tab, whose nth read or commit fails.
type faulty struct {
	*handle
	fault  storeFault
	at     int64
	calls  atomic.Int64
	broken atomic.Bool
	met    atomic.Bool
	lost   atomic.Bool // a list could not be stored
}

func (f *faulty) hit(get bool) bool {
	if f.broken.Load() {
		return true
	}
	if get != f.fault.get || f.calls.Add(1) != f.at {
		return false
	}
	f.met.Store(true)
	f.broken.Store(f.fault.lasting)
	return true
}

// answer waits as long as the fault requires, and calls given when the caller may stop
// waiting.
func (f *faulty) answer(ctx context.Context, given func()) error {
	if f.fault.silent == 0 {
		given()
	} else {
		<-ctx.Done() // The caller stops waiting.
		given()
		time.Sleep(f.fault.silent)
	}
	return f.fault.err
}

func (f *faulty) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	hit := f.hit(true)
	if hit && !f.fault.corrupt {
		return nil, f.answer(ctx, func() {})
	}
	values, err := f.handle.Get(ctx, keys...)
	for i, v := range values {
		if hit && i%2 == 0 && len(v) > 0 { // the version, and half of the list
			values[i] = append(slices.Clone(v[:len(v)/2]), "corrupt"...)
		}
	}
	return values, err
}

func (f *faulty) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	hit := f.hit(true)
	if hit && !f.fault.corrupt {
		return nil, f.answer(ctx, func() {})
	}
	records, err := f.handle.Scan(ctx, r)
	for i := range records {
		if hit {
			records[i].Value = records[i].Value[:len(records[i].Value)/2]
		}
	}
	return records, err
}

func (f *faulty) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	if !f.hit(false) {
		return f.handle.Commit(ctx, expect, ops)
	}
	if f.fault.applied {
		_ = f.handle.Commit(ctx, expect, ops)
	}
	err := f.answer(ctx, func() { f.lost.Store(len(expect) > 0 && f.fault.err == errBroken || f.lost.Load()) })
	if f.fault.late {
		_ = f.handle.Commit(ctx, expect, ops)
	}
	return err
}

// TestStoreFaults plays schedules, 50 of them with SOAK=1, with every fault at every
// call of the first program of one tab to its store, or in later schedules at every
// fifth call. No call may hang, no row may be lost or invented, and a client that has
// lost its store must report this with the reason.
func TestStoreFaults(t *testing.T) {
	needsMem(t)
	scripts, whole := 12, 2
	switch {
	case raceEnabled:
		scripts, whole = 1, 0
	case soaking():
		scripts, whole = 50, 50
	}
	const seed = 376
	var schedules []schedule
	for i := range scripts {
		s := drawSchedule(rand.New(rand.NewPCG(seed, uint64(i))))
		if i%2 == 0 {
			s.Server = "spec"
		}
		schedules = append(schedules, s)
	}
	var next, runs, met, degraded, failed atomic.Int64
	t.Run("runs", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for failed.Load() == 0 {
					i := int(next.Add(1)) - 1
					if i >= len(schedules)*len(storeFaults) {
						return
					}
					s, fault := schedules[i/len(storeFaults)], storeFaults[i%len(storeFaults)]
					first, every := int64(1), int64(1)
					if i/len(storeFaults) >= whole {
						first, every = 1+int64(i%5), 5
					}
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(map[string]int{})
						defer w.Close()
						defer time.Sleep(2 * time.Hour) // until the store has returned
						makeNodes(w)
						for at := first; failed.Load() == 0; at += every {
							g := newStage(w, s, func(h *handle) store.Store { return &faulty{handle: h, fault: fault, at: at} })
							f := g.tabs[g.victim].store.(*faulty)
							g.play()
							runs.Add(1)
							if !f.met.Load() {
								return // The program makes no such call.
							}
							met.Add(1)
							if g.sawDegraded {
								degraded.Add(1)
							}
							if len(g.faults) > 0 && failed.Add(1) == 1 {
								t.Errorf("%s, call %d: %s\n%s\n%s", fault.name, at, strings.Join(g.faults, "\n"), g.s, strings.Join(g.frames, "\n"))
							}
						}
					})
				}
			})
		}
	})
	t.Logf("%d runs, %d faults met, %d programs went on in memory", runs.Load(), met.Load(), degraded.Load())
	if !t.Failed() && (met.Load() == 0 || degraded.Load() == 0) {
		t.Error("no fault occurred, or none had an effect")
	}
}

// faultOccurred reports whether a fault occurred: a tab then may not know the stored
// list, or may be unable to read it.
func (g *stage) faultOccurred() bool {
	f, ok := g.tabs[g.victim].store.(*faulty)
	return ok && f.met.Load()
}

// checkStorage checks the reported state of a program's storage: the program uses memory
// if and only if its store failed, and reports the reason.
func (t *tab) checkStorage() {
	synctest.Wait() // for the report of a lost store
	said := t.c.State().Storage
	f, ok := t.store.(*faulty)
	if !ok || !f.met.Load() {
		if said.Degraded {
			t.faultf("tab %d says that its store failed (%v), which did not", t.i, said.Err)
		}
		return
	}
	if said.Degraded {
		t.sawDegraded = true
		if f.fault.err == errBroken && f.fault.silent == 0 && !errors.Is(said.Err, errBroken) {
			t.faultf("tab %d went on in memory, because: %v", t.i, said.Err)
		}
	}
	if f.lost.Load() && !said.Degraded {
		t.faultf("tab %d could not store a list and says that its store is in order", t.i)
	}
}
