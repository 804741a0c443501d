package listsync

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"xmpp-pam/sdk/pam"
)

// TestList derives lists from lists and compares them with maps. The earlier lists
// must not change.
func TestList(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	type made struct {
		list *List
		rows []pam.Subscription
	}
	list, want := NewList(nil), map[pam.Key]pam.Subscription{}
	all := []made{{list, nil}}
	for i := range 200 {
		touched := map[pam.Key]pam.Subscription{}
		for range random.IntN(1 << random.IntN(11)) {
			k := pam.Key{Service: string(rune('a' + random.IntN(3))), Node: fmt.Sprint(random.IntN(700)), SubID: []string{"", "x", "y"}[random.IntN(3)]}
			touched[k] = pam.Subscription{Key: k, State: []pam.State{pam.StateNone, pam.StateSubscribed, pam.StatePending}[random.IntN(3)]}
		}
		l := newLayer(list)
		for k, s := range touched {
			if s.State == pam.StateNone && !l.has(k) {
				continue
			}
			l.set(s)
			if want[k] = s; s.State == pam.StateNone {
				delete(want, k)
			}
		}
		changes := l.changes()
		next := list.Apply(changes)
		rows := rows(want).sorted()
		if !slices.Equal(next.Rows(), rows) || next.Len() != len(rows) {
			t.Fatalf("list %d has %d rows, want %d", i, next.Len(), len(rows))
		}
		if random.IntN(4) == 0 { // a new list, unsorted and with rows that must be removed
			messy := append(slices.Clone(rows), slices.Collect(maps.Values(touched))...)
			random.Shuffle(len(messy), func(i, j int) { messy[i], messy[j] = messy[j], messy[i] })
			next = NewList(append(append(messy, pam.Subscription{Key: pam.Key{Service: "z"}}, pam.Subscription{Key: pam.Key{Service: "z"}, State: pam.StateNone}), finals(rows, touched)...))
		}
		if got := diff(list, next); !slices.EqualFunc(got, changes, sameChange) {
			t.Fatalf("list %d: %d changes, want %d", i, len(got), len(changes))
		}
		for k := range touched {
			got, ok := next.get(k)
			if s, there := want[k]; ok != there || got != s {
				t.Fatalf("list %d: get(%v) = %v, %v", i, k, got, ok)
			}
			at := next.at(k.Service, k.Node)
			if !slices.Equal(at, slices.Collect(filter(rows, k))) {
				t.Fatalf("list %d: at %v: %v", i, k, at)
			}
		}
		list = next
		all = append(all, made{list, rows})
	}
	for i, m := range all {
		if !slices.Equal(slices.Concat(m.list.chunks...), m.rows) {
			t.Fatalf("list %d has changed", i)
		}
	}
}

// finals returns the last row of each key.
func finals(rows []pam.Subscription, touched map[pam.Key]pam.Subscription) []pam.Subscription {
	last := maps.Clone(touched)
	for k := range last {
		last[k] = pam.Subscription{Key: k, State: pam.StateNone}
	}
	for _, s := range rows {
		last[s.Key] = s
	}
	return slices.Collect(maps.Values(last))
}

func filter(rows []pam.Subscription, k pam.Key) func(func(pam.Subscription) bool) {
	return func(yield func(pam.Subscription) bool) {
		for _, s := range rows {
			if s.Service == k.Service && s.Node == k.Node && !yield(s) {
				return
			}
		}
	}
}

func sameChange(a, b pam.Change) bool {
	same := func(a, b *pam.Subscription) bool { return a == b || a != nil && b != nil && *a == *b }
	return same(a.Before, b.Before) && same(a.After, b.After)
}

// String formats the rows for the messages of failing tests.
func (l *List) String() string { return fmt.Sprint(l.Rows()) }

// TestJoin joins the chunks of a list, and checks that Join rejects invalid chunks.
func TestJoin(t *testing.T) {
	rows := bigList(1000)
	list := NewList(rows)
	if got, ok := Join(list.Chunks()); !ok || !slices.Equal(got.Rows(), rows) {
		t.Errorf("the chunks of a list were refused: %v", ok)
	}
	if got, ok := Join(nil); !ok || got.Len() != 0 {
		t.Error("no chunks were refused")
	}
	none := slices.Clone(rows[:3])
	none[1].State = pam.StateNone
	for name, chunks := range map[string][][]pam.Subscription{
		"an empty chunk":   {rows[:3], {}, rows[3:5]},
		"a key twice":      {rows[:3], rows[2:5]},
		"chunks exchanged": {rows[3:5], rows[:3]},
		"rows exchanged":   {{rows[1], rows[0]}},
		"none":             {none},
	} {
		if _, ok := Join(chunks); ok {
			t.Errorf("%s: accepted as a list", name)
		}
	}
}

// TestChunksShared checks that after a change of one row the list shares all chunks
// except one.
func TestChunksShared(t *testing.T) {
	list := NewList(bigList(2000))
	row := list.Rows()[700]
	row.State = pam.StatePending
	next := list.Apply([]pam.Change{{Before: &list.Rows()[700], After: &row}})
	differ := 0
	for i, chunk := range next.Chunks() {
		if &chunk[0] != &list.Chunks()[i][0] {
			differ++
		}
	}
	if differ != 1 || len(next.Chunks()) != len(list.Chunks()) {
		t.Errorf("%d chunks of %d differ", differ, len(next.Chunks()))
	}
}

const testAccount = "francisco@denmark.lit"

func sub(service, node, subid string, state pam.State) pam.Subscription {
	return pam.Subscription{Key: pam.Key{Service: service, Node: node, SubID: subid}, JID: testAccount, State: state}
}
