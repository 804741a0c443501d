package inbox

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// stored returns a machine that has read what a device has stored.
func (w *world) stored(d *device) *Machine {
	m := New(w.opts)
	for _, out := range m.Step(w.now, Stored{d.records()}) {
		switch out := out.(type) {
		case Commit:
			w.fail("the records have to be repaired")
		case Warning:
			w.fail("warning: %v", out.Err)
		}
	}
	return m
}

// all returns the stored events, newest first, in pages of random length.
func (w *world) all(m *Machine, d *device) (events []pam.Event) {
	before := ""
	for {
		page, ok := m.List(Query{Before: before, Limit: 1 + w.next(20)})
		if !ok {
			w.fail("J6: %q is not a cursor", before)
		}
		events = append(events, d.read(page)...)
		if before = page.Cursor; before == "" {
			return events
		}
	}
}

// check checks what a device has stored.
func (w *world) check(d *device) {
	m := w.stored(d)
	events := w.all(m, d)
	if len(events) != len(m.events) {
		w.fail("J6: the pages have %d events, there are %d", len(events), len(m.events))
	}
	seen := map[string]bool{}
	present := map[string]int{} // by node
	for i, e := range events {
		key := w.keyOf(e)
		if seen[key] {
			w.fail("J2: %s is stored twice", key)
		}
		seen[key] = true
		present[e.Service+"/"+e.Node]++
		if e.Omitted != "" {
			w.fail("J4: the body of %s is missing", key)
		}
		if i > 0 && m.events[len(events)-i].place().compare(m.events[len(events)-1-i].place()) <= 0 {
			w.fail("J6: not in order")
		}
	}
	got := map[string]int{}
	for key, e := range d.got {
		got[e.node]++
		if n := m.nodes[nodeKey{e.node[:1], e.node[2:]}]; !seen[key] && (n == nil || n.dropped == 0) {
			w.fail("J1: %s is lost", key)
		}
	}
	dropped := 0
	for node, n := range got {
		s := m.nodes[nodeKey{node[:1], node[2:]}]
		if s == nil || n != present[node]+s.dropped {
			w.fail("J1: %s had %d events, has %d and %+v", node, n, present[node], s)
		}
		dropped += s.dropped
	}
	w.dropped = max(w.dropped, dropped)
	w.checkLimits(m, d)
	w.checkText(m, d)
	for _, n := range m.order {
		key := n.service + "/" + n.name
		last := d.furthest[key]
		if n.remote.item != "" {
			if e := m.ids[last.id]; n.remote.place.compare(last) < 0 && e != nil && e.place() == last {
				w.fail("J8: the marker of %s moved from %v to %v", key, last, n.remote.place)
			}
			d.furthest[key] = n.remote.place
		}
	}
}

// checkLimits checks J4.
func (w *world) checkLimits(m *Machine, d *device) {
	if len(m.events) > m.opts.Total || m.bytes > m.opts.Bytes {
		w.fail("J4: %d events with %d bytes", len(m.events), m.bytes)
	}
	for _, n := range m.order {
		if len(n.events) > m.opts.PerNode {
			w.fail("J4: %s has %d events", n.name, len(n.events))
		}
	}
	used := map[string]bool{}
	for _, e := range m.events {
		used[bodyKey(e.body.number)] = true
	}
	bodies, _ := d.store.Scan(context.Background(), store.Range{From: keyBodies, To: keyBodies + "\xff"})
	for _, r := range bodies {
		if !used[r.Key] {
			w.fail("J4: %s belongs to no event", r.Key)
		}
		delete(used, r.Key)
	}
	if len(used) > 0 {
		w.fail("J4: bodies are missing: %v", slices.Sorted(maps.Keys(used)))
	}
}

// checkText reads the counts and the page from the text of the records, as a program that
// does not link this package.
func (w *world) checkText(m *Machine, d *device) {
	var meta []string
	unseen, dropped := map[string]int{}, 0
	var page [][]string
	for _, r := range d.records() {
		for row := range strings.SplitSeq(string(r.Value), "\x1e") {
			f := strings.Split(row, "\x1f")
			switch {
			case len(f) < 3: // the digest
			case r.Key == MetaKey && meta == nil:
				meta = f
			case strings.HasPrefix(r.Key, keyNodes):
				n, _ := strconv.Atoi(f[2])
				unseen[f[0]+"/"+f[1]] = n
				n, _ = strconv.Atoi(f[3])
				dropped += n
			case strings.HasPrefix(r.Key, keyPage):
				page = append(page, f)
			}
		}
	}
	all := 0
	for _, e := range m.events {
		if e.seen.State == pam.Unseen {
			all++
			unseen[e.node.service+"/"+e.node.name]--
		}
	}
	for node, n := range unseen {
		if n != 0 {
			w.fail("J3: the record of %s differs by %d", node, n)
		}
	}
	if meta[2] != strconv.Itoa(len(m.events)) || meta[3] != strconv.Itoa(all) || meta[4] != strconv.Itoa(dropped) || meta[6] != strconv.Itoa(len(page)) {
		w.fail("J3: the meta record is %q; there are %d events, %d unseen, %d dropped, %d in the page", meta, len(m.events), all, dropped, len(page))
	}
	slices.SortFunc(page, func(a, b []string) int { return strings.Compare(b[0], a[0]) })
	for i, f := range page {
		e := m.events[len(m.events)-1-i]
		if f[1] != formatID(e.id) || f[10] != string(e.seen.State) || f[6] != strconv.FormatInt(e.at, 10) {
			w.fail("J6: row %d of the page is %q, the event is %+v", i, f, e)
		}
	}
}

// quiesce brings everything to rest: all tabs are connected, have all events, and all
// markers have arrived.
func (w *world) quiesce() {
	w.note("quiesce")
	w.calm = true
	for _, d := range w.devices {
		for _, t := range d.tabs {
			for len(t.feed) > 0 {
				w.deliver(t)
			}
		}
	}
	w.now = w.now.Add(publishRetry * 1e6)
	for _, d := range w.devices {
		for _, t := range d.tabs {
			w.connect(t)
			in := Arrived{}
			for _, e := range w.log {
				in.Events = append(in.Events, w.incoming(e, pam.DeliveryCatchUp, pam.TimeArchive))
			}
			w.arrive(t, in, w.log...)
			w.input(t, CatchUpEnded{})
		}
	}
	w.rest()
	for _, d := range w.devices {
		for _, t := range d.tabs {
			w.input(t, Stored{t.records()})
		}
	}
	w.rest()
	for _, d := range w.devices {
		w.check(d)
		w.checkTimes(d)
		if m := w.stored(d); len(m.pageTable.all()) < min(w.opts.page, len(m.events)) {
			w.fail("J6: the page has %d events of %d", len(m.pageTable.all()), len(m.events))
		}
		for _, t := range d.tabs {
			if t.m.Busy() || len(t.unacked) > 0 {
				w.fail("%s at rest: busy %v, not acknowledged %v", t.name, t.m.Busy(), t.unacked)
			}
		}
	}
	if !w.limits {
		w.converged()
	}
}

// rest runs until no event is pending.
func (w *world) rest() {
	for range 300 {
		busy := false
		for _, d := range w.devices {
			for _, t := range d.tabs {
				busy = busy || len(t.feed)+len(t.notes)+len(t.publishes)+len(t.fetches)+len(t.reads) > 0 || t.pending != nil
				w.deliver(t)
				w.execute(t)
				w.answer(t)
			}
		}
		for _, d := range w.devices {
			for _, t := range d.tabs {
				for timer := range t.timers {
					busy = w.fireTimer(t, Timer(timer)) || busy
				}
			}
		}
		if !busy {
			return
		}
	}
	w.fail("it never comes to rest")
}

// checkTimes checks J7.
func (w *world) checkTimes(d *device) {
	m := w.stored(d)
	for _, e := range w.all(m, d) {
		key := w.keyOf(e)
		switch best := d.times[key]; {
		case best.source == "" && e.TimeSource == pam.TimeLocalClock:
		case best.source == "" || e.TimeSource == pam.TimeLocalClock || !e.OccurredAt.Equal(best.at):
			w.fail("J7: the time of %s is %s (%s), the best that was told %v", key, e.OccurredAt, e.TimeSource, best)
		}
	}
}

// converged checks J9.
func (w *world) converged() {
	for _, node := range w.nodes {
		content, published := w.pep[node]
		for _, d := range w.devices {
			m := w.stored(d)
			n := m.nodes[nodeKey{node[:1], node[2:]}]
			if n == nil {
				continue
			}
			goal := n.goal()
			if !published {
				if goal.item != "" {
					w.fail("J9: %s has seen %s up to %+v, but no marker is published", d.name, node, goal)
				}
				continue
			}
			k := readMarker(content)
			k.before = m.next
			var known bool
			k.place, known = n.resolve(k)
			if k.same(n.remote) && !w.stamped {
				k.place = n.remote.place // as it was when the marker came
			}
			if !known {
				w.fail("J9: %s does not know %+v", d.name, content)
			}
			if w.stamped && goal.after(k) {
				w.fail("J9: %s has seen %s up to %+v, but the marker is at %+v", d.name, node, goal, k)
			}
			for _, e := range n.events {
				if !k.same(n.own) && (w.stamped || !n.remote.precedes(e)) && e.place().compare(k.place) <= 0 && e.seen.State != pam.SeenHere && e.seen.Basis != pam.BasisDisplayedSync {
					w.fail("J9: the marker is at %+v, but on %s %s is %v", k, d.name, e.item, e.seen)
				}
			}
		}
	}
}
