//go:build js && wasm

// Package idb keeps records in the browser's IndexedDB.
//
// Its JavaScript half is idb.js, which does each operation as one transaction.
package idb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/store"
)

// blockedTimeout is how long other tabs may block opening or deleting the database,
// and half the time within which the browser must answer. Both are shorter than the
// time-out of package client for a store.
var blockedTimeout = 4 * time.Second

// A Store is a [store.Store] on one IndexedDB database. It is safe for
// concurrent use, also by several tabs.
//
// The first commit that puts a record creates the database. A commit that only
// deletes all records and expects nothing deletes the database. A database that
// does not exist behaves like one without records.
//
// If the browser has closed the connection, the next operation opens a new one. If
// the browser closes the connection during an operation, the operation is repeated
// as a whole.
type Store struct {
	host   safejs.Value
	name   string
	warn   func(error)
	onLost safejs.Func
	turn   chan struct{} // held while opening and deleting

	mu     sync.Mutex
	db     safejs.Value // undefined if there is no connection
	closed bool
}

var _ store.Store = (*Store)(nil)

// Open returns the store on the database called name, and checks that the
// database can be opened. It does not create the database. It uses
// host.openDatabase and host.deleteDatabase, the functions that idb.js exports.
//
// warn may be nil. It is called, on a goroutine of its own, with an [*Error]:
//
//   - of Op "connection", when the browser or another tab closes the connection:
//     when site data are cleared, when the database is deleted, or when a newer version
//     of the program changes the schema. The Store stays usable if the database
//     can be opened again, but may find it empty; commits that expect records
//     then fail with [store.ErrConflict].
//   - of Op "delete", when all records were deleted but the database was not,
//     because another page keeps it open. The browser deletes it when that page
//     closes it, and no page can open it until then.
//
// Durability is "strict": a commit that succeeded survives a power failure if
// the browser and the disk honour this mode. A browser may still clear the
// database at any time; Safari does so after seven days without a visit.
func Open(ctx context.Context, host safejs.Value, name string, warn func(error)) (*Store, error) {
	if warn == nil {
		warn = func(error) {}
	}
	s := &Store{host: host, name: name, warn: warn, turn: make(chan struct{}, 1), db: safejs.Undefined()}
	f, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		go warn(&Error{Name: text(args[0]), Op: "connection", Text: text(args[1])})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("idb: open: %w", err)
	}
	s.onLost = f
	if _, err := s.connection(ctx, false); err != nil {
		_ = s.Close() // only a second Close fails
		return nil, err
	}
	return s, nil
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	result, err := s.run(ctx, false, "get", encodeKeys(keys))
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
	result, err := s.run(ctx, false, "scan", encodeKey(r.From), encodeKey(r.To), max(r.Limit, 0), r.Reverse)
	if err != nil {
		return nil, err
	}
	records, err := decodeRecords(result)
	if err != nil {
		return nil, fmt.Errorf("idb: scan: %w", err)
	}
	return records, nil
}

// Commit implements [store.Store]. When ctx ends, the commit is aborted if that
// is still possible; the error does not show whether it was.
func (s *Store) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	if len(expect) == 0 && len(ops) == 1 && ops[0].Kind == store.OpDeleteRange && ops[0].Key == "" && ops[0].To == "" {
		return s.erase(ctx, ops)
	}
	return s.commit(ctx, expect, ops)
}

func (s *Store) commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	keys, values, changes, err := encodeCommit(expect, ops)
	if err != nil {
		return fmt.Errorf("idb: commit: %w", err)
	}
	_, err = s.run(ctx, creates(expect, ops), "commit", keys, values, changes)
	if e, ok := errors.AsType[*Error](err); ok && e.Name == "ConflictError" {
		return store.ErrConflict
	}
	return err
}

// creates reports whether a commit needs a database although there is none.
func creates(expect []store.Record, ops []store.Op) bool {
	return !slices.ContainsFunc(expect, func(r store.Record) bool { return r.Value != nil }) &&
		slices.ContainsFunc(ops, func(op store.Op) bool { return op.Kind == store.OpPut })
}

// erase deletes all records, and then the database. Only an attempt to delete the
// database shows whether another page keeps it open, so the records are deleted
// first.
func (s *Store) erase(ctx context.Context, deleteAll []store.Op) error {
	failed := s.commit(ctx, nil, deleteAll)
	if errors.Is(failed, store.ErrClosed) {
		return failed
	}
	err := s.deleteDatabase(ctx)
	if _, ok := errors.AsType[*Error](err); ok && failed == nil {
		go s.warn(err)
		return nil
	}
	return err
}

// deleteDatabase deletes the database while no operation of this Store can open it.
func (s *Store) deleteDatabase(ctx context.Context) error {
	if err := s.take(ctx, "delete"); err != nil {
		return err
	}
	defer s.release()
	s.mu.Lock()
	db := s.db
	s.mu.Unlock()
	s.forget(db)
	return Delete(ctx, s.host, s.name)
}

// Delete deletes the database called name with all its records. It uses
// host.deleteDatabase, the function that idb.js exports. Stores that have the
// database open lose their connection. An [*Error] named BlockedError means that
// another tab keeps the database open; the browser deletes it when that tab closes it.
func Delete(ctx context.Context, host safejs.Value, name string) error {
	_, err := call(ctx, "delete", host, "deleteDatabase", name, blockedTimeout.Milliseconds())
	return err
}

// Close implements [store.Store]. Operations in progress still finish, at the
// latest when their contexts end.
func (s *Store) Close() error {
	s.mu.Lock()
	closed, db := s.closed, s.db
	s.closed, s.db = true, safejs.Undefined()
	s.mu.Unlock()
	if closed {
		return store.ErrClosed
	}
	shut(db)
	select {
	case s.turn <- struct{}{}:
		s.release()
	default: // The operation that holds the turn calls release.
	}
	return nil
}
