package listsync

import (
	"sort"
	"sync"

	"xmpp-pam/sdk/pam"
)

// A List is an immutable list of subscriptions in key order, without duplicate keys
// and without rows whose state is StateNone. A list derived from another shares the
// unchanged chunks, so that applying a notify costs little more in a list of 100,000
// rows than in one of 100. It is safe for concurrent use.
type List struct {
	chunks [][]pam.Subscription // not empty themselves
	rows   []pam.Subscription   // all rows; set by the first call of Rows
	flat   sync.Once
}

// chunkLen is the maximum number of rows of a chunk.
const chunkLen = 256

// NewList returns the list of the last row of each key, without those whose state is
// StateNone. The caller must not change rows later.
func NewList(rows []pam.Subscription) *List {
	if !ordered(rows) {
		rows = tidy(rows)
	}
	l := &List{rows: rows}
	for len(rows) > 0 {
		n := min(len(rows), chunkLen)
		l.chunks = append(l.chunks, rows[:n:n])
		rows = rows[n:]
	}
	return l
}

// tidy sorts rows, and removes all but the last row of each key and rows whose state
// is StateNone.
func tidy(rows []pam.Subscription) []pam.Subscription {
	out := Sort(rows)
	if isTidy(out) {
		return out
	}
	latest := make(map[pam.Key]pam.Subscription, len(rows))
	for _, s := range rows {
		if latest[s.Key] = s; s.State == pam.StateNone {
			delete(latest, s.Key)
		}
	}
	out = out[:0]
	for _, s := range latest {
		out = append(out, s)
	}
	return Sort(out)
}

// Join returns the list that consists of chunks, which the caller must not change
// later. It reports whether they form a list: no empty chunk, all rows in order, no
// duplicate key, no StateNone.
func Join(chunks [][]pam.Subscription) (*List, bool) {
	for i, chunk := range chunks {
		if len(chunk) == 0 || !ordered(chunk) {
			return nil, false
		}
		if i > 0 && chunks[i-1][len(chunks[i-1])-1].Key.Compare(chunk[0].Key) >= 0 {
			return nil, false
		}
	}
	return &List{chunks: chunks}, true
}

// Chunks returns all rows in non-empty parts. A list derived from another shares its
// unchanged chunks, which are the same slices. The caller must not change them.
func (l *List) Chunks() [][]pam.Subscription { return l.chunks }

// Len returns the number of rows.
func (l *List) Len() int {
	n := 0
	for _, chunk := range l.chunks {
		n += len(chunk)
	}
	return n
}

// Rows returns all rows. The caller must not change them.
func (l *List) Rows() []pam.Subscription {
	l.flat.Do(func() {
		if l.rows == nil && len(l.chunks) > 0 {
			l.rows = make([]pam.Subscription, 0, l.Len())
			for _, chunk := range l.chunks {
				l.rows = append(l.rows, chunk...)
			}
		}
	})
	return l.rows
}

func (l *List) get(k pam.Key) (pam.Subscription, bool) {
	c := l.find(k)
	if s := c.row(); s != nil && s.Key == k {
		return *s, true
	}
	return pam.Subscription{}, false
}

// at returns the rows of a node at a service, which are several if the service
// assigned several subids.
func (l *List) at(service, node string) []pam.Subscription {
	var rows []pam.Subscription
	c := l.find(pam.Key{Service: service, Node: node})
	for s := c.row(); s != nil && s.Service == service && s.Node == node; s = c.row() {
		rows = append(rows, *s)
		c.next()
	}
	return rows
}

// only returns the row of a node at a service if there is exactly one.
func (l *List) only(service, node string) *pam.Subscription {
	c := l.find(pam.Key{Service: service, Node: node})
	first := c.row()
	if first == nil || first.Service != service || first.Node != node {
		return nil
	}
	c.next()
	if second := c.row(); second != nil && second.Service == service && second.Node == node {
		return nil
	}
	return first
}

// Apply returns the list after changes, which must be in key order.
func (l *List) Apply(changes []pam.Change) *List {
	next := &List{chunks: make([][]pam.Subscription, 0, len(l.chunks)+1)}
	for i, chunk := range l.chunks {
		n := len(changes) // number of changes before the next chunk
		if i+1 < len(l.chunks) {
			first := l.chunks[i+1][0].Key
			n = sort.Search(n, func(j int) bool { return keyOf(changes[j]).Compare(first) >= 0 })
		}
		next.add(merge(chunk, changes[:n]))
		changes = changes[n:]
	}
	next.add(merge(nil, changes))
	return next
}

// add appends a chunk, split if it is longer than chunkLen.
func (l *List) add(chunk []pam.Subscription) {
	for len(chunk) > chunkLen {
		n := min(len(chunk)/2, chunkLen)
		l.chunks = append(l.chunks, chunk[:n:n])
		chunk = chunk[n:]
	}
	if len(chunk) > 0 {
		l.chunks = append(l.chunks, chunk)
	}
}

// merge applies changes to chunk. It returns chunk itself if there are none.
func merge(chunk []pam.Subscription, changes []pam.Change) []pam.Subscription {
	if len(changes) == 0 {
		return chunk
	}
	out := make([]pam.Subscription, 0, len(chunk)+len(changes))
	for _, c := range changes {
		k := keyOf(c)
		for len(chunk) > 0 && chunk[0].Compare(k) < 0 {
			out = append(out, chunk[0])
			chunk = chunk[1:]
		}
		if len(chunk) > 0 && chunk[0].Key == k {
			chunk = chunk[1:]
		}
		if c.After != nil {
			out = append(out, *c.After)
		}
	}
	return append(out, chunk...)
}

// diff returns the changes from one list to another, in key order. The changes point
// into the lists.
func diff(from, to *List) []pam.Change {
	var changes []pam.Change
	a, b := cursor{list: from}, cursor{list: to}
	for {
		before, after := a.row(), b.row()
		order := 0
		switch {
		case before == nil && after == nil:
			return changes
		case before == after: // in a shared chunk
		case after == nil:
			order = -1
		case before == nil:
			order = 1
		default:
			order = before.Key.Compare(after.Key)
		}
		switch {
		case order < 0:
			changes = append(changes, pam.Change{Before: before})
		case order > 0:
			changes = append(changes, pam.Change{After: after})
		case before != after && *before != *after:
			changes = append(changes, pam.Change{Before: before, After: after})
		}
		if order <= 0 {
			a.next()
		}
		if order >= 0 {
			b.next()
		}
	}
}

// A cursor is a position in a list.
type cursor struct {
	list       *List
	chunk, pos int
}

// find returns the position of k, or where it would be inserted.
func (l *List) find(k pam.Key) cursor {
	i := max(sort.Search(len(l.chunks), func(i int) bool { return k.Compare(l.chunks[i][0].Key) < 0 })-1, 0)
	if i >= len(l.chunks) {
		return cursor{l, i, 0}
	}
	chunk := l.chunks[i]
	return cursor{l, i, sort.Search(len(chunk), func(j int) bool { return chunk[j].Compare(k) >= 0 })}
}

// row returns the row at the cursor, or nil at the end.
func (c *cursor) row() *pam.Subscription {
	for c.chunk < len(c.list.chunks) {
		if chunk := c.list.chunks[c.chunk]; c.pos < len(chunk) {
			return &chunk[c.pos]
		}
		c.chunk, c.pos = c.chunk+1, 0
	}
	return nil
}

func (c *cursor) next() { c.pos++ }

// isTidy is like ordered, for sorted rows.
func isTidy(rows []pam.Subscription) bool {
	for i := range rows {
		if rows[i].State == pam.StateNone || i > 0 && rows[i-1].Key == rows[i].Key {
			return false
		}
	}
	return true
}

func ordered(rows []pam.Subscription) bool {
	for i := range rows {
		if rows[i].State == pam.StateNone || i > 0 && rows[i-1].Key.Compare(rows[i].Key) >= 0 {
			return false
		}
	}
	return true
}
