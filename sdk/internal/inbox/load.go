package inbox

import (
	"bytes"
	"slices"
	"strings"

	"xmpp-pam/sdk/store"
)

// A loader reads a state from records. What is damaged is left out, and the next commit
// writes all records again.
type loader struct {
	state
	numbers   map[int]*node
	positions map[int]*position
	bodies    map[int]*body
	damaged   string // what was damaged first
}

// load reads a state. It returns ErrNewer if the records are of a newer format.
func load(records []store.Record, opts Options, now int64) (state, string, error) {
	l := loader{state: newState(), numbers: map[int]*node{}, positions: map[int]*position{}, bodies: map[int]*body{}}
	l.epoch = opts.Epoch
	l.next = uint64(max(now, 1))
	var meta []byte
	values := map[string][]byte{}
	for _, r := range records {
		if r.Key == MetaKey {
			meta = r.Value
		} else {
			values[r.Key] = r.Value
		}
	}
	expected, err := l.readMeta(meta)
	switch {
	case err != nil:
		return state{}, "", err
	case meta == nil && len(values) > 0:
		l.damage(MetaKey)
	}
	// In the order in which they refer to each other.
	l.read(records, &l.positionTable, func(r *reader) row { return l.position(r) })
	l.read(records, &l.nodeTable, func(r *reader) row { return l.node(r) })
	l.read(records, &l.eventTable, func(r *reader) row { return l.event(r) })
	l.finish()
	l.read(records, &l.pageTable, func(r *reader) row { return l.page(r) })
	if value, ok := values[keySince]; ok && !l.away.decode(value) {
		l.damage(keySince)
	}
	if meta != nil && expected != [3]int{len(l.events), len(l.nodes), len(l.pageTable.all())} {
		l.damage("records")
	}
	if l.damaged != "" {
		l.repair()
	}
	return l.state, l.damaged, nil
}

func (l *loader) damage(key string) {
	if l.damaged == "" {
		l.damaged = key
	}
}

// readMeta reads the meta record, and returns how many events, nodes and rows of the page
// there are.
func (l *loader) readMeta(value []byte) (expected [3]int, err error) {
	if value == nil {
		return expected, nil
	}
	l.meta = value
	first, _, _ := bytes.Cut(value, []byte{fieldEnd})
	if f := (reader{data: string(first) + "\x1f"}); f.number() > format {
		return expected, ErrNewer
	}
	r, _ := unseal(value)
	known := r.number() == format
	s := newState()
	s.epoch = r.id()
	expected[0], s.unseen, s.dropped = r.number(), r.number(), r.number()
	expected[1], expected[2] = r.number(), r.number()
	s.away.since, s.away.events = r.millis(), r.number()
	s.next, s.bodyNo = r.id(), r.number()
	s.session.number, s.session.alive = r.number(), r.millis()
	s.stored = r.id()
	past := r.number()
	r.endRow()
	for range min(past, len(r.data)) {
		s.session.past = append(s.session.past, pastSession{r.number(), r.millis()})
		r.endRow()
	}
	if r.bad || r.data != "" || !known {
		l.damage(MetaKey)
		return expected, nil
	}
	s.meta = value
	l.state = s
	return expected, nil
}

// read reads the rows of a table.
func (l *loader) read(records []store.Record, t *table, decode func(r *reader) row) {
	for _, record := range records {
		if !strings.HasPrefix(record.Key, t.prefix) {
			continue
		}
		number, ok := t.number(record.Key)
		r, intact := unseal(record.Value)
		if !ok || !intact || r.data == "" {
			l.damage(record.Key)
			continue
		}
		c := t.chunk(number)
		for r.data != "" {
			row := decode(&r)
			if r.bad || row == nil {
				l.damage(record.Key)
				continue
			}
			t.put(c, row)
		}
		if len(c.rows) == 0 {
			delete(t.chunks, number)
		}
	}
	t.reopen()
}

func (l *loader) position(r *reader) row {
	p := decodePosition(r)
	if r.bad || l.positions[p.number] != nil {
		return nil
	}
	l.positions[p.number] = p
	l.positionNo = max(l.positionNo, p.number+1)
	return p
}

func (l *loader) node(r *reader) row {
	n, position := decodeNode(r)
	key := nodeKey{n.service, n.name}
	if r.bad || l.numbers[n.number] != nil || l.nodes[key] != nil {
		return nil
	}
	if n.position = l.positions[position]; n.position != nil {
		n.position.nodes++
	} else if position >= 0 {
		l.damage(keyPositions)
	}
	l.numbers[n.number], l.nodes[key] = n, n
	l.order = append(l.order, n)
	l.number = max(l.number, n.number+1)
	return n
}

func (l *loader) event(r *reader) row {
	e, number, b := decodeEvent(r)
	if r.bad || l.ids[e.id] != nil || l.numbers[number] == nil {
		return nil
	}
	e.node, e.space = l.numbers[number], l.intern(e.space)
	e.body = l.bodies[b.number]
	if e.body == nil {
		e.body = &b
		l.bodies[b.number] = e.body
		l.bytes += b.size
		l.bodyNo = max(l.bodyNo, b.number+1)
	}
	e.body.live++
	e.page.event = e
	l.ids[e.id] = e
	l.events = append(l.events, e)
	l.bytes += e.cost()
	return e
}

// page takes over the bodies of the newest events.
func (l *loader) page(r *reader) row {
	id, text, full := decodePageRow(r)
	e := l.ids[id]
	if r.bad || e == nil || e.row != "" {
		return nil
	}
	e.row, e.full = text, full
	return &e.page
}

// finish sorts and counts the events.
func (l *loader) finish() {
	slices.SortFunc(l.order, func(a, b *node) int { return a.number - b.number })
	slices.SortFunc(l.events, func(a, b *event) int { return a.place().compare(b.place()) })
	for _, e := range l.events {
		e.node.events = append(e.node.events, e)
		key := printKey{e.node, e.print}
		if known := l.prints[key]; known == nil || known.id < e.id {
			l.prints[key] = e
		}
		if e.id >= l.next {
			l.next = e.id + 1
			l.damage(MetaKey)
		}
	}
	unseen, dropped := 0, 0
	for _, n := range l.order {
		stored := n.unseen
		for _, e := range n.events {
			e.seen = n.judge(e)
		}
		n.count()
		unseen += n.unseen
		dropped += n.dropped
		if n.unseen != stored {
			l.damage(keyNodes)
		}
	}
	if unseen != l.unseen || dropped > l.dropped {
		l.unseen, l.dropped = unseen, max(l.dropped, dropped)
		l.damage(MetaKey)
	}
	for _, r := range l.positionTable.all() {
		if r.(*position).nodes == 0 {
			l.positionTable.remove(r)
			l.damage(keyPositions)
		}
	}
}

// repair makes the next commit write all records, and delete those that nothing refers
// to.
func (l *loader) repair() {
	l.rewrite, l.dirty, l.away.changed = true, true, true
	for _, t := range []*table{&l.eventTable, &l.nodeTable, &l.positionTable, &l.pageTable} {
		t.markAll()
	}
	keys := []string{keyBodies}
	for number := range l.bodies {
		keys = append(keys, bodyKey(number))
	}
	slices.Sort(keys)
	for i, key := range keys {
		if i > 0 {
			key += "\x00"
		}
		end := keyBodies + "\xff"
		if i+1 < len(keys) {
			end = keys[i+1]
		}
		l.stray = append(l.stray, store.DeleteRange(key, end))
	}
}
