package stream

import (
	"fmt"
	"testing"
)

func TestOnlyJIDsAreRemembered(t *testing.T) {
	var known addresses
	for range 3 {
		for i := range 2 * maxKnown {
			if err := known.check(fmt.Sprintf("user%d@example.org/phone", i)); err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"", "@", "user@", "a b@example.org", fmt.Sprintf("user%d@", i)} {
				if known.check(bad) == nil {
					t.Fatalf("%q passes for a JID", bad)
				}
			}
			if len(known) > maxKnown {
				t.Fatalf("%d addresses are remembered, want at most %d", len(known), maxKnown)
			}
		}
	}
}
