package sasl

// A Kind is the kind of an Error.
type Kind string

// The kinds of errors.
const (
	KindNoMechanism Kind = "no-mechanism" // no mechanism that both sides support
	KindTLSRequired Kind = "tls-required" // only PLAIN is offered and the connection is not encrypted
	KindCredentials Kind = "credentials"  // the mechanism cannot use these credentials
	KindChallenge   Kind = "challenge"    // the server violated the grammar or the order of messages
	KindNonce       Kind = "nonce"        // the server did not extend our nonce
	KindIterations  Kind = "iterations"   // too few to be secure, or too many to compute
	KindWeaker      Kind = "weaker"       // only mechanisms weaker than the last one used
	KindServerError Kind = "server-error" // the server sent e=
	KindServerProof Kind = "server-proof" // the server has not proved that it knows the password
)

// Error is the concrete type of all errors of this package. Its text never contains a
// password.
type Error struct {
	Kind Kind
	// Text is one sentence for the user, in English.
	Text string
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }
