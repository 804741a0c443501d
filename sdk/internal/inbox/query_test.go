package inbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// items returns the items of a page.
func items(p Page) string {
	var s []string
	for _, e := range p.Events(nil) {
		s = append(s, e.ItemID)
	}
	return strings.Join(s, " ")
}

func TestList(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("catchup 0 a/n i1=x@11:01:00a i3=x@11:03:00a i5=x@11:05:00a"))
	p.run(p.read("catchup 0 a/m i2=x@11:02:00a i4=x@11:04:00a"))
	p.run(p.read("catchup 0 b/n i6=x@11:06:00a"))
	p.run(p.read("seen e1 e6"))
	for want, q := range map[string]Query{
		"i6 i5 i4 i3 i2 i1": {},
		"i6 i5":             {Limit: 2},
		"i5 i4 i3 i2 i1":    {Service: "a"},
		"i5 i3 i1":          {Service: "a", Node: "n"},
		"i4 i2":             {Service: "a", Node: "m", Limit: 1000},
		"i5 i4 i3 i2":       {UnseenOnly: true},
		"i5 i3":             {Service: "a", Node: "n", UnseenOnly: true, Limit: -1},
		"":                  {Service: "c", Node: "n"},
	} {
		if page, ok := p.m.List(q); !ok || items(page) != want {
			t.Errorf("%+v: %s, want %s", q, items(page), want)
		}
	}
	if _, ok := p.m.List(Query{Before: "x"}); ok {
		t.Error("x is a cursor")
	}
	first, _ := p.m.List(Query{Service: "a", Limit: 2})
	p.run(p.read("catchup 0 a/n i7=x@11:07:00a i35=x@11:03:30a"))
	if second, _ := p.m.List(Query{Service: "a", Before: first.Cursor, Limit: 2}); items(first)+" | "+items(second) != "i5 i4 | i35 i3" {
		t.Errorf("pages %s | %s", items(first), items(second))
	}
	last, _ := p.m.List(Query{Service: "a", Before: first.Cursor, Limit: 4})
	if items(last) != "i35 i3 i2 i1" || last.Cursor != "" || last.Len() != 4 {
		t.Errorf("last page %s, cursor %q", items(last), last.Cursor)
	}
	p.run(p.read("marker a/n i3@11:03:00a"))
	if page, _ := p.m.List(Query{Service: "a", Node: "n", UnseenOnly: true}); items(page) != "i7 i5 i35" {
		t.Errorf("unseen %s", items(page))
	}
	// What is not stored is not listed.
	p.step(p.read("live 1 a/n i8=x"))
	if page, _ := p.m.List(Query{Limit: 1}); items(page) != "i7" || p.m.State().Unseen != 5 {
		t.Errorf("listed %s, %d unseen", items(page), p.m.State().Unseen)
	}
}

// TestListLimits checks how many events a page has.
func TestListLimits(t *testing.T) {
	p := newPlayer(t, Options{PerNode: 1000})
	p.step(Stored{})
	var in Arrived
	for i := range 501 {
		in.Events = append(in.Events, item("n", fmt.Sprint(i), payload("x")))
	}
	p.run(in)
	for limit, want := range map[int]int{0: 50, 499: 499, 500: 500, 501: 500} {
		if page, _ := p.m.List(Query{Limit: limit}); page.Len() != want {
			t.Errorf("%d: %d events", limit, page.Len())
		}
	}
}

// TestWanted has more items without payload than are requested in a session.
func TestWanted(t *testing.T) {
	p := newPlayer(t, Options{PerNode: 2000})
	p.step(Stored{})
	p.run(p.read("session"))
	const more = 20
	in := Arrived{Seq: 1}
	for i := range maxWanted + more {
		in.Events = append(in.Events, item("n", fmt.Sprint(i), nil))
	}
	p.step(in)
	p.commit()
	requested := map[string]bool{}
	take := func(outs []Output) (n int) {
		for _, out := range outs {
			if f, ok := out.(FetchItem); ok {
				requested[f.ItemID] = true
				n++
			}
		}
		return n
	}
	if n := take(p.step(Committed{p.last.Seq})); n != maxFetches {
		t.Errorf("%d items are requested", n)
	}
	if n := take(p.step(ItemFetched{Service: "a", Node: "n", ItemID: "of another session", Failed: true})); n != 0 {
		t.Errorf("an answer to no request: %d items are requested", n)
	}
	for i := range maxWanted {
		if n := take(p.step(ItemFetched{Service: "a", Node: "n", ItemID: fmt.Sprint(i), Failed: true})); n > 1 {
			t.Errorf("%d items are requested after an answer", n)
		}
	}
	if len(requested) != maxWanted {
		t.Errorf("%d items were requested", len(requested))
	}
}

// TestPublishedOnly reads an entry that does not tell when it was updated.
func TestPublishedOnly(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	e, err := element.Parse(`<entry xmlns='http://www.w3.org/2005/Atom'><title>T</title><published>2026-11-29T10:00:00Z</published></entry>`, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.run(Arrived{Events: []Incoming{item("n", "i", e)}})
	if got := p.list(Query{}); got != "e1:i=atom:T@10:00:00p" {
		t.Errorf("listed %s", got)
	}
}

// TestPayload checks what is stored of an event.
func TestPayload(t *testing.T) {
	p := newPlayer(t, Options{page: 1})
	p.step(Stored{})
	e, err := element.Parse(`<entry xmlns='http://www.w3.org/2005/Atom'><title>T</title><summary>S</summary><content>C</content><id>I</id><link href='https://x/'/><link rel='enclosure' type='image/png' href='https://x/p.png'/><author><name>A</name></author><published>2026-11-29T10:00:00Z</published><updated>2026-11-29T10:30:00Z</updated></entry>`, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := item("n", "i", e)
	in.Publisher, in.Source = "bob@x", pam.TimeDelay // without a time, this means nothing
	gone := item("n", "", nil)
	gone.Type, gone.Redirect = pam.EventDeleted, "xmpp:a?;node=m"
	added := func(outs []Output) []pam.Event { return outs[0].(Changed).Added }
	p.step(Arrived{Events: []Incoming{in, gone}})
	p.commit()
	want := added(p.step(Committed{p.last.Seq}))
	elsewhere := gone
	elsewhere.Redirect = "xmpp:a?;node=other"
	for i, again := range []Incoming{gone, elsewhere} {
		if p.run(Arrived{Events: []Incoming{again}}); len(p.m.ids) != 2+i {
			t.Errorf("with the redirect %s: %d events", again.Redirect, len(p.m.ids))
		}
	}
	page, _ := p.m.List(Query{})
	if len(page.Keys) != 1 {
		t.Fatalf("keys %v", page.Keys)
	}
	values, _ := p.store.Get(t.Context(), page.Keys...)
	got := page.Events(values)[1:]
	if got[0].Redirect != gone.Redirect || got[0].Type != pam.EventDeleted {
		t.Errorf("deleted: %+v", got[0])
	}
	g := got[1]
	if g.Publisher != "bob@x" || g.Namespace != e.Name.Space || !strings.HasPrefix(g.XML, "<entry") || g.TimeSource != pam.TimePayload || !g.OccurredAt.Equal(start.Add(-90*time.Minute)) {
		t.Errorf("published: %+v", g)
	}
	if fmt.Sprintf("%+v", *g.Entry) != fmt.Sprintf("%+v", *want[0].Entry) || g.Entry.Title != "T" || g.Entry.Summary != "S" || g.Entry.Content != "C" || g.Entry.ID != "I" || g.Entry.Link != "https://x/" || g.Entry.Image != "https://x/p.png" || g.Entry.Author != "A" || !g.Entry.Updated.Equal(start.Add(-90*time.Minute)) || !g.Entry.Published.Equal(start.Add(-2*time.Hour)) {
		t.Errorf("entry %+v, announced %+v", g.Entry, want[0].Entry)
	}
	if lost := page.Events(nil)[2]; lost.Omitted != pam.OmittedUnreadable || lost.ItemID != "i" {
		t.Errorf("without its record: %+v", lost)
	}
}

// TestDigest checks that copies have equal digests, and other payloads others.
func TestDigest(t *testing.T) {
	parse := func(text string) *element.Element {
		e, err := element.Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	original := Digest(parse(`<a xmlns='x' b='1' c='2'><d/>text &amp; more<e xmlns='y'/></a>`))
	for _, text := range []string{`<p:a c="2" b='1' xmlns:p='x'><p:d></p:d>text <![CDATA[&]]> more<q:e xmlns:q='y'/></p:a>`} {
		if Digest(parse(text)) != original {
			t.Errorf("%s differs", text)
		}
	}
	seen := map[string]string{original: "the original", "": "nil"}
	for _, text := range []string{
		`<a xmlns='x' b='1' c='2'><d/>text &amp; more<e xmlns='x'/></a>`, `<a xmlns='x' b='2' c='1'><d/>text &amp; more<e xmlns='y'/></a>`,
		`<a xmlns='x' b='1' c='2'><d>text &amp; more</d><e xmlns='y'/></a>`, `<a xmlns='x' b='1' c='2'>text &amp; more<d/><e xmlns='y'/></a>`,
		`<a xmlns='x' b='1' c='2'><d><e xmlns='y'/></d>text &amp; more</a>`, `<a xmlns='x' bc='12'/>`, `<a xmlns='x' b='1' c='2'/>`, `<a xmlns='x' b='1'/>`, `<a/>`,
	} {
		d := Digest(parse(text))
		if other, ok := seen[d]; ok {
			t.Errorf("%s equals %s", text, other)
		}
		seen[d] = text
	}
	if Digest(nil) != "" {
		t.Error("nil has a digest")
	}
}

func TestSupports(t *testing.T) {
	m := New(Options{})
	for _, tt := range []struct {
		filters, yes, no string
	}{
		{"all", "a/n b/m", ""},
		{"", "", "a/n"},
		{"a", "a/n a/m", "b/n"},
		{"a/n", "a/n", "a/nn a/m b/n"},
		{"/n*", "a/n b/nn", "a/m"},
		{"#ns", "a/n", ""},
		{"a#ns b/x*", "a/n b/xy", "b/y c/x"},
	} {
		m.Step(start, SetInterest{filters(strings.Fields(tt.filters))}) // counts before the records are read
		for _, s := range strings.Fields(tt.yes + " | " + tt.no) {
			want := strings.Contains(" "+tt.yes+" ", " "+s+" ")
			service, node, ok := strings.Cut(s, "/")
			if ok && m.Supports(service, node) != want {
				t.Errorf("%q supports %s: %v", tt.filters, s, !want)
			}
		}
	}
}

// TestCatchUp checks what a catch-up is told.
func TestCatchUp(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	is := func(node, want string) {
		t.Helper()
		c := p.m.CatchUp("a", node)
		s := c.Cursor.ID
		for _, at := range []time.Time{c.CurrentUntil, c.LastActivity, c.AskedAt} {
			if at.IsZero() {
				s += " -"
			} else {
				s += at.Format(" 15:04")
			}
		}
		if got := fmt.Sprint(s, " ", c.Current, " ", c.Archived); got != want {
			t.Errorf("%s: %s, want %s", node, got, want)
		}
	}
	is("n", " - - - false false")
	p.run(p.read("session"))
	if at := p.m.LastSession(); !at.IsZero() || len(p.m.session.past) != 0 {
		t.Errorf("before the first session there was one until %v", at)
	}
	p.run(p.read("reached a n,m c1@11:00:00a"))
	p.run(p.read("asked a/n"))
	is("n", "c1 - - 12:00 false false")
	p.run(p.read("reached a n,m c2@11:01:00a current"))
	is("m", "c2 12:00 - - true false")
	p.now = p.now.Add(time.Hour)
	p.run(p.read("live 1 a/n i1=x#id"))
	is("n", "c2 13:00 13:00 12:00 true true")
	p.run(p.read("catchup 0 a/n i0=x@11:30:00a")) // shows neither live events nor the last activity
	is("n", "c2 13:00 13:00 12:00 true true")
	p.run(p.read("catchup 0 a/old i0=x@11:30:00a"))
	is("old", " - 11:30 - false false")
	p.run(p.read("live 2 a/n i2=x"))
	is("n", "c2 13:00 13:00 12:00 true false")
	p.run(p.read("reached a n c3@11:02:00a"))
	is("n", "c3 13:00 13:00 12:00 true false")
	is("m", "c2 13:00 - - true false")
	p.now = p.now.Add(time.Hour)
	p.run(p.read("live 3 a/n"))
	p.now = p.now.Add(time.Hour)
	p.run(p.read("ended"))
	is("n", "c3 14:00 13:00 12:00 false false")
	p.now = p.now.Add(time.Hour)
	p.run(p.read("session"))
	is("n", "c3 14:00 13:00 12:00 false false")
	if got := p.m.LastSession(); !got.Equal(start.Add(2 * time.Hour)) {
		t.Errorf("the last session ended at %v", got)
	}
	p.run(p.read("reached a n,m c4@11:03:00a"))
	is("m", "c4 14:00 - - false false")
	if a, b := p.m.nodes[nodeKey{"a", "n"}].position, p.m.nodes[nodeKey{"a", "m"}].position; a == b || len(p.m.positionTable.all()) != 2 {
		t.Errorf("positions %v, %v", a, b)
	}
	p.run(p.read("reached a n,m c5@11:04:00a current"))
	if a, b := p.m.nodes[nodeKey{"a", "n"}].position, p.m.nodes[nodeKey{"a", "m"}].position; a != b || len(p.m.positionTable.all()) != 1 {
		t.Errorf("positions %v, %v", a, b)
	}
	p.run(p.read("timer flush"))
	// A new run continues the session, and then there are too many to know their ends.
	p.m = New(Options{})
	p.step(Stored{p.records()})
	p.run(p.read("session resumed"))
	is("m", "c5 16:00 - - true false")
	run := p.m
	p.m = New(Options{})
	p.step(Stored{p.records()})
	p.now = p.now.Add(time.Minute)
	p.step(p.read("session resumed"))
	p.now = p.now.Add(time.Hour)
	p.step(p.read("ended")) // nothing was heard since it was resumed
	is("m", "c5 16:01 - - false false")
	p.now = p.now.Add(-61 * time.Minute)
	p.m = run
	for range maxPast + 2 {
		p.now = p.now.Add(time.Hour)
		p.run(p.read("session"))
	}
	is("m", "c5 16:00 - - false false")
	if n := len(p.m.session.past); n != maxPast {
		t.Errorf("the ends of %d sessions are known", n)
	}
	p.run(p.read("reached a n c6@. current"))
	is("n", p.now.Format("c6 15:04")+" 13:00 12:00 true false")
	// The end of the last one is known.
	p.now = p.now.Add(time.Hour)
	p.run(p.read("live 8 a/x i0=x"))
	heard := p.now
	p.now = p.now.Add(time.Hour)
	p.run(p.read("session"))
	is("n", heard.Format("c6 15:04")+" 13:00 12:00 false false")
	if got := p.m.LastSession(); !got.Equal(heard) {
		t.Errorf("the last session ended at %v", got)
	}
	// Nothing is current before a session that waits has begun.
	p.run(p.read("reached a q c1@11:00:00a current"))
	reached := p.now
	p.step(p.read("live 9 a/q i1=x"))
	p.step(p.read("session"))
	is("q", "c1"+reached.Format(" 15:04 15:04")+" - false false")
	if got := p.m.LastSession(); !got.Equal(reached) {
		t.Errorf("before it has begun, the last session ended at %v", got)
	}
	p.run(p.read("ok"))
	// A node is current until it was read, although nothing was heard since the session began.
	p.now = p.now.Add(time.Hour)
	p.run(p.read("reached a q c2@11:00:00a current"))
	reached = p.now
	p.now = p.now.Add(time.Hour)
	p.run(p.read("session"))
	is("q", "c2"+reached.Format(" 15:04")+reached.Add(-time.Hour).Format(" 15:04")+" - false false")
	p.run(p.read("unfollowed a/q"))
	// Of nodes that are not followed any more, nothing is read.
	read := func(want string) {
		t.Helper()
		if got := fmt.Sprint(p.m.Read()); got != want {
			t.Errorf("read %s, want %s", got, want)
		}
	}
	p.run(p.read("live 9 a/x i1=x"))
	read("[{a n } {a m }]")
	p.run(p.read("unfollowed a/n"))
	p.run(p.read("unfollowed a/x"))
	p.run(p.read("unfollowed a/y"))
	read("[{a m }]")
	is("n", " - 13:00 - false false")
	is("m", "c5 16:00 - - false false")
	p.run(p.read("reached a n,m c7@11:05:00a"))
	read("[{a m }]")
	p.run(p.read("timer flush"))
	p.m = New(Options{})
	p.step(Stored{p.records()})
	read("[{a m }]")
}

// TestMissed checks from when on a catch-up looks for what the interest left out.
func TestMissed(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(SetInterest{filters([]string{"#ns"})})
	p.step(Stored{})
	p.run(p.read("session"))
	p.run(p.read("reached a n,m c1@10:00:00a current"))
	p.run(p.read("reached a m c2@11:30:00a"))
	p.run(p.read("catchup 0 a/n i1=other:x@11:00:00a i2=other:x@11:20:00a"))
	p.run(p.read("catchup 0 a/m i1=other:x@11:00:00a i2=other:x@11:20:00a"))
	p.run(p.read("reached a k c4@10:59:59.5 current")) // perhaps later than what was left out
	p.run(p.read("catchup 0 a/k i1=other:x@11:00:00a"))
	p.run(p.read("asked a/n"))
	if p.m.CatchUp("a", "n").AskedAt.IsZero() {
		t.Error("n was not asked")
	}
	p.run(p.read("catchup 0 a/x i1=other:x"))
	p.run(p.read("reached a y c3@11:30:00a"))
	p.run(p.read("catchup 0 a/y i1=other:x"))
	p.run(p.read("live 1 a/z i1=other:x"))
	p.run(p.read("timer flush"))
	m := New(Options{}) // everything
	outs := m.Step(p.now, Stored{p.records()})
	if len(outs) != 1 {
		t.Errorf("outputs %v", outs)
	}
	for _, out := range m.Step(p.now, Arrived{Seq: 1}) {
		if _, ok := out.(Missed); ok { // A catch-up finds it without.
			t.Errorf("output %v", out)
		}
	}
	for node, want := range map[string]string{"n": "c1 11:00:00.000", "m": " 11:00:00.000", "x": " 00:00:00.001", "y": "c3 00:00:00.000", "z": " 12:00:00.000", "k": " 11:00:00.000"} {
		c := m.CatchUp("a", node)
		if got := c.Cursor.ID + c.CurrentUntil.Format(" 15:04:05.000"); got != want || c.Current || !c.AskedAt.IsZero() {
			t.Errorf("%s: %s, want %s", node, got, want)
		}
	}
	outs = p.step(SetInterest{})
	if missed, ok := outs[0].(Missed); !ok || len(missed.Nodes) != 6 {
		t.Errorf("outputs %v", outs)
	}
}

// TestPending checks that few requests are pending at a time.
func TestPending(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("markersread"))
	p.run(p.read("caughtup"))
	var requests []FetchItem
	var markers []pam.Marker
	take := func(outs []Output) {
		for _, out := range outs {
			switch out := out.(type) {
			case FetchItem:
				requests = append(requests, out)
			case PublishMarker:
				markers = append(markers, out.Marker)
			case Commit:
				p.commit()
			}
		}
	}
	for i := range 20 {
		take(p.step(p.read(fmt.Sprintf("live 1 a/n%02d i", i))))
		take(p.step(Committed{p.last.Seq}))
	}
	if len(requests) != maxFetches {
		t.Errorf("%d items are requested", len(requests))
	}
	for i := 0; i < len(requests); i++ {
		take(p.step(ItemFetched{Service: "a", Node: requests[i].Node, ItemID: "i"}))
		take(p.step(Committed{p.last.Seq}))
	}
	var ids []string
	for _, e := range p.m.events {
		ids = append(ids, e.info().ID)
	}
	take(p.step(MarkSeen{IDs: ids}))
	take(p.step(Committed{p.last.Seq}))
	if len(markers) != maxPublishing {
		t.Errorf("%d markers are published", len(markers))
	}
	for i := 0; i < len(markers); i++ {
		take(p.step(MarkerPublished{Marker: markers[i]}))
	}
	if len(requests) != 20 || len(markers) != 20 {
		t.Errorf("%d items were requested, %d markers published", len(requests), len(markers))
	}
}

// TestKnown checks the items that a catch-up compares.
func TestKnown(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("live 1 a/n i1=x i2=x i3=x"))
	p.run(p.read("live 2 a/n -i2 i1=y !configured=f"))
	p.now = p.now.Add(time.Minute)
	p.run(p.read("catchup 0 a/n i0=x@11:00:00a"))
	p.now = start
	p.run(p.read("resumed 2 a/n i4=x"))
	p.run(p.read("live 2 a/n #s1"))
	known := func() string {
		var s []string
		for _, k := range p.m.Known("a", "n") {
			switch k.Digest {
			case Digest(payload("x")):
				k.ItemID += "=x"
			case Digest(payload("y")):
				k.ItemID += "=y"
			}
			if k.Late != (k.ItemID == "i0=x") || k.Late != k.At.After(start) {
				t.Errorf("known %+v", k)
			}
			s = append(s, k.ItemID)
		}
		return strings.Join(s, " ")
	}
	if got := known(); got != "i1=x i3=x i1=y i0=x i4=x" {
		t.Errorf("known %s", got)
	}
	p.run(p.read("live 3 a/n !purged"))
	if got := known() + fmt.Sprint(p.m.Known("a", "x")); got != "[]" {
		t.Errorf("known %s", got)
	}
}

func TestAway(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	away := func() string {
		a := p.m.State().Away
		if a == nil {
			return "none"
		}
		s := fmt.Sprint(a.Since.Format("15:04"), " ", a.Events)
		for _, c := range a.Changes {
			if c.Before == nil {
				s += " +" + c.After.Node
			} else if c.After == nil {
				s += " -" + c.Before.Node
			} else {
				s += " " + c.After.Node
			}
		}
		return s
	}
	is := func(line, want string) {
		t.Helper()
		p.run(p.read(line))
		if got := away(); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	is("list +a/n +a/m", "none") // the first session
	is("live 1 a/n i=x", "none")
	is("looked", "12:00 0")
	p.now = p.now.Add(time.Hour)
	is("list initial +a/n +a/m", "12:00 0")
	is("list +a/x -a/n", "12:00 0 -n +x")
	is("list +a/x", "12:00 0 -n +x") // again, from another tab
	is("list -a/x +a/n", "12:00 0")
	is("list -a/m", "12:00 0 -m")
	p.step(p.read("live 2 a/n i2=x i3=x i2=x"))
	if got := away(); got != "12:00 0 -m" {
		t.Errorf("before it is stored: %s", got)
	}
	is("ok", "12:00 2 -m")
	pending, subscribed := p.read("list +a/s").(ListChanged), p.read("list +a/s").(ListChanged)
	pending.Changes[0].After.State = pam.StatePending
	pending.Changes[0].Before = subscribed.Changes[0].After
	p.run(pending)
	if got := away(); got != "12:00 2 -m s" {
		t.Errorf("another state: %s", got)
	}
	pending.Changes[0].Before, pending.Changes[0].After = pending.Changes[0].After, subscribed.Changes[0].After
	p.run(pending)
	p.run(ListChanged{Changes: []pam.Change{{}}})
	m := New(Options{})
	m.Step(p.now, Stored{p.records()})
	if p.m = m; away() != "12:00 2 -m" {
		t.Errorf("read %s", away())
	}
	p.step(p.read("live 3 a/n i9=x"))
	p.step(p.read("looked")) // waits
	p.now = p.now.Add(time.Minute)
	is("ok", "13:00 0")
	var many ListChanged
	for i := range maxChanges + 1 {
		many.Changes = append(many.Changes, p.read(fmt.Sprint("list +a/", i)).(ListChanged).Changes...)
	}
	p.run(many)
	p.run(p.read("list -a/7")) // of those that are known, the changes still count
	if n := len(p.m.Away().Changes); n != maxChanges-1 {
		t.Errorf("%d changes", n)
	}
}

// TestKnownReplayed checks that the arrival of a removal says when it happened only if it
// came live: one that a resumption has replayed may be older than what came before it.
func TestKnownReplayed(t *testing.T) {
	for _, tt := range []struct {
		removal string
		known   bool
	}{
		{"live 1 a/n -i1", false},
		{"resumed 1 a/n -i1", true},
		{"resumed 1 a/n -i1@12:06:00d", false},
		{"resumed 1 a/n -i1@12:04:00d", true},
		{"catchup 0 a/n -i1", true},
	} {
		p := newPlayer(t, Options{})
		p.step(Stored{})
		p.now = p.now.Add(10 * time.Minute)
		p.run(p.read(tt.removal))
		p.run(p.read("catchup 0 a/n i1=y@12:05:00a"))
		if known := p.m.Known("a", "n"); len(known) == 1 != tt.known {
			t.Errorf("%s: known %v", tt.removal, known)
		}
	}
}

// TestReachedWithoutCursor checks that nodes keep their own cursors when they become
// current together and the archive has no place for them.
func TestReachedWithoutCursor(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	for _, line := range []string{"session", "reached a n c1@11:00:00a", "reached a m c2@11:30:00a", "reached a n,m,new - current"} {
		p.run(p.read(line))
	}
	for name, id := range map[string]string{"n": "c1", "m": "c2", "new": ""} {
		if c := p.m.CatchUp("a", name); c.Cursor.ID != id || !c.Current || id != "" && (c.Cursor.By != "archive" || c.Cursor.At.IsZero()) {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestReachedTogether moves the cursor of nodes that share one, also with the names of an
// earlier Reached, after one of them has left or come.
func TestReachedTogether(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("session"))
	names, others := []string{"n", "m"}, []string{"k"}
	number := 0
	reached := func(names []string, current bool) {
		number++
		p.run(Reached{Service: "a", Nodes: names, Cursor: Cursor{By: "archive", ID: fmt.Sprint("c", number), At: p.now}, Current: current})
	}
	is := func(want string) {
		t.Helper()
		var got []string
		for _, node := range []string{"n", "m", "k"} {
			got = append(got, p.m.CatchUp("a", node).Cursor.ID)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	reached(names, true)
	reached(names, false)
	is("[c2 c2 ]")
	if position := p.m.nodes[nodeKey{"a", "m"}].position; position != p.m.nodes[nodeKey{"a", "n"}].position {
		t.Error("two nodes that were read together have two positions")
	}
	reached(others, true)
	reached(names, false)
	is("[c4 c4 c3]")
	reached(names[1:], false)
	is("[c4 c5 c3]")
	reached(names, false)
	is("[c6 c6 c3]")
	reached(nil, true)
	p.run(p.read("unfollowed a/m"))
	reached(names[:1], false)
	reached(names, true)
	is("[c9 c9 c3]")
	reached([]string{"m", "k"}, false)
	reached(names, false)
	is("[c11 c11 c10]")
	if nodes := p.m.State().Nodes; len(nodes) != 0 {
		t.Errorf("nodes without events are listed: %v", nodes)
	}
	for node, want := range map[string]bool{"n": true, "m": true, "k": true} {
		if got := p.m.CatchUp("a", node).Current; got != want {
			t.Errorf("%s is current: %v", node, got)
		}
	}
}
