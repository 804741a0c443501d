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

// An outbox has the objects that wait to be posted to one page.
type outbox struct {
	text    []byte // an array without its closing bracket, or nothing
	objects []waiting
}

// succeed posts the result of a request. A nil result is null.
func (b *bridge) succeed(r request, result func(*writer)) {
	b.answer(r, func(w *writer) {
		w.key("ok")
		if result == nil {
			w.null()
		} else {
			result(w)
		}
	})
}

func (b *bridge) fail(r request, err error) {
	b.answer(r, func(w *writer) {
		w.key("error")
		writeError(w, err)
	})
}

func (b *bridge) answer(r request, members func(*writer)) {
	if r.id == 0 {
		return
	}
	b.outMu.Lock()
	defer b.outMu.Unlock()
	b.write([]*page{r.page}, r.id, members)
}

// event posts an event to the pages that match.
func (b *bridge) event(to audience, name string, members func(*writer)) {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	b.write(b.only(to), 0, named(name, members))
}

func named(name string, members func(*writer)) func(*writer) {
	return func(w *writer) {
		w.key("event")
		w.string(name)
		members(w)
	}
}

// write writes an object, with an id unless that is 0. The host gets it before the
// program returns to the event loop. A call of the host is expensive, so the objects
// of a batch of stanzas are posted as a few texts. These are short, so that none
// blocks a page's thread for long; a long object is posted as a text of its own.
// If the Go runtime itself fails, objects that have not been posted are lost.
// members must not wait and must not post. The caller holds outMu.
func (b *bridge) write(to []*page, id int, members func(*writer)) {
	if len(to) == 0 {
		return
	}
	w := writer{buf: b.scratch.buf[:0]}
	w.object(func() {
		if id != 0 {
			w.key("id")
			w.int(int64(id))
		}
		members(&w)
	})
	for _, p := range to {
		b.put(p, id, w.buf)
	}
	if b.scratch.buf = w.buf; cap(w.buf) > 2*postSize {
		b.scratch.buf = nil // it held a large list
	}
}

// put appends an object to the outbox of a page.
func (b *bridge) put(p *page, id int, object []byte) {
	out := &p.out
	if len(out.text) > 0 && len(object) >= postSize {
		b.flush(p)
	}
	first := len(out.text) == 0
	if first {
		out.text = append(out.text, '[')
	} else {
		out.text = append(out.text, ',')
	}
	out.objects = append(out.objects, waiting{at: len(out.text), id: id})
	out.text = append(out.text, object...)
	switch {
	case len(out.text) >= postSize:
		b.flush(p)
	case first:
		go func() { // runs when the goroutine that posts now waits
			defer b.guard()
			b.outMu.Lock()
			defer b.outMu.Unlock()
			b.flush(p)
		}()
	}
}

// flush posts the waiting objects of a page as one text. If the host does not get all of
// it, flush posts each object by itself; in place of an object that cannot be posted, the
// page gets an error. The caller holds outMu.
func (b *bridge) flush(p *page) {
	buf, objects := p.out.text, p.out.objects
	if len(buf) == 0 || b.isAsleep(p) {
		return
	}
	p.out = outbox{text: buf[:0], objects: objects[:0]}
	if cap(buf) > 2*postSize {
		p.out.text = nil // it held a large list
	}
	if b.cross(p, string(append(buf, ']'))) {
		return
	}
	for i, o := range objects {
		end := len(buf)
		if i+1 < len(objects) {
			end = objects[i+1].at - 1
		}
		if len(objects) > 1 && b.cross(p, "["+string(buf[o.at:end])+"]") {
			continue
		}
		if !b.cross(p, lost(o.id, end-o.at)) {
			b.end.Do(func() { close(b.done) }) // the host does not answer
			return
		}
	}
}

func (b *bridge) isAsleep(p *page) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return p.asleep
}

// cross posts a text and reports whether all of it has arrived.
func (b *bridge) cross(p *page, text string) bool {
	if len(text) > maxPost {
		return false
	}
	arrived, err := b.host.Call("post", text, p.number)
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
