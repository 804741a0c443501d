package sasl_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/sasl"
)

func TestServerFirst(t *testing.T) {
	const salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
	for _, c := range []struct {
		challenge string
		want      sasl.Kind
	}{
		{serverFirst, ""},
		{serverFirst + ",x=unknown,h=kept", ""},
		{"r=" + nonce + "X,s=" + salt + ",i=1000000", ""},

		{"", sasl.KindChallenge},
		{",", sasl.KindChallenge},
		{"r=" + nonce + "X", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + salt, sasl.KindChallenge},
		{"r=" + nonce + "X,i=4096", sasl.KindChallenge},
		{"s=" + salt + ",i=4096", sasl.KindChallenge},
		{"s=" + salt + ",r=" + nonce + "X,i=4096", sasl.KindChallenge},
		{"r=" + nonce + "X,i=4096,s=" + salt, sasl.KindChallenge},
		{serverFirst + ",", sasl.KindChallenge},
		{serverFirst + ",i=", sasl.KindChallenge},
		{serverFirst + ",i=4096", sasl.KindChallenge},
		{serverFirst + ",m=x", sasl.KindChallenge},
		{"m=x," + serverFirst, sasl.KindChallenge},
		{serverFirst + ",1=x", sasl.KindChallenge},
		{serverFirst + ",xx", sasl.KindChallenge},
		{serverFirst + ",x=", sasl.KindChallenge},
		{serverFirst + ",x=\x00", sasl.KindChallenge},
		{serverFirst + ",x=\xff", sasl.KindChallenge},
		{"R" + serverFirst[1:], sasl.KindChallenge},
		{"r=,s=" + salt + ",i=4096", sasl.KindChallenge},
		{"r=" + nonce + "\u00e9,s=" + salt + ",i=4096", sasl.KindChallenge},
		{"r=" + nonce + " X,s=" + salt + ",i=4096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=,i=4096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=!!!!,i=4096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=W22ZaJ0SNY7soEsUEjb6gQ,i=4096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=W22ZaJ0SNY7s\noEsUEjb6gQ==,i=4096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=W22ZaJ0SNY7soEsUEjb6gR==,i=4096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + base64.StdEncoding.EncodeToString([]byte("7 bytes")) + ",i=4096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + salt + ",i=", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + salt + ",i=0", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + salt + ",i=04096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + salt + ",i=+4096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + salt + ",i=-1", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + salt + ",i=4_096", sasl.KindChallenge},
		{"r=" + nonce + "X,s=" + salt + ",i=0x1000", sasl.KindChallenge},

		{"r=" + nonce + ",s=" + salt + ",i=4096", sasl.KindNonce},
		{"r=X" + nonce + ",s=" + salt + ",i=4096", sasl.KindNonce},
		{"r=" + strings.ToLower(nonce) + "X,s=" + salt + ",i=4096", sasl.KindNonce},

		{"r=" + nonce + "X,s=" + salt + ",i=1", sasl.KindIterations},
		{"r=" + nonce + "X,s=" + salt + ",i=4095", sasl.KindIterations},
		{"r=" + nonce + "X,s=" + salt + ",i=1000001", sasl.KindIterations},
		{"r=" + nonce + "X,s=" + salt + ",i=2000000000", sasl.KindIterations},
		{"r=" + nonce + "X,s=" + salt + ",i=99999999999999999999", sasl.KindIterations},

		{"e=unknown-user", sasl.KindServerError},
	} {
		m := start(t, sasl.SCRAMSHA256, nonce)
		_, err := next(m, c.challenge)
		if got := kindOf(err); got != c.want {
			t.Errorf("Next(%q) = %v (%q), want %q", c.challenge, err, got, c.want)
		}
		if err != nil {
			if _, err := next(m, serverFirst); err == nil {
				t.Errorf("after Next(%q) failed, the mechanism went on", c.challenge)
			}
			if m.Finish([]byte(serverFinal)) == nil {
				t.Errorf("after Next(%q) failed, Finish succeeded", c.challenge)
			}
		}
	}
}

func TestServerFinal(t *testing.T) {
	for _, c := range []struct {
		data string
		want sasl.Kind
	}{
		{serverFinal, ""},
		{serverFinal + ",x=ignored", ""},
		{"", sasl.KindServerProof},
		{"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", sasl.KindChallenge}, // not canonical base64
		{"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", sasl.KindServerProof},
		{"v=6rriTRBi", sasl.KindServerProof},
		{"v=", sasl.KindChallenge},
		{"x=1," + serverFinal, sasl.KindChallenge},
		{serverFinal + ",v=AAAA", sasl.KindChallenge},
		{serverFinal + ",m=x", sasl.KindChallenge},
		{serverFinal + ",", sasl.KindChallenge},
		{"e=invalid-proof", sasl.KindServerError},
		{"e=other-error,x=1", sasl.KindServerError},
	} {
		t.Run(c.data, func(t *testing.T) {
			m := start(t, sasl.SCRAMSHA256, nonce)
			if _, err := next(m, serverFirst); err != nil {
				t.Fatal(err)
			}
			if err := m.Finish([]byte(c.data)); kindOf(err) != c.want {
				t.Errorf("Finish = %v, want kind %q", err, c.want)
			}
			if c.data == "" {
				return
			}
			// The same as a challenge, then success without data.
			m = start(t, sasl.SCRAMSHA256, nonce)
			if _, err := next(m, serverFirst); err != nil {
				t.Fatal(err)
			}
			answer, err := next(m, c.data)
			if kindOf(err) != c.want || len(answer) != 0 {
				t.Errorf("Next = %q, %v, want kind %q", answer, err, c.want)
			}
			if err = m.Finish(nil); (err == nil) != (c.want == "") {
				t.Errorf("Finish after the challenge = %v", err)
			}
		})
	}
}

// TestBounds: what is refused is refused whatever the hash.
func TestBounds(t *testing.T) {
	for _, name := range []string{sasl.SCRAMSHA512, sasl.SCRAMSHA256, sasl.SCRAMSHA1} {
		for change, want := range map[[2]string]sasl.Kind{
			{"i=4096", "i=4095"}:                          sasl.KindIterations,
			{"i=4096", "i=1000001"}:                       sasl.KindIterations,
			{"r=" + nonce + "%", "r=%" + nonce}:           sasl.KindNonce,
			{"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ""}:        sasl.KindNonce,
			{"s=W22ZaJ0SNY7soEsUEjb6gQ==", "s=W22ZaJ0S="}: sasl.KindChallenge,
		} {
			m, err := sasl.New(name, sasl.Credentials{Username: "user", Password: "pencil", Nonce: func() string { return nonce }})
			if err != nil {
				t.Fatal(err)
			}
			m.Start()
			if _, err := next(m, strings.Replace(serverFirst, change[0], change[1], 1)); kindOf(err) != want {
				t.Errorf("%s: %q instead of %q: %v, want %q", name, change[1], change[0], err, want)
			}
		}
		// The signature of another hash, and none.
		for _, final := range []string{serverFinal, ""} {
			m := start(t, name, nonce)
			if _, err := next(m, serverFirst); err != nil {
				t.Fatal(err)
			}
			if err := m.Finish([]byte(final)); (err == nil) != (name == sasl.SCRAMSHA256 && final != "") {
				t.Errorf("%s: Finish(%q) = %v", name, final, err)
			}
		}
	}
}

func TestEarlySuccess(t *testing.T) {
	m := start(t, sasl.SCRAMSHA256, nonce)
	if err := m.Finish([]byte(serverFinal)); kindOf(err) != sasl.KindChallenge {
		t.Errorf("success before our proof: %v", err)
	}
	m = start(t, sasl.SCRAMSHA256, nonce)
	if err := m.Finish(nil); err == nil {
		t.Error("success before our proof, without data, was accepted")
	}
}

func TestUsernameIsEscaped(t *testing.T) {
	m, err := sasl.New(sasl.SCRAMSHA1, sasl.Credentials{Username: "a=b,c=3D", Password: "p", Nonce: func() string { return "n" }})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := m.Start(); string(got) != "n,,n=a=3Db=2Cc=3D3D,r=n" {
		t.Errorf("Start() = %q", got)
	}
}

// FuzzSCRAM feeds any two server messages: only the right server is believed,
// and nothing panics or hangs.
func FuzzSCRAM(f *testing.F) {
	f.Add(serverFirst, serverFinal)
	f.Add(serverFirst, "e=other-error")
	f.Add("r="+nonce+"X,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,", "v=")
	f.Add("r="+nonce+"X,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=,", ",")
	f.Fuzz(func(t *testing.T, first, final string) {
		if _, need, _ := start(t, sasl.SCRAMSHA1, nonce).Next([]byte(first)); need != nil && need.Iterations > 5000 {
			return // It would take long, and be no different.
		}
		if m := start(t, sasl.SCRAMSHA512, nonce); strings.Contains(first, ",i=4096") {
			if _, err := next(m, first); err == nil && m.Finish([]byte(final)) == nil {
				t.Fatalf("%q was believed after %q", final, first)
			}
		}
		m, err := sasl.New(sasl.SCRAMSHA256, sasl.Credentials{
			Username: "user", Password: "pencil", Nonce: func() string { return nonce }})
		if err != nil {
			t.Fatal(err)
		}
		m.Start()
		answer, err := next(m, first)
		if err != nil {
			if kindOf(err) == "" || answer != nil || m.Finish([]byte(final)) == nil {
				t.Fatalf("after %v: %q", err, answer)
			}
			return
		}
		if !strings.HasPrefix(first, "r="+nonce) || !strings.Contains(first, ",i=4") || !strings.HasPrefix(string(answer), "c=biws,r="+nonce) {
			t.Fatalf("%q was answered with %q", first, answer)
		}
		if m.Finish([]byte(final)) == nil && !(first == serverFirst && strings.HasPrefix(final, serverFinal)) {
			// A right signature for another challenge cannot be found by chance.
			t.Fatalf("%q was believed after %q", final, first)
		}
	})
}
