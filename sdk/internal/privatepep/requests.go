package privatepep

import (
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
)

// A kind is what a request does.
type kind uint8

const (
	list      kind = iota // the nodes of the account
	read                  // all items of a node
	create                // a node
	check                 // its configuration
	configure             // the node
	publish               // an item, or the tombstone of one
	retract               // an item that the caller has removed
	evict                 // an item in favour of another one
)

// A request is a pending request.
type request struct {
	kind kind
	node *node // nil for list

	key string // of the item that it writes
	put *put   // for which it writes
	sum fingerprint

	notified map[string]bool // the keys of which a notification came
	again    bool            // the node must be read once more
	stale    bool            // the configuration may have changed
	received bool            // a notification of key came
	own      bool            // the last of them says what the request does
	echoed   bool            // one of them does
}

func (r *request) writes() bool { return r.kind >= publish }

// sendRequests sends the requests that are due, one request for each node.
func (m *Machine) sendRequests() {
	if !m.online || m.denied {
		return
	}
	if m.listing == todo {
		m.listing = underway
		m.send(&request{kind: list}, pubsub.Nodes(nil))
	}
	if m.listing != done {
		return
	}
	first := m.turn
	for i := 0; i < Nodes && len(m.requests) < MaxRequests; i++ {
		n := &m.nodes[(first+i)%Nodes]
		if n.busy != nil || n.idle || m.now.Before(n.until) {
			continue
		}
		if r := m.plan(n); r != nil {
			m.turn = (first + i + 1) % Nodes
			n.busy = r
			m.send(r, m.payload(r))
		}
	}
}

// plan returns the next request for a node, or nil. It settles what needs none.
func (m *Machine) plan(n *node) *request {
	if !n.read {
		return &request{kind: read, node: n, notified: map[string]bool{}}
	}
	if n.private && m.now.Sub(n.checked) > checkedFor { // rule 2
		n.private, n.checks = false, 0
	}
	for {
		key, p := n.oldest()
		if p == nil {
			return nil
		}
		old, exists := n.items[key]
		same := exists && old.sum != 0 && old.sum == p.sum
		switch {
		case p.remove && !exists, !p.remove && same:
			m.settle(n, key)
		case p.remove && (same || p.payload == nil):
			return &request{kind: retract, node: n, key: key, put: p}
		case n.absent || !n.private:
			return m.prepare(n)
		case !exists && n.count() >= n.limit && p.evicted < maxEvicted: // rule 4
			victim, least := n.least()
			if m.Rank == nil || victim == "" || least.rank >= p.rank {
				m.unqueue(n, key)
				m.drop(key, Full, nil)
				continue
			}
			p.evicted++
			return &request{kind: evict, node: n, key: victim, put: p}
		default:
			return &request{kind: publish, node: n, key: key, put: p, sum: p.sum}
		}
	}
}

// prepare implements rule 2: it returns the next request that makes a node ready for
// publications.
func (m *Machine) prepare(n *node) *request {
	switch {
	case n.checks > maxChecks:
		m.refuse(n, PreconditionFailed, nil)
		return nil
	case n.absent:
		if n.repair = nil; !n.creating {
			m.firstAttempt(n)
			n.creating = true
		}
		return &request{kind: create, node: n}
	case n.repair != nil:
		return &request{kind: configure, node: n}
	}
	return &request{kind: check, node: n}
}

// maxEvicted is the maximum number of items that are retracted for one item: more than
// one, so that a node with too many items gets smaller.
const maxEvicted = 2

// payload returns the payload of a request.
func (m *Machine) payload(r *request) *element.Element {
	n := r.node
	switch r.kind {
	case read:
		return pubsub.ItemsRequest{Node: n.name}.Element()
	case create:
		return pubsub.Create(n.name, configurations[n.attempt])
	case check:
		return pubsub.NodeConfig(n.name)
	case configure:
		return pubsub.SetNodeConfig(n.name, append(configurations[n.attempt], n.repair...))
	case publish:
		return pubsub.Publish(n.name, r.key, r.put.payload, private)
	default:
		return pubsub.Retract(n.name, r.key, true)
	}
}

func (m *Machine) send(r *request, payload *element.Element) {
	m.lastID++
	m.requests[m.lastID] = r
	m.out = append(m.out, Request{m.lastID, m.account, r.kind >= create && r.kind != check, payload})
}

// take removes a pending request.
func (m *Machine) take(id int) *request {
	r := m.requests[id]
	delete(m.requests, id)
	if r != nil && r.node != nil {
		r.node.busy = nil
	}
	return r
}

// result handles an answer without an error.
func (m *Machine) result(in Result) {
	r := m.take(in.ID)
	switch {
	case r == nil:
		return
	case r.kind == list:
		m.listed(in.IQ)
		return
	}
	n := r.node
	switch r.kind {
	case read:
		m.listedItems(r, in.IQ)
	case create:
		n.absent = false
		m.accepted(n)
	case check:
		m.checkedConfig(r, in.IQ)
	case configure:
		n.repair, n.submitted = nil, true
		m.accepted(n)
	default:
		m.written(r)
	}
}

// listed handles the list of the account's nodes: those that are not in it do not exist. If
// the list is empty, all nodes are read, because some services list nothing.
func (m *Machine) listed(iq *element.Element) {
	m.listing = done
	found, page, err := pubsub.ParseNodes(iq, m.account)
	if err != nil || len(found) == 0 || page != nil && page.Count > len(found) {
		return
	}
	exists := map[string]bool{}
	for _, f := range found {
		exists[f.Node] = true
	}
	for i := range m.nodes {
		if n := &m.nodes[i]; !exists[n.name] && !n.received {
			m.haveRead(&request{node: n}, nil, 0)
			n.absent = true
		}
	}
}

// written handles the success of a request that writes an item.
func (m *Machine) written(r *request) {
	n := r.node
	n.absent = false
	if r.kind != evict {
		n.failures = 0
	}
	if r.kind == publish {
		n.checks, m.proven = 0, true
	}
	if r.received && !r.own {
		if !r.echoed { // The order of the two publications is unknown.
			m.reread(n)
		}
		return
	}
	if r.received {
		return
	}
	c := change{key: r.key, removal: Retracted}
	switch r.kind {
	case publish:
		c = change{key: r.key, payload: r.put.payload}
	case evict:
		c.removal = Evicted
		m.report(n, m.set(n, c, item{}))
		return
	}
	m.set(n, c, m.item(n, c))
	m.stored(r)
}

// stored outputs Stored for a request that has written an item.
func (m *Machine) stored(r *request) {
	payload := r.put.payload
	if r.kind == retract {
		payload = nil
	}
	if p := r.put; r.node.puts[r.key] == p && p.remove == (r.kind == retract) {
		m.unqueue(r.node, r.key)
	}
	m.out = append(m.out, Stored{r.key, payload})
}
