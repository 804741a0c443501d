//go:build js && wasm

package idb

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/store/storetest"
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
	// In UTF-16 the last two are the other way round.
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
		_, err := Open(t.Context(), host(t), fresh(), nil)
		wantError(t, err, "open", "NotSupportedError")
	})
	t.Run("refused", func(t *testing.T) {
		// The method of an object that is not an IDBFactory throws, as the
		// real one does where storage is forbidden.
		factory, _ := safejs.Global().Get("Object")
		replaceGlobal(t, "indexedDB", must(factory.New()))
		_, err := Open(t.Context(), host(t), fresh(), nil)
		wantError(t, err, "open", "TypeError")
	})
	t.Run("newer schema", func(t *testing.T) {
		name := fresh()
		release := holdDatabase(t, name, 99)
		defer release()
		_, err := Open(t.Context(), host(t), name, nil)
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
		if _, err := Open(ctx, host(t), fresh(), nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
	})
}

func TestOpenBehindABlockedDelete(t *testing.T) {
	setPatience(t, 50*time.Millisecond)
	name := fresh()
	release := holdDatabase(t, name, 1)
	wantError(t, Delete(t.Context(), host(t), name), "delete", "BlockedError")
	_, err := Open(t.Context(), host(t), name, nil) // the browser tells nothing of this one
	wantError(t, err, "open", "TimeoutError")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, host(t), name, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want context.DeadlineExceeded", err)
	}
	// What is opened for nobody must be closed: were it not, it would call the
	// released onLost when it is deleted, which Go reports on the console.
	console := must(must(safejs.Global().Get("Object")).New())
	reports := 0
	report := must(safejs.FuncOf(func(safejs.Value, []safejs.Value) any {
		reports++
		return nil
	}))
	t.Cleanup(report.Release)
	if err := console.Set("error", report); err != nil {
		t.Fatal(err)
	}
	replaceGlobal(t, "console", console)
	release()
	setPatience(t, 10*time.Second)
	if err := Delete(t.Context(), host(t), name); err != nil {
		t.Fatal(err)
	}
	if reports != 0 {
		t.Fatal("the connection that nobody waited for stayed open")
	}
}

func TestBlockedUpgrade(t *testing.T) {
	setPatience(t, 50*time.Millisecond)
	name := fresh()
	release := holdDatabase(t, name, 1)
	restore := must(host(t).Call("pretendVersion", 2))
	_, err := Open(t.Context(), host(t), name, nil)
	restore.Invoke()
	wantError(t, err, "open", "BlockedError")
	release()
	// The upgrade happens now, and must not leave a connection behind.
	setPatience(t, 10*time.Second)
	if err := Delete(t.Context(), host(t), name); err != nil {
		t.Fatal(err)
	}
}

func TestDeleteTakesTheDatabaseAway(t *testing.T) {
	name := fresh()
	lost := make(chan error, 2)
	s := open(t, name, func(err error) { lost <- err })
	put(t, s, "k", "v")
	if err := Delete(t.Context(), host(t), name); err != nil {
		t.Fatal(err)
	}
	wantError(t, receive(t, lost), "connection", "DeletedError")
	// A commit built on what was there must not bring half of it back.
	err := s.Commit(t.Context(), []store.Record{{Key: "k", Value: []byte("v")}}, []store.Op{store.Put("l", nil)})
	if !errors.Is(err, store.ErrConflict) {
		t.Fatalf("commit on a deleted database: %v, want ErrConflict", err)
	}
	put(t, s, "k", "w")
	expect(t, s, "k", "w")
	if len(lost) != 0 {
		t.Fatalf("a second loss was reported: %v", <-lost)
	}
}

func TestNewerVersionTakesTheDatabaseAway(t *testing.T) {
	name := fresh()
	lost := make(chan error, 2)
	s := open(t, name, func(err error) { lost <- err })
	put(t, s, "k", "v")
	release := holdDatabase(t, name, 99)
	defer release()
	wantError(t, receive(t, lost), "connection", "VersionError")
	_, err := s.Get(t.Context(), "k")
	wantError(t, err, "open", "VersionError")
}

func TestClosedStoreReportsNoLoss(t *testing.T) {
	name := fresh()
	lost := make(chan error, 1)
	s := open(t, name, func(err error) { lost <- err })
	s.Close()
	if err := Delete(t.Context(), host(t), name); err != nil {
		t.Fatal(err)
	}
	if len(lost) != 0 {
		t.Fatalf("loss reported after Close: %v", <-lost)
	}
}

func TestClearedSiteData(t *testing.T) {
	lost := make(chan error, 1)
	s := open(t, fresh(), func(err error) { lost <- err })
	put(t, s, "k", "v")
	devtools(t, "Storage.clearDataForOrigin", `"storageTypes": "indexeddb"`)
	wantError(t, receive(t, lost), "connection", "InvalidStateError")
	got, err := s.Get(t.Context(), "k")
	if err != nil {
		t.Fatalf("the database was not opened again: %v", err)
	}
	if got[0] != nil {
		t.Fatalf("record %q after site data were cleared", got[0])
	}
	put(t, s, "k", "w")
}

func TestClearedSiteDataDuringCommits(t *testing.T) {
	s := open(t, fresh(), nil)
	cleared := make(chan struct{})
	go func() {
		defer close(cleared)
		devtools(t, "Storage.clearDataForOrigin", `"storageTypes": "indexeddb"`)
	}()
	value := make([]byte, 100_000)
	for i := 0; ; i++ {
		// Two records that must always be there together.
		err := s.Commit(t.Context(), nil, []store.Op{store.Put("a", value), store.Put("b", value)})
		if e, ok := errors.AsType[*Error](err); err != nil && !ok {
			t.Fatalf("commit %d: %v, want an *Error", i, err)
		} else if ok {
			t.Logf("commit %d: %v", i, e)
		}
		got, err := s.Get(t.Context(), "a", "b")
		if err != nil {
			t.Logf("get %d: %v", i, err)
		} else if (got[0] == nil) != (got[1] == nil) {
			t.Fatalf("half a commit is stored")
		}
		select {
		case <-cleared:
			put(t, s, "a", "")
			return
		default:
		}
	}
}

func TestQuota(t *testing.T) {
	// Chromium remembers for a while how much space there is, but not for
	// longer than the origin has data.
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

func TestNothingIsHeldAfterOperations(t *testing.T) {
	s := open(t, fresh(), nil)
	work := func() (values, objects int) {
		for range 150 {
			put(t, s, "k", "v")
			expect(t, s, "k", "v")
		}
		for range 2 { // finalizers let go of JavaScript's values
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return must(must(host(t).Call("countValues")).Int()), int(memory.HeapObjects)
	}
	work()
	values, objects := work()
	valuesAfter, objectsAfter := work()
	if valuesAfter > values+20 || objectsAfter > objects+150 {
		t.Fatalf("300 operations raised the JavaScript values held from %d to %d, the objects on the heap from %d to %d",
			values, valuesAfter, objects, objectsAfter)
	}
}

// Helpers.

var names int

func fresh() string {
	names++
	return fmt.Sprintf("test-%d-%d", time.Now().UnixNano(), names)
}

func host(t testing.TB) safejs.Value {
	t.Helper()
	h, err := safejs.Global().Get("testHost")
	if err != nil || h.IsUndefined() {
		t.Fatal("there is no globalThis.testHost: run this test with wasm/browsertest")
	}
	return h
}

func open(t testing.TB, name string, onLost func(error)) *Store {
	t.Helper()
	s, err := Open(context.Background(), host(t), name, onLost)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		Delete(context.Background(), host(t), name)
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

func setPatience(t testing.TB, d time.Duration) {
	old := patience
	patience = d
	t.Cleanup(func() { patience = old })
}

// holdDatabase opens a database and returns what lets go of it.
func holdDatabase(t testing.TB, name string, version int) func() {
	t.Helper()
	release := await(t, "holdDatabase", name, version)
	return func() { release.Invoke() }
}

// devtools calls a method of the DevTools protocol for this origin.
func devtools(t testing.TB, method, params string) {
	t.Helper()
	location := must(safejs.Global().Get("location"))
	origin := must(must(location.Get("origin")).String())
	if params != "" {
		params = ", " + params
	}
	await(t, "devtools", method, fmt.Sprintf(`{"origin": %q%s}`, origin, params))
}

// await calls a function of faults.js and waits for it.
func await(t testing.TB, method string, args ...any) safejs.Value {
	t.Helper()
	answers := make(chan string, 1)
	done := must(safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		answers <- text(args[0])
		return nil
	}))
	defer done.Release()
	result := must(host(t).Call(method, append(args, done)...))
	if problem := <-answers; problem != "" {
		t.Errorf("%s: %s", method, problem)
	}
	return result
}

func replaceGlobal(t testing.TB, name string, value safejs.Value) {
	t.Helper()
	restore := must(host(t).Call("replaceGlobal", name, value))
	t.Cleanup(func() { restore.Invoke() })
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
