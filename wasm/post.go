//go:build js && wasm

package main

import (
	"strconv"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/wasm/jstext"
)

// Sizes of posted texts, in bytes.
const (
	postSize = 32 << 10 // a text of this length or more is posted immediately
	maxPost  = 64 << 20 // a longer text is not posted; browsers cannot make strings of 512 MiB
)

// A waiting object will be posted together with others.
type waiting struct {
	at int // where it begins
	id int // of the request that it answers, or 0
}

// succeed posts the result of a request. A nil result is null.
func (b *bridge) succeed(id int, result func(*writer)) {
	if id == 0 {
		return
	}
	b.post(id, func(w *writer) {
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
	b.post(id, func(w *writer) {
		w.key("error")
		writeError(w, err)
	})
}

// event posts an event.
func (b *bridge) event(name string, members func(*writer)) { b.post(0, named(name, members)) }

func named(name string, members func(*writer)) func(*writer) {
	return func(w *writer) {
		w.key("event")
		w.string(name)
		members(w)
	}
}

// post writes an object, with an id unless that is 0. The host gets it before the
// program returns to the event loop. A call of the host is expensive, so the objects
// of a batch of stanzas are posted as a few texts. These are short, so that none
// blocks the page's thread for long; a long object is posted as a text of its own.
// If the Go runtime itself fails, objects that have not been posted are lost.
// members must not wait and must not post.
func (b *bridge) post(id int, members func(*writer)) {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	b.write(id, members)
}

// write does the work of post. The caller holds outMu.
func (b *bridge) write(id int, members func(*writer)) {
	w := b.out // a copy, so that no half object is posted if members panics
	first := len(w.buf) == 0
	if first {
		w.buf = append(w.buf, '[')
	}
	end := len(w.buf)
	w.object(func() {
		if id != 0 {
			w.key("id")
			w.int(int64(id))
		}
		members(&w)
	})
	if !first && len(w.buf)-end > postSize {
		b.flush()
		w.buf = w.buf[end:]
		w.buf[0] = '['
		end, first = 1, true
	}
	at := end
	if !first {
		at++ // a comma
	}
	b.out, b.inOut = w, append(b.inOut, waiting{at: at, id: id})
	switch {
	case len(w.buf) >= postSize:
		b.flush()
	case first:
		go func() { // runs when the goroutine that posts now waits
			defer b.guard()
			b.outMu.Lock()
			defer b.outMu.Unlock()
			b.flush()
		}()
	}
}

// flush posts the waiting objects as one text. If the host does not get all of it,
// flush posts each object by itself; in place of an object that cannot be posted, the
// page gets an error. The caller holds outMu.
func (b *bridge) flush() {
	buf, objects := b.out.buf, b.inOut
	if len(buf) == 0 {
		return
	}
	b.out.buf, b.inOut = buf[:0], objects[:0]
	if cap(buf) > 2*postSize {
		b.out.buf = nil // it held a large list
	}
	if b.cross(string(append(buf, ']'))) {
		return
	}
	for i, o := range objects {
		end := len(buf)
		if i+1 < len(objects) {
			end = objects[i+1].at - 1
		}
		if len(objects) > 1 && b.cross("["+string(buf[o.at:end])+"]") {
			continue
		}
		if !b.cross(lost(o.id, end-o.at)) {
			b.end.Do(func() { close(b.done) }) // the host does not answer
			return
		}
	}
}

// cross posts a text and reports whether all of it has arrived.
func (b *bridge) cross(text string) bool {
	if len(text) > maxPost {
		return false
	}
	arrived, err := b.host.Call("post", text)
	if err != nil {
		return false
	}
	n, err := arrived.Int()
	return err == nil && n == jstext.Len(text)
}

// lost returns the text that reports that an object of n bytes was not posted: the
// error of the request if the object was its result, else a warning.
func lost(id, n int) string {
	err := &pam.Error{Code: "overflow", Origin: pam.FromClient, Text: "An object of " + strconv.Itoa(n) + " bytes is too large to be posted to the page and was discarded. No other object was lost."}
	w := writer{buf: []byte{'['}}
	w.object(func() {
		if id != 0 {
			w.key("id")
			w.int(int64(id))
		} else {
			w.key("event")
			w.string("warning")
		}
		w.key("error")
		writeError(&w, err)
	})
	return string(append(w.buf, ']'))
}
