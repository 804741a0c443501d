package privatepep

import (
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
)

// A Config says which items a Machine keeps.
type Config struct {
	Base string // of the names of the nodes, which are Base:0 to Base:63
	// Rank says how useful an item is. If a node is full, the items of the lowest rank
	// are retracted in favour of those of higher ranks. Of equal ranks, those that are
	// there stay. It must depend on nothing but its arguments and be the same on all
	// devices. If it is nil, nothing is retracted.
	Rank func(key string, payload *element.Element) int64
}

// A Machine keeps the items of one base name. It is a pure state machine: it does no
// I/O and reads no clock. Step takes an event and returns the actions to carry out; equal
// inputs give equal outputs. It is not safe for concurrent use.
//
// The machine keeps no payloads except those of pending Puts: it reports them in Changed
// and remembers their fingerprints. At most one request is pending for each node, so that
// the effect of each is clear. Comments refer to these rules by number:
//
//  1. In a new session, every node that may exist is read. Later a node is read again when
//     it is not certain what it contains: after a request without an answer, a delayed
//     notification, one without a payload, or the purge or deletion of the node.
//  2. Nothing is published to a node unless its configuration has been read in this
//     session, within checkedFor, and says that the node is private. Every publication has
//     publish-options that say so as well, which protect a node that was deleted and
//     created again in the meantime.
//  3. A pending Put is based on what the caller knows. When a change of its key is
//     reported, the Put is dropped, and the caller merges.
//  4. Before a node exceeds the number of items that its server keeps, the least useful
//     ones are retracted.
//  5. Every repetition is bounded: the tries of a request, the checks of a node, the reads
//     that notifications cause.
type Machine struct {
	Config
	account  string
	maxItems int

	online  bool
	denied  bool     // Unsupported was output in this session
	listing progress // of the request for the nodes of the account
	ready   bool     // Ready was output
	proven  bool     // an item was published in this session
	warned  bool     // LeftOut was output in this session

	nodes    [Nodes]node
	turn     int // the node to begin with when requests are sent
	requests map[int]*request
	lastID   int

	attempt      int // index of the first configuration that the server has accepted
	revision     uint64
	lastPut      int
	pending      int // Puts and Removes
	pendingBytes int
	timer        time.Time

	now time.Time // the time of the current Step
	out []Output
}

// progress is the state of something that is done once in a session.
type progress uint8

const (
	todo progress = iota
	underway
	done
)

// NewMachine returns a machine without a session.
func NewMachine(c Config) *Machine {
	m := &Machine{Config: c, requests: map[int]*request{}}
	for i := range m.nodes {
		m.nodes[i] = node{name: nodeName(c.Base, i), items: map[string]item{}, puts: map[string]*put{}}
	}
	return m
}

// Step takes one input and returns the actions to carry out, in order. now must not
// decrease between calls.
func (m *Machine) Step(now time.Time, in Input) []Output {
	m.now, m.out = now, nil
	switch in := in.(type) {
	case SessionStarted:
		m.start(in)
	case Lost:
		m.online = false
	case Resumed:
		m.online = m.account != ""
	case Put:
		m.put(in.Key, &put{payload: in.Payload}, in.Merged)
	case Remove:
		m.put(in.Key, &put{payload: in.Tombstone, remove: true}, in.Merged)
	case Result:
		m.result(in)
	case Failed:
		m.failed(in)
	case Notification:
		m.notification(in)
	case TimerFired:
		m.timer = time.Time{}
	}
	m.sendRequests()
	m.announceReady()
	m.setTimer()
	return m.out
}

// Pending returns the number of Puts and Removes that are pending.
func (m *Machine) Pending() int { return m.pending }

// start implements rule 1.
func (m *Machine) start(in SessionStarted) {
	m.account, m.maxItems = in.Account, assumedLimit
	if in.MaxItems > 0 {
		m.maxItems = min(in.MaxItems, maxKept)
	}
	m.online, m.denied, m.ready, m.proven, m.warned = true, false, false, false, false
	m.listing = todo
	m.requests = map[int]*request{}
	for i := range m.nodes {
		m.nodes[i].state, m.nodes[i].setup = state{}, setup{}
	}
	switch {
	case !in.PEP:
		m.unsupported(NoPEP, nil)
	case !in.PublishOptions:
		m.unsupported(NoPublishOptions, nil)
	}
}

// put queues a Put or a Remove.
func (m *Machine) put(key string, p *put, merged uint64) {
	n := &m.nodes[place(key)]
	size := 0
	p.sum, size = measure(p.payload)
	if m.Rank != nil && !p.remove && p.payload != nil {
		p.rank = m.Rank(key, p.payload)
	}
	p.size = size + len(key)
	old := n.puts[key]
	m.unqueue(n, key)
	switch {
	case m.denied:
	case key == "" || len(key) > MaxKey || size > MaxPayload || !p.remove && p.payload == nil:
		m.drop(key, Invalid, nil)
	case merged < n.revision:
		m.drop(key, Superseded, nil)
	case m.pending == MaxPending || m.pendingBytes+p.size > MaxPendingBytes:
		m.drop(key, TooMany, nil)
	default:
		m.lastPut++
		if p.order = m.lastPut; old != nil {
			p.order = old.order
		}
		n.puts[key] = p
		m.pending++
		m.pendingBytes += p.size
	}
}

// unqueue takes the pending Put or Remove of a key out of the queue, if there is one.
func (m *Machine) unqueue(n *node, key string) {
	if p := n.puts[key]; p != nil {
		delete(n.puts, key)
		m.pending--
		m.pendingBytes -= p.size
	}
}

// settle removes the pending Put or Remove of a key, whose last request is fulfilled.
func (m *Machine) settle(n *node, key string) {
	p := n.puts[key]
	if m.unqueue(n, key); p.remove {
		p.payload = nil
	}
	m.out = append(m.out, Stored{key, p.payload})
}

func (m *Machine) drop(key string, why Reason, err *pubsub.Error) {
	m.out = append(m.out, Dropped{key, why, err})
}

// unsupported ends the use of the server until the next session.
func (m *Machine) unsupported(why Reason, err *pubsub.Error) {
	m.denied, m.pending, m.pendingBytes = true, 0, 0
	m.requests = map[int]*request{}
	for i := range m.nodes {
		n := &m.nodes[i]
		n.busy, n.puts = nil, map[string]*put{}
	}
	m.out = append(m.out, Unsupported{why, err})
}

// announceReady outputs Ready when all nodes have been read, or have failed once.
func (m *Machine) announceReady() {
	if m.ready || m.denied || m.listing != done {
		return
	}
	var unread []string
	for i := range m.nodes {
		n := &m.nodes[i]
		if !n.read {
			if n.failures == 0 && !n.idle {
				return
			}
			unread = append(unread, n.name)
		}
	}
	m.ready = true
	m.out = append(m.out, Ready{unread})
}

// setTimer sets the timer to when the next node is used again.
func (m *Machine) setTimer() {
	var next time.Time
	for i := range m.nodes {
		n := &m.nodes[i]
		if m.online && !m.denied && n.busy == nil && !n.idle && (!n.read || len(n.puts) > 0) &&
			m.now.Before(n.until) && (next.IsZero() || n.until.Before(next)) {
			next = n.until
		}
	}
	if !next.Equal(m.timer) {
		m.timer = next
		m.out = append(m.out, SetTimer{next})
	}
}
