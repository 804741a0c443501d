package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A dump holds the records stored by one version of the program, and their meaning.
type dump struct {
	Version    pam.Version
	Mechanism  string
	LastSynced int64
	Rows       [][5]string
	Dropped    [][5]string
	Records    map[string][]byte
}

// TestStored reads the records stored by this and earlier versions of the program,
// and replaces them. storage.test.mjs writes the same files into a browser's
// database. A change of the records or of the database's schema adds a file; no file
// is ever removed.
func TestStored(t *testing.T) {
	files, err := filepath.Glob("testdata/stored/*.json")
	if err != nil || len(files) < 3 {
		t.Fatal("files are missing", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testDump(t, file) })
	}
}

func testDump(t *testing.T, file string) {
	var stored dump
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &stored)
	}
	if err != nil {
		t.Fatal(err)
	}
	list := func(texts [][5]string) (rows []pam.Subscription) {
		for _, r := range texts {
			rows = append(rows, pam.Subscription{Key: pam.Key{Service: r[0], Node: r[1], SubID: r[2]}, JID: r[3], State: pam.State(r[4])})
		}
		return rows
	}
	s := store.NewMemory()
	put(t, s, stored.Records)
	rows, dropped := list(stored.Rows), list(stored.Dropped)
	d := &durable{store: s}
	now, sync, err := d.load(t.Context())
	if err != nil || now.Version != stored.Version || !slices.Equal(now.List.Rows(), rows) || !slices.Equal(now.Dropped, dropped) {
		t.Fatalf("got %+v, %v", now, err)
	}
	if sync.mechanism != stored.Mechanism || stored.LastSynced != 0 && sync.lastSynced.UnixMilli() != stored.LastSynced {
		t.Errorf("got %+v", sync)
	}

	r := rows[1]
	r.State = pam.StatePending
	change := pam.Change{Before: &rows[1], After: &r}
	next := listsync.Commit{Expect: now.Stamp, Next: listsync.Stamp{Epoch: now.Epoch + 1, Version: "next"}, List: now.List.Apply([]pam.Change{change}), Dropped: dropped}
	if _, err := d.commit(t.Context(), next, sync); err != nil {
		t.Fatal(err)
	}
	again, sameSync, err := (&durable{store: s}).load(t.Context())
	if rows[1] = r; err != nil || again.Stamp != next.Next || !slices.Equal(again.List.Rows(), rows) || !slices.Equal(again.Dropped, dropped) || sameSync != sync {
		t.Errorf("after a commit: %+v, %+v, %v", again, sameSync, err)
	}
	records, _ := s.Scan(t.Context(), store.Range{})
	for _, record := range records {
		_, old := bucketIndex(record.Key)
		if old || !strings.HasPrefix(record.Key, keySessions) && record.Value[0] != '2' && !strings.Contains(record.Key, "list/0") {
			t.Errorf("%s of the previous format is left", record.Key)
		}
	}
	if session := stored.Records[sessionKey("tab")]; session != nil {
		if s := d.claimSession(t.Context(), "tab", "tab"); s == nil || s.stream.ID != "sm id" {
			t.Errorf("the session was read as %+v", s)
		}
	}
}

func put(t *testing.T, s store.Store, records map[string][]byte) {
	t.Helper()
	for key, value := range records {
		if err := s.Commit(t.Context(), nil, []store.Op{store.Put(key, value)}); err != nil {
			t.Fatal(err)
		}
	}
}

// filled returns a store with a list of 1000 rows, the durable that uses it, and the
// list.
func filled(t *testing.T) (*store.Memory, *durable, listsync.Durable) {
	t.Helper()
	s := store.NewMemory()
	d := &durable{store: s}
	rows := make([]pam.Subscription, 1000)
	for i := range rows {
		rows[i] = row(i)
	}
	now := listsync.Durable{Stamp: listsync.Stamp{Epoch: 5, Version: "v"}, List: listsync.NewList(rows), Dropped: []pam.Subscription{row(2000)}}
	_, _, _ = d.load(t.Context())
	if _, err := d.commit(t.Context(), listsync.Commit{Expect: d.now.Stamp, Next: now.Stamp, List: now.List, Dropped: now.Dropped, Replace: true}, syncRecord{sessions: 1}); err != nil {
		t.Fatal(err)
	}
	return s, d, now
}

// counting counts the operations of a commit.
type counting struct {
	store.Store
	ops []store.Op
}

func (c *counting) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	c.ops = ops
	return c.Store.Commit(ctx, expect, ops)
}

// TestOneChunk checks that a change of one row writes one chunk and the meta record,
// also in a list that was read from the store, and that removing all rows removes all
// chunks.
func TestOneChunk(t *testing.T) {
	s, d, now := filled(t)
	for i, name := range []string{"written", "read", "in another order"} {
		c := &counting{Store: s}
		if d.store = c; name == "read" {
			now, _, _ = d.load(t.Context())
		}
		before := now.List.Rows()[600]
		after := before
		after.State = pam.State(fmt.Sprint("state ", i))
		commit := listsync.Commit{Expect: now.Stamp, Next: listsync.Stamp{Epoch: now.Epoch + 1}, List: now.List.Apply([]pam.Change{{Before: &before, After: &after}})}
		if _, err := d.commit(t.Context(), commit, syncRecord{}); err != nil {
			t.Fatal(err)
		}
		if len(c.ops) != 2 || c.ops[0].Kind != store.OpPut || c.ops[0].Key != chunkKey(2) || c.ops[1].Key != keyMeta {
			t.Errorf("%s: %d operations, the first on %q", name, len(c.ops), c.ops[0].Key)
		}
		now = listsync.Durable{Stamp: commit.Next, List: commit.List}
	}
	if _, err := d.commit(t.Context(), listsync.Commit{Expect: now.Stamp, Next: listsync.Stamp{Epoch: 99}, List: listsync.NewList(nil)}, syncRecord{}); err != nil {
		t.Fatal(err)
	}
	if left, _ := s.Scan(t.Context(), store.Range{From: keyList, To: keyList + "\xff"}); len(left) != 1 {
		t.Errorf("an empty list has %d records", len(left))
	}
	if got, _, err := (&durable{store: s}).load(t.Context()); err != nil || got.Epoch != 99 || got.List.Len() != 0 {
		t.Errorf("an empty list was read as %+v, %v", got, err)
	}
}

// TestNewerFormat checks that records of a newer format are not changed: not by the
// first read, nor by a hint, nor by a commit.
func TestNewerFormat(t *testing.T) {
	s, d, now := filled(t)
	newer := []byte("3\x1fof another kind\x1e")
	put(t, s, map[string][]byte{keyMeta: newer})
	if got, _, err := (&durable{store: s}).load(t.Context()); !errors.Is(err, errNewer) || got.List.Len() != 0 {
		t.Errorf("load gave %+v, %v", got, err)
	}
	if _, found, err := d.loadAnew(t.Context()); found || !errors.Is(err, errNewer) {
		t.Errorf("loadAnew gave %v, %v", found, err)
	}
	before, _ := s.Scan(t.Context(), store.Range{})
	r := row(3)
	next := listsync.Commit{Expect: now.Stamp, Next: listsync.Stamp{Epoch: 6}, List: now.List.Apply([]pam.Change{{Before: &r}})}
	if stored, err := d.commit(t.Context(), next, syncRecord{}); stored != nil || !errors.Is(err, errNewer) {
		t.Errorf("commit gave %+v, %v", stored, err)
	}
	after, _ := s.Scan(t.Context(), store.Range{})
	if !slices.EqualFunc(before, after, func(a, b store.Record) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }) {
		t.Error("the records of a newer format were changed")
	}
}

// TestSyncRecord encodes and decodes the record, and decodes invalid ones.
func TestSyncRecord(t *testing.T) {
	for _, s := range []syncRecord{{}, {sessions: 3, lastFull: time.UnixMilli(0), mechanism: "PLAIN"}, {lastFull: time.UnixMilli(1795900000123), lastSynced: time.UnixMilli(1)}} {
		value := encodeSync(s)
		if got := decodeSync(value); got != s {
			t.Errorf("%+v became %+v", s, got)
		}
		for n := range value {
			if got := decodeSync(value[:n]); got != (syncRecord{}) {
				t.Errorf("%q was read as %+v", value[:n], got)
			}
		}
		if got := decodeSync(append(value, 'x')); got != (syncRecord{}) {
			t.Errorf("a record that is too long was read as %+v", got)
		}
	}
}

// TestAnotherMode checks that a list not maintained by PAM is rejected.
func TestAnotherMode(t *testing.T) {
	for mode, want := range map[string]error{modePAM: nil, "mirror": errUnreadable} {
		value := []byte("2\x1f5\x1fv\x1f" + mode + "\x1f0\x1f0\x1f0\x1f\x1e")
		value = append(appendField(value, hexDigest(digest(value))), rowEnd)
		if m, err := decodeMeta(value); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", mode, m, err)
		}
	}
}
