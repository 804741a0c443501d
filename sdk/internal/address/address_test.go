package address

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/address/addresstest"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"alice@example.org":            "alice@example.org",
		"Alice@Example.ORG/Desk":       "alice@example.org/Desk",
		"example.org":                  "example.org",
		"ABCXYZ.Example":               "abcxyz.example",
		"example.org/a@b/c":            "example.org/a@b/c",
		"alice@münchen.example":        "alice@münchen.example",
		"alice@MüNCHEN.Example":        "alice@münchen.example",
		"alice@localhost":              "alice@localhost",
		"alice@127.0.0.1":              "alice@127.0.0.1",
		"alice@[2001:db8::1]/x":        "alice@[2001:db8::1]/x",
		"ａlice@example.org":            "alice@example.org", // a localpart may be mapped: RFC 7622 §3.3.1
		"alice@example.org/\u00a0x":    "alice@example.org/ x",
		"alice@xn--mnchen-3ya.example": "",
		"alice@xn--example-.org":       "",
		"alice@XN--EXAMPLE-.org":       "",
		"alice@example.org.":           "",
		"alice@example.org\u3002":      "",
		"alice@exam\u00adple.org":      "",
		"alice@exam\u200bple.org":      "",
		"alice@ｅxample.org":            "",
		"alice@MÜNCHEN.example":        "",
		"alice@\U0001f130.example":     "",
		"alice@\u212a.example":         "", // the Kelvin sign
		"a@b@c":                        "",
		"":                             "",
		"@example.org":                 "",
	} {
		j, err := Parse(text)
		if (err == nil) != (want != "") || err == nil && j.String() != want {
			t.Errorf("%+q: %q, %v", text, j, err)
		}
		if strings.Contains(text, "xn--") && !errors.Is(err, ErrDomain) {
			t.Errorf("%+q: %v", text, err)
		}
	}
}

// TestLookalikes checks that of the domains that jid.Parse accepts, only one written
// exactly like the account's domain counts as that domain.
func TestLookalikes(t *testing.T) {
	taken := 0
	for seed := range uint64(20_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		domain := []string{"localhost", "example.org", "pubsub.example.org", "münchen.example", "[::1]"}[random.IntN(5)]
		fake := addresstest.LookAlike(random, domain)
		theirs, err := jid.Parse("alice@" + fake)
		same := lowerASCII(fake) == domain
		if err == nil && theirs.Domainpart() == domain && !same {
			taken++
		}
		ours, err := Parse("alice@" + fake)
		if equal := err == nil && ours.String() == "alice@"+domain; equal != same {
			t.Fatalf("seed %d: %+q for %q: %q, %v", seed, fake, domain, ours, err)
		}
		if Equal("alice@"+fake, "alice@"+domain) != same {
			t.Fatalf("seed %d: %+q equals %q: %v", seed, fake, domain, !same)
		}
	}
	if taken < 5000 {
		t.Errorf("only %d of the look-alikes are such", taken)
	}
}

// TestEqual compares Equal with the comparison of parsed JIDs, for texts that differ in
// case, in spelling or in one character.
func TestEqual(t *testing.T) {
	slow := func(a, b string) bool {
		ja, errA := Parse(a)
		jb, errB := Parse(b)
		return a == b || errA == nil && errB == nil && ja.Equal(jb)
	}
	pieces := []string{"alice", "ALICE", "Alice", "ａlice", "alic\u00e9", "alice\u0301", "\u212a", "k", "K", "\u017f", "s", "ß", "ss", "a", "@", "@", "@", "@", "/", "/", "",
		"example.org", "Example.ORG", "exámple.org", "EXÁMPLE.org", "xn--exmple-qta.org", "example.org.", "[::1]", "x", "X", "\u00a0", " ", "\xff", "desk", "Desk"}
	equal := 0
	for seed := range uint64(100_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		some := func() (s string) {
			for range 1 + random.IntN(2) {
				s += pieces[random.IntN(len(pieces))]
			}
			return s
		}
		local, domain, resource := some(), some(), some()
		a := local + "@" + domain + "/" + resource
		switch random.IntN(4) {
		case 0:
			local = some()
		case 1:
			domain = some()
		case 2:
			resource = some()
		}
		b := local + "@" + domain + "/" + resource
		if random.IntN(4) == 0 {
			b = strings.ToUpper(b)
		}
		want := slow(a, b)
		if Equal(a, b) != want || Equal(b, a) != want {
			t.Fatalf("seed %d: %+q equals %+q: %v", seed, a, b, !want)
		}
		if want && a != b {
			equal++
		}
	}
	if equal < 200 {
		t.Errorf("only %d pairs are equal, but not the same text", equal)
	}
}
