package inbox

import (
	"fmt"
	"slices"
	"testing"

	"xmpp-pam/sdk/store"
)

// requested returns the keys of ReadBodies.
func requested(outs []Output) []string {
	for _, out := range outs {
		if r, ok := out.(ReadBodies); ok {
			return r.Keys
		}
	}
	return nil
}

// answer answers a request for bodies, and returns the keys of the next one.
func (p *player) answer(in BodiesRead) []string {
	outs := p.step(in)
	if p.m.Busy() {
		p.commit()
		outs = append(outs, p.step(Committed{p.last.Seq})...)
	}
	return requested(outs)
}

// TestMovedDuringRead removes the newest event while the bodies of a larger page are read: the
// event that moves up is requested as soon as the answer has come.
func TestMovedDuringRead(t *testing.T) {
	p := newPlayer(t, Options{page: 1})
	p.step(Stored{})
	for i := range pageExtra + 2 {
		p.run(p.read(fmt.Sprintf("live %d a/n i%d=x", i+1, i)))
	}
	p.run(p.read("live 99 b/n i=x"))
	p.m = New(Options{page: pageExtra + 2})
	keys := requested(p.step(Stored{p.records()}))
	p.run(p.read("interest a"))
	for i, want := range []string{bodyKey(1), bodyKey(0)} {
		if !slices.Equal(keys, []string{want}) {
			t.Fatalf("request %d: %q, want %s", i, keys, want)
		}
		values, err := p.store.Get(t.Context(), keys...)
		if err != nil {
			t.Fatal(err)
		}
		keys = p.answer(BodiesRead{keys, values})
	}
	if page, _ := p.m.List(Query{}); len(keys) > 0 || len(page.Keys) > 0 {
		t.Errorf("keys %q, the page needs %q", keys, page.Keys)
	}
}

// TestLostRecord has a record of two events that cannot be read any more: the one whose
// payload is in memory keeps it.
func TestLostRecord(t *testing.T) {
	p := newPlayer(t, Options{page: 1})
	p.step(Stored{})
	p.run(p.read("live 1 a/n i1=x i2=y"))
	p.m = New(Options{page: 2})
	keys := requested(p.step(Stored{p.records()}))
	if err := p.store.Commit(t.Context(), nil, []store.Op{store.Delete(bodyKey(0))}); err != nil {
		t.Fatal(err)
	}
	if next := p.answer(BodiesRead{keys, [][]byte{nil}}); len(keys) != 1 || len(next) != 0 {
		t.Errorf("requested %q, and then %q", keys, next)
	}
	if got, want := p.list(Query{}), "e2:i2=y@12:00:00l e1:i1=unreadable@12:00:00l"; got != want {
		t.Errorf("listed %s", got)
	}
}

// TestStoredOnce replaces the store while a position waits to be stored. It is stored with
// the rest, and not once more over what another tab has stored since.
func TestStoredOnce(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("session"))
	p.run(p.read("reached a n c1@10:00:00a current"))
	p.run(p.read("replaced"))
	first := p.m
	p.m = New(Options{})
	for _, line := range []string{"stored", "reached a n c2@11:00:00a", "timer flush"} {
		p.run(p.read(line))
	}
	p.m = first
	p.run(p.read("stored"))
	if c := p.m.CatchUp("a", "n"); c.Cursor.ID != "c2" || !c.Current || !p.m.LastSession().IsZero() {
		t.Errorf("%+v, the last session was until %v", c, p.m.LastSession())
	}
}

// TestInterestWaitsForStore sets an interest that is not stored before another program has
// written a newer format: it is stored in the store that replaces this one, so that the next
// run knows that what was left out need not be read again.
func TestInterestWaitsForStore(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.step(p.read("interest #ns"))
	p.step(p.read("live 1 a/n i1=x"))
	p.step(Conflict{p.last.Seq, []store.Record{{Key: MetaKey, Value: []byte("2\x1fwhatever\x1f\x1e")}}})
	for _, line := range []string{"replaced", "session", "catchup 0 a/n i2=other:x@11:00:00a", "reached a n c1@11:30:00a current", "timer flush"} {
		p.run(p.read(line))
	}
	p.m = New(Options{})
	p.step(p.read("interest #ns"))
	p.run(p.read("stored"))
	if c := p.m.CatchUp("a", "n"); c.Cursor.ID != "c1" || p.list(Query{}) != "e1:i1=x@12:00:00l" {
		t.Errorf("%+v, listed %s", c, p.list(Query{}))
	}
}
