//go:build js && wasm

package idb

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/internal/hosttest"
)

var (
	flagSeed = flag.Uint64("seed", 0, "repeats TestRandomFaults")
	flagRuns = flag.Int("runs", 15, "how many runs TestRandomFaults makes")
)

// TestRandomFaults has up to three stores increase one counter while databases are
// closed, deleted, upgraded, blocked and full, and transactions fail, hang and end
// without an event. No commit may be visible in part, none may be lost, and no operation
// may outlast its context. After the faults every store must work again and release all
// connections and values.
func TestRandomFaults(t *testing.T) {
	setBlockedTimeout(t, blockedTimeout) // restores it at the end
	seed := *flagSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d", seed)
	counts := map[string]int{}
	var held, goroutines int
	reports := consoleErrors(t)
	f := tamper(t)
	for i := range *flagRuns {
		r := &randomRun{t: t, f: f, random: rand.New(rand.NewPCG(seed, uint64(i))), name: fresh(), counts: counts, seen: map[string]bool{}}
		r.play()
		if *reports != 0 {
			t.Errorf("JavaScript called a released function")
		}
		if t.Failed() {
			t.Fatalf("run %d of -seed=%d", i, seed)
		}
		if i == 4 {
			held, goroutines = hosttest.Values(t), runtime.NumGoroutine()
		}
	}
	if after := hosttest.Values(t); after > held+10 || runtime.NumGoroutine() > goroutines {
		t.Errorf("%d runs raised the JavaScript values held from %d to %d, the goroutines from %d to %d", *flagRuns-5, held, after, goroutines, runtime.NumGoroutine())
	}
	t.Log(counts)
	for _, what := range []string{"stored", "conflict", "deadline", "connection DeletedError", "connection InvalidStateError", "connection VersionError", "open VersionError", "commit QuotaExceededError"} {
		if counts[what] == 0 {
			t.Errorf("%q never occurred: the faults have no effect", what)
		}
	}
}

type randomRun struct {
	t      *testing.T
	f      tampering
	random *rand.Rand
	name   string
	counts map[string]int

	mu     sync.Mutex
	seen   map[string]bool // values whose commit succeeded
	holds  []func()
	lists  int // names the counts
	stores []*Store
}

func (r *randomRun) play() {
	blockedTimeout = 5 * time.Second
	for range 1 + r.random.IntN(3) {
		s, err := Open(context.Background(), hosttest.Host(r.t), r.name, func(err error) { r.note(err) })
		if err != nil {
			r.t.Errorf("open: %v", err)
			return
		}
		r.stores = append(r.stores, s)
	}
	blockedTimeout = 30 * time.Millisecond
	var workers sync.WaitGroup
	for i, s := range r.stores {
		random := rand.New(rand.NewPCG(r.random.Uint64(), uint64(i)))
		workers.Go(func() {
			for range 25 {
				r.increase(s, random)
			}
		})
	}
	stop := make(chan struct{})
	var disturber sync.WaitGroup
	disturber.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(r.random.IntN(6)) * time.Millisecond):
				r.disturb()
			}
		}
	})
	workers.Wait()
	close(stop)
	disturber.Wait()
	r.recover()
}

// increase reads the counter, checks it, and stores the next one.
func (r *randomRun) increase(s *Store, random *rand.Rand) {
	limit := time.Duration(1+random.IntN(150)) * time.Millisecond
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	got, err := s.Get(ctx, "a", "n", "b")
	if err == nil {
		if string(got[0]) != string(got[1]) || string(got[1]) != string(got[2]) || (got[0] == nil) != (got[2] == nil) {
			r.t.Errorf("a part of a commit is stored: %q", got)
		}
		next := r.next(got[1])
		value := []byte(next)
		err = s.Commit(ctx, []store.Record{{Key: "n", Value: got[1]}}, []store.Op{store.Put("a", value), store.Put("n", value), store.Put("b", value)})
		if err == nil {
			r.mu.Lock()
			if r.seen[next] {
				r.t.Errorf("two commits changed %[2]q to %[1]s: one is lost", next, got[1])
			}
			r.seen[next] = true
			r.mu.Unlock()
		}
	}
	r.note(err)
	if took := time.Since(start); took > limit+2*time.Second {
		r.t.Errorf("an operation took %v, its context %v", took, limit)
	}
}

// next returns the value after v: the number of a list, and its count.
func (r *randomRun) next(v []byte) string {
	var list, n int
	if _, err := fmt.Sscanf(string(v), "%d:%d", &list, &n); err != nil {
		r.mu.Lock()
		r.lists++
		list = r.lists
		r.mu.Unlock()
	}
	return fmt.Sprintf("%d:%d", list, n+1)
}

func (r *randomRun) note(err error) {
	name := "stored"
	if e, ok := errors.AsType[*Error](err); ok {
		name = e.Op + " " + e.Name
	} else if errors.Is(err, store.ErrConflict) {
		name = "conflict"
	} else if errors.Is(err, context.DeadlineExceeded) {
		name = "deadline"
	} else if err != nil {
		r.t.Errorf("error %v of an unknown kind", err)
	}
	r.mu.Lock()
	r.counts[name]++
	r.mu.Unlock()
}

var transactionFaults = strings.Fields("abort held stuck halfway InvalidStateError UnknownError QuotaExceededError open")

// disturb causes a random fault of the database.
func (r *randomRun) disturb() {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	switch r.random.IntN(10) {
	case 0, 1, 2:
		fault := transactionFaults[r.random.IntN(len(transactionFaults))]
		if fault == "open" {
			fault = "open stuck"
		}
		r.f.next(r.t, fault)
	case 3:
		hosttest.Must(r.f.Call("closeConnections"))
	case 4:
		hosttest.Must(r.f.Call("failHeld"))
	case 5:
		r.note2(r.stores[r.random.IntN(len(r.stores))].Commit(ctx, nil, deleteAll))
	case 6:
		r.note2(Delete(ctx, hosttest.Host(r.t), r.name))
	case 7: // a page that keeps it open
		if exists(r.t, r.name) {
			r.holds = append(r.holds, r.hold(1))
		}
	case 8: // a newer program
		if r.random.IntN(3) == 0 {
			r.hold(2)()
			r.note2(Delete(ctx, hosttest.Host(r.t), r.name))
		}
	case 9:
		for _, release := range r.holds {
			release()
		}
		r.holds = nil
	}
}

// hold opens the database, with the same time limit as the stores.
func (r *randomRun) hold(version int) func() {
	release := hosttest.Must(hosttest.Host(r.t).Call("holdDatabaseSilently", r.name, version))
	time.Sleep(5 * time.Millisecond)
	return func() { hosttest.Must(release.Invoke()) }
}

// note2 notes the error of an operation that need not have an effect.
func (r *randomRun) note2(err error) {
	if err != nil {
		r.note(err)
	}
}

// recover ends all faults, and checks that the stores work and that nothing leaks.
func (r *randomRun) recover() {
	blockedTimeout = 5 * time.Second
	for _, release := range r.holds {
		release()
	}
	hosttest.Must(r.f.Call("clear"))
	hosttest.Must(r.f.Call("failHeld"))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	// The answers to requests made while the database was blocked are still pending.
	for err := error(nil); ; time.Sleep(5 * time.Millisecond) {
		if err = Delete(ctx, hosttest.Host(r.t), r.name); err == nil {
			break
		} else if ctx.Err() != nil {
			r.t.Errorf("the database cannot be deleted: %v", err)
			return
		}
	}
	for i, s := range r.stores {
		value := []byte{byte(i)}
		if err := s.Commit(ctx, nil, []store.Op{store.Put("k", value)}); err != nil {
			r.t.Errorf("store %d, after the faults: %v", i, err)
		}
		got, err := r.stores[0].Get(ctx, "k")
		if err != nil || string(got[0]) != string(value) {
			r.t.Errorf("store 0 has %q, %v; want %q", got, err, value)
		}
	}
	for _, s := range r.stores {
		if err := s.Close(); err != nil {
			r.t.Error(err)
		}
	}
	r.f.wait(r.t, "connections", 0)
	r.f.wait(r.t, "stuck", 0)
	if err := Delete(ctx, hosttest.Host(r.t), r.name); err != nil {
		r.t.Errorf("after Close: %v", err)
	}
}
