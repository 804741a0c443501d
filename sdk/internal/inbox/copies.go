package inbox

import (
	"maps"
	"slices"
)

// copyWindow is how long after an event without an item id another one that comes live
// is taken for its copy.
const copyWindow = 60 * 1000

// A printKey identifies the events that are copies of each other, unless one of them
// happened again.
type printKey struct {
	node  *node
	print uint64
}

// isCopy reports whether a is a copy of a known event, and if so takes over its time if
// that is better.
func (m *Machine) isCopy(a arrival) bool {
	known := m.prints[printKey{a.node, a.print}]
	switch {
	case known == nil:
		return false
	case a.item == "":
		known = m.sameMoment(a.event, known)
		if known == nil {
			return false
		}
	default:
		if between := a.node.superseding(known); between != nil {
			if m.follows(a.event, between) {
				return false
			}
			if a.at > between.at {
				return true
			}
		}
	}
	m.cameLive(a.event, known.id)
	m.improve(known, a.at, a.source)
	return true
}

// superseding returns the first event after which known may happen again, or nil: the
// removal of an item, or the publication of one that was removed.
func (n *node) superseding(known *event) (first *event) {
	for _, e := range n.events {
		if e.supersedes(known) && e.later(known) && (first == nil || first.later(e)) {
			first = e
		}
	}
	return first
}

// later reports whether e happened after other. If it is not known when, the order of
// arrival decides.
func (e *event) later(other *event) bool {
	a, ok := e.moment()
	b, ok2 := other.moment()
	return ok && ok2 && a > b || (!ok || !ok2 || a == b) && e.id > other.id
}

// moment returns when e happened, unless only its payload or the end of a catch-up tell
// it: a payload may be published again.
func (e *event) moment() (int64, bool) {
	if e.source <= byServer {
		return e.at, true
	}
	return e.received, e.delivery == live
}

func (e *event) supersedes(known *event) bool {
	switch known.kind {
	case published:
		return e.kind == retracted && e.item == known.item || e.kind == purged || e.kind == deleted
	case retracted:
		return e.kind == published && e.item == known.item
	case purged, deleted:
		return e.kind == published
	}
	return false
}

// follows reports whether e certainly happened after other: it came live after other came
// live to this run of the program, or the times say so. Another tab may have received both
// before, so that coming live alone is not enough.
func (m *Machine) follows(e, other *event) bool {
	if e.immediate() {
		return m.live[other.id] || slices.Contains(m.newLive, other.id) || e.received > other.place().at+aheadTolerance
	}
	limit := other.at
	if other.source > byServer {
		limit = other.received + aheadTolerance
	}
	return e.source <= byServer && e.at > limit
}

// cameLive notes that e, which is the event with the id or a copy of it, came.
func (m *Machine) cameLive(e *event, id uint64) {
	if e.immediate() {
		m.newLive = append(m.newLive, id)
	}
}

// keepLive keeps what cameLive has noted, now that the inputs are finished.
func (m *Machine) keepLive() {
	for _, id := range m.newLive {
		m.live[id] = true
	}
	m.newLive = nil
	if len(m.live) > 2*m.opts.Total {
		maps.DeleteFunc(m.live, func(id uint64, _ bool) bool { return m.ids[id] == nil })
	}
}

// sameMoment returns the event that e, which has no item id, is a copy of, or nil. last
// is the last one with the same fingerprint.
func (m *Machine) sameMoment(e, last *event) *event {
	if e.immediate() {
		again := e.node.superseding(last)
		if (again == nil || !m.follows(e, again)) && e.received-last.received <= copyWindow {
			return last
		}
		return nil
	}
	for _, known := range e.node.events {
		if known.print == e.print && max(known.at-e.at, e.at-known.at) < aheadTolerance {
			return known
		}
	}
	return nil
}

// improve replaces the time of e by that of a copy, if its source is better.
func (m *Machine) improve(e *event, at int64, source uint8) {
	if source >= e.source || e.source <= byServer {
		return
	}
	m.move(e, func() { e.at, e.source = at, source })
	m.update(e)
}
