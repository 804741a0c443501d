package inbox

import (
	"maps"
	"slices"
	"time"

	"xmpp-pam/sdk/pam"
)

const maxPast = 32 // sessions of which the end is known

// sessions are the sessions of this account in this store.
type sessions struct {
	number int   // of the last one
	alive  int64 // when it was last known to exist
	past   []pastSession
}

type pastSession struct {
	number int
	end    int64
}

// A position says how far the events of nodes were read. Nodes that a catch-up reads
// together share one, so that its progress changes one row.
type position struct {
	slot
	number  int // names it in records
	by, id  string
	at      int64
	session int   // in which its nodes became current, or 0
	until   int64 // nothing is missing before, if the end of the session is not known
	nodes   int   // that share it

	group []string // Nodes of the last Reached
}

// A CatchUp is what a catch-up needs to know of a node.
type CatchUp struct {
	LastActivity time.Time // of the newest event
	// CurrentUntil is the time up to which nothing is missing: the end of the last session
	// in which the node became current. It is zero if it never was.
	CurrentUntil time.Time
	Current      bool // in this session
	Cursor       Cursor
	AskedAt      time.Time
	Archived     bool // the newest live event has a stanza-id
}

// CatchUp returns what is known of a node.
func (m *Machine) CatchUp(service, node string) CatchUp {
	n := m.nodes[nodeKey{service, node}]
	if n == nil {
		return CatchUp{}
	}
	c := CatchUp{LastActivity: moment(n.newest), AskedAt: moment(n.asked), Archived: n.archived}
	if p := n.position; p != nil {
		c.Cursor = Cursor{p.by, p.id, moment(p.at)}
		c.CurrentUntil = moment(m.currentUntil(p))
		c.Current = m.current(p)
	}
	return c
}

// Read returns the nodes that a catch-up has read and that were not Unfollowed since.
func (m *Machine) Read() (nodes []pam.Target) {
	for _, n := range m.order {
		if n.position != nil && m.currentUntil(n.position) != 0 {
			nodes = append(nodes, n.target())
		}
	}
	return nodes
}

// current reports whether the nodes of p, which may be nil, became current in this
// session.
func (m *Machine) current(p *position) bool {
	return p != nil && m.online && !m.starting && p.session != 0 && p.session == m.session.number
}

func (m *Machine) currentUntil(p *position) int64 {
	if p.session != 0 && p.session == m.session.number {
		return m.session.alive
	}
	for _, s := range m.session.past {
		if s.number == p.session {
			return max(s.end, p.until)
		}
	}
	return p.until
}

// LastSession returns the time at which the last session was known to exist, or the zero
// time if there was none.
func (m *Machine) LastSession() time.Time {
	if m.starting {
		return moment(m.session.alive)
	}
	if n := len(m.session.past); n > 0 {
		return moment(m.session.past[n-1].end)
	}
	return time.Time{}
}

// A Known is a published item. It has the fields of catchup.Known.
type Known struct {
	ItemID string
	Digest string    // identifies the payload
	At     time.Time // received
	Late   bool      // it did not come live
}

// Known returns the items of a node that were not removed since they were received, in
// order of arrival, one for each event.
func (m *Machine) Known(service, node string) (known []Known) {
	n := m.nodes[nodeKey{service, node}]
	if n == nil {
		return nil
	}
	for _, e := range byArrival(n.events) {
		if e.kind == published && e.item != "" && n.superseding(e) == nil {
			known = append(known, Known{e.item, formatDigest(e.hash), moment(e.received), e.delivery == late})
		}
	}
	return known
}

// Session returns a number of the current session, or 0 if it is not known yet.
func (m *Machine) Session() int {
	switch {
	case !m.loaded:
		return 0
	case m.starting:
		return m.session.number + 1
	}
	return m.session.number
}

// continues reports whether the session is the last one that is known.
func (m *Machine) continues(in SessionStarted) bool {
	return in.Resumed && in.Number > 0 && in.Number == m.session.number
}

// startSession handles SessionStarted.
func (m *Machine) startSession(in SessionStarted, now int64) {
	if m.continues(in) {
		return
	}
	if m.session.number > 0 {
		m.session.past = append(m.session.past, pastSession{m.session.number, m.session.alive})
	}
	if len(m.session.past) > maxPast {
		m.session.past = m.session.past[1:]
	}
	m.session.number++
	m.session.alive = now
	m.deferred = true
}

// reached handles Reached. If no other nodes share the positions of these, only the
// positions change.
func (m *Machine) reached(in Reached, now int64) {
	if len(in.Nodes) == 0 {
		return
	}
	m.deferred = true
	if p := m.lastReached; p != nil && p.nodes == len(in.Nodes) && len(p.group) == len(in.Nodes) && &p.group[0] == &in.Nodes[0] {
		m.moveTo(p, in, now)
		return
	}
	nodes := make([]*node, len(in.Nodes))
	count := map[*position]int{}
	for i, name := range in.Nodes {
		nodes[i] = m.node(in.Service, name)
		count[nodes[i].position]++
	}
	same := in.Current && in.Cursor != (Cursor{}) // all nodes then have equal positions
	next := map[*position]*position{}
	for old, n := range count {
		if old != nil && old.nodes == n && (!same || len(count) == 1) {
			next[old] = old
		}
	}
	for _, n := range nodes {
		old := n.position
		if same && next[old] == nil {
			old = nil
		}
		p := next[old]
		if p == nil {
			p = m.newPosition(n.position)
			next[old] = p
		}
		if p != n.position {
			m.setPosition(n, p)
		}
	}
	for _, p := range slices.SortedFunc(maps.Values(next), func(a, b *position) int { return a.number - b.number }) {
		p.group = in.Nodes
		m.moveTo(p, in, now)
		m.lastReached = p
	}
}

// moveTo changes a position as Reached says.
func (m *Machine) moveTo(p *position, in Reached, now int64) {
	if in.Cursor != (Cursor{}) {
		p.by, p.id, p.at = in.Cursor.By, in.Cursor.ID, millis(in.Cursor.At)
	}
	if in.Current {
		p.session, p.until = m.session.number, now
	}
	m.positionTable.touch(p)
	for _, name := range in.Nodes {
		if in.Current {
			m.due[nodeKey{in.Service, name}] = true
		}
	}
}

// newPosition adds a position that is equal to old, which may be nil.
func (m *Machine) newPosition(old *position) *position {
	p := &position{number: m.positionNo}
	m.positionNo++
	if old != nil {
		p.by, p.id, p.at, p.session, p.until = old.by, old.id, old.at, old.session, old.until
	}
	m.positionTable.add(p)
	return p
}

// setPosition sets the position of n, which may be nil.
func (s *state) setPosition(n *node, p *position) {
	if old := n.position; old != nil {
		if old.nodes--; old.nodes == 0 {
			s.positionTable.remove(old)
		}
	}
	if n.position = p; p != nil {
		p.nodes++
	}
	s.later(n)
}

// readAgain makes the next catch-up read n from a time on, even if it was asked recently.
// Stamps in seconds do not tell whether a cursor of that second is before it, and one
// without a time, which a live event has moved, may be after it.
func (m *Machine) readAgain(n *node, from int64) {
	n.asked = 0
	old := n.position
	if old == nil {
		old = &position{until: from}
	}
	current := old.session != 0 && old.session == m.session.number // it is not read, or is from the end of the session
	early := old.at != 0 && old.at+stampTolerance < from
	until := m.currentUntil(old)
	if current || until > from {
		until = from
	} else if n.position != nil && (early || until == 0 || old.id == "" && old.at == 0) {
		m.later(n)
		return
	}
	p := m.newPosition(nil)
	if p.until = until; early {
		p.by, p.id, p.at = old.by, old.id, old.at
	}
	m.setPosition(n, p)
}

// unfollowed handles Unfollowed.
func (m *Machine) unfollowed(in Unfollowed) {
	if n := m.nodes[nodeKey{in.Service, in.Node}]; n != nil && n.position != nil {
		n.asked = 0
		m.setPosition(n, nil)
	}
}

// ask handles Asked.
func (m *Machine) ask(in Asked) {
	n := m.node(in.Service, in.Node)
	n.asked = millis(in.At)
	m.later(n)
}
