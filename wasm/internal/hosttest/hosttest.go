//go:build js && wasm

// Package hosttest gives tests access to the functions that wasm/browsertest
// provides in Chromium.
package hosttest

import (
	"runtime"
	"testing"
	"time"

	"github.com/hack-pad/safejs"
)

// Host returns globalThis.testHost. A test that runs elsewhere fails.
func Host(t testing.TB) safejs.Value {
	t.Helper()
	h, err := safejs.Global().Get("testHost")
	if err != nil || h.IsUndefined() {
		t.Fatal("there is no globalThis.testHost: run this test with wasm/browsertest")
	}
	return h
}

// Values returns the number of JavaScript values that Go references after a garbage
// collection.
func Values(t testing.TB) int {
	t.Helper()
	for range 2 { // finalizers release JavaScript values
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return Must(Must(Host(t).Call("countValues")).Int())
}

// Must returns v, and panics if err is not nil.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
