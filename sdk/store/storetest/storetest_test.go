package storetest_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A wrong store is a memory store with one promise broken.
type wrong struct {
	store.Store
	get    func(ctx context.Context, s store.Store, keys []string) ([][]byte, error)
	scan   func(ctx context.Context, s store.Store, r store.Range) ([]store.Record, error)
	commit func(ctx context.Context, s store.Store, expect []store.Record, ops []store.Op) error
	close  func(s store.Store) error
}

func (w *wrong) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	if w.get != nil {
		return w.get(ctx, w.Store, keys)
	}
	return w.Store.Get(ctx, keys...)
}

func (w *wrong) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	if w.scan != nil {
		return w.scan(ctx, w.Store, r)
	}
	return w.Store.Scan(ctx, r)
}

func (w *wrong) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	if w.commit != nil {
		return w.commit(ctx, w.Store, expect, ops)
	}
	return w.Store.Commit(ctx, expect, ops)
}

func (w *wrong) Close() error {
	if w.close != nil {
		return w.close(w.Store)
	}
	return w.Store.Close()
}

func TestWrongStoresFail(t *testing.T) {
	for _, v := range []struct {
		name   string
		store  wrong
		caught string // by this check at least
	}{
		{"ignores expectations", wrong{commit: func(ctx context.Context, s store.Store, _ []store.Record, ops []store.Op) error {
			return s.Commit(ctx, nil, ops)
		}}, "conflict leaves everything as it was"},
		{"writes before it compares", wrong{commit: func(ctx context.Context, s store.Store, expect []store.Record, ops []store.Op) error {
			err := s.Commit(ctx, expect, nil)
			if len(ops) > 0 {
				s.Commit(ctx, nil, ops[:1])
			}
			if err != nil {
				return err
			}
			return s.Commit(ctx, nil, ops)
		}}, "conflict leaves everything as it was"},
		{"compares in one step and writes in another", wrong{commit: func(ctx context.Context, s store.Store, expect []store.Record, ops []store.Op) error {
			if err := s.Commit(ctx, expect, nil); err != nil {
				return err
			}
			time.Sleep(time.Microsecond)
			return s.Commit(ctx, nil, ops)
		}}, "one winner among concurrent commits"},
		{"takes absent for anything", wrong{commit: func(ctx context.Context, s store.Store, expect []store.Record, ops []store.Op) error {
			var some []store.Record
			for _, r := range expect {
				if r.Value != nil {
					some = append(some, r)
				}
			}
			return s.Commit(ctx, some, ops)
		}}, "conflict leaves everything as it was"},
		{"takes empty for absent", wrong{get: func(ctx context.Context, s store.Store, keys []string) ([][]byte, error) {
			values, err := s.Get(ctx, keys...)
			for i := range values {
				if len(values[i]) == 0 {
					values[i] = nil
				}
			}
			return values, err
		}}, "empty value is not absent"},
		{"writes one op at a time", wrong{commit: func(ctx context.Context, s store.Store, expect []store.Record, ops []store.Op) error {
			if err := s.Commit(ctx, expect, nil); err != nil {
				return err
			}
			for _, op := range ops {
				if err := s.Commit(ctx, nil, []store.Op{op}); err != nil {
					return err
				}
				time.Sleep(time.Microsecond)
			}
			return nil
		}}, "readers see whole commits"},
		{"writes backwards", wrong{commit: func(ctx context.Context, s store.Store, expect []store.Record, ops []store.Op) error {
			var backwards []store.Op
			for _, op := range ops {
				backwards = append([]store.Op{op}, backwards...)
			}
			return s.Commit(ctx, expect, backwards)
		}}, "ops apply in order"},
		{"says yes and forgets", wrong{commit: func(ctx context.Context, s store.Store, expect []store.Record, _ []store.Op) error {
			return s.Commit(ctx, expect, nil)
		}}, "put, get and delete"},
		{"deletes the end of a range", wrong{commit: func(ctx context.Context, s store.Store, expect []store.Record, ops []store.Op) error {
			var more []store.Op
			for _, op := range ops {
				more = append(more, op)
				if op.Kind == store.OpDeleteRange && op.To > op.Key {
					more = append(more, store.Delete(op.To))
				}
			}
			return s.Commit(ctx, expect, more)
		}}, "delete of a range"},
		{"scans the end of a range", wrong{scan: func(ctx context.Context, s store.Store, r store.Range) ([]store.Record, error) {
			if r.To > r.From {
				r.To += "\x00"
			}
			return s.Scan(ctx, r)
		}}, "scan of ranges"},
		{"limits before it reverses", wrong{scan: func(ctx context.Context, s store.Store, r store.Range) ([]store.Record, error) {
			reverse := r.Reverse
			r.Reverse = false
			found, err := s.Scan(ctx, r)
			if reverse {
				for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
					found[i], found[j] = found[j], found[i]
				}
			}
			return found, err
		}}, "scan with limit and reverse"},
		{"goes on when cancelled", wrong{commit: func(ctx context.Context, s store.Store, expect []store.Record, ops []store.Op) error {
			return s.Commit(context.WithoutCancel(ctx), expect, ops)
		}}, "cancelled context"},
		{"goes on when closed", wrong{close: func(store.Store) error { return nil }}, "closed store"},
	} {
		t.Run(v.name, func(t *testing.T) {
			caught := false
			for _, check := range storetest.Checks {
				s := v.store
				s.Store = store.NewMemory()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if err := check.Run(ctx, &s); err != nil && check.Name == v.caught {
					caught = true
				}
				cancel()
			}
			if !caught {
				t.Errorf("%q did not notice", v.caught)
			}
		})
	}
}
