//go:build js && wasm

package idb

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/internal/hosttest"
)

func TestEveryTransactionIsStrict(t *testing.T) {
	f := tamper(t)
	s := open(t, fresh(), nil)
	put(t, s, "k", "v")
	expect(t, s, "k", "v")
	if _, err := s.Scan(t.Context(), store.Range{}); err != nil {
		t.Fatal(err)
	}
	if got := text(hosttest.Must(f.Call("durabilities"))); got != "strict" || f.count(t, "transactions") != 3 {
		t.Fatalf("durabilities %q of %d transactions, want strict", got, f.count(t, "transactions"))
	}
}

// TestDatabaseClosedDuringAnOperation closes the database during a transaction, which then
// emits no event.
func TestDatabaseClosedDuringAnOperation(t *testing.T) {
	for name, operation := range map[string]func(*Store) error{
		"get":    func(s *Store) error { _, err := s.Get(t.Context(), "k"); return err },
		"scan":   func(s *Store) error { _, err := s.Scan(t.Context(), store.Range{}); return err },
		"commit": func(s *Store) error { return s.Commit(t.Context(), nil, []store.Op{store.Put("k", []byte("w"))}) },
	} {
		t.Run(name, func(t *testing.T) {
			f := tamper(t)
			lost := make(chan error, 2)
			s := open(t, fresh(), func(err error) { lost <- err })
			put(t, s, "k", "v")
			f.next(t, "held")
			done := make(chan error, 1)
			go func() { done <- operation(s) }()
			f.wait(t, "held", 1)
			hosttest.Must(f.Call("closeConnections"))
			if err := receive(t, done); err != nil {
				t.Fatal(err)
			}
			wantError(t, receive(t, lost), "connection", "InvalidStateError")
			hosttest.Must(f.Call("failHeld")) // too late: done must not be called twice
			put(t, s, "k", "x")
			expect(t, s, "k", "x")
			if f.count(t, "connections") != 1 || len(lost) != 0 {
				t.Fatalf("%d connections, %d more losses; want 1, 0", f.count(t, "connections"), len(lost))
			}
		})
	}
}

func TestLostOperationsAreRepeated(t *testing.T) {
	for _, v := range []struct {
		name  string
		times int
		again bool
	}{
		{"InvalidStateError", 1, true},
		{"InvalidStateError", attempts - 1, true},
		{"InvalidStateError", attempts, false},
		{"AbortError", 1, true},
		{"UnknownError", 1, true},
		{"UnknownError", attempts, false},
		{"NotFoundError", 1, false},
		{"QuotaExceededError", 1, false},
		{"abort", attempts - 1, true},
	} {
		t.Run(v.name, func(t *testing.T) {
			f := tamper(t)
			s := open(t, fresh(), nil)
			put(t, s, "k", "v")
			opens := f.count(t, "opens")
			for range v.times {
				f.next(t, v.name)
			}
			_, err := s.Get(t.Context(), "k")
			if v.again && err != nil {
				t.Fatal(err)
			} else if !v.again {
				wantError(t, err, "get", v.name)
			}
			expect(t, s, "k", "v")
			if got := f.count(t, "faults"); got != 0 {
				t.Fatalf("%d faults did not occur", got)
			}
			if got := f.count(t, "opens") - opens; v.again && got != v.times {
				t.Fatalf("opened %d times, want %d", got, v.times)
			}
			if got := f.count(t, "connections"); got != 1 {
				t.Fatalf("%d connections are open, want 1", got)
			}
		})
	}
}

// TestLateFailureLeavesTheNewConnection checks that an operation that fails on a connection
// which has been replaced does not close the new one.
func TestLateFailureLeavesTheNewConnection(t *testing.T) {
	f := tamper(t)
	s := open(t, fresh(), nil)
	put(t, s, "k", "v")
	f.next(t, "held")
	late := make(chan error, 1)
	go func() {
		_, err := s.Get(t.Context(), "k")
		late <- err
	}()
	f.wait(t, "held", 1)
	f.next(t, "InvalidStateError")
	expect(t, s, "k", "v") // on a second connection
	opens := f.count(t, "opens")
	hosttest.Must(f.Call("failHeld"))
	if err := receive(t, late); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "k", "v")
	if n := f.count(t, "opens"); n != opens || f.count(t, "connections") != 1 {
		t.Fatalf("opened %d times more, %d connections; want none, 1", n-opens, f.count(t, "connections"))
	}
}

func TestPartialCommitIsAborted(t *testing.T) {
	f := tamper(t)
	s := open(t, fresh(), nil)
	put(t, s, "a", "1")
	for _, expected := range [][]store.Record{nil, {{Key: "a", Value: []byte("1")}}} {
		f.next(t, "halfway")
		err := s.Commit(t.Context(), expected, []store.Op{store.Put("a", []byte("2")), store.Put("b", []byte("2"))})
		if e, ok := errors.AsType[*Error](err); !ok || e.Op != "commit" {
			t.Fatalf("error %v, want one of a commit", err)
		}
		if f.count(t, "faults") != 0 {
			t.Fatal("the fault did not occur")
		}
		expect(t, s, "a", "1")
	}
}

// TestRequestsThatAreNeverAnswered checks that an operation without an answer ends with
// its context, releases its values and aborts its transaction, and that Close does not
// wait for it.
func TestRequestsThatAreNeverAnswered(t *testing.T) {
	f := tamper(t)
	name := fresh()
	s := open(t, name, nil)
	put(t, s, "k", "v")
	ask := map[string]func(context.Context) error{
		"get":    func(ctx context.Context) error { _, err := s.Get(ctx, "k"); return err },
		"scan":   func(ctx context.Context) error { _, err := s.Scan(ctx, store.Range{}); return err },
		"commit": func(ctx context.Context) error { return s.Commit(ctx, nil, []store.Op{store.Put("k", []byte("w"))}) },
		"open": func(ctx context.Context) error {
			_, err := Open(ctx, hosttest.Host(t), name, nil)
			return err
		},
	}
	round := func() int {
		for op, do := range ask {
			for range 10 {
				if op == "open" {
					f.next(t, "open stuck")
				} else {
					f.next(t, "stuck")
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				start := time.Now()
				if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("%s: %v, want context.DeadlineExceeded", op, err)
				}
				cancel()
				if took := time.Since(start); took > time.Second {
					t.Fatalf("%s took %v", op, took)
				}
			}
		}
		expect(t, s, "k", "v") // would wait for 10 transactions if they were not aborted
		return hosttest.Values(t)
	}
	round()
	goroutines := runtime.NumGoroutine()
	held := round()
	if after := round(); after > held+10 || runtime.NumGoroutine() > goroutines {
		t.Fatalf("40 requests without an answer raised the JavaScript values held from %d to %d, the goroutines from %d to %d",
			held, after, goroutines, runtime.NumGoroutine())
	}
	if n := f.count(t, "stuck"); n != 0 {
		t.Fatalf("%d transactions still run", n)
	}

	t.Run("close meanwhile", func(t *testing.T) {
		reports := consoleErrors(t)
		f.next(t, "stuck")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- ask["commit"](ctx) }()
		f.wait(t, "stuck", 1)
		start := time.Now()
		if err := s.Close(); err != nil || time.Since(start) > 500*time.Millisecond {
			t.Fatalf("Close took %v: %v", time.Since(start), err)
		}
		cancel()
		if err := receive(t, done); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
		f.wait(t, "stuck", 0)
		f.wait(t, "connections", 0)
		if err := Delete(t.Context(), hosttest.Host(t), name); err != nil {
			t.Fatal(err)
		}
		if *reports != 0 {
			t.Fatal("JavaScript called a function that was released")
		}
	})
}
