//go:build js && wasm

package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// pages are several pages of one bridge.
type pages struct {
	*bridge
	t     *testing.T
	texts map[int]chan string
}

// newPages makes a bridge whose pages have joined the same client.
func newPages(t *testing.T, count int) *pages {
	p := &pages{t: t, texts: map[int]chan string{}}
	for i := range count {
		p.texts[i+1] = make(chan string, 100)
	}
	p.bridge = bridgeTo(t, func(page int) chan string { return p.texts[page] })
	for number := range count {
		p.join(number + 1)
	}
	return p
}

func (p *pages) join(number int) {
	p.t.Helper()
	p.ask(number, alice)
	p.want(number, `"id":1`, `"ok":{"account":"alice@localhost"`)
	p.ask(number, map[string]any{"id": 2, "op": "load"})
	p.want(number, `"event":"list"`)
	p.want(number, `"id":2`, `"ok"`)
}

func (p *pages) ask(number int, members map[string]any) {
	p.dispatch(object(p.t, members), number)
}

func (p *pages) want(number int, parts ...string) {
	p.t.Helper()
	select {
	case text := <-p.texts[number]:
		for _, part := range parts {
			if !strings.Contains(text, part) {
				p.t.Fatalf("page %d got %s, want it to contain %s", number, text, part)
			}
		}
	case <-time.After(5 * time.Second):
		p.t.Fatalf("page %d got nothing, want %v", number, parts)
	}
}

func (p *pages) quiet() {
	p.t.Helper()
	time.Sleep(10 * time.Millisecond)
	for number, texts := range p.texts {
		select {
		case text := <-texts:
			p.t.Fatalf("page %d got %s", number, text)
		default:
		}
	}
}

func TestEachPageGetsWhatItNeeds(t *testing.T) {
	p := newPages(t, 3)
	p.onEvent(client.StateChanged{})
	for number := range p.texts {
		p.want(number, `"event":"state"`)
	}
	p.ask(2, map[string]any{"id": 0, "op": "listen", "messages": true})
	p.onEvent(client.MessageReceived{From: "a@b", XML: "<message/>"})
	p.want(2, `"event":"message"`)
	p.ask(3, map[string]any{"id": 7, "op": "inbox"})
	p.want(3, `"event":"inbox"`)
	p.want(3, `"event":"scope"`)
	p.want(3, `"id":7`)
	p.onEvent(client.CatchUpChanged{})
	p.want(3, `"event":"catchup"`)
	p.texts[4] = make(chan string, 10)
	inspects := maps.Clone(alice)
	inspects["inspector"] = true
	p.ask(4, inspects)
	p.want(4, `"id":1`, `"ok"`)
	p.onFrame(client.Frame{Seq: 1})
	p.want(4, `"event":"frame"`)
	p.quiet()
}

func TestOtherOptionsAreRefused(t *testing.T) {
	p := newPages(t, 1)
	p.texts[2] = make(chan string, 10)
	list, err := safejs.ValueOf([]any{"x"})
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{"url": "ws://localhost:2/", "followTo": list, "mechanisms": list, "storage": "indexeddb", "directory": "d",
		"baseMs": 7, "maxMs": 7, "noJitter": true, "maxAttempts": 7, "reconnectOff": true} {
		other := map[string]any{name: value}
		for k, v := range alice {
			if k != name {
				other[k] = v
			}
		}
		p.ask(2, other)
		p.want(2, `"id":1`, `"condition":"other-options"`)
	}
	other := map[string]any{"id": 1, "op": "create", "account": "Alice@localhost", "url": alice["url"], "storage": "memory"}
	p.page(1).interests = []pam.Interest{}
	if p.interests() == nil {
		t.Error("the interests of a page that was refused count")
	}
	p.ask(2, other)
	p.want(2, `"id":1`, `"ok":{"account":"alice@localhost"}`)
}

// TestNextClient checks that a client that follows another one in the same program says
// nothing of its storage.
func TestNextClient(t *testing.T) {
	p := newPages(t, 1)
	p.database, p.why = "xmpp-pam:alice@localhost", "no space"
	if err := p.client.Close(); err != nil {
		t.Fatal(err)
	}
	p.client = nil
	p.ask(1, alice)
	p.want(1, `{"id":1,"ok":{"account":"alice@localhost"}}`)
}

// TestSuspendedPage checks that nothing is posted to a page that is suspended, and that it
// gets its results and everything that may have changed afterwards.
func TestSuspendedPage(t *testing.T) {
	p := newPages(t, 2)
	p.ask(1, map[string]any{"id": 4, "op": "inbox"})
	for _, part := range []string{`"event":"inbox"`, `"event":"scope"`, `"id":4`} {
		p.want(1, part)
	}
	p.ask(1, map[string]any{"id": 0, "op": "suspend"})
	p.onEvent(client.StateChanged{})
	p.want(2, `"event":"state"`)
	p.onEvent(client.CatchUpChanged{})
	p.ask(1, map[string]any{"id": 5, "op": "disconnect"})
	p.quiet()
	p.ask(1, map[string]any{"id": 0, "op": "resume"})
	p.want(1, `{"id":5,"ok":null}`)
	p.want(1, `"event":"list"`)
	p.want(1, `"event":"state"`)
	p.want(1, `"event":"inbox"`)
	p.want(1, `"event":"scope"`)
	p.ask(1, map[string]any{"id": 0, "op": "resume"})
	p.quiet()
}

// TestFrozenPages checks that the client drops its connection, and keeps it dropped, while
// the browser suspends all pages, and connects again when one of them, or another one, is
// in use.
func TestFrozenPages(t *testing.T) {
	suspend := func(p *pages, number int, freezes bool) {
		p.ask(number, map[string]any{"id": 0, "op": "suspend", "freezes": freezes})
	}
	for name, tt := range map[string]struct {
		act    func(*pages)
		frozen bool
	}{
		"none":              {func(*pages) {}, false},
		"one":               {func(p *pages) { suspend(p, 1, true) }, false},
		"both":              {func(p *pages) { suspend(p, 1, true); suspend(p, 2, true) }, true},
		"not the program":   {func(p *pages) { suspend(p, 1, false); suspend(p, 2, false) }, false},
		"one does not read": {func(p *pages) { suspend(p, 1, true); suspend(p, 2, true); suspend(p, 2, false) }, true},
		"back": {func(p *pages) {
			suspend(p, 1, true)
			suspend(p, 2, true)
			p.ask(1, map[string]any{"id": 0, "op": "resume"})
		}, false},
		"the other ended": {func(p *pages) { suspend(p, 1, true); p.ask(2, map[string]any{"id": 0, "op": "gone"}) }, true},
		"all ended": {func(p *pages) {
			suspend(p, 1, true)
			p.ask(2, map[string]any{"id": 0, "op": "gone"})
			p.ask(1, map[string]any{"id": 0, "op": "gone"})
		}, true},
		"a third": {func(p *pages) {
			suspend(p, 1, true)
			suspend(p, 2, true)
			p.texts[3] = make(chan string, 100)
			p.ask(3, alice)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPages(t, 2)
			p.ask(1, map[string]any{"id": 9, "op": "connect"}) // The endpoint refuses the connection, so that the client waits.
			p.want(1, `"event":"state"`)
			tt.act(p)
			waits := false
			for range 100 {
				s := p.client.State()
				if waits = s.Phase == pam.PhaseWaiting && s.NextAttempt.IsZero(); waits == tt.frozen {
					break
				}
				time.Sleep(time.Millisecond)
			}
			if waits != tt.frozen {
				t.Errorf("got %+v", p.client.State())
			}
			_ = p.client.Close()
		})
	}
}

func TestCredentialsAreRequestedFromThePageInUse(t *testing.T) {
	p := newPages(t, 3)
	for _, number := range []int{1, 3, 2} {
		p.ask(number, map[string]any{"id": 0, "op": "show", "visible": true})
	}
	p.ask(2, map[string]any{"id": 0, "op": "show", "visible": false})
	got := make(chan client.Credentials)
	go func() {
		c, _ := p.credentials(t.Context(), client.CredentialRequest{Reason: "initial"})
		got <- c
	}()
	p.want(3, `"event":"credentials","ask":1`)
	p.quiet()
	p.ask(3, map[string]any{"id": 0, "op": "gone"})
	p.want(1, `"event":"credentials","ask":2`)
	p.ask(1, map[string]any{"id": 0, "op": "gone"})
	p.want(2, `"event":"credentials","ask":3`)
	p.ask(2, map[string]any{"id": 0, "op": "gone"})
	p.quiet()
	p.texts[4] = make(chan string, 10)
	p.ask(4, alice)
	p.want(4, `"event":"credentials","ask":4`)
	p.want(4, `"id":1`)
	p.ask(4, map[string]any{"id": 0, "op": "credentials", "ask": 4, "password": "x"})
	if c := <-got; c.Password != "x" {
		t.Errorf("got %q", c.Password)
	}
	if len(p.answers) != 0 {
		t.Errorf("%d requests for credentials are kept", len(p.answers))
	}
}

func TestLastPageEndsTheProgram(t *testing.T) {
	p := newPages(t, 2)
	p.ask(1, map[string]any{"id": 8, "op": "close"})
	p.want(1, `{"id":8,"ok":null}`)
	select {
	case <-p.done:
		t.Fatal("the program ended with its first page")
	case <-time.After(20 * time.Millisecond):
	}
	p.ask(2, map[string]any{"id": 9, "op": "close"})
	p.want(2, `{"id":9,"ok":null}`)
	<-p.done
	if len(p.pages) != 0 {
		t.Errorf("%d pages are kept", len(p.pages))
	}
}

// TestWishes checks that the connection ends with the last page that wants it.
func TestWishes(t *testing.T) {
	p := newPages(t, 3)
	for number, want := range map[int]bool{1: true, 2: true} {
		p.bridge.want(p.page(number), want)
	}
	if !p.bridge.want(p.page(3), false) || !p.bridge.want(p.page(2), false) {
		t.Error("a page still wants to be connected")
	}
	p.ask(1, map[string]any{"id": 0, "op": "gone"})
	if p.anyWanted() || len(p.pages) != 2 {
		t.Errorf("the wish of an ended page counts, or it is one of %d pages", len(p.pages))
	}
}

func TestInterestsOfAllPages(t *testing.T) {
	p := newPages(t, 2)
	a, b := pam.Interest{Node: "a"}, pam.Interest{Node: "b", Prefix: true}
	p.page(1).interests = []pam.Interest{a, b}
	if p.interests() != nil {
		t.Error("a page that wants everything does not count")
	}
	p.page(2).interests = []pam.Interest{b}
	got := p.interests()
	if len(got) != 2 || !slices.Contains(got, a) || !slices.Contains(got, b) {
		t.Errorf("got %v", got)
	}
	p.page(1).interests, p.page(2).interests = []pam.Interest{}, []pam.Interest{}
	if got := p.interests(); got == nil || len(got) != 0 {
		t.Errorf("got %v, want no interest", got)
	}
}

// TestInterestsAreSetForAllPages checks that the client wants what one of the pages wants,
// also after another one has changed its interests.
func TestInterestsAreSetForAllPages(t *testing.T) {
	p := newPages(t, 2)
	p.page(1).interests = []pam.Interest{{Node: "a"}}
	p.ask(2, map[string]any{"id": 5, "op": "setInterests", "interests": []any{[]any{"", "b", "", ""}}})
	p.want(2, `{"id":5,"ok":null}`)
	got := p.client.Snapshot().Interests
	if len(got) != 2 || !slices.Contains(got, pam.Interest{Node: "a"}) || !slices.Contains(got, pam.Interest{Node: "b"}) {
		t.Errorf("got %v", got)
	}
}

// TestEventsForOnePage checks that only the page that listens to events gets them, and that
// the others get what follows from them if they use the inbox.
func TestEventsForOnePage(t *testing.T) {
	p := newPages(t, 3)
	p.ask(3, map[string]any{"id": 0, "op": "listen", "events": true})
	p.page(1).inbox, p.page(2).inbox = true, true
	p.ask(2, map[string]any{"id": 0, "op": "listen", "events": true})
	p.onEvent(client.EventsChanged{Added: []pam.Event{{ID: "7"}}, Unseen: 1})
	p.want(2, `{"event":"event","added":{"id":"7"`)
	for page := 1; page <= 2; page++ {
		p.want(page, `"event":"events"`, `"unseen":1`)
		p.want(page, `"event":"away"`)
	}
	p.quiet()
}
