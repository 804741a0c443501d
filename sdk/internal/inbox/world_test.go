package inbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A world is nodes with publishers, the account's markers at its server, and one to three
// devices of the account. Each device has a store and one or two tabs, each a Machine.
// Tabs start, crash and lose their connection at any time; what they have not
// acknowledged comes again. It checks:
//
//	J1 no event is lost: after each commit, of every node, the events that were
//	   acknowledged or fetched are those in the store and those counted as dropped
//	J2 no event is stored or announced twice
//	J3 the counts in the records, and those announced, equal the stored events
//	J4 the limits are kept; each body is stored while an event uses it, and no longer
//	J5 no stanza is acknowledged before its events are stored
//	J6 the newest page contains the newest events; pages follow each other without gap
//	J7 the times are the best that the copies told
//	J8 on each device, the marker of the others never moves backwards
//	J9 at rest, the marker at the server is the furthest, and every device considers seen
//	   what is before it
type world struct {
	*choices
	trace   *strings.Builder
	now     time.Time
	nodes   []string // "service/node"
	log     []*truth
	devices []*device
	pep     map[string]pam.Marker
	opts    Options
	limits  bool // the limits are small; markers are then not compared
	stamped bool // live events have stamps, so that all devices agree about their order
	silent  bool // the items of the first node come without payload
	calm    bool // nothing fails any more

	conflicts, dropped, published int
}

// A truth is an event as it really was.
type truth struct {
	node       string
	item       string
	text       string // of the payload
	retraction bool
	at         time.Time
}

// key identifies the event. An item that is published twice has another payload, except
// in the silent node, where it has another item id.
func (e *truth) key() string {
	if e.retraction {
		return e.node + " -" + e.item
	}
	return e.node + " " + e.item + "=" + e.text
}

type violation string

func (w *world) fail(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

func (w *world) note(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "  "+format+"\n", args...)
	}
}

func newWorld(c *choices, trace *strings.Builder) *world {
	w := &world{choices: c, trace: trace, now: start, nodes: []string{"a/n", "a/m", "b/n"}[:1+c.next(3)], pep: map[string]pam.Marker{}}
	w.limits = c.next(2) == 1
	if w.limits {
		w.opts = Options{PerNode: 3 + c.next(8), Total: 4 + c.next(14)}
		if c.next(2) == 1 {
			w.opts.Bytes = 1500 + c.next(3000)
		}
	} else {
		w.silent = c.next(3) == 0
	}
	w.opts.page = 1 + c.next(12)
	w.stamped = c.next(2) == 0
	devices := 1
	if !w.limits {
		devices = 1 + c.next(3)
	}
	for i := range devices {
		d := &device{w: w, name: string(rune('A' + i)), store: store.NewMemory(), got: map[string]*truth{}, added: map[string]bool{},
			times: map[string]copyTime{}, furthest: map[string]place{}}
		w.devices = append(w.devices, d)
		for range 1 + c.next(2) {
			t := &tab{device: d, name: d.name + fmt.Sprint(len(d.tabs))}
			d.tabs = append(d.tabs, t)
			w.boot(t)
		}
	}
	w.note("nodes %v, limits %v, silent %v, %d devices", w.nodes, w.opts, w.silent, devices)
	return w
}

// step performs one event.
func (w *world) step() {
	w.pass(time.Duration(w.next(20000)) * time.Millisecond)
	d := w.devices[w.next(len(w.devices))]
	t := d.tabs[w.next(len(d.tabs))]
	switch e := w.next(40); {
	case e < 8:
		w.publish()
	case e < 15:
		w.deliver(t)
	case e < 22:
		w.execute(t)
	case e < 25:
		w.catchUp(t)
	case e < 29:
		w.mark(t)
	case e < 32:
		w.answer(t)
	case e == 32:
		w.connect(t)
	case e == 33:
		w.disconnect(t)
	case e == 34:
		w.crash(t)
	case e == 35:
		w.input(t, Stored{d.records()})
	case e < 38:
		w.fire(t)
	case e == 38:
		w.reach(t)
	default:
		for range 5 {
			w.deliver(t)
			w.execute(t)
			w.answer(t)
		}
	}
}

// pass advances the clock. A tab is never so late that the next event happens before a
// second tab of the device has received the last one, and never so late that a live event
// may be taken for one that happened again.
func (w *world) pass(d time.Duration) {
	for _, d := range w.devices {
		for _, t := range d.tabs {
			for len(t.feed) > 0 && (len(d.tabs) > 1 || w.now.Sub(t.feed[0].at) > 4*time.Minute) {
				w.deliver(t)
			}
		}
	}
	w.now = w.now.Add(d)
}

// publish adds an event to the log, and delivers it to the connected tabs.
func (w *world) publish() {
	node := w.nodes[w.next(len(w.nodes))]
	w.pass(time.Millisecond) // no two at the same time
	e := &truth{node: node, at: w.now}
	var items []string // that may be published again or retracted
	for _, old := range w.log {
		if old.node == node && !old.retraction {
			items = append(items, old.item)
		}
	}
	for _, old := range w.log {
		if old.node == node && old.retraction {
			items = slices.DeleteFunc(items, func(item string) bool { return item == old.item })
		}
	}
	switch n := w.next(6); {
	case n == 0 && len(items) > 0:
		e.item, e.retraction = items[w.next(len(items))], true
	case n == 1 && len(items) > 0 && !w.isSilent(node):
		e.item = items[w.next(len(items))]
	default:
		e.item = fmt.Sprint("i", len(w.log))
	}
	if !e.retraction {
		e.text = fmt.Sprint("p", len(w.log))
	}
	w.log = append(w.log, e)
	w.note("publish %s at %s", e.key(), e.at.Format("15:04:05.000"))
	for _, d := range w.devices {
		for _, t := range d.tabs {
			if t.online {
				t.feed = append(t.feed, e)
			}
		}
	}
}

func (w *world) isSilent(node string) bool { return w.silent && node == w.nodes[0] }

// incoming returns a copy of an event.
func (w *world) incoming(e *truth, delivery pam.Delivery, source pam.TimeSource) Incoming {
	service, node, _ := strings.Cut(e.node, "/")
	in := Incoming{Notification: pubsub.Notification{Service: service, Node: node, Type: pam.EventPublished, ItemID: e.item}, Delivery: delivery}
	switch {
	case e.retraction:
		in.Type = pam.EventRetracted
	case !w.isSilent(e.node) || delivery == pam.DeliveryCatchUp:
		in.Payload = payload(e.text)
	}
	if source != "" {
		in.At, in.Source = e.at, source
	}
	return in
}

// deliver gives a tab the next live stanza, or replays one that it has not acknowledged.
func (w *world) deliver(t *tab) {
	if len(t.feed) == 0 {
		return
	}
	e := t.feed[0]
	t.feed = t.feed[1:]
	w.now = w.now.Add(time.Millisecond)
	delivery, source := pam.DeliveryLive, pam.TimeSource("")
	if w.stamped {
		source = pam.TimeDelay
	}
	if t.replays > 0 {
		t.replays--
		delivery, source = pam.DeliveryResumed, pam.TimeDelay
	}
	copies := 1 + w.next(4)/3 // to the bare and to the full JID
	for range copies {
		t.seq++
		t.unacked = append(t.unacked, stanza{t.seq, e})
		w.arrive(t, Arrived{t.seq, []Incoming{w.incoming(e, delivery, source)}}, e)
	}
}

// catchUp gives a tab events of the log, oldest first. An archive tells their times.
func (w *world) catchUp(t *tab) {
	if !t.online || len(w.log) == 0 {
		return
	}
	for len(t.feed) > 0 { // The stream keeps the order.
		w.deliver(t)
	}
	first := 0 // that the device does not have
	for first < len(w.log)-1 && t.got[w.log[first].key()] != nil {
		first++
	}
	from := w.next(first + 1)
	to := from + 1 + w.next(len(w.log)-from)
	events, source := w.log[from:to], pam.TimeArchive
	if w.limits && w.next(4) == 3 { // the items that the nodes keep, without times
		events, source = w.items(), ""
	}
	var in Arrived
	for _, e := range events {
		in.Events = append(in.Events, w.incoming(e, pam.DeliveryCatchUp, source))
	}
	w.arrive(t, in, events...)
}

// items returns the last publication of each item that was not retracted.
func (w *world) items() (items []*truth) {
	for i, e := range w.log {
		if !e.retraction && !slices.ContainsFunc(w.log[i+1:], func(later *truth) bool { return later.node == e.node && later.item == e.item }) {
			items = append(items, e)
		}
	}
	return items
}

// arrive passes events to a tab, and notes that the device will have them.
func (w *world) arrive(t *tab, in Arrived, events ...*truth) {
	for i, e := range events {
		t.coming = append(t.coming, coming{e, copyTime{in.Events[i].Source, in.Events[i].At, w.now}})
	}
	w.input(t, in)
}

// mark marks events as seen that a tab lists.
func (w *world) mark(t *tab) {
	page, _ := t.m.List(Query{UnseenOnly: w.next(2) == 0, Limit: 4})
	var in MarkSeen
	for _, e := range page.entries {
		if w.next(2) == 0 {
			in.IDs = append(in.IDs, e.info.ID)
		}
	}
	if len(in.IDs) > 0 && w.next(3) == 0 {
		in = MarkSeen{UpTo: in.IDs[0]}
	}
	w.input(t, in)
}

// reach tells a tab that a catch-up has read its nodes.
func (w *world) reach(t *tab) {
	service, node, _ := strings.Cut(w.nodes[w.next(len(w.nodes))], "/")
	in := Reached{Service: service, Nodes: []string{node}, Cursor: Cursor{"archive", fmt.Sprint(w.next(9)), w.now}, Current: w.next(2) == 0}
	w.input(t, in)
}

// connect begins a session of a tab.
func (w *world) connect(t *tab) {
	if t.online {
		return
	}
	t.online, t.feed, t.replays, t.seq, t.unacked = true, nil, 0, 0, nil
	t.notes, t.publishes, t.fetches = nil, nil, nil
	w.input(t, SessionStarted{})
	var all RemoteMarkers
	for _, node := range w.nodes {
		if k, ok := w.pep[node]; ok {
			all.Markers = append(all.Markers, k)
		}
	}
	w.input(t, all)
	w.input(t, MarkersRead{})
	if w.next(2) == 0 {
		w.input(t, CatchUpEnded{})
	}
}

// disconnect ends a session. What was not acknowledged is lost, until a catch-up finds it.
func (w *world) disconnect(t *tab) {
	if t.online {
		t.online, t.feed, t.unacked, t.replays = false, nil, nil, 0
		t.notes, t.publishes, t.fetches = nil, nil, nil
		w.input(t, SessionEnded{})
	}
}

// crash ends the program of a tab, perhaps after its commit was stored, and starts it
// again. The session is resumed, so that what was not acknowledged comes again.
func (w *world) crash(t *tab) {
	w.note("%s crashes", t.name)
	if t.pending != nil && w.next(2) == 0 {
		w.commit(t)
	}
	var again []*truth
	for _, s := range t.unacked {
		if !slices.Contains(again, s.event) {
			again = append(again, s.event)
		}
	}
	t.feed = append(again, t.feed...)
	t.replays = len(again)
	t.unacked = nil
	w.boot(t)
	if t.online {
		t.online = false
		feed, replays := t.feed, t.replays
		w.connect(t)
		t.feed, t.replays = feed, replays
	}
}

func (w *world) boot(t *tab) {
	t.m, t.told = New(w.opts), map[string]bool{}
	t.pending, t.coming, t.covered, t.timers = nil, nil, nil, [2]time.Time{}
	t.fetches, t.publishes, t.reads = nil, nil, nil
	w.input(t, Stored{t.records()})
	for _, e := range w.all(t.m, t.device) {
		t.told[w.keyOf(e)] = true
	}
}

// execute carries out the commit of a tab.
func (w *world) execute(t *tab) {
	if t.pending == nil {
		return
	}
	seq := t.pending.Seq
	if w.commit(t) {
		w.input(t, Committed{seq})
		return
	}
	w.conflicts++
	t.coming = append(t.covered, t.coming...)
	t.covered = nil
	w.input(t, Conflict{seq, t.records()})
}

// commit stores the pending commit, and checks what is stored then. It reports whether
// the store was as expected.
func (w *world) commit(t *tab) bool {
	c := t.pending
	t.pending = nil
	err := t.store.Commit(context.Background(), c.Expect, c.Ops)
	w.note("%s stores: %v", t.name, err)
	if err != nil {
		return false
	}
	t.receive(t.covered)
	t.covered = nil
	w.check(t.device)
	return true
}
