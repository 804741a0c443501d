package catchup

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
	flagSeed      = flag.Uint64("catchup.seed", 1, "seed of the schedules; 0 uses the clock")
	flagSchedules = flag.Int("catchup.schedules", 0, "number of schedules; 0 uses the default")
)

// TestSchedules runs a device against services in random order and checks what is listed
// in world_test.go. On failure it prints the seed and a minimised schedule.
func TestSchedules(t *testing.T) {
	n := *flagSchedules
	if n == 0 {
		n = 8_000
		if testing.Short() || raceEnabled {
			n = 800
		}
	}
	seed := *flagSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-catchup.seed=%d -catchup.schedules=%d", seed, n)
	var next atomic.Int64
	var failed atomic.Pointer[failedSchedule]
	var mu sync.Mutex
	var sum stats
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for failed.Load() == nil {
				i := next.Add(1) - 1
				if i >= int64(n) {
					return
				}
				c := &choices{random: rand.New(rand.NewPCG(seed, uint64(i)))}
				s, err := run(c, nil)
				if err != "" {
					failed.CompareAndSwap(nil, &failedSchedule{i, c.made, err})
				}
				mu.Lock()
				sum.add(s)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if f := failed.Load(); f != nil {
		made, err := shrink(f.made, f.err)
		var trace strings.Builder
		run(&choices{replay: made}, &trace)
		t.Fatalf("schedule %d of -catchup.seed=%d: %s\nshortest found: %s\n%s", f.schedule, seed, f.err, err, trace.String())
	}
	t.Logf("%+v", sum)
	if n >= 1000 && (sum.complete*10 < sum.catchUps || sum.partial*20 < sum.catchUps) {
		t.Errorf("the schedules are not varied enough")
	}
}

func (s *stats) add(other stats) {
	s.catchUps += other.catchUps
	s.complete += other.complete
	s.partial += other.partial
	s.kills += other.kills
	s.lost += other.lost
	s.resumed += other.resumed
	s.events += other.events
}

type failedSchedule struct {
	schedule int64
	made     []int
	err      string
}

// run runs one schedule.
func run(c *choices, trace *strings.Builder) (s stats, err string) {
	var w *world
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(violation); !ok {
				panic(v)
			}
			err = fmt.Sprint(v)
			w.notef("%s", err)
		}
		if w != nil {
			s = w.stats
		}
	}()
	w = newWorld(c, trace)
	w.device.begin()
	for range 40 + c.next(160) {
		w.act()
		if c.done() {
			break
		}
	}
	w.settle(nil)
	w.device.end(w.device.stored.active)
	w.now = w.now.Add(10 * time.Minute)
	w.settle(nil)
	w.check()
	return w.stats, ""
}

// choices are the decisions of a schedule: random, or read from a list.
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

// shrink removes decisions from a failing schedule as long as it still fails, for at most
// two seconds.
func shrink(made []int, err string) ([]int, string) {
	deadline := time.Now().Add(2 * time.Second)
	for size := len(made) / 2; size > 0; {
		smaller := false
		for at := 0; at+size <= len(made) && time.Now().Before(deadline); {
			c := &choices{replay: append(append([]int(nil), made[:at]...), made[at+size:]...)}
			if _, now := run(c, nil); now != "" {
				made, err, smaller = c.replay, now, true
			} else {
				at += size
			}
		}
		if !smaller {
			size /= 2
		}
	}
	return made, err
}
