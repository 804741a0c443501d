//go:build js && wasm

package idb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/internal/hosttest"
)

var names int

func fresh() string {
	names++
	return fmt.Sprintf("test-%d-%d", time.Now().UnixNano(), names)
}

func open(t testing.TB, name string, onLost func(error)) *Store {
	t.Helper()
	s, err := Open(context.Background(), hosttest.Host(t), name, onLost)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		Delete(context.Background(), hosttest.Host(t), name)
	})
	return s
}

func put(t testing.TB, s *Store, key, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Commit(ctx, nil, []store.Op{store.Put(key, []byte(value))}); err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, s *Store, key, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	got, err := s.Get(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	if got[0] == nil || string(got[0]) != value {
		t.Fatalf("record %q is %q, want %q", key, got[0], value)
	}
}

func wantError(t testing.TB, err error, op, name string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Op != op || e.Name != name {
		t.Fatalf("error %v, want %s of %s", err, name, op)
	}
}

func receive(t testing.TB, errs <-chan error) error {
	t.Helper()
	select {
	case err := <-errs:
		return err
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was reported within 5 s")
		return nil
	}
}

func setBlockedTimeout(t testing.TB, d time.Duration) {
	old := blockedTimeout
	blockedTimeout = d
	t.Cleanup(func() { blockedTimeout = old })
}

// holdDatabase opens a database and returns a function that closes it.
func holdDatabase(t testing.TB, name string, version int) func() {
	t.Helper()
	release := await(t, "holdDatabase", name, version)
	return func() { release.Invoke() }
}

// devtools calls a method of the DevTools protocol for this origin.
func devtools(t testing.TB, method, params string) {
	t.Helper()
	location := hosttest.Must(safejs.Global().Get("location"))
	origin := hosttest.Must(hosttest.Must(location.Get("origin")).String())
	if params != "" {
		params = ", " + params
	}
	await(t, "devtools", method, fmt.Sprintf(`{"origin": %q%s}`, origin, params))
}

// await calls a function of faults.js and waits until it calls done.
func await(t testing.TB, method string, args ...any) safejs.Value {
	t.Helper()
	answers := make(chan string, 1)
	done := hosttest.Must(safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		answers <- text(args[0])
		return nil
	}))
	defer done.Release()
	result := hosttest.Must(hosttest.Host(t).Call(method, append(args, done)...))
	if problem := <-answers; problem != "" {
		t.Errorf("%s: %s", method, problem)
	}
	return result
}

func replaceGlobal(t testing.TB, name string, value safejs.Value) {
	t.Helper()
	restore := hosttest.Must(hosttest.Host(t).Call("replaceGlobal", name, value))
	t.Cleanup(func() { restore.Invoke() })
}

// A tampering is what tamper in faults.js returns.
type tampering struct{ safejs.Value }

func tamper(t testing.TB) tampering {
	t.Helper()
	f := tampering{hosttest.Must(hosttest.Host(t).Call("tamper"))}
	t.Cleanup(func() { f.Call("restore") })
	return f
}

func (f tampering) next(t testing.TB, fault string) {
	t.Helper()
	hosttest.Must(f.Call("next", fault))
}

func (f tampering) count(t testing.TB, what string) int {
	t.Helper()
	return hosttest.Must(hosttest.Must(f.Call("count", what)).Int())
}

func (f tampering) wait(t testing.TB, what string, n int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); f.count(t, what) != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d %s after 5 s, want %d", f.count(t, what), what, n)
		}
	}
}

// consoleErrors counts the errors on the console. Go reports there a call of a released
// function.
func consoleErrors(t testing.TB) *int {
	t.Helper()
	var mu sync.Mutex
	reports := 0
	report := hosttest.Must(safejs.FuncOf(func(safejs.Value, []safejs.Value) any {
		mu.Lock()
		defer mu.Unlock()
		reports++
		return nil
	}))
	console := hosttest.Must(hosttest.Must(safejs.Global().Get("Object")).New())
	if err := console.Set("error", report); err != nil {
		t.Fatal(err)
	}
	replaceGlobal(t, "console", console)
	t.Cleanup(report.Release)
	return &reports
}
