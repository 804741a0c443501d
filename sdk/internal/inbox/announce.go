package inbox

import (
	"bytes"
	"fmt"
	"slices"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// flushDelay is how long changes wait that need not be stored at once.
const flushDelay = 2000

// announce outputs what was stored.
func (m *Machine) announce() {
	c := Changed{Removed: m.removed, Unseen: m.unseen, Dropped: m.dropped}
	done := map[*event]bool{}
	for _, e := range m.added {
		done[e] = true
		if !e.removed {
			e.fresh = false
			info := e.info()
			decodeBody(&reader{data: e.row}, &info)
			c.Added = append(c.Added, info)
		}
	}
	for _, e := range m.updated {
		if !done[e] && !e.removed {
			done[e] = true
			c.Updated = append(c.Updated, formatID(e.id))
		}
	}
	for _, n := range m.touched {
		n.touched = false
		if s := n.summary(); s != n.shown && n.newest != 0 {
			n.shown = s
			c.Nodes = append(c.Nodes, s)
		}
		m.due[nodeKey{n.service, n.name}] = true
	}
	m.freeBodies()
	m.added, m.updated, m.removed, m.touched = nil, nil, nil, nil
	m.show()
	if len(c.Added)+len(c.Removed)+len(c.Updated)+len(c.Nodes) > 0 || m.away.unannounced {
		m.away.unannounced = false
		m.out = append(m.out, c)
	}
}

// show makes the state the announced one.
func (m *Machine) show() {
	m.announced = m.next
	m.shown = totals{m.unseen, m.dropped, m.away.events}
}

// read replaces the state by what is stored, and handles again what was not stored.
func (m *Machine) read(in Stored) {
	s, damaged, err := load(in.Records, m.opts, m.now)
	m.held = slices.DeleteFunc(m.held, func(q queued) bool { // The last one counts, whatever was handled in between.
		_, ok := q.in.(SetInterest)
		return ok && err == nil
	})
	for i := range m.held {
		m.held[i].again = true
	}
	m.queue = append(m.held, m.queue...)
	m.held = nil
	if err != nil {
		m.loaded = false
		m.out = append(m.out, Warning{err})
		return
	}
	m.newLive = nil
	first := !m.loaded
	m.state, m.loaded = s, true
	if damaged != "" {
		m.out = append(m.out, Warning{fmt.Errorf("%w: %s", ErrDamaged, damaged)})
	}
	c := Changed{Reset: true, Unseen: m.unseen, Dropped: m.dropped}
	for _, n := range m.order {
		n.shown = n.summary()
		m.due[nodeKey{n.service, n.name}] = true
	}
	if !first {
		for _, e := range byArrival(m.events) {
			if e.id >= m.announced {
				c.Adopted.add(e)
			}
		}
	}
	m.show()
	m.out = append(m.out, c)
	m.restoreInterest()
	for _, n := range m.order { // The limits may be lower than before.
		if len(n.events) > m.opts.PerNode {
			m.touch(n)
		}
	}
	m.dirty = m.dirty || len(m.events) > m.opts.Total || m.bytes > m.opts.Bytes
	m.wantAll()
	if !m.dirty {
		m.readBodies()
	}
}

// unchanged reports whether the records are those that the state was read from.
func (m *Machine) unchanged(in Stored) bool {
	return m.loaded && slices.ContainsFunc(in.Records, func(r store.Record) bool { return r.Key == MetaKey && bytes.Equal(r.Value, m.meta) })
}

// storeReplaced handles StoreReplaced.
func (m *Machine) storeReplaced() {
	var inputs []queued
	if m.commit != nil {
		inputs = m.commit.inputs
		m.commit = nil
	}
	if !m.loaded {
		m.state, m.loaded = newState(), true
		m.epoch, m.next = m.opts.Epoch, uint64(m.now)
	}
	m.reading = false
	m.replace()
	m.write(append(inputs, m.held...))
	m.held = nil
}

// State returns what was announced, without the progress of a catch-up. Nodes that never
// had an event are left out.
func (m *Machine) State() pam.InboxState {
	s := pam.InboxState{Unseen: m.shown.unseen, Dropped: m.shown.dropped, Away: m.Away()}
	for _, n := range m.order {
		if !n.shown.Newest.IsZero() {
			s.Nodes = append(s.Nodes, n.shown)
		}
	}
	return s
}
