//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/store"
)

// A run is one life of a device: log-in, bind, list, 20 notifies and 10 events,
// 5 requests, close; with cuts.
type run struct {
	w      *cutWorld
	a      *client.Client
	mu     sync.Mutex
	got    map[string]int // events by id
	binds  int
	resume int
}

// play runs it, and returns what went wrong. The list must end equal to the
// server's, at most two connections after the last cut; every request must
// have an outcome that the list bears out; an event may never come twice, and
// if the session was always resumed none may be missing.
func (w *cutWorld) play(kept store.Store, cuts ...cut) (*run, error) {
	w.mu.Lock()
	w.plan, w.messages, w.bytes, w.pending, w.dials = cuts, 0, 0, nil, 0
	w.mu.Unlock()
	r := &run{w: w, got: map[string]int{}}
	r.a = w.client(w, kept, func(o *client.Options) { o.OnEvent, o.OnFrame = r.event, r.frame })
	defer r.a.Close()

	_, err := r.a.Connect(w.t.Context())
	var e *client.Error
	if err != nil && (!errors.As(err, &e) || !e.Retryable) {
		return r, fmt.Errorf("connect: %w", err)
	}
	if err := r.live(); err != nil {
		return r, err
	}
	first := r.bound()
	var published []string
	for i := range 20 {
		target := client.Target{Service: "pubsub.localhost", Node: fmt.Sprintf("theirs%d", i%10)}
		var err error
		if i < 10 {
			_, err = w.other.Subscribe(w.t.Context(), target)
		} else {
			err = w.other.Unsubscribe(w.t.Context(), target)
		}
		if err != nil {
			return r, fmt.Errorf("the other device: %w", err)
		}
		if i%2 == 0 {
			id := fmt.Sprintf("item%d", i)
			if err := w.server.Publish("news", id, ""); err != nil {
				return r, err
			}
			published = append(published, id)
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, step := range []struct {
		node      string
		subscribe bool
	}{{"ours0", true}, {"ours1", true}, {"ours0", false}, {"ours2", true}, {"ours1", false}} {
		if err := r.request(step.node, step.subscribe); err != nil {
			return r, err
		}
	}
	if err := r.equal(); err != nil {
		return r, err
	}
	if err := r.events(published, r.bound() == first); err != nil {
		return r, err
	}
	w.mu.Lock()
	dials, left, fault := w.dials, len(w.plan), w.fault
	w.mu.Unlock()
	switch {
	case fault != "":
		return r, errors.New(fault)
	case len(cuts) > 0 && left < len(cuts) && dials > 2:
		return r, fmt.Errorf("%d connections after the last cut", dials)
	}
	_ = r.a.Close() // which may be cut as well
	return r, r.tidy()
}

// request asks for a change until the client was connected to ask, and checks
// the outcome.
func (r *run) request(node string, subscribe bool) error {
	ctx, cancel := context.WithTimeout(r.w.t.Context(), 10*time.Minute)
	defer cancel()
	target := client.Target{Service: "pubsub.localhost", Node: node}
	for {
		var err error
		if subscribe {
			_, err = r.a.Subscribe(ctx, target)
		} else {
			err = r.a.Unsubscribe(ctx, target)
		}
		var e *client.Error
		switch {
		case err == nil:
			if listed := slices.Contains(nodesOf(r.a.Snapshot().List), node); listed != subscribe {
				return fmt.Errorf("request for %s succeeded, and the list says otherwise", node)
			}
			return nil
		case errors.As(err, &e) && e.Code == client.CodeOffline:
			if err := r.live(); err != nil {
				return err
			}
		case errors.As(err, &e) && e.Code == client.CodeOutcomeUnknown:
			return nil
		default:
			return fmt.Errorf("request for %s: %w", node, err)
		}
	}
}

// live waits until the client is.
func (r *run) live() error {
	for range 6000 {
		if r.a.State().Phase == client.PhaseLive {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("not live after five minutes: %+v", r.a.State())
}

// equal waits until the client is live and has what the server has.
func (r *run) equal() error {
	for range 6000 {
		want, version := r.w.server.Subscriptions("alice")
		got := r.a.Snapshot()
		if r.a.State().Phase == client.PhaseLive && string(got.Version) == version && len(got.List) == len(want) && len(got.Provisional) == 0 {
			for i, s := range got.List {
				if s.Node != want[i].Node || string(s.State) != want[i].State {
					return fmt.Errorf("version %s: the list has %s, the server's %s", version, s.Node, want[i].Node)
				}
			}
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	want, version := r.w.server.Subscriptions("alice")
	return fmt.Errorf("after five minutes the list is %v at %q, the server's %v at %q; %+v",
		nodesOf(r.a.Snapshot().List), r.a.Snapshot().Version, want, version, r.a.State())
}

func (r *run) events(published []string, always bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range published {
		if n := r.got[id]; n > 1 || n == 0 && always {
			return fmt.Errorf("event %s came %d times (always the same session: %v)", id, n, always)
		}
	}
	return nil
}

// tidy checks that the server's side is as it was.
func (r *run) tidy() error {
	time.Sleep(2 * time.Minute) // a session that could not be closed ends by itself
	if left := r.w.sessions(); len(left) > 0 {
		return fmt.Errorf("sessions are left: %q", left)
	}
	rows, _ := r.w.server.Subscriptions("alice")
	for _, row := range rows {
		if strings.HasPrefix(row.Node, "ours") {
			if err := r.w.other.Unsubscribe(r.w.t.Context(), client.Target{Service: row.Service, Node: row.Node}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) event(e client.Event) {
	m, ok := e.(client.MessageReceived)
	if !ok {
		return
	}
	_, rest, _ := strings.Cut(m.Stanza.String(), "<item id='")
	id, _, _ := strings.Cut(rest, "'")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got[id]++
}

func (r *run) frame(f client.Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !f.Out && strings.Contains(f.XML, "<jid>"):
		r.binds++
	case !f.Out && strings.HasPrefix(f.XML, "<resumed"):
		r.resume++
	}
}

func (r *run) bound() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.binds
}

// cutSeed is CUT_SEED, or drawn.
func cutSeed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if text := os.Getenv("CUT_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("CUT_SEED=%d", seed)
	return seed
}

var soak = os.Getenv("SOAK") != ""

// TestCutEverywhere cuts the line at every message, whether or not it gets
// through, with every outcome; at every pair of messages; and at 2,000 bytes.
// With SOAK every pair has every pair of outcomes, and every byte is cut.
func TestCutEverywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	seed := cutSeed(t)
	var messages, bytes int
	inWorld(t, func(w *cutWorld) {
		r, err := w.play(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.got) != 10 || r.binds != 1 || r.resume != 0 {
			t.Fatalf("%+v", r)
		}
		messages, bytes = w.messages, w.bytes
	})
	t.Logf("the transcript has %d messages in %d bytes", messages, bytes)

	var groups [][][]cut // of runs, each with its cuts; a group shares a server
	for at := 1; at <= messages; at++ {
		var singles, pairs [][]cut
		r := rand.New(rand.NewPCG(seed, uint64(at)))
		for o := range outcomes {
			for _, through := range []bool{false, true} {
				for _, late := range []bool{false, true} {
					singles = append(singles, []cut{{at: at, through: through, late: late, outcome: o}})
				}
			}
		}
		for second := at + 1; second <= messages+20; second++ {
			some := []outcome{anyOutcome(r), anyOutcome(r)}
			for a := range outcomes {
				for b := range outcomes {
					if soak || a == some[0] && b == some[1] {
						pairs = append(pairs, []cut{
							{at: at, through: r.IntN(2) == 0, late: r.IntN(4) == 0, outcome: a},
							{at: second, through: r.IntN(2) == 0, late: r.IntN(4) == 0, outcome: b},
						})
					}
				}
			}
		}
		groups = append(groups, singles, pairs)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	var positions []int
	if soak {
		for at := 1; at <= bytes; at++ {
			positions = append(positions, at)
		}
	} else {
		positions = r.Perm(bytes)[:2000]
	}
	for chunk := range slices.Chunk(positions, 100) {
		var some [][]cut
		for _, at := range chunk {
			some = append(some, []cut{{at: at + 1, byte: true, outcome: anyOutcome(r)}})
		}
		groups = append(groups, some)
	}

	var runs, resumptions, sessions atomic.Int64
	t.Run("group", func(t *testing.T) {
		for i, group := range groups {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(w *cutWorld) {
					kept := keep(store.NewMemory())
					for n, cuts := range group {
						var s store.Store // every other run is of a new device
						if n%2 == 0 {
							s = kept
						}
						r, err := w.play(s, cuts...)
						if err != nil {
							t.Fatalf("%v: %v", cuts, err)
						}
						runs.Add(1)
						resumptions.Add(int64(r.resume))
						sessions.Add(int64(r.binds))
					}
				})
			})
		}
	})
	t.Logf("%d runs, %d resumptions, %d new sessions", runs.Load(), resumptions.Load(), sessions.Load())
}

// inWorld runs f in a bubble: it fails if a goroutine is left.
func inWorld(t *testing.T, f func(*cutWorld)) {
	synctest.Test(t, func(t *testing.T) {
		w := newCutWorld(t)
		defer w.close()
		f(w)
	})
}
