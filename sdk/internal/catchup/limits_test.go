package catchup

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// A hand carries out requests by a function for each.
type hand struct {
	t        *testing.T
	m        *Machine
	open     []Request
	requests int
	events   map[string]int // found, by service
	reached  map[string]Cursor
	current  map[key]bool
	asked    []string // addresses, in order
	state    pam.CatchUpState
	done     int
	most     int // requests at once
}

func newHand(t *testing.T) *hand {
	return &hand{t: t, m: NewMachine(digest), events: map[string]int{}, reached: map[string]Cursor{}, current: map[key]bool{}}
}

func (h *hand) step(in Input) {
	for _, out := range h.m.Step(noon, in) {
		switch out := out.(type) {
		case Request:
			h.open = append(h.open, out)
			h.asked = append(h.asked, out.To)
			h.requests++
			h.most = max(h.most, len(h.open))
		case Found:
			for _, e := range out.Events {
				h.events[e.Service]++
			}
		case Reached:
			h.reached[out.Service] = out.Cursor
			for _, name := range out.Nodes {
				h.current[key{out.Service, name}] = h.current[key{out.Service, name}] || out.Current
			}
		case Progress:
			h.state = out.State
		case Done:
			h.done++
		}
	}
}

// run answers requests until there are none.
func (h *hand) run(answer func(Request) []Input) {
	for len(h.open) > 0 {
		r := h.open[0]
		h.open = h.open[1:]
		for _, in := range answer(r) {
			h.step(in)
		}
	}
}

func archived(service string) Node {
	return Node{Service: service, Node: "n", CurrentUntil: noon.Add(-time.Hour), Cursor: Cursor{By: account, ID: "a0", At: noon.Add(-2 * time.Hour)}}
}

// results returns n results of a query, and its end.
func results(r Request, service string, from, n int, complete bool) (in []Input) {
	for i := from; i < from+n; i++ {
		in = append(in, ArchiveResult{r.To, &pubsub.ArchiveResult{
			QueryID: r.Payload.Attr("queryid"), ID: "a" + strconv.Itoa(i), At: noon.Add(-time.Hour),
			Message: mustParse("<message xmlns='jabber:client' from='" + service + "'><event xmlns='" + ns.PubsubEvent + "'><items node='n'><item id='" + strconv.Itoa(i) + "'/></items></event></message>"),
		}})
	}
	return append(in, Result{ID: r.ID, IQ: mustParse(fmt.Sprintf("<iq xmlns='jabber:client' type='result'><fin xmlns='%s' complete='%v'><set xmlns='%s'><last>a%d</last></set></fin></iq>", ns.MAM, complete, ns.RSM, from+n-1))})
}

func with(r Request) string {
	for f := range r.Payload.Child(ns.DataForms, "x").Elements() {
		if f.Attr("var") == "with" {
			return f.Child(ns.DataForms, "value").Text()
		}
	}
	return ""
}

func TestEndlessArchive(t *testing.T) {
	h := newHand(t)
	h.step(Start{Account: account, Since: noon.Add(-time.Hour), Archive: AllEvents, Nodes: []Node{archived("evil.test"), archived("good.test")}})
	page := 0
	h.run(func(r Request) []Input {
		if with(r) == "good.test" {
			return results(r, "good.test", 1, 3, true)
		}
		page++
		return results(r, "evil.test", page, 1, false)
	})
	if h.requests > standard.pages+1 || h.done != 1 {
		t.Errorf("%d requests, done %d", h.requests, h.done)
	}
	if h.events["good.test"] != 3 || !h.current[key{"good.test", "n"}] {
		t.Errorf("found %v of the other service", h.events)
	}
	want := pam.Gap{Service: "evil.test", Node: "n", From: noon.Add(-time.Hour), To: noon, Reason: pam.GapArchiveTruncated}
	if !slices.Equal(h.state.Gaps, []pam.Gap{want}) || h.current[key{"evil.test", "n"}] || h.state.Phase != pam.CatchUpDone {
		t.Errorf("%+v", h.state)
	}
}

// TestLongPage checks that events are reported before the end of a page that is longer than
// was asked for, by number and by size.
func TestLongPage(t *testing.T) {
	for _, tt := range []struct{ results, size, want int }{{maxFound - 1, 0, 0}, {maxFound, 0, maxFound}, {10, maxFoundBytes / 4, 8}, {1, maxFoundBytes, 1}} {
		h := newHand(t)
		h.step(Start{Account: account, Since: noon.Add(-time.Hour), Archive: AllEvents, Nodes: []Node{archived("good.test")}})
		in := results(h.open[0], "good.test", 1, tt.results, true)
		for _, in := range in[:tt.results] {
			result := in.(ArchiveResult).Result
			padded := strings.Replace(result.Message.String(), "><", ">"+strings.Repeat(" ", tt.size)+"<", 1)
			result.Message = mustParse(padded)
			h.step(in)
		}
		if got := h.events["good.test"]; got != tt.want {
			t.Errorf("%d results with %d bytes: %d events are reported before the end, want %d", tt.results, tt.size, got, tt.want)
		}
		if h.step(in[tt.results]); h.events["good.test"] != tt.results {
			t.Errorf("%d results with %d bytes: %d events in all", tt.results, tt.size, h.events["good.test"])
		}
	}
}

// A service that floods the archive of the account takes nothing from the others, and what
// was ignored is read by the next catch-up.
func TestFlood(t *testing.T) {
	h := newHand(t)
	h.step(Start{Account: account, Since: noon.Add(-time.Hour), Archive: AllEvents, Nodes: []Node{archived("evil.test"), archived("good.test")}})
	pages := 0
	h.run(func(r Request) []Input {
		if with(r) == "good.test" {
			return results(r, "good.test", 1, 100, true)
		}
		if pages++; pages == 1 {
			return results(r, "evil.test", 1, 100, false)
		}
		return results(r, "evil.test", 101, standard.ofService, true)
	})
	if h.events["evil.test"] != standard.ofService || h.events["good.test"] != 100 {
		t.Errorf("found %v", h.events)
	}
	if h.reached["evil.test"].ID != "a100" || h.state.Completeness != pam.Partial || h.state.Gaps[0].Reason != pam.GapArchiveTruncated {
		t.Errorf("reached %v, %+v", h.reached["evil.test"], h.state)
	}
}

// TestSmallLimits checks each limit of a catch-up by itself: what is within it is read, and
// what is not is a gap of its node.
func TestSmallLimits(t *testing.T) {
	large := standard
	large.underWay, large.atService = 1, 1
	for name, tt := range map[string]struct {
		change   func(*limits)
		archive  ArchiveSupport
		requests int
		found    map[string]int
		gaps     []string // nodes
	}{
		"none":                   {func(*limits) {}, NoArchive, 4, map[string]int{"a.test": 6, "b.test": 6}, nil},
		"requests":               {func(l *limits) { l.requests = 3 }, NoArchive, 3, map[string]int{"a.test": 6, "b.test": 3}, []string{"b.test/2"}},
		"items":                  {func(l *limits) { l.results = 9 }, NoArchive, 3, map[string]int{"a.test": 6, "b.test": 3}, []string{"b.test/2"}},
		"more items":             {func(l *limits) { l.results = 10 }, NoArchive, 4, map[string]int{"a.test": 6, "b.test": 6}, nil},
		"items of a service":     {func(l *limits) { l.ofService = 3 }, NoArchive, 2, map[string]int{"a.test": 3, "b.test": 3}, []string{"a.test/2", "b.test/2"}},
		"more of a service":      {func(l *limits) { l.ofService = 4 }, NoArchive, 4, map[string]int{"a.test": 6, "b.test": 6}, nil},
		"messages":               {func(l *limits) { l.results = 6 }, AllEvents, 2, map[string]int{"a.test": 3, "b.test": 3}, nil},
		"more messages":          {func(l *limits) { l.results = 5 }, AllEvents, 2, map[string]int{"a.test": 3, "b.test": 2}, []string{"b.test/"}},
		"messages of a service":  {func(l *limits) { l.ofService = 3 }, AllEvents, 2, map[string]int{"a.test": 3, "b.test": 3}, nil},
		"more of one of a group": {func(l *limits) { l.ofService = 2 }, AllEvents, 2, map[string]int{"a.test": 2, "b.test": 2}, []string{"a.test/", "b.test/"}},
	} {
		h := newHand(t)
		h.m.limits = large
		tt.change(&h.m.limits)
		answer := func(r Request) []Input {
			if r.To == account {
				return results(r, with(r), 1, 3, true)
			}
			items := r.Payload.Child(ns.Pubsub, "items").Attr("node")
			return []Input{Result{ID: r.ID, IQ: mustParse("<iq xmlns='jabber:client' type='result'><pubsub xmlns='" + ns.Pubsub +
				"'><items node='" + items + "'><item id='1'/><item id='2'/><item id='3'/></items></pubsub></iq>")}}
		}
		start := Start{Account: account, Since: noon.Add(-time.Hour), Archive: tt.archive}
		for i, service := range []string{"a.test", "b.test", "a.test", "b.test"} {
			n := archived(service)
			n.Node, n.LastActivity = []string{"n", "2"}[i/2], noon.Add(-time.Duration(i)*time.Minute)
			start.Nodes = append(start.Nodes, n)
		}
		h.step(start)
		h.run(answer) // another catch-up before does not count
		h.requests, h.events = 0, map[string]int{}
		h.step(start)
		h.run(answer)
		var gaps []string
		for _, g := range h.state.Gaps {
			if g.Reason == pam.GapArchiveTruncated {
				gaps = append(gaps, g.Service+"/"+g.Node)
			}
		}
		slices.Sort(gaps)
		if h.requests != tt.requests || !maps.Equal(h.events, tt.found) || !slices.Equal(gaps, tt.gaps) {
			t.Errorf("%s: %d requests, found %v, gaps %q", name, h.requests, h.events, gaps)
		}
	}
}

func TestManyItems(t *testing.T) {
	items := ""
	for i := range 3000 {
		items += "<item id='" + strconv.Itoa(i) + "'><x/></item>"
	}
	for name, until := range map[string]time.Time{"new": {}, "known": noon.Add(-time.Hour)} {
		h := newHand(t)
		h.step(Start{Account: account, Since: noon, Nodes: []Node{{Service: "evil.test", Node: "n", CurrentUntil: until}}})
		h.run(func(r Request) []Input {
			return []Input{Result{ID: r.ID, IQ: mustParse("<iq xmlns='jabber:client' type='result'><pubsub xmlns='" + ns.Pubsub + "'><items node='n'>" + items + "</items></pubsub></iq>")}}
		})
		want := 500
		if name == "new" {
			want = standard.newItems
		}
		if h.events["evil.test"] != want || h.requests != 1 || h.done != 1 {
			t.Errorf("%s: found %v by %d requests", name, h.events, h.requests)
		}
		if truncated := len(h.state.Gaps) == 1 && h.state.Gaps[0].Reason == pam.GapArchiveTruncated; truncated != (name == "known") {
			t.Errorf("%s: %+v", name, h.state)
		}
	}
}

// The answers to items can claim another node or namespace.
func TestItemsOfAnotherNode(t *testing.T) {
	for _, payload := range []string{
		"<pubsub xmlns='" + ns.Pubsub + "'><items node='other'><item id='1'><x/></item></items></pubsub>",
		"<pubsub xmlns='" + ns.PubsubEvent + "'><items node='n'><item id='1'><x/></item></items></pubsub>",
		"<pubsub xmlns='" + ns.Pubsub + "'/>", "",
	} {
		h := newHand(t)
		h.step(Start{Account: account, Since: noon, Nodes: []Node{{Service: "evil.test", Node: "n", CurrentUntil: noon.Add(-time.Hour)}, {Service: "good.test", Node: "other"}}})
		h.run(func(r Request) []Input {
			return []Input{Result{ID: r.ID, IQ: mustParse("<iq xmlns='jabber:client' type='result'>" + payload + "</iq>")}}
		})
		if h.events["evil.test"] != 0 || len(h.state.Gaps) != 1 || h.state.Gaps[0].Reason != pam.GapError {
			t.Errorf("%s: found %v, %+v", payload, h.events, h.state)
		}
	}
}

// A stamp in the future does not hide what comes later.
func TestFutureStamp(t *testing.T) {
	h := newHand(t)
	h.step(Start{Account: account, Since: noon.Add(-time.Hour), Archive: AllEvents, Nodes: []Node{archived("evil.test")}})
	h.run(func(r Request) []Input {
		in := results(r, "evil.test", 1, 1, true)
		in[0].(ArchiveResult).Result.At = noon.Add(10 * time.Hour)
		return in
	})
	if c := h.reached["evil.test"]; c.ID != "a1" || !c.At.Equal(noon) {
		t.Errorf("reached %v", c)
	}
}

// The design size is 10,000 subscriptions; 100,000 must not break.
func TestManyNodes(t *testing.T) {
	n := 100_000
	if testing.Short() || raceEnabled {
		n = 10_000
	}
	h := newHand(t)
	var nodes []Node
	for i := range n {
		nodes = append(nodes, Node{Service: fmt.Sprintf("s%d.test", i%1000), Node: strconv.Itoa(i), CurrentUntil: noon.Add(-time.Hour), LastActivity: noon.Add(-time.Duration(i) * time.Second)})
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(n, func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	begin := time.Now()
	h.step(Start{Account: account, Since: noon.Add(-time.Hour), Nodes: nodes})
	h.run(func(r Request) []Input {
		return []Input{Failed{r.ID, &pam.Error{Code: pam.CodeStanza, Condition: "forbidden"}}}
	})
	t.Logf("%d nodes in %v: %d requests, %d gaps", n, time.Since(begin), h.requests, len(h.state.Gaps))
	if h.requests != min(n, standard.requests) || h.most > standard.underWay || h.state.NodesDone != n || h.done != 1 {
		t.Errorf("%d requests, %d at once, %d nodes done", h.requests, h.most, h.state.NodesDone)
	}
	if most := 2 * (maxNodeGaps + 1) * 1000; len(h.state.Gaps) > most {
		t.Errorf("%d gaps", len(h.state.Gaps))
	}
	first := map[string]bool{}
	for _, to := range h.asked[:1000] {
		first[to] = true
	}
	if len(first) != 1000 { // the 1,000 nodes with the newest events are one of each service
		t.Errorf("the first requests went to %d services", len(first))
	}
}

// Whatever the inputs are, the machine neither panics nor asks for too much.
func TestAnyInput(t *testing.T) {
	runs := 3000
	if testing.Short() || raceEnabled {
		runs = 500
	}
	for seed := range runs {
		r := rand.New(rand.NewPCG(2, uint64(seed)))
		h := newHand(t)
		now := noon
		node := func() Node {
			n := archived([]string{"a.test", "b.test", "bob@c.test", account}[r.IntN(4)])
			n.Node = strconv.Itoa(r.IntN(3))
			n.Left, n.Unlisted, n.Archived, n.Current = r.IntN(9) == 0, r.IntN(5) == 0, r.IntN(2) == 0, r.IntN(9) == 0
			n.AskedAt = noon.Add(-time.Duration(r.IntN(600)) * time.Second)
			if r.IntN(3) == 0 {
				n.CurrentUntil, n.Cursor = time.Time{}, Cursor{}
			}
			return n
		}
		id := func() string { return strconv.Itoa(1 + r.IntN(1+h.requests)) }
		for range 60 {
			now = now.Add(time.Duration(r.IntN(100)) * time.Second)
			var in Input
			switch r.IntN(14) {
			case 0:
				start := Start{Account: account, Archive: ArchiveSupport(r.IntN(3)), Services: map[string]Support{"a.test": {NodeArchive: true}, "b.test": {Paging: true}}}
				for range r.IntN(8) {
					start.Nodes = append(start.Nodes, node())
				}
				in, h.open = start, nil
			case 1:
				in = Added{Nodes: []Node{node(), node()}}
			case 2:
				in = Removed{node().Service, node().Node}
			case 3:
				in = Live{node().Service, node().Node, Cursor{ID: strconv.Itoa(r.IntN(9)), At: now}}
			case 4:
				in = []Input{Paused{}, Resumed{}, Resumed{}, Cancel{}, TimerFired{}, TimerFired{}}[r.IntN(6)]
			case 5:
				in = TimerFired{}
			case 6:
				in = Failed{id(), &pam.Error{Code: []pam.Code{pam.CodeStanza, pam.CodeTimeout, pam.CodeOffline}[r.IntN(3)], Condition: []string{"item-not-found", "forbidden", "resource-constraint", "service-unavailable", "feature-not-implemented"}[r.IntN(5)]}}
			case 7, 8:
				in = Result{ID: id(), IQ: mustParse("<iq xmlns='jabber:client' type='result'><pubsub xmlns='" + ns.Pubsub + "'><items><item id='1'/><item id='2'/></items></pubsub></iq>")}
			case 9, 10, 11:
				in = Result{ID: id(), IQ: mustParse(fmt.Sprintf("<iq xmlns='jabber:client' type='result'><fin xmlns='%s' complete='%v'><set xmlns='%s'><last>a%d</last></set></fin></iq>", ns.MAM, r.IntN(2) == 0, ns.RSM, r.IntN(9)))}
			default:
				in = ArchiveResult{account, &pubsub.ArchiveResult{QueryID: id(), ID: strconv.Itoa(r.IntN(9)), At: now}}
			}
			switch in := in.(type) {
			case Result:
				h.open = slices.DeleteFunc(h.open, func(r Request) bool { return r.ID == in.ID })
			case Failed:
				h.open = slices.DeleteFunc(h.open, func(r Request) bool { return r.ID == in.ID })
			}
			for _, out := range h.m.Step(now, in) {
				switch out := out.(type) {
				case Request:
					h.requests++
					h.open = append(h.open, out)
				case Withdraw:
					h.open = slices.DeleteFunc(h.open, func(r Request) bool { return r.ID == out.ID })
				}
			}
			s := h.m.State()
			if len(h.open) > standard.underWay || s.NodesDone < 0 || s.NodesDone > s.Nodes || s.Phase == pam.CatchUpRunning && h.m.queued == 0 && len(h.m.requests) == 0 {
				t.Fatalf("run %d: after %#v: %d requests at once, %+v", seed, in, len(h.open), s)
			}
			if len(h.open) != len(h.m.requests) {
				t.Fatalf("run %d: after %#v: %d requests are open, the machine has %d", seed, in, len(h.open), len(h.m.requests))
			}
		}
	}
}

// TestStandard checks the numbers that users are told, and those that servers depend on.
func TestStandard(t *testing.T) {
	if want := (limits{underWay: 4, atService: 2, requests: 20_000, results: 100_000, ofService: 10_000, pages: 250, items: [3]int{20, 100, 500}, newItems: 20}); NewMachine(nil).limits != want {
		t.Errorf("got %+v, want %+v", NewMachine(nil).limits, want)
	}
	for name, ok := range map[string]bool{
		"a node is asked again after 5 minutes":        askAgainAfter == 5*time.Minute,
		"an archive is read from 5 minutes before":     archiveMargin == 5*time.Minute,
		"by this device's clock, from an hour before":  clockMargin == time.Hour,
		"16 gaps of single nodes of a service":         maxNodeGaps == 16,
		"200 events, or 256 KB, are reported together": maxFound == 200 && maxFoundBytes == 256<<10,
	} {
		if !ok {
			t.Error(name)
		}
	}
}
