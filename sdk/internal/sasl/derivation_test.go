package sasl_test

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"

	"hash"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/sasl"
)

// TestDerivation compares with the standard library.
func TestDerivation(t *testing.T) {
	hashes := map[string]func() hash.Hash{"SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-512": sha512.New}
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 0))
		password := strings.Repeat("pä", 1+random.IntN(120)) // longer than a block of the hash, too
		salt := make([]byte, 8+random.IntN(200))
		for i := range salt {
			salt[i] = byte(random.Uint32())
		}
		for name, hash := range hashes {
			d := sasl.Derivation{Hash: name, Password: password, Salt: salt, Iterations: 4096 + random.IntN(9000), Size: hash().Size()}
			pauses := 0
			got, err := d.Key(func() error { pauses++; return nil })
			want, _ := pbkdf2.Key(hash, password, salt, d.Iterations, d.Size)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("seed %d, %s: %x, %v; want %x", seed, name, got, err, want)
			}
			if pauses != (d.Iterations-1)/4096 {
				t.Errorf("%d iterations paused %d times", d.Iterations, pauses)
			}
		}
	}
	stop := errors.New("stop")
	d := sasl.Derivation{Hash: "SHA-1", Password: "p", Salt: []byte("salt"), Iterations: 1_000_000, Size: 20}
	n := 0
	if key, err := d.Key(func() error {
		if n++; n == 3 {
			return stop
		}
		return nil
	}); key != nil || err != stop || n != 3 {
		t.Errorf("it went on: %x, %v, %d pauses", key, err, n)
	}
}

// TestDerivationAsked: the mechanism asks for what RFC 5802 §3 says, once, and
// takes only a key of the right size.
func TestDerivationAsked(t *testing.T) {
	for name, size := range map[string]int{sasl.SCRAMSHA1: 20, sasl.SCRAMSHA256: 32, sasl.SCRAMSHA512: 64} {
		for _, wrong := range []int{0, size - 1, size + 1} {
			m := start(t, name, nonce)
			answer, need, err := m.Next([]byte(serverFirst))
			if answer != nil || err != nil || need.Size != size || need.Iterations != 4096 || need.Password != "pencil" || len(need.Salt) != 16 || "SCRAM-"+need.Hash != name {
				t.Fatalf("%s: %x, %+v, %v", name, answer, need, err)
			}
			if m.Finish([]byte(serverFinal)) == nil {
				t.Errorf("%s: success before the proof is accepted", name)
			}
			m = start(t, name, nonce)
			_, _, _ = m.Next([]byte(serverFirst))
			if answer, err := m.Derived(make([]byte, wrong)); err == nil || answer != nil {
				t.Errorf("%s: a key of %d bytes was taken", name, wrong)
			}
			if _, err := m.Derived(make([]byte, size)); err == nil {
				t.Errorf("%s: it continues after a wrong key", name)
			}
		}
		m := start(t, name, nonce)
		if _, err := m.Derived(make([]byte, size)); err == nil {
			t.Errorf("%s: a key that was not requested was accepted", name)
		}
		m = start(t, name, nonce)
		_, _, _ = m.Next([]byte(serverFirst))
		if _, need, err := m.Next([]byte(serverFirst)); err == nil || need != nil {
			t.Errorf("%s: a second challenge before the first is answered was taken", name)
		}
	}
}

// TestAfterTheProof: once the server has proved that it knows the password it has
// nothing more to say.
func TestAfterTheProof(t *testing.T) {
	for _, data := range []string{"x", serverFinal, "v=AAAA", "e=other-error"} {
		m := start(t, sasl.SCRAMSHA256, nonce)
		if _, err := next(m, serverFirst); err != nil {
			t.Fatal(err)
		}
		if _, err := next(m, serverFinal); err != nil {
			t.Fatal(err)
		}
		if err := m.Finish([]byte(data)); kindOf(err) != sasl.KindChallenge {
			t.Errorf("%q after the proof: %v", data, err)
		}
		if m.Finish(nil) == nil {
			t.Errorf("%q after the proof was forgotten", data)
		}
		m = start(t, sasl.SCRAMSHA256, nonce)
		_, _ = next(m, serverFirst)
		_, _ = next(m, serverFinal)
		if _, err := next(m, data); kindOf(err) != sasl.KindChallenge || m.Finish(nil) == nil {
			t.Errorf("the challenge %q after the proof: %v", data, err)
		}
	}
}

// TestWeaker: whatever a server offers, a mechanism weaker than the one used before
// is chosen only if it is named.
func TestWeaker(t *testing.T) {
	all := []string{sasl.SCRAMSHA512, sasl.SCRAMSHA256, sasl.SCRAMSHA1, sasl.Plain}
	for offered := range 1 << len(all) {
		var names []string
		for i, name := range all {
			if offered&(1<<i) != 0 {
				names = append(names, name)
			}
		}
		names = append(names, "SCRAM-SHA-512-PLUS", "X-OTHER")
		for limit, used := range all {
			got, err := sasl.Choose(names, nil, used, true)
			strong, any := offered&(1<<(limit+1)-1) != 0, offered != 0
			switch {
			case strong && (err != nil || len(got) == 0):
				t.Errorf("%q after %s: %v", names, used, err)
			case !strong && any && kindOf(err) != sasl.KindWeaker, !any && kindOf(err) != sasl.KindNoMechanism:
				t.Errorf("%q after %s: %q, %v", names, used, got, err)
			}
			for _, name := range got {
				if !slices.Contains(all[:limit+1], name) {
					t.Errorf("%q after %s: %q", names, used, got)
				}
			}
			if free, err := sasl.Choose(names, all, used, true); any && (err != nil || len(free) == 0) {
				t.Errorf("%q named, after %s: %v", names, used, err)
			}
		}
		if got, err := sasl.Choose(names, nil, "X-OTHER", true); offered != 0 && (err != nil || len(got) == 0) {
			t.Errorf("%q after an unknown mechanism: %v", names, err)
		}
	}
}
