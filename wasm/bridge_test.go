//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/wasm/jstext"
)

func TestRequests(t *testing.T) {
	p := newPeer(t)
	p.ask(map[string]any{"id": 9, "op": "load"})
	p.want(`"id":9`, `"error"`, "no client yet")
	p.ask(alice)
	p.want(`{"id":1,"ok":{"account":"alice@localhost"}}`)
	p.ask(map[string]any{"id": 2, "op": "load"})
	p.want(`{"event":"list","changes":[],"provisional":[],"source":"empty"}`)
	p.want(`{"id":2,"ok":null}`)
	p.ask(map[string]any{"id": 3, "op": "subscribe", "service": "pubsub.localhost", "node": "x"})
	p.want(`"id":3`, `"code":"offline"`, `"origin":"client"`)
	p.ask(map[string]any{"id": 4, "op": "disconnect"})
	p.want(`{"id":4,"ok":null}`)
	p.ask(map[string]any{"id": 0, "op": "sleep"})
	p.ask(map[string]any{"id": 0, "op": "wake"})
	p.ask(map[string]any{"id": 0, "op": "wake"})
	p.quiet()
	p.ask(map[string]any{"id": 5, "op": "close"})
	p.want(`{"id":5,"ok":null}`)
	select {
	case <-p.done:
	case <-time.After(time.Second):
		t.Fatal("the program does not end after close")
	}
}

// TestListInParts posts an object while a long list is written. The object must follow
// the whole list, because the page assigns every part to the next list.
func TestListInParts(t *testing.T) {
	p := newPeer(t)
	rows := make([]pam.Subscription, 2*partLen+1)
	p.list(everyPage, "list", func() ([]pam.Change, func(*writer)) {
		go p.event(everyPage, "more", func(*writer) {})
		runtime.Gosched()
		changes := make([]pam.Change, len(rows))
		for i := range changes {
			changes[i].After = &rows[i]
		}
		return changes, func(w *writer) { w.text("ver", "v1") }
	})
	for range 2 {
		part := p.want(`{"event":"more","changes":[[null,["","","","","","pubsub"]],`)
		if n := strings.Count(part, "null"); n != partLen {
			t.Errorf("a part of %d rows", n)
		}
	}
	p.want(`{"event":"list","changes":[[null,["","","","","","pubsub"]]],"ver":"v1"}`)
	p.want(`{"event":"more"}`)
}

func TestCreateRejects(t *testing.T) {
	for _, c := range []struct{ name, member, value, code string }{
		{"full JID", "account", "alice@localhost/phone", "bad-jid"},
		{"no JID", "account", "@", "bad-jid"},
		{"open line", "url", "ws://example.org/", "tls-required"},
		{"other scheme", "url", "http://localhost/", "bad-options"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t)
			request := map[string]any{}
			for k, v := range alice {
				request[k] = v
			}
			request[c.member] = c.value
			p.ask(request)
			p.want(`"id":1`, `"code":"`+c.code+`"`)
		})
	}
}

func TestHostileRequests(t *testing.T) {
	p := newPeer(t)
	for _, v := range []any{nil, 5, "text", true, safejs.Undefined(), safejs.Null()} {
		value, err := safejs.ValueOf(v)
		if err != nil {
			value = safejs.Undefined()
		}
		p.dispatch(value, 1)
	}
	p.ask(map[string]any{"id": "1", "op": 5})
	p.ask(map[string]any{"op": "__proto__"})
	p.quiet()
	p.ask(map[string]any{"id": 7, "op": "toString"})
	p.want(`"id":7`, `"bad-options"`)
	p.ask(map[string]any{"id": 0, "op": "cancel", "target": 12345})
	p.ask(map[string]any{"id": 0, "op": "credentials", "ask": -1, "password": "x"})
	p.quiet()
}

func TestCredentials(t *testing.T) {
	p := newPeer(t)
	type result struct {
		client.Credentials
		err error
	}
	ask := func(ctx context.Context) chan result {
		out := make(chan result, 1)
		go func() {
			c, err := p.credentials(ctx, client.CredentialRequest{Reason: "initial", Mechanisms: []string{"PLAIN"}})
			out <- result{c, err}
		}()
		return out
	}
	got := ask(t.Context())
	p.want(`{"event":"credentials","ask":1,"reason":"initial","mechanisms":["PLAIN"]}`)
	p.ask(map[string]any{"id": 0, "op": "credentials", "ask": 1, "password": "p\"ä"})
	if r := <-got; r.err != nil || r.Password != "p\"ä" {
		t.Errorf("got %+v", r)
	}
	got = ask(t.Context())
	p.want(`"ask":2`)
	p.ask(map[string]any{"id": 0, "op": "credentials", "ask": 2, "failed": "no keyring"})
	var e *pam.Error
	if r := <-got; !errors.As(r.err, &e) || e.Code != pam.CodeAborted || e.Text != "no keyring" {
		t.Errorf("got %+v", r)
	}
	got = ask(t.Context())
	p.want(`"ask":3`)
	p.ask(map[string]any{"id": 0, "op": "credentials", "ask": 3, "failed": "no password", "wrong": true})
	if r := <-got; !errors.As(r.err, &e) || e.Code != pam.CodeBadOptions || e.Text != "no password" {
		t.Errorf("got %+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got = ask(ctx)
	p.want(`"ask":4`)
	cancel()
	if r := <-got; !errors.Is(r.err, context.Canceled) {
		t.Errorf("got %+v", r)
	}
	p.want(`{"event":"credentials","ask":4,"canceled":true}`)
	p.ask(map[string]any{"id": 0, "op": "credentials", "ask": 4, "password": "late"}) // must not block
}

func TestPanicIsReportedWithoutValuesAndEndsTheProgram(t *testing.T) {
	for _, c := range []struct {
		name    string
		failing func()
		want    string
	}{
		{"runtime error", func() { var list []int; _ = list[len(list)] }, "index out of range"},
		{"value", func() { panic("the password is secret") }, `"text":"a panic"`},
		{"error value", func() { panic(errors.New("the password is secret")) }, `"text":"a panic"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t)
			func() {
				defer p.guard()
				c.failing()
			}()
			if text := p.want(`"event":"crash"`, c.want); strings.Contains(text, "secret") {
				t.Error(text)
			}
			<-p.done
		})
	}
}

func TestEvents(t *testing.T) {
	row := pam.Subscription{Key: pam.Key{Service: "s", Node: "__proto__"}, JID: "alice@localhost", State: "subscribed"}
	for _, c := range []struct {
		event client.Event
		want  string
	}{
		{client.Changed{Changes: []pam.Change{{After: &row}, {Before: &row}}, To: "2", Origin: pam.OriginResync, Source: pam.SourceServer},
			`{"event":"changed","changes":[[null,["s","__proto__","","alice@localhost","subscribed","pubsub"]],[[0,0,0,0,0,0],null]],"to":"2","origin":"resync","source":"server","stored":false}`},
		{client.ProvisionalChanged{Items: []pam.Provisional{{Subscription: row, Local: "subscribing"}}},
			`{"event":"provisional","rows":[["s","__proto__","","alice@localhost","subscribed","pubsub","subscribing"]]}`},
		{client.StateChanged{State: pam.SyncState{Phase: pam.PhaseWaiting, Missing: []string{"pam"}, Attempt: 2, NextAttempt: time.UnixMilli(5),
			Err: &pam.Error{Code: pam.CodeTransport, Origin: pam.FromNetwork, Text: "gone", Retryable: true}}},
			`{"event":"state","state":{"phase":"waiting","missing":["pam"],"resumed":false,"lastSynced":null,"attempt":2,"nextAttempt":5,"pending":0,"degraded":false,` +
				`"error":{"code":"transport","origin":"network","text":"gone","retryable":true}}}`},
		{client.Warning{Err: &pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Text: "bad"}, Ignored: 42},
			`{"event":"warning","error":{"code":"protocol","origin":"network","text":"bad","retryable":false},"ignored":42}`},
	} {
		p := newPeer(t)
		p.onEvent(c.event)
		if got := p.want(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestBatchIsPostedInFewTextsAndInOrder(t *testing.T) {
	const n = 2000
	var texts []string
	post, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		text, _ := args[0].String()
		texts = append(texts, text)
		return jstext.Len(text)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer post.Release()
	b := newBridge(object(t, map[string]any{"post": post.Value()}))
	b.page(1)
	number := func(i int) string { return fmt.Sprintf("%0200d", i) }
	for i := range n {
		if i == n/2 {
			func() {
				defer func() { _ = recover() }()
				b.event(everyPage, "half", func(w *writer) { w.text("text", "half"); panic("in the middle") })
			}()
		}
		b.event(everyPage, "message", func(w *writer) { w.text("xml", number(i)) })
	}
	b.stop() // posts the remaining objects
	var got []string
	for _, text := range texts {
		if len(text) > postSize+300 {
			t.Errorf("a text of %d bytes, want about %d", len(text), postSize)
		}
		got = append(got, objects(t, text)...)
	}
	if len(got) != n || len(texts) > n*300/postSize {
		t.Fatalf("%d objects in %d texts, want %d in a few", len(got), len(texts), n)
	}
	for i, object := range got {
		if want := `{"event":"message","xml":"` + number(i) + `"}`; object != want {
			t.Fatalf("object %d is %s", i, object)
		}
	}
}
