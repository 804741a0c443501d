// Package address reads JIDs that decide who somebody is.
package address

import (
	"errors"
	"strings"

	"mellium.im/xmpp/jid"
)

// ErrDomain says that the domain of a JID is not written as RFC 7622 §3.2 wants it
// on the wire.
var ErrDomain = errors.New("its domain is not in its normal form: no label may begin with xn--, none may hold characters that are mapped to others, and there is no dot at the end")

// Parse is jid.Parse for an address whose domain is the same before and after it
// was prepared, but for the case of ASCII letters.
//
// jid.Parse prepares domains: it decodes A-labels, also those that no U-label
// leads to (xn--example-.org becomes example.org), maps characters (full-width
// letters, U+1F130) and drops some (U+00AD, U+200B, a dot at the end). RFC 7622
// §3.2 leaves that to whoever makes an address, so a server sends none of it,
// and who sends it all the same could be taken for somebody else.
func Parse(text string) (jid.JID, error) {
	_, domain, _, err := jid.SplitString(text)
	if err != nil {
		return jid.JID{}, err
	}
	j, err := jid.Parse(text)
	switch {
	case err != nil:
		return jid.JID{}, err
	case j.Domainpart() != lowerASCII(domain):
		return jid.JID{}, ErrDomain
	}
	return j, nil
}

// Equal reports whether two texts are the same JID. What is none equals only
// itself.
func Equal(a, b string) bool {
	if a == b {
		return true
	}
	ja, err := Parse(a)
	if err != nil {
		return false
	}
	jb, err := Parse(b)
	return err == nil && ja.Equal(jb)
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
