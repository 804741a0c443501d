//go:build js && wasm

package main

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// A bridge connects one client to its host.
type bridge struct {
	host safejs.Value
	done chan struct{} // closed to end the program
	end  sync.Once

	// mu guards the state that requests share. Everything runs on one thread, but a
	// goroutine may be suspended wherever it waits.
	mu       sync.Mutex
	client   *client.Client
	database string                     // the client's database; set before client
	cancels  map[int]context.CancelFunc // of running requests
	answers  map[int]chan answer        // of pending requests for credentials
	lastAsk  int

	messages bool // the page listens to messages; guarded by mu

	outMu sync.Mutex
	out   writer    // an array without its closing bracket, or nothing
	inOut []waiting // the objects in out
}

func newBridge(host safejs.Value) *bridge {
	return &bridge{
		host:    host,
		done:    make(chan struct{}),
		cancels: map[int]context.CancelFunc{},
		answers: map[int]chan answer{},
	}
}

// dispatch starts the operation that the host requests. It must not wait, because
// it blocks the event loop.
func (b *bridge) dispatch(request safejs.Value) {
	r := readRequest(request)
	if notice, ok := notices[r.op]; ok {
		notice(b, r)
		return
	}
	run, ok := operations[r.op]
	if !ok {
		b.fail(r.id, &pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient, Text: "There is no operation " + r.op + "."})
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if r.id != 0 {
		b.mu.Lock()
		b.cancels[r.id] = cancel
		b.mu.Unlock()
	}
	go func() {
		defer b.guard()
		defer cancel()
		defer b.cancel(r.id)
		result, err := run(b, ctx, r)
		if err != nil {
			b.fail(r.id, err)
		} else {
			b.succeed(r.id, result)
		}
		if r.op == "close" {
			b.stop()
		}
	}()
}

// listen sets whether the page listens to messages.
func (b *bridge) listen(r request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = r.bool("messages")
}

// cancel ends the context of a request.
func (b *bridge) cancel(id int) {
	b.mu.Lock()
	cancel := b.cancels[id]
	delete(b.cancels, id)
	b.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// stop posts the remaining objects and ends the program.
func (b *bridge) stop() {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	b.flush()
	b.end.Do(func() { close(b.done) })
}

// guard reports a panic and ends the program. It is deferred in every
// goroutine that this package starts.
func (b *bridge) guard() {
	v := recover()
	if v == nil {
		return
	}
	text := "a panic"
	var e runtime.Error
	if err, ok := v.(error); ok && errors.As(err, &e) {
		text = e.Error() // contains only indices and types; other values may be user data
	}
	defer b.stop()
	b.event("crash", func(w *writer) { w.text("text", text) })
}
