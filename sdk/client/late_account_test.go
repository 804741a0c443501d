//go:build !js

package client_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestAccountAnswersLate has something happen in the first session, or in the second one,
// before the account has told what it offers to the catch-up. Nothing is requested before,
// each node is then asked once, and what was missed is found.
func TestAccountAnswersLate(t *testing.T) {
	needsMem(t)
	target := pam.Target{Service: "pubsub.localhost", Node: "weather"}
	for _, tt := range []struct {
		name  string
		nodes int // that are caught up in the end
		do    func(*device, *peer) error
	}{
		{"nothing", 2, func(*device, *peer) error { return nil }},
		{"an event", 2, func(_ *device, p *peer) error { return p.publish("news", "live", atomEntry) }},
		{"the catch-up is to continue", 2, func(d *device, _ *peer) error { return d.CatchUp(d.t.Context()) }},
		{"the catch-up, which has not begun, is canceled", 2, func(d *device, _ *peer) error { return d.CancelCatchUp(d.t.Context()) }},
		{"the connection is lost", 2, func(_ *device, p *peer) error { p.Cut(p.Sessions("alice")[0]); return nil }},
		{"a subscription ends", 1, func(d *device, _ *peer) error { return d.Unsubscribe(d.t.Context(), target) }},
		{"a subscription comes", 3, func(d *device, _ *peer) error {
			_, err := d.Subscribe(d.t.Context(), pam.Target{Service: "pubsub.localhost", Node: "other"})
			return err
		}},
		{"less is of interest", 1, func(d *device, _ *peer) error { return d.SetInterests(d.t.Context(), []pam.Interest{{Node: "news"}}) }},
		{"more is of interest", 2, func(d *device, _ *peer) error {
			check(d.t, d.SetInterests(d.t.Context(), []pam.Interest{{Node: "news"}}))
			return d.SetInterests(d.t.Context(), nil)
		}},
	} {
		for _, second := range []bool{false, true} {
			bubble(t, fmt.Sprint(tt.name, ", second session ", second), func(t *testing.T) {
				p, dial := bubbledPeer(t, func(c *mem.Config) { c.Archive = true })
				check(t, p.CreateNode("other", "open"))
				late := !second
				m := &meddler{server: p.Server, random: rand.New(rand.NewPCG(1, 1)), asked: map[string]*meddled{}, quiet: map[pam.Target]time.Time{},
					read: map[pam.Target]bool{}, erred: map[pam.Target]time.Time{}, stats: map[string]int{}}
				m.choose = func(e *element.Element) string {
					if late && isDisco(e) && e.Attr("to") == "alice@localhost" {
						return "late"
					}
					return "pass"
				}
				d := newDevice(t, p, keep(store.NewMemory()), dial, func(o *client.Options) { m.Dialer, o.Dialer = o.Dialer, m })
				if second {
					d.connect()
					subscribe(t, d, "pubsub.localhost", "news")
					subscribe(t, d, "pubsub.localhost", "weather")
					time.Sleep(10 * time.Minute)
					check(t, p.publish("news", "known", atomEntry))
					time.Sleep(10 * time.Minute)
					check(t, d.Disconnect(t.Context()))
				} else {
					check(t, p.SetSubscription("alice", "news", "subscribed"))
					check(t, p.SetSubscription("alice", "weather", "subscribed"))
				}
				check(t, p.publish("news", "missed", "<x xmlns='urn:x'>missed</x>"))
				m.mu.Lock()
				late = true
				m.mu.Unlock()
				before := len(d.wire(true))
				requested := func() int {
					out := d.wire(true)[before:]
					return strings.Count(out, "<with>") + strings.Count(out, "<value>pubsub.localhost</value>") + strings.Count(out, "<items node='news'") + strings.Count(out, "<items node='weather'")
				}
				d.connect()
				time.Sleep(5 * time.Second)
				check(t, tt.do(d, p))
				time.Sleep(time.Second)
				if n := requested(); n > 0 {
					t.Errorf("%d requests before the account has answered\n%s", n, d.wire(true)[before:])
				}
				time.Sleep(10 * time.Minute)
				out := d.wire(true)[before:]
				if n := requested(); second && n != 1 || strings.Count(out, "<items node='news'") > 1 || strings.Count(out, "<items node='weather'") > 1 {
					t.Errorf("%d requests\n%s", n, out)
				}
				s := d.inbox().CatchUp
				if !slices.Contains(d.added(), "news published missed") || s.Phase != pam.CatchUpDone || s.Nodes != tt.nodes || s.NodesDone != tt.nodes || len(s.Gaps) > 0 {
					t.Errorf("found %q, %+v\n%s", d.added(), s, d.log())
				}
				m.mu.Lock()
				faults := slices.Clone(m.faults)
				m.mu.Unlock()
				if len(faults) > 0 {
					t.Error(faults)
				}
				_ = d.Close()
			})
		}
	}
}
