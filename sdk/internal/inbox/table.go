package inbox

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"xmpp-pam/sdk/store"
)

// A table keeps rows in records of up to most rows each, in any order, so that a change
// of a row rewrites one record. New rows go into the open chunk. A chunk with few rows is
// emptied into it, so that there are never many small records.
type table struct {
	prefix  string // of the keys
	most    int
	chunks  map[int]*chunk
	open    *chunk
	next    int // the number of the next chunk
	changed []*chunk
}

type chunk struct {
	number int
	rows   []row
	dirty  bool
}

// A row is in at most one chunk of each table.
type row interface {
	in() *slot
	encode(out []byte) []byte // ends in rowEnd
}

// A slot is the place of a row in its table.
type slot struct {
	chunk *chunk // nil if the row is in none
	index int
}

func (s *slot) in() *slot { return s }

func newTable(prefix string, most int) table {
	return table{prefix: prefix, most: most, chunks: map[int]*chunk{}}
}

// add adds a row that is in no chunk.
func (t *table) add(r row) {
	if t.open == nil || len(t.open.rows) >= t.most {
		t.open = t.chunk(t.next)
	}
	t.put(t.open, r)
	t.mark(t.open)
}

// chunk returns the chunk with the number.
func (t *table) chunk(number int) *chunk {
	c := t.chunks[number]
	if c == nil {
		c = &chunk{number: number}
		t.chunks[number] = c
		t.next = max(t.next, number+1)
	}
	return c
}

func (t *table) put(c *chunk, r row) {
	*r.in() = slot{c, len(c.rows)}
	c.rows = append(c.rows, r)
}

func (t *table) remove(r row) {
	c, i := r.in().chunk, r.in().index
	last := len(c.rows) - 1
	c.rows[i] = c.rows[last]
	c.rows[i].in().index = i
	c.rows[last] = nil
	c.rows = c.rows[:last]
	*r.in() = slot{}
	t.mark(c)
	if c != t.open && last < t.most/4 {
		rows := c.rows
		c.rows = nil
		for _, r := range rows {
			t.add(r)
		}
	}
	if len(c.rows) == 0 {
		delete(t.chunks, c.number)
		if c == t.open {
			t.open = nil
		}
	}
}

// touch reports that the row has changed.
func (t *table) touch(r row) {
	if c := r.in().chunk; c != nil {
		t.mark(c)
	}
}

func (t *table) mark(c *chunk) {
	if !c.dirty {
		c.dirty = true
		t.changed = append(t.changed, c)
	}
}

// markAll makes the next commit write all chunks.
func (t *table) markAll() {
	for _, number := range slices.Sorted(maps.Keys(t.chunks)) {
		t.mark(t.chunks[number])
	}
}

// all returns all rows.
func (t *table) all() (rows []row) {
	for _, number := range slices.Sorted(maps.Keys(t.chunks)) {
		rows = append(rows, t.chunks[number].rows...)
	}
	return rows
}

// ops appends what stores the changes.
func (t *table) ops(ops []store.Op) []store.Op {
	for _, c := range t.changed {
		c.dirty = false
		if len(c.rows) == 0 {
			ops = append(ops, store.Delete(t.key(c.number)))
			continue
		}
		var out []byte
		for _, r := range c.rows {
			out = r.encode(out)
		}
		ops = append(ops, store.Put(t.key(c.number), seal(out)))
	}
	t.changed = nil
	return ops
}

func (t *table) key(number int) string { return t.prefix + strconv.FormatUint(uint64(number), 36) }

// number returns the number of the chunk with the key.
func (t *table) number(key string) (int, bool) {
	text, ok := strings.CutPrefix(key, t.prefix)
	n, err := strconv.ParseUint(text, 36, 31)
	return int(n), ok && err == nil && t.key(int(n)) == key
}

// reopen chooses the open chunk after the chunks were read.
func (t *table) reopen() {
	if c := t.chunks[t.next-1]; c != nil && len(c.rows) < t.most {
		t.open = c
	}
}
