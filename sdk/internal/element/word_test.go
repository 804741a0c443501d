package element

import (
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"
)

// Looking at eight bytes at a time finds what looking at each finds.
func TestWords(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	special := []string{"\x00", "\x1f", " ", "\t", "\x7f", "\x80", "é", "\uFFFE", "\uFFFF", "&amp;", ">", "\r", "]]>", "<", "'", "\xa0"}
	for range 200_000 {
		text := strings.Repeat("a", r.IntN(20))
		for range r.IntN(3) {
			text += special[r.IntN(len(special))] + strings.Repeat("z", r.IntN(12))
		}
		bad := -1
		for i, c := range text {
			if !isChar(c) || c == '\uFFFD' {
				bad = i
				break
			}
		}
		if got := badChar(text); got != bad {
			t.Fatalf("badChar(%q) = %d, want %d", text, got, bad)
		}
		if len(text) < 8 {
			continue
		}
		w := word(text, 0)
		control := strings.IndexFunc(text[:8], func(c rune) bool { return c < 0x20 })
		angle := strings.IndexByte(text[:8], '>')
		if got := lowest(controls(w)); got != control {
			t.Fatalf("%q: the first control character is at %d, not at %d", text[:8], control, got)
		}
		if got := lowest(marks(w, '>')); got != angle {
			t.Fatalf("%q: the first '>' is at %d, not at %d", text[:8], angle, got)
		}
	}
}

// lowest returns which byte has the lowest mark, or -1.
func lowest(marks uint64) int {
	if marks == 0 {
		return -1
	}
	return bits.TrailingZeros64(marks) / 8
}
