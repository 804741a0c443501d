package engine

import (
	"errors"

	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/pam"
)

// isRefused reports whether err says that the server does not take the
// credentials: a SASL failure (RFC 6120 §6.5) that blames them, or none that is
// known, or an error in SCRAM (RFC 5802 §7).
func isRefused(err *pam.Error) bool {
	if err.Code != pam.CodeAuth || err.Retryable {
		return false
	}
	var own *sasl.Error
	if errors.As(err, &own) {
		return own.Kind == sasl.KindCredentials || own.Kind == sasl.KindServerError
	}
	switch err.Condition {
	case "aborted", "encryption-required", "incorrect-encoding", "invalid-mechanism", "malformed-request", "mechanism-too-weak":
		return false
	}
	return true
}

// isFinal reports whether no attempt follows err even after a session was live:
// the server refused the credentials, another session took the resource, or the
// program itself gave no credentials or wrong options. Anything else a server may
// say while it starts or is out of order, also that it offers only mechanisms weaker
// than before: the password was not sent.
func isFinal(err *pam.Error) bool {
	switch err.Code {
	case pam.CodeConflict, pam.CodeAborted, pam.CodeBadOptions:
		return true
	}
	return isRefused(err)
}
