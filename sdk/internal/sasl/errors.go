package sasl

// A Kind says what kind of failure an Error is.
type Kind string

// The kinds of errors.
const (
	KindNoMechanism Kind = "no-mechanism" // nothing both sides know
	KindTLSRequired Kind = "tls-required" // only PLAIN, and somebody could listen
	KindCredentials Kind = "credentials"  // the mechanism cannot use these credentials
	KindChallenge   Kind = "challenge"    // what the server sent breaks the grammar or the order
	KindNonce       Kind = "nonce"        // the server did not extend our nonce
	KindIterations  Kind = "iterations"   // too few to be safe, or too many to be done
	KindWeaker      Kind = "weaker"       // only mechanisms weaker than one used before
	KindServerError Kind = "server-error" // the server sent e=
	KindServerProof Kind = "server-proof" // the server does not know the password
)

// An Error is any error of this package. Its text never holds a password.
type Error struct {
	Kind Kind
	// Text is one sentence for a person.
	Text string
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }
