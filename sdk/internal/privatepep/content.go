package privatepep

import (
	"errors"
	"sort"
	"strings"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// A change is what a notification or a read says about one key.
type change struct {
	key       string
	payload   *element.Element
	publisher string // as the service reports it, or empty
	removal   Removal
}

// changeOf returns what a notification of a publication says.
func changeOf(n pubsub.Notification) change {
	return change{key: n.ItemID, payload: n.Payload, publisher: n.Publisher}
}

// item returns what a change makes of an item.
func (m *Machine) item(n *node, c change) (it item) {
	publisher, _, _ := strings.Cut(c.publisher, "/")
	hash, size := measure(c.payload)
	if hash != 0 && size <= MaxPayload && len(c.key) <= MaxKey && Node(m.Base, c.key) == n.name &&
		(publisher == "" || address.Equal(publisher, m.account)) {
		it.sum = hash
		if m.Rank != nil {
			it.rank = m.Rank(c.key, c.payload)
		}
	}
	return it
}

// notification applies what another device, or this one, has published.
func (m *Machine) notification(in Notification) {
	i, ok := index(m.Base, in.Node)
	if !ok || m.denied || m.account == "" {
		return
	}
	n := &m.nodes[i]
	n.received = true
	switch {
	case in.State != "":
	case in.Type == pam.EventConfigured:
		n.invalidate()
	case in.Type == pam.EventPublished && in.ItemID != "" && in.Payload != nil && !in.Delayed:
		n.absent = false
		m.report(n, m.receive(n, changeOf(in.Notification)))
	case in.Type == pam.EventRetracted && in.ItemID != "" && !in.Delayed:
		m.report(n, m.receive(n, change{key: in.ItemID, removal: Retracted}))
	default:
		if in.Type == pam.EventDeleted {
			n.invalidate()
		}
		m.reread(n)
	}
}

// receive applies what a notification says, and returns it if the caller does not know it.
func (m *Machine) receive(n *node, c change) []Item {
	it := m.item(n, c)
	if r := n.busy; r != nil && r.kind == read {
		r.notified[c.key] = true
	} else if r != nil && r.writes() && r.key == c.key {
		first := !r.received
		r.received = true
		r.own = it.sum == r.sum && (r.sum == 0) == (c.payload == nil)
		r.echoed = r.echoed || r.own
		switch {
		case r.own && r.kind == evict:
			c.removal = Evicted
		case r.own && first:
			m.set(n, c, it)
			m.stored(r)
			return nil
		}
	}
	return m.set(n, c, it)
}

// set makes an item what the server has, and returns it if it has changed.
func (m *Machine) set(n *node, c change, it item) []Item {
	old, was := n.items[c.key]
	switch {
	case c.payload == nil:
		if !was && n.unkept > 0 {
			n.unkept--
		}
		delete(n.items, c.key)
	case was || len(n.items) < maxKept && len(c.key) <= MaxKey:
		n.items[strings.Clone(c.key)] = it // not the message that contains the key
		if it.sum == 0 {
			m.warnLeftOut(n)
		}
	default:
		n.unkept++
		m.warnLeftOut(n)
		return nil
	}
	if old.sum == it.sum {
		return nil
	}
	if it.sum == 0 {
		c.payload = nil
		if c.removal == NotRemoved {
			c.removal = Missing
		}
	}
	return []Item{{c.key, c.payload, c.removal}}
}

// report outputs Changed, and implements rule 3.
func (m *Machine) report(n *node, items []Item) {
	if len(items) == 0 {
		return
	}
	m.revision++
	n.revision = m.revision
	m.out = append(m.out, Changed{n.name, m.revision, items})
	for _, it := range items {
		p := n.puts[it.Key]
		hash, _ := measure(it.Payload)
		switch {
		case p == nil:
		case p.remove == (it.Payload == nil) && (p.remove || p.sum == hash):
			m.settle(n, it.Key)
		default:
			m.unqueue(n, it.Key)
			m.drop(it.Key, Superseded, nil)
		}
	}
}

func (m *Machine) warnLeftOut(n *node) {
	if !m.warned {
		m.warned = true
		m.out = append(m.out, Warning{Node: n.name, Reason: LeftOut})
	}
}

// listedItems handles the answer to a request for the items of a node.
func (m *Machine) listedItems(r *request, iq *element.Element) {
	found, page, err := pubsub.ParseItems(iq, m.account, r.node.name)
	if err != nil && !errors.Is(err, pubsub.ErrLeftOut) {
		m.fail(r.node, nil)
		return
	}
	count := 0
	for e := range iq.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items").Elements() {
		if e.Is(ns.Pubsub, "item") {
			count++
		}
	}
	if page != nil {
		count = max(count, page.Count)
	}
	r.node.absent = false
	m.haveRead(r, found, count)
}

// haveRead handles the items of a node, of which it has count. Of keys of which a
// notification came while the node was read, the notification counts, because it may be
// newer; if it contradicts what was read, the node is read again.
func (m *Machine) haveRead(r *request, found []pubsub.Notification, count int) {
	n := r.node
	seen := make(map[string]bool, len(found))
	complete, contradicted := count <= len(found), false
	if n.read, n.unkept = true, 0; len(n.puts) == 0 {
		n.failures = 0
	}
	var items []Item
	for _, f := range found {
		c := changeOf(f)
		switch it := m.item(n, c); {
		case seen[c.key]:
		case r.notified[c.key]:
			contradicted = contradicted || it.sum != n.items[c.key].sum
		default:
			items = append(items, m.set(n, c, it)...)
		}
		seen[c.key] = true
	}
	var gone []string
	for key := range n.items {
		if !seen[key] && complete {
			gone = append(gone, key)
		}
	}
	sortStrings(gone)
	for _, key := range gone {
		if r.notified[key] {
			contradicted = true
		} else {
			items = append(items, m.set(n, change{key: key, removal: Missing}, item{})...)
		}
	}
	if !complete {
		n.unkept += count - len(found)
		m.warnLeftOut(n)
	}
	m.report(n, items)
	switch {
	case r.again:
		m.reread(n)
	case contradicted && n.rereads < maxRereads:
		n.rereads++
		n.read = false
	default:
		n.rereads = 0
	}
}

// maxRereads is the maximum number of reads in a row that contradict notifications.
const maxRereads = 3

// sortStrings is slices.Sort without the generic code, which makes the wasm larger.
//
//lint:ignore S1032 sort.Strings calls slices.Sort.
func sortStrings(list []string) { sort.Sort(sort.StringSlice(list)) }
