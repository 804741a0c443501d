package inbox

import (
	"cmp"
	"slices"
	"strings"

	"xmpp-pam/sdk/store"
)

// A state is what the records contain, and what the pending commit will have stored.
type state struct {
	meta    []byte // the record as stored, nil if there is none
	epoch   uint64
	next    uint64 // the id of the next event
	number  int    // of the next node
	bodyNo  int    // of the next body
	session sessions
	away    away
	stored  uint64 // the digest of the interest

	positionNo  int // of the next position
	lastReached *position

	events []*event // sorted by place
	ids    map[uint64]*event
	prints map[printKey]*event
	nodes  map[nodeKey]*node
	order  []*node // by number
	bytes  int     // of all bodies, and the cost of all events

	eventTable, nodeTable, positionTable, pageTable table

	unseen, dropped int // in all

	// What has changed since the last commit.
	dirty    bool // a commit is needed now
	deferred bool // a commit is needed within 2 s
	removals bool // events are marked as removed, but still in the lists
	rewrite  bool // the next commit replaces all records except bodies
	touched  []*node
	added    []*event
	updated  []*event
	removed  []string
	bodies   []*event   // that need a body
	text     []byte     // for encoding one
	groups   []*body    // to be stored
	unused   []int      // the numbers of bodies to be deleted
	stray    []store.Op // delete bodies that no event refers to
	spare    []*event   // whose bodies may not be needed in memory
	spaces   map[string]string
}

func newState() state {
	return state{
		ids: map[uint64]*event{}, prints: map[printKey]*event{}, nodes: map[nodeKey]*node{}, spaces: map[string]string{},
		eventTable: newTable(keyEvents, 128), nodeTable: newTable(keyNodes, 64),
		positionTable: newTable(keyPositions, 64), pageTable: newTable(keyPage, 16),
	}
}

// intern returns one string for equal namespaces, which keeps no stanza in memory.
func (s *state) intern(space string) string {
	if known, ok := s.spaces[space]; ok {
		return known
	}
	space = strings.Clone(space)
	if len(s.spaces) < 1000 {
		s.spaces[space] = space
	}
	return space
}

// register adds n unless it is known.
func (s *state) register(n *node) {
	if n.chunk != nil {
		return
	}
	n.number = s.number
	s.number++
	n.service, n.name = strings.Clone(n.service), strings.Clone(n.name) // not the stanza that contains them
	s.nodes[nodeKey{n.service, n.name}] = n
	s.order = append(s.order, n)
	s.nodeTable.add(n)
	s.deferred = true
}

// node returns the node, which it adds unless it is known.
func (s *state) node(service, name string) *node {
	n := s.nodes[nodeKey{service, name}]
	if n == nil {
		n = &node{service: service, name: name}
		s.register(n)
	}
	return n
}

// touch reports that the events of n or what follows from them may have changed.
func (s *state) touch(n *node) {
	s.dirty = true
	s.nodeTable.touch(n)
	if !n.touched {
		n.touched = true
		s.touched = append(s.touched, n)
	}
}

// later reports that n has changed, but need not be stored at once.
func (s *state) later(n *node) {
	if n.chunk != nil {
		s.deferred = true
		s.nodeTable.touch(n)
	}
}

// update reports that e has changed.
func (s *state) update(e *event) {
	s.eventTable.touch(e)
	s.pageTable.touch(&e.page)
	s.updated = append(s.updated, e)
	s.touch(e.node)
}

// index adds e to the lists and maps.
func (s *state) index(e *event) {
	e.page.event = e
	s.ids[e.id] = e
	s.prints[printKey{e.node, e.print}] = e
	s.events = insert(s.events, e)
	e.node.events = insert(e.node.events, e)
	s.bytes += e.cost()
}

// move changes the place of e.
func (s *state) move(e *event, change func()) {
	s.events, e.node.events = cut(s.events, e), cut(e.node.events, e)
	change()
	s.events, e.node.events = insert(s.events, e), insert(e.node.events, e)
}

// remove removes e; sweep takes it out of the lists.
func (s *state) remove(e *event) {
	e.removed, s.removals = true, true
	delete(s.ids, e.id)
	if key := (printKey{e.node, e.print}); s.prints[key] == e {
		delete(s.prints, key)
	}
	s.bytes -= e.cost()
	s.release(e)
	s.eventTable.remove(e)
	if e.page.chunk != nil {
		s.pageTable.remove(&e.page)
	}
	if !e.fresh {
		s.removed = append(s.removed, formatID(e.id))
	}
	s.touch(e.node)
}

// sweep takes the removed events out of the lists.
func (s *state) sweep() {
	if !s.removals {
		return
	}
	s.removals = false
	gone := func(e *event) bool { return e.removed }
	s.events = slices.DeleteFunc(s.events, gone)
	for _, n := range s.touched {
		n.events = slices.DeleteFunc(n.events, gone)
	}
}

// release takes e out of its body, which is deleted with the last event.
func (s *state) release(e *event) {
	b := e.body
	if b == nil {
		return
	}
	e.body = nil
	b.live--
	switch {
	case b.rows != nil: // not stored yet
		b.size -= len(e.row)
		s.bytes -= len(e.row)
	case b.live == 0:
		s.bytes -= b.size
		s.unused = append(s.unused, b.number)
	}
}

// drop removes e because of a limit, and remembers it.
func (s *state) drop(e *event) {
	e.node.dropped++
	s.dropped++
	e.node.gone.add(e)
	s.remove(e)
}

// forget removes a node without events.
func (s *state) forget(n *node) {
	s.setPosition(n, nil)
	s.nodeTable.remove(n)
	delete(s.nodes, nodeKey{n.service, n.name})
}

// byActivity compares nodes by their last event.
func byActivity(a, b *node) int {
	return cmp.Or(cmp.Compare(a.newest, b.newest), cmp.Compare(a.number, b.number))
}
