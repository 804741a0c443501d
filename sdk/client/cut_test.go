//go:build !js

package client_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// perBubble is how many transcripts share a server, because starting a server is slow.
const perBubble = 16

var (
	endings = []ending{resumes, expires, forgets}
	lates   = [][2]bool{{}, {true, false}, {false, true}}
)

// TestCutMessages breaks the connection at every message of the reference transcript,
// in both directions, before or after the message, with every ending of the session.
// Both sides notice the cut at once, or one of them late: at random, or all with SOAK=1.
func TestCutMessages(t *testing.T) {
	r := seeded(t)
	var plans [][]cut
	for _, c := range boundaries(t) {
		for _, c.ending = range endings {
			if !soaking() {
				c.late = lates[r.IntN(len(lates))]
				plans = append(plans, []cut{c})
				continue
			}
			for _, c.late = range lates {
				plans = append(plans, []cut{c})
			}
		}
	}
	runPlans(t, plans, 100)
}

// TestCutPairs breaks it at 3,000 random pairs of messages, or at every pair with SOAK=1.
// The second place is counted from the first cut, so that it also covers the login and the
// resumption after that cut. The kinds of the cuts and the endings are random; with SOAK=1
// it tries every pair of endings.
func TestCutPairs(t *testing.T) {
	r := seeded(t)
	all := boundaries(t)
	total := [2]int{}
	for _, c := range all {
		total[c.way] = max(total[c.way], c.after+1)
	}
	draw := func(c *cut) {
		c.bytes = -r.IntN(2)
		c.late = lates[r.IntN(len(lates))]
		c.ending = endings[r.IntN(len(endings))]
	}
	const again = 12 // messages each way until the second connection is live
	var plans [][]cut
	for _, first := range all {
		if first.bytes != 0 {
			continue
		}
		for way := range direction(2) {
			left := total[way] + again
			if way == first.way {
				left -= first.after
			} else {
				left -= first.after * total[way] / total[first.way]
			}
			for after := range left {
				second := cut{way: way, after: after}
				draw(&first)
				draw(&second)
				if !soaking() {
					plans = append(plans, []cut{first, second})
					continue
				}
				for _, first.ending = range endings {
					for _, second.ending = range endings {
						plans = append(plans, []cut{first, second})
					}
				}
			}
		}
	}
	if !soaking() {
		r.Shuffle(len(plans), func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
		plans = plans[:3000]
	}
	runPlans(t, plans, 200)
}

// TestCutBytes breaks it inside messages, at 1,000 random bytes, or at every byte with
// SOAK=1.
func TestCutBytes(t *testing.T) {
	r := seeded(t)
	sizes := reference(t).sizes
	var all []cut
	for way := range direction(2) {
		for after, size := range sizes[way] {
			for at := 1; at < size; at++ {
				all = append(all, cut{way: way, after: after, bytes: at})
			}
		}
	}
	if !soaking() {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:1000]
	}
	var plans [][]cut
	for _, c := range all {
		c.ending = endings[r.IntN(len(endings))]
		c.late = lates[r.IntN(len(lates))]
		plans = append(plans, []cut{c})
	}
	runPlans(t, plans, 100)
}

// soaking reports whether tests may take hours.
func soaking() bool { return os.Getenv("SOAK") == "1" }

// seeded returns the random source of a test.
func seeded(t *testing.T) *rand.Rand { return rand.New(rand.NewPCG(seed(t), 1)) }

// seed returns and logs the seed of a test. It is 1, or taken from the clock with SOAK=1.
// PAM_SEED sets another one.
func seed(t *testing.T) uint64 {
	seed := uint64(1)
	if soaking() {
		seed = uint64(time.Now().UnixNano())
	}
	if v := os.Getenv("PAM_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("PAM_SEED=%s is not a number", v)
		}
		seed = n
	}
	t.Logf("PAM_SEED=%d", seed)
	return seed
}

// reference returns the network of a transcript without cuts.
func reference(t *testing.T) (n *network) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(map[string]int{})
		defer w.Close()
		n = newNetwork()
		if r := w.transcript(n); len(r.faults) > 0 {
			t.Fatalf("without a cut: %q\n%s", r.faults, strings.Join(r.frames, "\n"))
		}
	})
	if len(n.sizes[toServer]) < 28 || len(n.sizes[toClient]) < 70 {
		t.Fatalf("the transcript is only %d and %d messages long", len(n.sizes[toServer]), len(n.sizes[toClient]))
	}
	return n
}

// boundaries returns the ends of all messages of the reference.
func boundaries(t *testing.T) (all []cut) {
	for way, sizes := range reference(t).sizes {
		for after := range sizes {
			all = append(all, cut{way: direction(way), after: after}, cut{way: direction(way), after: after, bytes: -1})
		}
	}
	return all
}

// runPlans runs a transcript for every plan, on all cores. With the race detector,
// which is slow, it runs only one in sparse plans; these still cover all of the code.
func runPlans(t *testing.T, plans [][]cut, sparse int) {
	runIn(t, plans, sparse, func(stats map[string]int) (*world, func(*network) *run) {
		w := newWorld(stats)
		return w, w.transcript
	})
}

// runIn does it with the transcript of another world.
func runIn(t *testing.T, plans [][]cut, sparse int, begin func(stats map[string]int) (*world, func(*network) *run)) {
	needsMem(t)
	if raceEnabled {
		var some [][]cut
		for i := 0; i < len(plans); i += sparse {
			some = append(some, plans[i])
		}
		plans = some
	}
	if v := os.Getenv("CUT_PLAN"); v != "" {
		i, _ := strconv.Atoi(v)
		plans = plans[i : i+1]
	}
	began := time.Now()
	var next, failed atomic.Int64
	var mu sync.Mutex
	all := map[string]int{}
	t.Run("runs", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for failed.Load() < 3 {
					from := int(next.Add(perBubble)) - perBubble
					if from >= len(plans) {
						return
					}
					stats := map[string]int{}
					synctest.Test(t, func(t *testing.T) {
						w, transcript := begin(stats)
						defer w.Close()
						for i, plan := range plans[from:min(from+perBubble, len(plans))] {
							r := transcript(newNetwork(plan...))
							if len(r.faults) > 0 && failed.Add(1) <= 3 {
								t.Errorf("CUT_PLAN=%d: %s\n%q\n%s", from+i, describePlan(plan), r.faults, strings.Join(r.frames, "\n"))
							}
						}
					})
					mu.Lock()
					for k, v := range stats {
						all[k] += v
					}
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d transcripts in %.1f s: %v", len(plans), time.Since(began).Seconds(), all)
	planned := 0
	for _, plan := range plans {
		planned += len(plan)
	}
	// Each transcript checks that it made the cuts whose places it reached. The last
	// message is not always sent, and a second place may be after the end of the
	// transcript, which depends on the first cut: of all pairs about 85 % are possible.
	if all["cuts"] < planned*4/5 && !t.Failed() {
		t.Errorf("only %d of %d cuts were made", all["cuts"], planned)
	}
}

func describePlan(plan []cut) string {
	var out []string
	for _, c := range plan {
		what := fmt.Sprintf("after byte %d of", c.bytes)
		switch c.bytes {
		case 0:
			what = "before"
		case -1:
			what = "behind"
		}
		out = append(out, fmt.Sprintf("%s message %d to the %s, session %s, noticed late by server %v, client %v",
			what, c.after, [...]string{"server", "client"}[c.way], c.ending, c.late[0], c.late[1]))
	}
	return strings.Join(out, "; then ")
}
