package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

func row(i int) pam.Subscription {
	return pam.Subscription{
		Key:   pam.Key{Service: fmt.Sprintf("pubsub%d.example.org", i%7), Node: fmt.Sprintf("node %d", i), SubID: []string{"", "a\x00b"}[i%2]},
		JID:   "alice@example.org",
		State: pam.StateSubscribed,
	}
}

func sorted(rows map[pam.Key]pam.Subscription) []pam.Subscription {
	out := []pam.Subscription{}
	for _, r := range rows {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b pam.Subscription) int {
		if a.Key.Compare(b.Key) < 0 {
			return -1
		}
		return 1
	})
	return out
}

// TestDurable commits random changes and whole lists, and checks after each
// that another reader of the store sees the same list and version.
func TestDurable(t *testing.T) {
	const seed = 20261122
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := store.NewMemory()
	d := &durable{store: s}
	now, _, err := d.load(t.Context())
	if err != nil || now.Epoch == 0 || len(now.List) != 0 {
		t.Fatalf("an empty store gave %+v, %v", now, err)
	}
	want := map[pam.Key]pam.Subscription{}
	stamp := now.Stamp
	for i := range 300 {
		c := listsync.Commit{Seq: i, Expect: stamp, Next: listsync.Stamp{Epoch: stamp.Epoch + 1, Version: pam.Version(fmt.Sprintf("v%d", i))}}
		for j := range random.IntN(3) {
			c.Dropped = append(c.Dropped, row(1000+2*i+j))
		}
		if random.IntN(10) == 0 {
			c.Replace = true
			want = map[pam.Key]pam.Subscription{}
			for range random.IntN(200) {
				r := row(random.IntN(500))
				want[r.Key] = r
			}
			c.List = sorted(want)
		} else {
			touched := map[pam.Key]pam.Subscription{}
			for range 1 + random.IntN(5) {
				r := row(random.IntN(500))
				touched[r.Key] = r
			}
			for _, r := range sorted(touched) {
				change := pam.Change{After: &r}
				if old, ok := want[r.Key]; ok {
					change = pam.Change{Before: &old}
					delete(want, r.Key)
				} else {
					want[r.Key] = r
				}
				c.Changes = append(c.Changes, change)
			}
		}
		if stored, err := d.commit(t.Context(), c, syncRecord{}); err != nil || stored != nil {
			t.Fatalf("commit %d: %v", i, err)
		}
		stamp = c.Next
		got, _, err := (&durable{store: s}).load(t.Context())
		if err != nil || got.Stamp != stamp || !slices.Equal(got.List, sorted(want)) || !slices.Equal(got.Dropped, c.Dropped) {
			t.Fatalf("after commit %d: %d rows at %+v (%v), want %d at %+v", i, len(got.List), got.Stamp, err, len(want), stamp)
		}
	}
}

// TestDurableConflict has two tabs commit on the same base.
func TestDurableConflict(t *testing.T) {
	s := store.NewMemory()
	one, two := &durable{store: s}, &durable{store: s}
	_, _, _ = one.load(t.Context())
	_, _, _ = two.load(t.Context())
	r := row(1)
	first := listsync.Commit{Expect: one.stamp, Next: listsync.Stamp{Epoch: 5, Version: "first"}, Changes: []pam.Change{{After: &r}}}
	if _, err := one.commit(t.Context(), first, syncRecord{}); err != nil {
		t.Fatal(err)
	}
	stored, err := two.commit(t.Context(), listsync.Commit{Expect: two.stamp, Next: listsync.Stamp{Epoch: 9, Version: "second"}}, syncRecord{})
	if stored == nil || stored.Version != "first" || len(stored.List) != 1 {
		t.Fatalf("got %+v, %v", stored, err)
	}
	if stored, err = two.commit(t.Context(), listsync.Commit{Expect: stored.Stamp, Next: listsync.Stamp{Epoch: 10, Version: "third"}, Changes: []pam.Change{{Before: &r}}}, syncRecord{}); err != nil {
		t.Fatalf("after the conflict: %+v, %v", stored, err)
	}
}

// TestDurableCorrupt spoils every record in turn: a version without its list
// must never be read, and the next commit must make the store good again.
func TestDurableCorrupt(t *testing.T) {
	fill := func() *store.Memory {
		s := store.NewMemory()
		d := &durable{store: s}
		_, _, _ = d.load(t.Context())
		c := listsync.Commit{Expect: d.stamp, Replace: true, Next: listsync.Stamp{Epoch: 5, Version: "v"}}
		for i := range 200 {
			c.List = append(c.List, row(i))
		}
		if _, err := d.commit(t.Context(), c, syncRecord{}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	records, err := fill().Scan(t.Context(), store.Range{})
	if err != nil || len(records) < 30 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, record := range records {
		if record.Key == keySync {
			continue // says when, not what
		}
		for name, ops := range map[string]store.Op{
			"gone":      store.Delete(record.Key),
			"empty":     store.Put(record.Key, []byte{}),
			"cut":       store.Put(record.Key, record.Value[:len(record.Value)/2]),
			"longer":    store.Put(record.Key, append(slices.Clone(record.Value), 0)),
			"a new age": store.Put(record.Key, append([]byte{format + 1}, record.Value[1:]...)),
			"flipped":   store.Put(record.Key, flip(record.Value)),
		} {
			s := fill()
			if err := s.Commit(t.Context(), nil, []store.Op{ops}); err != nil {
				t.Fatal(err)
			}
			d := &durable{store: s}
			got, _, err := d.load(t.Context())
			if err != nil || got.Version != "" || len(got.List) != 0 {
				t.Errorf("%s %s: read %d rows at %q, %v", record.Key, name, len(got.List), got.Version, err)
				continue
			}
			r := row(3)
			if _, err := d.commit(t.Context(), listsync.Commit{Expect: got.Stamp, Next: listsync.Stamp{Epoch: 8, Version: "w"}, Changes: []pam.Change{{After: &r}}}, syncRecord{}); err != nil {
				t.Errorf("%s %s: commit: %v", record.Key, name, err)
			}
			got, _, _ = (&durable{store: s}).load(t.Context())
			if got.Version != "w" || len(got.List) != 1 {
				t.Errorf("%s %s: afterwards %d rows at %q", record.Key, name, len(got.List), got.Version)
			}
		}
	}
}

func flip(b []byte) []byte {
	b = slices.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// TestDurableReadAnew has another tab change the list, and this one read it
// while a commit that was built on the old list waits: it must not be stored
// over the new one.
func TestDurableReadAnew(t *testing.T) {
	s := store.NewMemory()
	one, two := &durable{store: s}, &durable{store: s}
	old, _, _ := one.load(t.Context())
	_, _, _ = two.load(t.Context())
	r, q := row(1), row(2)
	if _, err := two.commit(t.Context(), listsync.Commit{Expect: two.stamp, Next: listsync.Stamp{Epoch: 5, Version: "theirs"}, Changes: []pam.Change{{After: &r}}}, syncRecord{}); err != nil {
		t.Fatal(err)
	}
	_, _, _ = one.load(t.Context())
	stored, err := one.commit(t.Context(), listsync.Commit{Expect: old.Stamp, Next: listsync.Stamp{Epoch: 6, Version: "mine"}, Changes: []pam.Change{{After: &q}}}, syncRecord{})
	if !errors.Is(err, store.ErrConflict) || stored == nil || stored.Version != "theirs" {
		t.Errorf("got %+v, %v", stored, err)
	}
}

// TestInMemory checks that the list outlives the store.
func TestInMemory(t *testing.T) {
	r, q := row(1), row(2)
	held := listsync.Durable{Stamp: listsync.Stamp{Epoch: 5, Version: "v"}, List: []pam.Subscription{r}}
	d := inMemory(held)
	if _, err := d.commit(t.Context(), listsync.Commit{Expect: held.Stamp, Next: listsync.Stamp{Epoch: 6, Version: "w"}, Changes: []pam.Change{{After: &q}}}, syncRecord{}); err != nil {
		t.Fatal(err)
	}
	got, _, err := (&durable{store: d.store}).load(t.Context())
	if err != nil || len(got.List) != 2 || got.Version != "w" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestStored reads what this program and those before it have stored. The same
// files are put into a browser's database by storage.test.mjs. A change of the
// records or of the database's schema adds a file; none is ever removed.
func TestStored(t *testing.T) {
	files, err := filepath.Glob("testdata/stored/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no files", err)
	}
	for _, file := range files {
		var dump struct {
			Version pam.Version
			Rows    [][5]string
			Dropped [][5]string
			Records map[string][]byte
		}
		data, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(data, &dump)
		}
		if err != nil {
			t.Fatal(err)
		}
		s := store.NewMemory()
		for key, value := range dump.Records {
			if err := s.Commit(t.Context(), nil, []store.Op{store.Put(key, value)}); err != nil {
				t.Fatal(err)
			}
		}
		list := func(texts [][5]string) (rows []pam.Subscription) {
			for _, r := range texts {
				rows = append(rows, pam.Subscription{Key: pam.Key{Service: r[0], Node: r[1], SubID: r[2]}, JID: r[3], State: pam.State(r[4])})
			}
			return rows
		}
		got, _, err := (&durable{store: s}).load(t.Context())
		if err != nil || got.Version != dump.Version || !slices.Equal(got.List, list(dump.Rows)) || !slices.Equal(got.Dropped, list(dump.Dropped)) {
			t.Errorf("%s: got %+v, %v", file, got, err)
		}
	}
}
