//go:build js && wasm

package main

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
)

// A Bridge joins one client and its host.
type bridge struct {
	host safejs.Value
	done chan struct{} // closed when the program is to end
	end  sync.Once

	// mu guards what requests share. Everything runs on one thread, but a
	// goroutine may be suspended wherever it waits.
	mu      sync.Mutex
	client  *client.Client
	cancels map[int]context.CancelFunc // of running requests
	asks    map[int]chan answer        // for credentials
	lastAsk int

	frames frameLog

	outMu sync.Mutex
	out   writer // an array that is not closed yet, or nothing
}

// postSize is the length in bytes from which a text is posted.
const postSize = 32 << 10

func newBridge(host safejs.Value) *bridge {
	return &bridge{
		host:    host,
		done:    make(chan struct{}),
		cancels: map[int]context.CancelFunc{},
		asks:    map[int]chan answer{},
	}
}

// dispatch starts the operation that the host asks for. It must not wait: the
// event loop is waiting for it.
func (b *bridge) dispatch(request safejs.Value) {
	r := readRequest(request)
	switch r.op {
	case "cancel":
		b.cancel(r.int("target"))
		return
	case "credentials":
		b.answerCredentials(r)
		return
	}
	run, ok := operations[r.op]
	if !ok {
		b.fail(r.id, &client.Error{Code: client.CodeBadOptions, Origin: client.FromClient, Text: "There is no operation " + r.op + "."})
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

// succeed posts the result of a request. A nil result is null.
func (b *bridge) succeed(id int, result func(*writer)) {
	if id == 0 {
		return
	}
	b.post(func(w *writer) {
		w.key("id")
		w.int(int64(id))
		w.key("ok")
		if result == nil {
			w.null()
		} else {
			result(w)
		}
	})
}

func (b *bridge) fail(id int, err error) {
	if id == 0 {
		return
	}
	b.post(func(w *writer) {
		w.key("id")
		w.int(int64(id))
		w.key("error")
		writeError(w, err)
	})
}

// event posts something that happened.
func (b *bridge) event(name string, members func(*writer)) { b.post(named(name, members)) }

func named(name string, members func(*writer)) func(*writer) {
	return func(w *writer) {
		w.key("event")
		w.string(name)
		members(w)
	}
}

// post writes an object that the host gets before the program returns to the
// event loop. Crossing over is dear, so a batch of stanzas is posted as a few
// texts; and these are short, so that none keeps the page's thread for long.
// What has not crossed when the Go runtime itself dies is lost with the rest of
// the program. members must not wait, nor post.
func (b *bridge) post(members func(*writer)) {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	b.write(members)
}

// write is post for a caller that holds outMu.
func (b *bridge) write(members func(*writer)) {
	w := b.out // a copy: should members panic, half an object is not posted
	first := len(w.buf) == 0
	if first {
		w.buf = append(w.buf, '[')
	}
	w.object(func() { members(&w) })
	b.out = w
	switch {
	case len(w.buf) >= postSize:
		b.flush()
	case first:
		go func() { // runs when whoever posts now waits for something
			defer b.guard()
			b.outMu.Lock()
			defer b.outMu.Unlock()
			b.flush()
		}()
	}
}

// flush hands over what is written. The caller holds outMu.
func (b *bridge) flush() {
	if len(b.out.buf) == 0 {
		return
	}
	text := string(append(b.out.buf, ']'))
	b.out.buf = b.out.buf[:0]
	if cap(b.out.buf) > 2*postSize {
		b.out.buf = nil // it held a large list
	}
	if _, err := b.host.Call("post", text); err != nil {
		b.end.Do(func() { close(b.done) }) // the host is gone
	}
}

// stop hands over the rest and ends the program.
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
		text = e.Error() // speaks of indices and types; other values may be data
	}
	defer b.stop()
	b.event("crash", func(w *writer) { w.text("text", text) })
}
