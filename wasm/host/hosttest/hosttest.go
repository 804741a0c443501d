// Package hosttest compares transformers with those that they stand in for.
package hosttest

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// Same checks that two transformers do the same with every code point and with random
// bytes: with whole texts, and with texts that come in pieces or find little room.
func Same(t *testing.T, got, want transform.SpanningTransformer) {
	t.Helper()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		same(t, got, want, string(r))
	}
	changed := 0
	for seed := range uint64(100_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		s := text(random)
		if same(t, got, want, s) {
			changed++
		}
		pieces(t, random, got, want, s)
	}
	if changed < 1000 {
		t.Errorf("only %d texts are changed", changed)
	}
}

func text(random *rand.Rand) string {
	var s []byte
	for range random.IntN(10) {
		switch random.IntN(8) {
		case 0:
			s = append(s, byte(random.IntN(256)))
		case 1:
			s = utf8.AppendRune(s, random.Int32N(0x10000))
		case 2:
			s = utf8.AppendRune(s, 0xFF00+random.Int32N(0x100))
		case 3:
			s = utf8.AppendRune(s, []rune{0x130, 0x3A3, 0x3000, 0xFFFD, 0x1E9E, 0x10400}[random.IntN(6)])
		default:
			s = utf8.AppendRune(s, random.Int32N(0x600))
		}
	}
	return string(s)
}

// same compares what the transformers do with a text, and reports whether they change it.
func same(t *testing.T, got, want transform.SpanningTransformer, s string) bool {
	t.Helper()
	a, _, errA := transform.String(got, s)
	b, _, errB := transform.String(want, s)
	if a != b || errA != errB {
		t.Fatalf("%+q became %+q (%v), not %+q (%v)", s, a, errA, b, errB)
	}
	n, err := got.Span([]byte(s), true)
	if (err == nil) != (b == s) || err == nil && n != len(s) || err != nil && err != transform.ErrEndOfSpan || !bytes.HasPrefix([]byte(b), []byte(s[:n])) {
		t.Fatalf("%+q: span %d, %v", s, n, err)
	}
	return s != b
}

// pieces transforms s with little room, in two pieces.
func pieces(t *testing.T, random *rand.Rand, got, want transform.SpanningTransformer, s string) {
	t.Helper()
	whole, _, _ := transform.String(want, s)
	var result []byte
	room := make([]byte, 4+random.IntN(8))
	end := random.IntN(len(s) + 1)
	for at := 0; ; {
		nDst, nSrc, err := got.Transform(room, []byte(s[at:end]), end == len(s))
		result = append(result, room[:nDst]...)
		at += nSrc
		switch {
		case err == nil && at != end, err == transform.ErrShortDst && nDst == 0, err == transform.ErrShortSrc && end == len(s):
			t.Fatalf("%+q from %d to %d: %d, %d, %v", s, at, end, nDst, nSrc, err)
		case end < len(s) && err != transform.ErrShortDst:
			end = len(s)
		case err == nil:
			if string(result) != whole {
				t.Fatalf("%+q in pieces became %+q, not %+q", s, result, whole)
			}
			return
		}
	}
}
