package listsync

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"xmpp-pam/sdk/pam"
)

// input passes an input to a machine and carries out its outputs.
func (w *world) input(t *tab, in Input) {
	w.note("%s <- %T%v", t.name, in, in)
	switch in := in.(type) {
	case Stored:
		t.offered = in.Durable // a later step may adopt it
	case Drop:
		t.drops = true
		if in.Undo {
			t.restorable[in.Key] = true
			if in.Key.SubID == "" { // all rows of the node
				t.markRestorable(in.Key.Service, in.Key.Node)
			}
		}
	case Notify:
		for _, s := range in.Items {
			if !in.Delayed {
				t.markRestorable(s.Service, s.Node)
			}
		}
	case ListResult:
		if in.Full {
			t.full = newRows(in.List)
		}
	}
	phase, dirty := t.phase, t.dirty
	busy := t.m.Busy()
	outs := t.m.Step(start, in)
	for _, out := range outs {
		w.note("%s    -> %T%v", t.name, out, out)
		switch out := out.(type) {
		case RequestList:
			if t.round != 0 || t.pending != nil {
				w.fail("a round begins while round %d or commit %v is pending", t.round, t.pending)
			}
			if t.s == nil {
				w.fail("a list request without a session")
			}
			t.round = out.Round
			t.s.requests = append(t.s.requests, request{out, t.run})
		case Commit:
			if t.pending != nil || t.round != 0 {
				w.fail("a commit begins while round %d or commit %v is pending", t.round, t.pending)
			}
			t.pending = &out
		case Changed:
			for _, c := range out.Changes {
				old, had := t.view[keyOf(c)]
				if (c.Before != nil) != had || had && old != *c.Before {
					w.fail("announced %v over %v", c, t.view)
				}
				if c.After != nil {
					t.view[c.After.Key] = *c.After
				} else {
					delete(t.view, c.Before.Key)
				}
			}
		case Overlay:
			if out.Reset {
				clear(t.overlay)
			}
			for _, s := range out.Items {
				t.overlay[s.Key] = s
			}
		case PhaseChanged:
			t.phase, t.dirty = out.Phase, out.Dirty
		case SetTimer:
			t.timers[out.Timer] = !out.At.IsZero()
		case ListingFailed:
			t.failed = true
		}
	}
	switch in := in.(type) {
	case Refresh:
		t.failed = false
	case Drop:
		if _, shown := t.view[in.Key]; !busy && shown != in.Undo && (t.pending == nil || newRows(t.pending.Dropped)[in.Key].State == "" != in.Undo) {
			w.fail("%v led to %v", in, outs)
		}
	}
	committed, stamp := t.m.Committed()
	list := committed.Rows()
	if stamp == t.offered.Stamp {
		t.known = t.offered.list().Rows()
	}
	view := rows(t.view).sorted()
	if !slices.Equal(view, list) {
		w.fail("announced %v, committed %v", view, list)
	}
	if !slices.Equal(view, t.known) {
		w.fail("announced %v, stored %v", view, t.known)
	}
	if t.phase == Synced && !t.dirty && !t.m.Busy() && len(t.overlay) > 0 {
		w.fail("Synced with an overlay: %v", t.overlay)
	}
	w.see(t, in, outs, phase, dirty)
}

// markRestorable records that a notify mentions a node, so that its dropped rows may
// be restored.
func (t *tab) markRestorable(service, node string) {
	for _, subid := range []string{"", "x", "y"} {
		t.restorable[pam.Key{Service: service, Node: node, SubID: subid}] = true
	}
}

// checkDropped fails if a dropped row was restored without a reason.
func (w *world) checkDropped(t *tab, next Durable) {
	after := newRows(next.Dropped)
	for _, s := range w.store.Dropped {
		if _, still := after[s.Key]; still || t.restorable[s.Key] || w.notifies {
			continue
		}
		if t.full != nil {
			_, listed := t.full[s.Key]
			_, bare := t.full[pam.Key{Service: s.Service, Node: s.Node, SubID: ""}]
			if !listed && !(bare && w.noVersion) {
				continue
			}
		}
		w.fail("%v is no longer dropped, without a reason", s)
	}
}

// equal fails if a tab is Synced, no input to it is pending, and its list differs
// from the server's.
func (w *world) equal(t *tab) {
	if w.reorders || t.s == nil || t.cut || !t.s.idle() || t.phase != Synced || t.dirty || t.m.Busy() {
		return
	}
	committed, _ := t.m.Committed()
	if list := append(slices.Clone(committed.Rows()), t.m.Dropped()...); !w.alike(list, w.now()) {
		w.fail("tab %s is Synced with %v, the server has %v", t.name, list, w.now())
	}
}

// quiesce restores the connections and runs until no event is pending.
func (w *world) quiesce() {
	w.note("quiesce")
	for _, t := range w.tabs {
		w.connect(t, false)
	}
	w.drain()
	if w.reorders {
		w.mismatched = !w.alike(w.store.all(), w.now())
		for _, t := range w.tabs {
			w.input(t, Refresh{Full: true})
		}
		w.drain()
	}
	for _, t := range w.tabs {
		committed, _ := t.m.Committed()
		list := append(slices.Clone(committed.Rows()), t.m.Dropped()...)
		switch {
		case t.phase != Synced || t.dirty || t.m.Busy():
			w.fail("tab %s at rest: phase %d, dirty %v, busy %v", t.name, t.phase, t.dirty, t.m.Busy())
		case !w.alike(list, w.now()):
			w.fail("tab %s at rest has %v, the server %v", t.name, list, w.now())
		case !w.alike(w.store.all(), w.now()):
			w.fail("at rest the store has %v, the server %v", w.store.List, w.now())
		}
	}
}

func (w *world) drain() {
	for range 2000 {
		busy := false
		for _, t := range w.tabs {
			if !t.s.idle() || t.pending != nil || t.hinted || t.failed {
				busy = true
			}
			w.deliver(t)
			w.serve(t, false)
			w.execute(t)
			w.reply(t)
			w.hint(t)
			if t.failed {
				w.input(t, Refresh{})
			}
		}
		if !busy {
			for _, t := range w.tabs {
				if t.timers != [2]bool{} {
					busy = true
					w.fire(t)
				}
			}
		}
		if !busy {
			return
		}
	}
	w.fail("it never comes to rest")
}

// all returns the rows that the server lists, including the dropped ones.
func (d Durable) all() []pam.Subscription { return append(slices.Clone(d.list().Rows()), d.Dropped...) }

// alike reports whether a list equals the server's. If the server may omit subids,
// the list's row may have any subid.
func (w *world) alike(list, theirs []pam.Subscription) bool {
	type at struct{ service, node string }
	nodes := func(list []pam.Subscription) map[at]rows {
		m := map[at]rows{}
		for _, s := range list {
			k := at{s.Service, s.Node}
			if m[k] == nil {
				m[k] = rows{}
			}
			m[k][s.Key] = s
		}
		return m
	}
	have, want := nodes(list), nodes(theirs)
	if len(have) != len(want) {
		return false
	}
	for k, rows := range want {
		if maps.Equal(have[k], rows) {
			continue
		}
		if w.hides == 0 && !w.noVersion || len(rows) != 1 || len(have[k]) != 1 {
			return false
		}
		for _, row := range rows {
			for _, mine := range have[k] {
				if mine.State != row.State {
					return false
				}
			}
		}
	}
	return true
}

// rows is a list as a map, with an independent implementation of the semantics.
type rows map[pam.Key]pam.Subscription

func newRows(list []pam.Subscription) rows {
	r := rows{}
	for _, s := range list {
		r[s.Key] = s
	}
	return r
}

func (r rows) sorted() []pam.Subscription {
	return slices.SortedFunc(maps.Values(r), func(a, b pam.Subscription) int { return byKey(a.Key, b.Key) })
}

func byKey(a, b pam.Key) int {
	return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Node, b.Node), strings.Compare(a.SubID, b.SubID))
}

func (r rows) apply(items []pam.Subscription) {
	for _, s := range items {
		for k := range r {
			same := k.Service == s.Service && k.Node == s.Node
			switch {
			case !same:
			case s.State != pam.StateNone && s.SubID != "" && k.SubID == "":
				delete(r, k)
			case s.State == pam.StateNone && (s.SubID == "" || k.SubID == s.SubID || k.SubID == ""):
				delete(r, k)
			}
		}
		if s.State != pam.StateNone {
			r[s.Key] = s
		}
	}
}
