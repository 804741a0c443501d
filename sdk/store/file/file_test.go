package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/store/storetest"
)

const name = "alice@example.org"

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return opened(t, disk{}, t.TempDir()) })
}

// TestStoreWithSnapshots runs the suite on a store that makes a snapshot after each
// second commit.
func TestStoreWithSnapshots(t *testing.T) {
	setLimits(t, 2, maxBytes)
	storetest.Run(t, func(t *testing.T) store.Store { return opened(t, disk{}, t.TempDir()) })
}

// TestRecordsStay checks what another store finds in the same directory, before and after
// the first is closed.
func TestRecordsStay(t *testing.T) {
	home := filepath.Join(t.TempDir(), "made", "when needed")
	first := opened(t, disk{}, home)
	if _, err := os.Stat(home); err == nil {
		t.Error("Open has made the directory")
	}
	other := opened(t, disk{}, home)
	for _, op := range []store.Op{store.Delete("a"), store.DeleteRange("a", "b"), store.DeleteRange("", "")} {
		want(t, first.Commit(t.Context(), nil, []store.Op{op}), "")
	}
	if _, err := os.Stat(home); err == nil {
		t.Error("a commit that puts nothing has made the directory")
	}
	all := "\x00\xff\n~%é"
	put(t, first, "a", "1", all, all, "empty", "")
	wantRecords(t, other, all+"="+all+" a=1 empty=")
	put(t, other, "a", "2")
	wantRecords(t, first, all+"="+all+" a=2 empty=")
	_ = first.Close()
	put(t, other, "b", "3")
	_ = other.Close()
	wantRecords(t, opened(t, disk{}, home), all+"="+all+" a=2 b=3 empty=")
	wantRecords(t, mustOpen(t, disk{}, home, "bob@example.org"), "")
}

func TestModes(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	put(t, opened(t, disk{}, home), "a", "1")
	err := filepath.WalkDir(home, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestErase(t *testing.T) {
	home := t.TempDir()
	s, other, bob := opened(t, disk{}, home), opened(t, disk{}, home), mustOpen(t, disk{}, home, "bob@example.org")
	put(t, bob, "k", "v")
	for range 3 {
		put(t, s, "a", "1", "b", "2")
		put(t, other, "c", "3")
		want(t, s.Commit(t.Context(), nil, []store.Op{store.DeleteRange("", "")}), "")
		wantRecords(t, other, "")
		wantNames(t, home, encodeName("bob@example.org"))
		// The other store adds as many files as there were.
		put(t, other, "d", "4")
		put(t, other, "e", "5")
		wantRecords(t, s, "d=4 e=5")
	}
	want(t, Delete(home, name), "")
	want(t, Delete(home, name), "")
	want(t, Delete(filepath.Join(home, "absent"), name), "")
	wantRecords(t, s, "")
	wantRecords(t, bob, "k=v")
}

// TestSnapshots checks that old files are removed, that a store which has missed it
// reads everything anew, and that no temporary file stays.
func TestSnapshots(t *testing.T) {
	setLimits(t, 5, maxBytes)
	home := t.TempDir()
	s, idle := opened(t, disk{}, home), opened(t, disk{}, home)
	put(t, idle, "a", "x")
	for i := range 100 {
		put(t, s, fmt.Sprint("k", i%7), fmt.Sprint(i))
		if files := names(t, s.logDir()); len(files) > 2*int(maxCommits)+2 {
			t.Fatalf("after %d commits there are %d files", i+1, len(files))
		}
	}
	const all = "a=x k0=98 k1=99 k2=93 k3=94 k4=95 k5=96 k6=97"
	wantRecords(t, idle, all)
	wantRecords(t, opened(t, disk{}, home), all)

	setLimits(t, 1000, 1000)
	large := strings.Repeat("x", 100)
	for range 100 {
		put(t, s, "large", large)
	}
	if files := names(t, s.logDir()); len(files) > 30 {
		t.Errorf("%d files of 100 bytes, want a snapshot every 1000", len(files))
	}
	wantRecords(t, idle, all+" large="+large)
}

// TestSweep checks what is removed of processes that were killed.
func TestSweep(t *testing.T) {
	home := t.TempDir()
	s := opened(t, disk{}, home)
	put(t, s, "a", "1")
	old := time.Now().Add(-2 * tooOld)
	make := func(path string, at time.Time) {
		t.Helper()
		if strings.Contains(filepath.Base(path), "~") {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, fileName(1)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	young := s.dir + newSuffix + random()
	youngFile := filepath.Join(s.logDir(), temporaryName())
	make(young, time.Now())
	make(youngFile, time.Now())
	make(s.dir+newSuffix+random(), old)
	make(s.dir+oldSuffix+random(), time.Now())
	make(filepath.Join(s.logDir(), temporaryName()), old)
	wantRecords(t, opened(t, disk{}, home), "a=1")
	wantNames(t, home, encodeName(name), filepath.Base(young))
	wantNames(t, s.logDir(), fileName(1), filepath.Base(youngFile))
}

func TestNames(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{
		"alice@example.org", "Alice@example.org", "alice%40example.org", "alice@example.org.", "..", ".", "con", "/etc/passwd", `a\b`, "a~b",
		"xmpp:alice", "\u00e9@example.org", "e\u0301@example.org", strings.Repeat("a", 2000), strings.Repeat("a", 2001), strings.Repeat("a", maxName),
		"a\x00b", "a b", "A", "a", "%41", "alice@example.org~old-", "new-", strings.Repeat("a", maxName/2),
	} {
		got := encodeName(name)
		if other, ok := seen[strings.ToLower(got)]; ok {
			t.Errorf("%q and %q have the same directory", name, other)
		}
		seen[strings.ToLower(got)] = name
		if strings.ContainsAny(got, "/\\:*?\"<>| \x00") || len(got) > 150 || got != strings.ToLower(got) {
			t.Errorf("the directory of %q is %q", name, got)
		}
		s := mustOpen(t, disk{}, t.TempDir(), name)
		put(t, s, "k", "v")
		wantNames(t, s.home, got)
	}
	if _, err := Open(t.TempDir(), ""); err == nil {
		t.Error("a store without a name was opened")
	}
}

func opened(t testing.TB, d disk, home string) *Store {
	t.Helper()
	return mustOpen(t, d, home, name)
}

func mustOpen(t testing.TB, d disk, home, name string) *Store {
	t.Helper()
	s, err := open(d, home, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func setLimits(t testing.TB, commits uint64, bytes int) {
	c, b := maxCommits, maxBytes
	maxCommits, maxBytes = commits, bytes
	t.Cleanup(func() { maxCommits, maxBytes = c, b })
}

func puts2(pairs ...string) []store.Op {
	var ops []store.Op
	for i := 0; i < len(pairs); i += 2 {
		ops = append(ops, store.Put(pairs[i], []byte(pairs[i+1])))
	}
	return ops
}

func put(t testing.TB, s *Store, pairs ...string) {
	t.Helper()
	if err := s.Commit(t.Context(), nil, puts2(pairs...)); err != nil {
		t.Fatal(err)
	}
}

func records(s *Store) string {
	all, err := s.Scan(context.Background(), store.Range{})
	if err != nil {
		return err.Error()
	}
	var words []string
	for _, r := range all {
		words = append(words, r.Key+"="+string(r.Value))
	}
	return strings.Join(words, " ")
}

func wantRecords(t testing.TB, s *Store, want string) {
	t.Helper()
	if got := records(s); got != want {
		t.Errorf("records %q, want %q", got, want)
	}
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	all, err := disk{}.list(dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantNames(t testing.TB, dir string, want ...string) {
	t.Helper()
	if got := names(t, dir); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

// want compares the code of an error; "" is no error.
func want(t testing.TB, err error, code Code) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	switch {
	case code == "" && err != nil:
		t.Errorf("error %v", err)
	case code != "" && (!ok || e.Code != code || e.Op == "" || e.Path == "" || e.Err == nil):
		t.Errorf("error %#v (%v), want one with the code %q", err, err, code)
	}
}
