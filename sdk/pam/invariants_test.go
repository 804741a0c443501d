package pam

import "slices"

// A witness checks what a machine does with each input. I1 to I3 are checked at
// the store (execute, check), I7 at rest (quiesce), I11 in input; I8 and I12 are
// the client's, and are checked by its schedules.
type witness struct {
	asked    RequestList // the last round, or the last list that ended one
	open     bool
	heard    []Heard // since asked
	must     bool    // the last round was noisy: another has to follow
	mustFull bool    // a list with a version failed: the next is without
}

// see is I4, I5, I6, I9 and I10. phase and dirty are as they were announced
// before the input.
func (w *world) see(t *tab, in Input, outs []Output, phase Phase, dirty bool) {
	i := &t.witness
	switch in := in.(type) {
	case SessionStarted, SessionEnded:
		*i = witness{}
	case Heard:
		i.heard = append(i.heard, in)
	case ListResult:
		if i.open && in.Round == i.asked.Round {
			i.open = false
			last := len(i.heard) - 1
			i.must = last >= 0 && (!in.Full || i.heard[last].Version != in.Version)
		}
	case ListFailed:
		if i.open && in.Round == i.asked.Round {
			i.open, i.mustFull = false, i.asked.Version != ""
		}
	case Conflict:
		if _, stamp := t.m.Committed(); stamp.Epoch < in.Durable.Epoch { // a hint may have come meanwhile
			w.fail("I6: after a conflict with %v the machine is at %v", in.Durable.Stamp, stamp)
		}
	}
	for _, out := range outs {
		switch out := out.(type) {
		case RequestList:
			if i.mustFull && out.Version != "" {
				w.fail("I9: after a failed list, a list with %q", out.Version)
			}
			*i = witness{asked: out, open: true}
		case Commit:
			if _, heard := in.(Heard); heard && (phase != Synced || dirty) {
				w.fail("I4: a notify was committed in phase %v, dirty %v", phase, dirty)
			}
			if in, ok := in.(ListResult); ok && in.Full && (!out.Replace || !slices.Equal(out.List, NewList(in.List).Rows())) {
				w.fail("I4: a full result %v was stored as %v", in.List, out.List)
			}
			if _, stamp := t.m.Committed(); out.Expect != stamp {
				w.fail("I6: a commit expects %v at %v", out.Expect, stamp)
			}
		}
	}
	if i.must && t.phase == Synced && !t.dirty {
		w.fail("I5: Synced after a noisy round")
	}
	if list, _ := t.m.Committed(); !ordered(list.Rows()) {
		w.fail("I10: %v has a key twice, none, or no order", list.Rows())
	}
}
