package listsync

import (
	"math/rand/v2"
	"slices"
	"testing"

	"xmpp-pam/sdk/pam"
)

// TestSort compares the order with that of Key.Compare, for keys that share beginnings,
// that are the beginning of others, and that contain the byte 0.
func TestSort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(parts ...string) (s string) {
		for range r.IntN(4) {
			s += parts[r.IntN(len(parts))]
		}
		return s
	}
	for run := range 3000 {
		shared := []string{"", "pubsub.", "urn:xmpp:microblog"}[run%3]
		rows := make([]pam.Subscription, r.IntN(40))
		for i := range rows {
			rows[i] = pam.Subscription{
				Key: pam.Key{
					Service: shared + text("a", "b", "\x00", "example.org", "é"),
					Node:    shared + text("a", "b", "\x00", "12345678", "\xff"),
					SubID:   text("x", "y"),
				},
				State: pam.StateSubscribed,
			}
		}
		want := slices.Clone(rows)
		slices.SortStableFunc(want, func(a, b pam.Subscription) int { return a.Key.Compare(b.Key) })
		if got := Sort(rows); !slices.Equal(got, want) {
			t.Fatalf("run %d: got %q, want %q", run, got, want)
		}
	}
}
