package inbox

import "slices"

// limit drops events until the limits are kept: the oldest seen ones, then the oldest.
func (m *Machine) limit() {
	for _, n := range m.touched {
		before := n.dropped
		m.dropFrom(n.events, func() bool { return len(n.events)-(n.dropped-before) > m.opts.PerNode })
	}
	m.sweep()
	m.dropFrom(m.events, func() bool { return len(m.ids) > m.opts.Total || m.bytes > m.opts.Bytes })
	m.sweep()
	m.limitNodes()
}

// dropFrom drops events of a sorted list as long as there are too many.
func (m *Machine) dropFrom(list []*event, tooMany func() bool) {
	for _, unseen := range [...]bool{false, true} {
		for _, e := range list {
			if !tooMany() {
				return
			}
			if !e.removed && (unseen || !e.unseen()) {
				m.drop(e)
			}
		}
	}
}

// limitNodes forgets the nodes without events that were not active for the longest time.
func (m *Machine) limitNodes() {
	var empty []*node
	if len(m.order) <= m.opts.Nodes {
		return
	}
	for _, n := range m.order {
		if len(n.events) == 0 {
			empty = append(empty, n)
		}
	}
	if len(empty) <= m.opts.Nodes+m.opts.Nodes/8 { // not one by one
		return
	}
	slices.SortFunc(empty, byActivity)
	for _, n := range empty[:len(empty)-m.opts.Nodes] {
		m.forget(n)
	}
	m.order = slices.DeleteFunc(m.order, func(n *node) bool { return n.chunk == nil })
}
