package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"xmpp-pam/sdk/store"
)

// A snapshot is made after this many commits, or when they are larger than the last
// snapshot by this much. Tests change them.
var (
	maxCommits uint64 = 500
	maxBytes          = 64 << 10
)

// path returns the path of the file with a number.
func (s *Store) path(number uint64) string {
	return filepath.Join(s.logDir(), fileName(number))
}

// logDir returns the directory of the files. Each log that is made has another name, so
// that no process adds a file to a log which it has not read.
func (s *Store) logDir() string { return filepath.Join(s.dir, s.log.id) }

// refresh reads the files that were added since the last call.
func (s *Store) refresh() error {
	for {
		if s.log.id == "" {
			err := s.load()
			if err != nil {
				s.log = logState{}
			}
			return err
		}
		more, err := s.step()
		if err != nil || !more && s.log.id != "" {
			return err
		}
	}
}

// step reads the next file. It returns false if there is none, and forgets the log if
// the files have been removed meanwhile.
func (s *Store) step() (more bool, err error) {
	path := s.path(s.log.last + 1)
	data, err := s.fs.read(path)
	none := errors.Is(err, fs.ErrNotExist)
	if err != nil && !none {
		return false, err
	}
	switch complete, err := s.complete(); { // now, because the next file may have been removed before it was read
	case err != nil:
		return false, err
	case !complete:
		s.log = logState{}
		return false, nil
	case none:
		return false, nil
	}
	h, ops, err := decode(data)
	if err != nil {
		return false, &Error{Code: codeOf(err), Path: path, Err: err}
	}
	return true, s.apply(s.log.last+1, h, ops, len(data))
}

// complete reports whether the last file that was read still exists. Files are removed in
// order, so that none after it has been removed then. A process that is late may have
// added another file with its number.
func (s *Store) complete() (bool, error) {
	head, err := s.fs.head(s.path(s.log.last), headSize)
	return bytes.Equal(head, s.log.head), err
}

// apply notes what a file holds.
func (s *Store) apply(number uint64, h header, ops []store.Op, size int) error {
	if h.base == number {
		s.log.base, s.log.baseID, s.log.size, s.log.added = number, h.id, size, 0
	} else {
		s.log.added += size
	}
	s.log.last, s.log.head = number, h.head()
	return s.log.records.Commit(context.Background(), nil, ops)
}

// load reads the whole log.
func (s *Store) load() error {
	var missing *Error // the file that was missing before, and the last file then
	var then uint64
	for {
		s.log = logState{records: store.NewMemory()}
		id, err := s.find()
		if err != nil || id == "" {
			return err
		}
		s.log.id = id
		last, err := s.findLast()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if missing != nil && last == then {
			return missing
		}
		if missing, err = s.readBase(last); err != nil {
			return err
		}
		for more := missing == nil; more; {
			if more, err = s.step(); err != nil {
				return err
			}
		}
		switch {
		case missing != nil || s.log.id == "": // another process has removed files
			then = last
		case s.log.last < last:
			return missingFile(s.path(s.log.last + 1))
		default:
			return nil
		}
	}
}

// find returns the id of the log, or "" if there is none.
func (s *Store) find() (string, error) {
	names, err := s.fs.list(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(names) == 0:
		return "", nil
	case err != nil:
		return "", err
	}
	ids := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !isID(name) })
	switch {
	case len(ids) > 1:
		return "", &Error{Code: CodeDamaged, Path: s.dir, Err: errors.New("the directory holds two stores")}
	case len(ids) == 0:
		return "", &Error{Code: CodeNewerFormat, Path: filepath.Join(s.dir, names[0]), Err: errFormat}
	}
	return ids[0], nil
}

// findLast returns the number of the last file.
func (s *Store) findLast() (last uint64, err error) {
	names, err := s.fs.list(s.logDir())
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		if number, ok := parseFileName(name); ok {
			last = max(last, number)
		} else if !isTemporary(name) {
			return 0, &Error{Code: CodeNewerFormat, Path: filepath.Join(s.logDir(), name), Err: errFormat}
		}
	}
	if last == 0 {
		return 0, missingFile(s.path(1))
	}
	return last, nil
}

// readBase reads the snapshot that the last file is based on. It returns an [*Error] in
// missing if a file does not exist, or another one has its number; another process may
// have removed it.
func (s *Store) readBase(last uint64) (missing *Error, err error) {
	h, ops, size, err := s.read(last)
	if err == nil && h.base > last {
		return nil, &Error{Code: CodeDamaged, Path: s.path(last), Err: fmt.Errorf("it is based on file %d", h.base)}
	}
	if number, id := h.base, h.baseID; err == nil && number != last {
		last = number
		if h, ops, size, err = s.read(number); err == nil && (h.id != id || h.base != number) {
			err = fs.ErrNotExist
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missingFile(s.path(last)), nil
	case err != nil:
		return nil, err
	}
	return nil, s.apply(last, h, ops, size)
}

// read reads a file.
func (s *Store) read(number uint64) (h header, ops []store.Op, size int, err error) {
	path := s.path(number)
	data, err := s.fs.read(path)
	if err != nil {
		return h, nil, 0, err
	}
	if h, ops, err = decode(data); err != nil {
		return h, nil, 0, &Error{Code: codeOf(err), Path: path, Err: err}
	}
	return h, ops, len(data), nil
}

func missingFile(path string) *Error {
	return &Error{Code: CodeDamaged, Path: path, Err: errors.New("the file is missing")}
}
