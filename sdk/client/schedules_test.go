//go:build !js

package client_test

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var (
	flagSchedules    = flag.Int("client.schedules", 0, "number of schedules; 0 takes the usual number")
	flagBrowser      = flag.Bool("client.browser", false, "draw schedules for a browser: tabs send each other hints, and every server answers within 20 s")
	flagSchedulesOut = flag.String("client.schedules.out", "", "write the schedules and their results to this file, as lines of JSON")
)

// TestSchedules runs random schedules: changes by other devices, lost history, requests,
// cuts, crashes in a commit, forged stanzas, one to three tabs with one store, and
// servers of every personality. The invariants I1 to I12 that it checks are named in
// schedule_*_test.go. PAM_SEED repeats a run.
func TestSchedules(t *testing.T) {
	needsMem(t)
	n := 2000
	switch {
	case *flagSchedules > 0:
		n = *flagSchedules
	case raceEnabled:
		n = 100
	case soaking():
		n = 20_000
	}
	r := seeded(t)
	schedules := make([]schedule, n)
	for i := range schedules {
		schedules[i] = drawSchedule(rand.New(rand.NewPCG(r.Uint64(), 4)))
		if like := personality(schedules[i].Server); *flagBrowser {
			schedules[i].Hints = true
			schedules[i].Steps = slices.DeleteFunc(schedules[i].Steps, func(st step) bool { return st.Do == "outrank" })
			if like.Silent || like.SilentUnsubscribe {
				schedules[i].Server = "spec"
			}
		}
	}
	marks := make([][]mark, n)
	var next, failed, crashes atomic.Int64
	t.Run("runs", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for failed.Load() == 0 {
					first := int(next.Add(perBubble)) - perBubble
					if first >= n {
						return
					}
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(map[string]int{})
						defer w.Close()
						makeNodes(w)
						for i := first; i < min(first+perBubble, n) && failed.Load() == 0; i++ {
							g := newStage(w, schedules[i])
							g.play()
							marks[i] = g.marks
							crashes.Add(g.crashes.Load())
							if len(g.faults) > 0 && failed.Add(1) == 1 {
								t.Errorf("schedule %d: %s\n%s\n%s", i, strings.Join(g.faults, "\n"), g.s, strings.Join(g.frames, "\n"))
							}
						}
					})
				}
			})
		}
	})
	steps := 0
	for _, s := range schedules {
		steps += len(s.Steps)
	}
	t.Logf("%d schedules, %d steps, %d crashes in a commit", n, steps, crashes.Load())
	if *flagSchedulesOut != "" && !t.Failed() {
		writeSchedules(t, schedules, marks)
	}
}

// TestCrashAtADial ends a program at the time of a dial, and starts another: neither has
// two sockets at once.
func TestCrashAtADial(t *testing.T) {
	needsMem(t)
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(map[string]int{})
			defer w.Close()
			makeNodes(w)
			g := newStage(w, schedule{Server: "spec", Tabs: 1, Steps: []step{
				{Do: "connect"}, {Do: "down"}, {Do: "up"}, {Do: "connect"}, {Do: "unsubscribe", Node: "own0"},
				{Do: "disconnect"}, {Do: "crash"}, {Do: "settle"},
			}})
			g.play()
			if len(g.faults) > 0 {
				t.Fatal(strings.Join(g.faults, "\n"))
			}
		})
	}
}

// makeNodes creates the nodes of the schedules.
func makeNodes(w *world) {
	for _, node := range scheduleNodes() {
		_ = w.CreateNode(node, "open")
	}
}

func writeSchedules(t *testing.T, schedules []schedule, marks [][]mark) {
	f, err := os.Create(*flagSchedulesOut)
	if err != nil {
		t.Fatal(err)
	}
	out := json.NewEncoder(f)
	for i, s := range schedules {
		if err := out.Encode(map[string]any{"schedule": s, "marks": marks[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
