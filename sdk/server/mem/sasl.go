package mem

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"sync"
)

// iterations is the PBKDF2 count of RFC 7677 §4.
const iterations = 4096

// hashes are the supported SCRAM mechanisms (RFC 5802, RFC 7677, and the same with
// SHA-512).
var hashes = map[string]func() hash.Hash{
	"SCRAM-SHA-512": sha512.New,
	"SCRAM-SHA-256": sha256.New,
	"SCRAM-SHA-1":   sha1.New,
}

// secrets are what a password is checked with. No SASLprep is applied, so non-ASCII
// passwords must be in NFKC.
type secrets struct {
	salt  []byte
	plain []byte                          // checks PLAIN (RFC 4616), without iterations: tests log in thousands of times
	scram map[string]func() (keys, error) // by mechanism; derived at the first login with it
}

// keys are what a server needs for SCRAM (RFC 5802 §3).
type keys struct {
	stored, server []byte
}

func newSecrets(password string) *secrets {
	c := &secrets{salt: make([]byte, 16), scram: map[string]func() (keys, error){}}
	rand.Read(c.salt)
	c.plain = mac(sha256.New, c.salt, password)
	for mech, h := range hashes {
		c.scram[mech] = sync.OnceValues(func() (keys, error) { return derive(h, password, c.salt) })
	}
	return c
}

func derive(h func() hash.Hash, password string, salt []byte) (keys, error) {
	salted, err := pbkdf2.Key(h, password, salt, iterations, h().Size())
	if err != nil {
		return keys{}, err
	}
	stored := h()
	stored.Write(mac(h, salted, "Client Key"))
	return keys{stored: stored.Sum(nil), server: mac(h, salted, "Server Key")}, nil
}

func mac(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// exchange is one SASL negotiation, seen from the server. step returns the next
// message, and done with the account's localpart in user when the client is
// authenticated; a non-empty failure is a condition of RFC 6120 §6.5.
type exchange struct {
	mech   string
	domain string
	find   func(localpart string) *secrets // never nil: unknown accounts have random ones

	user      string
	nonce     string
	gs2       string
	bareFirst string // client-first-message-bare
	first     string // server-first-message
	final     bool
}

func (x *exchange) step(msg string) (reply string, done bool, failure string) {
	switch {
	case x.mech == "PLAIN":
		return x.plain(msg)
	case x.final:
		return x.scramFinal(msg)
	}
	return x.scramFirst(msg)
}

func (x *exchange) plain(msg string) (string, bool, string) {
	parts := strings.Split(msg, "\x00")
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return "", false, "malformed-request"
	}
	if parts[0] != "" && parts[0] != parts[1]+"@"+x.domain {
		return "", false, "invalid-authzid"
	}
	if c := x.find(parts[1]); !hmac.Equal(mac(sha256.New, c.salt, parts[2]), c.plain) {
		return "", false, "not-authorized"
	}
	x.user = parts[1]
	return "", true, ""
}

// scramFirst reads gs2-header and client-first-message-bare (RFC 5802 §7): n,[a=authzid],n=user,r=nonce[,extensions].
func (x *exchange) scramFirst(msg string) (string, bool, string) {
	parts := strings.SplitN(msg, ",", 3)
	if len(parts) != 3 || parts[0] != "n" && parts[0] != "y" { // p= binds to a channel, which is not offered
		return "", false, "malformed-request"
	}
	x.gs2, x.bareFirst = parts[0]+","+parts[1]+",", parts[2]
	fields := strings.Split(x.bareFirst, ",")
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "n=") || !strings.HasPrefix(fields[1], "r=") || !printable(fields[1][2:]) {
		return "", false, "malformed-request"
	}
	user, ok := saslName(fields[0][2:])
	if !ok {
		return "", false, "malformed-request"
	}
	if authzid := strings.TrimPrefix(parts[1], "a="); parts[1] != "" && (authzid == parts[1] || authzid != user+"@"+x.domain) {
		return "", false, "invalid-authzid"
	}
	x.user, x.final = user, true
	x.nonce = fields[1][2:] + rand.Text()
	x.first = fmt.Sprintf("r=%s,s=%s,i=%d", x.nonce, base64.StdEncoding.EncodeToString(x.find(user).salt), iterations)
	return x.first, false, ""
}

// scramFinal checks c=base64(gs2-header),r=nonce[,extensions],p=proof.
func (x *exchange) scramFinal(msg string) (string, bool, string) {
	cut := strings.LastIndex(msg, ",p=")
	if cut < 0 {
		return "", false, "malformed-request"
	}
	withoutProof, proof64 := msg[:cut], msg[cut+3:]
	fields := strings.Split(withoutProof, ",")
	proof, err := base64.StdEncoding.DecodeString(proof64)
	if err != nil || len(fields) < 2 {
		return "", false, "malformed-request"
	}
	if fields[0] != "c="+base64.StdEncoding.EncodeToString([]byte(x.gs2)) || fields[1] != "r="+x.nonce {
		return "", false, "not-authorized"
	}
	h := hashes[x.mech]
	k, err := x.find(x.user).scram[x.mech]()
	if err != nil {
		return "", false, "temporary-auth-failure"
	}
	auth := x.bareFirst + "," + x.first + "," + withoutProof
	signature := mac(h, k.stored, auth)
	if len(proof) != len(signature) {
		return "", false, "not-authorized"
	}
	clientKey := make([]byte, len(proof))
	for i := range proof {
		clientKey[i] = proof[i] ^ signature[i]
	}
	stored := h()
	stored.Write(clientKey)
	if !hmac.Equal(stored.Sum(nil), k.stored) {
		return "", false, "not-authorized"
	}
	return "v=" + base64.StdEncoding.EncodeToString(mac(h, k.server, auth)), true, ""
}

// saslName decodes =2C and =3D; any other '=' is an error (RFC 5802 §5.1).
func saslName(s string) (string, bool) {
	name := strings.NewReplacer("=2C", ",", "=3D", "=").Replace(s)
	plain := strings.NewReplacer("=2C", "", "=3D", "").Replace(s)
	return name, name != "" && !strings.Contains(plain, "=")
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x21 || c > 0x7e {
			return false
		}
	}
	return s != ""
}
