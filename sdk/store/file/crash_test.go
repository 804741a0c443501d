package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"xmpp-pam/sdk/store"
)

// history is what the crash tests commit, and what the store holds after each commit.
var history = []struct {
	ops   []store.Op
	after string
}{
	{puts2("a", "1", "b", "1"), "a=1 b=1"},
	{puts2("a", "2", "b", "2"), "a=2 b=2"},
	{[]store.Op{store.Delete("a"), store.Put("c", []byte("3"))}, "b=2 c=3"},
	{puts2("a", "4"), "a=4 b=2 c=3"},
	{puts2("a", "5"), "a=5 b=2 c=3"},
	{[]store.Op{store.DeleteRange("", "")}, ""},
	{puts2("a", "6", "b", "6"), "a=6 b=6"},
	{puts2("b", "7"), "a=6 b=7"},
	{puts2("b", "8"), "a=6 b=8"},
}

// TestCrash ends a process before each operation on files, and in the middle of each
// write. The next process must find all commits that have succeeded, and the one that
// was under way whole or not at all.
func TestCrash(t *testing.T) {
	setLimits(t, 2, maxBytes)
	crashed := errors.New("the process was killed")
	everywhere(t, func(t *testing.T, at int, part float64) bool {
		n := 0
		return interrupted(t, func(op, path string, data []byte) error {
			n++
			if n == at && part > 0 && op != "write" {
				n = -1 << 30 // the same as without a part
			}
			if n == at && op == "write" {
				_ = os.WriteFile(path, data[:int(part*float64(len(data)))], 0o600)
			}
			if n >= at {
				return crashed
			}
			return nil
		}, true)
	})
}

// TestFailures lets each operation on files fail once. The commit then fails or not, and
// the store stays usable.
func TestFailures(t *testing.T) {
	setLimits(t, 2, maxBytes)
	everywhere(t, func(t *testing.T, at int, part float64) bool {
		n := 0
		return interrupted(t, func(op, path string, data []byte) error {
			n++
			if n != at || part > 0 && op != "write" {
				return nil
			}
			if part > 0 {
				_ = os.WriteFile(path, data[:int(part*float64(len(data)))], 0o600)
			}
			return &os.PathError{Op: op, Path: path, Err: syscall.ENOSPC}
		}, false)
	})
}

// everywhere calls test with the numbers of operations, until it returns false because
// there are no more, and with the part of a file that is written.
func everywhere(t *testing.T, test func(t *testing.T, at int, part float64) bool) {
	t.Helper()
	at := 1
	for more := true; more && !t.Failed(); at++ {
		for _, part := range []float64{0, 0.02, 0.5, 0.99, 1} {
			fault := test(t, at, part)
			if t.Failed() {
				t.Logf("operation %d, part %v", at, part)
				return
			}
			if part == 0 {
				more = fault
			}
			if !fault { // the operation is no write
				break
			}
		}
	}
	if at < 100 {
		t.Errorf("the history has only %d operations", at)
	}
}

// interrupted commits the history on a disk with faults, and reports whether there was
// one.
func interrupted(t *testing.T, before func(op, path string, data []byte) error, dies bool) (fault bool) {
	home := t.TempDir()
	defer os.RemoveAll(home)
	d := disk{before: func(op, path string, data []byte) error {
		err := before(op, path, data)
		fault = fault || err != nil
		return err
	}}
	possible := []string{""}
	s, err := open(d, home, name)
	if err != nil {
		if s, err = open(disk{}, home, name); err != nil || !fault {
			t.Errorf("open: %v", err)
			return fault
		}
		dies = false
	}
	for _, h := range history {
		if err := s.Commit(t.Context(), nil, h.ops); err == nil {
			possible = []string{h.after}
		} else if !fault {
			t.Errorf("error without a fault: %v", err)
		} else if dies {
			possible = append(possible, h.after)
			break
		} else {
			want(t, err, err.(*Error).Code)
			got := records(s)
			if got != possible[0] && got != h.after {
				t.Errorf("after a failed commit: records %q, want %q or %q", got, possible[0], h.after)
			}
			put(t, s) // an empty commit
			if err := s.Commit(t.Context(), nil, h.ops); err != nil {
				t.Errorf("the second attempt: %v", err)
			}
			possible = []string{h.after}
		}
		got := records(s)
		if strings.HasPrefix(got, "file: scan: ") { // the fault
			got = records(s)
		}
		if !dies && got != possible[0] {
			t.Errorf("records %q, want %q", got, possible[0])
		}
	}
	old := tooOld
	tooOld = -1
	defer func() { tooOld = old }()
	next := opened(t, disk{}, home)
	got := records(next)
	if got != possible[0] && got != possible[len(possible)-1] {
		t.Errorf("records %q, want one of %q", got, possible)
	}
	for _, entry := range names(t, home) {
		if entry != encodeName(name) {
			t.Errorf("%s was left", entry)
		}
	}
	if next.log.id != "" {
		for _, entry := range names(t, next.logDir()) {
			if _, ok := parseFileName(entry); !ok {
				t.Errorf("%s was left", entry)
			}
		}
	}
	for i := range 5 {
		put(t, next, "next", fmt.Sprint(i))
	}
	wantRecords(t, opened(t, disk{}, home), strings.TrimSpace(got+" next=4"))
	return fault
}

// TestOrder checks that data are on the disk before their name is, and that both are
// before a commit succeeds: the crash tests cannot lose what was not synced.
func TestOrder(t *testing.T) {
	var ops []string
	home := t.TempDir()
	dir := filepath.Join(home, encodeName(name))
	hex := regexp.MustCompile("[0-9a-f]{32}|0{15}")
	short := strings.NewReplacer(dir, "dir", home, "home")
	s := opened(t, disk{before: func(op, path string, _ []byte) error {
		switch op {
		case "write", "sync", "link", "rename":
			ops = append(ops, op+" "+strings.NewReplacer("/*1", "/1", "/*2", "/2").Replace(hex.ReplaceAllString(short.Replace(filepath.ToSlash(path)), "*")))
		}
		return nil
	}}, home)
	expect := func(want string) {
		t.Helper()
		if got := strings.Join(ops, ", "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		ops = nil
	}
	put(t, s, "a", "1")
	expect("write dir~new-*/*/1, sync dir~new-*/*/1, sync dir~new-*/*, sync dir~new-*, rename dir~new-*, sync home")
	put(t, s, "a", "2")
	expect("write dir/*/new-*, sync dir/*/new-*, link dir/*/2, sync dir/*")
	want(t, s.Commit(t.Context(), nil, []store.Op{store.DeleteRange("", "")}), "")
	expect("rename dir, sync home")
}
