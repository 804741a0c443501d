//go:build js && wasm

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"
	"go.uber.org/goleak"

	"xmpp-pam/wasm/jstext"
)

// TestMain ignores the goroutine with which the runtime handles JavaScript events.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("runtime.handleEvent"))
}

// A peer is the host's side of a bridge.
type peer struct {
	*bridge
	t     *testing.T
	texts chan string
}

func newPeer(t *testing.T) *peer {
	p := &peer{t: t, texts: make(chan string, 100)}
	p.bridge = bridgeTo(t, func(int) chan string { return p.texts })
	p.page(1).loaded = true
	return p
}

// bridgeTo makes a bridge whose host sends each object to the channel of its page.
func bridgeTo(t *testing.T, texts func(page int) chan string) *bridge {
	post, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		text, _ := args[0].String()
		page, _ := args[1].Int()
		for _, object := range objects(t, text) {
			texts(page) <- object
		}
		return jstext.Len(text)
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBridge(object(t, map[string]any{"post": post.Value()}))
	t.Cleanup(func() {
		if b.client != nil {
			_ = b.client.Close()
		}
		post.Release()
	})
	return b
}

// objects returns the texts of the objects in an array.
func objects(t *testing.T, array string) (texts []string) {
	t.Helper()
	parser, err := safejs.Global().Get("JSON")
	if err != nil {
		t.Fatal(err)
	}
	list, err := parser.Call("parse", array)
	if err != nil {
		t.Fatalf("invalid JSON: %.300s", array)
	}
	n, _ := list.Length()
	for i := range n {
		item, _ := list.Index(i)
		text, err := parser.Call("stringify", item)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := text.String()
		texts = append(texts, s)
	}
	return texts
}

func object(t *testing.T, members map[string]any) safejs.Value {
	t.Helper()
	constructor, err := safejs.Global().Get("Object")
	if err != nil {
		t.Fatal(err)
	}
	v, err := constructor.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		if err := v.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func (p *peer) ask(members map[string]any) {
	p.t.Helper()
	p.dispatch(object(p.t, members), 1)
}

// want waits for a text that contains all parts.
func (p *peer) want(parts ...string) string {
	p.t.Helper()
	select {
	case text := <-p.texts:
		for _, part := range parts {
			if !strings.Contains(text, part) {
				p.t.Fatalf("got %s, want it to contain %s", text, part)
			}
		}
		return text
	case <-time.After(5 * time.Second):
		p.t.Fatalf("nothing was posted, want %v", parts)
		return ""
	}
}

func (p *peer) quiet() {
	p.t.Helper()
	select {
	case text := <-p.texts:
		p.t.Fatalf("unexpected: %s", text)
	case <-time.After(10 * time.Millisecond):
	}
}

var alice = map[string]any{"id": 1, "op": "create", "account": "alice@localhost", "url": "ws://localhost:1/", "storage": "memory"}

func (p *peer) keepsNothing() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.cancels) != 0 || len(p.answers) != 0 {
		p.t.Fatalf("%d contexts and %d requests for credentials are kept", len(p.cancels), len(p.answers))
	}
}
