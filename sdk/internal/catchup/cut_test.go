package catchup

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestCuts cuts catch-ups after each message of the server, in three ways: the session is
// resumed, or lost, or the program is terminated. In the end the inbox is always the same.
func TestCuts(t *testing.T) {
	worlds := 60
	if testing.Short() || raceEnabled {
		worlds = 8
	}
	cuts := 0
	for seed := range worlds {
		whole := newCutWorld(t, uint64(seed))
		messages := 0
		whole.settle(func() { messages++ })
		for at := 1; at <= messages; at++ {
			for way := range 3 {
				w := newCutWorld(t, uint64(seed))
				var trace strings.Builder
				w.trace = &trace
				err := w.cutAt(at, way)
				if want, got := whole.device.stored.have, w.device.stored.have; err == "" && !maps.Equal(want, got) {
					err = fmt.Sprintf("got %v, want %v", got, want)
				}
				if err != "" {
					t.Fatalf("world %d, cut %d after message %d: %s\n%s", seed, way, at, err, trace.String())
				}
				cuts++
			}
		}
	}
	t.Logf("%d cuts", cuts)
}

// newCutWorld returns a world in which things were published, some before the last session
// and some since.
func newCutWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := newWorld(&choices{random: rand.New(rand.NewPCG(1, seed))}, nil)
	w.settle(nil)
	d := w.device
	for range 10 {
		w.publish(w.nodes[w.next(len(w.nodes))])
	}
	w.settle(nil)
	d.end(d.stored.active)
	for range 10 * w.next(6) {
		w.publish(w.nodes[w.next(len(w.nodes))])
	}
	d.commits = []*stored{d.stored.clone()}
	return w
}

func (w *world) cutAt(at int, way int) (err string) {
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(violation); !ok {
				panic(v)
			}
			err = fmt.Sprint(v)
		}
	}()
	d := w.device
	messages := 0
	w.settle(func() {
		if messages++; messages != at {
			return
		}
		switch way {
		case 0:
			d.paused = true
			d.step(Paused{})
			for len(w.waits) > 0 {
				w.answer()
			}
		case 1:
			d.end(d.stored.active)
		case 2:
			d.kill()
		}
	})
	return ""
}
