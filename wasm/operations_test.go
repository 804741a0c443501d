//go:build js && wasm

package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/pam"
)

// TestForgetWithoutAStore checks that forget also deletes a database that the client has
// stopped using.
func TestForgetWithoutAStore(t *testing.T) {
	for failure, want := range map[string]string{"": `"ok":null`, "BlockedError": `"code":"storage"`} {
		p := newPeer(t)
		d := fakeDatabase(p)
		d.deleteError = failure
		request := maps.Clone(alice)
		request["storage"] = "indexeddb"
		p.ask(request)
		p.want(`"id":1`, `"ok"`)
		p.ask(map[string]any{"id": 2, "op": "load"})
		p.want(`"event":"warning"`, `"code":"storage"`)
		p.ask(map[string]any{"id": 3, "op": "forget"})
		for !strings.Contains(p.want(), `"id":2`) {
		}
		var answer string
		for answer == "" || !strings.Contains(answer, `"id":3`) {
			answer = p.want()
		}
		if !strings.Contains(answer, want) {
			t.Errorf("%s, want %s", answer, want)
		}
		if name := <-d.deleted; name != <-d.opened {
			t.Errorf("deleted %s, which is another database", name)
		}
	}
}

func TestRequestsAreRead(t *testing.T) {
	list, err := safejs.ValueOf([]any{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := safejs.ValueOf([]any{"a", 1})
	if err != nil {
		t.Fatal(err)
	}
	r := readRequest(object(t, map[string]any{"id": 7, "op": "x", "service": "s", "node": "n", "subid": "i", "yes": true, "no": false, "list": list, "mixed": mixed}))
	if r.id != 7 || r.op != "x" || r.target() != (pam.Target{Service: "s", Node: "n", SubID: "i"}) {
		t.Errorf("read id %d, op %q, target %+v", r.id, r.op, r.target())
	}
	if !r.bool("yes") || r.bool("no") || r.bool("service") || r.bool("absent") {
		t.Error("a boolean is read wrongly")
	}
	if r.int("service") != 0 || r.int("absent") != 0 || r.string("id") != "" || r.string("absent") != "" {
		t.Error("a member that is absent or of another type is not zero")
	}
	if got := r.strings("list"); !slices.Equal(got, []string{"a", "b"}) || r.strings("mixed") != nil || r.strings("service") != nil || r.strings("absent") != nil {
		t.Errorf("lists are read wrongly: %q, %q", got, r.strings("mixed"))
	}
}

// TestContextsEnd checks that finished requests leave no context.
func TestContextsEnd(t *testing.T) {
	p := newPeer(t)
	contexts := make(chan context.Context, 100)
	operations["wait"] = func(_ *bridge, ctx context.Context, r request) (func(*writer), error) {
		contexts <- ctx
		if r.bool("wait") {
			<-ctx.Done()
		}
		return nil, ctx.Err()
	}
	t.Cleanup(func() { delete(operations, "wait") })
	over := func() {
		t.Helper()
		select {
		case <-(<-contexts).Done():
		case <-time.After(time.Second):
			t.Fatal("a request has ended, but its context has not")
		}
	}
	for id := range 10 { // a request without id has no result
		p.ask(map[string]any{"id": id, "op": "wait"})
		if id > 0 {
			p.want(`"ok":null`)
		}
		over()
	}
	p.keepsNothing()
	for id := 1; id < 10; id++ {
		p.ask(map[string]any{"id": id, "op": "wait", "wait": true})
	}
	for id := 9; id > 0; id-- {
		p.quiet()
		p.ask(map[string]any{"id": 0, "op": "cancel", "target": id})
		p.want(`"error"`)
	}
	for range 9 {
		over()
	}
	p.keepsNothing()
}
