package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func init() {
	roles["small files"] = smallFiles
	roles["read only"] = readOnly
}

// smallFiles commits more than the system allows in a file.
func smallFiles(home string) error {
	limit := &syscall.Rlimit{Cur: 50_000, Max: 50_000}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, limit); err != nil {
		return err
	}
	s, err := Open(home, name)
	if err != nil {
		return err
	}
	for i := range 3 {
		err = s.Commit(context.Background(), nil, puts2("large", strings.Repeat("x", 100_000)))
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeFull {
			return fmt.Errorf("a large commit: %v, want the code full", err)
		}
		if err := s.Commit(context.Background(), nil, puts2("small", fmt.Sprint(i))); err != nil {
			return fmt.Errorf("a small commit: %w", err)
		}
	}
	return nil
}

func TestFullDisk(t *testing.T) {
	home := t.TempDir()
	if err := process(t, "small files", home).Run(); err != nil {
		t.Fatal(err)
	}
	s := opened(t, disk{}, home)
	wantRecords(t, s, "small=2")
	for _, entry := range append(names(t, home), names(t, s.logDir())...) {
		if strings.Contains(entry, "new-") {
			t.Errorf("%s was left", entry)
		}
	}
}

// readOnly runs as a user who may read the files, but not change them.
func readOnly(home string) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			return err
		}
	}
	s, err := Open(home, name)
	if err != nil {
		return err
	}
	if got := records(s); got != "a=1" {
		return fmt.Errorf("records %q, want a=1", got)
	}
	for _, commit := range []func() error{
		func() error { return s.Commit(context.Background(), nil, puts2("a", "2")) },
		func() error {
			other, err := Open(home, "bob@example.org")
			if err != nil {
				return err
			}
			return other.Commit(context.Background(), nil, puts2("a", "2"))
		},
		func() error { return Delete(home, name) },
	} {
		err := commit()
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeDenied {
			return fmt.Errorf("error %v, want the code denied", err)
		}
	}
	if got := records(s); got != "a=1" {
		return fmt.Errorf("records %q after failed commits, want a=1", got)
	}
	return nil
}

func TestReadOnly(t *testing.T) {
	home := t.TempDir()
	s := opened(t, disk{}, home)
	put(t, s, "a", "1")
	for path, mode := range map[string]os.FileMode{s.path(1): 0o444, s.dir: 0o555, s.logDir(): 0o555, home: 0o555, filepath.Dir(home): 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, dir := range []string{home, s.dir, s.logDir()} {
			_ = os.Chmod(dir, 0o700)
		}
	})
	if err := process(t, "read only", home).Run(); err != nil {
		t.Fatal(err)
	}
}
