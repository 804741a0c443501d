package sasl

import (
	"crypto/hmac"
	"crypto/subtle"
)

// A Derivation describes the expensive computation of SCRAM: SaltedPassword =
// Hi(password, salt, i) of RFC 5802 §2.2, which is PBKDF2 (RFC 8018 §5.2) with HMAC and
// a key as long as the hash. The caller computes it where it does not block other work,
// and passes the key to Mechanism.Derived.
type Derivation struct {
	Hash       string // "SHA-1", "SHA-256" or "SHA-512", as in Web Cryptography
	Password   string // normalised as SASLprep requires, in UTF-8
	Salt       []byte
	Iterations int // MinIterations to MaxIterations
	Size       int // size of the key in bytes
}

// derivationSlice is the number of iterations between two pauses. They take about 2 ms
// natively and 10 ms in WebAssembly.
const derivationSlice = 4096

// Key computes the key. It calls pause every 4096 iterations, so that other code can run
// in between. If pause returns an error, Key stops and returns it.
func (d Derivation) Key(pause func() error) ([]byte, error) {
	mac := hmac.New(hashes["SCRAM-"+d.Hash], []byte(d.Password))
	mac.Write(d.Salt)
	mac.Write([]byte{0, 0, 0, 1})
	u := mac.Sum(nil)
	key := append([]byte(nil), u...)
	for i := 1; i < d.Iterations; i++ {
		if i%derivationSlice == 0 {
			if err := pause(); err != nil {
				return nil, err
			}
		}
		mac.Reset()
		mac.Write(u)
		u = mac.Sum(u[:0])
		subtle.XORBytes(key, key, u)
	}
	return key, nil
}
