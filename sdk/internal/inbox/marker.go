package inbox

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

const (
	// publishInterval is the least time between two markers of a node.
	publishInterval = 5000
	// publishRetry is the delay after a marker could not be published.
	publishRetry = 60_000
	// maxPublishing is the maximum number of pending PublishMarker.
	maxPublishing = 4
	// clockTolerance is how much the clocks of two devices are assumed to differ at most
	// where only they tell which event of an item is meant.
	clockTolerance = 60_000
	// stampTolerance allows for times that were rounded to seconds.
	stampTolerance = 999
)

// A marker says up to which event all have been seen on some device. It names an item, so
// that it means the same on every device; its time tells only which event of that item is
// meant, and what was before it as long as the item is not known here.
type marker struct {
	item   string // empty if there is no marker
	at     int64
	source uint8
	place  place  // of the event that it means
	before uint64 // the id of the first event that arrived after the marker
}

func readMarker(p pam.Marker) marker {
	source := slices.Index(sources[:], p.TimeSource)
	if source < 0 || p.At.IsZero() {
		source = byClock
	}
	return marker{item: p.ItemID, at: millis(p.At), source: uint8(source)}
}

func (k marker) export(n *node) pam.Marker {
	return pam.Marker{Service: n.service, Node: n.name, ItemID: k.item, At: moment(k.at), TimeSource: sources[k.source]}
}

// same reports whether two markers are copies of each other.
func (k marker) same(other marker) bool {
	return k.item == other.item && max(k.at-other.at, other.at-k.at) <= stampTolerance
}

// after reports whether k means a later event than other, which may be no marker.
func (k marker) after(other marker) bool {
	return k.item != "" && (other.item == "" || k.place.compare(other.place) > 0)
}

// comparable reports whether the times of k and e can be compared.
func (k marker) comparable(e *event) bool { return k.onScale(e.source) && e.timed() }

// onScale reports whether a time with that source tells the same as that of k. The clock of
// a device tells nothing to others, and a payload may have been written long before it was
// published, which is what delay stamps and archives tell.
func (k marker) onScale(source uint8) bool {
	return k.source != byClock && source != byClock && (k.source == byPayload) == (source == byPayload)
}

// precedes reports whether e came live after k, which therefore cannot mean it, whatever
// time its payload tells.
func (k marker) precedes(e *event) bool { return e.immediate() && e.id >= k.before }

// reaches reports whether e happened up to k, of which the place is known.
func (k marker) reaches(e *event) bool {
	return k.item != "" && e.place().compare(k.place) <= 0 && !k.precedes(e)
}

// covers reports whether e happened up to k, of which the place is not known, and whether
// that is certain.
func (k marker) covers(e *event) (covered, certain bool) {
	switch {
	case k.item == "", k.precedes(e):
		return false, true
	case k.comparable(e):
		return e.at <= k.at, true
	}
	return false, false
}

// resolve returns the place of the event that k means: among those of its item the newest
// that is not later than k. If their times do not tell that, it is better to take the oldest
// than none.
func (n *node) resolve(k marker) (p place, ok bool) {
	for _, e := range n.events {
		if e.item != k.item || e.kind != published && e.kind != retracted {
			continue
		}
		switch {
		case ok && k.precedes(e): // published again
		case k.comparable(e):
			if e.at <= k.at+stampTolerance {
				p, ok = e.place(), true
			}
		case e.place().at <= k.at+clockTolerance, !ok && e.kind == published:
			p, ok = e.place(), true
		}
	}
	return p, ok
}

// merge takes over a marker of another device, which never moves backwards. again means
// that it is handled again after a conflict.
func (m *Machine) merge(p pam.Marker, again bool) {
	k := readMarker(p)
	if k.item == "" || len(k.item) > maxName || !m.Supports(p.Service, p.Node) {
		return
	}
	n := m.node(p.Service, p.Node)
	k.before = m.next
	s := m.sharing(n)
	if !again {
		s.content = k
	}
	m.due[nodeKey{p.Service, p.Node}] = true
	if k.same(n.own) || k.same(s.sent) || k.same(n.remote) || k.same(n.open) {
		return
	}
	if place, ok := n.resolve(k); ok {
		if k.place = place; k.after(n.remote) {
			n.remote = k
			m.touch(n)
		}
		return
	}
	for _, known := range [...]marker{n.remote, n.open} {
		if known.item != "" && k.onScale(known.source) && k.at <= known.at {
			return
		}
	}
	n.open = k
	m.touch(n)
}

// settleMarkers resolves the open marker if its item has come, and follows events whose
// place has changed.
func (m *Machine) settleMarkers(n *node) {
	for _, k := range [...]*marker{&n.remote, &n.own} {
		if e := m.ids[k.place.id]; e != nil && e.item == k.item && e.node == n {
			k.place = e.place()
		}
	}
	if n.remote.item != "" {
		if place, ok := n.resolve(n.remote); ok && place.compare(n.remote.place) > 0 {
			n.remote.place = place // of an event that came after the marker
		}
	}
	if n.open.item == "" {
		return
	}
	if place, ok := n.resolve(n.open); ok {
		if n.open.place = place; n.open.after(n.remote) {
			n.remote = n.open
		}
		n.open = marker{}
	}
}

// goal returns the furthest marker that this device knows: up to the last event with an
// item id before which all were seen, or that of another device.
func (n *node) goal() marker {
	var last *event
	for _, e := range n.events {
		if e.seen.State != pam.SeenHere && e.seen.Basis != pam.BasisDisplayedSync {
			break
		}
		if e.item != "" {
			last = e
		}
	}
	if last == nil {
		return n.remote
	}
	k := marker{item: last.item, at: last.place().at, source: byClock, place: last.place()}
	if last.timed() {
		k.source = last.source
	}
	if k.after(n.remote) {
		return k
	}
	return n.remote
}

// A sharing is what this run of the program knows of the marker at the server.
type sharing struct {
	content   marker // at the server
	sent      marker // the last that was published, or is being published
	pending   bool   // sent is not confirmed
	notBefore int64  // the next may be published
	corrected string // the item of the last marker that was replaced because it was behind
}

func (m *Machine) sharing(n *node) *sharing {
	key := nodeKey{n.service, n.name}
	s := m.shared[key]
	if s == nil {
		s = &sharing{}
		m.shared[key] = s
	}
	return s
}

// toPublish returns the marker to publish, if any.
func (m *Machine) toPublish(n *node, s *sharing) (marker, bool) {
	goal, at := n.goal(), s.content
	if goal.item == "" || s.pending || goal.same(at) || !m.caughtUp && !m.current(n.position) {
		return goal, false
	}
	if at.item == "" {
		return goal, true
	}
	known := true
	switch {
	case at.same(n.remote):
		at.place = n.remote.place
	case at.same(n.own):
		at.place = n.own.place
	default:
		at.place, known = n.resolve(at)
	}
	if !known {
		e := m.ids[goal.place.id]
		if e == nil || !at.same(n.open) {
			return goal, false
		}
		covered, certain := n.open.covers(e)
		return goal, certain && !covered
	}
	// If devices disagree about the order, each replaces the marker of another once.
	return goal, goal.after(at) && (goal.after(n.own) || s.corrected != at.item)
}

// allDue checks all nodes for markers to be published.
func (m *Machine) allDue() {
	for key := range m.nodes {
		m.due[key] = true
	}
}

// publish outputs the markers that are due, and sets the timer for the others.
func (m *Machine) publish() {
	if !m.markersRead {
		return
	}
	var next int64
	for _, key := range sortedKeys(m.due) {
		if m.publishing == maxPublishing {
			return
		}
		n := m.nodes[key]
		if n == nil {
			delete(m.due, key)
			continue
		}
		s := m.sharing(n)
		k, due := m.toPublish(n, s)
		switch {
		case !due:
			delete(m.due, key)
		case s.notBefore > m.now:
			if next == 0 || s.notBefore < next {
				next = s.notBefore
			}
		default:
			delete(m.due, key)
			m.publishing++
			if !k.after(n.own) {
				s.corrected = s.content.item
			}
			s.content, s.sent, s.pending = k, k, true
			s.notBefore = m.now + publishInterval
			m.out = append(m.out, PublishMarker{Marker: k.export(n), Merged: m.merged})
		}
	}
	m.setTimer(TimerPublish, next)
}

// markerPublished handles the answer to PublishMarker.
func (m *Machine) markerPublished(in MarkerPublished) {
	key := nodeKey{in.Marker.Service, in.Marker.Node}
	n, s := m.nodes[key], m.shared[key]
	if n == nil || s == nil {
		return
	}
	k := readMarker(in.Marker)
	if s.pending && k.same(s.sent) {
		s.pending = false
		m.publishing--
		m.due[key] = true
	}
	switch {
	case in.Failed && s.content.same(k):
		s.content, s.notBefore = marker{}, m.now+publishRetry
	case !in.Failed && k.same(s.sent) && s.sent.after(n.own):
		n.own = s.sent
		m.later(n)
	}
}
