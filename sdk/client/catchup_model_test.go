//go:build !js

package client_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// play plays a schedule. In the end the device has everything that it can have: in the
// same session, or in the next one.
func (r *reader) play() {
	for range 15 + r.IntN(40) {
		r.step()
		time.Sleep([]time.Duration{0, 0, time.Millisecond, 50 * time.Millisecond, time.Second, 6 * time.Second, 25 * time.Second, 2 * time.Minute}[r.IntN(8)])
		if r.IntN(4) == 0 {
			synctest.Wait()
			r.checkForwards()
		}
		if len(r.failures()) > 0 {
			return
		}
	}
	r.note("-- all answers come")
	r.calm()
	r.n.up()
	r.limit(false)
	time.Sleep(10 * time.Minute)
	if r.IntN(2) == 0 {
		r.note("-- the last attempt")
		_ = r.device.CancelCatchUp(context.Background())
		r.changed(false)
		_ = r.device.CatchUp(context.Background())
	} else {
		r.note("-- the last session")
		r.newSession()
	}
	time.Sleep(10 * time.Minute) // No node is asked again within 5 minutes.
	r.checkForwards()
	r.check("in the end", true)
	before := len(r.events(r.device, ""))
	r.note("-- one more session")
	r.newSession()
	time.Sleep(10 * time.Minute)
	r.check("then", true)
	s, _ := r.device.Inbox(context.Background())
	lost := slices.ContainsFunc(s.CatchUp.Gaps, func(g pam.Gap) bool { return r.archive || g.Reason != pam.GapDeletionsUnknown })
	// What was not found because of an error, when a node was new, may be found now.
	if after := len(r.events(r.device, "")); len(r.erred) == 0 && (after != before || s.CatchUp.Received > 0 || lost || s.CatchUp.Completeness == pam.Complete && !r.archive) {
		r.faultf("nothing was missed, and the device has %d events, before %d: %+v", after, before, s.CatchUp)
	}
	if k := client.Running(r.device); k > 1 {
		r.faultf("%d timers run though all is quiet", k)
	}
}

// newSession ends the session of the device, which begins another one.
func (r *reader) newSession() {
	r.n.cutNow(true)
	for _, s := range r.mine() {
		r.ForgetSession(s)
	}
	r.changed(false)
	r.n.up()
	r.device.Wake()
}

func (r *reader) step() {
	ctx := context.Background()
	at := readerNodes[r.IntN(len(readerNodes))]
	switch n := r.IntN(40); {
	case n < 14:
		r.publish(at)
	case n < 17:
		on := r.IntN(3) > 0
		r.note("- another device follows %v: %v", at, on)
		r.follow(at, on)
	case n < 19:
		if !client.Settled(r.device) || r.n.isDown() {
			return
		}
		r.note("- follows %v, or does not any more", at)
		r.changed(false)
		if r.follows(at) {
			_ = r.device.Unsubscribe(ctx, at)
		} else {
			_, _ = r.device.Subscribe(ctx, at)
		}
		r.nodeChanged(at)
	case n < 23:
		r.mark()
	case n < 25:
		r.limit(!r.limited)
	case n < 26:
		r.note("- cancels")
		_ = r.device.CancelCatchUp(ctx)
		r.changed(true)
	case n < 28:
		r.note("- continues")
		r.mu.Lock()
		r.canceled = false
		r.mu.Unlock()
		_ = r.device.CatchUp(ctx)
	case n < 33:
		r.note("- loses its connection, or gets it back")
		if r.n.isDown() {
			r.n.up()
		} else {
			r.n.cutNow(r.IntN(2) == 0)
		}
	case n < 35:
		r.note("- loses its session")
		if r.n.isDown() {
			for _, s := range r.mine() {
				r.ForgetSession(s)
			}
			r.changed(false)
			return
		}
		r.newSession()
	case n < 36:
		r.note("- starts again")
		_, _ = r.device.Close(), r.tab.Close()
		r.changed(false)
		r.boot()
	case n < 37:
		for _, s := range r.mine() {
			_ = r.Send(s, fmt.Sprintf("<message xmlns='jabber:client' from='s9.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>"+
				"<items node='n0'><item id='other'><e xmlns='urn:e'/></item></items></event></message>"))
		}
	case n < 38:
		r.device.Reload()
		r.tab.Reload()
	default:
		r.note("- rests")
		time.Sleep(7 * time.Minute)
		synctest.Wait()
		if client.Settled(r.device) && !r.n.isDown() {
			r.check("at rest", false)
		}
	}
}

// limit sets what is of interest.
func (r *reader) limit(limited bool) {
	r.note("- limited: %v", limited)
	r.limited = limited
	r.changed(false)
	var interest []pam.Interest
	if limited {
		interest = someInterest
		for _, p := range r.published {
			p.live = false
		}
	}
	_ = r.device.SetInterests(context.Background(), interest)
	_ = r.tab.SetInterests(context.Background(), interest)
	synctest.Wait()
	r.changed(false)
}

// mark marks an event, or those up to it, on the device or in the tab.
func (r *reader) mark() {
	c, name := r.device, "the device"
	if r.IntN(3) == 0 {
		c, name = r.tab, "the tab"
		r.tab.Reload()
		synctest.Wait()
	}
	events := r.events(c, "")
	if len(events) == 0 {
		return
	}
	e := events[r.IntN(len(events))]
	r.note("- %s marks %s %s", name, e.Node, e.ItemID)
	if r.IntN(2) == 0 {
		_ = c.MarkSeen(context.Background(), e.ID)
	} else {
		_ = c.MarkSeenUpTo(context.Background(), e.ID)
	}
	synctest.Wait()
	if c == r.tab {
		r.device.Reload()
		synctest.Wait()
	}
}

func (r *reader) events(c *client.Client, node string) (all []pam.Event) {
	q := pam.EventQuery{Limit: 100, Node: node}
	for {
		events, next, err := c.Events(context.Background(), q)
		if err != nil {
			r.faultf("%v", err)
			return all
		}
		if all = append(all, events...); next == "" {
			return all
		}
		q.Before = next
	}
}

// checkForwards checks that no event became unseen, and that each is there once.
func (r *reader) checkForwards() {
	there := map[string]bool{}
	for _, e := range r.events(r.device, "") {
		key := e.Service + "/" + e.Node + " " + string(e.Type) + " " + e.ItemID
		if there[key] && e.Type == pam.EventPublished {
			r.faultf("%s is there twice", key)
		}
		there[key] = true
		if now := certainty(e.Seen); now < r.best[e.ID] {
			r.faultf("%s is %v, and was %d", key, e.Seen, r.best[e.ID])
		} else {
			r.best[e.ID] = now
		}
	}
}

// check compares the inbox with what was published, when the device is quiet. If all, then
// nothing may be missing; otherwise what is missing is named by a gap, unless the catch-up
// was canceled.
func (r *reader) check(when string, all bool) {
	synctest.Wait()
	s, err := r.device.Inbox(context.Background())
	if err != nil {
		r.faultf("%v", err)
	}
	if text := client.Waiting(r.device); text != "" {
		r.faultf("%s: %s", when, text)
	}
	if all && s.CatchUp.Phase != pam.CatchUpDone || s.CatchUp.Phase == pam.CatchUpRunning && r.mild == 20 || s.CatchUp.NodesDone > s.CatchUp.Nodes ||
		s.CatchUp.Phase != pam.CatchUpIdle && s.CatchUp.NodesDone < s.CatchUp.Nodes {
		r.faultf("%s: the catch-up: %+v", when, s.CatchUp)
	}
	if list, _ := r.Subscriptions("alice"); all && s.CatchUp.Nodes != len(list) {
		r.faultf("%s: %d nodes are followed: %+v", when, len(list), s.CatchUp)
	}
	events := map[string]pam.Event{}
	unseen := map[pam.Target]int{}
	sum := 0
	for _, e := range r.events(r.device, "") {
		if e.Type == pam.EventPublished {
			events[e.ItemID] = e
		}
		if e.Service == "s9.localhost" {
			r.faultf("%s: an event of a node that is not followed: %+v", when, e)
		}
		if e.Seen.State == pam.Unseen {
			unseen[pam.Target{Service: e.Service, Node: e.Node}]++
			sum++
		}
	}
	for _, n := range s.Nodes {
		if got := unseen[pam.Target{Service: n.Service, Node: n.Node}]; got != n.Unseen {
			r.faultf("%s: %d events of %s are unseen, not %d", when, got, n.Node, n.Unseen)
		}
	}
	if sum != s.Unseen {
		r.faultf("%s: %d events are unseen, not %d", when, sum, s.Unseen)
	}
	var missing []string
	for _, p := range r.published {
		e, ok := events[p.item]
		switch {
		case ok && (e.Service != p.Service || e.Node != p.Node):
			r.faultf("%s: %s is of %s, not of %s", when, p.item, e.Node, p.Node)
		case ok && p.away && p.followed && e.Delivery == pam.DeliveryLive, ok && p.live && e.Delivery != pam.DeliveryLive:
			r.faultf("%s: %s %s came %s, away %v, live %v", when, p.Node, p.item, e.Delivery, p.away, p.live)
		case !ok && p.followed && !r.erred[p.Target].After(p.at) && (all || r.read[p.Target] && r.wanted(p) && s.CatchUp.Phase != pam.CatchUpIdle && !named(s.CatchUp.Gaps, p)):
			missing = append(missing, fmt.Sprint(p.Target, " ", p.item, p.at.Format(" 15:04:05")))
		}
	}
	if len(missing) > 0 {
		r.faultf("%s: missing %s; %+v", when, strings.Join(missing, ", "), s.CatchUp)
	}
	r.tab.Reload()
	synctest.Wait()
	if got := r.events(r.tab, ""); len(got) != len(r.events(r.device, "")) {
		r.faultf("%s: the tab has %d events, the device %d", when, len(got), len(r.events(r.device, "")))
	}
}

// wanted reports whether a post is of interest.
func (r *reader) wanted(p *post) bool {
	return !r.limited || p.Service == "s1.localhost" || p.Node == "n0" || p.Node == "blog"
}

func named(gaps []pam.Gap, p *post) bool {
	return slices.ContainsFunc(gaps, func(g pam.Gap) bool {
		return g.Service == p.Service && (g.Node == "" || g.Node == p.Node) && !p.at.Before(g.From) && !p.at.After(g.To)
	})
}
