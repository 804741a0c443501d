package sasl

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
)

// The limits of the parameters that a SCRAM server may request. With fewer iterations, a
// dictionary attack on a recorded exchange is cheap (RFC 5802 §5.1, RFC 7677 §4).
const (
	MinIterations = 4096
	MaxIterations = 1_000_000 // about two seconds in WebAssembly
	minSalt       = 8         // bytes
)

// hashes maps the SCRAM mechanisms to their hash functions.
var hashes = map[string]func() hash.Hash{
	SCRAMSHA512: sha512.New,
	SCRAMSHA256: sha256.New,
	SCRAMSHA1:   sha1.New,
}

// gs2Header means no channel binding and no authorization identity.
const gs2Header = "n,,"

// scram implements the client side of SCRAM (RFC 5802 §5).
type scram struct {
	name string
	hash func() hash.Hash
	cred Credentials

	phase       scramPhase
	nonce       string
	firstBare   string // client-first-message-bare
	final       string // client-final-message-without-proof
	serverFirst string
	serverProof []byte // the expected ServerSignature
}

type scramPhase int

const (
	scramNew scramPhase = iota
	scramFirstSent
	scramDeriving
	scramFinalSent
	scramVerified
	scramFailed
)

func newSCRAM(name string, hash func() hash.Hash, cred Credentials) (*scram, error) {
	password, err := prepare(cred.Password)
	if err != nil {
		return nil, err
	}
	cred.Password = password
	if strings.ContainsRune(cred.Username, 0) {
		return nil, &Error{KindCredentials, "The user name holds a NUL character."}
	}
	if cred.Nonce == nil {
		return nil, &Error{KindCredentials, "SCRAM needs a source of nonces."}
	}
	return &scram{name: name, hash: hash, cred: cred}, nil
}

func (s *scram) Name() string { return s.name }

// Start returns the client-first-message.
func (s *scram) Start() ([]byte, error) {
	s.nonce = s.cred.Nonce()
	if s.phase != scramNew || !isPrintable(s.nonce) {
		return nil, s.fail(KindCredentials, "SCRAM needs a fresh nonce of printable characters without commas.")
	}
	s.phase = scramFirstSent
	s.firstBare = "n=" + nameEscaper.Replace(s.cred.Username) + ",r=" + s.nonce
	return []byte(gs2Header + s.firstBare), nil
}

// Next takes the server-first-message and returns the Derivation. A server may also send
// its server-final-message as a challenge instead of with the success; the response to it
// is empty.
func (s *scram) Next(challenge []byte) ([]byte, *Derivation, error) {
	switch s.phase {
	case scramFirstSent:
		need, err := s.first(string(challenge))
		return nil, need, err
	case scramFinalSent:
		if err := s.verify(string(challenge)); err != nil {
			return nil, nil, err
		}
		return []byte{}, nil, nil
	}
	return nil, nil, s.fail(KindChallenge, "The server sent a challenge that SCRAM does not have.")
}

// Finish takes the server-final-message, unless it was a challenge. Success without it,
// or before the client's proof, is an error, because it does not authenticate the server.
func (s *scram) Finish(data []byte) error {
	switch {
	case s.phase == scramFinalSent && len(data) > 0:
		return s.verify(string(data))
	case s.phase == scramVerified && len(data) == 0:
		return nil
	case s.phase == scramFinalSent:
		return s.fail(KindServerProof, "The server reported success without proving that it knows the password.")
	}
	return s.fail(KindChallenge, "The server reported success at the wrong moment.")
}

// first takes the server-first-message.
func (s *scram) first(serverFirst string) (*Derivation, error) {
	first, err := parseServerFirst(serverFirst)
	if err != nil {
		s.phase = scramFailed
		return nil, err
	}
	if len(first.nonce) <= len(s.nonce) || !strings.HasPrefix(first.nonce, s.nonce) {
		return nil, s.fail(KindNonce, "The server's nonce does not extend ours.")
	}
	if len(first.salt) < minSalt {
		return nil, s.fail(KindChallenge, fmt.Sprintf("The server's salt has %d bytes; at least %d are needed.", len(first.salt), minSalt))
	}
	if first.iterations < MinIterations || first.iterations > MaxIterations {
		return nil, s.fail(KindIterations, fmt.Sprintf("The server asks for %d iterations of its password hash; %d to %d are accepted. "+
			"The operator of the server can change that.", first.iterations, MinIterations, MaxIterations))
	}
	need := &Derivation{Hash: strings.TrimPrefix(s.name, "SCRAM-"), Password: s.cred.Password, Salt: first.salt,
		Iterations: first.iterations, Size: s.hash().Size()}
	s.cred.Password = ""
	s.final = "c=" + base64.StdEncoding.EncodeToString([]byte(gs2Header)) + ",r=" + first.nonce
	s.serverFirst = serverFirst
	s.phase = scramDeriving
	return need, nil
}

// Derived returns the client-final-message, and computes the proof to expect from the
// server (RFC 5802 §3).
func (s *scram) Derived(salted []byte) ([]byte, error) {
	if s.phase != scramDeriving || len(salted) != s.hash().Size() {
		return nil, s.fail(KindCredentials, "The key that was derived from the password has the wrong size, or was not requested.")
	}
	authMessage := s.firstBare + "," + s.serverFirst + "," + s.final

	clientKey := s.mac(salted, "Client Key")
	storedKey := s.hash()
	storedKey.Write(clientKey)
	proof := s.mac(storedKey.Sum(nil), authMessage)
	subtle.XORBytes(proof, proof, clientKey)

	s.serverProof = s.mac(s.mac(salted, "Server Key"), authMessage)
	s.phase = scramFinalSent
	return []byte(s.final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// verify checks the server-final-message.
func (s *scram) verify(serverFinal string) error {
	proof, err := parseServerFinal(serverFinal)
	if err != nil {
		s.phase = scramFailed
		return err
	}
	if !hmac.Equal(proof, s.serverProof) {
		return s.fail(KindServerProof, "The server could not prove that it knows the password.")
	}
	s.phase = scramVerified
	return nil
}

func (s *scram) mac(key []byte, message string) []byte {
	m := hmac.New(s.hash, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}

func (s *scram) fail(kind Kind, text string) error {
	s.phase = scramFailed
	return &Error{kind, text}
}
