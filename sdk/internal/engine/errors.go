package engine

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"unicode/utf8"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/random"
	"xmpp-pam/sdk/pam"
)

// maxWarning is the maximum length in bytes of the text of a warning, which might
// otherwise list thousands of rows.
const maxWarning = 1 << 10

// shortened returns a copy of e whose text is truncated to maxWarning bytes.
func shortened(e *pam.Error) *pam.Error {
	short := *e
	if n := maxWarning; len(short.Text) > n {
		for !utf8.RuneStart(short.Text[n]) {
			n--
		}
		short.Text = short.Text[:n] + "…"
	}
	return &short
}

// ClientError returns an error whose origin is this client.
func ClientError(code pam.Code, text string) *pam.Error {
	return &pam.Error{Code: code, Origin: pam.FromClient, Text: text}
}

// ContextError returns the error of a call whose context has ended.
func ContextError(ctx context.Context) *pam.Error {
	e := &pam.Error{Code: pam.CodeAborted, Origin: pam.FromClient, Text: "The call was aborted by its caller.", Err: context.Cause(ctx)}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Code, e.Text, e.Retryable = pam.CodeTimeout, "The call did not finish in the time that its caller gave it.", true
	}
	return e
}

// DomainProblem returns in parentheses what is wrong with the domain of a JID, or ""
// if err is about something else.
func DomainProblem(err error) string {
	if errors.Is(err, address.ErrDomain) {
		return " (" + err.Error() + ")"
	}
	return ""
}

func quote(s string) string { return strconv.Quote(s) }

// randomID returns 128 unpredictable bits, so that an entity that has not seen a
// request cannot answer it.
func randomID() string {
	var b [16]byte
	random.Read(b[:])
	return hex.EncodeToString(b[:])
}

func randomUint64() uint64 {
	var b [8]byte
	random.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) >> 2 // room to count up
}
