// Package store keeps an account's records between sessions.
//
// It knows no protocol: keys are strings, values are bytes, and one commit
// changes all of its records or none of them, provided that the records it was
// built on are still what the caller saw. Subscription list, version,
// resumption state and tokens all fit.
package store

import (
	"context"
	"errors"
)

// ErrConflict is returned by Commit when a stored record is not what the
// caller expected. Nothing was changed; read again and decide anew.
var ErrConflict = errors.New("store: a record is not what it was expected to be")

// ErrClosed is returned by every method of a closed Store.
var ErrClosed = errors.New("store: closed")

// A Record is a key and its value. Keys are compared bytewise.
type Record struct {
	Key   string
	Value []byte
}

// A Range selects keys from From (included) to To (excluded). An empty From
// starts at the first key, an empty To ends after the last. Limit bounds the
// number of records if it is greater than zero. Reverse yields the last keys
// first.
type Range struct {
	From, To string
	Limit    int
	Reverse  bool
}

// An Op changes records in a commit. Build one with Put, Delete or DeleteRange.
type Op struct {
	Kind  OpKind
	Key   string // of Put and Delete; the first key of DeleteRange
	To    string // the end of DeleteRange, excluded
	Value []byte
}

// OpKind says what an Op does.
type OpKind uint8

// The kinds of Op.
const (
	OpPut OpKind = iota
	OpDelete
	OpDeleteRange
)

// Put writes a record. The value must not be changed afterwards.
func Put(key string, value []byte) Op { return Op{Kind: OpPut, Key: key, Value: value} }

// Delete removes a record if it is there.
func Delete(key string) Op { return Op{Kind: OpDelete, Key: key} }

// DeleteRange removes every record from from (included) to to (excluded); empty
// ends mean the same as in a Range.
func DeleteRange(from, to string) Op { return Op{Kind: OpDeleteRange, Key: from, To: to} }

// A Store keeps records. It is safe for concurrent use. Values returned must
// not be modified.
type Store interface {
	// Get returns one value per key, nil for a key that is absent.
	Get(ctx context.Context, keys ...string) ([][]byte, error)

	// Scan returns the records in r, in key order.
	Scan(ctx context.Context, r Range) ([]Record, error)

	// Commit applies ops in order if every record in expect still has the
	// given value, a nil value meaning that the record is absent. It returns
	// ErrConflict, and has changed nothing, otherwise. When Commit returns nil
	// the records are stored; when it returns another error they may be.
	Commit(ctx context.Context, expect []Record, ops []Op) error

	// Close releases the store. Records stay.
	Close() error
}
