//go:build !js

package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// cycleLength is the number of cuts of one client after which it must have the server's
// list again, and must have received every event once.
const cycleLength = 100

// TestCutCycles cuts the connections of clients 10,000 times in total, 100,000 times
// with SOAK=1, at random places: in the middle of a message, while a client reconnects
// after the previous cut, and during events, changes and requests. The server always
// resumes, and acknowledges a stanza before a third cut in a row: no event may be lost,
// none may be delivered twice, and no second session may begin.
func TestCutCycles(t *testing.T) {
	needsMem(t)
	cycles := 10_000
	switch {
	case raceEnabled:
		cycles = 200
	case soaking():
		cycles = 100_000
	}
	r := seeded(t)
	var seeds []uint64
	for range cycles / cycleLength {
		seeds = append(seeds, r.Uint64())
	}
	var next, failed, events, resumed atomic.Int64
	t.Run("runs", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for failed.Load() < 3 {
					i := int(next.Add(1)) - 1
					if i >= len(seeds) {
						return
					}
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(map[string]int{})
						defer w.Close()
						run := w.cycles(rand.New(rand.NewPCG(seeds[i], 2)))
						events.Add(int64(w.serial))
						resumed.Add(int64(run.resumed))
						if len(run.faults) > 0 && failed.Add(1) <= 3 {
							t.Errorf("run %d: %q\n%s", i, run.faults, strings.Join(run.frames, "\n"))
						}
					})
				}
			})
		}
	})
	t.Logf("%d cuts, %d resumptions, %d events", cycles, resumed.Load(), events.Load())
	if !t.Failed() && resumed.Load() < int64(cycles)/2 {
		t.Errorf("only %d resumptions", resumed.Load())
	}
}

// cycles runs one client through cycleLength cuts and returns what went wrong.
func (w *world) cycles(rng *rand.Rand) *run {
	w.reset()
	n := newNetwork()
	r := w.start(n)
	defer r.end()
	_, _ = r.c.Connect(context.Background())
	if !r.until("the first list", r.equal) {
		return r
	}
	done := make(chan struct{})
	stop := make(chan struct{})
	asking := rand.New(rand.NewPCG(rng.Uint64(), 3))
	go func() {
		defer close(done)
		r.request(asking, stop)
	}()
	var items []string
	for k := range cycleLength {
		c := cut{way: direction(rng.IntN(2)), after: rng.IntN(12), bytes: rng.IntN(80) - 1, ending: resumes}
		switch rng.IntN(10) {
		case 0:
			c.late[0] = true
		case 1:
			c.late[1] = true
		}
		// A third cut in a row would end the session, if the server acknowledges nothing in between.
		if !r.until("an acknowledgement", func() bool { return client.InVain(r.c) == 0 }) {
			return r
		}
		n.plot(c)
		for i := 0; n.counts().cuts <= k; i++ {
			if i == 1000 {
				r.faultf("cut %d was never made: %+v", k, c)
				return r
			}
			for range rng.IntN(3) {
				items = append(items, r.change(rng.IntN(2*cutNodes)))
			}
			time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
		}
	}
	close(stop)
	select {
	case <-done:
	case <-time.After(stuckAfter):
		r.faultf("a request has no end, in %+v with %s", r.c.State(), client.Waiting(r.c))
		return r
	}
	// A client that does not notice the last cut has the list, but not all events.
	if !r.until("the server's list and all events", func() bool { return r.equal() && client.Waiting(r.c) == "" && r.has(items) }) {
		return r
	}
	time.Sleep(time.Second) // for events that are delivered twice
	r.checkEvents(items, true)
	if sessions, _ := r.began(); sessions != 1 {
		r.faultf("%d sessions began", sessions)
	}
	return r
}

// has reports whether all items were delivered.
func (r *run) has(items []string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !slices.ContainsFunc(items, func(item string) bool { return r.got[item] == 0 })
}

// request subscribes, unsubscribes and refreshes until stop is closed. The client sends
// requests of a suspended session after its resumption.
func (r *run) request(rng *rand.Rand, stop <-chan struct{}) {
	ctx := context.Background()
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rng.IntN(5000)) * time.Millisecond):
		}
		target := pam.Target{Service: "pubsub.localhost", Node: fmt.Sprint("r", rng.IntN(3))}
		switch rng.IntN(3) {
		case 0:
			_, _ = r.c.Subscribe(ctx, target)
		case 1:
			_ = r.c.Unsubscribe(ctx, target)
		default:
			_ = r.c.Refresh(ctx, rng.IntN(2) == 0)
		}
	}
}

// plot plans the next cut, counted from now.
func (n *network) plot(c cut) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.after += n.passed[c.way]
	n.plan = append(n.plan, c)
}
