//go:build js && wasm

// Package norm stands in for golang.org/x/text/unicode/norm in the program: see
// js/scripts/modules.mjs. It lets the host normalise, so that the program needs no
// tables. ASCII never reaches the host.
//
// A character that the versions of Unicode of the host and of golang.org/x/text both
// know has the same normal form in both (UAX #15, §3). Of the code points that a host
// with Unicode 17.0 knows, and golang.org/x/text with 15.0 does not, none has another
// NFC, and 37 have another NFKC, which matters only in passwords: U+A7F1, and the
// outlined letters and digits from U+1CCD6 to U+1CCF9. Addresses with any are refused.
// Characters that combine are counted by their category: of more than 30 in succession,
// those that have two forms or no combining class may get their joiner elsewhere.
package norm

import (
	"sync"
	"syscall/js"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// Form is a normalisation form.
type Form int

// The forms of UAX #15.
const (
	NFC Form = iota
	NFD
	NFKC
	NFKD
)

// String returns the normal form of s, or s if it is not valid UTF-8, which no caller
// passes.
func (f Form) String(s string) string {
	if isASCII(s) || !utf8.ValidString(s) {
		return s
	}
	text := object().Invoke("\x00" + s) // Go's decoder drops a byte order mark at the beginning.
	if mayHaveManyMarks(s) {
		text = object().Invoke(text.Call("replace", manyMarks(), "$&"+joiner))
	}
	return text.Call("normalize", [...]string{"NFC", "NFD", "NFKC", "NFKD"}[f]).String()[1:]
}

// Bytes returns the normal form of b.
func (f Form) Bytes(b []byte) []byte { return []byte(f.String(string(b))) }

// IsNormalString reports whether s is its own normal form.
func (f Form) IsNormalString(s string) bool { return f.String(s) == s }

// QuickSpan returns len(b) if b is its own normal form, else 0.
func (f Form) QuickSpan(b []byte) int {
	if n, err := f.Span(b, true); err == nil {
		return n
	}
	return 0
}

// Reset is there because package precis uses a form as a transformer.
func (Form) Reset() {}

// Span returns len(b) if b is its own normal form. b must be a whole text.
func (f Form) Span(b []byte, atEOF bool) (int, error) {
	switch {
	case !atEOF:
		return 0, transform.ErrShortSrc
	case !f.IsNormalString(string(b)):
		return 0, transform.ErrEndOfSpan
	}
	return len(b), nil
}

// Transform writes the normal form of src, which must be a whole text.
func (f Form) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if !atEOF {
		return 0, 0, transform.ErrShortSrc
	}
	s := f.String(string(src))
	if len(s) > len(dst) {
		return 0, 0, transform.ErrShortDst
	}
	return copy(dst, s), len(src), nil
}

// maxMarks is the most combining characters that may follow each other, as in
// golang.org/x/text, which inserts a joiner after them (UAX #15, §13). Without a limit
// a sender could block the program: the time that hosts need to put such characters
// into their order grows with the square of their number.
const (
	maxMarks = 30
	joiner   = "\u034f"
)

var (
	manyMarks = sync.OnceValue(func() js.Value {
		return js.Global().Get("RegExp").New(`\p{M}{30}(?=\p{M})`, "gu")
	})
	// object makes an object of a string, because package js calls methods of objects only.
	object = sync.OnceValue(func() js.Value { return js.Global().Get("Object") })
)

// mayHaveManyMarks reports whether so many characters follow each other that are not
// before all combining ones.
func mayHaveManyMarks(s string) bool {
	n := 0
	for _, r := range s {
		n++
		if r < 0x300 {
			n = 0
		}
		if n > maxMarks {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
