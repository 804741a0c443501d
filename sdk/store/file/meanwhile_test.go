package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"xmpp-pam/sdk/store"
)

// TestMeanwhile stops a commit before each of its operations on files, lets another store
// work up to each of its operations, then lets the commit end, and then the other store.
// A third store has read nothing since the start, and reads while the commit is stopped
// again, before its next operation.
func TestMeanwhile(t *testing.T) {
	setLimits(t, 2, maxBytes)
	eraseAll := []store.Op{store.DeleteRange("", "")}
	change := func(i int) []store.Op { return puts2("n", fmt.Sprint(i)) }
	for _, v := range []struct {
		name    string
		commits [][]store.Op // of the other store
		erases  bool
		unknown bool // the commit may not know its outcome
	}{
		{"one commit", [][]store.Op{change(1)}, false, false},
		{"a snapshot", [][]store.Op{change(1), change(2)}, false, false},
		{"many commits", [][]store.Op{change(1), change(2), change(3), change(4), change(5), change(6), change(7)}, false, true},
		{"erase", [][]store.Op{change(1), eraseAll}, true, true},
		{"erase and store", [][]store.Op{eraseAll, change(1), change(2), change(3)}, true, true},
	} {
		for _, before := range []int{0, 3} {
			for _, expects := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", v.name, before, expects), func(t *testing.T) {
					// Every third operation of the other store; each of them before some operation of the commit.
					other, done := 1, false
					for at := 1; !done && !t.Failed(); {
						m := meanwhile{at: at, other: other, commits: v.commits}
						err := m.run(t, before, expects)
						m.check(t, err, v.erases, v.unknown, expects)
						if t.Failed() {
							t.Fatalf("before operation %d of the commit, and %d of the other store: %v\n%s", at, other, err, strings.Join(m.trace, "\n"))
						}
						done = !m.stopped
						if other += 3; m.ended {
							at, other = at+1, 1+at%3
						}
					}
				})
			}
		}
	}
}

// meanwhile is one order of operations.
type meanwhile struct {
	at, other int
	commits   [][]store.Op

	stopped, ended bool // the commit was stopped; the other store ended first
	home           string
	own            *Store
	read, right    string // what the idle store read, and what a new one did
	trace          []string
}

// run returns the error of the commit.
func (m *meanwhile) run(t *testing.T, before int, expects bool) error {
	m.home = t.TempDir()
	s := opened(t, disk{}, m.home)
	for i := range before {
		put(t, s, "n", fmt.Sprint(-i))
	}
	idle := opened(t, disk{}, m.home)
	expect := []store.Record{}
	if expects {
		values, _ := idle.Get(t.Context(), "n")
		expect = append(expect, store.Record{Key: "n", Value: values[0]})
	}
	n := 0
	release, finished := make(chan struct{}), make(chan struct{})
	m.own = opened(t, disk{}, m.home)
	m.own.fs.before = func(op, path string, _ []byte) error {
		n++
		m.trace = append(m.trace, "commit: "+op+" "+strings.TrimPrefix(path, m.home))
		switch n {
		case m.at:
			m.stopped = true
			reached := make(chan struct{})
			go func() {
				defer close(finished)
				m.work(t, reached, release)
			}()
			select {
			case <-reached:
			case <-finished:
				m.ended = true
			}
		case m.at + 1:
			m.read, m.right = records(idle), records(opened(t, disk{}, m.home))
		}
		return nil
	}
	err := m.own.Commit(t.Context(), expect, puts2("own", "1"))
	close(release)
	if m.stopped {
		<-finished
	}
	m.own.fs.before = nil
	return err
}

// work commits with the other store. Before an operation it closes reached, and waits for
// release.
func (m *meanwhile) work(t *testing.T, reached, release chan struct{}) {
	s, err := open(disk{}, m.home, name)
	if err != nil {
		t.Error(err)
		return
	}
	n := 0
	s.fs.before = func(op, path string, _ []byte) error {
		if n++; n == m.other {
			close(reached)
			<-release
		}
		m.trace = append(m.trace, "other: "+op+" "+strings.TrimPrefix(path, m.home))
		return nil
	}
	for _, ops := range m.commits {
		err := s.Commit(context.Background(), nil, ops)
		if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Code != CodeOutcomeUnknown) {
			t.Error(err)
		}
	}
}

func (m *meanwhile) check(t *testing.T, err error, erases, unknown, expects bool) {
	defer os.RemoveAll(m.home)
	got, own := records(opened(t, disk{}, m.home)), records(m.own)
	if own != got {
		t.Errorf("the store of the commit holds %q, a new one %q", own, got)
	}
	if m.read != m.right {
		t.Errorf("an idle store read %q, a new one %q", m.read, m.right)
	}
	has := strings.Contains(got, "own=1")
	e, ok := errors.AsType[*Error](err)
	switch {
	case err == nil:
		if !has && !erases {
			t.Errorf("the commit succeeded, but the records are %q", got)
		}
	case errors.Is(err, store.ErrConflict) && expects:
		if has {
			t.Errorf("the commit was refused, but the records are %q", got)
		}
	case ok && e.Code == CodeOutcomeUnknown && unknown:
	default:
		t.Errorf("error %v", err)
	}
	if last := m.commits[len(m.commits)-1]; m.stopped && last[0].Kind == store.OpPut && !strings.Contains(got, "n="+string(last[0].Value)) {
		t.Errorf("the other store has committed %q, but the records are %q", last, got)
	}
}

// TestLateCommits has two commits link their files to numbers that are free again,
// because both files have been removed meanwhile. Neither may succeed, although the
// second finds a file with the number before its own; and a store that has read nothing
// meanwhile must not read them.
func TestLateCommits(t *testing.T) {
	setLimits(t, 2, maxBytes)
	home := t.TempDir()
	other := opened(t, disk{}, home)
	put(t, other, "n", "0")
	first := opened(t, disk{}, home)
	reached, release := make(chan struct{}), make(chan struct{})
	first.fs.before = func(op, _ string, _ []byte) error {
		if op == "link" {
			close(reached)
			<-release
		}
		return nil
	}
	firstErr := make(chan error)
	go func() { firstErr <- first.Commit(context.Background(), nil, puts2("late", "1")) }()
	<-reached
	first.fs.before = nil
	put(t, other, "n", "1") // gets the number of the first commit
	second, idle := opened(t, disk{}, home), opened(t, disk{}, home)
	second.fs.before = func(op, path string, _ []byte) error {
		if op != "link" {
			return nil
		}
		second.fs.before = nil
		for i := range 6 {
			put(t, other, "n", fmt.Sprint(2+i))
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%s: %v; it should be free again", path, err)
		}
		close(release)
		want(t, <-firstErr, CodeOutcomeUnknown)
		return nil
	}
	want(t, second.Commit(t.Context(), nil, puts2("late", "2")), CodeOutcomeUnknown)
	right := records(other)
	for name, s := range map[string]*Store{"first": first, "second": second, "idle": idle, "new": opened(t, disk{}, home)} {
		if got := records(s); got != right || strings.Contains(got, "late") {
			t.Errorf("the %s store holds %q, want %q", name, got, right)
		}
	}
}
