package pam

// Code is the stable name of a failure, the same in Go and in JavaScript.
type Code string

// The codes.
const (
	CodeAborted        Code = "aborted"         // the caller's context ended
	CodeTimeout        Code = "timeout"         // nobody answered in time
	CodeClosed         Code = "closed"          // the client was closed
	CodeOffline        Code = "offline"         // not connected; nothing was sent
	CodeBadJID         Code = "bad-jid"         // a JID cannot be parsed, or is not bare
	CodeBadOptions     Code = "bad-options"     // an option or argument is missing or wrong
	CodeDiscovery      Code = "discovery"       // the server's address is not to be found
	CodeTransport      Code = "transport"       // the socket failed
	CodeTLSRequired    Code = "tls-required"    // the connection is not private enough
	CodeWeaker         Code = "weaker-login"    // only log-in mechanisms weaker than one used before are offered
	CodeAuth           Code = "auth"            // the server refused the credentials
	CodeConflict       Code = "conflict"        // another session took the resource
	CodeStream         Code = "stream"          // the server ended the stream
	CodeProtocol       Code = "protocol"        // the server does not speak the protocol
	CodeTooLarge       Code = "too-large"       // the server sent more than is taken
	CodeStanza         Code = "stanza"          // a request was answered with an error
	CodeUnsupported    Code = "unsupported"     // the server lacks the feature
	CodeStorage        Code = "storage"         // the store failed; memory took over
	CodeStorageLost    Code = "storage-lost"    // the database was closed by others; it is opened again
	CodeOutcomeUnknown Code = "outcome-unknown" // sent, but no answer; the list will tell
)

// ErrorOrigin says who made an error.
type ErrorOrigin string

// The origins of an error. An error stanza without `by` is the account
// server's (XEP-0376 §3.2).
const (
	FromClient  ErrorOrigin = "client"
	FromNetwork ErrorOrigin = "network"
	FromServer  ErrorOrigin = "local-server"
	FromService ErrorOrigin = "remote-service"
	FromStorage ErrorOrigin = "storage"
)

// An Error is every error that package client returns.
type Error struct {
	Code   Code
	Origin ErrorOrigin
	// Text says what happened and what to do, in English.
	Text string
	// By is the JID that made an error stanza, if it said so.
	By string
	// Type and Condition are those of an error stanza (RFC 6120 §8.3),
	// PubsubCondition is the refinement of XEP-0060, if there are any.
	Type, Condition, PubsubCondition string
	// Retryable tells whether the same call may succeed later.
	Retryable bool
	// Err is the cause, if another error is.
	Err error
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Code: c}) compare codes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
