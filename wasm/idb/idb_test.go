//go:build js && wasm

package idb

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/store/storetest"
	"xmpp-pam/wasm/internal/hosttest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, fresh(), nil) })
}

func TestRecordsSurviveClose(t *testing.T) {
	name := fresh()
	s := open(t, name, nil)
	put(t, s, "k", "v")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, open(t, name, nil), "k", "v")
}

func TestTwoTabsOneCounter(t *testing.T) {
	name := fresh()
	tabs := []*Store{open(t, name, nil), open(t, name, nil)}
	const each = 50
	var wg sync.WaitGroup
	for _, s := range tabs {
		wg.Go(func() {
			for range each {
				for {
					got, err := s.Get(t.Context(), "n")
					if err != nil {
						t.Error(err)
						return
					}
					next := append(bytes.Clone(got[0]), 'x')
					err = s.Commit(t.Context(), []store.Record{{Key: "n", Value: got[0]}}, []store.Op{store.Put("n", next)})
					if err == nil {
						break
					}
					if !errors.Is(err, store.ErrConflict) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	expect(t, tabs[0], "n", strings.Repeat("x", 2*each))
}

func TestKeysOfAnyBytesKeepByteOrder(t *testing.T) {
	s := open(t, fresh(), nil)
	// In UTF-16 the last two have the opposite order.
	keys := []string{"", "\x00", "a", "a\x00", "ab", "é", "\uFF5E", "\U0001F600", "\xff\xfe"}
	for _, k := range keys {
		put(t, s, k, k)
	}
	got, err := s.Scan(t.Context(), store.Range{})
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range keys {
		if i >= len(got) || got[i].Key != k || string(got[i].Value) != k {
			t.Fatalf("records %q, want the keys %q in this order", got, keys)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Run("no IndexedDB", func(t *testing.T) {
		replaceGlobal(t, "indexedDB", safejs.Undefined())
		_, err := Open(t.Context(), hosttest.Host(t), fresh(), nil)
		wantError(t, err, "open", "NotSupportedError")
	})
	t.Run("refused", func(t *testing.T) {
		// The method of an object that is not an IDBFactory throws, as the
		// real one does where storage is forbidden.
		factory, _ := safejs.Global().Get("Object")
		replaceGlobal(t, "indexedDB", hosttest.Must(factory.New()))
		_, err := Open(t.Context(), hosttest.Host(t), fresh(), nil)
		wantError(t, err, "open", "TypeError")
	})
	t.Run("newer schema", func(t *testing.T) {
		name := fresh()
		release := holdDatabase(t, name, 99)
		defer release()
		_, err := Open(t.Context(), hosttest.Host(t), name, nil)
		wantError(t, err, "open", "VersionError")
	})
	t.Run("no host function", func(t *testing.T) {
		_, err := Open(t.Context(), safejs.Global(), fresh(), nil)
		if err == nil || !strings.Contains(err.Error(), "openDatabase") {
			t.Fatalf("error %v, want one that names openDatabase", err)
		}
	})
	t.Run("context over", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Open(ctx, hosttest.Host(t), fresh(), nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
	})
}

func TestOpenBehindABlockedDelete(t *testing.T) {
	setBlockedTimeout(t, 50*time.Millisecond)
	name := fresh()
	release := holdDatabase(t, name, 1)
	wantError(t, Delete(t.Context(), hosttest.Host(t), name), "delete", "BlockedError")
	_, err := Open(t.Context(), hosttest.Host(t), name, nil) // the browser emits no event for this one
	wantError(t, err, "open", "TimeoutError")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, hosttest.Host(t), name, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want context.DeadlineExceeded", err)
	}
	// A connection opened after its operation was cancelled must be closed, or it would
	// call the released onLost when the database is deleted, which Go reports on the
	// console.
	console := hosttest.Must(hosttest.Must(safejs.Global().Get("Object")).New())
	reports := 0
	report := hosttest.Must(safejs.FuncOf(func(safejs.Value, []safejs.Value) any {
		reports++
		return nil
	}))
	t.Cleanup(report.Release)
	if err := console.Set("error", report); err != nil {
		t.Fatal(err)
	}
	replaceGlobal(t, "console", console)
	release()
	setBlockedTimeout(t, 10*time.Second)
	if err := Delete(t.Context(), hosttest.Host(t), name); err != nil {
		t.Fatal(err)
	}
	if reports != 0 {
		t.Fatal("the connection of a cancelled operation stayed open")
	}
}

func TestQuota(t *testing.T) {
	// Chromium caches the available space, but only while the origin has data.
	devtools(t, "Storage.clearDataForOrigin", `"storageTypes": "indexeddb"`)
	devtools(t, "Storage.overrideQuotaForOrigin", `"quotaSize": 300000`)
	s := open(t, fresh(), nil)
	put(t, s, "ver", "1")
	defer devtools(t, "Storage.overrideQuotaForOrigin", "")
	big := make([]byte, 2_000_000)
	rand.Read(big)
	err := s.Commit(t.Context(), nil, []store.Op{store.Put("ver", []byte("2")), store.Put("list", big)})
	wantError(t, err, "commit", "QuotaExceededError")
	expect(t, s, "ver", "1")
	put(t, s, "ver", "2")
}

func TestOperationsReleaseValues(t *testing.T) {
	s := open(t, fresh(), nil)
	work := func() (values, objects int) {
		for range 150 {
			put(t, s, "k", "v")
			expect(t, s, "k", "v")
		}
		values = hosttest.Values(t)
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return values, int(memory.HeapObjects)
	}
	work()
	values, objects := work()
	valuesAfter, objectsAfter := work()
	if valuesAfter > values+20 || objectsAfter > objects+150 {
		t.Fatalf("300 operations raised the JavaScript values held from %d to %d, the objects on the heap from %d to %d",
			values, valuesAfter, objects, objectsAfter)
	}
}
