//go:build js && wasm

package idb

import (
	"errors"
	"testing"
	"time"

	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/internal/hosttest"
)

func TestBlockedUpgrade(t *testing.T) {
	setBlockedTimeout(t, 50*time.Millisecond)
	name := fresh()
	release := holdDatabase(t, name, 1)
	restore := hosttest.Must(hosttest.Host(t).Call("pretendVersion", 2))
	_, err := Open(t.Context(), hosttest.Host(t), name, nil)
	restore.Invoke()
	wantError(t, err, "open", "BlockedError")
	release()
	// The upgrade happens now, and must not leave a connection behind.
	setBlockedTimeout(t, 10*time.Second)
	if err := Delete(t.Context(), hosttest.Host(t), name); err != nil {
		t.Fatal(err)
	}
}

func TestDatabaseDeletedByAnotherTab(t *testing.T) {
	name := fresh()
	lost := make(chan error, 2)
	s := open(t, name, func(err error) { lost <- err })
	put(t, s, "k", "v")
	if err := Delete(t.Context(), hosttest.Host(t), name); err != nil {
		t.Fatal(err)
	}
	wantError(t, receive(t, lost), "connection", "DeletedError")
	// A commit that expects deleted records must not store a part of them again.
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

func TestDatabaseUpgradedByAnotherTab(t *testing.T) {
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
	if err := Delete(t.Context(), hosttest.Host(t), name); err != nil {
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
		// Two records that must always be stored together.
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
			t.Fatalf("a part of a commit is stored")
		}
		select {
		case <-cleared:
			put(t, s, "a", "")
			return
		default:
		}
	}
}
