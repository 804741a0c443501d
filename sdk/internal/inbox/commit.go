package inbox

import (
	"slices"

	"xmpp-pam/sdk/store"
)

const (
	groupEvents = 64       // in the record of a body
	groupBytes  = 64 << 10 // likewise, unless one event is larger
)

// A commit is pending. Its inputs are handled again if it fails.
type commit struct {
	seq    int
	inputs []queued
	meta   []byte
}

// Meta returns the meta record that was read or stored last, or nil.
func (m *Machine) Meta() []byte { return m.meta }

// settle completes the changes of a batch of inputs, so that they can be stored.
func (m *Machine) settle() {
	m.sweep()
	m.group()
	for _, n := range m.touched {
		m.judgeAll(n)
	}
	m.limit()
	for _, n := range m.touched {
		m.unseen -= n.unseen
		n.count()
		m.unseen += n.unseen
	}
	for _, e := range m.added {
		if !e.removed {
			m.away.events++
		}
	}
	m.updatePage()
}

// group puts the bodies that are to be stored into groups, those of a node together,
// because they are likely to be dropped at about the same time.
func (m *Machine) group() {
	slices.SortStableFunc(m.bodies, func(a, b *event) int { return a.node.number - b.node.number })
	var b *body
	for _, e := range m.bodies {
		if e.removed || e.body != nil {
			continue
		}
		if b == nil || len(b.rows) == groupEvents || b.size+len(e.row) > groupBytes {
			b = &body{number: m.bodyNo}
			m.bodyNo++
			m.groups = append(m.groups, b)
		}
		e.body = b
		b.rows = append(b.rows, e)
		b.live++
		b.size += len(e.row)
		m.bytes += len(e.row)
	}
	m.bodies = nil
}

// write outputs the Commit that stores all changes.
func (m *Machine) write(inputs []queued) {
	m.epoch++
	var ops []store.Op
	if m.rewrite {
		ops = append(ops, store.DeleteRange(Range.From, Range.To))
	}
	ops = append(ops, m.stray...)
	for _, b := range m.groups {
		if b.live > 0 {
			ops = append(ops, store.Put(bodyKey(b.number), b.encode()))
		}
		b.rows = nil
	}
	for _, number := range m.unused {
		ops = append(ops, store.Delete(bodyKey(number)))
	}
	for _, t := range []*table{&m.eventTable, &m.nodeTable, &m.positionTable, &m.pageTable} {
		ops = t.ops(ops)
	}
	if m.away.changed || m.rewrite {
		ops = append(ops, store.Put(keySince, m.away.encode()))
	}
	meta := m.encodeMeta()
	ops = append(ops, store.Put(MetaKey, meta))
	m.groups, m.unused, m.stray = nil, nil, nil
	m.dirty, m.deferred, m.rewrite, m.away.changed = false, false, false, false
	m.seq++
	m.commit = &commit{m.seq, inputs, meta}
	m.out = append(m.out, Commit{Seq: m.seq, Expect: []store.Record{{Key: MetaKey, Value: m.meta}}, Ops: ops})
}

// replace makes the next commit write everything to an empty store. Bodies that are not
// in memory are lost.
func (m *Machine) replace() {
	m.meta, m.rewrite, m.dirty = nil, true, true
	for _, t := range []*table{&m.eventTable, &m.nodeTable, &m.positionTable, &m.pageTable} {
		t.markAll()
	}
	for _, e := range m.events {
		if e.row != "" && e.full && (e.body == nil || e.body.rows == nil) {
			m.release(e)
			m.bodies = append(m.bodies, e)
		}
	}
	m.unused = nil
	m.group()
}
