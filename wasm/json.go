//go:build js && wasm

package main

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// A writer writes JSON (RFC 8259). encoding/json would add a tenth to the size
// of the program.
type writer struct{ buf []byte }

// The methods object and array write brackets around what inside writes.
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
	w.buf = appendString(w.buf, s)
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

const hexDigits = "0123456789abcdef"

// word returns eight bytes of s as a number. The compiler makes one load of it.
func word(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainWord reports whether all bytes are ASCII and need no escaping.
func plainWord(w uint64) bool {
	quote, slash := w^'"'*ones, w^'\\'*ones
	return (w|(w-' '*ones)|(quote-ones)&^quote|(slash-ones)&^slash)&highs == 0
}

// appendString quotes s. What is no UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		for i+8 <= len(s) && plainWord(word(s, i)) {
			i += 8
		}
		if i == len(s) {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, s[start:i]...)
			switch c {
			case '\n': // the control characters of XML, which may be many
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			case '"', '\\':
				dst = append(dst, '\\', c)
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			start = i + 1
		}
		i++
	}
	return append(append(dst, s[start:]...), '"')
}
