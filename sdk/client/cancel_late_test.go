//go:build !js

package client_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestCancelWhileAnswersAreLate cancels a catch-up while the answers to some of its
// requests are late, and continues it, at once or later. In between nothing is requested,
// and no mark is shared of a node that has not been read. In the end each node was read
// once, and the marks are shared.
func TestCancelWhileAnswersAreLate(t *testing.T) {
	needsMem(t)
	const n = 6 // services, of which four are queried at once
	isItems := func(e *element.Element) bool { return isCatchUp(e) && !isDisco(e) }
	for _, tt := range []struct {
		name  string
		late  func(*element.Element) bool
		read  int  // nodes that are read before the catch-up is canceled
		twice bool // nodes are asked again, because the answer was not waited for
	}{
		{"of the services", func(e *element.Element) bool { return isDisco(e) && isCatchUp(e) }, 0, false},
		{"of one service", func(e *element.Element) bool { return isDisco(e) && e.Attr("to") == "s1.localhost" }, n - 1, false},
		{"with items", isItems, 0, true},
	} {
		for _, then := range []string{"at once", "later", "in the next session"} {
			bubble(t, fmt.Sprintf("%s, continued %s", tt.name, then), func(t *testing.T) {
				var services []string
				for i := range n + 1 {
					services = append(services, fmt.Sprint("s", i+1))
				}
				p, dial := bubbledPeer(t, func(c *mem.Config) { c.Services = services })
				kept := keep(store.NewMemory())
				check(t, p.CreateNodeAt("s1.localhost", "more", map[string]string{"pubsub#access_model": "open"}))
				a := newDevice(t, p, kept, dial).connect()
				for _, s := range services {
					check(t, p.CreateNodeAt(s+".localhost", "news", map[string]string{"pubsub#access_model": "open", "pubsub#max_items": "10"}))
					if s == "s7" {
						break
					}
					subscribe(t, a, s+".localhost", "news")
					check(t, p.PublishAt(s+".localhost", "news", "known", "<x xmlns='urn:x'>"+s+"</x>"))
				}
				time.Sleep(10 * time.Minute)
				check(t, a.Close())
				for _, s := range services[:n] {
					check(t, p.PublishAt(s+".localhost", "news", "missed", "<x xmlns='urn:x'>missed at "+s+"</x>"))
				}

				m := &meddler{server: p.Server, random: rand.New(rand.NewPCG(1, 1)), asked: map[string]*meddled{}, quiet: map[pam.Target]time.Time{},
					read: map[pam.Target]bool{}, erred: map[pam.Target]time.Time{}, stats: map[string]int{}}
				late, never := true, false
				m.choose = func(e *element.Element) string {
					switch {
					case never && isItems(e) && e.Attr("to") == "s6.localhost":
						return "never"
					case late && (tt.late(e) || e.Attr("to") == "s7.localhost"):
						return "late"
					}
					return "pass"
				}
				b := newDevice(t, p, kept, dial, func(o *client.Options) { m.Dialer, o.Dialer = o.Dialer, m })
				requested := func() int { return strings.Count(b.wire(true), " to='s") }
				found := func() int { return len(b.added()) }
				b.connect()
				time.Sleep(5 * time.Second)
				if s := b.inbox().CatchUp; s.Phase != pam.CatchUpRunning || s.Nodes != n || s.Completeness != pam.CompletenessUnknown || found() != tt.read {
					t.Fatalf("before: %+v, found %d\n%s", s, found(), b.log())
				}
				cancel := func() {
					check(t, b.CancelCatchUp(t.Context()))
					m.changed(true)
				}
				cancel()
				nodes, missing, gaps := n, 0, 0
				if then != "at once" {
					for _, e := range b.all(t) {
						check(t, b.MarkSeen(t.Context(), e.ID))
					}
					if tt.read == 0 {
						missing, gaps = 1, 1 // of a service that does not answer
					}
				}
				if then == "later" {
					synctest.Wait()
					before, changes := requested(), b.progresses()
					time.Sleep(time.Minute)
					s := b.inbox().CatchUp
					if s.Phase != pam.CatchUpIdle || s.Completeness != pam.CompletenessUnknown || found() != tt.read || requested() > before || b.progresses() > changes {
						t.Errorf("canceled: %+v, found %d, %d requests\n%s", s, found(), requested()-before, b.log())
					}
					if tt.read == 0 && shared(b) > 0 {
						t.Errorf("a mark of a node that was not read is shared\n%s", b.log())
					}
					subscribe(t, b, "s7.localhost", "news") // of which the features are not known yet
					subscribe(t, b, "s1.localhost", "more")
					time.Sleep(time.Second)
					cancel()
					if s := b.inbox().CatchUp; s.Phase != pam.CatchUpIdle {
						t.Errorf("canceled again: %+v", s)
					}
					nodes += 2
					time.Sleep(time.Minute)
				}
				m.set(func() { late, never = false, then != "at once" })
				if then == "in the next session" {
					check(t, b.Disconnect(t.Context()))
					b.connect()
					gaps = 1
				} else {
					check(t, b.CatchUp(t.Context()))
				}
				m.changed(false)
				time.Sleep(20 * time.Minute)
				s := b.inbox().CatchUp
				if s.Phase != pam.CatchUpDone || s.Nodes != nodes || s.NodesDone != nodes || found() != n-missing || len(s.Gaps) != gaps {
					t.Errorf("continued: %+v, found %d\n%s", s, found(), b.log())
				}
				if then != "at once" && shared(b) != n {
					t.Errorf("the marks of %d nodes are shared\n%s", shared(b), b.log())
				}
				for _, service := range services[:n] {
					if c := strings.Count(b.wire(true), " to='"+service+".localhost'><pubsub xmlns='"+ns.Pubsub+"'><items node='news'"); service != "s6" && (c > 2 || c > 1 && then == "later" && !tt.twice) {
						t.Errorf("%s was asked for items %d times", service, c)
					}
				}
				m.mu.Lock()
				faults := m.faults
				m.mu.Unlock()
				if len(faults) > 0 {
					t.Error(faults)
				}
				check(t, b.Close())
			})
		}
	}
}

// shared counts the markers that a device has published.
func shared(d *device) int { return strings.Count(d.wire(true), "<publish node="+privateNode) }

// progresses counts how often the progress of the catch-up was announced.
func (d *device) progresses() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if _, ok := e.(client.CatchUpChanged); ok {
			n++
		}
	}
	return n
}

// set changes what choose decides, while clients run.
func (m *meddler) set(edit func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	edit()
}
