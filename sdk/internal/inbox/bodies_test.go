package inbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// bodyKeys returns the keys of the records of bodies.
func (p *player) bodyKeys() (keys []string) {
	records, err := p.store.Scan(p.t.Context(), store.Range{From: keyBodies})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range records {
		keys = append(keys, r.Key)
	}
	return keys
}

// TestUnreadablePayload has a payload with an element in the namespace of XML, of which there
// is no text: the event says so, and not that the text is too long.
func TestUnreadablePayload(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	e, err := element.Parse("<a xmlns='x'><xml:b/></a>", nil)
	if err != nil {
		t.Fatal(err)
	}
	p.run(Arrived{Events: []Incoming{item("n", "i", e)}})
	for range 2 { // again when the records are read
		page, _ := p.m.List(Query{})
		if got := page.Events(nil)[0]; got.Omitted != pam.OmittedUnreadable || got.XML != "" || got.Namespace != "x" {
			t.Errorf("omitted %q, XML %q, namespace %q", got.Omitted, got.XML, got.Namespace)
		}
		p.run(p.read("reload"))
	}
}

// TestGroups stores events in as few records as the limits allow: the numbers are the sizes
// of what is stored of each.
func TestGroups(t *testing.T) {
	body := func(text string) int {
		in := Incoming{}
		in.Payload = payload(text)
		xml, _ := in.Payload.XML(maxPayload)
		return len(appendBody(nil, &in, xml, "", nil))
	}
	least := body("x")
	for _, tt := range []struct {
		name  string
		sizes []int
		want  int
	}{
		{"as many as allowed", slices.Repeat([]int{least}, groupEvents), 1},
		{"one more", slices.Repeat([]int{least}, groupEvents+1), 2},
		{"twice as many and one", slices.Repeat([]int{least}, 2*groupEvents+1), 3},
		{"as large as allowed", []int{groupBytes / 2, groupBytes / 2}, 1},
		{"one byte more", []int{groupBytes / 2, groupBytes/2 + 1}, 2},
		{"a small one after a full record", []int{groupBytes / 2, groupBytes / 2, least}, 2},
		{"a large one by itself", []int{least, 3 * groupBytes, least}, 3},
	} {
		p := newPlayer(t, Options{})
		p.step(Stored{})
		in := Arrived{Seq: 1}
		for i, size := range tt.sizes {
			in.Events = append(in.Events, item("n", fmt.Sprint("i", i), payload(strings.Repeat("x", size-least+1))))
		}
		p.run(in)
		if got := p.bodyKeys(); len(got) != tt.want {
			t.Errorf("%s: %d records", tt.name, len(got))
		}
		if page, _ := p.m.List(Query{Limit: 500}); len(page.Keys) > tt.want {
			t.Errorf("%s: the list needs %q", tt.name, page.Keys)
		}
		p.readAgain()
	}
}

// TestGroupsOfNodes stores events of two nodes that came by turns: those of a node are
// together, so that their records are deleted with them. What is dropped at once is not
// stored.
func TestGroupsOfNodes(t *testing.T) {
	p := newPlayer(t, Options{PerNode: groupEvents})
	p.step(Stored{})
	in := Arrived{Seq: 1}
	for i := range groupEvents + 2 {
		for _, node := range []string{"n", "m"} {
			in.Events = append(in.Events, item(node, fmt.Sprint("i", i), payload("x")))
		}
	}
	p.run(in)
	rows := map[uint64]string{}
	values, err := p.store.Get(t.Context(), p.bodyKeys()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		decodeRows(rows, value)
	}
	if len(rows) != 2*groupEvents {
		t.Errorf("%d events are stored", len(rows))
	}
	before := len(values)
	p.run(SetInterest{[]Filter{{Node: "m"}}})
	p.run(p.read("timer flush"))
	if after := len(p.bodyKeys()); before < 3 || after > before-1 || len(p.m.events) != groupEvents {
		t.Errorf("%d records before, %d after, %d events", before, after, len(p.m.events))
	}
	p.readAgain()
}

// TestStrayBodies repairs damaged records: the bodies that no event refers to any more are
// deleted, and the others stay, also when more events come.
func TestStrayBodies(t *testing.T) {
	for _, lost := range []string{keyPage + "0", MetaKey} {
		p := newPlayer(t, Options{page: 1})
		p.step(Stored{})
		for i := range 4 {
			p.play(fmt.Sprintf("live %d a/n i%d=x", i+1, i))
		}
		want := p.list(Query{})
		ops := []store.Op{store.Delete(keyPage + "0"), store.Delete(lost)}
		for _, number := range []string{"", "00", "1x", "zz"} {
			ops = append(ops, store.Put(keyBodies+number, []byte("x")))
		}
		if err := p.store.Commit(t.Context(), nil, ops); err != nil {
			t.Fatal(err)
		}
		p.m = New(p.m.opts)
		p.run(Stored{p.records()})
		if got, want := p.bodyKeys(), []string{bodyKey(0), bodyKey(1), bodyKey(2), bodyKey(3)}; !slices.Equal(got, want) {
			t.Errorf("without %s: bodies %q", lost, got)
		}
		p.play("live 5 a/n i5=x")
		if got := p.list(Query{}); got != "e5:i5=x@12:00:00l "+want {
			t.Errorf("without %s: listed %s", lost, got)
		}
	}
}
