package catchup

import (
	"math"
	"time"

	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// A memory is what the inbox knows of a node.
type memory struct {
	order []string // the items, each once
	items map[string]remembered
	// base counts the items of which nothing came after CurrentUntil. Only these tell how
	// far the node must be read.
	base int
}

// A remembered holds the first and the last event of an item, with their places in the
// order of receipt.
type remembered struct {
	first, last int
	from, to    Known
	base        bool
}

func newMemory(known []Known, currentUntil time.Time) *memory {
	k := &memory{items: make(map[string]remembered, len(known))}
	for i, e := range known {
		r, ok := k.items[e.ItemID]
		if !ok {
			k.order = append(k.order, e.ItemID)
			r.first, r.from = i, e
		}
		r.last, r.to = i, e
		r.base = !e.At.After(currentUntil)
		k.items[e.ItemID] = r
	}
	for _, r := range k.items {
		if r.base {
			k.base++
		}
	}
	return k
}

func (k *memory) has(id string) bool {
	_, ok := k.items[id]
	return ok
}

// A comparison is the difference between what is known of a node and the newest items that
// it keeps.
type comparison struct {
	found []Event
	kept  int // known items that the node keeps unchanged
	// enough reports whether enough are kept: nothing was published between what is known
	// and what was read.
	enough bool
	// unclear reports whether known items are missing that may have been retracted, or
	// removed without notice because the node was full.
	unclear bool
}

// compare compares what is known of a node with the newest items that a task has read.
//
// A service moves an item that is published again to the end, or keeps its place. One
// whose payload is known has therefore probably kept its place, and all that was published
// after it is among the items. Because the same payload may have been published again, two
// such items are needed, if that many are known.
func (m *Machine) compare(t *task, known *memory) (c comparison) {
	items := t.window
	var unchanged, kept []remembered
	before := -1 // the first kept item
	present := make(map[string]bool, len(items))
	same := make([]bool, len(items))
	for i, e := range items {
		present[e.ItemID] = true
		r, ok := known.items[e.ItemID]
		if same[i] = ok && (r.to.Digest == "" || r.to.Digest == m.digest(e.Payload)); !same[i] {
			continue
		}
		if unchanged = append(unchanged, r); r.base {
			if kept = append(kept, r); before < 0 {
				before = i
			}
		}
	}
	c.kept = len(kept)
	c.enough = c.kept > 0 && c.kept >= min(2, known.base)
	ordered := oldestFirst(kept)
	for i, e := range items {
		// What an old item follows was published before it, even if it is not known.
		old := ordered && i < before && !known.has(e.ItemID)
		if !same[i] && !old {
			c.found = append(c.found, e)
		}
	}
	evidence := newEvidence(unchanged)
	for _, id := range known.order {
		switch {
		case present[id] || !known.items[id].to.At.Before(t.asOf):
		case c.enough && evidence.retracted(known.items[id], t.whole):
			c.found = append(c.found, retraction(items[0].Notification, id))
		default:
			c.unclear = true
		}
	}
	return c
}

// oldestFirst reports whether a service is known to send the oldest items first, by items
// that were published once and are in the order of their live events.
func oldestFirst(kept []remembered) bool {
	rising := 0
	for i := 1; i < len(kept); i++ {
		a, b := kept[i-1], kept[i]
		switch {
		case a.first != a.last || b.first != b.last:
		case a.last < b.last && !b.to.Late:
			rising++
		case b.last < a.last && !a.to.Late:
			rising--
		}
	}
	return rising > 0
}

// An evidence says whether a missing item was retracted. A node that is full removes its
// oldest items, so an item was retracted if an older one is still there: one that was
// received before the live event of the missing one. That is not certain of an item that
// was published long ago and published again since, so it must be missing in the whole
// node. Of items that were found together, which the service sends in the order of their
// age or in the opposite one, an item between two others is not the oldest.
type evidence struct {
	oldest int
	found  map[int64]*span // by the time of receipt
}

type span struct{ first, last int }

func newEvidence(unchanged []remembered) evidence {
	e := evidence{oldest: math.MaxInt, found: map[int64]*span{}}
	for _, r := range unchanged {
		e.oldest = min(e.oldest, r.last)
		if r.first != r.last || !r.from.Late {
			continue
		}
		at := r.from.At.UnixNano()
		s := e.found[at]
		if s == nil {
			s = &span{r.first, r.first}
			e.found[at] = s
		}
		s.first, s.last = min(s.first, r.first), max(s.last, r.first)
	}
	return e
}

func (e evidence) retracted(missing remembered, whole bool) bool {
	if !missing.from.Late {
		return whole && e.oldest < missing.first
	}
	s := e.found[missing.from.At.UnixNano()]
	return s != nil && s.first < missing.first && missing.first < s.last
}

// retraction returns the event of an item of the same node as another that is gone.
func retraction(of pubsub.Notification, id string) Event {
	return Event{
		Notification: pubsub.Notification{Service: of.Service, Node: of.Node, Type: pam.EventRetracted, ItemID: id},
		Delivery:     pam.DeliveryCatchUp,
	}
}
