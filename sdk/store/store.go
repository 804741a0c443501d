// Package store keeps an account's records between sessions.
//
// A store is independent of the protocol: keys are strings and values are bytes. A
// commit changes all of its records or none of them, and only if the records that it
// is based on still have the values that the caller read. The client stores the
// subscription list, its version and the state of resumable sessions.
//
// [Memory] keeps records in memory, and package store/file in files, which several
// processes may use. Package storetest is the test suite for other implementations.
package store

import (
	"context"
	"errors"
)

// ErrConflict is returned by Commit if a stored record does not have the expected
// value. Commit has then changed nothing; the caller should read the records again.
var ErrConflict = errors.New("store: a record is not what it was expected to be")

// ErrClosed is returned by every method of a closed Store.
var ErrClosed = errors.New("store: closed")

// A Record is a key and its value. Keys are compared bytewise.
type Record struct {
	Key   string
	Value []byte
}

// A Range selects keys from From (inclusive) to To (exclusive). An empty From
// means the first key, an empty To the end of the store. Limit is the maximum
// number of records if it is greater than zero. Reverse reverses the order, so that
// Limit selects the last keys.
type Range struct {
	From, To string
	Limit    int
	Reverse  bool
}

// An Op changes records in a commit. Build one with Put, Delete or DeleteRange.
type Op struct {
	Kind  OpKind
	Key   string // the key of Put and Delete; the start of DeleteRange, inclusive
	To    string // the end of DeleteRange, exclusive
	Value []byte
}

// OpKind is the kind of an Op.
type OpKind uint8

// The kinds of Op.
const (
	OpPut OpKind = iota
	OpDelete
	OpDeleteRange
)

// Put returns an Op that writes a record. The caller must not modify value
// afterwards.
func Put(key string, value []byte) Op { return Op{Kind: OpPut, Key: key, Value: value} }

// Delete returns an Op that removes a record if it exists.
func Delete(key string) Op { return Op{Kind: OpDelete, Key: key} }

// DeleteRange returns an Op that removes every record from from (inclusive) to to
// (exclusive). Empty ends have the same meaning as in a Range.
func DeleteRange(from, to string) Op { return Op{Kind: OpDeleteRange, Key: from, To: to} }

// A Store keeps records. It is safe for concurrent use. Callers must not modify the
// values that it returns.
type Store interface {
	// Get returns one value per key, and nil for a key that does not exist.
	Get(ctx context.Context, keys ...string) ([][]byte, error)

	// Scan returns the records in r, in key order.
	Scan(ctx context.Context, r Range) ([]Record, error)

	// Commit applies ops in order if every record in expect has the given value; a
	// nil value means that the record does not exist. Otherwise Commit changes
	// nothing and returns ErrConflict. If Commit returns nil, the changes are
	// stored. If it returns any other error, the changes may or may not be stored.
	Commit(ctx context.Context, expect []Record, ops []Op) error

	// Close releases the store. The records stay stored, except in Memory.
	Close() error
}
