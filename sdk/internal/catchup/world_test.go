package catchup

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"xmpp-pam/sdk/pam"
)

type xmlAttr = xml.Attr

// A world is an account with services and one device. Things are published, sessions end
// and are resumed, the program is terminated, and the device catches up. It checks that
//
//   - what was published is in the inbox, except for what the means cannot tell or a gap
//     covers; what was not published is not
//   - a catch-up that says that it is complete is
//   - nothing is requested twice in a session, and never too much at once
type world struct {
	*server
	device  *device
	trace   *strings.Builder
	gaps    []pam.Gap
	flavour int
	faults  bool // requests failed at some time
	// undelivered holds live events that were sent, but lost with the session.
	undelivered map[happening]bool
	// dropped holds events that the archive dropped, and whether the device can notice: it
	// has a cursor, which a program that is terminated may lose.
	dropped  map[happening]bool
	began    time.Time
	pausedAt time.Time
	stats    stats
}

type stats struct{ catchUps, complete, partial, kills, lost, resumed, events int }

type violation string

func (w *world) failf(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

func (w *world) notef(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "  %s "+format+"\n", append([]any{w.now.Format("15:04:05")}, args...)...)
	}
}

// The flavours of worlds.
const (
	stockProsody = iota
	modPam
	oldModPam // archives headlines only
	stockEjabberd
	withLibervia
	mixed
	flavours
)

func newWorld(c *choices, trace *strings.Builder) *world {
	s := &server{choices: c, now: time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC), pageMax: 1 + c.next(6)}
	w := &world{server: s, trace: trace, flavour: c.next(flavours), undelivered: map[happening]bool{}, dropped: map[happening]bool{}}
	kinds := map[int][]kind{
		stockProsody: {prosody}, modPam: {prosody, ejabberd}, oldModPam: {prosody}, stockEjabberd: {ejabberd},
		withLibervia: {libervia, prosody}, mixed: {prosody, ejabberd, libervia},
	}[w.flavour]
	s.support = map[int]ArchiveSupport{modPam: AllEvents, mixed: AllEvents, oldModPam: SomeEvents, stockProsody: SomeEvents}[w.flavour]
	s.holds = func(n *simNode) bool {
		return s.support == AllEvents || w.flavour == oldModPam && n.headline
	}
	for i := range 1 + c.next(3) {
		service := []string{"pubsub.one.test", "pubsub.two.test", "bob@one.test"}[i]
		kind := kinds[c.next(len(kinds))]
		for j := range 1 + c.next(3) {
			n := &simNode{service: service, name: fmt.Sprintf("n%d", j), kind: kind, keeps: []int{1, 3, 10, 30}[c.next(4)], headline: c.next(3) > 0}
			n.subscribed = c.next(5) > 0
			s.nodes = append(s.nodes, n)
		}
	}
	for _, n := range s.nodes { // from before the subscription
		subscribed := n.subscribed
		n.subscribed = false
		for range c.next(6) {
			s.publish(n)
		}
		n.subscribed = subscribed
	}
	w.device = newDevice(w)
	w.device.commits = []*stored{w.device.stored.clone()}
	w.notef("flavour %d, support %d", w.flavour, s.support)
	for _, n := range s.nodes {
		w.notef("%s/%s kind %d keeps %d subscribed %v: %v", n.service, n.name, n.kind, n.keeps, n.subscribed, n.items)
	}
	return w
}

// patience is how late messages can be.
const patience = 2 * time.Minute

// act lets one thing happen.
func (w *world) act() {
	d := w.device
	if w.trace != nil {
		defer func(n int) {
			for _, e := range w.log[n:] {
				w.notef("%v", e)
			}
		}(len(w.log))
	}
	late := len(w.queue) > 0 && w.now.Sub(w.queue[0].sent) > patience
	a := w.next(40)
	switch {
	case d.session && d.paused && w.now.Sub(w.pausedAt) > patience:
		a = 31 // the server gives the session up
	case d.session && !d.paused && late:
		a = 19
	}
	switch {
	case a < 10:
		n := w.nodes[w.next(len(w.nodes))]
		w.publish(n)
	case a < 19 && d.session:
		w.answer()
	case a < 29 && d.session && !d.paused && len(w.queue) > 0:
		d.receive()
	case a == 29 && d.session && d.paused:
		w.notef("resumed")
		d.paused = false
		w.stats.resumed++
		d.step(Resumed{})
	case a == 30 && d.session && !d.paused:
		w.notef("connection lost")
		d.paused, w.pausedAt = true, w.now
		d.step(Paused{})
	case a == 31 && d.session:
		w.notef("session lost")
		w.stats.lost++
		d.end(d.stored.active)
	case a == 32 && w.next(2) == 0:
		w.notef("killed")
		w.stats.kills++
		d.kill()
	case a < 36 && !d.session:
		d.begin()
	case a == 36:
		w.subscribe(w.nodes[w.next(len(w.nodes))])
	case a == 37 && !d.session && w.next(4) == 0 && len(w.archive) > 1:
		w.expire(1 + w.next(len(w.archive)-1))
	case a == 38 && w.next(3) == 0:
		w.faulty = !w.faulty
	case a == 39 && len(w.queue) == 0 && !d.paused:
		w.now = w.now.Add(time.Duration(w.next(20)) * time.Minute)
		w.fire()
	}
}

func (w *world) unnoticed(e truth) bool {
	noticed, ok := w.dropped[e.happening()]
	return ok && (!noticed || w.stats.kills > 0)
}

// expire removes messages of the archive.
func (w *world) expire(n int) {
	w.notef("the archive drops all before %s", w.archive[n].id)
	for _, e := range w.log {
		if r := w.device.stored.nodes[key{e.service, e.node}]; e.archived && e.at.Before(w.archive[n].at) {
			w.dropped[e.happening()] = r.cursor.ID != ""
		}
	}
	w.archive, w.expired = w.archive[n:], true
}

// fire fires the timer if its time has come.
func (w *world) fire() {
	if d := w.device; d.session && !d.timer.IsZero() && !d.timer.After(w.now) {
		d.timer = time.Time{}
		d.step(TimerFired{})
	}
}

// subscribe subscribes to a node, or unsubscribes, on this device or elsewhere.
func (w *world) subscribe(n *simNode) {
	d := w.device
	if n.left || n.gone || d.session && d.paused || n.subscribed && w.next(3) > 0 {
		return
	}
	n.left = n.subscribed
	n.subscribed, n.since = !n.subscribed, w.now
	w.notef("%s/%s subscribed: %v", n.service, n.name, n.subscribed)
	k := key{n.service, n.name}
	if !d.session {
		return
	}
	if n.subscribed {
		d.stored.nodes[k] = record{}
		d.added++
		d.step(Added{Nodes: []Node{{Service: k.service, Node: k.node}}})
	} else {
		delete(d.stored.nodes, k)
		d.step(Removed{k.service, k.node})
	}
}

// settle carries on until the device is idle. If it is not nil, between is called after
// each message of the server.
func (w *world) settle(between func()) {
	d := w.device
	w.faulty = false
	for steps := 0; ; steps++ {
		if !d.session {
			d.begin()
		} else if d.paused {
			d.paused = false
			d.step(Resumed{})
		}
		switch {
		case steps > 20_000:
			w.failf("the catch-up does not end")
		case len(w.queue) > 0:
			d.receive()
			if between != nil {
				between()
			}
		case len(w.waits) > 0:
			w.answer()
		case !d.timer.IsZero():
			if d.timer.After(w.now) {
				w.now = d.timer
			}
			w.fire()
		case !d.idle:
			w.failf("the catch-up stands still: %+v", d.m.State())
		default:
			return
		}
	}
}

// checkDone checks the end of a catch-up.
func (w *world) checkDone(s pam.CatchUpState) {
	w.stats.catchUps++
	w.notef("done %s", formatState(s))
	for _, g := range s.Gaps {
		if !g.From.Before(g.To) {
			w.failf("a gap ends before it begins: %+v", g)
		}
	}
	switch s.Completeness {
	case pam.Complete:
		w.stats.complete++
	case pam.Partial:
		w.stats.partial++
		if w.support == AllEvents && !w.expired && !w.faults {
			w.failf("gaps %v of an archive that has everything", s.Gaps)
		}
	}
	if s.Completeness != pam.Complete {
		return
	}
	for _, e := range w.log {
		known := w.device.stored.have[e.happening()] || w.covered(e) || w.unnoticed(e) // by an earlier catch-up
		if w.expects(e) && e.at.Before(w.began) && !known {
			w.failf("complete, but %v is missing", e)
		}
	}
}

func (e truth) happening() happening { return happening{e.service, e.node, e.what, e.item, e.payload} }

func (e truth) String() string {
	return fmt.Sprintf("%s %s%c%s/%s=%s", e.at.Format("15:04:05"), e.service, e.what, e.node, e.item, e.payload)
}

// expects reports whether the device should know of what happened: of an event of a node
// that it follows, after the node became current for the first time.
func (w *world) expects(e truth) bool {
	n := w.find(e.service, e.node)
	r, ok := w.device.stored.nodes[key{e.service, e.node}]
	return e.what != 'x' && ok && n.subscribed && e.at.After(r.firstCurrent) && !r.firstCurrent.IsZero()
}

func (w *world) covered(e truth) bool {
	late := time.Second
	if w.undelivered[e.happening()] {
		late = 2 * patience
	}
	return slices.ContainsFunc(w.gaps, func(g pam.Gap) bool {
		return g.Service == e.service && (g.Node == "" || g.Node == e.node) && g.Reason != pam.GapError && g.Reason != pam.GapForbidden &&
			!e.at.Before(g.From.Add(-late)) && !e.at.After(g.To.Add(time.Second))
	})
}

// later returns what happened next to the item of an event, or 0.
func (w *world) later(e truth) (what byte) {
	for _, l := range w.log {
		if l.service == e.service && l.node == e.node && l.at.After(e.at) && (l.item == e.item || l.what == '^' || l.what == '~') && (what == 0 || what == 'x') {
			what = l.what
		}
	}
	return what
}

// retracts reports whether items were retracted after an event, so that a node that was
// full may have been empty when it was asked.
func (w *world) retracts(e truth) bool {
	return slices.ContainsFunc(w.log, func(l truth) bool {
		return l.service == e.service && l.node == e.node && l.at.After(e.at) && (l.what == '-' || l.what == '^')
	})
}

// check checks the inbox at the end.
func (w *world) check() {
	have := w.device.stored.have
	for _, e := range w.log {
		if !w.expects(e) || have[e.happening()] || w.covered(e) || w.unnoticed(e) {
			continue
		}
		switch later := w.later(e); {
		case w.support == AllEvents:
			w.failf("%v is missing (archived)", e)
		case e.what == '+' && e.payload != "1" && w.find(e.service, e.node).kind == ejabberd && (!w.has(e, '+') || w.has(e, '-')):
			// an old item keeps its place before those that were read, and is removed early
		case e.what == '+' && (later == 0 || later == 'x' && !w.retracts(e) || later == '~' && !w.has(e, '~')):
			w.failf("%v is missing (later %c)", e, later)
		case e.what == '-' && w.has(truth{service: e.service, node: e.node, item: e.item}, '+') && later == 0:
			w.failf("%v is missing (retraction of a known item)", e)
		case e.what == '~':
			w.failf("%v is missing (deleted)", e)
		}
	}
	w.checkInbox()
}

// has reports whether the inbox has an event of that kind of the item or node.
func (w *world) has(e truth, what byte) bool {
	return slices.ContainsFunc(w.device.stored.inbox, func(a arrival) bool {
		return a.service == e.service && a.node == e.node && a.what == what && (what == '~' || a.item == e.item)
	})
}

// checkInbox checks that all in the inbox has happened, and when.
func (w *world) checkInbox() {
	for _, a := range w.device.stored.inbox {
		w.stats.events++
		var when []time.Time
		for _, e := range w.log {
			removed := a.what == '-' && e.service == a.service && e.node == a.node && (e.what == '^' || e.what == '~' || e.what == 'x' && e.item == a.item && w.find(e.service, e.node).kind == ejabberd)
			if e.happening() == a.happening || removed {
				when = append(when, e.at)
			}
		}
		if len(when) == 0 {
			w.failf("%+v did not happen", a)
		}
		if !a.archive || a.occurred.IsZero() {
			continue
		}
		if !slices.ContainsFunc(when, func(at time.Time) bool { return at.Sub(a.occurred).Abs() <= time.Second }) {
			w.failf("%+v happened at %v", a, when)
		}
	}
}
