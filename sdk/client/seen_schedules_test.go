//go:build !js

package client_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

var (
	flagSeen     = flag.Int("client.seen", 0, "number of schedules of TestSeenSchedules; 0 takes the usual number")
	flagSeenOnly = flag.Int("client.seen.only", -1, "run this schedule alone, and log its messages")
)

// TestSeenSchedules has three devices mark events at random while they lose their
// connections and sessions, are closed and started again. What was seen on a device never
// becomes unseen there, and in the end all devices show the same. PAM_SEED repeats a run.
func TestSeenSchedules(t *testing.T) {
	needsMem(t)
	n := 200
	switch {
	case *flagSeen > 0:
		n = *flagSeen
	case raceEnabled:
		n = 20
	case soaking():
		n = 10_000
	}
	first := seeded(t).Uint64()
	var next, failed, marks atomic.Int64
	if *flagSeenOnly >= 0 {
		n = *flagSeenOnly + 1
		next.Store(int64(*flagSeenOnly))
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
						r := newRoom(rand.New(rand.NewPCG(first, uint64(i))))
						defer r.close()
						r.play()
						marks.Add(int64(r.marks))
						if len(r.faults) > 0 && failed.Add(1) == 1 {
							t.Errorf("schedule %d: %s\n%s", i, strings.Join(r.faults, "\n"), strings.Join(r.log, "\n"))
						}
					})
				}
			})
		}
	})
	t.Logf("%d schedules, %d marks", n, marks.Load())
}

// A room is a server and three devices of an account.
type room struct {
	*rand.Rand
	*mem.Server
	timed   bool // events tell when they happened, to the millisecond
	devices [3]*roomDevice
	serial  int
	marks   int
	faults  []string

	mu  sync.Mutex
	log []string
}

func (r *room) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, time.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

type roomDevice struct {
	*client.Client
	n     *network
	front *http.Server
	store store.Store
	best  map[string]int // by event: how certain it was that it was seen
}

func newRoom(random *rand.Rand) *room {
	timed := random.IntN(4) > 0
	server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": "secret-a"}, ResumeFor: time.Minute,
		Archive: !timed && random.IntN(2) == 0, RSM: random.IntN(2) == 0, Publishers: random.IntN(2) == 0})
	if err != nil {
		panic(err)
	}
	r := &room{Rand: random, Server: server, timed: timed}
	for _, node := range roomNodes {
		_ = server.CreateNode(node, "open")
		_ = server.SetSubscription("alice", node, "subscribed")
	}
	if random.IntN(2) == 0 {
		makePersonalNode(server)
	}
	for i := range r.devices {
		n := newNetwork()
		r.devices[i] = &roomDevice{n: n, front: n.serve(server), store: store.NewMemory(), best: map[string]int{}}
		r.boot(i)
	}
	return r
}

var roomNodes = []string{"n0", "n1"}

func (r *room) boot(i int) {
	d := r.devices[i]
	d.Client = d.n.client(func(o *client.Options) {
		if *flagSeenOnly >= 0 {
			o.OnFrame = func(f client.Frame) { r.note("%d %s", i, line(f)) }
		}
		o.Store, o.Reconnect = keep(d.store), &client.Reconnect{Base: 100 * time.Millisecond, Max: time.Second}
	})
	go func(c *client.Client) { _, _ = c.Connect(context.Background()) }(d.Client)
}

func (r *room) close() {
	for _, d := range r.devices {
		d.n.up()
		_ = d.Close()
		_ = d.front.Close()
		_ = d.n.Close()
		d.n.transport.CloseIdleConnections()
	}
	_ = r.Server.Close()
	synctest.Wait()
}

// play plays a schedule.
func (r *room) play() {
	for range 10 + r.IntN(30) {
		r.step()
		time.Sleep(time.Duration([]int{0, 0, 1, 50, 1000, 6000}[r.IntN(6)]) * time.Millisecond)
		if r.IntN(3) == 0 {
			synctest.Wait()
			r.checkForwards()
		}
	}
	for _, d := range r.devices {
		d.n.up()
	}
	time.Sleep(15 * time.Minute) // The catch-up asks no node again within 5 minutes.
	synctest.Wait()
	r.checkForwards()
	r.checkEqual()
}

func (r *room) step() {
	i := r.IntN(len(r.devices))
	d := r.devices[i]
	note := func(format string, args ...any) {
		r.note("device %d "+format, append([]any{i}, args...)...)
	}
	switch n := r.IntN(20); {
	case n < 7:
		r.serial++
		node, item, text := roomNodes[r.IntN(2)], fmt.Sprint("i", r.serial), fmt.Sprintf("<e xmlns='urn:e'>%d</e>", r.serial)
		if r.timed {
			text = entryAt(time.Now().Add(time.Duration(r.serial) * time.Millisecond))
		}
		note("- %s %s is published", node, item)
		_ = r.Publish(node, item, text)
	case n < 14:
		events, _, err := d.Events(context.Background(), pam.EventQuery{Service: "pubsub.localhost", Node: roomNodes[r.IntN(2)], Limit: 500})
		if err != nil || len(events) == 0 {
			return
		}
		r.marks++
		if e := events[r.IntN(len(events))]; r.IntN(2) == 0 {
			note("marks up to %s", e.ItemID)
			_ = d.MarkSeenUpTo(context.Background(), e.ID)
		} else {
			note("marks %s", e.ItemID)
			_ = d.MarkSeen(context.Background(), e.ID)
		}
	case n < 17:
		note("loses its connection, or gets it back")
		if d.n.isDown() {
			d.n.up()
		} else {
			d.n.cutNow(r.IntN(2) == 0)
		}
	case n < 18:
		note("- all sessions without connection end")
		for _, s := range r.Hibernating("alice") {
			r.ForgetSession(s)
		}
	default:
		note("is started again")
		_ = d.Close()
		r.boot(i)
	}
}

// events returns the events of a node on a device, oldest first.
func (r *room) events(d *roomDevice, node string) []pam.Event {
	events, _, err := d.Events(context.Background(), pam.EventQuery{Service: "pubsub.localhost", Node: node, Limit: 500})
	if err != nil {
		r.faults = append(r.faults, err.Error())
	}
	slices.Reverse(events)
	return events
}

func certainty(s pam.Seen) int {
	switch s.State {
	case pam.SeenHere:
		return 2
	case pam.LikelySeenElsewhere:
		return 1
	}
	return 0
}

// checkForwards checks that no event became unseen: no marker moved backwards.
func (r *room) checkForwards() {
	for i, d := range r.devices {
		for _, node := range roomNodes {
			for _, e := range r.events(d, node) {
				if now := certainty(e.Seen); now < d.best[e.ID] {
					r.faults = append(r.faults, fmt.Sprintf("device %d: %s is %v, and was %d", i, e.ItemID, e.Seen, d.best[e.ID]))
				} else {
					d.best[e.ID] = now
				}
			}
		}
	}
}

// checkEqual checks that all devices agree: an event is seen everywhere if all events up to
// it were seen somewhere, as far as a device knew of that, and otherwise only where it was
// marked.
func (r *room) checkEqual() {
	if !r.timed { // Then the devices do not even agree about the order.
		return
	}
	for _, node := range roomNodes {
		var all [3][]pam.Event
		for i, d := range r.devices {
			all[i] = r.events(d, node)
			if len(all[i]) != len(all[0]) {
				r.faults = append(r.faults, fmt.Sprintf("device %d has %d events of %s, device 0 has %d", i, len(all[i]), node, len(all[0])))
				return
			}
		}
		shared := 0
		for grew := true; grew; {
			grew = false
			for _, events := range all {
				for shared < len(events) && events[shared].Seen.State == pam.SeenHere {
					shared++
					grew = true
				}
			}
		}
		for i, events := range all {
			for place, e := range events {
				want := 0
				if place < shared {
					want = 1
				}
				if e.Seen.State == pam.SeenHere {
					want = 2
				}
				if certainty(e.Seen) != want {
					r.faults = append(r.faults, fmt.Sprintf("device %d: %s %s is %v, and up to %d of %d were seen", i, node, e.ItemID, e.Seen, shared, len(events)))
				}
			}
		}
	}
}
