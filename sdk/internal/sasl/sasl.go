// Package sasl implements the client side of SASL mechanisms as pure functions from
// bytes to bytes. It does no I/O, generates no random numbers, and leaves the one
// expensive computation, the Derivation of SCRAM, to the caller.
//
// It supports SCRAM-SHA-256 (RFC 7677), SCRAM-SHA-1 (RFC 5802), SCRAM-SHA-512, which no
// RFC defines but servers offer, and PLAIN (RFC 4616). It does not support channel
// binding, because browsers give programs no access to the TLS connection: the -PLUS
// variants are never chosen and the GS2 header is always "n,,".
package sasl

import (
	"fmt"
	"slices"
	"strings"
)

// Credentials are the input of a mechanism.
type Credentials struct {
	// Username is the localpart of the account's JID, already normalised.
	Username string
	// Password is the password as the user entered it.
	Password string
	// Nonce returns a fresh, unpredictable nonce of printable ASCII without
	// commas at every call. Only SCRAM needs it.
	Nonce func() string
}

// A Mechanism is one authentication. It is used once: call Start, then Next for each
// challenge, then Finish when the server reports success. If Next returns a Derivation,
// call Derived with its key. After an error the methods only return errors.
type Mechanism interface {
	// Name returns the registered name, such as "SCRAM-SHA-256".
	Name() string
	// Start returns the initial response.
	Start() ([]byte, error)
	// Next returns the response to a challenge, or the Derivation whose key Derived
	// needs for the response.
	Next(challenge []byte) ([]byte, *Derivation, error)
	// Derived takes the key and returns the response to the challenge.
	Derived(key []byte) ([]byte, error)
	// Finish takes the additional data of the server's success, if any. If it returns
	// nil, the server has given the proof that the mechanism requires.
	Finish(data []byte) error
}

// New returns the mechanism with the given name, or an error of
// KindNoMechanism or KindCredentials.
func New(name string, cred Credentials) (Mechanism, error) {
	if cred.Username == "" {
		return nil, &Error{KindCredentials, "The user name is empty."}
	}
	if cred.Password == "" {
		return nil, &Error{KindCredentials, "The password is empty."}
	}
	if name == Plain {
		return newPlain(cred)
	}
	if hash, ok := hashes[name]; ok {
		return newSCRAM(name, hash, cred)
	}
	return nil, &Error{KindNoMechanism, fmt.Sprintf("The login mechanism %q is not supported.", name)}
}

// The names of the mechanisms.
const (
	SCRAMSHA512 = "SCRAM-SHA-512"
	SCRAMSHA256 = "SCRAM-SHA-256"
	SCRAMSHA1   = "SCRAM-SHA-1"
	Plain       = "PLAIN"
)

// preference lists all mechanisms, strongest first.
var preference = []string{SCRAMSHA512, SCRAMSHA256, SCRAMSHA1, Plain}

// Choose returns the mechanisms that the server offers, the caller allows and
// this package supports, strongest first. A nil allowed allows all, except those weaker
// than used, the mechanism of an earlier authentication of the account, if any. This
// protects the password from an attacker who downgrades the offer. The error is of
// KindWeaker if only weaker mechanisms are offered.
//
// PLAIN discloses the password to the server and to eavesdroppers. It is chosen only if
// private is set, which means that the connection is encrypted, and both sides support
// nothing stronger. The error is of KindTLSRequired if only PLAIN is available but
// private is not set, and of KindNoMechanism if there is no common mechanism.
func Choose(offered, allowed []string, used string, private bool) ([]string, error) {
	var common []string
	for _, name := range preference {
		if slices.Contains(offered, name) && (allowed == nil || slices.Contains(allowed, name)) {
			common = append(common, name)
		}
	}
	if limit := slices.Index(preference, used); allowed == nil && limit >= 0 && len(common) > 0 {
		strong := slices.DeleteFunc(slices.Clone(common), func(name string) bool { return !slices.Contains(preference[:limit+1], name) })
		if len(strong) == 0 {
			return nil, &Error{KindWeaker, fmt.Sprintf("The server offers no login mechanism as strong as %s, with which this account has logged in before, "+
				"but only %s. Nothing was sent to it. Ask the operator of the server. If the change is intended, name the weaker mechanism in the option mechanisms, "+
				"or forget the account on this device.", used, strings.Join(common, ", "))}
		}
		common = strong
	}
	switch {
	case len(common) == 0:
		return nil, &Error{KindNoMechanism, fmt.Sprintf(
			"The server offers the login mechanisms %s, none of which can be used here.", strings.Join(offered, ", "))}
	case common[0] != Plain:
		return slices.DeleteFunc(common, func(name string) bool { return name == Plain }), nil
	case !private:
		return nil, &Error{KindTLSRequired,
			"The server takes the password only unprotected, and this connection can be listened to. Connect with wss:."}
	}
	return common, nil
}
