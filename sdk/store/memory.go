package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Memory is a Store that keeps its records in memory. It does not copy values; Put
// and Store forbid modifying them.
type Memory struct {
	mu      sync.RWMutex
	records []Record // sorted by key; values are never nil
	closed  bool
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory { return new(Memory) }

// Get implements Store.
func (m *Memory) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	values := make([][]byte, len(keys))
	for i, key := range keys {
		values[i] = m.value(key)
	}
	return values, nil
}

// Scan implements Store.
func (m *Memory) Scan(ctx context.Context, r Range) ([]Record, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	from, to := m.bounds(r.From, r.To)
	if n := to - from; r.Limit > 0 && r.Limit < n {
		if r.Reverse {
			from = to - r.Limit
		} else {
			to = from + r.Limit
		}
	}
	records := slices.Clone(m.records[from:to])
	if r.Reverse {
		slices.Reverse(records)
	}
	return records, nil
}

// Commit implements Store. Its only errors are ErrConflict, ErrClosed, the error of
// ctx, and an error for an Op of unknown kind. It changes nothing if it returns an
// error.
func (m *Memory) Commit(ctx context.Context, expect []Record, ops []Op) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(ctx); err != nil {
		return err
	}
	for _, r := range expect {
		value := m.value(r.Key)
		if (value == nil) != (r.Value == nil) || !bytes.Equal(value, r.Value) {
			return ErrConflict
		}
	}
	for _, op := range ops {
		if op.Kind > OpDeleteRange {
			return fmt.Errorf("store: an op of unknown kind %d; build ops with Put, Delete or DeleteRange", op.Kind)
		}
	}
	for _, op := range ops {
		m.apply(op)
	}
	return nil
}

// Close implements Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.closed, m.records = true, nil
	return nil
}

func (m *Memory) usable(ctx context.Context) error {
	if m.closed {
		return ErrClosed
	}
	return ctx.Err()
}

func (m *Memory) apply(op Op) {
	i, found := m.find(op.Key)
	switch op.Kind {
	case OpPut:
		r := Record{Key: op.Key, Value: op.Value}
		if r.Value == nil {
			r.Value = []byte{}
		}
		if found {
			m.records[i] = r
		} else {
			m.records = slices.Insert(m.records, i, r)
		}
	case OpDelete:
		if found {
			m.records = slices.Delete(m.records, i, i+1)
		}
	case OpDeleteRange:
		from, to := m.bounds(op.Key, op.To)
		m.records = slices.Delete(m.records, from, to)
	}
}

func (m *Memory) value(key string) []byte {
	if i, found := m.find(key); found {
		return m.records[i].Value
	}
	return nil
}

func (m *Memory) find(key string) (int, bool) {
	return slices.BinarySearchFunc(m.records, key, func(r Record, key string) int {
		return strings.Compare(r.Key, key)
	})
}

// bounds returns the index of the first record of a range and the index after its
// last.
func (m *Memory) bounds(from, to string) (int, int) {
	first, _ := m.find(from)
	end := len(m.records)
	if to != "" {
		end, _ = m.find(to)
	}
	return first, max(first, end)
}
