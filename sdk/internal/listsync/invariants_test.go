package listsync

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

// A witness checks the outputs of a machine for each input. The methods execute and
// check verify I1 to I3, quiesce I7, and input I11. I8 and I12 concern the client;
// its schedules check them.
type witness struct {
	asked    RequestList // the request of the last round
	open     bool
	received []Notify // received since that request
	must     bool     // the last round was noisy, so another must follow
	mustFull bool     // a request with a version failed, so the next must have none
}

// see checks I4, I5, I6, I9 and I10. phase and dirty are the values announced before
// the input.
func (w *world) see(t *tab, in Input, outs []Output, phase Phase, dirty bool) {
	i := &t.witness
	switch in := in.(type) {
	case SessionStarted, SessionEnded:
		*i = witness{}
	case Notify:
		i.received = append(i.received, in)
	case ListResult:
		if i.open && in.Round == i.asked.Round {
			i.open = false
			last := len(i.received) - 1
			i.must = last >= 0 && (!in.Full || i.received[last].Version != in.Version)
		}
	case ListFailed:
		if i.open && in.Round == i.asked.Round {
			i.open, i.mustFull = false, i.asked.Version != ""
		}
	case Conflict:
		if _, stamp := t.m.Committed(); stamp.Epoch < in.Durable.Epoch { // a hint may have arrived in the meantime
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
			if _, received := in.(Notify); received && (phase != Synced || dirty) {
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
			w.fail("I10: %v has a duplicate key or is not sorted", list)
		}
		if slices.ContainsFunc(list, func(s pam.Subscription) bool { return s.State == pam.StateNone }) {
			w.fail("I10: %v contains StateNone", list)
		}
	}
}

// noFalseChange fails if a list that omits a known subid is interpreted as the end of
// one subscription and the start of another.
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
		if c.Before == nil && c.After.SubID == "" && at(c.After.Key) == 1 && !t.restorable[c.After.Key] { // otherwise one may have ended and another started
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
