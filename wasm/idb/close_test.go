//go:build js && wasm

package idb

import (
	"errors"
	"testing"

	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/internal/hosttest"
)

// TestCloseWhileOpening checks that a Store that is closed while it opens its database
// leaves no connection.
func TestCloseWhileOpening(t *testing.T) {
	f := tamper(t)
	reports := consoleErrors(t)
	for range 20 {
		name := fresh()
		s := open(t, name, nil)
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- s.Commit(t.Context(), nil, []store.Op{store.Put("k", nil)}) }()
		}
		f.wait(t, "opens", f.count(t, "opens")+1)
		_ = s.Close()
		for range 2 {
			if err := receive(t, done); err != nil && !errors.Is(err, store.ErrClosed) {
				t.Fatalf("error %v, want store.ErrClosed", err)
			}
		}
		f.wait(t, "connections", 0)
		if err := Delete(t.Context(), hosttest.Host(t), name); err != nil {
			t.Fatal(err)
		}
	}
	if *reports != 0 {
		t.Fatal("JavaScript called a released function")
	}
}

// TestEndOfTheProgram checks that the host closes the connections of a program that has
// ended.
func TestEndOfTheProgram(t *testing.T) {
	f := tamper(t)
	host := hosttest.Must(hosttest.Host(t).Call("endingHost"))
	listeners := func() int { return hosttest.Must(hosttest.Must(host.Call("listeners")).Int()) }
	name := fresh()
	for range 3 {
		s, err := Open(t.Context(), host, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, "k", "v")
		if listeners() != 1 {
			t.Fatalf("%d listeners of one connection", listeners())
		}
		f.next(t, "InvalidStateError")
		expect(t, s, "k", "v") // on another connection
		if listeners() != 1 {
			t.Fatalf("%d listeners of one connection that replaced another", listeners())
		}
		hosttest.Must(f.Call("closeConnections"))
		expect(t, s, "k", "v")
		if err := s.Close(); err != nil || listeners() != 0 {
			t.Fatalf("%d listeners after Close: %v", listeners(), err)
		}
	}
	s, err := Open(t.Context(), host, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "k", "v")
	hosttest.Must(host.Call("end"))
	f.wait(t, "connections", 0)
	if listeners() != 0 {
		t.Fatalf("%d listeners after the end", listeners())
	}
	_ = s.Close()
	if err := Delete(t.Context(), hosttest.Host(t), name); err != nil {
		t.Fatal(err)
	}
}

func TestClosedStore(t *testing.T) {
	s := open(t, fresh(), nil)
	put(t, s, "k", "v")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, get := s.Get(t.Context(), "k")
	deleted := s.Commit(t.Context(), nil, []store.Op{store.DeleteRange("", "")})
	for _, err := range []error{get, deleted, s.Close()} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("error %v, want store.ErrClosed", err)
		}
	}
}
