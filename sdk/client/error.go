package client

import (
	"unicode/utf8"

	"xmpp-pam/sdk/pam"
)

// maxWarning is the length in bytes of the longest text of a warning. One may
// speak of thousands of rows.
const maxWarning = 1 << 10

// shortened returns a copy of e whose text is no longer than a warning may be.
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

func clientError(code pam.Code, text string) *pam.Error {
	return &pam.Error{Code: code, Origin: pam.FromClient, Text: text}
}
