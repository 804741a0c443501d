package element

import (
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
		w, plain, has := word(text, 0), true, false
		for i := range 8 {
			plain = plain && text[i] >= 0x20 && text[i] < 0x80
			has = has || text[i] == '>'
		}
		if plainWord(w) != plain || hasByte(w, '>') != has {
			t.Fatalf("%q: plain %v, has > %v", text[:8], plainWord(w), hasByte(w, '>'))
		}
	}
}
