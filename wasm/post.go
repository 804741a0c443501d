//go:build js && wasm

package main

import (
	"strconv"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/wasm/jstext"
)

// Sizes in bytes of the texts that are posted.
const (
	postSize = 32 << 10 // from this length on a text is posted
	maxPost  = 64 << 20 // no longer text is; browsers cannot make strings of 512 MiB
)

// A waiting object is to be posted with others.
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

// event posts something that happened.
func (b *bridge) event(name string, members func(*writer)) { b.post(0, named(name, members)) }

func named(name string, members func(*writer)) func(*writer) {
	return func(w *writer) {
		w.key("event")
		w.string(name)
		members(w)
	}
}

// post writes an object, with an id unless that is 0, that the host gets before
// the program returns to the event loop. Crossing over is dear, so a batch of
// stanzas is posted as a few texts; and these are short, so that none keeps the
// page's thread for long. A long object has a text of its own. What has not
// crossed when the Go runtime itself dies is lost with the rest of the program.
// members must not wait, nor post.
func (b *bridge) post(id int, members func(*writer)) {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	b.write(id, members)
}

// write is post for a caller that holds outMu.
func (b *bridge) write(id int, members func(*writer)) {
	w := b.out // a copy: should members panic, half an object is not posted
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
		go func() { // runs when whoever posts now waits for something
			defer b.guard()
			b.outMu.Lock()
			defer b.outMu.Unlock()
			b.flush()
		}()
	}
}

// flush hands over what is written. If that does not cross, each object is tried
// by itself, and one that does not cross loses only itself: the page hears of that
// instead. The caller holds outMu.
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
			b.end.Do(func() { close(b.done) }) // the host is gone
			return
		}
	}
}

// cross hands over a text and reports whether all of it has arrived.
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

// lost says that an object of n bytes has not crossed: to the caller of the
// request that it was to answer, else in a warning.
func lost(id, n int) string {
	err := &pam.Error{Code: "overflow", Origin: pam.FromClient, Text: "Something of " + strconv.Itoa(n) + " bytes is too long to reach the page, and was lost. Nothing else was."}
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
