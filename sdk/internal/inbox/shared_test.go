package inbox

import (
	"strings"
	"testing"
)

// TestSharedStore has two tabs store events in turn.
func TestSharedStore(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	first, second := p.m, New(Options{})
	second.Step(p.now, Stored{})
	in := func(m *Machine, lines ...string) {
		p.m = m
		for _, line := range lines {
			p.run(p.read(line))
		}
	}
	hint := func(want string) {
		t.Helper()
		p.m = second
		if got := p.format(p.step(p.read("stored"))[0]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	in(first, "live 1 a/n i1=x")
	hint("changed reset adopted:e1:i1@12:00:00l; 1")
	in(first, "live 2 a/n i2=x@11:02:00d i3=x@11:01:00d")
	hint("changed reset adopted:e2:i2@11:02:00d adopted:e3:i3@11:01:00d; 3")

	// What a commit has stored is not handled again after the conflict of a later one.
	in(second, "session", "reached a n c1@11:00:00a", "live 1 b/m i=x")
	first.Step(p.now, p.read("stored"))
	in(first, "reached a n c2@11:01:00a", "timer flush")
	p.m = second
	p.step(p.read("live 2 b/m i=y"))
	p.step(p.read("conflict"))
	in(second, "ok")
	if got := second.CatchUp("a", "n").Cursor.ID; got != "c2" {
		t.Errorf("the cursor is %s", got)
	}
	first.Step(p.now, p.read("stored"))

	// The ids that the second tab has given are those of other events after the conflict: that it
	// received one of them live says nothing of the other.
	in(first, "live 3 a/n i4=x", "live 4 a/n -i4")
	p.m = second
	p.step(p.read("live 1 b/n j1=x j2=x"))
	p.step(p.read("conflict"))
	in(second, "ok", "live 2 a/n i4=x")
	if got := p.list(Query{}); strings.Count(got, "i4=x") != 1 || strings.Count(got, "=x") != 7 {
		t.Errorf("listed %s", got)
	}
}
