package listsync

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

// A witness checks what a machine does with each input. I1 to I3 are checked at
// the store (execute, check), I7 at rest (quiesce), I11 in input; I8 and I12 are
// the client's, and are checked by its schedules.
type witness struct {
	asked    RequestList // the last round, or the last list that ended one
	open     bool
	heard    []Notify // since asked
	must     bool     // the last round was noisy: another has to follow
	mustFull bool     // a list with a version failed: the next is without
}

// see is I4, I5, I6, I9 and I10. phase and dirty are as they were announced
// before the input.
func (w *world) see(t *tab, in Input, outs []Output, phase Phase, dirty bool) {
	i := &t.witness
	switch in := in.(type) {
	case SessionStarted, SessionEnded:
		*i = witness{}
	case Notify:
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
			if _, heard := in.(Notify); heard && (phase != Synced || dirty) {
				w.fail("I4: a notify was committed in phase %v, dirty %v", phase, dirty)
			}
			if in, ok := in.(ListResult); ok && in.Full && !(t.drops && !out.Replace && out.Next.Version == out.Expect.Version) && (!out.Replace || !w.alike(Durable{List: out.List, Dropped: out.Dropped}.all(), in.List)) {
				w.fail("I4: a full result %v was stored as %v, dropped %v", in.List, out.List.Rows(), out.Dropped)
			}
			if in, ok := in.(ListResult); ok && in.Full && out.Replace && w.hides == 1 {
				w.noFalseChange(t, in.List, out.Changes)
			}
			if _, stamp := t.m.Committed(); out.Expect != stamp {
				w.fail("I6: a commit expects %v at %v", out.Expect, stamp)
			}
		}
	}
	if i.must && t.phase == Synced && !t.dirty {
		w.fail("I5: Synced after a noisy round")
	}
	list, _ := t.m.Committed()
	for _, list := range [][]pam.Subscription{list.Rows(), t.m.Dropped()} {
		if !slices.Equal(list, newRows(list).sorted()) {
			w.fail("I10: %v has a key twice, or no order", list)
		}
		if slices.ContainsFunc(list, func(s pam.Subscription) bool { return s.State == pam.StateNone }) {
			w.fail("I10: %v has none", list)
		}
	}
}

// noFalseChange fails if a list that names no subid where one is known is taken
// for the end of one subscription and the begin of another.
func (w *world) noFalseChange(t *tab, list []pam.Subscription, changes []pam.Change) {
	at := func(k pam.Key) (n int) {
		for _, s := range list {
			if s.Service == k.Service && s.Node == k.Node {
				n++
			}
		}
		return n
	}
	for _, c := range changes {
		if c.Before == nil && c.After.SubID == "" && at(c.After.Key) == 1 && !t.told[c.After.Key] { // or one may have ended, and another begun
			var gone []pam.Subscription
			for _, other := range changes {
				if other.After == nil && other.Before.Service == c.After.Service && other.Before.Node == c.After.Node {
					gone = append(gone, *other.Before)
				}
			}
			if len(gone) == 1 && gone[0].SubID != "" {
				w.fail("I9: %v was taken for another subscription than %v", *c.After, gone[0])
			}
		}
	}
}
