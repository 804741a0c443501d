//go:build !js

package client_test

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/server/prosody"
	"xmpp-pam/sdk/store"
)

var flagEvents = flag.Int("client.events", 0, "events of TestLongAbsence at Prosody, a multiple of 80; 0 uses the default, and leaves out what takes minutes")

// TestLongAbsence has a device be away while much happens (see absence). Then it reports
// what the publisher's log contains: all of it from an archive, and else what items tell,
// with a gap for what they do not.
func TestLongAbsence(t *testing.T) {
	seed := seed(t)
	accounts := map[string]string{"alice": testPassword, "bob": "secret-b"}
	if os.Getenv("PAM_SERVER") == "prosody" {
		for _, archive := range []bool{true, false} {
			t.Run(fmt.Sprint("archive ", archive), func(t *testing.T) {
				if !archive && *flagEvents == 0 {
					t.Skip("takes 5 minutes, because no node is asked sooner: -client.events 2000")
				}
				p := newProsody(t, prosody.Config{Accounts: accounts, Admins: []string{"bob"}, NoArchive: !archive})
				v := &returning{peer: p, archive: archive, events: cmp.Or(*flagEvents, 240), pause: func() {}, rest: func() {
					if !archive {
						time.Sleep(5*time.Minute + time.Second)
					}
				}}
				v.test(t, seed)
			})
		}
		return
	}
	needsMem(t)
	for _, tt := range []struct {
		name string
		edit func(*mem.Config)
	}{
		{"archive", func(c *mem.Config) { c.Archive, c.Offline = true, true }},
		{"items", func(*mem.Config) {}},
		{"items in pages", func(c *mem.Config) { c.RSM = true }},
		{"ejabberd", func(c *mem.Config) { c.Archive, c.RSM, c.Personality = true, true, personality("ejabberd") }},
	} {
		if raceEnabled && tt.name != "archive" {
			continue
		}
		bubble(t, tt.name, func(t *testing.T) {
			p, dial := bubbledPeer(t, func(c *mem.Config) {
				c.Accounts, c.MaxItems = accounts, 1000
				tt.edit(c)
			})
			r := rand.New(rand.NewPCG(seed, 4))
			v := &returning{peer: p, archive: tt.name == "archive", events: 2000, dial: dial, rest: func() { time.Sleep(time.Hour) },
				pause: func() { time.Sleep(time.Duration(r.Int64N(int64(10 * time.Minute)))) }}
			v.test(t, seed)
		})
	}
}

// A returning device is compared with the publisher's log.
type returning struct {
	peer    *peer
	archive bool // the account's archive holds all events
	events  int
	dial    func(*client.Options)
	pause   func() // after each publication
	rest    func() // before the absence

	*absence
	publisher *publisher
	device    *device
	state     pam.InboxState
	found     []pam.Event
}

func (v *returning) test(t *testing.T, seed uint64) {
	var edit []func(*client.Options)
	if v.dial != nil {
		edit = append(edit, v.dial)
	}
	v.absence = newAbsence(v.peer.domain)
	v.publisher = newPublisher(t, v.peer)
	v.create(v.publisher)
	kept := keep(store.NewMemory())
	a := newDevice(t, v.peer, kept, edit...).connect()
	for _, n := range v.followed() {
		subscribe(t, a, n.Service, n.Node)
	}
	body := pam.Form{{Name: "pubsub#include_body", Values: []string{"true"}}}
	check(t, a.SetSubscriptionOptions(t.Context(), v.bodies, body))
	a.caughtUp(t)
	for range 4 {
		for _, n := range v.followed() {
			v.publisher.put(n, "", n != v.normals, true)
		}
	}
	before := len(v.publisher.log)
	until(t, "the live events", func() bool { return len(a.added()) >= before })
	for _, e := range a.all(t) {
		check(t, a.MarkSeen(t.Context(), e.ID))
	}
	check(t, a.Looked(t.Context()))
	looked := time.Now()
	until(t, "the marks", func() bool { s, _ := a.Inbox(t.Context()); return s.Unseen == 0 && s.Away != nil })
	v.rest()
	known := map[string]bool{}
	for _, e := range a.all(t) {
		known[keyOf(e)] = true
	}
	check(t, a.Close())

	elsewhere := keep(store.NewMemory())
	other := func(do func(*device)) {
		d := newDevice(t, v.peer, elsewhere, edit...).connect()
		do(d)
		check(t, d.Close())
	}
	v.publisher.log, v.publisher.pause = nil, v.pause
	began := time.Now()
	v.happen(rand.New(rand.NewPCG(seed, 3)), v.publisher, v.events, other)
	t.Logf("%d events in %v, read after %d", len(v.publisher.log), time.Since(began).Round(time.Second), before)

	v.device = newDevice(t, v.peer, kept, edit...).connect()
	v.state = v.device.caughtUp(t)
	settled := -1
	until(t, "the last event", func() bool {
		n := len(v.device.added())
		done := n == settled
		settled = n
		time.Sleep(100 * time.Millisecond)
		return done
	})
	v.state = v.device.caughtUp(t)
	v.found = v.device.addedEvents()
	v.compare(t, known, began)
	v.checkAway(t, looked)
	check(t, v.device.Close())

	v.rest()
	again := newDevice(t, v.peer, kept, edit...).connect()
	again.caughtUp(t)
	time.Sleep(100 * time.Millisecond)
	if got := again.added(); len(got) > 0 {
		t.Errorf("then it found %d events: %.300q", len(got), got)
	}
}

// compare compares what was found with the log: each event once, with its time.
func (v *returning) compare(t *testing.T, known map[string]bool, began time.Time) {
	log := map[string]publication{}
	for _, p := range v.publisher.log {
		log[p.key()] = p
	}
	found := map[string]bool{}
	sources := map[pam.TimeSource]int{}
	// Servers stamp whole seconds, of a clock that can be some milliseconds late.
	const precision = time.Second + 50*time.Millisecond
	failed := 0
	fail := func(format string, args ...any) {
		if failed++; failed <= 10 {
			t.Errorf(format, args...)
		}
	}
	live := 0
	for _, e := range v.found {
		key := keyOf(e)
		p, logged := log[key]
		switch {
		case !logged:
			fail("%s was never published", key)
		case found[key]:
			fail("%s was found twice", key)
		case e.TimeSource != pam.TimeLocalClock && (e.OccurredAt.Before(p.from.Add(-precision)) || e.OccurredAt.After(p.to.Add(precision))):
			fail("%s happened at %v, not at %v by %s", key, p.from, e.OccurredAt, e.TimeSource)
		case v.archive && e.TimeSource == pam.TimeLocalClock, v.archive && e.Delivery != pam.DeliveryCatchUp:
			fail("%s: time by %s, delivery %s", key, e.TimeSource, e.Delivery)
		}
		found[key] = true
		sources[e.TimeSource]++
		if e.Delivery == pam.DeliveryLive {
			live++
		}
	}
	if live > 0 && !v.peer.like.Ejabberd { // which repeats last items, unstamped
		fail("%d events came live", live)
	}
	named := func(p publication) bool {
		return slices.ContainsFunc(v.state.CatchUp.Gaps, func(g pam.Gap) bool {
			return g.Service == p.target.Service && (g.Node == "" || g.Node == p.target.Node) && !p.to.Before(g.From) && !p.from.After(g.To)
		})
	}
	following := append(v.lasting(), v.come[:]...)
	for key, p := range log {
		kept := slices.Contains(v.publisher.items[p.target], p.item) && v.publisher.texts[p.item] == p.text
		switch {
		case found[key]:
		case v.archive:
			fail("%s was not found", key)
		case !slices.Contains(following, p.target): // the list says that the subscription has ended
		case p.kind == pam.EventPublished && kept:
			fail("%s was not found, though the node has it", key)
		case p.kind == pam.EventRetracted && hasItem(known, p) && !named(p):
			fail("%s was not found, and there is no gap: %+v", key, v.state.CatchUp.Gaps)
		case p.kind == pam.EventPublished && p.target == v.headlines && !named(p): // which keeps fewer
			fail("%s was not found, and there is no gap: %+v", key, v.state.CatchUp.Gaps)
		}
	}
	if failed > 10 {
		t.Errorf("and %d more", failed-10)
	}
	c := v.state.CatchUp
	if v.archive && (c.Completeness != pam.Complete || len(c.Gaps) > 0) || !v.archive && c.Completeness != pam.Partial {
		t.Errorf("completeness %s, gaps %+v", c.Completeness, c.Gaps)
	}
	if c.Since.Before(began.Add(-2*time.Hour)) || c.Since.After(began) || c.Received != len(v.found)-live {
		t.Errorf("%d events, %d of them live: received %d since %v, not %v", len(v.found), live, c.Received, c.Since, began)
	}
	t.Logf("found %d of %d, %v, %s, gaps %+v", len(found), len(log), sources, c.Completeness, c.Gaps)
}

// hasItem reports whether an item of a publication is known.
func hasItem(known map[string]bool, p publication) bool {
	for key := range known {
		if strings.HasPrefix(key, fmt.Sprintf("%s %s %s %s ", p.target.Service, p.target.Node, pam.EventPublished, p.item)) {
			return true
		}
	}
	return false
}

// checkAway checks the summary, the counts and the pages of the inbox.
func (v *returning) checkAway(t *testing.T, looked time.Time) {
	s := v.state
	if s.Away == nil {
		t.Fatal("there is no summary")
	}
	var changes []string
	for _, c := range s.Away.Changes {
		switch {
		case c.Before == nil:
			changes = append(changes, "+"+c.After.Node)
		case c.After == nil:
			changes = append(changes, "-"+c.Before.Node)
		default:
			changes = append(changes, "~"+c.After.Node)
		}
	}
	slices.Sort(changes)
	want := []string{"+" + v.come[0].Node, "+" + v.come[1].Node, "-" + v.doomed.Node, "-" + v.left.Node}
	if !slices.Equal(changes, want) || s.Away.Events != len(v.found) || s.Away.Since.Sub(looked).Abs() > time.Second {
		t.Errorf("away: %q, %d events since %v; want %q, %d since %v", changes, s.Away.Events, s.Away.Since, want, len(v.found), looked)
	}
	unseen := map[pam.Target]int{}
	ids := map[string]bool{}
	for _, e := range v.found {
		unseen[pam.Target{Service: e.Service, Node: e.Node}]++
		ids[e.ID] = true
	}
	for _, n := range s.Nodes {
		if got := unseen[pam.Target{Service: n.Service, Node: n.Node}]; got != n.Unseen || n.Dropped != 0 {
			t.Errorf("%+v, found %d", n, got)
		}
	}
	if s.Unseen != len(v.found) || s.Dropped != 0 {
		t.Errorf("%d unseen, %d dropped, found %d", s.Unseen, s.Dropped, len(v.found))
	}
	listed := 0
	for _, e := range v.device.all(t) {
		if ids[e.ID] {
			listed++
		}
	}
	if listed != len(v.found) {
		t.Errorf("%d of %d found events are in the inbox", listed, len(v.found))
	}
}
