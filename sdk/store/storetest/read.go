package storetest

import (
	"bytes"
	"context"
	"fmt"

	"xmpp-pam/sdk/store"
)

func absent(ctx context.Context, s store.Store) error {
	if err := wantGet(ctx, s, "a", nil, "b", nil); err != nil {
		return err
	}
	values, err := s.Get(ctx)
	if err != nil || len(values) != 0 {
		return fmt.Errorf("a Get without keys: %q, %v", values, err)
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
