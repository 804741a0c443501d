package jstext

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// TestTexts compares random texts: encoding/json must read what AppendJSON has written,
// and unicode/utf16 must count as many units as Len.
func TestTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	special := []string{"\x00", "\x08", "\x1f", "\n", "\r", "\t", " ", "!", `"`, "#", "[", `\`, "]", "\x7f", "é", "€", "\uD7FF", "\uFFFD", "\uFFFF", "😀",
		"\u2028", "\xff", "\x80", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xf0\x9f\x98"}
	for range 200_000 {
		text := strings.Repeat("a", r.IntN(20))
		for range r.IntN(6) {
			text += special[r.IntN(len(special))] + strings.Repeat("z", r.IntN(10)*r.IntN(2))
		}
		want := string([]rune(text))
		written := AppendJSON([]byte("x"), text)
		var got string
		if err := json.Unmarshal(written[1:], &got); err != nil || got != want || !utf8.Valid(written) {
			t.Fatalf("%q was written as %q: %v", text, written, err)
		}
		if n := len(utf16.Encode([]rune(want))); Len(want) != n {
			t.Fatalf("Len(%q) = %d, not %d", want, Len(want), n)
		}
	}
}

// TestNoAllocations checks that a text without escapes is written without an allocation.
func TestNoAllocations(t *testing.T) {
	room := make([]byte, 0, 4096)
	text := strings.Repeat("é€😀 plain\n\"", 100)
	if n := testing.AllocsPerRun(10, func() { AppendJSON(room, text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
