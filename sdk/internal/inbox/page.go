package inbox

import "slices"

const (
	pageExtra = 16      // events that stay in the page until so many more than wanted are in it
	maxInline = 8 << 10 // bytes of a body that is contained in the page
)

// A pageRow is the row of an event in the newest page.
type pageRow struct {
	slot
	event *event
}

// updatePage makes the page contain the newest events, without a gap. It contains fewer
// than wanted until the bodies of others are read: after events have moved, or were
// removed.
func (m *Machine) updatePage() {
	wanted := map[*pageRow]bool{}
	for i := len(m.events) - 1; i >= 0 && len(wanted) < m.opts.page+pageExtra; i-- {
		e := m.events[i]
		if e.row == "" {
			break
		}
		if e.page.chunk == nil {
			if len(wanted) >= m.opts.page {
				break
			}
			m.pageTable.add(&e.page)
		}
		wanted[&e.page] = true
	}
	for _, r := range m.pageTable.all() {
		if r := r.(*pageRow); !wanted[r] {
			m.pageTable.remove(r)
			m.spare = append(m.spare, r.event)
		}
	}
}

// newest returns the events that the page should contain.
func (m *Machine) newest() []*event { return m.events[max(len(m.events)-m.opts.page, 0):] }

// readBodies requests the bodies that the page lacks.
func (m *Machine) readBodies() {
	var keys []string
	for _, e := range m.newest() {
		if e.row == "" {
			keys = append(keys, bodyKey(e.body.number))
		}
	}
	if len(keys) > 0 && !m.reading {
		slices.Sort(keys)
		m.reading = true
		m.out = append(m.out, ReadBodies{slices.Compact(keys)})
	}
}

// bodiesRead handles the answer to ReadBodies. A body that is lost does not keep the
// others out of the page.
func (m *Machine) bodiesRead(in BodiesRead) {
	m.reading = false
	rows := map[uint64]string{}
	for i := range min(len(in.Keys), len(in.Values)) {
		decodeRows(rows, in.Values[i])
	}
	for _, e := range m.newest() {
		if e.row != "" || !slices.Contains(in.Keys, bodyKey(e.body.number)) {
			continue
		}
		e.row, e.full = rows[e.id], true
		if e.row == "" {
			e.row, e.full = emptyBody, false
		}
		m.spare = append(m.spare, e)
		m.dirty = true
	}
}

// freeBodies frees what is stored and not in the page.
func (m *Machine) freeBodies() {
	for _, e := range m.spare {
		switch {
		case e.page.chunk == nil:
			e.row = ""
		case len(e.row) > maxInline:
			e.row, e.full = emptyBody, false
		}
	}
	m.spare = nil
}
