package inbox

import (
	"fmt"
	"strings"
	"testing"
)

// TestReachedNodes reads nodes together that do not share a position any more, or never did.
// The caller passes parts of one list of names.
func TestReachedNodes(t *testing.T) {
	names := []string{"n", "m", "k"}
	for _, tt := range []struct {
		name  string
		play  func(p *player)
		wants string // id of the cursor of each node, and "!" if it is current
	}{
		{"none", func(p *player) { p.run(Reached{Service: "a"}) }, "- - -"},
		{"all", func(p *player) { p.reached(names, "c1", true) }, "c1! c1! c1!"},
		{"one is not followed any more", func(p *player) {
			p.reached(names, "c1", true)
			p.play("unfollowed a/m")
			p.reached(names, "c2", false)
		}, "c2! c2 c2!"},
		{"one is not followed any more, and the others go on", func(p *player) {
			p.reached(names, "c1", true)
			p.play("unfollowed a/n")
			p.reached(names[:2], "c2", false)
		}, "c2 c2! c1!"},
		{"some go on without a cursor", func(p *player) {
			p.reached(names, "c1", false)
			p.reached(names[1:], "", true)
		}, "c1 c1! c1!"},
		{"one goes on", func(p *player) {
			p.reached(names, "c1", true)
			p.reached(names[1:2], "c2", false)
		}, "c1! c2! c1!"},
		{"one after the other, and then all", func(p *player) {
			p.reached(names[:1], "c1", false)
			p.reached(names[1:2], "c2", true)
			p.reached(names, "c3", false)
			p.reached(names, "c4", true)
			p.reached(names[:2], "c5", true)
		}, "c5! c5! c4!"},
		{"again and again", func(p *player) {
			p.reached(names, "c1", true)
			p.reached(names, "c2", false)
			p.reached(names, "c3", false)
		}, "c3! c3! c3!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(t, Options{})
			p.step(Stored{})
			p.play("session")
			tt.play(p)
			for _, again := range []bool{false, true} {
				got := ""
				for _, name := range names {
					c := p.m.CatchUp("a", name)
					if c.Cursor.ID == "" {
						c.Cursor.ID = "-"
					} else if c.Cursor.By != "archive" || !c.Cursor.At.Equal(start) {
						t.Errorf("%s: cursor %+v", name, c.Cursor)
					}
					got += " " + c.Cursor.ID
					if c.Current {
						got += "!"
					}
				}
				if got != " "+tt.wants {
					t.Errorf("again %v: got%s, want %s", again, got, tt.wants)
				}
				p.play("timer flush", "reload", "session resumed")
			}
		})
	}
}

func (p *player) reached(names []string, id string, current bool) {
	in := Reached{Service: "a", Nodes: names, Current: current}
	if id != "" {
		in.Cursor = Cursor{"archive", id, start}
	}
	p.run(in)
}

// TestFirstSessionResumed resumes a session of which the store knows nothing: no node is
// current in it before a catch-up has said so.
func TestFirstSessionResumed(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.play("session resumed", "reached a n c1@10:00:00a")
	if c := p.m.CatchUp("a", "n"); c.Current || c.Cursor.ID != "c1" || !c.CurrentUntil.IsZero() {
		t.Errorf("%+v", c)
	}
	if p.play("reached a n c2@11:00:00a current"); !p.m.CatchUp("a", "n").Current {
		t.Error("it is not current afterwards")
	}
}

// TestKnownInOrder reads the items of a node in order of arrival. That does not change the
// order of the list.
func TestKnownInOrder(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.play("catchup 0 a/n i1=x@11:30:00a i2=x@11:00:00a i3=x@11:15:00a")
	got := ""
	for _, k := range p.m.Known("a", "n") {
		got += fmt.Sprint(" ", k.ItemID)
	}
	if got != " i1 i2 i3" {
		t.Errorf("known%s", got)
	}
	p.play("catchup 0 a/n i4=x@11:20:00a")
	if got, want := p.list(Query{Service: "a", Node: "n"}), "e1:i1=x@11:30:00a e4:i4=x@11:20:00a e3:i3=x@11:15:00a e2:i2=x@11:00:00a"; got != want {
		t.Errorf("listed %s", got)
	}
}

// TestResumedSession resumes a session that the store knows, or does not: another tab has
// begun one since, or the run that began it ended before it was stored.
func TestResumedSession(t *testing.T) {
	for _, tt := range []struct {
		name    string
		lines   []string // after the one that is stored
		current bool
	}{
		{"stored", nil, true},
		{"not stored", []string{"ended", "session"}, false},
		{"waits for a commit", []string{"~live 1 a/n i1=x", "~session"}, false},
		{"the store was not read", []string{"new"}, false},
	} {
		p := newPlayer(t, Options{})
		p.step(Stored{})
		p.play("session", "reached a n c1@10:00:00a current", "timer flush")
		for _, line := range tt.lines {
			switch text, waits := strings.CutPrefix(line, "~"); {
			case waits:
				p.step(p.read(text))
			case line == "new":
				p.m = New(Options{})
			default:
				p.play(line)
			}
		}
		in := SessionStarted{Resumed: true, Number: p.m.Session()}
		p.m = New(Options{})
		p.step(in)
		p.run(p.read("stored"))
		if c := p.m.CatchUp("a", "n"); c.Current != tt.current || p.m.LastSession().IsZero() != tt.current || c.CurrentUntil.IsZero() {
			t.Errorf("%s: %+v, the last session was until %v", tt.name, c, p.m.LastSession())
		}
	}
}
