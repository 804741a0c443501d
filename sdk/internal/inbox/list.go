package inbox

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"xmpp-pam/sdk/pam"
)

const (
	defaultLimit = 50
	maxLimit     = 500
)

// A Query selects events of List. Service and Node select those of a node, or of all
// nodes of a service if Node is empty.
type Query struct {
	Service, Node string
	UnseenOnly    bool
	Before        string // the Cursor of an earlier Page
	Limit         int    // default 50, at most 500
}

// A Page is a part of the list. What is not in memory is in the records of Keys.
type Page struct {
	Keys   []string
	Cursor string // Before of the next page; empty if there is none

	entries []entry
}

type entry struct {
	id   uint64
	info pam.Event
	row  string // the body, if it is in memory
}

// List returns events, newest first. Pages continue where the one before ended, also if
// events came or were dropped in the meantime. It reports whether Before is a cursor. An
// event that is not stored yet is not listed.
func (m *Machine) List(q Query) (page Page, ok bool) {
	list := m.events
	if q.Node != "" {
		n := m.nodes[nodeKey{q.Service, q.Node}]
		if n == nil {
			n = &node{}
		}
		list = n.events
	}
	end := len(list)
	if q.Before != "" {
		before, ok := parsePlace(q.Before)
		if !ok {
			return Page{}, false
		}
		end = search(list, before)
	}
	limit := min(cmp.Or(max(q.Limit, 0), defaultLimit), maxLimit)
	var last *event
	for _, e := range slices.Backward(list[:end]) {
		if e.fresh || q.Service != "" && e.node.service != q.Service || q.UnseenOnly && e.seen.State != pam.Unseen {
			continue
		}
		if len(page.entries) == limit {
			page.Cursor = last.place().sortKey()
			break
		}
		page.add(e)
		last = e
	}
	return page, true
}

func (p *Page) add(e *event) {
	n := entry{id: e.id, info: e.info()}
	if e.row != "" && e.full {
		n.row = e.row
	} else {
		if key := bodyKey(e.body.number); !slices.Contains(p.Keys, key) {
			p.Keys = append(p.Keys, key)
		}
	}
	p.entries = append(p.entries, n)
}

// Len returns the number of events.
func (p Page) Len() int { return len(p.entries) }

// Events returns the events. values are the values of Keys. If a record is missing or
// damaged, because the event was dropped in the meantime or the store was replaced, the
// payload is omitted as unreadable.
func (p Page) Events(values [][]byte) []pam.Event {
	rows := map[uint64]string{}
	for _, value := range values {
		decodeRows(rows, value)
	}
	events := make([]pam.Event, len(p.entries))
	for i, n := range p.entries {
		row := n.row
		if row == "" {
			row = rows[n.id]
		}
		events[i] = n.info
		if row == "" {
			events[i].Omitted = pam.OmittedUnreadable
			continue
		}
		r := reader{data: row}
		decodeBody(&r, &events[i])
	}
	return events
}

// byArrival returns events in order of arrival.
func byArrival(events []*event) []*event {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b *event) int { return cmp.Compare(a.id, b.id) })
	return events
}

// sortedKeys returns the keys of m in order.
func sortedKeys(m map[nodeKey]bool) []nodeKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b nodeKey) int {
		return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.name, b.name))
	})
}
