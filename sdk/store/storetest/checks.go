package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"xmpp-pam/sdk/store"
)

func absent(ctx context.Context, s store.Store) error {
	if err := wantGet(ctx, s, "a", nil, "b", nil); err != nil {
		return err
	}
	values, err := s.Get(ctx)
	if err != nil || len(values) != 0 {
		return fmt.Errorf("Get without keys: %q, %v", values, err)
	}
	return wantScan(ctx, s, store.Range{}, "")
}

func putGetDelete(ctx context.Context, s store.Store) error {
	return steps(
		func() error { return put(ctx, s, "a", "1", "b", "2") },
		func() error { return wantGet(ctx, s, "b", "2", "x", nil, "a", "1", "b", "2") },
		func() error { return put(ctx, s, "a", "3") },
		func() error { return wantGet(ctx, s, "a", "3", "b", "2") },
		func() error { return s.Commit(ctx, nil, []store.Op{store.Delete("a"), store.Delete("x")}) },
		func() error { return wantGet(ctx, s, "a", nil, "b", "2") },
		func() error { return wantScan(ctx, s, store.Range{}, "b=2") },
	)
}

func emptyValue(ctx context.Context, s store.Store) error {
	return steps(
		func() error { return s.Commit(ctx, nil, []store.Op{store.Put("a", []byte{}), store.Put("b", nil)}) },
		func() error { return wantGet(ctx, s, "a", "", "b", "") },
		func() error { return wantScan(ctx, s, store.Range{}, "a= b=") },
		func() error { return wantConflict(s.Commit(ctx, []store.Record{{Key: "a"}}, nil)) },
		func() error { return s.Commit(ctx, []store.Record{{Key: "a", Value: []byte{}}}, nil) },
		func() error { return wantConflict(s.Commit(ctx, []store.Record{{Key: "c", Value: []byte{}}}, nil)) },
	)
}

func largeValues(ctx context.Context, s store.Store) error {
	large := make([]byte, 2<<20)
	for i := range large {
		large[i] = byte(i ^ i>>8)
	}
	if err := s.Commit(ctx, nil, []store.Op{store.Put("large", large)}); err != nil {
		return err
	}
	values, err := s.Get(ctx, "large")
	if err != nil || len(values) != 1 || !bytes.Equal(values[0], large) {
		return fmt.Errorf("the value came back changed, %v", err)
	}
	other := bytes.Clone(large)
	other[len(other)-1]++
	if err := wantConflict(s.Commit(ctx, []store.Record{{Key: "large", Value: other}}, nil)); err != nil {
		return err
	}
	return s.Commit(ctx, []store.Record{{Key: "large", Value: large}}, []store.Op{store.Delete("large")})
}

func valuesStay(ctx context.Context, s store.Store) error {
	if err := put(ctx, s, "a", "old", "b", "old"); err != nil {
		return err
	}
	values, err := s.Get(ctx, "a")
	if err != nil {
		return err
	}
	records, err := s.Scan(ctx, store.Range{})
	if err != nil {
		return err
	}
	err = s.Commit(ctx, nil, []store.Op{store.Put("a", []byte("new")), store.Delete("b"), store.Put("0", nil)})
	if err != nil {
		return err
	}
	if len(values) != 1 || string(values[0]) != "old" || format(records) != "a=old b=old" {
		return fmt.Errorf("a later commit changed what was read before: %q, %q", values, format(records))
	}
	return nil
}

func manyRecords(ctx context.Context, s store.Store) error {
	var ops []store.Op
	for i := range 1000 {
		ops = append(ops, store.Put(fmt.Sprintf("k/%03d", i*7%1000), []byte{byte(i)}))
	}
	if err := s.Commit(ctx, nil, ops); err != nil {
		return err
	}
	records, err := s.Scan(ctx, store.Range{})
	if err != nil || len(records) != 1000 || records[999].Key != "k/999" {
		return fmt.Errorf("1000 records were stored, %d came back, %v", len(records), err)
	}
	return nil
}

func scanOrder(ctx context.Context, s store.Store) error {
	return steps(
		func() error {
			return put(ctx, s, "b", "1", "a~", "2", "B", "3", "a", "4", "a!", "5", "10", "6", "9", "7", "_", "8", "aa", "9")
		},
		func() error { return wantScan(ctx, s, store.Range{}, "10=6 9=7 B=3 _=8 a=4 a!=5 aa=9 a~=2 b=1") },
		func() error {
			return wantScan(ctx, s, store.Range{Reverse: true}, "b=1 a~=2 aa=9 a!=5 a=4 _=8 B=3 9=7 10=6")
		},
	)
}

func scanRanges(ctx context.Context, s store.Store) error {
	if err := put(ctx, s, "a", "1", "b", "2", "c", "3", "d", "4"); err != nil {
		return err
	}
	for _, v := range []struct{ from, to, want string }{
		{"", "", "a=1 b=2 c=3 d=4"},
		{"b", "", "b=2 c=3 d=4"},
		{"", "c", "a=1 b=2"},
		{"b", "d", "b=2 c=3"},
		{"aa", "cc", "b=2 c=3"},
		{"b", "b", ""},
		{"b", "b!", "b=2"},
		{"c", "b", ""},
		{"d", "a", ""},
		{"e", "", ""},
		{"", "a", ""},
		{"b!", "c", ""},
	} {
		for _, reverse := range []bool{false, true} {
			want := v.want
			if reverse {
				want = reversed(want)
			}
			if err := wantScan(ctx, s, store.Range{From: v.from, To: v.to, Reverse: reverse}, want); err != nil {
				return err
			}
		}
	}
	return nil
}

func scanLimits(ctx context.Context, s store.Store) error {
	if err := put(ctx, s, "a", "1", "b", "2", "c", "3", "d", "4"); err != nil {
		return err
	}
	for _, v := range []struct {
		r    store.Range
		want string
	}{
		{store.Range{Limit: 1}, "a=1"},
		{store.Range{Limit: 3}, "a=1 b=2 c=3"},
		{store.Range{Limit: 4}, "a=1 b=2 c=3 d=4"},
		{store.Range{Limit: 9}, "a=1 b=2 c=3 d=4"},
		{store.Range{Limit: -1}, "a=1 b=2 c=3 d=4"},
		{store.Range{Limit: 1, Reverse: true}, "d=4"},
		{store.Range{Limit: 3, Reverse: true}, "d=4 c=3 b=2"},
		{store.Range{From: "b", Limit: 2}, "b=2 c=3"},
		{store.Range{To: "d", Limit: 2, Reverse: true}, "c=3 b=2"},
		{store.Range{From: "b", To: "d", Limit: 1}, "b=2"},
		{store.Range{From: "b", To: "d", Limit: 1, Reverse: true}, "c=3"},
		{store.Range{From: "d", To: "b", Limit: 1, Reverse: true}, ""},
	} {
		if err := wantScan(ctx, s, v.r, v.want); err != nil {
			return err
		}
	}
	return nil
}

func opsOrder(ctx context.Context, s store.Store) error {
	one, two := []byte("1"), []byte("2")
	return steps(
		func() error {
			return s.Commit(ctx, nil, []store.Op{
				store.Put("a", one), store.Put("a", two),
				store.Put("b", one), store.Delete("b"),
				store.Delete("c"), store.Put("c", one),
				store.Put("d", one), store.DeleteRange("d", "e"), store.Put("dd", two),
			})
		},
		func() error { return wantScan(ctx, s, store.Range{}, "a=2 c=1 dd=2") },
	)
}

func deleteRange(ctx context.Context, s store.Store) error {
	for _, v := range []struct{ from, to, left string }{
		{"b", "d", "a=1 d=4"},
		{"aa", "cc", "a=1 d=4"},
		{"b", "b", "a=1 b=2 c=3 d=4"},
		{"c", "b", "a=1 b=2 c=3 d=4"},
		{"x", "z", "a=1 b=2 c=3 d=4"},
		{"", "b", "b=2 c=3 d=4"},
		{"c", "", "a=1 b=2"},
		{"", "", ""},
	} {
		err := steps(
			func() error { return put(ctx, s, "a", "1", "b", "2", "c", "3", "d", "4") },
			func() error { return s.Commit(ctx, nil, []store.Op{store.DeleteRange(v.from, v.to)}) },
			func() error { return wantScan(ctx, s, store.Range{}, v.left) },
		)
		if err != nil {
			return fmt.Errorf("DeleteRange(%q, %q): %w", v.from, v.to, err)
		}
	}
	return nil
}

func expectRight(ctx context.Context, s store.Store) error {
	return steps(
		func() error {
			return s.Commit(ctx, records("a", nil, "b", nil), []store.Op{store.Put("a", []byte("1")), store.Put("c", []byte("1"))})
		},
		func() error {
			return s.Commit(ctx, records("a", "1", "b", nil, "c", "1"), []store.Op{store.Put("b", []byte("2")), store.Delete("a")})
		},
		func() error { return wantScan(ctx, s, store.Range{}, "b=2 c=1") },
	)
}

func conflict(ctx context.Context, s store.Store) error {
	if err := put(ctx, s, "a", "1", "b", "2", "c", "3"); err != nil {
		return err
	}
	ops := []store.Op{store.Put("a", []byte("9")), store.Delete("b"), store.Put("new", nil), store.DeleteRange("c", "")}
	for _, expect := range [][]store.Record{
		records("a", "2"),
		records("a", nil),
		records("a", ""),
		records("a", "11"),
		records("x", "1"),
		records("a", "1", "b", "1"),
		records("x", nil, "y", nil, "c", "4"),
		records("x", nil, "a", "1", "c", nil),
	} {
		if err := wantConflict(s.Commit(ctx, expect, ops)); err != nil {
			return err
		}
		if err := wantScan(ctx, s, store.Range{}, "a=1 b=2 c=3"); err != nil {
			return fmt.Errorf("after a conflict: %w", err)
		}
	}
	return s.Commit(ctx, records("a", "1", "b", "2", "c", "3"), ops)
}

func expectBefore(ctx context.Context, s store.Store) error {
	return steps(
		func() error { return s.Commit(ctx, records("a", nil), []store.Op{store.Put("a", []byte("1"))}) },
		func() error {
			return wantConflict(s.Commit(ctx, records("a", "2"), []store.Op{store.Put("a", []byte("2"))}))
		},
		func() error { return wantScan(ctx, s, store.Range{}, "a=1") },
	)
}

func emptyCommit(ctx context.Context, s store.Store) error {
	return steps(
		func() error { return s.Commit(ctx, nil, nil) },
		func() error { return s.Commit(ctx, records("a", nil), nil) },
		func() error { return wantConflict(s.Commit(ctx, records("a", "1"), nil)) },
		func() error { return wantScan(ctx, s, store.Range{}, "") },
	)
}

func unknownOp(ctx context.Context, s store.Store) error {
	if err := s.Commit(ctx, nil, []store.Op{store.Put("a", nil), {Kind: 99, Key: "b"}}); err == nil {
		return errors.New("Commit took an op of a kind that does not exist")
	}
	return wantScan(ctx, s, store.Range{}, "")
}

// steps runs the functions in order until one fails.
func steps(all ...func() error) error {
	for i, step := range all {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

// put stores the given keys and values, which alternate, in one commit.
func put(ctx context.Context, s store.Store, pairs ...string) error {
	var ops []store.Op
	for i := 0; i < len(pairs); i += 2 {
		ops = append(ops, store.Put(pairs[i], []byte(pairs[i+1])))
	}
	return s.Commit(ctx, nil, ops)
}

// records builds records from alternating keys and values; a nil value means that
// the record does not exist.
func records(pairs ...any) []store.Record {
	var all []store.Record
	for i := 0; i < len(pairs); i += 2 {
		r := store.Record{Key: pairs[i].(string)}
		if value, ok := pairs[i+1].(string); ok {
			r.Value = []byte(value)
		}
		all = append(all, r)
	}
	return all
}

// wantGet gets all keys at once; keys and values are given as for records.
func wantGet(ctx context.Context, s store.Store, pairs ...any) error {
	want := records(pairs...)
	keys := make([]string, len(want))
	for i, r := range want {
		keys[i] = r.Key
	}
	values, err := s.Get(ctx, keys...)
	if err != nil || len(values) != len(keys) {
		return fmt.Errorf("Get(%q) = %q, %v", keys, values, err)
	}
	for i, r := range want {
		if (values[i] == nil) != (r.Value == nil) || !bytes.Equal(values[i], r.Value) {
			return fmt.Errorf("Get(%q): got %#v, want %#v", r.Key, values[i], r.Value)
		}
	}
	return nil
}

func wantScan(ctx context.Context, s store.Store, r store.Range, want string) error {
	got, err := s.Scan(ctx, r)
	if err != nil || format(got) != want {
		return fmt.Errorf("Scan(%+v) = %q, %v, want %q", r, format(got), err, want)
	}
	return nil
}

func wantConflict(err error) error {
	if !errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("Commit with a wrong expectation: %v, want ErrConflict", err)
	}
	return nil
}

func format(records []store.Record) string {
	var all []string
	for _, r := range records {
		value := string(r.Value)
		if r.Value == nil {
			value = "(nil)"
		}
		all = append(all, r.Key+"="+value)
	}
	return strings.Join(all, " ")
}

func reversed(list string) string {
	words := strings.Fields(list)
	for i, j := 0, len(words)-1; i < j; i, j = i+1, j-1 {
		words[i], words[j] = words[j], words[i]
	}
	return strings.Join(words, " ")
}
