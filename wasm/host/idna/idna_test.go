//go:build js && wasm

package idna_test

import (
	"math/rand/v2"
	"strings"
	"syscall/js"
	"testing"
	"unicode"
	"unicode/utf8"

	real "golang.org/x/net/idna"

	"xmpp-pam/wasm/host/idna"
)

// different has the characters that hosts treat differently: later versions of UTS #46
// map U+1E9E to U+00DF, and golang.org/x/net does not apply the Bidi Rule to the Hebrew
// letters that the others are mapped to. Addresses with any of them are refused.
const different = "\u1e9e\u2135\u2136\u2137\u2138"

// inNode reports whether the host is Node.js. Browsers follow later versions of UTS #46,
// which map or ignore more characters, such as U+1D179. They also accept U+1806, the only
// character with which more addresses are accepted.
var inNode = !js.Global().Get("process").Get("versions").IsUndefined()

// compare compares what both packages make of a domain without A-labels.
func compare(t *testing.T, s string) (valid bool) {
	t.Helper()
	got, err := idna.Display.ToUnicode(s)
	want, wantErr := real.Display.ToUnicode(s)
	if strings.ContainsRune(want, utf8.RuneError) { // has a character that golang.org/x/net does not know
		return false
	}
	if (err == nil) != (wantErr == nil) || err == nil && got != want {
		same := (err == nil && got == s) == (wantErr == nil && want == s) // for addresses that are accepted only if prepared
		if same && (!inNode || strings.ContainsAny(s, different)) || !inNode && strings.ContainsRune(s, '\u1806') {
			return false
		}
		t.Errorf("%+q became %+q (%v), not %+q (%v)", s, got, err, want, wantErr)
	}
	return err == nil
}

func TestAllRunes(t *testing.T) {
	valid := 0
	for r := rune(0); r <= 0x323AF; r++ {
		if uniform := 0x3400 <= r && r < 0xA000 || 0xAC00 <= r && r < 0xF900 || 0x20000 <= r && r < 0x2F800 || r > 0x2FA20; uniform && r%97 != 0 ||
			!utf8.ValidRune(r) || unicode.Is(unicode.Cn, r) {
			continue
		}
		for _, s := range []string{string(r), "a" + string(r) + "b"} {
			if compare(t, s) {
				valid++
			}
		}
	}
	if valid < 50_000 {
		t.Errorf("only %d are valid", valid)
	}
}

func TestRandomDomains(t *testing.T) {
	pieces := []string{"a", "b", "Z", "0", "1", "-", "--", ".", ".", "_", "\u00df", "\u00c9", "\u0300", "\u200d", "\u200c", "\u094d", "\u0915", "\u05d0", "\u05d1", "\u0627", "\u0660", "\u3002",
		"\uff0e", "\uff21", "\uff3f", "\u00ad", "\u4e00", "\u1100", "\u1161", "\u2100", "\u2260", "\u03c2", "\u0130", "%", "%41", "[", "@", "/", ":", "\ufeff", "\x00", " "}
	valid := 0
	for seed := range uint64(20_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		s := ""
		for range 1 + random.IntN(6) {
			s += pieces[random.IntN(len(pieces))]
		}
		if compare(t, s) {
			valid++
		}
	}
	if valid < 2000 {
		t.Errorf("only %d are valid", valid)
	}
}

// TestALabels checks that A-labels are decoded. What no U-label encodes to may be refused.
func TestALabels(t *testing.T) {
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 0))
		var label []rune
		for range 1 + random.IntN(20) {
			in := [][2]rune{{'a', 'z'}, {0xDF, 0xF6}, {0x431, 0x44F}, {0x4E00, 0x9FFF}, {0x20000, 0x2A6DF}}[random.IntN(5)]
			label = append(label, in[0]+random.Int32N(in[1]-in[0]+1))
		}
		want, err := real.Display.ToUnicode(string(label) + ".org")
		if err != nil {
			t.Fatalf("%+q: %v", string(label), err)
		}
		encoded, err := real.Punycode.ToASCII(want)
		if err != nil {
			t.Fatalf("%+q: %v", want, err)
		}
		if got, err := idna.Display.ToUnicode(encoded); got != want || err != nil {
			t.Errorf("%s became %+q (%v), not %+q", encoded, got, err, want)
		}
	}
	for _, s := range []string{"xn--", "xn--a", "xn--\u00e9", "xn--999999b", "xn--a-ecp.ru-", "xn--zz--zz", "xn--example-", "xn--MNCHEN-"} {
		if got, err := idna.Display.ToUnicode(s); err == nil {
			t.Errorf("%s became %+q", s, got)
		}
	}
}
