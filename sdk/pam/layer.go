package pam

import (
	"slices"
	"sort"
	"strings"
)

// A layer is a list as notifies leave it, while the list itself stays as it is.
// Rows of over replace those of under; StateNone hides them.
type layer struct {
	under  *List
	over   map[Key]Subscription
	subids map[place][]string // of over
}

// A place is where subscriptions are: a node at a service.
type place struct{ service, node string }

func newLayer(under *List) *layer {
	return &layer{under: under, over: map[Key]Subscription{}, subids: map[place][]string{}}
}

// apply applies items in order and returns the keys they touched, in key
// order.
//
// Rule 9: a subscription is known by service, node and subid. None with a
// subid removes that one and an entry without subid; none without a subid
// removes all of the node. A subid that becomes known replaces the entry
// without one: some services tell it in a notify and not in a list.
func (l *layer) apply(items []Subscription) []Key {
	var touched []Key
	hide := func(k Key) {
		if l.has(k) {
			l.set(Subscription{Key: k, State: StateNone})
			touched = append(touched, k)
		}
	}
	for _, s := range items {
		switch {
		case s.State != StateNone:
			if s.SubID != "" {
				hide(Key{s.Service, s.Node, ""})
			}
			l.set(s)
			touched = append(touched, s.Key)
		case s.SubID != "":
			hide(s.Key)
			hide(Key{s.Service, s.Node, ""})
		default:
			for _, known := range l.under.at(s.Service, s.Node) {
				hide(known.Key)
			}
			for _, subid := range l.subids[place{s.Service, s.Node}] {
				hide(Key{s.Service, s.Node, subid})
			}
		}
	}
	sort.Slice(touched, func(i, j int) bool { return touched[i].Less(touched[j]) })
	return slices.Compact(touched)
}

func (l *layer) set(s Subscription) {
	if _, ok := l.over[s.Key]; !ok {
		p := place{s.Service, s.Node}
		l.subids[p] = append(l.subids[p], s.SubID)
	}
	l.over[s.Key] = s
}

func (l *layer) has(k Key) bool {
	if s, ok := l.over[k]; ok {
		return s.State != StateNone
	}
	_, ok := l.under.get(k)
	return ok
}

// items returns what lies over the list, in key order.
func (l *layer) items() []Subscription {
	items := make([]Subscription, 0, len(l.over))
	for _, s := range l.over {
		items = append(items, s)
	}
	Sort(items)
	return items
}

// changes returns what the layer does to the list under it, in key order.
func (l *layer) changes() []Change {
	var changes []Change
	for _, after := range l.items() {
		before, had := l.under.get(after.Key)
		has := after.State != StateNone
		switch {
		case had && has && before != after:
			changes = append(changes, Change{Before: &before, After: &after})
		case had && !has:
			changes = append(changes, Change{Before: &before})
		case !had && has:
			changes = append(changes, Change{After: &after})
		}
	}
	return changes
}

func (c Change) key() Key {
	if c.After != nil {
		return c.After.Key
	}
	return c.Before.Key
}

func compareKeys(a, b Key) int {
	if c := strings.Compare(a.Service, b.Service); c != 0 {
		return c
	}
	if c := strings.Compare(a.Node, b.Node); c != 0 {
		return c
	}
	return strings.Compare(a.SubID, b.SubID)
}
