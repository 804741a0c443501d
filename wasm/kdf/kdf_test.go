//go:build js && wasm

package kdf

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
	"xmpp-pam/wasm/internal/hosttest"
)

func derivation(hash string, size, iterations int) client.Derivation {
	return client.Derivation{Hash: hash, Password: "pässword", Salt: []byte("\x00salt\xff!"), Iterations: iterations, Size: size}
}

var sizes = map[string]int{"SHA-1": 20, "SHA-256": 32, "SHA-512": 64}

// without returns a host without Web Cryptography.
func without(t *testing.T) safejs.Value {
	t.Helper()
	return hosttest.Must(hosttest.Must(safejs.Global().Get("testHost")).Get("noCrypto"))
}

// TestDerive checks that Web Cryptography and Go derive the same key.
func TestDerive(t *testing.T) {
	for hash, size := range sizes {
		d := derivation(hash, size, 5000)
		want, err := d.Key(func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		got, err := derive(t.Context(), hosttest.Host(t), d)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v; want %x", hash, got, err, want)
		}
		if got, err = New(without(t))(t.Context(), d); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s without Web Cryptography: %x, %v; want %x", hash, got, err, want)
		}
		if _, err := derive(t.Context(), without(t), d); !errors.Is(err, errNone) {
			t.Errorf("got %v", err)
		}
	}
	// If the browser reports an error, Go computes the key.
	d := derivation("SHA-256", 32, 4096)
	want, _ := d.Key(nil)
	refusing := hosttest.Must(hosttest.Must(safejs.Global().Get("testHost")).Get("badCrypto"))
	if _, err := derive(t.Context(), refusing, d); err == nil {
		t.Error("an error of the browser was ignored")
	}
	if got, err := New(refusing)(t.Context(), d); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
}

// TestTimersFire checks that timers of JavaScript and of Go fire while a key is derived,
// with Web Cryptography and without.
func TestTimersFire(t *testing.T) {
	for name, h := range map[string]safejs.Value{"with": hosttest.Host(t), "without": without(t)} {
		turns := 0
		tick := hosttest.Must(safejs.FuncOf(func(safejs.Value, []safejs.Value) any { turns++; return nil }))
		timer := hosttest.Must(safejs.Global().Call("setInterval", tick.Value(), 1))
		start := time.Now()
		if _, err := New(h)(t.Context(), derivation("SHA-512", 64, 200_000)); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		_, _ = safejs.Global().Call("clearInterval", timer)
		tick.Release()
		if turns < 5 {
			t.Errorf("%s: %d timers fired in %v", name, turns, took)
		}
		t.Logf("%s Web Cryptography: 200,000 iterations of SHA-512 in %v, %d timers fired", name, took, turns)
	}
}

// TestContextEnds checks that a derivation ends with its context and releases its values.
func TestContextEnds(t *testing.T) {
	work := func() int {
		for range 5 {
			for _, h := range []safejs.Value{hosttest.Host(t), without(t)} {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
				start := time.Now()
				if _, err := New(h)(ctx, derivation("SHA-512", 64, 200_000)); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				cancel()
				if took := time.Since(start); took > time.Second {
					t.Errorf("it ended after %v", took)
				}
				if _, err := New(h)(t.Context(), derivation("SHA-1", 20, 4096)); err != nil {
					t.Fatal(err)
				}
			}
		}
		return hosttest.Values(t)
	}
	before := work()
	if after := work(); after > before+10 {
		t.Errorf("Go holds %d JavaScript values, %d before 20 keys", after, before)
	}
}
