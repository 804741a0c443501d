package pam

import (
	"slices"
	"sort"
)

// A place is where subscriptions are: a node at a service.
type place struct{ service, node string }

// A table is a list with quick look-up. Its sorted form is made when it is
// asked for, so that one notify costs the same in a list of 10 and of 10,000.
type table struct {
	rows   map[Key]Subscription
	subids map[place][]string
	sorted []Subscription // nil if it has to be made; never changed once made
}

// newTable returns a table of the rows of list: the last one of each key, and
// none whose state is none.
func newTable(list []Subscription) *table {
	t := &table{rows: make(map[Key]Subscription, len(list)), subids: make(map[place][]string, len(list))}
	for _, s := range list {
		if s.State == StateNone {
			t.remove(s.Key)
		} else {
			t.set(s)
		}
	}
	return t
}

func (t *table) set(s Subscription) {
	if _, ok := t.rows[s.Key]; !ok {
		p := place{s.Service, s.Node}
		t.subids[p] = append(t.subids[p], s.SubID)
	}
	t.rows[s.Key] = s
	t.sorted = nil
}

func (t *table) remove(k Key) {
	if _, ok := t.rows[k]; !ok {
		return
	}
	delete(t.rows, k)
	t.sorted = nil
	p := place{k.Service, k.Node}
	rest := slices.DeleteFunc(t.subids[p], func(subid string) bool { return subid == k.SubID })
	if len(rest) == 0 {
		delete(t.subids, p)
	} else {
		t.subids[p] = rest
	}
}

// apply does what changes say.
func (t *table) apply(changes []Change) {
	for _, c := range changes {
		if c.After != nil {
			t.set(*c.After)
		} else {
			t.remove(c.Before.Key)
		}
	}
}

// list returns the rows in key order. The caller must not change it; it stays
// as it is when the table changes.
func (t *table) list() []Subscription {
	if t.sorted == nil {
		t.sorted = make([]Subscription, 0, len(t.rows))
		for _, s := range t.rows {
			t.sorted = append(t.sorted, s)
		}
		Sort(t.sorted)
	}
	return t.sorted
}

// diff returns what turns the rows of from into those of to, in key order.
func diff(from, to *table) []Change {
	var changes []Change
	for k, before := range from.rows {
		if after, ok := to.rows[k]; !ok {
			changes = append(changes, Change{Before: &before})
		} else if after != before {
			changes = append(changes, Change{Before: &before, After: &after})
		}
	}
	for k, after := range to.rows {
		if _, ok := from.rows[k]; !ok {
			changes = append(changes, Change{After: &after})
		}
	}
	sortChanges(changes)
	return changes
}

// A layer is a table as notifies leave it, while the table itself stays as it
// is. Rows of over replace those of under; StateNone hides them.
type layer struct{ under, over *table }

func newLayer(under *table) *layer { return &layer{under, newTable(nil)} }

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
			l.over.set(Subscription{Key: k, State: StateNone})
			touched = append(touched, k)
		}
	}
	for _, s := range items {
		switch {
		case s.State != StateNone:
			if s.SubID != "" {
				hide(Key{s.Service, s.Node, ""})
			}
			l.over.set(s)
			touched = append(touched, s.Key)
		case s.SubID != "":
			hide(s.Key)
			hide(Key{s.Service, s.Node, ""})
		default:
			p := place{s.Service, s.Node}
			for _, subid := range l.under.subids[p] {
				hide(Key{s.Service, s.Node, subid})
			}
			for _, subid := range l.over.subids[p] {
				hide(Key{s.Service, s.Node, subid})
			}
		}
	}
	sort.Slice(touched, func(i, j int) bool { return touched[i].Less(touched[j]) })
	return slices.Compact(touched)
}

func (l *layer) has(k Key) bool {
	if s, ok := l.over.rows[k]; ok {
		return s.State != StateNone
	}
	_, ok := l.under.rows[k]
	return ok
}

// changes returns what the layer does to the table under it, in key order.
func (l *layer) changes() []Change {
	var changes []Change
	for k, after := range l.over.rows {
		before, had := l.under.rows[k]
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
	sortChanges(changes)
	return changes
}

func sortChanges(changes []Change) {
	sort.Slice(changes, func(i, j int) bool { return changes[i].key().Less(changes[j].key()) })
}

func (c Change) key() Key {
	if c.After != nil {
		return c.After.Key
	}
	return c.Before.Key
}

// Sort puts a list in key order. It is the one generic sort of this package:
// each further element type costs 15 KB of wasm.
func Sort(list []Subscription) {
	slices.SortFunc(list, func(a, b Subscription) int { return compareKeys(a.Key, b.Key) })
}

func compareKeys(a, b Key) int {
	switch {
	case a == b:
		return 0
	case a.Less(b):
		return -1
	}
	return 1
}
