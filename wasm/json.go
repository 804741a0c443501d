//go:build js && wasm

package main

import (
	"strconv"
	"time"

	"xmpp-pam/wasm/jstext"
)

// A writer writes JSON (RFC 8259). encoding/json would add ten percent to the size
// of the program.
type writer struct{ buf []byte }

// The methods object and array write brackets around the output of inside.
func (w *writer) object(inside func()) {
	w.separate()
	w.buf = append(w.buf, '{')
	inside()
	w.buf = append(w.buf, '}')
}

func (w *writer) array(inside func()) {
	w.separate()
	w.buf = append(w.buf, '[')
	inside()
	w.buf = append(w.buf, ']')
}

// key starts a member of an object.
func (w *writer) key(name string) {
	w.string(name)
	w.buf = append(w.buf, ':')
}

func (w *writer) string(s string) {
	w.separate()
	w.buf = jstext.AppendJSON(w.buf, s)
}

func (w *writer) int(n int64) {
	w.separate()
	w.buf = strconv.AppendInt(w.buf, n, 10)
}

func (w *writer) bool(b bool) {
	w.separate()
	w.buf = strconv.AppendBool(w.buf, b)
}

func (w *writer) null() {
	w.separate()
	w.buf = append(w.buf, "null"...)
}

// time writes milliseconds since 1970, and null for the zero time.
func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.null()
		return
	}
	w.int(t.UnixMilli())
}

// text writes a member, unless it is empty.
func (w *writer) text(name, value string) {
	if value != "" {
		w.key(name)
		w.string(value)
	}
}

// separate writes the comma between two values.
func (w *writer) separate() {
	if n := len(w.buf); n > 0 {
		switch w.buf[n-1] {
		case '{', '[', ':', ',':
		default:
			w.buf = append(w.buf, ',')
		}
	}
}

func (w *writer) take() string { return string(w.buf) }
