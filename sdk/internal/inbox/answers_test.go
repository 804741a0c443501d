package inbox

import (
	"fmt"
	"testing"
	"time"

	"xmpp-pam/sdk/pam"
)

// TestOtherCommits answers commits that are not pending: nothing follows from that.
func TestOtherCommits(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	for _, pending := range []bool{false, true} {
		if pending {
			p.step(p.read("live 1 a/n i1=x"))
		}
		for _, in := range []Input{Committed{p.last.Seq + 1}, Conflict{p.last.Seq + 1, nil}} {
			if outs := p.step(in); len(outs) != 0 || p.m.Busy() != pending {
				t.Errorf("%T: outputs %v, busy %v", in, outs, p.m.Busy())
			}
		}
	}
	p.run(p.read("ok"))
	if got := p.list(Query{}); got != "e1:i1=x@12:00:00l" {
		t.Errorf("listed %s", got)
	}
}

// TestDroppedTotal announces how many events were dropped: at once, as the state, and after
// the records were read.
func TestDroppedTotal(t *testing.T) {
	p := newPlayer(t, Options{PerNode: 1})
	p.step(Stored{})
	p.run(p.read("live 1 a/n i1=x"))
	p.step(p.read("live 2 a/n i2=x"))
	p.commit()
	check := func(outs []Output) {
		t.Helper()
		if c, ok := outs[0].(Changed); !ok || c.Dropped != 1 || c.Unseen != 1 || p.m.State().Dropped != 1 {
			t.Errorf("%+v, state %+v", outs[0], p.m.State())
		}
	}
	check(p.step(Committed{p.last.Seq}))
	p.m = New(p.m.opts)
	check(p.step(Stored{p.records()}))
}

// TestFields lists an event with all that is known of it without its payload.
func TestFields(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	for _, line := range []string{"resumed 1 a/n i1=space:x@11:00:00d", "seen e1"} {
		p.run(p.read(line))
	}
	want := pam.Event{
		ID: p.id("e1"), Service: "a", Node: "n", ItemID: "i1", Type: pam.EventPublished, OccurredAt: start.Add(-time.Hour), TimeSource: pam.TimeDelay,
		ReceivedAt: start, Delivery: pam.DeliveryResumed, Seen: pam.Seen{State: pam.SeenHere, Basis: pam.BasisThisDevice, At: start}, Namespace: "space",
	}
	for range 2 { // again when the records are read
		if got := p.m.events[0].info(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		p.m = New(p.m.opts)
		p.step(Stored{p.records()})
	}
}

// TestFilledPage has a larger page than before: it gets the bodies that the records of the
// smaller one lack, and one that is lost does not keep the others out.
func TestFilledPage(t *testing.T) {
	const events, page = 40, 35
	for _, lost := range []bool{false, true} {
		p := newPlayer(t, Options{page: 2})
		p.step(Stored{})
		for i := range events {
			p.run(p.read(fmt.Sprintf("live %d a/n i%d=x", i+1, i)))
		}
		want := p.list(Query{})
		p.m = New(Options{page: page})
		var keys []string
		for _, out := range p.step(Stored{p.records()}) {
			if r, ok := out.(ReadBodies); ok {
				keys = r.Keys
			}
		}
		values, err := p.store.Get(t.Context(), keys...)
		if err != nil || len(keys) == 0 {
			t.Fatal(keys, err)
		}
		if lost {
			values[0] = nil
		}
		p.run(BodiesRead{keys, values})
		for range 2 { // again when the records are read
			if rows := len(p.m.pageTable.all()); rows != page {
				t.Errorf("lost %v: %d rows", lost, rows)
			}
			if got := p.list(Query{}); got != want {
				t.Errorf("lost %v: listed %s, want %s", lost, got, want)
			}
			list, _ := p.m.List(Query{Limit: page})
			if missing := len(list.Keys); !lost && missing != 0 || lost && missing != 1 {
				t.Errorf("lost %v: keys %q", lost, list.Keys)
			}
			p.m = New(p.m.opts)
			if outs := p.step(Stored{p.records()}); len(outs) != 1 {
				t.Errorf("lost %v: read again: %v", lost, outs)
			}
		}
	}
}
