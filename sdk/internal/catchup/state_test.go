package catchup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// states returns the states that the machine reports for an input.
func states(h *hand, in Input) (texts []string) {
	for _, out := range h.m.Step(noon, in) {
		switch out := out.(type) {
		case Progress:
			texts = append(texts, string(out.State.Phase)+" "+formatState(out.State))
		case Done:
			texts = append(texts, "done")
		case Request:
			h.open = append(h.open, out)
		}
	}
	return texts
}

func TestProgress(t *testing.T) {
	h := newHand(t)
	since := noon.Add(-time.Hour)
	gap := pam.Gap{Service: "old.test", From: since.Add(-time.Hour), To: since, Reason: pam.GapNotArchived}
	nodes := []Node{archived("a.test"), archived("b.test")}
	check := func(got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check(states(h, Start{Account: account, Since: since, Archive: AllEvents, Nodes: nodes}), "running running 0/2 unknown")
	check(states(h, results(h.open[0], "a.test", 1, 0, true)[0]), "running running 1/2 unknown")
	check(states(h, Live{"a.test", "n", Cursor{ID: "x", At: noon}}))
	check(states(h, Added{Nodes: []Node{{Service: "e.test", Node: "n", Unlisted: true}}}), "running running 1/3 unknown")
	check(states(h, Removed{"e.test", "n"}), "running running 1/2 unknown")
	check(states(h, results(h.open[1], "b.test", 1, 0, true)[0]), "done 2/2 complete", "done")
	check(states(h, Added{Nodes: []Node{{Service: "c.test", Node: "n", Unlisted: true}}}), "running running 2/3 unknown")
	check(states(h, Failed{h.open[3].ID, &pam.Error{Code: pam.CodeStanza, Condition: "forbidden"}}), "done 3/3 unknown", "done")
	check(states(h, Start{Account: account, Archive: AllEvents}), "done 0/0 unknown", "done")
	for range 2 { // its end is reported even if nothing has changed
		check(states(h, Start{Account: account, Since: since, Archive: AllEvents}), "done 0/0 complete", "done")
	}
	check(states(h, Cancel{Held: true}), "idle idle 0/0 unknown")
	check(states(h, Cancel{}))
	check(states(h, Start{Account: account, Since: since, Gaps: []pam.Gap{gap}}), "done 0/0 partial old.test/:not-archived:10:00-11:00", "done")
	check(states(h, Cancel{}))
	check(states(h, Cancel{Held: true}), "idle idle 0/0 partial old.test/:not-archived:10:00-11:00")
}

// A catch-up that could ask no node has failed, and says why.
func TestFailed(t *testing.T) {
	h := newHand(t)
	h.step(Start{Account: account, Since: noon, Nodes: []Node{{Service: "a.test", Node: "n", CurrentUntil: noon}}})
	err := &pam.Error{Code: pam.CodeStanza, Condition: "forbidden"}
	h.step(Failed{h.open[0].ID, err})
	if h.state.Phase != pam.CatchUpFailed || h.state.Err != err || !h.state.Since.Equal(noon) {
		t.Errorf("%+v", h.state)
	}
	h.step(Retry{Nodes: []Node{{Service: "a.test", Node: "n", CurrentUntil: noon}}})
	h.step(Result{ID: h.open[1].ID, IQ: mustParse("<iq xmlns='jabber:client' type='result'/>")})
	if err := h.state.Err; err == nil || err.Code != pam.CodeProtocol || err.Err == nil || !strings.Contains(err.Text, err.Err.Error()) {
		t.Errorf("an answer that is none: %+v", err)
	}
	if before := NewMachine(digest).State(); before.Phase != pam.CatchUpIdle || before.Completeness != pam.CompletenessUnknown {
		t.Errorf("before the start: %+v", before)
	}
}

// Many gaps of one service become one.
func TestManyGaps(t *testing.T) {
	h := newHand(t)
	var nodes []Node
	for i := range maxNodeGaps + 5 {
		nodes = append(nodes, Node{Service: "a.test", Node: fmt.Sprint(i), CurrentUntil: noon.Add(-time.Duration(1+i) * time.Minute)})
	}
	nodes = append(nodes, Node{Service: "b.test", Node: "n", CurrentUntil: noon.Add(-time.Hour)})
	h.step(Start{Account: account, Since: noon, Nodes: nodes})
	var shared []pam.Gap
	h.run(func(r Request) []Input {
		if len(h.state.Gaps) == 3 {
			shared = h.state.Gaps
		}
		return []Input{Failed{r.ID, &pam.Error{Code: pam.CodeStanza, Condition: "forbidden"}}}
	})
	whole := pam.Gap{Service: "a.test", From: noon.Add(-time.Duration(maxNodeGaps+5) * time.Minute), To: noon, Reason: pam.GapForbidden}
	if len(h.state.Gaps) != 2 || !slices.Contains(h.state.Gaps, whole) {
		t.Errorf("%+v", h.state.Gaps)
	}
	if len(shared) != 3 || shared[0].Node == "" {
		t.Errorf("a state that was announced has changed: %+v", shared)
	}
}

// Gaps that are forgotten do not count, and those that stay do.
func TestForgottenGaps(t *testing.T) {
	h := newHand(t)
	forbid := func(r Request) []Input {
		return []Input{Failed{r.ID, &pam.Error{Code: pam.CodeStanza, Condition: "forbidden"}}}
	}
	var nodes []Node
	for i := range maxNodeGaps + 1 {
		nodes = append(nodes, Node{Service: "a.test", Node: fmt.Sprint(i), CurrentUntil: noon.Add(-time.Minute)})
	}
	h.step(Start{Account: account, Since: noon, Nodes: nodes[:maxNodeGaps]})
	h.run(forbid)
	for range 2 {
		h.step(Retry{Nodes: nodes[:3]})
		h.run(forbid)
	}
	if len(h.state.Gaps) != maxNodeGaps {
		t.Errorf("after a retry: %+v", h.state.Gaps)
	}
	h.step(Added{Nodes: nodes[maxNodeGaps:]})
	h.run(forbid)
	if len(h.state.Gaps) != 1 || h.state.Gaps[0].Node != "" {
		t.Errorf("after another: %+v", h.state.Gaps)
	}
}

// A gap is reported at once, also if nothing else has changed: two new nodes are not done,
// because their items are still awaited.
func TestGapOfOpenNode(t *testing.T) {
	h := newHand(t)
	a, b := archived("a.test"), archived("b.test")
	a.CurrentUntil, b.CurrentUntil = time.Time{}, time.Time{}
	h.step(Start{Account: account, Since: noon.Add(-time.Hour), Archive: AllEvents, Nodes: []Node{a, b}})
	queries := slices.DeleteFunc(slices.Clone(h.open), func(r Request) bool { return r.To != account })
	for i, r := range queries {
		h.step(Result{ID: r.ID, IQ: mustParse("<iq xmlns='jabber:client' type='result'><fin xmlns='" + ns.MAM + "'><set xmlns='" + ns.RSM + "'><last>a0</last></set></fin></iq>")})
		if h.state.Phase != pam.CatchUpRunning || h.state.NodesDone != 0 || len(h.state.Gaps) != i+1 || len(queries) != 2 {
			t.Errorf("%d: %+v", i, h.state)
		}
	}
}

// Only a query of an archive has the address of one.
func TestArchive(t *testing.T) {
	h := newHand(t)
	a, b := archived("a.test"), archived("b.test")
	b.Unlisted = true
	h.step(Start{Account: account, Since: noon, Archive: AllEvents, Nodes: []Node{a, b}})
	for _, r := range h.open {
		if address, ok := h.m.Archive(r.ID); ok != (r.To == account) || ok && address != account {
			t.Errorf("request to %s: %q, %v", r.To, address, ok)
		}
	}
	if _, ok := h.m.Archive("other"); ok || len(h.open) != 2 {
		t.Errorf("an unknown query has an archive; %d requests", len(h.open))
	}
}

// The names of a group are shared between outputs, so that its progress changes one record
// of the inbox.
func TestSharedNames(t *testing.T) {
	h := newHand(t)
	a, b := archived("a.test"), archived("a.test")
	b.Node = "m"
	var names [][]string
	reached := func(in Input) {
		for _, out := range h.m.Step(noon, in) {
			switch out := out.(type) {
			case Request:
				h.open = append(h.open, out)
			case Reached:
				names = append(names, out.Nodes)
			}
		}
	}
	reached(Start{Account: account, Since: noon, Archive: AllEvents, Nodes: []Node{a, b}})
	for i, complete := range []bool{false, true} {
		for _, in := range results(h.open[i], "a.test", 1+i, 1, complete) {
			reached(in)
		}
	}
	reached(Live{"a.test", "n", Cursor{ID: "x", At: noon}})
	if len(names) != 3 || len(names[0]) != 2 || &names[0][0] != &names[1][0] || &names[0][0] != &names[2][0] {
		t.Errorf("%q", names)
	}
}

// A machine accepts equal inputs with equal outputs.
func TestEqualInputs(t *testing.T) {
	run := func() (text string) {
		h := newHand(t)
		in := Start{Account: account, Since: noon, Archive: SomeEvents, Services: map[string]Support{}}
		for i := range 40 {
			n := archived(fmt.Sprintf("s%d.test", i%7))
			n.Node, n.Archived = fmt.Sprint(i), i%3 == 0
			in.Nodes = append(in.Nodes, n)
			in.Services[n.Service] = Support{Paging: i%2 == 0}
		}
		for _, in := range []Input{in, Removed{"s1.test", "1"}, Cancel{}, in} {
			for _, out := range h.m.Step(noon, in) {
				if r, ok := out.(Request); ok {
					text += r.ID + r.To + r.Payload.String()
				} else {
					text += fmt.Sprintf("%#v\n", out)
				}
			}
		}
		return text
	}
	if a, b := run(), run(); a != b {
		t.Errorf("%s\nand\n%s", a, b)
	}
}
