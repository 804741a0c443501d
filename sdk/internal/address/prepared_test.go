package address

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"unicode"
	"unicode/utf8"

	"mellium.im/xmpp/jid"
)

// TestPrepared checks that addresses are prepared alike everywhere: the program for
// browsers is built with other packages in the place of golang.org/x/text and
// golang.org/x/net (see js/scripts/modules.mjs), and may run in a host that knows a newer
// version of Unicode: such a host accepts domains with newer characters. The sums change
// with the version of Unicode of golang.org/x/text.
func TestPrepared(t *testing.T) {
	sum := fnv.New64a()
	accepted := 0
	add := func(local, resource string) {
		j, err := jid.New(local, "example.org", resource)
		if err == nil {
			accepted++
		}
		fmt.Fprintf(sum, "%+q %+q %+q %v\n", local, resource, j.String(), err != nil)
	}
	addDomain := func(domain string) {
		j, err := Parse("a@" + domain)
		if err == nil {
			accepted++
		}
		fmt.Fprintf(sum, "%+q %+q\n", domain, j.String())
	}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if uniform := 0x3400 <= r && r < 0xA000 || 0xAC00 <= r && r < 0xF900 || 0x20000 <= r; uniform && r%61 != 0 && r < 0x2F800 || r > 0x323B0 && r%4099 != 0 || !utf8.ValidRune(r) {
			continue // Most ideographs, Hangul syllables and planes without characters are alike.
		}
		add("a"+string(r), "")
		add("", "a"+string(r))
		if !unicode.Is(unicode.Cn, r) {
			addDomain("a" + string(r) + "b.example")
			addDomain(string(r) + "1")
		}
	}
	check := func(what string, wantAccepted int, want uint64) {
		t.Helper()
		if accepted != wantAccepted || sum.Sum64() != want {
			t.Errorf("%s: %d are accepted, with the sum %#x", what, accepted, sum.Sum64())
		}
	}
	check("all characters", 173286, 0x2e4a1e3a7ebdda20)
	for seed := range uint64(20_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		add(addressPart(random), addressPart(random))
		addDomain(addressPart(random))
	}
	check("random texts", 176288, 0x761352e5752e20e7)
}

// addressPart returns characters that preparation changes or refuses.
func addressPart(random *rand.Rand) (s string) {
	pieces := []string{"a", "Z", "1", "\u0300", "\u0316", "\u0334", "\u0345", "\u00c9", "\u0130", "\u03a3", "\u1e9e", "\uff21", "\uff76", "\uff9e", "\uffa1", "\u3000", "\u00a0",
		"\u05d0", "\u0627", "\u0660", "\u1100", "\u1161", "\u11a8", "\uac00", "\u4e00", "\uf900", "\u200d", "\u094d", "\u0915", "\u093c", "\u30fb", "\ufeff", "\u00ad", "\U0001f600"}
	ranges := [][2]rune{{0xC0, 0x24F}, {0x370, 0x58F}, {0x590, 0x6FF}, {0x900, 0xDFF}, {0x1E00, 0x1FFF}, {0x3040, 0x30FF}, {0xAC00, 0xD7A3}, {0xFF01, 0xFFEE}, {0x10400, 0x104FF}}
	for range 1 + random.IntN(6) {
		s += pieces[random.IntN(len(pieces))]
		if in := ranges[random.IntN(len(ranges))]; random.IntN(3) == 0 {
			s += string(in[0] + random.Int32N(in[1]-in[0]+1))
		}
	}
	return s
}
