package stream

import (
	"errors"
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/sasl"
)

// Error returns the code and the text, which names the condition, if any.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Text }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// protocolError returns the error of a server that violates the protocol. Retrying does
// not help.
func protocolError(text string) *Error { return &Error{Code: CodeProtocol, Text: text} }

// unresponsive returns the error of a server that no longer responds. The session may be
// resumed on another connection.
func unresponsive(text string) *Error { return &Error{Code: CodeTimeout, Text: text, Retry: true} }

// streamError parses <stream:error/> (RFC 6120 §4.9).
func (s *Stream) streamError(e *element.Element) *Error {
	condition, text := conditionOf(e, ns.Streams)
	err := &Error{Code: CodeStream, Condition: condition, Text: says("The server ended the stream", condition, text)}
	if condition == "undefined-condition" && s.phase == features && !s.authenticated && strings.HasPrefix(text, "No stream features") {
		// Prosody offers no authentication on a connection that it regards as unencrypted.
		err.Text += ". It offers no authentication on this connection. A Prosody behind a proxy that does TLS, or on loopback, " +
			"needs consider_websocket_secure = true in its configuration; any other must be reached by wss:."
		return err
	}
	switch condition {
	case "conflict":
		err.Code = CodeConflict
	case "policy-violation", "host-unknown", "host-gone", "not-authorized":
	default:
		err.Retry = true
	}
	return err
}

// failure parses a SASL <failure/> (RFC 6120 §6.5).
func failure(e *element.Element) *Error {
	condition, text := conditionOf(e, ns.SASL)
	what := "The server refused the login"
	if condition == "not-authorized" {
		what += " (wrong account or password)"
	}
	return &Error{Code: CodeAuth, Condition: condition, Text: says(what, condition, text),
		Retry: condition == "temporary-auth-failure"}
}

// bindError parses the error of a refused bind request (RFC 6120 §7.6.2,
// §7.7.2). Its condition is a stanza error condition.
func bindError(e *element.Element) *Error {
	condition, text := conditionOf(e, ns.Stanzas)
	err := &Error{Code: CodeStream, Condition: condition, Text: says("The server refused to bind the resource", condition, text)}
	if condition == "conflict" {
		err.Code = CodeConflict
	} else {
		err.Retry = e.Attr("type") == "wait"
	}
	return err
}

// authError returns the error of an authentication that this side has aborted.
func authError(cause error) *Error {
	err := &Error{Code: CodeAuth, Text: cause.Error(), Err: cause}
	var s *sasl.Error
	if errors.As(cause, &s) {
		switch s.Kind {
		case sasl.KindTLSRequired:
			err.Code = CodeTLSRequired
		case sasl.KindWeaker:
			err.Code = CodeWeaker
		}
	}
	return err
}

// conditionOf returns the defined condition of an error element, whose
// namespace is given, and the text that comes with it.
func conditionOf(e *element.Element, space string) (condition, text string) {
	for c := range e.Elements() {
		if c.Name.Space == space && c.Name.Local != "text" {
			condition = cut(c.Name.Local)
			break
		}
	}
	return condition, cut(strings.TrimSpace(e.Child(space, "text").Text()))
}

// says joins what happened and the server's explanation to one sentence.
func says(what, condition, text string) string {
	if condition != "" {
		what += " with " + condition
	}
	if text == "" {
		return what + "."
	}
	return what + ": " + text
}

// cut truncates a text of the server to a length that fits into a sentence, and copies
// it so that it does not keep the whole message in memory.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return strings.Clone(s)
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
