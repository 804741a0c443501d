package inbox

import "testing"

// TestInterestWithoutItsPrefix narrows an interest in all nodes whose names begin with a
// text to the node of that name: the events of the others are removed.
func TestInterestWithoutItsPrefix(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(SetInterest{Filters: []Filter{{Node: "n", Prefix: true}}})
	p.run(p.read("live 1 a/n i1=x"))
	p.run(p.read("live 2 a/nm i2=x"))
	for _, tt := range []struct {
		filter Filter
		want   string
	}{{Filter{Node: "n", Prefix: true}, "e2:i2=x@12:00:00l e1:i1=x@12:00:00l"}, {Filter{Node: "n"}, "e1:i1=x@12:00:00l"}} {
		p.run(SetInterest{Filters: []Filter{tt.filter}})
		if got := p.list(Query{}); got != tt.want {
			t.Errorf("%+v keeps %q, want %q", tt.filter, got, tt.want)
		}
	}
}
