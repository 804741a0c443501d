//go:build js && wasm

package norm_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/transform"
	real "golang.org/x/text/unicode/norm"

	"xmpp-pam/wasm/host/norm"
)

var forms = []struct {
	name string
	host norm.Form
	real real.Form
}{
	{"NFC", norm.NFC, real.NFC},
	{"NFD", norm.NFD, real.NFD},
	{"NFKC", norm.NFKC, real.NFKC},
	{"NFKD", norm.NFKD, real.NFKD},
}

// assigned reports whether golang.org/x/text knows r. The host may know more.
func assigned(r rune) bool { return !unicode.Is(unicode.Cn, r) }

// inContext returns r alone and, if it may be composed or exchanged with others before
// it, after some.
func inContext(r rune) (s string) {
	s = string(r) + "."
	if unicode.Is(unicode.M, r) || r < 0x3000 || !assigned(r) {
		for _, before := range []string{"a\u0300", "a\u0334", "\u1100", "\u1100\u1161"} {
			s += before + string(r) + "."
		}
	}
	return s
}

// TestAllRunes compares the forms of each character that golang.org/x/text knows. Those
// that only the host knows are tested by TestPrepared of package address.
func TestAllRunes(t *testing.T) {
	if real.Version != unicode.Version {
		t.Fatalf("golang.org/x/text has Unicode %s, and Go has %s", real.Version, unicode.Version)
	}
	const several = 64 // in one call, for speed
	for first := rune(0); first <= unicode.MaxRune; first += several {
		text, any := "", false
		for r := first; r < first+several; r++ {
			text += inContext(r)
			any = any || assigned(r)
		}
		if !any {
			continue
		}
		for _, f := range forms {
			if f.host.String(text) == f.real.String(text) {
				continue
			}
			for r := first; r < first+several; r++ {
				s := inContext(r)
				if host, want := f.host.String(s), f.real.String(s); host != want && assigned(r) {
					t.Errorf("%s of %+q is %+q, not %+q", f.name, s, host, want)
				}
			}
		}
	}
	if assigned(0x378) || !assigned(0x300) {
		t.Error("U+0378 is assigned, or U+0300 is not")
	}
}

// randomText returns characters that normalisation changes or depends on.
func randomText(random *rand.Rand) string {
	ranges := [][2]rune{{0, 0x7F}, {0xA0, 0x24F}, {0x300, 0x36F}, {0x340, 0x345}, {0x590, 0x5FF}, {0x900, 0xDFF}, {0xF71, 0xF84}, {0x1100, 0x11FF},
		{0x1D00, 0x22FF}, {0x3040, 0x30FF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFB00, 0xFDFF}, {0xFE70, 0xFFEF}, {0x11000, 0x1193F}, {0x1D100, 0x1D1FF}, {0x2F800, 0x2FA1D}}
	var s []byte
	for range random.IntN(12) {
		switch random.IntN(40) {
		case 1:
			s = append(s, "\ufeff"...)
		case 2:
			s = append(s, "\ufffd"...)
		default:
			in := ranges[random.IntN(len(ranges))]
			if r := in[0] + random.Int32N(in[1]-in[0]+1); assigned(r) {
				s = utf8.AppendRune(s, r)
			}
		}
	}
	return string(s)
}

func TestRandomTexts(t *testing.T) {
	changed := 0
	for seed := range uint64(5000) {
		s := randomText(rand.New(rand.NewPCG(seed, 0)))
		for _, f := range forms {
			want := f.real.String(s)
			if want != s {
				changed++
			}
			check(t, f.name, f.host, s, want)
		}
	}
	if changed < 5000 {
		t.Errorf("only %d texts are changed", changed)
	}
}

// check compares all functions of a form with what golang.org/x/text returns.
func check(t *testing.T, name string, form norm.Form, s, want string) {
	t.Helper()
	appended, _, err := transform.Append(form, []byte("<"), []byte(s))
	switch same := s == want; {
	case form.String(s) != want, string(form.Bytes([]byte(s))) != want:
		t.Fatalf("%s of %+q is %+q, not %+q", name, s, form.String(s), want)
	case string(appended) != "<"+want || err != nil:
		t.Fatalf("%s of %+q was transformed to %+q, %v", name, s, appended, err)
	case form.IsNormalString(s) != same, (form.QuickSpan([]byte(s)) == len(s)) != (same || s == ""):
		t.Fatalf("%s: %+q is normal: %v, %d", name, s, form.IsNormalString(s), form.QuickSpan([]byte(s)))
	}
	n, err := form.Span([]byte(s), true)
	if same := s == want; same && (n != len(s) || err != nil) || !same && (err != transform.ErrEndOfSpan || n != 0) {
		t.Fatalf("%s of %+q: span %d, %v", name, s, n, err)
	}
}

// TestManyMarks checks that joiners are inserted where golang.org/x/text inserts them,
// which bounds the time of a hostile text.
func TestManyMarks(t *testing.T) {
	for _, n := range []int{1, 29, 30, 31, 59, 60, 61, 62, 500} {
		for _, s := range []string{
			"x" + strings.Repeat("\u0316", n),
			"x" + strings.Repeat("\u0334", n) + "\u4e00y",
			strings.Repeat("\u0316", n),
		} {
			for _, f := range forms {
				check(t, f.name, f.host, s, f.real.String(s))
			}
		}
	}
	long := "x" + strings.Repeat("\u0300\u0334", 50_000)
	for _, f := range forms {
		if got := f.host.String(long); !strings.Contains(got, "\u034f") {
			t.Errorf("%s: no joiner", f.name)
		}
	}
}

// TestASCII checks that ASCII is not given to the host, which would allocate.
func TestASCII(t *testing.T) {
	text := strings.Repeat("alice@example.org", 10)
	for _, f := range forms {
		if n := testing.AllocsPerRun(100, func() { _ = f.host.String(text) }); n != 0 {
			t.Errorf("%s: %v allocations", f.name, n)
		}
	}
}

// TestInvalid checks that a text which is not valid stays as it is.
func TestInvalid(t *testing.T) {
	for _, s := range []string{"e\u0301\xff", "\xf4\u0145", "\xed\xa0\x80"} {
		check(t, "NFC", norm.NFC, s, s)
	}
}

// TestPieces checks that a text in pieces is refused.
func TestPieces(t *testing.T) {
	if _, _, err := norm.NFC.Transform(make([]byte, 9), []byte("é"), false); err != transform.ErrShortSrc {
		t.Errorf("Transform: %v", err)
	}
	if _, err := norm.NFC.Span([]byte("é"), false); err != transform.ErrShortSrc {
		t.Errorf("Span: %v", err)
	}
}
