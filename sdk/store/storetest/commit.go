package storetest

import (
	"context"
	"errors"
	"fmt"

	"xmpp-pam/sdk/store"
)

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
		return errors.New("an op of an unknown kind was accepted by Commit")
	}
	return wantScan(ctx, s, store.Range{}, "")
}
