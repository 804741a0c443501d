// Package jstext holds the functions that process every byte of a text for
// JavaScript. It is a separate package because it is faster with inlining, without
// which the build compiles most of the program.
package jstext

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// word returns eight bytes of s as a number. The compiler makes one load of it.
func word(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// plain reports whether JSON escapes none of the bytes, and no byte has the bits other.
func plain(w, other uint64) bool {
	quote, slash := w^'"'*ones, w^'\\'*ones
	return ((w-' '*ones)&^w|(quote-ones)&^quote|(slash-ones)&^slash)&highs|w&other == 0
}

const hexDigits = "0123456789abcdef"

// AppendJSON appends s as a string of JSON (RFC 8259). Each byte that is not part
// of a character becomes U+FFFD.
func AppendJSON(dst []byte, s string) []byte {
	dst = append(slices.Grow(dst, len(s)+2), '"')
	unchecked := uint64(highs) // 0 when the rest of s is known to be valid
	for i := 0; i < len(s); {
		start := i
		for i+8 <= len(s) && plain(word(s, i), unchecked) {
			i += 8
		}
		dst = append(dst, s[start:i]...)
		for end := min(i+8, len(s)); i < end; i++ {
			switch c := s[i]; {
			case c >= utf8.RuneSelf && unchecked != 0:
				if !utf8.ValidString(s[i:]) {
					s = s[:i] + string([]rune(s[i:]))
				}
				unchecked = 0
				dst = append(dst, s[i])
			case c == '"', c == '\\':
				dst = append(dst, '\\', c)
			case c >= ' ':
				dst = append(dst, c)
			case c == '\n': // the control characters that XML allows, which may be frequent
				dst = append(dst, '\\', 'n')
			case c == '\r':
				dst = append(dst, '\\', 'r')
			case c == '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
		}
	}
	return append(dst, '"')
}

// Len returns the length of a valid text in UTF-16, which is that of a string in
// JavaScript: one for each byte that does not continue a character, and one more
// for each that begins a character of four bytes.
func Len(text string) (n int) {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		w := word(text, i)
		n += 8 - bits.OnesCount64(w&^(w<<1)&highs) + bits.OnesCount64(w&(w<<1)&(w<<2)&(w<<3)&highs)
	}
	for ; i < len(text); i++ {
		if c := text[i]; c >= 0xF0 {
			n += 2
		} else if c&0xC0 != 0x80 {
			n++
		}
	}
	return n
}
