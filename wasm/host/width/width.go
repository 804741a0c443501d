// Package width stands in for golang.org/x/text/width in the program: see
// js/scripts/modules.mjs. It maps full-width and half-width characters to the usual
// ones, for package precis, without a table of the widths of all characters.
package width

import (
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// Fold maps each full-width or half-width character to its usual form.
var Fold Transformer

// Transformer is a mapping of characters.
type Transformer struct{ transform.NopResetter }

// fold returns the usual form of a character.
func fold(r rune) rune {
	const (
		katakana = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u3099\u309a"
		symbols  = "¢£¬¯¦¥₩\uffe7│←↑→↓■○"
	)
	switch {
	case r == 0x3000:
		return ' '
	case r < 0xFF01 || r > 0xFFEE:
		return r
	case r <= 0xFF5E:
		return r - 0xFF01 + '!'
	case r <= 0xFF60:
		return r - 0xFF5F + 0x2985 // white parentheses
	case r <= 0xFF9F:
		return at(katakana, r-0xFF61)
	case r == 0xFFA0:
		return 0x3164 // Hangul filler
	case r <= 0xFFBE:
		return r - 0xFFA1 + 0x3131 // consonants
	case r >= 0xFFC2 && r <= 0xFFDC && (r-0xFFC0)%8 >= 2:
		row, column := (r-0xFFC0)/8, (r-0xFFC0)%8-2
		return 0x314F + 6*row + column // vowels, in rows of six
	case r >= 0xFFE0:
		return at(symbols, r-0xFFE0)
	}
	return r
}

// at returns the rune with an index in s.
func at(s string, index rune) rune {
	for _, r := range s {
		if index == 0 {
			return r
		}
		index--
	}
	return utf8.RuneError
}

// Transform writes the usual forms of the characters of src to dst. Bytes that are no
// character stay.
func (Transformer) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		r, size := utf8.DecodeRune(src[nSrc:])
		if r == utf8.RuneError && size == 1 && !atEOF && !utf8.FullRune(src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		var room [utf8.UTFMax]byte
		folded := src[nSrc : nSrc+size]
		if f := fold(r); f != r {
			folded = utf8.AppendRune(room[:0], f)
		}
		if len(dst)-nDst < len(folded) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], folded)
		nSrc += size
	}
	return nDst, nSrc, nil
}

// Span returns the length of the part of src that has only usual forms.
func (Transformer) Span(src []byte, atEOF bool) (n int, err error) {
	for n < len(src) {
		r, size := utf8.DecodeRune(src[n:])
		if r == utf8.RuneError && size == 1 && !atEOF && !utf8.FullRune(src[n:]) {
			return n, transform.ErrShortSrc
		}
		if fold(r) != r {
			return n, transform.ErrEndOfSpan
		}
		n += size
	}
	return n, nil
}
