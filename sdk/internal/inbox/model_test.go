package inbox

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	flagSeed      = flag.Uint64("inbox.seed", 1, "seed of the schedules; 0 uses the clock")
	flagSchedules = flag.Int("inbox.schedules", 0, "number of schedules; 0 uses the default")
	flagShrink    = flag.Bool("inbox.shrink", true, "minimise a failing schedule")
)

// TestSchedules runs machines, stores, publishers and the server's markers in random order
// and checks the invariants listed in world_test.go. On failure it prints the seed
// and a minimised schedule.
func TestSchedules(t *testing.T) {
	n := *flagSchedules
	if n == 0 {
		n = 10000
		if testing.Short() || raceEnabled {
			n = 800
		}
	}
	seed := *flagSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-inbox.seed=%d -inbox.schedules=%d", seed, n)

	var next, steps, conflicts, dropped, published atomic.Int64
	var failed atomic.Pointer[failure]
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for failed.Load() == nil {
				i := next.Add(1) - 1
				if i >= int64(n) {
					return
				}
				c := &choices{random: rand.New(rand.NewPCG(seed, uint64(i)))}
				w, err := run(c, nil)
				if err != "" {
					failed.CompareAndSwap(nil, &failure{i, c.made, err})
				}
				conflicts.Add(int64(w.conflicts))
				dropped.Add(int64(w.dropped))
				published.Add(int64(w.published))
				steps.Add(int64(len(c.made)))
			}
		})
	}
	wg.Wait()
	if f := failed.Load(); f != nil {
		made, err := f.made, f.err
		if *flagShrink {
			made, err = shrink(made, err)
		}
		var trace strings.Builder
		run(&choices{replay: made}, &trace)
		t.Fatalf("schedule %d of -inbox.seed=%d: %s\nshortest found: %s\n%s", f.schedule, seed, f.err, err, trace.String())
	}
	t.Logf("%d choices, %d conflicts, %d events dropped, %d markers published", steps.Load(), conflicts.Load(), dropped.Load(), published.Load())
}

type failure struct {
	schedule int64
	made     []int
	err      string
}

// choices makes every decision of a schedule, at random or from a record, so that a
// schedule can be shortened by removing decisions.
type choices struct {
	random *rand.Rand
	replay []int
	made   []int
}

func (c *choices) next(n int) int {
	v := 0
	if c.random != nil {
		v = c.random.IntN(n)
	} else if len(c.made) < len(c.replay) {
		v = c.replay[len(c.made)] % n
	}
	c.made = append(c.made, v)
	return v
}

func (c *choices) done() bool { return c.random == nil && len(c.made) >= len(c.replay) }

// shrink removes decisions from a failing schedule as long as it still fails, for at
// most two seconds.
func shrink(made []int, err string) ([]int, string) {
	deadline := time.Now().Add(2 * time.Second)
	for size := len(made) / 2; size > 0; {
		smaller := false
		for at := 0; at+size <= len(made) && time.Now().Before(deadline); {
			try := append(append([]int(nil), made[:at]...), made[at+size:]...)
			if _, e := run(&choices{replay: try}, nil); e != "" {
				made, err, smaller = try, e, true
			} else {
				at += size
			}
		}
		if !smaller || size > 1 {
			size /= 2
		}
		if time.Now().After(deadline) {
			break
		}
	}
	return made, err
}

// run runs one schedule and returns the violated invariant, or "".
func run(c *choices, trace *strings.Builder) (w *world, broken string) {
	w = newWorld(c, trace)
	defer func() {
		switch v := recover().(type) {
		case nil:
		case violation:
			broken = string(v)
		case error:
			broken = "panic: " + v.Error()
		default:
			broken = fmt.Sprint("panic: ", v)
		}
		if broken != "" {
			w.note("BROKEN: %s", broken)
		}
	}()
	for range 30 + c.next(60) {
		if c.done() {
			break
		}
		w.step()
	}
	w.quiesce()
	return w, ""
}
