//go:build js && wasm

package idb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/internal/hosttest"
)

var deleteAll = []store.Op{store.DeleteRange("", "")}

// TestDatabaseIsCreatedWhenNeeded checks that only a commit that puts a record creates the
// database.
func TestDatabaseIsCreatedWhenNeeded(t *testing.T) {
	name := fresh()
	s := open(t, name, nil)
	nothing := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", what, err, want)
		}
		if exists(t, name) {
			t.Fatalf("%s created the database", what)
		}
	}
	nothing("open", nil, nil)
	got, err := s.Get(t.Context(), "a", "b")
	if len(got) != 2 || got[0] != nil || got[1] != nil {
		t.Errorf("got %q, want two absent values", got)
	}
	nothing("get", err, nil)
	records, err := s.Scan(t.Context(), store.Range{From: "a", Limit: 5, Reverse: true})
	if len(records) != 0 {
		t.Errorf("records %q, want none", records)
	}
	nothing("scan", err, nil)
	present := []store.Record{{Key: "a"}, {Key: "k", Value: []byte{}}}
	nothing("delete", s.Commit(t.Context(), []store.Record{{Key: "a"}}, []store.Op{store.Delete("a"), store.DeleteRange("b", "")}), nil)
	nothing("conflict", s.Commit(t.Context(), present, []store.Op{store.Put("a", nil)}), store.ErrConflict)
	nothing("conflict, nothing put", s.Commit(t.Context(), present, nil), store.ErrConflict)
	nothing("delete all", s.Commit(t.Context(), nil, deleteAll), nil)
	if err := s.Commit(t.Context(), present[:1], []store.Op{store.Delete("k"), store.Put("a", []byte("1"))}); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "a", "1")
	expect(t, open(t, name, nil), "a", "1")
}

func TestDeletingAllRecordsDeletesTheDatabase(t *testing.T) {
	name := fresh()
	own := make(chan error, 2)
	s := open(t, name, func(err error) { own <- err })
	lost := make(chan error, 2)
	other := open(t, name, func(err error) { lost <- err })
	put(t, other, "k", "v")
	for range 3 {
		put(t, s, "k", "v")
		expect(t, other, "k", "v")
		commits := make(chan error, 5)
		for range cap(commits) {
			go func() { commits <- s.Commit(t.Context(), nil, []store.Op{store.Put("k", []byte("w"))}) }()
		}
		for range cap(commits) {
			if err := receive(t, commits); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := s.Commit(t.Context(), nil, deleteAll); err != nil {
				t.Fatal(err)
			}
		}
		wantError(t, receive(t, lost), "connection", "DeletedError")
		got, err := other.Get(t.Context(), "k")
		if err != nil || got[0] != nil {
			t.Fatalf("the other store finds %q, %v; want nothing", got, err)
		}
		if exists(t, name) {
			t.Fatal("the database exists")
		}
	}
	if len(own) != 0 {
		t.Errorf("reported to the store that deleted: %v", <-own)
	}
	// A commit that does or expects more deletes only records.
	for _, expected := range [][]store.Record{nil, {{Key: "k", Value: []byte("v")}}} {
		put(t, s, "k", "v")
		ops := slices.Clone(deleteAll)
		if expected == nil {
			ops = append(ops, store.Delete("k"))
		}
		if err := s.Commit(t.Context(), expected, ops); err != nil {
			t.Fatal(err)
		}
		if !exists(t, name) {
			t.Fatal("the database was deleted")
		}
	}
	put(t, s, "k", "v")
	if err := s.Commit(t.Context(), nil, []store.Op{store.DeleteRange("a", "")}); err != nil || !exists(t, name) {
		t.Fatalf("%v; the database exists: %v, want true", err, exists(t, name))
	}
}

func TestBlockedDeletionLeavesNoRecord(t *testing.T) {
	setBlockedTimeout(t, 100*time.Millisecond)
	name := fresh()
	problems := make(chan error, 2)
	s := open(t, name, func(err error) { problems <- err })
	put(t, s, "k", "v")
	release := holdDatabase(t, name, 1)
	start := time.Now()
	if err := s.Commit(t.Context(), nil, deleteAll); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < blockedTimeout || took > 20*blockedTimeout {
		t.Errorf("took %v, want a little more than %v", took, blockedTimeout)
	}
	wantError(t, receive(t, problems), "delete", "BlockedError")
	release()
	for end := time.Now().Add(5 * time.Second); exists(t, name); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the database exists 5 s after the other page closed it")
		}
	}
	put(t, s, "k", "w")
	expect(t, s, "k", "w")
	if len(problems) != 0 {
		t.Fatalf("reported: %v", <-problems)
	}
}

// TestCancelledOpeningCreatesNothing checks that a database is not created when the
// context of the operation has ended.
func TestCancelledOpeningCreatesNothing(t *testing.T) {
	setBlockedTimeout(t, 50*time.Millisecond)
	name := fresh()
	s := open(t, name, nil)
	release := holdDatabase(t, name, 1)
	wantError(t, Delete(t.Context(), hosttest.Host(t), name), "delete", "BlockedError")
	for _, limit := range []time.Duration{20 * time.Millisecond, time.Second} { // the context ends first, then the package's time-out
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		if err := s.Commit(ctx, nil, []store.Op{store.Put("k", nil)}); err == nil {
			t.Error("stored although a deletion was pending")
		}
		cancel()
	}
	release()
	setBlockedTimeout(t, 5*time.Second)
	if _, err := s.Get(t.Context(), "k"); err != nil { // after the other operations
		t.Fatal(err)
	}
	if exists(t, name) {
		t.Fatal("the database exists")
	}
}

// TestCancelledOpeningLeavesNoConnection checks that a connection is closed if the context
// of the operation ended before it was opened.
func TestCancelledOpeningLeavesNoConnection(t *testing.T) {
	f := tamper(t)
	name := fresh()
	put(t, open(t, name, nil), "k", "v")
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if _, err := Open(ctx, hosttest.Host(t), name, nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
	}
	time.Sleep(100 * time.Millisecond) // for connections that open after they were cancelled
	f.wait(t, "connections", 1)
}

// TestDeletingUnreadableDatabase checks that a database that cannot be read can be
// deleted, and that a failed deletion is an error if the records still exist.
func TestDeletingUnreadableDatabase(t *testing.T) {
	setBlockedTimeout(t, 100*time.Millisecond)
	f := tamper(t)
	name := fresh()
	s := open(t, name, nil)
	put(t, s, "k", "v")
	f.next(t, "NotFoundError")
	if err := s.Commit(t.Context(), nil, deleteAll); err != nil || exists(t, name) {
		t.Fatalf("%v; the database exists: %v, want false", err, exists(t, name))
	}
	put(t, s, "k", "v")
	release := holdDatabase(t, name, 1)
	defer release()
	f.next(t, "NotFoundError")
	wantError(t, s.Commit(t.Context(), nil, deleteAll), "delete", "BlockedError")
}

// exists reports whether the database called name exists.
func exists(t testing.TB, name string) bool {
	t.Helper()
	names := make(chan string, 1)
	done := hosttest.Must(safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		if problem := text(args[0]); problem != "" {
			t.Error(problem)
		}
		names <- text(args[1])
		return nil
	}))
	defer done.Release()
	hosttest.Must(hosttest.Host(t).Call("databaseNames", done))
	return slices.Contains(strings.Split(<-names, "\n"), name)
}
