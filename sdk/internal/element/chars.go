package element

import (
	"strings"
	"unicode/utf8"
)

// Classes of ASCII bytes, so that most bytes need only one table look-up.
const (
	nameStart    = 1 << iota
	nameRest     // may follow in a name
	plainInText  // needs no escaping in text
	plainInValue // needs no escaping between single quotes
)

var class = func() (t [utf8.RuneSelf]uint8) {
	for c := range t {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
			t[c] = nameStart | nameRest
		case '0' <= c && c <= '9', c == '-', c == '.':
			t[c] = nameRest
		}
		if c >= 0x20 && !strings.ContainsRune("&<>", rune(c)) {
			t[c] |= plainInText
			if c != '\'' {
				t[c] |= plainInValue
			}
		}
	}
	t['\n'] |= plainInText
	t['\t'] |= plainInText
	return t
}()

// nameLen returns the length of the name without colon (NCName) at the start of s, or 0
// if there is none. s must be valid UTF-8.
func nameLen(s string) int { return nameRun(s, nameStart) }

// nameRun is like nameLen if first is nameStart. If first is nameRest, s is the
// continuation of a name.
func nameRun(s string, first uint8) int {
	want := first
	for i := 0; i < len(s); want = nameRest {
		if c := s[i]; c < utf8.RuneSelf {
			if class[c]&want == 0 {
				return i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !isNameRune(r, want == nameRest) {
			return i
		}
		i += size
	}
	return len(s)
}

// isNameRune implements NameStartChar and NameChar of XML 1.0, 5th edition,
// production 4 and 4a, beyond ASCII.
func isNameRune(r rune, rest bool) bool {
	switch {
	case 0xC0 <= r && r <= 0x2FF:
		return r != 0xD7 && r != 0xF7
	case 0x370 <= r && r <= 0x1FFF:
		return r != 0x37E
	case 0x200C <= r && r <= 0x200D,
		0x2070 <= r && r <= 0x218F,
		0x2C00 <= r && r <= 0x2FEF,
		0x3001 <= r && r <= 0xD7FF,
		0xF900 <= r && r <= 0xFDCF,
		0xFDF0 <= r && r <= 0xFFFD,
		0x10000 <= r && r <= 0xEFFFF:
		return true
	case r == 0xB7, 0x300 <= r && r <= 0x36F, 0x203F <= r && r <= 0x2040:
		return rest
	}
	return false
}

// isName reports whether all of s is a name without colon.
func isName(s string) bool {
	return s != "" && utf8.ValidString(s) && nameLen(s) == len(s)
}

// isChar implements Char of XML 1.0, production 2.
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r <= 0xD7FF:
		return true
	}
	return 0xE000 <= r && r <= 0xFFFD || 0x10000 <= r && r <= 0x10FFFF
}

// badChar returns the offset of the first byte that is not part of a character
// XML allows, or -1.
func badChar(s string) int {
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			if w := word(s, i); controls(w)|w&highs == 0 {
				i += 8
				continue
			}
		}
		for end := min(i+8, len(s)); i < end; {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || !isChar(r) {
				return i
			}
			i += size
		}
	}
	return -1
}

// Text without special characters is scanned eight bytes at a time, because in
// WebAssembly one byte costs nearly as much as eight.
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

// marks sets the highest bit of each byte of w that is c. Above the lowest such
// byte it may set more.
func marks(w uint64, c byte) uint64 {
	w ^= ones * uint64(c)
	return (w - ones) &^ w & highs
}

// controls does what marks does, for the bytes below 0x20.
func controls(w uint64) uint64 { return (w - 0x20*ones) &^ w & highs }

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r'
}
