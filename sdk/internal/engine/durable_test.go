package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

func row(i int) pam.Subscription {
	return pam.Subscription{
		Key:   pam.Key{Service: fmt.Sprintf("pubsub%d.example.org", i%7), Node: fmt.Sprintf("node %d", i), SubID: []string{"", "a b\n"}[i%2]},
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

// TestDurable commits random changes and whole lists, and checks after each that
// another reader of the store gets the same list and version.
func TestDurable(t *testing.T) {
	const seed = 20261122
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := store.NewMemory()
	d := &durable{store: s}
	now, _, err := d.load(t.Context())
	if err != nil || now.Epoch == 0 || now.List.Len() != 0 {
		t.Fatalf("an empty store gave %+v, %v", now, err)
	}
	want := map[pam.Key]pam.Subscription{}
	stamp, list := now.Stamp, now.List
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
			c.List = listsync.NewList(sorted(want))
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
			c.List = list.Apply(c.Changes)
		}
		list = c.List
		if stored, err := d.commit(t.Context(), c, syncRecord{}); err != nil || stored != nil {
			t.Fatalf("commit %d: %v", i, err)
		}
		stamp = c.Next
		got, _, err := (&durable{store: s}).load(t.Context())
		if err != nil || got.Stamp != stamp || !slices.Equal(got.List.Rows(), sorted(want)) || !slices.Equal(got.Dropped, c.Dropped) {
			t.Fatalf("after commit %d: %d rows at %+v (%v), want %d at %+v", i, got.List.Len(), got.Stamp, err, len(want), stamp)
		}
	}
}

// TestDurableConflict tests two tabs that commit on the same base.
func TestDurableConflict(t *testing.T) {
	s := store.NewMemory()
	one, two := &durable{store: s}, &durable{store: s}
	_, _, _ = one.load(t.Context())
	_, _, _ = two.load(t.Context())
	r := row(1)
	first := listsync.Commit{Expect: one.now.Stamp, Next: listsync.Stamp{Epoch: 5, Version: "first"}, List: listsync.NewList([]pam.Subscription{r})}
	if _, err := one.commit(t.Context(), first, syncRecord{}); err != nil {
		t.Fatal(err)
	}
	stored, err := two.commit(t.Context(), listsync.Commit{Expect: two.now.Stamp, Next: listsync.Stamp{Epoch: 9, Version: "second"}, List: listsync.NewList(nil)}, syncRecord{})
	if stored == nil || stored.Version != "first" || stored.List.Len() != 1 {
		t.Fatalf("got %+v, %v", stored, err)
	}
	if stored, err = two.commit(t.Context(), listsync.Commit{Expect: stored.Stamp, Next: listsync.Stamp{Epoch: 10, Version: "third"}, List: stored.List.Apply([]pam.Change{{Before: &r}})}, syncRecord{}); err != nil {
		t.Fatalf("after the conflict: %+v, %v", stored, err)
	}
}

// TestDurableUnreadableMeanwhile commits what was built on a list that is no longer the
// one that was read last, to a store whose list has been erased or damaged since. The
// list that was read last must remain, and the next commit must write all of it.
func TestDurableUnreadableMeanwhile(t *testing.T) {
	for name, op := range map[string]store.Op{
		"erased":  store.DeleteRange("", ""),
		"damaged": store.Put(keyMeta, []byte("damaged")),
		"no rows": store.Delete(chunkKey(0)),
	} {
		t.Run(name, func(t *testing.T) {
			s := store.NewMemory()
			d := &durable{store: s}
			first, _, err := d.load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			second := listsync.Stamp{Epoch: first.Epoch + 1, Version: "2"}
			r, q := row(1), row(2)
			list := listsync.NewList([]pam.Subscription{r})
			if _, err := d.commit(t.Context(), listsync.Commit{Expect: first.Stamp, Next: second, List: list}, syncRecord{}); err != nil {
				t.Fatal(err)
			}
			if err := s.Commit(t.Context(), nil, []store.Op{op}); err != nil {
				t.Fatal(err)
			}
			late := listsync.Commit{Expect: first.Stamp, Next: listsync.Stamp{Epoch: first.Epoch + 1, Version: "3"}, List: list}
			now, err := d.commit(t.Context(), late, syncRecord{})
			if !errors.Is(err, store.ErrConflict) || now == nil || now.List.Len() != 1 || now.Stamp != second {
				t.Fatalf("got %+v, %v", now, err)
			}
			late.Expect, late.List = now.Stamp, now.List.Apply([]pam.Change{{After: &q}})
			if _, err := d.commit(t.Context(), late, syncRecord{}); err != nil {
				t.Fatal(err)
			}
			if again, _, err := (&durable{store: s}).load(t.Context()); err != nil || again.List.Len() != 2 || again.Version != "3" {
				t.Errorf("stored is %+v, %v", again, err)
			}
		})
	}
}

// TestDurableCorrupt corrupts every record in turn: a version without its list must
// never be read, and the next commit must repair the store.
func TestDurableCorrupt(t *testing.T) {
	fill := func() *store.Memory {
		s, _, _ := filled(t)
		return s
	}
	records, err := fill().Scan(t.Context(), store.Range{})
	if err != nil || len(records) != 6 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, record := range records {
		if record.Key == keySync {
			continue // contains only times
		}
		for name, ops := range map[string]store.Op{
			"gone":               store.Delete(record.Key),
			"empty":              store.Put(record.Key, []byte{}),
			"cut":                store.Put(record.Key, record.Value[:len(record.Value)/2]),
			"longer":             store.Put(record.Key, append(slices.Clone(record.Value), 0)),
			"flipped":            store.Put(record.Key, flip(record.Value, len(record.Value)-1)),
			"changed":            store.Put(record.Key, flip(record.Value, len(record.Value)/2)),
			"begins differently": store.Put(record.Key, append([]byte{0}, record.Value[1:]...)),
		} {
			s := fill()
			if err := s.Commit(t.Context(), nil, []store.Op{ops}); err != nil {
				t.Fatal(err)
			}
			d := &durable{store: s}
			got, _, err := d.load(t.Context())
			if err != nil || got.Version != "" || got.List.Len() != 0 {
				t.Errorf("%s %s: read %d rows at %q, %v", record.Key, name, got.List.Len(), got.Version, err)
				continue
			}
			r := row(3)
			if _, err := d.commit(t.Context(), listsync.Commit{Expect: got.Stamp, Next: listsync.Stamp{Epoch: 8, Version: "w"}, List: listsync.NewList([]pam.Subscription{r})}, syncRecord{}); err != nil {
				t.Errorf("%s %s: commit: %v", record.Key, name, err)
			}
			got, _, _ = (&durable{store: s}).load(t.Context())
			if left, _ := s.Scan(t.Context(), store.Range{}); got.Version != "w" || got.List.Len() != 1 || len(left) != 3 {
				t.Errorf("%s %s: afterwards %d rows at %q, %d records", record.Key, name, got.List.Len(), got.Version, len(left))
			}
		}
	}
}

func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1
	return b
}

// TestDurableReadAnew changes the list in another tab and reads it in this one while
// a commit built on the old list is queued. That commit must not overwrite the new
// list.
func TestDurableReadAnew(t *testing.T) {
	s := store.NewMemory()
	one, two := &durable{store: s}, &durable{store: s}
	old, _, _ := one.load(t.Context())
	_, _, _ = two.load(t.Context())
	r, q := row(1), row(2)
	if _, err := two.commit(t.Context(), listsync.Commit{Expect: two.now.Stamp, Next: listsync.Stamp{Epoch: 5, Version: "theirs"}, List: listsync.NewList([]pam.Subscription{r})}, syncRecord{}); err != nil {
		t.Fatal(err)
	}
	_, _, _ = one.load(t.Context())
	stored, err := one.commit(t.Context(), listsync.Commit{Expect: old.Stamp, Next: listsync.Stamp{Epoch: 6, Version: "mine"}, List: listsync.NewList([]pam.Subscription{q})}, syncRecord{})
	if !errors.Is(err, store.ErrConflict) || stored == nil || stored.Version != "theirs" {
		t.Errorf("got %+v, %v", stored, err)
	}
}

// TestInMemory checks that the list survives the failure of the store.
func TestInMemory(t *testing.T) {
	r, q := row(1), row(2)
	held := listsync.Durable{Stamp: listsync.Stamp{Epoch: 5, Version: "v"}, List: listsync.NewList([]pam.Subscription{r})}
	d := inMemory(held)
	if _, err := d.commit(t.Context(), listsync.Commit{Expect: held.Stamp, Next: listsync.Stamp{Epoch: 6, Version: "w"}, List: held.List.Apply([]pam.Change{{After: &q}})}, syncRecord{}); err != nil {
		t.Fatal(err)
	}
	got, _, err := (&durable{store: d.store}).load(t.Context())
	if err != nil || got.List.Len() != 2 || got.Version != "w" {
		t.Errorf("got %+v, %v", got, err)
	}
}
