package listsync

import (
	"math/rand/v2"
	"slices"
	"testing"

	"xmpp-pam/sdk/pam"
)

func TestAccessors(t *testing.T) {
	m := NewMachine()
	m.Step(start, Stored{Durable{Stamp: Stamp{7, "v3"}, List: NewList(readRows([]string{"a/n#y", "a/n#x", "b/n=pending", "a/m"}))}})
	list, stamp := m.Committed()
	if got := formatRows(list.Rows()); got != " a/m a/n#x a/n#y b/n=pending" || stamp != (Stamp{7, "v3"}) {
		t.Errorf("committed%s, %v", got, stamp)
	}
	if s, ok := m.Get(pam.Key{Service: "b", Node: "n", SubID: ""}); !ok || s.State != pam.StatePending {
		t.Errorf("got %v, %v", s, ok)
	}
	if s, ok := m.Get(pam.Key{Service: "a", Node: "n", SubID: ""}); ok {
		t.Errorf("got %v", s)
	}
	if got := formatRows(m.At("a", "n")); got != " a/n#x a/n#y" {
		t.Errorf("at a/n:%s", got)
	}
	if got := m.At("a", "x"); len(got) != 0 {
		t.Errorf("at a/x: %v", got)
	}

	out := m.Step(start, SessionStarted{})
	m.Step(start, ListResult{Round: out[1].(RequestList).Round})
	if m.Busy() || m.Phase() != Synced {
		t.Errorf("busy %v, phase %v", m.Busy(), m.Phase())
	}
	out = m.Step(start, Notify{Version: "v4", Items: readRows([]string{"-a/n"})})
	if got, _ := m.Committed(); !m.Busy() || got.Len() != 4 {
		t.Errorf("before the commit: busy %v, committed %v", m.Busy(), got)
	}
	m.Step(start, Committed{out[0].(Commit).Seq})
	if got, _ := m.Committed(); m.Busy() || formatRows(got.Rows()) != " a/m b/n=pending" {
		t.Errorf("after the commit: busy %v, committed %v", m.Busy(), got)
	}
	if list.Len() != 4 || formatRows(list.Rows()) != " a/m a/n#x a/n#y b/n=pending" {
		t.Errorf("a list that was returned has changed: %v", list)
	}
}

// TestVersioned checks each source of a version: each shows that the server sends
// versions.
func TestVersioned(t *testing.T) {
	session := func(m *Machine) int {
		m.Step(start, SessionEnded{})
		return m.Step(start, SessionStarted{})[1].(RequestList).Round
	}
	for name, test := range map[string]struct {
		steps func(m *Machine)
		want  bool
	}{
		"nothing": {func(m *Machine) { m.Step(start, ListResult{Round: session(m), Full: true}) }, false},
		"the stored list": {func(m *Machine) {
			m.Step(start, Stored{Durable{Stamp: Stamp{7, "v3"}}})
			session(m)
		}, true},
		"a notify that is not committed": {func(m *Machine) {
			session(m)
			m.Step(start, Notify{Version: "v1"})
		}, true},
		"a list that is not committed": {func(m *Machine) { m.Step(start, ListResult{Round: session(m), Full: true, Version: "v1"}) }, true},
		"another tab's list": {func(m *Machine) {
			session(m)
			m.Step(start, Stored{Durable{Stamp: Stamp{7, "v3"}}})
		}, true},
		"a notify of the last session": {func(m *Machine) {
			session(m)
			m.Step(start, Notify{Version: "v1"})
			session(m)
		}, false},
	} {
		m := NewMachine()
		m.Step(start, Stored{})
		if test.steps(m); m.Versioned() != test.want {
			t.Errorf("%s: %v", name, m.Versioned())
		}
	}
}

// TestArbitraryInputs passes inputs in arbitrary order, with wrong numbers and unusual
// entries. The machine must not panic, and must have at most one round or commit pending.
func TestArbitraryInputs(t *testing.T) {
	rows := []string{"a/n", "-a/n", "a/n#x", "-a/n#x", "a/n#y=pending", "b/", "/", "-/", "b/n=", "a/n#x=odd"}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(1, seed))
		some := func() []pam.Subscription {
			var f []string
			for range r.IntN(4) {
				f = append(f, rows[r.IntN(len(rows))])
			}
			return readRows(f)
		}
		version := func() pam.Version { return []pam.Version{"", "v1", "v2", "v3"}[r.IntN(4)] }
		durable := func() Durable {
			return Durable{Stamp{uint64(r.IntN(9)), version()}, NewList(some()), NewList(some()).Rows()}
		}
		m := NewMachine()
		round, seq := 0, 0 // the last begun
		roundOpen, commitOpen := false, false
		for range 60 {
			in := []func() Input{
				func() Input { return Stored{durable()} },
				func() Input { return SessionStarted{r.IntN(2) == 0} },
				func() Input { return Drop{readRows(rows)[r.IntN(len(rows))].Key, r.IntN(2) == 0} },
				func() Input { return SessionEnded{} },
				func() Input { return ListResult{round - r.IntN(2), r.IntN(2) == 0, some(), version()} },
				func() Input { return ListFailed{round - r.IntN(2)} },
				func() Input { return Notify{version(), some(), r.IntN(8) == 0} },
				func() Input { return Notify{version(), some(), false} },
				func() Input { return Committed{seq - r.IntN(2)} },
				func() Input { return Committed{seq} },
				func() Input { return Conflict{seq - r.IntN(2), durable()} },
				func() Input { return Refresh{r.IntN(2) == 0} },
				func() Input { return TimerFired{Timer(r.IntN(3))} },
			}[r.IntN(13)]()
			switch in := in.(type) {
			case SessionEnded, SessionStarted:
				roundOpen = false
			case ListResult:
				roundOpen = roundOpen && in.Round != round
			case ListFailed:
				roundOpen = roundOpen && in.Round != round
			case Committed:
				commitOpen = commitOpen && in.Seq != seq
			case Conflict:
				commitOpen = commitOpen && in.Seq != seq
			}
			for _, out := range m.Step(start, in) {
				switch out := out.(type) {
				case RequestList:
					if roundOpen || commitOpen {
						t.Fatalf("seed %d: a round while round %v, commit %v", seed, roundOpen, commitOpen)
					}
					round, roundOpen = out.Round, true
				case Commit:
					if roundOpen || commitOpen {
						t.Fatalf("seed %d: a commit while round %v, commit %v", seed, roundOpen, commitOpen)
					}
					seq, commitOpen = out.Seq, true
				}
			}
			list, _ := m.Committed()
			if !slices.IsSortedFunc(list.Rows(), func(a, b pam.Subscription) int { return byKey(a.Key, b.Key) }) {
				t.Fatalf("seed %d: not in order: %v", seed, list.Rows())
			}
		}
	}
}
