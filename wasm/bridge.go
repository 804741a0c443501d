//go:build js && wasm

package main

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// A bridge connects one client to the pages of its host.
type bridge struct {
	host safejs.Value
	done chan struct{} // closed to end the program
	end  sync.Once

	// mu guards the state that requests share. Everything runs on one thread, but a
	// goroutine may be suspended wherever it waits.
	mu      sync.Mutex
	client  *client.Client
	pages   map[int]*page
	joined  chan struct{}                     // closed when a page joins or is resumed
	uses    int                               // counts how often a page was shown
	cancels map[requestKey]context.CancelFunc // of running requests
	answers map[int]chan answer               // of pending requests for credentials
	lastAsk int

	// What is posted of the inbox; guarded by mu.
	whole    bool         // the pages need the whole state
	stale    bool         // a goroutine is about to post the state, or what has changed while away
	awayList []pam.Change // the changes of the list that were posted last

	// How the client was made. createMu is held while it is made; the others are set
	// before client.
	createMu sync.Mutex
	database string // its name
	options  string // that all pages must share
	why      string // why nothing can be stored

	freezing sync.Mutex // guards frozen, and is held while the client is informed
	frozen   bool       // all pages are

	outMu   sync.Mutex // guards the outboxes
	scratch writer

	wishTime, askTime time.Duration // the constants; tests shorten them
}

// A requestKey identifies a running request.
type requestKey struct{ page, id int }

func newBridge(host safejs.Value) *bridge {
	return &bridge{
		host:    host,
		done:    make(chan struct{}),
		pages:   map[int]*page{},
		joined:  make(chan struct{}),
		cancels: map[requestKey]context.CancelFunc{},
		answers: map[int]chan answer{},

		wishTime: wishTime, askTime: askTime,
	}
}

// dispatch starts the operation that a page requests. It must not wait, because it
// blocks the event loop.
func (b *bridge) dispatch(value safejs.Value, number int) {
	r := readRequest(value)
	r.page = b.page(number)
	if notice, ok := notices[r.op]; ok {
		notice(b, r)
		return
	}
	run, ok := operations[r.op]
	if !ok {
		b.fail(r, &pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient, Text: "There is no operation " + r.op + "."})
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if r.id != 0 {
		b.mu.Lock()
		b.cancels[r.key()] = cancel
		b.mu.Unlock()
	}
	go func() {
		defer b.guard()
		defer cancel()
		defer b.cancel(r.key())
		result, err := run(b, ctx, r)
		if err != nil {
			b.fail(r, err)
		} else {
			b.succeed(r, result)
		}
		if r.op == "close" {
			b.closed(r.page)
		}
	}()
}

// cancel ends the context of a request.
func (b *bridge) cancel(key requestKey) {
	b.mu.Lock()
	cancel := b.cancels[key]
	delete(b.cancels, key)
	b.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// closed removes a page that has closed, and ends the program if it was the last one.
func (b *bridge) closed(p *page) {
	b.outMu.Lock()
	b.flush(p)
	b.outMu.Unlock()
	if left, _ := b.remove(p); left {
		b.updateNeeds()
	} else {
		b.stop()
	}
}

// stop posts the remaining objects and ends the program.
func (b *bridge) stop() {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	for _, p := range b.only(everyPage) {
		b.flush(p)
	}
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
	b.event(everyPage, "crash", func(w *writer) { w.text("text", text) })
}
