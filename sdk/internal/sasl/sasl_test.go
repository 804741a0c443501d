package sasl_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/sasl"
)

// start returns a started mechanism for user/pencil with the given nonce.
func start(t testing.TB, name, nonce string) sasl.Mechanism {
	t.Helper()
	m, err := sasl.New(name, sasl.Credentials{
		Username: "user", Password: "pencil", Nonce: func() string { return nonce }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = m.Start(); err != nil {
		t.Fatal(err)
	}
	return m
}

// next answers a challenge, whatever that takes.
func next(m sasl.Mechanism, challenge string) ([]byte, error) {
	answer, need, err := m.Next([]byte(challenge))
	if need == nil {
		return answer, err
	}
	key, err := need.Key(func() error { return nil })
	if err != nil {
		return nil, err
	}
	return m.Derived(key)
}

func kindOf(err error) sasl.Kind {
	var e *sasl.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// TestVectors checks the examples of RFC 5802 §5 and RFC 7677 §3. No RFC has one
// for SHA-512: it is that of RFC 7677, computed with Python's hashlib and hmac,
// which give the RFC's own values for SHA-256.
func TestVectors(t *testing.T) {
	for _, v := range []struct{ name, nonce, first, serverFirst, final, serverFinal string }{
		{
			sasl.SCRAMSHA1, "fyko+d2lbbFgONRv9qkxdawL",
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		}, {
			sasl.SCRAMSHA256, "rOprNGfwEbeRWgbNEkqO",
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		}, {
			sasl.SCRAMSHA512, nonce, "n,,n=user,r=" + nonce, serverFirst, "c=biws,r=" + nonce + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=" +
				"gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
			"v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
		},
	} {
		t.Run(v.name, func(t *testing.T) {
			m, err := sasl.New(v.name, sasl.Credentials{Username: "user", Password: "pencil", Nonce: func() string { return v.nonce }})
			if err != nil {
				t.Fatal(err)
			}
			if m.Name() != v.name {
				t.Errorf("Name() = %q", m.Name())
			}
			if got, err := m.Start(); string(got) != v.first || err != nil {
				t.Fatalf("Start() = %q, %v; want %q", got, err, v.first)
			}
			if got, err := next(m, v.serverFirst); string(got) != v.final || err != nil {
				t.Fatalf("Next() = %q, %v; want %q", got, err, v.final)
			}
			if err := m.Finish([]byte(v.serverFinal)); err != nil {
				t.Fatalf("Finish() = %v", err)
			}
		})
	}
}

const (
	nonce       = "rOprNGfwEbeRWgbNEkqO"
	serverFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

func TestNew(t *testing.T) {
	fresh := func() string { return "abc" }
	for _, c := range []struct {
		name string
		cred sasl.Credentials
		want sasl.Kind
	}{
		{sasl.SCRAMSHA256, sasl.Credentials{Username: "u", Password: "p", Nonce: fresh}, ""},
		{sasl.Plain, sasl.Credentials{Username: "u", Password: "p"}, ""},
		{"SCRAM-SHA-256-PLUS", sasl.Credentials{Username: "u", Password: "p", Nonce: fresh}, sasl.KindNoMechanism},
		{"", sasl.Credentials{Username: "u", Password: "p", Nonce: fresh}, sasl.KindNoMechanism},
		{sasl.SCRAMSHA256, sasl.Credentials{Username: "u", Nonce: fresh}, sasl.KindCredentials},
		{sasl.SCRAMSHA256, sasl.Credentials{Password: "p", Nonce: fresh}, sasl.KindCredentials},
		{sasl.SCRAMSHA256, sasl.Credentials{Username: "u", Password: "p"}, sasl.KindCredentials},
		{sasl.SCRAMSHA256, sasl.Credentials{Username: "u\x00", Password: "p", Nonce: fresh}, sasl.KindCredentials},
		{sasl.SCRAMSHA256, sasl.Credentials{Username: "u", Password: "\xff", Nonce: fresh}, sasl.KindCredentials},
		{sasl.SCRAMSHA256, sasl.Credentials{Username: "u", Password: "\u00ad", Nonce: fresh}, sasl.KindCredentials},
		{sasl.Plain, sasl.Credentials{Username: "u", Password: "p\x00q"}, sasl.KindCredentials},
		{sasl.Plain, sasl.Credentials{Username: "u\x00", Password: "p"}, sasl.KindCredentials},
	} {
		if _, err := sasl.New(c.name, c.cred); kindOf(err) != c.want || (err == nil) != (c.want == "") {
			t.Errorf("New(%q, %+q) = %v, want kind %q", c.name, c.cred.Password, err, c.want)
		}
	}
	for _, bad := range []string{"", "a,b", "a b", "é", "a\n"} {
		m, err := sasl.New(sasl.SCRAMSHA1, sasl.Credentials{Username: "u", Password: "p", Nonce: func() string { return bad }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = m.Start(); kindOf(err) != sasl.KindCredentials {
			t.Errorf("Start with nonce %q: %v", bad, err)
		}
	}
}

// TestPrepared checks the examples of RFC 4013 §3, and that a password typed
// in another form of the same characters gives the same proof.
func TestPrepared(t *testing.T) {
	proof := func(password string) string {
		m, err := sasl.New(sasl.SCRAMSHA256, sasl.Credentials{Username: "user", Password: password, Nonce: func() string { return nonce }})
		if err != nil {
			t.Fatal(err)
		}
		m.Start()
		final, err := next(m, serverFirst)
		if err != nil {
			t.Fatal(err)
		}
		return string(final)
	}
	for _, pair := range [][2]string{
		{"I\u00adX", "IX"}, {"\u00aa", "a"}, {"\u2168", "IX"}, {"e\u0301", "\u00e9"}, {"a\u00a0b", "a b"}, {"a\u200bb", "a b"}, {"\ufeffx", "x"},
	} {
		if proof(pair[0]) != proof(pair[1]) {
			t.Errorf("%+q and %+q differ", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"USER", "user"}, {"a b", "ab"}} {
		if proof(pair[0]) == proof(pair[1]) {
			t.Errorf("%q and %q are the same", pair[0], pair[1])
		}
	}
}

func TestPlain(t *testing.T) {
	m := start(t, sasl.Plain, "")
	if got, err := m.Start(); string(got) != "\x00user\x00pencil" || err != nil {
		t.Errorf("Start() = %q, %v", got, err)
	}
	if err := m.Finish(nil); err != nil {
		t.Errorf("Finish() = %v", err)
	}
	if _, err := next(m, ""); kindOf(err) != sasl.KindChallenge {
		t.Errorf("Next() = %v", err)
	}
	if m.Finish(nil) == nil {
		t.Error("Finish succeeded after a failure")
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		offered, allowed string
		private          bool
		want             string
		kind             sasl.Kind
	}{
		{"PLAIN SCRAM-SHA-1 SCRAM-SHA-256", "*", true, "SCRAM-SHA-256 SCRAM-SHA-1", ""},
		{"SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 PLAIN", "*", false, "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1", ""},
		{"SCRAM-SHA-512-PLUS PLAIN", "*", false, "", sasl.KindTLSRequired},
		{"SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1", "*", false, "SCRAM-SHA-1", ""},
		{"SCRAM-SHA-256-PLUS", "*", true, "", sasl.KindNoMechanism},
		{"PLAIN", "*", true, "PLAIN", ""},
		{"PLAIN", "*", false, "", sasl.KindTLSRequired},
		{"PLAIN SCRAM-SHA-1", "PLAIN", true, "PLAIN", ""},
		{"PLAIN SCRAM-SHA-1", "PLAIN", false, "", sasl.KindTLSRequired},
		{"PLAIN", "SCRAM-SHA-1 SCRAM-SHA-256", true, "", sasl.KindNoMechanism},
		{"PLAIN SCRAM-SHA-1 SCRAM-SHA-256", "SCRAM-SHA-1", true, "SCRAM-SHA-1", ""},
		{"plain scram-sha-1", "*", true, "", sasl.KindNoMechanism},
		{"EXTERNAL DIGEST-MD5", "*", true, "", sasl.KindNoMechanism},
		{"SCRAM-SHA-1", "", true, "", sasl.KindNoMechanism},
	} {
		allowed := strings.Fields(c.allowed)
		if c.allowed == "*" {
			allowed = nil
		}
		got, err := sasl.Choose(strings.Fields(c.offered), allowed, "", c.private)
		if !slices.Equal(got, strings.Fields(c.want)) || kindOf(err) != c.kind {
			t.Errorf("Choose(%q, %q, %v) = %q, %v", c.offered, c.allowed, c.private, got, err)
		}
	}
}
