package inbox

import (
	"slices"
	"strings"
)

// An interest selects what is kept; nil selects everything.
type interest []Filter

// Selects reports whether f may select events of the node.
func (f Filter) Selects(service, node string) bool {
	switch {
	case f.Service != "" && f.Service != service:
		return false
	case f.Prefix:
		return strings.HasPrefix(node, f.Node)
	}
	return f.Node == "" || f.Node == node
}

// supports reports whether events of the node may be kept.
func (i interest) supports(service, node string) bool {
	for _, f := range i {
		if f.Selects(service, node) {
			return true
		}
	}
	return i == nil
}

// selects reports whether e is kept. An item without a payload is kept until its payload
// is known. What happens to items or to the node does not tell the namespace of the
// payloads; it is kept if items of the node are.
func (i interest) selects(e *event, items bool) bool {
	for _, f := range i {
		switch {
		case !f.Selects(e.node.service, e.node.name):
		case f.Namespace == "":
			return true
		case e.kind == published && (e.hash == 0 || e.space == f.Namespace):
			return true
		case e.kind != published && items:
			return true
		}
	}
	return i == nil
}

// Supports reports whether the interest may select events of the node. An interest in
// namespaces of payloads alone may select those of every node.
func (m *Machine) Supports(service, node string) bool { return m.interest.supports(service, node) }

// digest identifies an interest in the meta record.
func (i interest) digest() uint64 {
	if i == nil {
		return 0
	}
	h := uint64(fnvOffset)
	for _, f := range i {
		h = hashText(hashText(hashText(h, f.Service), f.Node), f.Namespace)
		if f.Prefix {
			h = hashText(h, "*")
		}
	}
	return max(h, 1)
}

// setInterest handles SetInterest.
func (m *Machine) setInterest(filters []Filter) {
	old := m.interest
	m.interest = filters
	added := m.interest
	if filters != nil {
		added = interest{}
		for _, f := range filters {
			if old != nil && !slices.Contains(old, f) {
				added = append(added, f)
			}
		}
	}
	if m.interest.digest() != m.stored {
		m.applyInterest(added)
	}
}

// restoreInterest applies the interest to what was read, which may have been stored with
// another one. A catch-up that begins finds what was missed, unless it is under way, and
// what was missed is not reported yet.
func (m *Machine) restoreInterest() {
	if m.interest.digest() != m.stored {
		missed := m.missed
		m.applyInterest(m.interest)
		m.missed = missed
	}
}

// applyInterest removes the events outside of the interest, and finds the nodes of which
// events that added may select were left out.
func (m *Machine) applyInterest(added interest) {
	m.sweep() // of what the same batch of inputs has removed
	m.stored, m.deferred = m.interest.digest(), true
	for _, n := range m.order {
		if n.skipped != 0 && added.supports(n.service, n.name) {
			m.readAgain(n, n.skipped)
			n.skipped = 0
			m.missed = append(m.missed, n.target())
		}
		items := false
		for _, e := range n.events {
			items = items || e.kind == published && m.interest.selects(e, false)
		}
		for _, e := range n.events {
			if !m.interest.selects(e, items) {
				m.skip(e, true)
				m.remove(e)
			}
		}
	}
	m.sweep()
}

// skip remembers that an event is left out because of the interest. If nothing tells when
// it happened, the next catch-up has to look as far back as this one, and further than any
// session if the event was known.
func (m *Machine) skip(e *event, known bool) {
	at := e.place().at
	if e.delivery != live && e.source == byClock {
		at = 1
		if e.node.position != nil && !known {
			at = max(at, m.currentUntil(e.node.position))
		}
	}
	if e.node.skipped == 0 || at < e.node.skipped {
		e.node.skipped = at
		m.later(e.node)
	}
}
