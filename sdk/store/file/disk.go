package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"time"
)

// disk performs the operations on files. Tests set before, which is called before each
// operation and may make it fail; data is what would be written.
type disk struct {
	before func(op, path string, data []byte) error
}

func (d disk) do(op, path string, data []byte, run func() error) error {
	if d.before != nil {
		if err := d.before(op, path, data); err != nil {
			return err
		}
	}
	return run()
}

func (d disk) read(path string) (data []byte, err error) {
	err = d.do("read", path, nil, func() error {
		data, err = os.ReadFile(path)
		return err
	})
	return data, err
}

// list returns the names in a directory.
func (d disk) list(path string) (names []string, err error) {
	err = d.do("list", path, nil, func() error {
		entries, err := os.ReadDir(path)
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return err
	})
	return names, err
}

// head returns the first bytes of a file, at most size; none if there is no file.
func (d disk) head(path string, size int) (head []byte, err error) {
	err = d.do("head", path, nil, func() error {
		f, err := os.Open(path)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		head = make([]byte, size)
		n, err := io.ReadFull(f, head)
		if head = head[:n]; errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		return errors.Join(err, f.Close())
	})
	return head, err
}

// changed returns when a file was last changed.
func (d disk) changed(path string) (at time.Time, err error) {
	err = d.do("changed", path, nil, func() error {
		info, err := os.Lstat(path)
		if err == nil {
			at = info.ModTime()
		}
		return err
	})
	return at, err
}

// write makes a new file and syncs it.
func (d disk) write(path string, data []byte) error {
	return d.do("write", path, data, func() error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		if err == nil {
			err = d.do("sync", path, nil, f.Sync)
		}
		return errors.Join(err, f.Close())
	})
}

// sync makes the names in a directory durable, where the system can do this.
func (d disk) sync(path string) error {
	return d.do("sync", path, nil, func() error {
		if runtime.GOOS == "windows" {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return ignoreUnsupported(err)
		}
		err = ignoreUnsupported(f.Sync())
		return errors.Join(err, f.Close())
	})
}

// ignoreUnsupported drops the errors of systems that cannot open or sync directories,
// such as Windows in Node.js.
func ignoreUnsupported(err error) error {
	for _, e := range []error{syscall.EISDIR, syscall.EINVAL, syscall.EPERM, errors.ErrUnsupported} {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

func (d disk) link(from, to string) error {
	return d.do("link", to, nil, func() error { return os.Link(from, to) })
}

func (d disk) rename(from, to string) error {
	return d.do("rename", from, nil, func() error { return os.Rename(from, to) })
}

func (d disk) remove(path string) error {
	return d.do("remove", path, nil, func() error { return os.Remove(path) })
}

func (d disk) removeAll(path string) error {
	return d.do("remove all", path, nil, func() error { return os.RemoveAll(path) })
}

func (d disk) make(path string) error {
	return d.do("make", path, nil, func() error { return os.Mkdir(path, 0o700) })
}

func (d disk) makeAll(path string) error {
	return d.do("make all", path, nil, func() error { return os.MkdirAll(path, 0o700) })
}
