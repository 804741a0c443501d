//go:build js && wasm

package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// TestInboxIsPosted checks that the inbox is posted only to a page that has requested
// it: first the state, then changes, each with what follows from it, and with the events
// only to a page that listens to them.
func TestInboxIsPosted(t *testing.T) {
	p := newPeer(t)
	p.ask(alice)
	p.want(`"id":1`, `"ok"`)
	p.ask(map[string]any{"id": 2, "op": "load"})
	for !strings.Contains(p.want(), `"id":2`) {
	}
	p.quiet()
	p.onEvent(client.EventsChanged{Unseen: 1})
	p.onEvent(client.CatchUpChanged{})
	p.onEvent(client.SeenScopeChanged{Scope: pam.ScopeAccount})
	p.quiet()
	p.ask(map[string]any{"id": 3, "op": "inbox"})
	p.want(`"event":"inbox"`, `"nodes":[]`, `"unseen":0`, `"away":null`, `"catchUp":{"phase":"idle","since":null,"nodes":0`)
	p.want(`{"event":"scope","scope":"unknown"}`)
	p.want(`{"id":3,"ok":null}`)
	p.onEvent(client.SeenScopeChanged{Scope: pam.ScopeAccount})
	p.want(`{"event":"scope","scope":"account"}`)

	at := time.UnixMilli(5).UTC()
	added := client.EventsChanged{
		Added: []pam.Event{
			{ID: "1", Service: "s", Node: "n", ItemID: "i", Type: pam.EventPublished, OccurredAt: at, ReceivedAt: at, TimeSource: pam.TimeDelay, Delivery: pam.DeliveryLive,
				Seen: pam.Seen{State: pam.SeenHere, Basis: pam.BasisThisDevice, At: at}, XML: "<x/>", Namespace: "urn:x", Entry: &pam.AtomEntry{Title: "T", Published: at}},
			{ID: "2", Service: "s", Node: "n", Type: pam.EventDeleted, Redirect: "xmpp:r", Publisher: "p", OccurredAt: at, ReceivedAt: at, Omitted: pam.OmittedTooLong},
		},
		Removed: []string{"7"}, Updated: []string{"8"}, Nodes: []pam.NodeState{{Service: "s", Node: "n", Unseen: 1, Dropped: 2, Newest: at}}, Unseen: 1, Dropped: 2,
	}
	rest := `{"event":"events","nodes":[["s","n",1,2,5]],"removed":["7"],"updated":["8"],"unseen":1,"dropped":2,"reset":false}`
	p.onEvent(added) // the page does not listen to events
	p.want(rest)
	p.want(`{"event":"away","away":null}`)
	p.ask(map[string]any{"id": 0, "op": "listen", "events": true})
	p.onEvent(added)
	p.want(`{"event":"event","added":{"id":"1","service":"s","node":"n","item":"i","type":"published","at":5,"source":"delay","received":5,"delivery":"live",` +
		`"seen":"seen-here","basis":"this-device","seenAt":5,"namespace":"urn:x","xml":"<x/>","entry":{"title":"T","published":5,"updated":null}}}`)
	p.want(`"added":{"id":"2",`, `"type":"deleted","redirect":"xmpp:r","publisher":"p"`, `"omitted":"too-long"`)
	p.want(rest)
	p.want(`{"event":"away","away":null}`)

	p.ask(map[string]any{"id": 4, "op": "looked"})
	for !strings.Contains(p.want(), `"away":{"since":`) {
	}
	p.onEvent(client.EventsChanged{})
	p.onEvent(client.EventsChanged{Reset: true})
	p.onEvent(client.EventsChanged{})
	for range 3 {
		p.want(`"event":"events"`)
	}
	p.want(`"event":"inbox"`, `"changes":[]`)
	p.quiet()
	p.onEvent(client.CatchUpChanged{State: pam.CatchUpState{Phase: pam.CatchUpFailed, Completeness: pam.Partial, Received: 3, LikelySeenElsewhere: 2,
		Gaps: []pam.Gap{{Service: "s", From: at, To: at, Reason: pam.GapForbidden}}, Err: &pam.Error{Code: pam.CodeTimeout}}})
	p.want(`"event":"catchup"`, `"phase":"failed"`, `"received":3,"elsewhere":2,"completeness":"partial","gaps":[{"service":"s","from":5,"to":5,"reason":"forbidden"}]`, `"code":"timeout"`)
}

// TestManyNodes checks that the states of many nodes are posted in parts, without an
// object in between.
func TestManyNodes(t *testing.T) {
	p := newPeer(t)
	nodes := make([]pam.NodeState, 2*partLen+1)
	for i := range nodes {
		nodes[i].Node = fmt.Sprint(i)
	}
	p.inboxState(everyPage, pam.InboxState{Nodes: nodes})
	first := p.want(`"event":"nodes"`)
	p.want(`"event":"nodes"`)
	last := p.want(`"event":"inbox"`, fmt.Sprintf(`"%d"`, 2*partLen))
	if n := strings.Count(first, "["); n != partLen+1 {
		t.Errorf("the first part has %d nodes", n-1)
	}
	if n := strings.Count(last, `",0,0,null]`); n != 1 {
		t.Errorf("the last part has %d nodes", n)
	}
}

// TestAwayIsShort checks that what has changed of the list is posted only when it has
// changed.
func TestAwayIsShort(t *testing.T) {
	p := newPeer(t)
	write := func(a *pam.Away, all bool) string {
		w := &writer{}
		w.object(func() { p.writeAway(w, a, all) })
		return string(w.buf)
	}
	row := &pam.Subscription{Key: pam.Key{Service: "s", Node: "n"}}
	a := &pam.Away{Since: time.UnixMilli(1), Changes: []pam.Change{{After: row}}}
	for i, want := range []bool{true, false, true, false, true, true, true, false} {
		switch i {
		case 4:
			a.Changes = []pam.Change{{Before: row}}
		case 5: // the whole, to one page: the others do not know these changes
			a.Changes = []pam.Change{{After: row}}
		}
		if got := write(a, i == 2 || i == 5); strings.Contains(got, "changes") != want {
			t.Errorf("%d: %s", i, got)
		}
	}
}

func TestInterestsAreRead(t *testing.T) {
	read := func(v any) []pam.Interest {
		return readRequest(object(t, map[string]any{"interests": v})).interests()
	}
	if got := read(nil); got != nil {
		t.Errorf("got %v", got)
	}
	if got := read([]any{}); got == nil || len(got) != 0 {
		t.Errorf("got %v", got)
	}
	want := []pam.Interest{{Service: "s", Node: "n", Prefix: true}, {Payload: "urn:x"}}
	if got := read([]any{[]any{"s", "n", "*", ""}, []any{"", "", "", "urn:x"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

// TestLongPages checks that a page of long events ends before the limit, with the cursor
// of its last event, and that one event is never too long.
func TestLongPages(t *testing.T) {
	const most = maxPage - 256 // an event of a whole page
	for _, tt := range []struct{ lengths, pages []int }{
		{[]int{1, 1, 1}, []int{3}},
		{[]int{most / 2, most/2 - 256, 1}, []int{2, 1}},
		{[]int{most, most + 1, most / 2, most / 2, 1}, []int{1, 1, 1, 2}},
	} {
		list := func(q pam.EventQuery) (page []pam.Event, cursor string, err error) {
			first, _ := strconv.Atoi(q.Before)
			for i := first; i < len(tt.lengths) && len(page) < q.Limit; i++ {
				page = append(page, pam.Event{XML: strings.Repeat("x", tt.lengths[i])})
			}
			if next := first + len(page); next < len(tt.lengths) {
				cursor = strconv.Itoa(next)
			}
			return page, cursor, nil
		}
		var pages []int
		for q := (pam.EventQuery{Limit: 10}); ; {
			events, cursor, err := listWithin(q, list)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, len(events))
			if q.Before = cursor; cursor == "" {
				break
			}
		}
		if !slices.Equal(pages, tt.pages) {
			t.Errorf("events of %v bytes: pages of %v, want %v", tt.lengths, pages, tt.pages)
		}
	}
}

// TestEventSize checks that long events are counted as long.
func TestEventSize(t *testing.T) {
	if n := eventSize(&pam.Event{XML: "abc", Entry: &pam.AtomEntry{Title: "a", Summary: "b", Content: "c"}}); n != 256+6 {
		t.Errorf("got %d", n)
	}
}
