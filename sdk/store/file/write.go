package file

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"xmpp-pam/sdk/store"
)

// append adds a file to the log. It returns false if another process has added one
// first, or has removed the log.
func (s *Store) append(body []byte) (done bool, err error) {
	if s.log.id == "" {
		return s.create(body)
	}
	return s.add(newHeader(s.log.base, s.log.baseID), body)
}

// add adds a file.
func (s *Store) add(h header, body []byte) (done bool, err error) {
	data := encode(h, body)
	temporary := filepath.Join(s.logDir(), temporaryName())
	err = s.fs.write(temporary, data)
	if err == nil {
		err = s.fs.link(temporary, s.path(s.log.last+1))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		_ = s.fs.remove(temporary)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case errors.Is(err, fs.ErrNotExist): // the directory was removed, or the temporary file was too old
		s.log = logState{}
		return false, nil
	case err != nil:
		return false, err
	}
	// Another process may have added and removed a file with this number.
	complete, err := s.complete()
	if err == nil && !complete {
		err = errors.New("the log was replaced meanwhile")
	}
	if err != nil {
		s.log = logState{}
		return false, &Error{Code: CodeOutcomeUnknown, Path: s.dir, Err: err}
	}
	if err := s.fs.sync(s.logDir()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	_, ops, err := decode(data)
	if err != nil {
		return false, err
	}
	return true, s.apply(s.log.last+1, h, ops, len(data))
}

// create makes the directory with its first file, which is a snapshot.
func (s *Store) create(body []byte) (done bool, err error) {
	if err := s.fs.makeAll(s.home); err != nil {
		return false, err
	}
	temporary := s.dir + newSuffix + random()
	h := newSnapshot(1)
	data := encode(h, body)
	id := random()
	log := filepath.Join(temporary, id)
	for _, do := range []func() error{
		func() error { return s.fs.make(temporary) },
		func() error { return s.fs.make(log) },
		func() error { return s.fs.write(filepath.Join(log, fileName(1)), data) },
		func() error { return s.fs.sync(log) },
		func() error { return s.fs.sync(temporary) },
		func() error { return s.fs.rename(temporary, s.dir) },
	} {
		if err = do(); err != nil {
			break
		}
	}
	if err != nil {
		_ = s.fs.removeAll(temporary)
		if loadErr := s.refresh(); loadErr != nil || s.log.id != "" { // another process was first
			return false, loadErr
		}
		return false, err
	}
	if err := s.fs.sync(s.home); err != nil {
		return false, err
	}
	_, ops, err := decode(data)
	if err != nil {
		return false, err
	}
	s.log = logState{id: id, records: store.NewMemory()}
	return true, s.apply(1, h, ops, len(data))
}

// compact adds a snapshot if the log is long. If it fails, the log stays as it is, and
// the next commit tries again.
func (s *Store) compact() {
	if s.log.last-s.log.base < maxCommits && s.log.added < s.log.size+maxBytes {
		return
	}
	records, err := s.log.records.Scan(context.Background(), store.Range{})
	if err != nil {
		return
	}
	var ops []store.Op
	for _, r := range records {
		ops = append(ops, store.Put(r.Key, r.Value))
	}
	body, err := encodeOps(ops)
	if err != nil {
		return
	}
	before := s.log.base
	if done, err := s.add(newSnapshot(s.log.last+1), body); err == nil && done {
		s.prune(before)
		s.sweep()
	}
}

// prune removes the files before a snapshot, in the order of their numbers, and stops at
// the first that cannot be removed: other processes depend on the order.
func (s *Store) prune(before uint64) {
	names, err := s.fs.list(s.logDir())
	if err != nil {
		return
	}
	slices.Sort(names)
	for _, name := range names {
		number, ok := parseFileName(name)
		if !ok || number >= before {
			continue
		}
		if err := s.fs.remove(filepath.Join(s.logDir(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}

// erase removes the directory. From the moment when it is renamed, the store is empty for
// every process.
func (s *Store) erase() error {
	s.log = logState{}
	err := s.fs.rename(s.dir, s.dir+oldSuffix+random())
	for range 20 { // Windows does not rename a directory while another process reads a file in it
		if runtime.GOOS != "windows" || !errors.Is(err, fs.ErrPermission) {
			break
		}
		time.Sleep(10 * time.Millisecond)
		err = s.fs.rename(s.dir, s.dir+oldSuffix+random())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.fs.sync(s.home); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.sweepDirectories()
}

// tooOld is the age at which a temporary file belongs to a process that has ended. Tests
// change it.
var tooOld = 10 * time.Minute

// sweep removes what processes have left that were killed. Whatever it cannot remove
// stays for the next call.
func (s *Store) sweep() {
	_ = s.sweepDirectories()
	if s.log.id == "" {
		return
	}
	names, err := s.fs.list(s.logDir())
	if err != nil {
		return
	}
	for _, name := range names {
		if path := filepath.Join(s.logDir(), name); isTemporary(name) && s.isOld(path) {
			_ = s.fs.remove(path)
		}
	}
}

// sweepDirectories removes directories that were erased, and those that a process that
// was killed has not finished.
func (s *Store) sweepDirectories() error {
	names, err := s.fs.list(s.home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		suffix, found := strings.CutPrefix(name, filepath.Base(s.dir))
		path := filepath.Join(s.home, name)
		if found && strings.HasPrefix(suffix, newSuffix) && s.isOld(path) {
			old := s.dir + oldSuffix + random() // so that a process that is only slow does not publish it in part
			if s.fs.rename(path, old) == nil {
				_ = s.fs.removeAll(old)
			}
		}
		if found && strings.HasPrefix(suffix, oldSuffix) {
			failed = errors.Join(failed, s.fs.removeAll(path))
		}
	}
	return failed
}

func (s *Store) isOld(path string) bool {
	changed, err := s.fs.changed(path)
	return err == nil && time.Since(changed) > tooOld
}
