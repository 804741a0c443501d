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
			if slices.ContainsFunc(m.State().Gaps, func(g pam.Gap) bool { return !g.From.Before(g.To) }) {
				t.Errorf("%s, %d nodes: a gap ends before it begins: %+v", name, n, m.State().Gaps)
			}
			gaps := m.State().Gaps
			want := pam.Gap{Service: "s", From: from, To: to, Reason: pam.GapError}
			if n == maxNodeGaps && len(gaps) != n || n > maxNodeGaps && !slices.Equal(gaps, []pam.Gap{want}) {
				t.Errorf("%s, %d nodes: %+v, want %+v", name, n, gaps, want)
			}
		}
	}
}

// TestDistinctGaps has many gaps of two services and two reasons, after one of a whole
// service: those of each service and reason become one.
func TestDistinctGaps(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	m := NewMachine(nil)
	m.now = at.Add(time.Hour)
	whole := func(service string, reason pam.GapReason) pam.Gap {
		return pam.Gap{Service: service, From: at.Add(-time.Hour), To: at, Reason: reason}
	}
	m.gap("s", "", at.Add(-time.Hour), at, pam.GapError)
	for i := range maxNodeGaps {
		m.gap("s", fmt.Sprint(i), at.Add(-time.Minute), at, pam.GapError)
	}
	if n := len(m.State().Gaps); n != maxNodeGaps+1 {
		t.Errorf("%d gaps", n)
	}
	m.gap("s", "last", at.Add(-time.Minute), at, pam.GapError)
	for i := range maxNodeGaps + 4 {
		from := at.Add(-time.Minute)
		if i > maxNodeGaps { // after they have become one
			from = at.Add(-time.Hour)
		}
		m.gap("s", fmt.Sprint(i), from, at, pam.GapForbidden)
		m.gap("r", fmt.Sprint(i), from, at, pam.GapError)
	}
	gaps := m.State().Gaps
	for _, want := range []pam.Gap{whole("s", pam.GapError), whole("s", pam.GapForbidden), whole("r", pam.GapError)} {
		if !slices.Contains(gaps, want) {
			t.Errorf("%+v is not among %+v", want, gaps)
		}
	}
	if len(gaps) != 3 {
		t.Errorf("%+v", gaps)
	}
}
