package inbox

const (
	maxFetches = 16   // pending requests for items
	maxWanted  = 1000 // items that wait to be requested
)

// An itemKey identifies an item whose payload has to be fetched.
type itemKey struct{ service, node, item string }

// fetches are the requests for items. Each item is requested once in a session.
type fetches struct {
	queue   []itemKey
	known   map[itemKey]bool // in queue or requested
	pending int
}

// want requests the item of e as soon as there is room. If there are too many, the next
// session requests it.
func (m *Machine) want(e *event) {
	key := itemKey{e.node.service, e.node.name, e.item}
	f := &m.fetches
	if f.known[key] || len(f.queue) >= maxWanted {
		return
	}
	if f.known == nil {
		f.known = map[itemKey]bool{}
	}
	f.known[key] = true
	f.queue = append(f.queue, key)
}

// wantAll requests the items of all events that lack their payload.
func (m *Machine) wantAll() {
	for _, e := range m.events {
		if e.awaited {
			m.want(e)
		}
	}
}

func (m *Machine) requestItems() {
	f := &m.fetches
	for len(f.queue) > 0 && f.pending < maxFetches {
		k := f.queue[0]
		f.queue = f.queue[1:]
		f.pending++
		m.out = append(m.out, FetchItem{k.service, k.node, k.item})
	}
}

// fetched handles the answer to FetchItem.
func (m *Machine) fetched(in ItemFetched, received int64, again bool) {
	for i := range in.Events {
		m.arrive(&in.Events[i], received)
	}
	key := itemKey{in.Service, in.Node, in.ItemID}
	if !again && m.fetches.known[key] && m.fetches.pending > 0 {
		m.fetches.pending--
		if !in.Failed {
			delete(m.fetches.known, key)
		}
	}
	n := m.nodes[nodeKey{in.Service, in.Node}]
	if n == nil || in.Failed {
		return
	}
	for _, e := range n.events {
		if e.awaited && e.item == in.ItemID && !e.removed {
			e.awaited = false
			m.update(e)
		}
	}
}
