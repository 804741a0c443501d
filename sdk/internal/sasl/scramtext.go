package sasl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nameEscaper writes a saslname (RFC 5802 §5.1, attribute n).
var nameEscaper = strings.NewReplacer("=", "=3D", ",", "=2C")

// serverFirst is a parsed server-first-message.
type serverFirst struct {
	nonce      string
	salt       []byte
	iterations int
}

// parseServerFirst parses r=…,s=…,i=… and extensions, which are ignored
// (RFC 5802 §7).
func parseServerFirst(message string) (serverFirst, error) {
	attrs, err := parseAttrs(message, "rsi")
	if err != nil {
		return serverFirst{}, err
	}
	first := serverFirst{nonce: attrs[0]}
	if !isPrintable(first.nonce) {
		return serverFirst{}, badMessage("its nonce is not printable")
	}
	if first.salt, err = decodeBase64(attrs[1]); err != nil {
		return serverFirst{}, badMessage("its salt is not base64")
	}
	if first.iterations, err = parsePositive(attrs[2]); err != nil {
		return serverFirst{}, badMessage("its iteration count is not a number")
	}
	return first, nil
}

// parseServerFinal parses v=… and extensions, which are ignored, and returns
// the server's signature.
func parseServerFinal(message string) ([]byte, error) {
	attrs, err := parseAttrs(message, "v")
	if err != nil {
		return nil, err
	}
	proof, err := decodeBase64(attrs[0])
	if err != nil {
		return nil, badMessage("its signature is not base64")
	}
	return proof, nil
}

// reserved lists the attributes with a fixed meaning and position. None of them may be an
// extension; m announces a mandatory extension, which this package does not support.
const reserved = "anmrcsipve"

// parseAttrs splits a message that starts with the attributes named by the
// letters of want, in that order, and returns their values. e in the first
// place is the server's error.
func parseAttrs(message, want string) ([]string, error) {
	if !utf8.ValidString(message) || strings.ContainsRune(message, 0) {
		return nil, badMessage("it is not text")
	}
	values := make([]string, 0, len(want))
	for i, attr := range strings.Split(message, ",") {
		if len(attr) < 3 || attr[1] != '=' || !isLetter(attr[0]) {
			return nil, badMessage("an attribute is malformed")
		}
		name, value := attr[0], attr[2:]
		switch {
		case i == 0 && name == 'e':
			return nil, &Error{KindServerError, fmt.Sprintf("The server refused the login: %.100q.", value)}
		case i < len(want) && name == want[i]:
			values = append(values, value)
		case i < len(want) || strings.IndexByte(reserved, name) >= 0:
			return nil, badMessage(fmt.Sprintf("the attribute %c is out of place", name))
		}
	}
	if len(values) < len(want) {
		return nil, badMessage("an attribute is missing")
	}
	return values, nil
}

func badMessage(why string) *Error {
	return &Error{KindChallenge, "The server sent a SCRAM message that breaks RFC 5802: " + why + "."}
}

// decodeBase64 decodes base64 as defined in RFC 5802 §7; encoding/base64 alone would
// accept line breaks.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, base64.CorruptInputError(0)
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

// parsePositive parses a posit-number of RFC 5802 §7: no sign, no leading
// zero. A number that is too large becomes the largest int32.
func parsePositive(s string) (int, error) {
	if s[0] < '1' || s[0] > '9' {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return int(n), err
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isPrintable reports whether s is a printable of RFC 5802 §7: ASCII from ! to ~
// without the comma, and not empty.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' || s[i] == ',' {
			return false
		}
	}
	return s != ""
}

// prepare applies the mapping and the normalisation of SASLprep (RFC 4013
// §2.1, §2.2) to a password. It does not reject characters that SASLprep prohibits,
// because a server that enforces the prohibition has no such password.
func prepare(password string) (string, error) {
	if !utf8.ValidString(password) {
		return "", &Error{KindCredentials, "The password is not valid UTF-8."}
	}
	prepared := norm.NFKC.String(strings.Map(mapRune, password))
	if prepared == "" {
		return "", &Error{KindCredentials, "The password holds only invisible characters."}
	}
	return prepared, nil
}

// mapRune maps a non-ASCII space (RFC 3454, table C.1.2) to a space, and removes the
// characters "commonly mapped to nothing" (table B.1).
func mapRune(r rune) rune {
	switch {
	case r < 0x80:
		return r
	case r == 0xA0, r == 0x1680, 0x2000 <= r && r <= 0x200B, r == 0x202F, r == 0x205F, r == 0x3000:
		return ' '
	case r == 0xAD, r == 0x34F, r == 0x1806, 0x180B <= r && r <= 0x180D, r == 0x200C, r == 0x200D, r == 0x2060,
		0xFE00 <= r && r <= 0xFE0F, r == 0xFEFF:
		return -1
	}
	return r
}
