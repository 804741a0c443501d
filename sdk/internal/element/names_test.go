//go:build !js

package element

import "testing"

// TestNameRunes checks the ends of every range of NameStartChar and NameChar of XML 1.0,
// 5th edition, beyond ASCII, and the characters around them.
func TestNameRunes(t *testing.T) {
	start := [][2]rune{
		{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF}, {0x200C, 0x200D},
		{0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
	}
	rest := [][2]rune{{0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}}
	in := func(r rune, ranges [][2]rune) bool {
		for _, each := range ranges {
			if each[0] <= r && r <= each[1] {
				return true
			}
		}
		return false
	}
	for _, each := range append(start, rest...) {
		for _, r := range []rune{each[0] - 1, each[0], each[1], each[1] + 1} {
			if got, want := isNameRune(r, false), in(r, start); got != want {
				t.Errorf("U+%04X at the start: %v", r, got)
			}
			if got, want := isNameRune(r, true), in(r, start) || in(r, rest); got != want {
				t.Errorf("U+%04X after the start: %v", r, got)
			}
		}
	}
}
