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

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// TestConnectionOfAllPages checks that the client is connected as long as a page wants it,
// and a while longer if that page ended without closing.
func TestConnectionOfAllPages(t *testing.T) {
	for name, c := range map[string]struct {
		wishTime   time.Duration
		do         []map[string]any // what page 1 and then page 2 does; both have called connect
		stays      bool             // connected, or connecting again
		afterwards bool             // page 3 calls connect then
	}{
		"the first disconnects":             {do: []map[string]any{{"op": "disconnect"}, nil}, stays: true},
		"both disconnect":                   {do: []map[string]any{{"op": "disconnect"}, {"op": "disconnect"}}},
		"the first closes":                  {do: []map[string]any{{"op": "close"}, nil}, stays: true},
		"both close":                        {do: []map[string]any{{"op": "close"}, {"op": "close"}}},
		"one disconnects, the other closes": {do: []map[string]any{{"op": "disconnect"}, {"op": "close"}}},
		"both end":                          {do: []map[string]any{{"op": "gone"}, {"op": "gone"}}, wishTime: time.Millisecond},
		"both end just now":                 {do: []map[string]any{{"op": "gone"}, {"op": "gone"}}, wishTime: wishTime, stays: true},
		"one ends, the other does not":      {do: []map[string]any{{"op": "gone"}, nil}, wishTime: time.Millisecond, stays: true},
		"both end, and another connects":    {do: []map[string]any{{"op": "gone"}, {"op": "gone"}}, wishTime: 300 * time.Millisecond, afterwards: true, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPages(t, 3)
			p.wishTime = c.wishTime
			connect := func(number int) { // the host has no sockets
				p.ask(number, map[string]any{"id": 5, "op": "connect"})
				p.until(number, `"id":5,"error"`)
			}
			connect(1)
			connect(2)
			for i, do := range c.do {
				if do == nil {
					continue
				}
				request := maps.Clone(do)
				request["id"] = 6
				p.ask(i+1, request)
				if do["op"] != "gone" {
					p.until(i+1, `"id":6,"ok":null`)
				}
			}
			if c.afterwards {
				connect(3)
			}
			deadline := time.Now().Add(50 * time.Millisecond) // in which it must not disconnect
			if c.afterwards {
				deadline = deadline.Add(c.wishTime)
			}
			if !c.stays {
				deadline = deadline.Add(5 * time.Second)
			}
			for time.Now().Before(deadline) && (p.client.State().Phase != pam.PhaseOffline) {
				time.Sleep(time.Millisecond)
			}
			if stays := p.client.State().Phase != pam.PhaseOffline; stays != c.stays {
				t.Errorf("the phase is %s", p.client.State().Phase)
			}
		})
	}
}

// until discards what page gets until it contains text.
func (p *pages) until(number int, part string) {
	p.t.Helper()
	for deadline := time.After(5 * time.Second); ; {
		select {
		case text := <-p.texts[number]:
			if strings.Contains(text, part) {
				return
			}
		case <-deadline:
			p.t.Fatalf("page %d did not get %s", number, part)
		}
	}
}

// TestStateForLaterPage checks that a page which joins gets the state of the connection
// that another page has made.
func TestStateForLaterPage(t *testing.T) {
	p := newPages(t, 1)
	p.ask(1, map[string]any{"id": 5, "op": "connect"})
	p.until(1, `"id":5,"error"`)
	p.texts[2] = make(chan string, 10)
	p.ask(2, alice)
	p.want(2, `"id":1`)
	p.ask(2, map[string]any{"id": 2, "op": "load"})
	// The next attempt to connect may come between: its states go to both pages.
	p.until(2, `"event":"list"`)
	p.until(2, `"phase":"waiting"`)
	p.until(2, `"id":2`)
}

// TestInterestsFollowPages checks that the client wants what the pages want that are there:
// those of a page count from create until it closes or ends.
func TestInterestsFollowPages(t *testing.T) {
	p := newPages(t, 0)
	rows := func(node string) safejs.Value {
		v, err := safejs.ValueOf([]any{[]any{"", node, "", ""}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for number, node := range []string{"a", "b", "c"} {
		p.texts[number+1] = make(chan string, 10)
		request := maps.Clone(alice)
		request["interests"] = rows(node)
		p.ask(number+1, request)
		p.want(number+1, `"id":1`)
	}
	wants := func(nodes ...string) {
		t.Helper()
		var got []string
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			got = nil
			for _, i := range p.client.Snapshot().Interests {
				got = append(got, i.Node)
			}
			if slices.Sort(got); slices.Equal(got, nodes) {
				return
			}
		}
		t.Errorf("the client wants %q, not %q", got, nodes)
	}
	wants("a", "b", "c")
	p.ask(1, map[string]any{"id": 9, "op": "close"})
	wants("b", "c")
	p.ask(2, map[string]any{"id": 0, "op": "gone"})
	wants("c")
}

// TestRequestsOfOtherPages checks that a page ends only its own requests, with cancel and
// when it ends itself.
func TestRequestsOfOtherPages(t *testing.T) {
	p := newPages(t, 2)
	ended := make(chan int, 10)
	operations["wait"] = func(_ *bridge, ctx context.Context, r request) (func(*writer), error) {
		<-ctx.Done()
		ended <- r.page.number
		return nil, ctx.Err()
	}
	t.Cleanup(func() { delete(operations, "wait") })
	want := func(number int) {
		t.Helper()
		select {
		case got := <-ended:
			if got != number {
				t.Fatalf("a request of page %d has ended, want %d", got, number)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("no request has ended")
		}
		select {
		case got := <-ended:
			t.Fatalf("a request of page %d has ended", got)
		case <-time.After(10 * time.Millisecond):
		}
	}
	for _, number := range []int{1, 2} {
		p.ask(number, map[string]any{"id": 7, "op": "wait"})
	}
	p.ask(2, map[string]any{"id": 0, "op": "cancel", "target": 7})
	want(2)
	p.ask(2, map[string]any{"id": 8, "op": "wait"})
	p.ask(1, map[string]any{"id": 0, "op": "gone"})
	want(1)
	p.ask(2, map[string]any{"id": 0, "op": "gone"})
	want(2)
}

// TestSlowCredentials checks that another page is asked when one does not answer, that the
// first answer counts, and that only the other page learns that its answer is not needed.
func TestSlowCredentials(t *testing.T) {
	for _, answers := range []int{1, 2} {
		p := newPages(t, 3)
		p.askTime = 20 * time.Millisecond
		p.ask(3, map[string]any{"id": 0, "op": "suspend"})
		for _, number := range []int{2, 1} {
			p.ask(number, map[string]any{"id": 0, "op": "show", "visible": true})
		}
		got := make(chan client.Credentials)
		go func() {
			c, _ := p.credentials(t.Context(), client.CredentialRequest{Reason: "initial"})
			got <- c
		}()
		p.want(1, `"event":"credentials","ask":1,"reason":"initial"`)
		p.want(2, `"event":"credentials","ask":2,"reason":"initial"`)
		p.quiet() // the other page is asleep
		p.texts[4] = make(chan string, 10)
		p.ask(4, map[string]any{"id": 0, "op": "show", "visible": true})
		p.want(4, `"event":"credentials","ask":3`)
		p.ask(4, map[string]any{"id": 0, "op": "gone"})
		p.quiet() // the others are still asked
		p.ask(answers, map[string]any{"id": 0, "op": "credentials", "ask": answers, "password": "x"})
		if c := <-got; c.Password != "x" {
			t.Errorf("got %q", c.Password)
		}
		p.want(3-answers, `"canceled":true`)
		p.quiet()
	}
}

// TestCredentialsOfResumedPage checks that a page which is resumed is asked.
func TestCredentialsOfResumedPage(t *testing.T) {
	p := newPages(t, 1)
	p.ask(1, map[string]any{"id": 5, "op": "inbox"})
	p.until(1, `"id":5`)
	p.ask(1, map[string]any{"id": 0, "op": "suspend"})
	got := make(chan client.Credentials)
	go func() {
		c, _ := p.credentials(t.Context(), client.CredentialRequest{Reason: "initial"})
		got <- c
	}()
	p.quiet()
	p.ask(1, map[string]any{"id": 0, "op": "resume"})
	var seen []string
	for len(seen) < 5 {
		select {
		case text := <-p.texts[1]:
			for _, event := range []string{"list", "state", "inbox", "scope", "credentials"} {
				if strings.Contains(text, `{"event":"`+event+`"`) {
					seen = append(seen, event)
				}
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("the page got only %v", seen)
		}
	}
	p.ask(1, map[string]any{"id": 0, "op": "credentials", "ask": 1, "password": "x"})
	<-got
}

// TestAnnouncements checks which changes other programs of the account are notified of:
// those that this program has stored.
func TestAnnouncements(t *testing.T) {
	announced := 0
	announce, err := safejs.FuncOf(func(safejs.Value, []safejs.Value) any { announced++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer announce.Release()
	p := newPeer(t)
	if err := p.host.Set("announce", announce.Value()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		event client.Event
		want  int
	}{
		{client.Changed{Stored: true}, 1}, {client.Changed{}, 0}, {client.EventsChanged{}, 1}, {client.EventsChanged{Reset: true}, 0},
		{client.ProvisionalChanged{}, 0}, {client.StateChanged{}, 0},
	} {
		announced = 0
		if p.onEvent(c.event); announced != c.want {
			t.Errorf("%#v is announced %d times, want %d", c.event, announced, c.want)
		}
	}
}
