package inbox

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"xmpp-pam/sdk/store"
)

type textRow struct {
	slot
	text string
}

func (r *textRow) encode(out []byte) []byte { return append(appendField(out, r.text), rowEnd) }

// TestTable adds, changes and removes rows at random, and reads them again now and then: the
// records contain the rows, there are few records with few rows, and a change of a row
// rewrites one.
func TestTable(t *testing.T) {
	const most = 8
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(1, seed))
		table := newTable("t/", most)
		rows, records := []*textRow{}, map[string][]byte{}
		apply := func() (changes int) {
			for _, op := range table.ops(nil) {
				if changes++; op.Kind == store.OpDelete {
					delete(records, op.Key)
				} else {
					records[op.Key] = op.Value
				}
			}
			return changes
		}
		for step := range 300 {
			growing := step/60%2 == 0
			switch n := random.IntN(10); {
			case n < 2 && len(rows) > 0:
				r := rows[random.IntN(len(rows))]
				r.text = fmt.Sprint(step, "'")
				table.touch(r)
				if changes := apply(); changes != 1 {
					t.Fatalf("seed %d, step %d: a change of a row makes %d", seed, step, changes)
				}
			case growing == (n < 8):
				r := &textRow{text: fmt.Sprint(step)}
				rows = append(rows, r)
				table.add(r)
			case len(rows) > 0:
				i := random.IntN(len(rows))
				table.remove(rows[i])
				if rows[i].chunk != nil {
					t.Fatalf("seed %d, step %d: a removed row is in a chunk", seed, step)
				}
				rows = slices.Delete(rows, i, i+1)
			}
			apply()
			var want, got []string
			for _, r := range rows {
				want = append(want, r.text)
			}
			again := newTable("t/", most)
			var read []*textRow
			for _, key := range slices.Sorted(maps.Keys(records)) {
				number, ok := again.number(key)
				r, intact := unseal(records[key])
				if !ok || !intact || r.data == "" {
					t.Fatalf("seed %d, step %d: record %s: %q", seed, step, key, records[key])
				}
				for r.data != "" {
					row := &textRow{text: r.field()}
					r.endRow()
					again.put(again.chunk(number), row)
					read, got = append(read, row), append(got, row.text)
				}
			}
			again.reopen()
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) || len(table.all()) != len(rows) {
				t.Fatalf("seed %d, step %d: read %q, want %q", seed, step, got, want)
			}
			if random.IntN(20) == 0 {
				table, rows = again, read
			}
			for _, c := range table.chunks {
				if n := len(c.rows); n > most || n < most/4 && c != table.open || n == 0 {
					t.Fatalf("seed %d, step %d: a record of %d rows", seed, step, n)
				}
			}
			if n, least := len(table.chunks), (len(rows)+most-1)/most; n > 1+4*least {
				t.Fatalf("seed %d, step %d: %d records of %d rows", seed, step, n, len(rows))
			}
		}
	}
}

// TestTableKeys checks that each chunk has one key.
func TestTableKeys(t *testing.T) {
	table := newTable("t/", 4)
	for key, want := range map[string]int{"t/0": 0, "t/z": 35, "t/10": 36, "t/": -1, "t/00": -1, "t/-1": -1, "t/A": -1, "x/0": -1, "0": -1, "t/zzzzzzzzz": -1} {
		if n, ok := table.number(key); ok != (want >= 0) || ok && n != want {
			t.Errorf("%s: %d, %v", key, n, ok)
		}
	}
}

// TestReader reads fields and rows that are not what is expected.
func TestReader(t *testing.T) {
	for _, tt := range []struct {
		text string
		read func(r *reader) any
		want any // nil if it is an error
	}{
		{"a\x1f", func(r *reader) any { return r.field() }, "a"},
		{"a", func(r *reader) any { return r.field() }, nil},
		{"\x1ea\x1f", func(r *reader) any { return r.field() }, nil},
		{"a\x1eb\x1f", func(r *reader) any { return r.field() }, nil},
		{"\x1e", func(r *reader) any { return r.row() }, ""},
		{"a\x1fb\x1e", func(r *reader) any { return r.row() }, "a\x1fb"},
		{"a\x1f", func(r *reader) any { return r.row() }, nil},
		{"7\x1f", func(r *reader) any { return r.number() }, 7},
		{"-7\x1f", func(r *reader) any { return r.number() }, nil},
		{"2147483648\x1f", func(r *reader) any { return r.number() }, nil},
		{"zz\x1f", func(r *reader) any { return r.id() }, uint64(35*36 + 35)},
		{"!\x1f", func(r *reader) any { return r.id() }, nil},
		{"\x1f", func(r *reader) any { return r.millis() }, int64(0)},
		{"x\x1f", func(r *reader) any { return r.millis() }, nil},
		{"l\x1f", func(r *reader) any { return r.code(sourceCodes) }, uint8(byClock)},
		{"\x1f", func(r *reader) any { return r.code(sourceCodes) }, nil},
		{"da\x1f", func(r *reader) any { return r.code(sourceCodes) }, nil},
		{"z\x1f", func(r *reader) any { return r.code(sourceCodes) }, nil},
		{"\x1e", func(r *reader) any { r.endRow(); return nil }, true},
		{"x", func(r *reader) any { r.endRow(); return nil }, nil},
		{"", func(r *reader) any { r.endRow(); return nil }, nil},
	} {
		r := reader{data: tt.text}
		got := tt.read(&r)
		if r.bad != (tt.want == nil) || tt.want != nil && tt.want != true && got != tt.want || r.data != "" {
			t.Errorf("%q: %v, %+v", tt.text, got, r)
		}
		if r.bad && (r.field() != "" || r.number() != 0 || r.row() != "" || !r.bad) {
			t.Errorf("%q: after the error %+v", tt.text, r)
		}
	}
	if got := string(appendField(nil, "a\x1eb\x1fc")); got != "a b c\x1f" {
		t.Errorf("a field with separators: %q", got)
	}
}
