package engine

import (
	"errors"

	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/pam"
)

// isRefused reports whether the server refused the credentials: with a SASL failure
// (RFC 6120 §6.5) that concerns them or is unknown, or with an error in SCRAM (RFC 5802
// §7).
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

// isFinal reports whether the link does not retry after err even if a session was live:
// the server refused the credentials, another session took over the resource, or the
// program provided no credentials or wrong options. A server may report any other error
// temporarily while it starts or is misconfigured, including that it offers only weaker
// mechanisms than before; the password is not sent in that case.
func isFinal(err *pam.Error) bool {
	switch err.Code {
	case pam.CodeConflict, pam.CodeAborted, pam.CodeBadOptions:
		return true
	}
	return isRefused(err)
}
