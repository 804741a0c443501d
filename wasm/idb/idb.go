//go:build js && wasm

// Package idb keeps records in the browser's IndexedDB.
//
// Its other half is idb.js, which does each operation as one transaction.
package idb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/store"
)

// patience is how long other tabs may be in the way of opening or deleting, and
// half of how long the browser may say nothing at all.
var patience = 5 * time.Second

// A Store is a [store.Store] on one IndexedDB database. It is safe for
// concurrent use, also by several tabs.
//
// A connection that the browser took away is opened again by the next
// operation, and an operation that lost it half-way is tried again as a whole.
type Store struct {
	host   safejs.Value
	name   string
	onLost safejs.Func
	turn   chan struct{} // held while opening

	mu     sync.Mutex
	db     safejs.Value // undefined if there is no connection
	closed bool
}

var _ store.Store = (*Store)(nil)

// Open opens the database called name and creates it if need be. It uses
// host.openDatabase, the function that idb.js exports.
//
// onLost may be nil. It is called, on a goroutine of its own, when the browser
// or another tab takes the database away: when site data are cleared, when
// [Delete] runs, or when a newer version of the program changes the schema.
// The Store stays usable if the database can be opened again, but may find it
// empty; commits that expect records then fail with [store.ErrConflict].
//
// Durability is "strict": a commit that succeeded survives a power failure as
// far as the browser and the disk keep their word. Browsers may clear the
// database at any time all the same, Safari after seven days without a visit.
func Open(ctx context.Context, host safejs.Value, name string, onLost func(error)) (*Store, error) {
	s := &Store{host: host, name: name, turn: make(chan struct{}, 1), db: safejs.Undefined()}
	f, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		if onLost != nil {
			go onLost(&Error{Name: text(args[0]), Op: "connection", Text: text(args[1])})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("idb: open: %w", err)
	}
	s.onLost = f
	if _, err := s.connection(ctx); err != nil {
		_ = s.Close() // fails only the second time
		return nil, err
	}
	return s, nil
}

// Delete deletes the database called name with all its records. It uses
// host.deleteDatabase, the function that idb.js exports. Stores that have the
// database open lose it. An [*Error] named BlockedError means that another tab
// holds on to the database; it is deleted when that tab lets go.
func Delete(ctx context.Context, host safejs.Value, name string) error {
	_, err := call(ctx, "delete", host, "deleteDatabase", name, patience.Milliseconds())
	return err
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	result, err := s.run(ctx, "get", encodeKeys(keys))
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(keys))
	for i := range values {
		if values[i], err = element(result, i); err != nil {
			return nil, fmt.Errorf("idb: get: %w", err)
		}
	}
	return values, nil
}

// Scan implements [store.Store].
func (s *Store) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	result, err := s.run(ctx, "scan", encodeKey(r.From), encodeKey(r.To), max(r.Limit, 0), r.Reverse)
	if err != nil {
		return nil, err
	}
	records, err := decodeRecords(result)
	if err != nil {
		return nil, fmt.Errorf("idb: scan: %w", err)
	}
	return records, nil
}

// Commit implements [store.Store]. Its error when ctx ends says nothing about
// the outcome: the records may be stored.
func (s *Store) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	keys, values, changes, err := encodeCommit(expect, ops)
	if err != nil {
		return fmt.Errorf("idb: commit: %w", err)
	}
	_, err = s.run(ctx, "commit", keys, values, changes)
	if e, ok := errors.AsType[*Error](err); ok && e.Name == "ConflictError" {
		return store.ErrConflict
	}
	return err
}

// Close implements [store.Store]. Operations under way still end.
func (s *Store) Close() error {
	s.mu.Lock()
	closed, db := s.closed, s.db
	s.closed, s.db = true, safejs.Undefined()
	s.mu.Unlock()
	if closed {
		return store.ErrClosed
	}
	shut(db)
	s.onLost.Release()
	return nil
}

// attempts is how often an operation is tried on lost connections. The second
// attempt may still meet a database that is just being cleared.
const attempts = 3

// run does one operation on the connection, and again on a new one if the
// connection turns out to be lost.
func (s *Store) run(ctx context.Context, method string, args ...any) (safejs.Value, error) {
	for attempt := 1; ; attempt++ {
		db, err := s.connection(ctx)
		var result safejs.Value
		if err == nil {
			result, err = call(ctx, method, db, method, args...)
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || !e.lost() || attempt == attempts {
			return result, err
		}
		s.forget(db)
	}
}

// connection returns the connection, and opens one if there is none.
func (s *Store) connection(ctx context.Context) (safejs.Value, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return safejs.Undefined(), fmt.Errorf("idb: open: %w", ctx.Err())
	}
	defer func() { <-s.turn }()
	s.mu.Lock()
	db, closed := s.db, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return db, store.ErrClosed
	case !db.IsUndefined():
		return db, nil
	}
	db, err := call(ctx, "open", s.host, "openDatabase", s.name, patience.Milliseconds(), s.onLost)
	if err != nil {
		return db, err
	}
	s.mu.Lock()
	closed = s.closed
	if !closed {
		s.db = db
	}
	s.mu.Unlock()
	if closed {
		shut(db)
		return db, store.ErrClosed
	}
	return db, nil
}

// forget lets go of a lost connection, unless another operation has already.
func (s *Store) forget(db safejs.Value) {
	s.mu.Lock()
	if s.db.Equal(db) {
		s.db = safejs.Undefined()
	}
	s.mu.Unlock()
	shut(db)
}

// shut closes a connection, after which it reports no loss. The error is
// nobody's: at worst the browser closes it later.
func shut(db safejs.Value) {
	if !db.IsUndefined() {
		_, _ = db.Call("close")
	}
}

// call does target.method(args..., done) and waits for done. When ctx ends
// first, what is opened later is closed.
func call(ctx context.Context, op string, target safejs.Value, method string, args ...any) (safejs.Value, error) {
	if err := ctx.Err(); err != nil {
		return safejs.Undefined(), fmt.Errorf("idb: %s: %w", op, err)
	}
	type answer struct {
		value safejs.Value
		err   error
	}
	answers := make(chan answer, 1)
	var done safejs.Func
	done, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		done.Release()
		if name := text(args[0]); name != "" {
			answers <- answer{err: &Error{Name: name, Op: op, Text: text(args[1])}}
		} else if len(args) > 2 {
			answers <- answer{value: args[2]}
		} else {
			answers <- answer{}
		}
		return nil
	})
	if err != nil {
		return safejs.Undefined(), fmt.Errorf("idb: %s: %w", op, err)
	}
	if _, err := target.Call(method, append(args[:len(args):len(args)], done)...); err != nil {
		done.Release()
		return safejs.Undefined(), fmt.Errorf("idb: %s: the program was given no working %s: %w", op, method, err)
	}
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		if op == "open" {
			go func() { shut((<-answers).value) }()
		}
		return safejs.Undefined(), fmt.Errorf("idb: %s: no answer yet: %w", op, ctx.Err())
	}
}
