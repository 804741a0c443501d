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
)

// iterations is the PBKDF2 count of RFC 7677 §4.
const iterations = 4096

// hashes are the supported SCRAM mechanisms (RFC 5802, RFC 7677, and the same with
// SHA-512). PLAIN (RFC 4616) is checked against the SHA-256 keys.
var hashes = map[string]func() hash.Hash{
	"SCRAM-SHA-512": sha512.New,
	"SCRAM-SHA-256": sha256.New,
	"SCRAM-SHA-1":   sha1.New,
}

// credential holds the keys that a server stores instead of the password (RFC 5802
// §3).
type credential struct {
	salt              []byte
	storedKey, server []byte
}

// newCredentials derives the keys for every hash. It does not apply SASLprep, so
// non-ASCII passwords must be in NFKC.
func newCredentials(password string) (map[string]credential, error) {
	out := map[string]credential{}
	for mech, h := range hashes {
		salt := make([]byte, 16)
		rand.Read(salt)
		c, err := derive(h, password, salt)
		if err != nil {
			return nil, fmt.Errorf("mem: the password cannot be used with %s: %w", mech, err)
		}
		out[mech] = c
	}
	return out, nil
}

func derive(h func() hash.Hash, password string, salt []byte) (credential, error) {
	salted, err := pbkdf2.Key(h, password, salt, iterations, h().Size())
	if err != nil {
		return credential{}, err
	}
	stored := h()
	stored.Write(mac(h, salted, "Client Key"))
	return credential{salt: salt, storedKey: stored.Sum(nil), server: mac(h, salted, "Server Key")}, nil
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
	find   func(localpart string) map[string]credential // never nil: unknown accounts have random keys

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
	c := x.find(parts[1])["SCRAM-SHA-256"]
	got, err := derive(sha256.New, parts[2], c.salt)
	if err != nil || !hmac.Equal(got.storedKey, c.storedKey) {
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
	x.first = fmt.Sprintf("r=%s,s=%s,i=%d", x.nonce, base64.StdEncoding.EncodeToString(x.find(user)[x.mech].salt), iterations)
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
	h, c := hashes[x.mech], x.find(x.user)[x.mech]
	auth := x.bareFirst + "," + x.first + "," + withoutProof
	signature := mac(h, c.storedKey, auth)
	if len(proof) != len(signature) {
		return "", false, "not-authorized"
	}
	clientKey := make([]byte, len(proof))
	for i := range proof {
		clientKey[i] = proof[i] ^ signature[i]
	}
	stored := h()
	stored.Write(clientKey)
	if !hmac.Equal(stored.Sum(nil), c.storedKey) {
		return "", false, "not-authorized"
	}
	return "v=" + base64.StdEncoding.EncodeToString(mac(h, c.server, auth)), true, ""
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
