package pam

// Code is the stable name of a kind of error. It is the same in Go and in
// JavaScript.
type Code string

// The codes.
const (
	CodeAborted        Code = "aborted"         // the caller's context was cancelled or its deadline passed
	CodeTimeout        Code = "timeout"         // the server or service did not answer in time
	CodeClosed         Code = "closed"          // the client was closed
	CodeOffline        Code = "offline"         // not connected; nothing was sent
	CodeBadJID         Code = "bad-jid"         // a JID cannot be parsed, or is not bare
	CodeBadOptions     Code = "bad-options"     // an option or argument is missing or wrong
	CodeDiscovery      Code = "discovery"       // the server's endpoint could not be found
	CodeTransport      Code = "transport"       // the connection could not be opened, or failed
	CodeTLSRequired    Code = "tls-required"    // the connection is not encrypted
	CodeWeaker         Code = "weaker-login"    // the server offers only SASL mechanisms weaker than the last one used
	CodeAuth           Code = "auth"            // the server refused the credentials
	CodeConflict       Code = "conflict"        // another session took over the resource
	CodeStream         Code = "stream"          // the server closed the stream with an error
	CodeProtocol       Code = "protocol"        // the server violated the protocol
	CodeTooLarge       Code = "too-large"       // the server exceeded a size limit
	CodeStanza         Code = "stanza"          // a request was answered with a stanza error
	CodeUnsupported    Code = "unsupported"     // the server does not support the feature
	CodeStorage        Code = "storage"         // the store failed; the client continues in memory
	CodeStorageLost    Code = "storage-lost"    // the database was closed from outside; the client reopens it
	CodeOutcomeUnknown Code = "outcome-unknown" // the request was sent but not answered; the next list shows the outcome
)

// ErrorOrigin identifies the entity that generated an error.
type ErrorOrigin string

// The origins of an error: this client, the connection, the account's server, a
// pubsub service, and the store. An error stanza without a `by` attribute counts as
// an error of the account's server (XEP-0376 §3.2).
const (
	FromClient  ErrorOrigin = "client"
	FromNetwork ErrorOrigin = "network"
	FromServer  ErrorOrigin = "local-server"
	FromService ErrorOrigin = "remote-service"
	FromStorage ErrorOrigin = "storage"
)

// Error is the concrete type of all errors returned by package client.
type Error struct {
	Code   Code
	Origin ErrorOrigin
	// Text describes, in English, what happened and what to do about it.
	Text string
	// By is the JID of the entity that generated a stanza error, if the error
	// names it.
	By string
	// Type and Condition are the type and the defined condition of a stanza error
	// (RFC 6120 §8.3). PubsubCondition is its XEP-0060 application condition, if
	// there is one.
	Type, Condition, PubsubCondition string
	// Retryable reports whether the same call may succeed later.
	Retryable bool
	// Err is the underlying error, if any.
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
