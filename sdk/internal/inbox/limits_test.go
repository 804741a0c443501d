package inbox

import (
	"fmt"
	"strings"
	"testing"
)

// TestForgottenNodes has more nodes without events than are kept: those whose last event
// is the oldest are forgotten.
func TestForgottenNodes(t *testing.T) {
	p := newPlayer(t, Options{Nodes: 8, Total: 1})
	p.step(Stored{})
	for i := range 12 {
		p.run(p.read(fmt.Sprintf("live %d a/n%d i=x@11:%02d:00d", i+1, i, i)))
	}
	var names []string
	for _, n := range p.m.State().Nodes {
		names = append(names, n.Node)
	}
	if got, want := strings.Join(names, " "), "n2 n3 n4 n5 n6 n7 n8 n9 n10 n11"; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
}
