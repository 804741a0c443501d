package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"xmpp-pam/sdk/store"
)

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
		return fmt.Errorf("a Commit with a wrong expectation: %v, want ErrConflict", err)
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
