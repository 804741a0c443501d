// Package file keeps records in files, for Go programs and for Node.js.
//
// Each account has a directory of its own, which holds a log: one file for each commit,
// numbered without gaps. The file of a commit is first written under another name and
// synced, and then linked to its number. Creating a link fails if the name exists, so
// that exactly one of several processes gets a number; the others read the new file and
// compare their records again. There is no lock, and nothing to release after a crash: a
// process that ends at any moment has either linked its file or not.
//
// From time to time a commit is a snapshot of all records, and the files before the
// snapshot that precedes it are removed, in the order of their numbers. A process may
// have missed this, and even link a file to a number that is free again. It therefore
// checks, after it has read or linked a file, that the file before that is still the one
// that it has read: then no file after that one has been removed.
//
// The records are also kept in memory. The file system must support hard links, as all
// usual ones except FAT do, and must be local. The package has one implementation for all
// systems; it is tested on Linux, natively and in Node.js.
package file

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"xmpp-pam/sdk/store"
)

// A Store is a [store.Store] in files. It is safe for concurrent use, also by several
// processes.
//
// The first commit that puts a record creates the directory. A commit that only deletes
// all records and expects nothing removes it. A directory that does not exist behaves
// like one without records. Files have mode 0600, directories 0700.
//
// Methods return an [*Error], except where [store.Store] names an error. A commit that
// succeeded survives a power failure if the disk keeps what it has synced. The methods
// look at their context only between operations on files.
type Store struct {
	fs   disk
	home string // the directory of all accounts
	dir  string // the directory of the account

	mu     sync.Mutex
	closed bool
	log    logState
}

// logState is what a Store has read of the log.
type logState struct {
	id      string // in the names of the files; "" if there is no directory
	last    uint64 // the number of the last file that was read
	head    []byte // the first bytes of that file
	base    uint64 // the number of the last snapshot
	baseID  fileID
	size    int // of the last snapshot
	added   int // the size of all files after it
	records *store.Memory
}

var _ store.Store = (*Store)(nil)

// Open returns the store called name in dir, and reads it. It creates nothing. The name
// may be any text; use the account's bare JID in its normal form.
func Open(dir, name string) (*Store, error) {
	return open(disk{}, dir, name)
}

func open(fs disk, dir, name string) (*Store, error) {
	if name == "" {
		return nil, errors.New("file: open: the name of the store is empty")
	}
	s := &Store{fs: fs, home: dir, dir: filepath.Join(dir, encodeName(name))}
	if err := s.refresh(); err != nil {
		return nil, describe("open", s.dir, err)
	}
	s.sweep()
	return s, nil
}

// Delete removes the store called name in dir, even if Open fails. It is no error if
// there is none. A Store that is open finds no records afterwards.
func Delete(dir, name string) error {
	s := &Store{home: dir, dir: filepath.Join(dir, encodeName(name))}
	return describe("delete", s.dir, s.erase())
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.current(ctx, "get"); err != nil {
		return nil, err
	}
	return s.log.records.Get(ctx, keys...)
}

// Scan implements [store.Store].
func (s *Store) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.current(ctx, "scan"); err != nil {
		return nil, err
	}
	return s.log.records.Scan(ctx, r)
}

// Commit implements [store.Store]. An [*Error] with [CodeOutcomeUnknown] says that the
// changes may or may not be stored.
func (s *Store) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	if len(expect) == 0 && len(ops) == 1 && ops[0].Kind == store.OpDeleteRange && ops[0].Key == "" && ops[0].To == "" {
		return describe("delete", s.dir, s.erase())
	}
	body, err := encodeOps(ops)
	if err != nil {
		return err
	}
	for {
		if err := s.current(ctx, "commit"); err != nil {
			return err
		}
		if err := s.log.records.Commit(ctx, expect, nil); err != nil {
			return err
		}
		if len(ops) == 0 || s.log.id == "" && !puts(ops) {
			return nil
		}
		done, err := s.append(body)
		if err != nil {
			return describe("commit", s.dir, err)
		}
		if done {
			s.compact()
			return nil
		}
	}
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	s.closed, s.log = true, logState{}
	return nil
}

func (s *Store) usable(ctx context.Context) error {
	if s.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}

// current reads what other processes have stored.
func (s *Store) current(ctx context.Context, op string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return describe(op, s.dir, s.refresh())
}

func puts(ops []store.Op) bool {
	for _, op := range ops {
		if op.Kind == store.OpPut {
			return true
		}
	}
	return false
}
