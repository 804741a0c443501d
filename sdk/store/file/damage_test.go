package file

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"xmpp-pam/sdk/store"
)

// TestDamage changes files, and checks that a store which reads them says so and changes
// nothing, and that it can be erased.
func TestDamage(t *testing.T) {
	setLimits(t, 4, maxBytes)
	original := func(t *testing.T) *Store {
		s := opened(t, disk{}, t.TempDir())
		for _, v := range []string{"1", "2", "3", "4", "5", "6", "7"} {
			put(t, s, "key", v)
		}
		return s
	}
	s := original(t)
	size := len(must(os.ReadFile(s.path(s.log.last))))
	rewrite := func(number int, change func([]byte) []byte) func(*testing.T, *Store) {
		return func(t *testing.T, s *Store) {
			path := s.path(s.log.last - uint64(number))
			if err := os.WriteFile(path, change(must(os.ReadFile(path))), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(number int) func(*testing.T, *Store) {
		return func(t *testing.T, s *Store) {
			if err := os.Remove(s.path(s.log.last - uint64(number))); err != nil {
				t.Fatal(err)
			}
		}
	}
	newer := func(data []byte) []byte { return bytes.Replace(data, []byte(format), []byte(formats+"2\n"), 1) }
	type change struct {
		name string
		make func(*testing.T, *Store)
		code Code
	}
	changes := []change{
		{"another file", func(t *testing.T, s *Store) {
			_ = os.RemoveAll(s.logDir())
			_ = os.WriteFile(filepath.Join(s.dir, "records.db"), nil, 0o600)
		}, CodeNewerFormat},
		{"the files of two stores", func(t *testing.T, s *Store) {
			_ = os.Mkdir(filepath.Join(s.dir, random()), 0o700)
		}, CodeDamaged},
		{"another file beside them", func(t *testing.T, s *Store) {
			_ = os.WriteFile(filepath.Join(s.logDir(), "index"), nil, 0o600)
		}, CodeNewerFormat},
		{"no file", func(t *testing.T, s *Store) {
			for _, name := range names(t, s.logDir()) {
				_ = os.Remove(filepath.Join(s.logDir(), name))
			}
		}, CodeDamaged},
		{"last in a newer format", rewrite(0, newer), CodeNewerFormat},
		{"middle in a newer format", rewrite(1, newer), CodeNewerFormat},
		{"snapshot in a newer format", rewrite(2, newer), CodeNewerFormat},
		{"middle is missing", remove(1), CodeDamaged},
		{"snapshot is missing", remove(2), CodeDamaged},
		{"snapshot is no snapshot", rewrite(2, func([]byte) []byte { return encode(newHeader(1, fileID{}), nil) }), CodeDamaged},
		{"based on a later file", rewrite(0, func([]byte) []byte { return encode(newHeader(99, fileID{}), nil) }), CodeDamaged},
		{"based on none", rewrite(0, func([]byte) []byte { return encode(newHeader(0, fileID{}), nil) }), CodeDamaged},
		{"unknown op", rewrite(0, func([]byte) []byte { return encode(newHeader(s.log.base, s.log.baseID), []byte{9, 0, 0}) }), CodeDamaged},
		{"op in part", rewrite(0, func([]byte) []byte { return encode(newHeader(s.log.base, s.log.baseID), []byte{0, 5, 'a'}) }), CodeDamaged},
	}
	for i := range size {
		changes = append(changes,
			change{"truncated", rewrite(0, func(data []byte) []byte { return data[:i] }), CodeDamaged},
			change{"a bit changed", rewrite(i%3, func(data []byte) []byte { data[i%len(data)] ^= 1; return data }), ""})
	}
	for i, c := range changes {
		func() {
			s := original(t)
			defer os.RemoveAll(s.home)
			if s.log.last-s.log.base != 2 {
				t.Fatalf("the last snapshot is %d files back, want 2", s.log.last-s.log.base)
			}
			c.make(t, s)
			before := contents(t, s.dir)
			next, err := Open(s.home, name)
			if c.code != "" {
				want(t, err, c.code)
			} else if e, ok := err.(*Error); !ok || e.Code != CodeDamaged && e.Code != CodeNewerFormat {
				t.Errorf("error %v", err)
			}
			if next != nil {
				t.Error("a store was opened")
			}
			if contents(t, s.dir) != before {
				t.Error("the files were changed")
			}
			want(t, Delete(s.home, name), "")
			wantRecords(t, s, "")
			wantNames(t, s.home)
			if t.Failed() {
				t.Fatalf("change %d: %s", i, c.name)
			}
		}()
	}
}

// TestDamageMeanwhile damages the next file of a store that is open.
func TestDamageMeanwhile(t *testing.T) {
	home := t.TempDir()
	s, other := opened(t, disk{}, home), opened(t, disk{}, home)
	put(t, s, "a", "1")
	wantRecords(t, other, "a=1")
	put(t, s, "a", "2")
	path := s.path(2)
	if err := os.Truncate(path, 20); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := other.Get(t.Context(), "a")
		want(t, err, CodeDamaged)
		want(t, other.Commit(t.Context(), nil, puts2("a", "3")), CodeDamaged)
		if err.(*Error).Path != path || !strings.Contains(err.Error(), "delete the directory") {
			t.Errorf("error %v, want one about %s", err, path)
		}
	}
	want(t, other.Commit(t.Context(), nil, []store.Op{store.DeleteRange("", "")}), "")
	wantRecords(t, other, "")
	put(t, s, "a", "4")
	wantRecords(t, other, "a=4")
	// A store that reads the log for the first time finds a gap, each time.
	home = t.TempDir()
	s, other = opened(t, disk{}, home), opened(t, disk{}, home)
	for range 4 {
		put(t, s, "a", "1")
	}
	if err := os.Remove(s.path(3)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, err := other.Get(t.Context(), "a")
		want(t, err, CodeDamaged)
	}
}

func TestErrors(t *testing.T) {
	for _, v := range []struct {
		op   string
		err  error
		code Code
	}{
		{"write", syscall.ENOSPC, CodeFull},
		{"write", syscall.EDQUOT, CodeFull},
		{"write", syscall.EFBIG, CodeFull},
		{"write", syscall.EACCES, CodeDenied},
		{"make", syscall.EROFS, CodeDenied},
		{"rename", syscall.EPERM, CodeDenied},
		{"sync", syscall.EIO, CodeFailed},
		{"link", syscall.EPERM, CodeNoLinks},
		{"link", syscall.ENOTSUP, CodeNoLinks},
		{"link", syscall.ENOSYS, CodeNoLinks},
		{"link", syscall.EMLINK, CodeFailed},
		{"link", syscall.EACCES, CodeDenied},
		{"read", syscall.EACCES, CodeDenied},
		{"read", syscall.EIO, CodeFailed},
		{"list", syscall.ENOTDIR, CodeFailed},
	} {
		fails := false
		home := t.TempDir()
		s := opened(t, disk{before: func(op, path string, _ []byte) error {
			if op != v.op || !fails {
				return nil
			}
			if op == "link" {
				return &os.LinkError{Op: op, Old: "old", New: path, Err: v.err}
			}
			return &os.PathError{Op: op, Path: path, Err: v.err}
		}}, home)
		if v.op == "link" || v.op == "read" || v.op == "sync" {
			put(t, s, "a", "1")
		}
		fails = true
		err := s.Commit(t.Context(), nil, puts2("a", "2"))
		want(t, err, v.code)
		if t.Failed() {
			t.Fatalf("%v of %s", v.err, v.op)
		}
		fails = false
		put(t, s, "a", "3")
		wantRecords(t, opened(t, disk{}, home), "a=3")
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

func contents(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, name := range names(t, dir) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			b.WriteString(name + "{" + contents(t, path) + "}\n")
		} else {
			b.WriteString(name + ":" + string(must(os.ReadFile(path))) + "\n")
		}
	}
	return b.String()
}

// FuzzDecode checks that no file makes decode fail in another way than by its errors, and
// that what it accepts is what encode writes.
func FuzzDecode(f *testing.F) {
	body, _ := encodeOps([]store.Op{store.Put("a", []byte("1")), store.Delete("b"), store.DeleteRange("c", "d")})
	f.Add(body, uint64(1))
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, uint64(2))
	f.Fuzz(func(t *testing.T, body []byte, base uint64) {
		_, _, _ = decode(body)
		got, ops, err := decode(encode(newHeader(base, fileID{}), body))
		if err != nil {
			return
		}
		again, err := encodeOps(ops)
		if err != nil || got.base != base {
			t.Fatalf("base %d, %v; want %d", got, err, base)
		}
		_, same, err := decode(encode(newHeader(base, fileID{}), again))
		if err != nil || len(same) != len(ops) {
			t.Fatalf("%v became %v, %v", ops, same, err)
		}
	})
}
