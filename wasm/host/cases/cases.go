// Package cases stands in for golang.org/x/text/cases in the program: see
// js/scripts/modules.mjs. It maps to lower case without regard to language and
// context, which is all that package precis needs to prepare a localpart.
package cases

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/transform"
)

// Caser maps a text to lower case.
type Caser struct{ transform.NopResetter }

// Option has no effect.
type Option struct{}

// HandleFinalSigma is there for package precis, which only passes false.
func HandleFinalSigma(bool) Option { return Option{} }

// Lower returns a Caser. Lower-casing does not depend on the language or the options.
func Lower(language.Tag, ...Option) Caser { return Caser{} }

// Fold panics. Package precis refers to it in an option that none of its profiles has.
func Fold(...Option) Caser { panic("cases: the program has no case folding") }

// dotted is the only character whose lower case is two characters.
const (
	dotted      = '\u0130'
	dottedLower = "i\u0307"
)

// Transform writes src in lower case to dst. Bytes that are no character stay.
func (Caser) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		r, size := utf8.DecodeRune(src[nSrc:])
		if r == utf8.RuneError && size == 1 && !atEOF && !utf8.FullRune(src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		var room [utf8.UTFMax]byte
		lower := src[nSrc : nSrc+size]
		if r == dotted {
			lower = append(room[:0], dottedLower...)
		} else if l := unicode.ToLower(r); l != r {
			lower = utf8.AppendRune(room[:0], l)
		}
		if len(dst)-nDst < len(lower) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], lower)
		nSrc += size
	}
	return nDst, nSrc, nil
}

// Span returns the length of the part of src that is in lower case.
func (Caser) Span(src []byte, atEOF bool) (n int, err error) {
	for n < len(src) {
		r, size := utf8.DecodeRune(src[n:])
		if r == utf8.RuneError && size == 1 && !atEOF && !utf8.FullRune(src[n:]) {
			return n, transform.ErrShortSrc
		}
		if unicode.ToLower(r) != r {
			return n, transform.ErrEndOfSpan
		}
		n += size
	}
	return n, nil
}
