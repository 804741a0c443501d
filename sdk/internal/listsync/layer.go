package listsync

import (
	"slices"
	"sort"

	"xmpp-pam/sdk/pam"
)

// A layer is a list with notifies applied to it; the list itself is not modified. Rows
// of delta replace those of base; StateNone hides them.
type layer struct {
	base   *List
	delta  map[pam.Key]pam.Subscription
	subids map[place][]string // of delta

	dropped []pam.Subscription // rows that are left out of base
	assumed map[place]string   // assumed subids of base, which are treated as absent
}

// A place is a node at a service.
type place struct{ service, node string }

func newLayer(base *List) *layer {
	return &layer{base: base, delta: map[pam.Key]pam.Subscription{}, subids: map[place][]string{}}
}

// apply applies items in order and returns the keys they touched, in key
// order.
//
// Rule 9: a subscription is identified by service, node and subid. StateNone with a
// subid removes that subscription and an entry without a subid; StateNone without a
// subid removes all subscriptions to the node. An item with a subid replaces an entry
// whose subid is absent or assumed, because some servers send the subid in a notify and
// not in a list. Other servers do the reverse, so an item without a subid matches the
// only row of its node. A row that was left out is restored if an item concerns it.
func (l *layer) apply(items []pam.Subscription) []pam.Key {
	var touched []pam.Key
	hide := func(k pam.Key) {
		if l.has(k) {
			l.set(pam.Subscription{Key: k, State: pam.StateNone})
			touched = append(touched, k)
		}
	}
	for _, s := range items {
		if s.SubID == "" && s.State != pam.StateNone {
			s.SubID = l.onlySubID(s.Service, s.Node)
		}
		assumed := l.assumed[place{s.Service, s.Node}]
		if len(l.dropped) > 0 {
			l.dropped = undrop(l.dropped, s, assumed)
		}
		switch {
		case s.SubID != "":
			hide(pam.Key{Service: s.Service, Node: s.Node, SubID: ""})
			if assumed != s.SubID {
				hide(pam.Key{Service: s.Service, Node: s.Node, SubID: assumed})
			}
			if s.State == pam.StateNone {
				hide(s.Key)
				break
			}
			fallthrough
		case s.State != pam.StateNone:
			l.set(s)
			touched = append(touched, s.Key)
		default:
			for _, known := range l.base.at(s.Service, s.Node) {
				hide(known.Key)
			}
			for _, subid := range l.subids[place{s.Service, s.Node}] {
				hide(pam.Key{Service: s.Service, Node: s.Node, SubID: subid})
			}
		}
	}
	sort.Slice(touched, func(i, j int) bool { return touched[i].Compare(touched[j]) < 0 })
	return slices.Compact(touched)
}

// undrop returns the dropped rows that s does not concern.
func undrop(dropped []pam.Subscription, s pam.Subscription, assumed string) []pam.Subscription {
	about := func(d pam.Subscription) bool {
		return d.Service == s.Service && d.Node == s.Node &&
			(s.SubID == "" || d.SubID == "" || d.SubID == s.SubID || d.SubID == assumed)
	}
	if !slices.ContainsFunc(dropped, about) {
		return dropped
	}
	return slices.DeleteFunc(slices.Clone(dropped), about)
}

// onlySubID returns the subid of a node's row if there is exactly one, shown or
// left out.
func (l *layer) onlySubID(service, node string) string {
	var subids []string
	for _, s := range l.base.at(service, node) {
		if l.has(s.Key) {
			subids = append(subids, s.SubID)
		}
	}
	for _, subid := range l.subids[place{service, node}] {
		if k := (pam.Key{Service: service, Node: node, SubID: subid}); l.has(k) && !slices.Contains(subids, subid) {
			subids = append(subids, subid)
		}
	}
	for _, d := range l.dropped {
		if d.Service == service && d.Node == node {
			subids = append(subids, d.SubID)
		}
	}
	if len(subids) == 1 {
		return subids[0]
	}
	return ""
}

func (l *layer) set(s pam.Subscription) {
	if _, ok := l.delta[s.Key]; !ok {
		p := place{s.Service, s.Node}
		l.subids[p] = append(l.subids[p], s.SubID)
	}
	l.delta[s.Key] = s
}

func (l *layer) has(k pam.Key) bool {
	if s, ok := l.delta[k]; ok {
		return s.State != pam.StateNone
	}
	_, ok := l.base.get(k)
	return ok
}

// items returns the rows of delta, in key order.
func (l *layer) items() []pam.Subscription {
	items := make([]pam.Subscription, 0, len(l.delta))
	for _, s := range l.delta {
		items = append(items, s)
	}
	return Sort(items)
}

// changes returns the changes that the layer makes to base, in key order.
func (l *layer) changes() []pam.Change {
	var changes []pam.Change
	for _, after := range l.items() {
		before, had := l.base.get(after.Key)
		has := after.State != pam.StateNone
		switch {
		case had && has && before != after:
			changes = append(changes, pam.Change{Before: &before, After: &after})
		case had && !has:
			changes = append(changes, pam.Change{Before: &before})
		case !had && has:
			changes = append(changes, pam.Change{After: &after})
		}
	}
	return changes
}

// keyOf returns the key of a change.
func keyOf(c pam.Change) pam.Key {
	if c.After != nil {
		return c.After.Key
	}
	return c.Before.Key
}
