//go:build !js

package client_test

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var (
	flagCatchUps    = flag.Int("client.catchups", 0, "number of schedules of TestCatchUpSchedules; 0 takes the usual number")
	flagCatchUpOnly = flag.Int("client.catchups.only", -1, "run this schedule alone, and log its messages")
)

// TestCatchUpSchedules has a device lose its connections and sessions, change what it
// follows and wants, mark events and cancel its catch-up, at random, while the answers to
// its requests come late, in another order, as errors, or never (see meddler). When all is
// quiet, its inbox is compared with what was published. PAM_SEED repeats a run.
func TestCatchUpSchedules(t *testing.T) {
	needsMem(t)
	n := 80
	switch {
	case *flagCatchUps > 0:
		n = *flagCatchUps
	case raceEnabled:
		n = 15
	case soaking():
		n = 10_000
	}
	first := seeded(t).Uint64()
	var next, failed atomic.Int64
	var mu sync.Mutex
	stats := map[string]int{}
	if *flagCatchUpOnly >= 0 {
		n = *flagCatchUpOnly + 1
		next.Store(int64(*flagCatchUpOnly))
	}
	t.Run("runs", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for failed.Load() == 0 {
					i := next.Add(1) - 1
					if i >= int64(n) {
						return
					}
					synctest.Test(t, func(t *testing.T) {
						r := newReader(rand.New(rand.NewPCG(first, uint64(i))))
						r.play()
						r.close()
						mu.Lock()
						for k, v := range r.stats {
							stats[k] += v
						}
						mu.Unlock()
						if faults := r.failures(); len(faults) > 0 && failed.Add(1) == 1 {
							t.Errorf("schedule %d: %s\n%s", i, strings.Join(faults, "\n"), strings.Join(r.log, "\n"))
						}
					})
				}
			})
		}
	})
	t.Logf("%d schedules: %v", n, stats)
}
