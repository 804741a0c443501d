package pam

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// input steps a machine and does what it says.
func (w *world) input(t *tab, in Input) {
	w.note("%s <- %T%v", t.name, in, in)
	if in, ok := in.(Stored); ok {
		t.offered = in.Durable // it may be taken in a later step
	}
	phase, dirty := t.phase, t.dirty
	outs := t.m.Step(in)
	for _, out := range outs {
		w.note("%s    -> %T%v", t.name, out, out)
		switch out := out.(type) {
		case RequestList:
			if t.round != 0 || t.pending != nil {
				w.fail("a round begins while round %d or commit %v is under way", t.round, t.pending)
			}
			if t.s == nil || t.cut {
				w.fail("a list request without a session")
			}
			t.round = out.Round
			t.s.requests = append(t.s.requests, out)
		case Commit:
			if t.pending != nil || t.round != 0 {
				w.fail("a commit begins while round %d or commit %v is under way", t.round, t.pending)
			}
			t.pending = &out
		case Changed:
			for _, c := range out.Changes {
				old, had := t.view[c.key()]
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
			t.timers[out.Timer] = out.Millis > 0
		case ListingFailed:
			t.failed = true
		}
	}
	if _, ok := in.(Refresh); ok {
		t.failed = false
	}
	committed, stamp := t.m.Committed()
	list := committed.Rows()
	if stamp == t.offered.Stamp {
		t.known = t.offered.List
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

// quiesce lets everything come to rest with the connections up.
func (w *world) quiesce() {
	w.note("quiesce")
	for _, t := range w.tabs {
		w.connect(t, false)
	}
	w.drain()
	if w.sloppy {
		w.early = !slices.Equal(w.store.List, w.now())
		for _, t := range w.tabs {
			w.input(t, Refresh{Full: true})
		}
		w.drain()
	}
	for _, t := range w.tabs {
		committed, _ := t.m.Committed()
		list := committed.Rows()
		switch {
		case t.phase != Synced || t.dirty || t.m.Busy():
			w.fail("tab %s at rest: phase %d, dirty %v, busy %v", t.name, t.phase, t.dirty, t.m.Busy())
		case !slices.Equal(list, w.now()):
			w.fail("tab %s at rest has %v, the server %v", t.name, list, w.now())
		case !slices.Equal(w.store.List, w.now()):
			w.fail("at rest the store has %v, the server %v", w.store.List, w.now())
		}
	}
}

func (w *world) drain() {
	for range 2000 {
		busy := false
		for _, t := range w.tabs {
			before := len(t.s.requests) + len(t.s.stanzas)
			if before > 0 || t.pending != nil || t.hinted || t.failed {
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

// rows is a list as a plain map, with semantics written anew for the tests.
type rows map[Key]Subscription

func newRows(list []Subscription) rows {
	r := rows{}
	for _, s := range list {
		r[s.Key] = s
	}
	return r
}

func (r rows) sorted() []Subscription {
	return slices.SortedFunc(maps.Values(r), func(a, b Subscription) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Node, b.Node), strings.Compare(a.SubID, b.SubID))
	})
}

func (r rows) apply(items []Subscription) {
	for _, s := range items {
		for k := range r {
			same := k.Service == s.Service && k.Node == s.Node
			switch {
			case !same:
			case s.State != StateNone && s.SubID != "" && k.SubID == "":
				delete(r, k)
			case s.State == StateNone && (s.SubID == "" || k.SubID == s.SubID || k.SubID == ""):
				delete(r, k)
			}
		}
		if s.State != StateNone {
			r[s.Key] = s
		}
	}
}
