// Package sasl holds the SASL mechanisms a client logs in with, as pure steps:
// bytes in, bytes out. It does no I/O, draws no random numbers, and leaves the one
// slow computation, the Derivation of SCRAM, to the caller.
//
// There is SCRAM-SHA-256 (RFC 7677), SCRAM-SHA-1 (RFC 5802), the same with
// SHA-512, which no RFC defines but servers offer, and PLAIN (RFC 4616). There
// is no channel binding: a browser does not let a program see the TLS
// connection, so the -PLUS variants are never chosen and the GS2 header is
// always "n,,".
package sasl

import (
	"fmt"
	"slices"
	"strings"
)

// Credentials are what a mechanism logs in with.
type Credentials struct {
	// Username is the localpart of the account's JID, already normalised.
	Username string
	// Password is the password as the person typed it.
	Password string
	// Nonce returns a fresh, unpredictable nonce of printable ASCII without
	// commas at every call. Only SCRAM needs it.
	Nonce func() string
}

// A Mechanism is one log-in under way. It is used once: Start, then Next for
// each challenge, then Finish when the server says success. If Next returns a
// Derivation, Derived follows with its key. After an error it only returns errors.
type Mechanism interface {
	// Name returns the registered name, such as "SCRAM-SHA-256".
	Name() string
	// Start returns the initial response.
	Start() ([]byte, error)
	// Next answers a challenge, or says what is to be derived before Derived
	// can answer it.
	Next(challenge []byte) ([]byte, *Derivation, error)
	// Derived takes the key and answers the challenge that asked for it.
	Derived(key []byte) ([]byte, error)
	// Finish is told that the server reported success, and the additional data
	// that came with it, if any. Only if it returns nil has the server proved
	// what the mechanism wants proved.
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
	return nil, &Error{KindNoMechanism, fmt.Sprintf("The log-in mechanism %q is not supported.", name)}
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
// this package supports, strongest first. A nil allowed allows all, but for those
// weaker than used, the mechanism of an earlier log-in to the account, if any: who
// made the server weaker, or stands between, must not get the password by it. The
// error is of KindWeaker then.
//
// PLAIN shows the password to the server and to whoever listens. It is chosen
// only if the connection is private and nothing stronger is common, and then
// it is the only one. The error is of KindTLSRequired if PLAIN is all there
// is but the connection is not private, else of KindNoMechanism.
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
			return nil, &Error{KindWeaker, fmt.Sprintf("The server offers no log-in mechanism as strong as %s, with which this account has logged in before, "+
				"but only %s. Nothing was sent to it. Ask whoever runs the server. If that is so on purpose, name the weaker mechanism in the option mechanisms, "+
				"or forget the account on this device.", used, strings.Join(common, ", "))}
		}
		common = strong
	}
	switch {
	case len(common) == 0:
		return nil, &Error{KindNoMechanism, fmt.Sprintf(
			"The server offers the log-in mechanisms %s, none of which can be used here.", strings.Join(offered, ", "))}
	case common[0] != Plain:
		return slices.DeleteFunc(common, func(name string) bool { return name == Plain }), nil
	case !private:
		return nil, &Error{KindTLSRequired,
			"The server takes the password only unprotected, and this connection can be listened to. Connect with wss:."}
	}
	return common, nil
}
