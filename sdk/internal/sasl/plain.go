package sasl

import "strings"

// plain implements PLAIN (RFC 4616). It sends the password as entered, because the
// server prepares it (RFC 4616 §2).
type plain struct {
	username, password string
	done               bool
}

func newPlain(cred Credentials) (*plain, error) {
	if strings.ContainsRune(cred.Username, 0) || strings.ContainsRune(cred.Password, 0) {
		return nil, &Error{KindCredentials, "The user name or the password holds a NUL character, which PLAIN cannot carry."}
	}
	return &plain{username: cred.Username, password: cred.Password}, nil
}

func (p *plain) Name() string { return Plain }

func (p *plain) Start() ([]byte, error) {
	p.done = true
	return []byte("\x00" + p.username + "\x00" + p.password), nil
}

func (p *plain) Next([]byte) ([]byte, *Derivation, error) {
	p.done = false
	return nil, nil, &Error{KindChallenge, "The server sent a challenge, which PLAIN does not have."}
}

func (p *plain) Derived([]byte) ([]byte, error) {
	p.done = false
	return nil, &Error{KindChallenge, "PLAIN derives no key."}
}

// Finish ignores data, because PLAIN has no proof of the server.
func (p *plain) Finish([]byte) error {
	if !p.done {
		return &Error{KindChallenge, "The server reported success too early."}
	}
	return nil
}
