//go:build !js

package client_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestCutCatchUp breaks the connection at every message of a catch-up, in both directions,
// before or after the message, with every ending of the session, or at some of them unless
// SOAK=1. The inbox is the same in the end.
func TestCutCatchUp(t *testing.T) {
	r := seeded(t)
	for _, tt := range []struct {
		name string
		edit func(*mem.Config)
	}{
		{"archive", func(c *mem.Config) { c.Archive, c.ArchivePage = true, 4 }},
		{"items", func(c *mem.Config) { c.RSM = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want string
			var sizes [2]int // messages of the catch-up
			synctest.Test(t, func(t *testing.T) {
				w := newMissed(map[string]int{}, tt.edit)
				defer w.Close()
				run := w.catchUp(newNetwork())
				sizes = run.messages
				if want = run.inbox; len(run.faults) > 0 {
					t.Fatalf("without a cut: %q\n%s", run.faults, strings.Join(run.frames, "\n"))
				}
			})
			t.Logf("%d and %d messages", sizes[toServer], sizes[toClient])
			runIn(t, cutsOf(sizes, r, 120), 20, func(stats map[string]int) (*world, func(*network) *run) {
				w := newMissed(stats, tt.edit)
				return w.world, func(n *network) *run {
					run := w.catchUp(n)
					if run.inbox != want {
						run.faultf("the inbox is\n%s\nnot\n%s", run.inbox, want)
					}
					return run.run
				}
			})
		})
	}
}

// cutsOf returns plans with one cut at a boundary of so many messages each way: some at
// random, or all with SOAK=1.
func cutsOf(sizes [2]int, r *rand.Rand, some int) (plans [][]cut) {
	for way, size := range sizes {
		for after := range size {
			for bytes := range 2 {
				for _, ending := range endings {
					for _, late := range lates {
						plans = append(plans, []cut{{way: direction(way), after: after, bytes: -bytes, ending: ending, late: late}})
					}
				}
			}
		}
	}
	if !soaking() {
		r.Shuffle(len(plans), func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
		plans = plans[:min(some, len(plans))]
	}
	return plans
}

// missed is a world in which a device of alice was away while much happened.
type missed struct {
	*world
	kept []store.Record // of that device
}

func newMissed(stats map[string]int, edit func(*mem.Config)) *missed {
	config := mem.Config{Accounts: map[string]string{"alice": "secret-a", "bob": "secret-b"}, ResumeFor: time.Hour}
	edit(&config)
	server, err := mem.New(config)
	if err != nil {
		panic(err)
	}
	w := &missed{world: &world{Server: server, stats: stats}}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	open := map[string]string{"pubsub#access_model": "open", "pubsub#max_items": "200"}
	for _, node := range []string{"feed", "doomed", "left", "come"} {
		must(server.CreateNodeAt("", node, open))
	}
	must(server.CreateNodeAt("bob", "blog", open))
	follow := func(service, node string) func(c *client.Client) {
		return func(c *client.Client) {
			_, err := c.Subscribe(context.Background(), pam.Target{Service: service, Node: node})
			must(err)
		}
	}
	publish := func(service, node, item string) {
		must(server.PublishAt(service, node, item, "<entry xmlns='http://www.w3.org/2005/Atom'><title>"+item+"</title><updated>"+time.Now().UTC().Format(time.RFC3339)+"</updated></entry>"))
		time.Sleep(time.Minute)
	}
	device := store.NewMemory()
	w.session(device, func(c *client.Client) {
		for _, node := range []string{"feed", "doomed", "left"} {
			follow("pubsub.localhost", node)(c)
		}
		follow("bob@localhost", "blog")(c)
		for i := range 4 {
			for _, node := range []string{"feed", "doomed", "left"} {
				publish("", node, fmt.Sprint("known", i))
			}
			publish("bob", "blog", fmt.Sprint("known", i))
		}
		events, _, err := c.Events(context.Background(), pam.EventQuery{})
		must(err)
		must(c.MarkSeen(context.Background(), events[0].ID, events[5].ID))
		must(c.Looked(context.Background()))
	})
	for i := range 12 {
		publish("", "feed", fmt.Sprint("new", i))
		publish("bob", "blog", fmt.Sprint("new", i%9))
		if i < 4 {
			publish("", "doomed", fmt.Sprint("new", i))
			publish("", "left", fmt.Sprint("new", i))
		}
		if i > 6 {
			publish("", "come", fmt.Sprint("new", i))
		}
		if i == 5 {
			must(server.DeleteNode("", "doomed", ""))
			w.session(store.NewMemory(), func(c *client.Client) {
				follow("pubsub.localhost", "come")(c)
				must(c.Unsubscribe(context.Background(), pam.Target{Service: "pubsub.localhost", Node: "left"}))
			})
		}
	}
	must(server.Retract("", "feed", "known1"))
	must(server.Retract("", "feed", "new3"))
	time.Sleep(time.Hour)
	w.kept, err = device.Scan(context.Background(), store.Range{})
	must(err)
	return w
}

// session runs a client of alice that is caught up before and after do.
func (w *missed) session(kept store.Store, do func(*client.Client)) {
	n := newNetwork()
	r := w.start(n, func(o *client.Options) { o.Store = keep(kept) })
	_, _ = r.c.Connect(context.Background())
	r.caughtUp()
	do(r.c)
	r.caughtUp()
	r.end()
	if len(r.faults) > 0 {
		panic(fmt.Sprint(r.faults))
	}
}

func (r *run) caughtUp() {
	r.until("the catch-up", func() bool {
		s, err := r.c.Inbox(context.Background())
		return err == nil && s.CatchUp.Phase == pam.CatchUpDone
	})
	time.Sleep(10 * time.Second)
}

// A caughtUpRun is a run of the device that was away, with its inbox in the end.
type caughtUpRun struct {
	*run
	inbox    string
	messages [2]int // each way, until the end of the catch-up
}

// catchUp runs the device over n until it is caught up.
func (w *missed) catchUp(n *network) *caughtUpRun {
	for _, s := range w.Sessions("alice") {
		w.ForgetSession(s)
	}
	kept := store.NewMemory()
	var ops []store.Op
	for _, rec := range w.kept {
		ops = append(ops, store.Put(rec.Key, rec.Value))
	}
	if err := kept.Commit(context.Background(), nil, ops); err != nil {
		panic(err)
	}
	var mu sync.Mutex
	added := map[string]int{}
	gaps := map[string]bool{}
	r := &caughtUpRun{run: w.start(n, func(o *client.Options) {
		o.Store = kept
		o.OnEvent = func(e client.Event) {
			mu.Lock()
			defer mu.Unlock()
			switch e := e.(type) {
			case client.EventsChanged:
				for _, a := range e.Added {
					added[fmt.Sprintf("%s %s %s %s", a.Service, a.Node, a.Type, a.ItemID+a.Namespace+a.OccurredAt.String())]++
				}
			case client.CatchUpChanged:
				for _, g := range e.State.Gaps {
					gaps[fmt.Sprintf("%s/%s:%s", g.Service, g.Node, g.Reason)] = true
				}
				if e.State.Phase == pam.CatchUpDone && len(e.State.Gaps) == 0 {
					gaps[string(e.State.Completeness)] = true
				}
			}
		}
	})}
	defer r.end()
	_, _ = r.c.Connect(context.Background())
	if !r.until("the list", r.equal) {
		return r
	}
	r.run.caughtUp()
	n.mu.Lock()
	r.messages = [2]int{len(n.sizes[0]), len(n.sizes[1])}
	n.mu.Unlock()
	time.Sleep(20 * time.Minute) // A node is not asked again for 5 minutes.
	if !r.until("the list again", r.equal) {
		return r
	}
	r.run.caughtUp()
	mu.Lock()
	defer mu.Unlock()
	for key, k := range added {
		if k > 1 {
			r.faultf("%s came %d times", key, k)
		}
	}
	r.inbox = describeInbox(r.c) + strings.Join(slices.Sorted(maps.Keys(gaps)), " ")
	cuts := n.counts().cuts
	if n.skipped() {
		r.faultf("the connection was not cut")
	}
	w.stats["cuts"] += cuts
	return r
}

// describeInbox returns the events, counts and summary of an inbox.
func describeInbox(c *client.Client) string {
	var b strings.Builder
	events, _, err := c.Events(context.Background(), pam.EventQuery{Limit: 500})
	if err != nil {
		return err.Error()
	}
	for _, e := range events {
		fmt.Fprintf(&b, "%s/%s %s %s", e.Service, e.Node, e.Type, e.ItemID)
		if e.TimeSource != pam.TimeLocalClock {
			b.WriteString(e.OccurredAt.Format("@15:04:05"))
		}
		fmt.Fprintf(&b, " %s %s %s %d\n", e.TimeSource, e.Delivery, e.Seen.State, len(e.XML))
	}
	s, err := c.Inbox(context.Background())
	if err != nil {
		return err.Error()
	}
	fmt.Fprintf(&b, "%d unseen, %d dropped", s.Unseen, s.Dropped)
	for _, n := range s.Nodes {
		fmt.Fprintf(&b, ", %s/%s %d", n.Service, n.Node, n.Unseen)
	}
	fmt.Fprintf(&b, "; away %d", s.Away.Events)
	for _, c := range s.Away.Changes {
		fmt.Fprintf(&b, " %v>%v", nodeOf(c.Before), nodeOf(c.After))
	}
	return b.String() + "; "
}

func nodeOf(s *pam.Subscription) string {
	if s == nil {
		return ""
	}
	return s.Node
}
