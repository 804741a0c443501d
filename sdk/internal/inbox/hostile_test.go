package inbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// item returns a live notification.
func item(node, item string, payload *element.Element) Incoming {
	return Incoming{Notification: pubsub.Notification{Service: "a", Node: node, Type: pam.EventPublished, ItemID: item, Payload: payload}, Delivery: pam.DeliveryLive}
}

// TestManyItems checks a stanza with 1,000 items: the node keeps what it may, the others
// are counted, and other nodes keep their events.
func TestManyItems(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("live 1 b/other i1=x i2=y"))
	var in Arrived
	for i := range 1000 {
		in.Events = append(in.Events, item("n", fmt.Sprint("i", i), payload(fmt.Sprint(i))))
	}
	p.run(in)
	s := p.m.State()
	if len(s.Nodes) != 2 || s.Nodes[0].Unseen != 2 || s.Nodes[1].Unseen != 500 || s.Nodes[1].Dropped != 500 || s.Unseen != 502 {
		t.Errorf("state %+v", s)
	}
	for _, op := range p.last.Ops {
		if len(op.Value) > 96<<10 {
			t.Errorf("%s has %d bytes", op.Key, len(op.Value))
		}
	}
	if page, _ := p.m.List(Query{Service: "a", Node: "n", Limit: 1}); page.entries[0].info.ItemID != "i999" {
		t.Errorf("newest %v", page.entries[0].info)
	}
}

// TestManyNodes checks events of 100,000 nodes: what is kept and what is remembered are
// bounded.
func TestManyNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second")
	}
	p := newPlayer(t, Options{Total: 1000, Nodes: 2000})
	p.step(Stored{})
	nodes := 100_000
	if raceEnabled {
		nodes = 20_000
	}
	for i := 0; i < nodes; {
		var in Arrived
		for range 500 {
			in.Events = append(in.Events, item(fmt.Sprint("n", i), "i", payload("x")))
			i++
		}
		p.now = p.now.Add(time.Second)
		p.run(in)
	}
	s := p.m.State()
	if s.Unseen != 1000 || s.Dropped != nodes-1000 || len(p.m.events) != 1000 || len(p.m.nodes) > 3500 || len(p.m.live) > 4000 {
		t.Errorf("%d unseen, %d dropped, %d events, %d nodes, %d live", s.Unseen, s.Dropped, len(p.m.events), len(p.m.nodes), len(p.m.live))
	}
	records := p.records()
	size := 0
	for _, r := range records {
		size += len(r.Value)
	}
	if size > 1<<20 || len(records) > 200 {
		t.Errorf("%d records, %d bytes", len(records), size)
	}
	m := New(p.m.opts)
	m.Step(p.now, Stored{records})
	if m.dropped != s.Dropped || m.unseen != s.Unseen {
		t.Errorf("read %d unseen, %d dropped", m.unseen, m.dropped)
	}
}

// TestFarFuture checks that an event of the far future is not the newest for ever.
func TestFarFuture(t *testing.T) {
	p := newPlayer(t, Options{PerNode: 3})
	p.step(Stored{})
	far := item("n", "far", payload("x"))
	far.At, far.Source = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), pam.TimeDelay
	old := item("n", "old", payload("x"))
	old.At, old.Source = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Hour), pam.TimePayload
	p.run(Arrived{Events: []Incoming{far, old}})
	for i := range 4 {
		p.now = p.now.Add(time.Minute)
		p.run(Arrived{Events: []Incoming{item("n", fmt.Sprint("i", i), payload("x"))}})
		if i == 0 {
			page, _ := p.m.List(Query{})
			if e := page.Events(nil); e[0].ItemID != "i0" || e[1].ItemID != "far" || e[1].OccurredAt.Year() != 9999 || e[2].ItemID != "old" || e[2].OccurredAt.Year() != 1 {
				t.Errorf("listed %v", e)
			}
		}
	}
	if newest := p.m.State().Nodes[0].Newest; !newest.Equal(p.now) {
		t.Errorf("the newest event is of %v", newest)
	}
	// The horizon is not in the future either.
	for i := range 200 {
		e := far
		e.ItemID = fmt.Sprint("far", i)
		p.run(Arrived{Events: []Incoming{e}})
	}
	later := item("n", "later", payload("x"))
	later.At, later.Source, later.Delivery = p.now.Add(time.Minute), pam.TimeArchive, pam.DeliveryCatchUp
	p.run(Arrived{Events: []Incoming{later}})
	if page, _ := p.m.List(Query{}); page.Events(nil)[0].ItemID != "later" {
		t.Errorf("listed %v", page.Events(nil))
	}
}

// TestLargePayloads checks payloads of 200 KB, longer ones, and many namespaces.
func TestLargePayloads(t *testing.T) {
	p := newPlayer(t, Options{Bytes: 1 << 20})
	p.step(Stored{})
	parse := func(text string) *element.Element {
		e, err := element.Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	large := parse("<a xmlns='x'>" + strings.Repeat("y", 200<<10) + "</a>")
	larger := parse("<a xmlns='x'>" + strings.Repeat("y", 300<<10) + "</a>")
	var b strings.Builder
	b.WriteString("<a xmlns='x'>")
	for i := range 10_000 {
		fmt.Fprintf(&b, "<b xmlns='urn:%d'/>", i)
	}
	b.WriteString("</a>")
	spaces := parse(b.String())
	for i, e := range []*element.Element{large, larger, spaces} {
		p.run(Arrived{Events: []Incoming{item("n", fmt.Sprint("i", i), e)}})
	}
	page, _ := p.m.List(Query{})
	values, _ := p.store.Get(t.Context(), page.Keys...)
	events := page.Events(values)
	if len(events) != 3 || events[2].XML != "<a xmlns='x'>"+strings.Repeat("y", 200<<10)+"</a>" || events[1].Omitted != pam.OmittedTooLong || events[1].XML != "" || events[0].XML != b.String() {
		t.Errorf("%d events, %q", len(events), events[1].Omitted)
	}
	for _, r := range p.records() {
		if len(r.Value) > 4096 {
			t.Errorf("%s has %d bytes", r.Key, len(r.Value))
		}
	}
	for i := range 10 {
		p.run(Arrived{Events: []Incoming{item("n", fmt.Sprint("j", i), large)}})
	}
	bodies, _ := p.store.Scan(t.Context(), store.Range{From: keyBodies})
	size := 0
	for _, r := range bodies {
		size += len(r.Value)
	}
	if size > 1<<20 || len(p.m.events) < 4 || p.m.dropped == 0 {
		t.Errorf("%d bytes, %d events", size, len(p.m.events))
	}
}

// TestRefused checks names that cannot be stored.
func TestRefused(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	long := strings.Repeat("x", maxName+1)
	in := Arrived{Seq: 9, Events: []Incoming{item(long, "i", nil), item("n", long, nil), item("n\x1e", "i", nil), item("n", "i\x1f", nil), item("n", "ok", payload("x")), item(long[1:], long[1:], payload("x")), item("n", long, payload("x"))}}
	in.Events[1].Type = "unknown"
	p.step(in)
	p.commit()
	var got []string
	for _, out := range p.step(Committed{p.last.Seq}) {
		got = append(got, fmt.Sprintf("%T", out))
		if w, ok := out.(Warning); ok && (!errors.Is(w.Err, ErrRefused) || !strings.Contains(w.Err.Error(), "5 with")) {
			t.Error(w.Err)
		}
	}
	if fmt.Sprint(got) != "[inbox.Changed inbox.Handled inbox.Warning]" || p.list(Query{Node: "n", Service: "a"}) != "e1:ok=x@12:00:00l" || len(p.m.State().Nodes) != 2 {
		t.Errorf("outputs %v, listed %s", got, p.list(Query{}))
	}
}

// TestUnknownSource has a time of which the source is not known: it does not count.
func TestUnknownSource(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	in := item("n", "i", payload("x"))
	in.At, in.Source = start.Add(-time.Hour), "sundial"
	p.run(Arrived{Events: []Incoming{in}})
	if got := p.list(Query{}); got != "e1:i=x@12:00:00l" {
		t.Errorf("listed %s", got)
	}
}

// TestArbitraryInputs passes inputs in arbitrary order, with wrong numbers and unusual
// content. The machine must not panic, and must have at most one commit pending.
func TestArbitraryInputs(t *testing.T) {
	lines := []string{
		"live 1 a/n i1=x", "live 2 a/n i1", "live 3 a/n -i1 !purged !deleted", "resumed 4 a/n i1=x@12:00:00d", "catchup 0 a/n i1=y@11:00:00a i2", "live 5 a/ =x", "live 7 b/m i3=atom:10:00:00",
		"fetched a/n i1 i1=x", "fetched a/n i1", "nofetch a/n i2", "seen e1 e2 upto:e3", "seen e9", "marker a/n i1@12:00:00l", "marker a/x i9@11:00:00d", "marker a/n i2@.",
		"markersread", "caughtup", "published a/n i1@12:00:00l", "unpublished a/n i1@12:00:00l", "elsewhere 11:00:00 12:00:00", "interest all", "interest", "interest #ns", "interest b/*",
		"session", "session resumed", "ended", "reached a n,m c@12:00:00a current", "reached a n -", "asked a/n", "unfollowed a/n", "list +a/n -a/n", "list initial +a/n", "looked", "timer publish", "timer flush", "stored", "replaced",
	}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(3, seed))
		p := newPlayer(t, Options{PerNode: 3, Total: 4, Nodes: 2, page: 2})
		open := false
		for range 60 {
			p.now = p.now.Add(time.Duration(r.IntN(20000)) * time.Millisecond)
			var in Input
			switch n := r.IntN(10); {
			case n == 0:
				in = BodiesRead{[]string{bodyKey(r.IntN(9))}, [][]byte{nil}}
			case n == 1:
				in = Conflict{p.last.Seq - r.IntN(2), p.records()}
			case n < 5 && open:
				in = p.read("ok")
			case n == 5:
				in = Committed{p.last.Seq - 1 - r.IntN(2)}
			case n == 6:
				in = TimerFired{Timer(r.IntN(4))}
			default:
				in = p.read(lines[r.IntN(len(lines))])
			}
			switch in := in.(type) {
			case Committed:
				open = open && in.Seq != p.last.Seq
			case Conflict:
				open = open && in.Seq != p.last.Seq
			case StoreReplaced:
				open = false
			}
			for _, out := range p.step(in) {
				if _, ok := out.(Commit); ok {
					if open {
						t.Fatalf("seed %d: a second commit", seed)
					}
					open = true
				}
			}
			page, _ := p.m.List(Query{})
			page.Events(nil)
			p.m.State()
		}
	}
}

// TestRemovedTwice changes the interest in the batch of inputs that removes an event.
func TestRemovedTwice(t *testing.T) {
	defer func() {
		if reason := recover(); reason != nil {
			t.Errorf("panic: %v", reason)
		}
	}()
	p := newPlayer(t, Options{})
	p.step(SetInterest{filters([]string{"#ns"})})
	p.step(Stored{})
	p.run(p.read("session"))
	p.run(p.read("live 1 a/n i1"))
	p.step(p.read("live 2 a/n i2=ns:x"))
	p.step(p.read("fetched a/n i1 i1=other:x"))
	p.step(p.read("interest b/*"))
	p.run(p.read("ok"))
	if got := p.list(Query{}); got != "" {
		t.Errorf("listed %s", got)
	}
}

// TestLongNamespace declares a long namespace once for many items: it is not stored with
// each of them.
func TestLongNamespace(t *testing.T) {
	space := "urn:" + strings.Repeat("x", 50<<10)
	var items strings.Builder
	for i := range 100 {
		fmt.Fprintf(&items, "<item id='i%d'><p:x/></item><item id='j%d'><x xmlns='urn:x'>%d</x></item>", i, i, i)
	}
	items.WriteString("<item id='k2'><q:x/></item>")
	message, err := element.Parse("<message xmlns='jabber:client' from='a'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n' xmlns:p='"+space+"' xmlns:q='urn:q'>"+items.String()+"</items></event></message>", nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pubsub.ParseEvent(message)
	if err != nil || len(found) != 201 {
		t.Fatalf("%d events, %v", len(found), err)
	}
	// A namespace that is declared outside counts, if it is short, as does the longest that is kept.
	found = append(found, item("n", "k0", element.New(space[:maxNamespace], "x")).Notification, item("n", "k1", element.New(space[:maxNamespace+1], "x")).Notification)
	p := newPlayer(t, Options{})
	p.step(Stored{})
	in := Arrived{Seq: 1}
	for _, n := range found {
		in.Events = append(in.Events, Incoming{Notification: n})
	}
	p.run(in)
	size := 0
	for _, r := range p.records() {
		size += len(r.Key) + len(r.Value)
	}
	if size > 100<<10 || !strings.Contains(p.list(Query{}), "j99") {
		t.Errorf("%d bytes are stored", size)
	}
	page, _ := p.m.List(Query{Limit: 300})
	values, err := p.store.Get(t.Context(), page.Keys...)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Events(values) {
		if e.ItemID[0] == 'k' {
			if e.XML == "" || (e.Namespace == "") != (e.ItemID == "k1") {
				t.Errorf("%s: %.20q, namespace %.20q", e.ItemID, e.XML, e.Namespace)
			}
			continue
		}
		if long := e.ItemID[0] == 'i'; long != (e.Omitted == pam.OmittedTooLong) || long != (e.XML == "") || long != (e.Namespace == "") {
			t.Errorf("%s: %q, omitted %q", e.ItemID, e.XML, e.Omitted)
		}
	}
}
