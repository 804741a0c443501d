package inbox

import (
	"strings"
	"testing"
	"time"
)

// TestLeftOutIsReadAgain leaves events out because of the interest, and then wants them: the
// catch-up reads from before them, whatever the node's position is.
func TestLeftOutIsReadAgain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		lines  []string
		cursor string
		until  string
	}{
		{"a cursor without a time has moved past it", []string{"reached a n c1@10:00:00a current", "interest #ns", "live 1 a/n i1=other:x", "moved"}, "", "12:00:00.000"},
		{"a cursor without a time has moved past it since the end of the last session", []string{"reached a n c1@10:00:00a current", "ended", "+1h", "session", "interest #ns", "live 1 a/n i1=other:x", "moved"}, "", "12:00:00.000"},
		{"a cursor has moved past it since the end of the last session", []string{"reached a n c1@10:00:00a current", "ended", "+1h", "session", "interest #ns", "catchup 0 a/n i1=other:x@12:30:00a", "reached a n c2@12:40:00a"}, "", "12:00:00.000"},
		{"it is older than the end of the last session", []string{"reached a n c1@11:50:00a current", "ended", "session", "interest #ns", "catchup 0 a/n i1=other:x@11:00:00a"}, "", "11:00:00.000"},
		{"a cursor of the same second", []string{"reached a n c1@10:59:59.001a current", "interest #ns", "catchup 0 a/n i1=other:x@11:00:00a"}, "", "11:00:00.000"},
		{"a cursor of the second before", []string{"reached a n c1@10:59:59a current", "interest #ns", "catchup 0 a/n i1=other:x@11:00:00a"}, "c1 archive 10:59:59", "11:00:00.000"},
		{"a cursor has moved past it in a session that has ended", []string{"reached a n c1@10:00:00a current", "ended", "session", "interest #ns", "catchup 0 a/n i1=other:x@12:00:00a", "reached a n c2@12:10:00a"}, "", "12:00:00.000"},
		{"a cursor before it", []string{"reached a n c1@10:00:00a current", "interest #ns", "live 1 a/n i1=other:x"}, "c1 archive 10:00:00", "12:00:00.000"},
		{"a live event, and then one of hours earlier", []string{"reached a n c1@10:00:00a current", "interest #ns", "live 1 a/n i2=other:x", "catchup 0 a/n i1=other:x@08:00:00a"}, "", "08:00:00.000"},
		{"events of an archive, the newest first", []string{"reached a n c1@10:00:00a current", "interest #ns", "catchup 0 a/n i3=other:x@11:00:00a i2=other:x@09:00:00a i1=other:x@08:00:00a i4=other:x@10:30:00a"}, "", "08:00:00.000"},
		{"events of an archive, the oldest first", []string{"reached a n c1@10:00:00a current", "interest #ns", "catchup 0 a/n i1=other:x@08:00:00a i2=other:x@09:00:00a i3=other:x@11:00:00a"}, "", "08:00:00.000"},
		{"a live event, and then one without a time by the catch-up of a node that was read up to the end of a session", []string{"reached a n c1@10:00:00a current", "live 1 a/n i0=x", "ended", "+1h", "session", "interest #ns", "live 2 a/n i2=other:x", "catchup 0 a/n i1=other:x", "reached a n c2@13:00:00a current"}, "", "12:00:00.000"},
		{"a live event, and then one without a time by the catch-up of a new node", []string{"interest #ns", "live 1 a/n i2=other:x", "catchup 0 a/n i1=other:x"}, "", "00:00:00.001"},
		{"a live event, and then the removal of a known one without a time", []string{"interest #ns #other", "catchup 0 a/n i1=other:x", "reached a n c1@10:00:00a current", "live 1 a/n i2=third:x", "interest #ns"}, "", "00:00:00.001"},
		{"it was known, and found by a catch-up without a time", []string{"catchup 0 a/n i1=other:x", "reached a n c1@10:00:00a current", "live 1 a/n i2=x", "interest #ns"}, "", "00:00:00.001"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(t, Options{})
			p.step(Stored{})
			p.run(p.read("session"))
			for _, line := range tt.lines {
				if line == "moved" {
					p.run(Reached{Service: "a", Nodes: []string{"n"}, Cursor: Cursor{By: "account", ID: "c2"}})
					continue
				}
				if wait, ok := strings.CutPrefix(line, "+"); ok {
					d, _ := time.ParseDuration(wait)
					p.now = p.now.Add(d)
					continue
				}
				p.run(p.read(line))
			}
			missed := false
			for _, out := range p.step(SetInterest{}) {
				_, is := out.(Missed)
				missed = missed || is
			}
			c := p.m.CatchUp("a", "n")
			cursor := ""
			if c.Cursor != (Cursor{}) {
				cursor = c.Cursor.ID + " " + c.Cursor.By + c.Cursor.At.Format(" 15:04:05")
			}
			if got := c.CurrentUntil.Format("15:04:05.000"); !missed || c.Current || cursor != tt.cursor || got != tt.until {
				t.Errorf("missed %v, current %v, cursor %q, until %s", missed, c.Current, cursor, got)
			}
		})
	}
}

// TestInterestOfTwoTabs has two tabs change their interest at the same time, while one of
// them finds an event and leaves another out. The commit of the other tab conflicts: it
// removes nothing because of the interest that it had in between, and what was left out is
// still known to be missing.
func TestInterestOfTwoTabs(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	first, second := p.m, New(Options{})
	in := func(m *Machine, lines ...string) {
		p.m = m
		for _, line := range lines {
			p.run(p.read(line))
		}
	}
	settle := func(m *Machine) {
		if m.Busy() {
			in(m, "ok")
		}
	}
	in(first, "session", "reached a n c1@10:00:00a current", "live 1 a/m i=x")
	second.Step(p.now, Stored{p.records()})
	in(second, "interest #ns", "interest all")
	in(first, "live 2 a/m i2=other:x")
	p.m = second
	p.step(p.read("timer flush"))
	p.step(p.read("conflict"))
	settle(second)
	if got := p.list(Query{}); got == "" || len(second.events) != 2 {
		t.Errorf("the second tab has %q", got)
	}

	first.Step(p.now, Stored{p.records()})
	in(first, "interest #ns")
	p.run(p.read("timer flush"))
	in(first, "live 3 a/n i3=other:x")
	second.Step(p.now, Stored{p.records()})
	in(second, "interest #ns", "live 1 a/k i=ns:x")
	p.m = first
	p.step(p.read("timer flush"))
	p.step(p.read("conflict"))
	settle(first)
	p.now = p.now.Add(time.Second)
	missed := 0
	for _, out := range p.step(SetInterest{}) {
		if m, ok := out.(Missed); ok {
			missed = len(m.Nodes)
		}
	}
	if missed == 0 || first.nodes[nodeKey{"a", "n"}].skipped != 0 || first.CatchUp("a", "n").Current {
		t.Errorf("%d nodes are asked again, of n since %v", missed, first.CatchUp("a", "n"))
	}
}
