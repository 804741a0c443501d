package catchup

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"xmpp-pam/sdk/pam"
)

// TestMergedGaps has more nodes of a service with gaps than are listed, in several orders:
// the one gap that replaces them is of the time of all.
func TestMergedGaps(t *testing.T) {
	start := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, order := range map[string]func(i int) int{
		"rising": func(i int) int { return i }, "falling": func(i int) int { return 99 - i }, "mixed": func(i int) int { return i * 37 % 100 },
	} {
		for n := maxNodeGaps; n < maxNodeGaps+5; n++ {
			m := NewMachine(nil)
			m.now = start.Add(1000 * time.Hour)
			var from, to time.Time
			for i := range n {
				a := start.Add(time.Duration(order(i)) * time.Hour)
				b := a.Add(time.Hour)
				if from = earliest(from, a); b.After(to) {
					to = b
				}
				m.gap("s", fmt.Sprint("n", i), a, b, pam.GapError)
			}
			gaps := m.State().Gaps
			want := pam.Gap{Service: "s", From: from, To: to, Reason: pam.GapError}
			if n == maxNodeGaps && len(gaps) != n || n > maxNodeGaps && !slices.Equal(gaps, []pam.Gap{want}) {
				t.Errorf("%s, %d nodes: %+v, want %+v", name, n, gaps, want)
			}
		}
	}
}
