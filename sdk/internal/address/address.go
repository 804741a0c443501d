// Package address parses JIDs that identify the sender of a stanza or the account.
package address

import (
	"errors"
	"strings"
	"unicode/utf8"

	"mellium.im/xmpp/jid"
)

// ErrDomain means that the domain of a JID is not in the form that RFC 7622 §3.2
// requires on the wire.
var ErrDomain = errors.New("its domain is not in its normal form: no label may begin with xn--, none may hold characters that are mapped to others, and there is no dot at the end")

// Parse is like jid.Parse, but rejects an address whose domain is changed by
// preparation, except for the case of ASCII letters.
//
// jid.Parse prepares domains: it decodes A-labels, including those that no U-label
// encodes to (xn--example-.org becomes example.org), maps characters (full-width
// letters, U+1F130) and removes some (U+00AD, U+200B, a dot at the end). RFC 7622 §3.2
// requires the creator of an address to prepare it, so a conforming server never sends
// an unprepared one. Accepting it would allow the sender to impersonate another domain.
func Parse(text string) (jid.JID, error) {
	_, domain, _, err := jid.SplitString(text)
	if err != nil {
		return jid.JID{}, err
	}
	if hasALabel(domain) { // Implementations of IDNA differ in what they make of one that is not valid.
		return jid.JID{}, ErrDomain
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

// Equal reports whether two texts are the same JID. A text that is not a JID equals
// only itself.
func Equal(a, b string) bool {
	if a == b {
		return true
	}
	if !mayEqual(a, b) {
		return false
	}
	ja, err := Parse(a)
	if err != nil {
		return false
	}
	jb, err := Parse(b)
	return err == nil && ja.Equal(jb)
}

// mayEqual reports whether two texts can be the same JID. It costs a fraction of Parse,
// and other entities decide how many addresses are compared. Preparation changes only
// the case of a domain that Parse accepts, only the case of a localpart in ASCII, and no
// resourcepart in ASCII.
func mayEqual(a, b string) bool {
	localA, domainA, resourceA, errA := jid.SplitString(a)
	localB, domainB, resourceB, errB := jid.SplitString(b)
	return errA == nil && errB == nil && strings.EqualFold(domainA, domainB) &&
		(strings.EqualFold(localA, localB) || !isASCII(localA) || !isASCII(localB)) &&
		(resourceA == resourceB || !isASCII(resourceA) || !isASCII(resourceB))
}

func hasALabel(domain string) bool {
	domain = lowerASCII(domain)
	return strings.HasPrefix(domain, "xn--") || strings.Contains(domain, ".xn--")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
