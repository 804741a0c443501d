package pubsub

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"xmpp-pam/sdk/internal/address"
)

// A URI names a node of a service, or an item of it (XEP-0060 §13.22).
type URI struct {
	Service string // a JID, normalised
	Node    string
	Item    string // empty for the whole node
	Action  string // subscribe, unsubscribe, retrieve, or empty
}

// A URIError means that a text is not the URI of a node.
type URIError struct {
	Text string // in English, what is wrong and what to do about it
}

func (e *URIError) Error() string { return "pubsub: " + e.Text }

// scheme begins an XMPP URI, in letters of either case.
const scheme = "xmpp:"

func isXMPP(uri string) bool {
	return len(uri) >= len(scheme) && strings.EqualFold(uri[:len(scheme)], scheme)
}

const uriExample = "xmpp:pubsub.example.org?;node=news"

// ParseURI parses an XMPP URI or IRI (RFC 5122) of a node, in either form of XEP-0060
// §13.22: xmpp:service?;node=name, or xmpp:service?pubsub;action=subscribe;node=name. It
// ignores keys that XEP-0060 does not define, an authority and a fragment. The error is a
// *URIError.
func ParseURI(text string) (URI, error) {
	var u URI
	fail := func(text string) (URI, error) { return URI{}, &URIError{text} }
	text = strings.TrimSpace(text)
	if len(text) > maxURI {
		return fail("The address is too long.")
	}
	if !isXMPP(text) {
		return fail("The address must begin with xmpp:, as in " + uriExample + ".")
	}
	text, _, _ = strings.Cut(text[len(scheme):], "#")
	path, query, _ := strings.Cut(text, "?")
	if authority, ok := strings.CutPrefix(path, "//"); ok { // the account to use (RFC 5122 §2.3)
		if _, path, ok = strings.Cut(authority, "/"); !ok {
			return fail("The address names no service after //. Write xmpp: without slashes, as in " + uriExample + ".")
		}
	}
	service, ok := unescape(path)
	j, err := address.Parse(service)
	switch {
	case !ok || err != nil:
		return fail(quote(path) + " is not the JID of a service. Use an address such as " + uriExample + ".")
	case j.Localpart() != "" && j.Resourcepart() != "":
		return fail(quote(service) + " is a connection of an account, which has no nodes. Take out what follows the slash.")
	}
	u.Service = j.String()

	kind, keys, _ := strings.Cut(query, ";")
	if kind != "" && kind != "pubsub" {
		return fail("The address is not about a node, but for " + quote(kind) + ". Use one such as " + uriExample + ".")
	}
	for key := range strings.SplitSeq(keys, ";") {
		name, raw, _ := strings.Cut(key, "=")
		value, ok := unescape(raw)
		var field *string
		switch name {
		case "node":
			field = &u.Node
		case "item":
			field = &u.Item
		case "action":
			field = &u.Action
		}
		if field == nil || *field != "" {
			continue
		}
		if !ok || len(value) > maxID {
			return fail("The value of " + name + " is too long, or is not text in percent-encoded UTF-8.")
		}
		*field = value
	}
	switch u.Action {
	case "", "subscribe", "unsubscribe", "retrieve":
	default:
		return fail(quote(u.Action) + " is not an action. Use subscribe, unsubscribe or retrieve.")
	}
	if u.Node == "" {
		return fail("The address names no node. Add ?;node= and the name of the node, as in " + uriExample + ".")
	}
	return u, nil
}

// String returns the URI, in ASCII.
func (u URI) String() string {
	b := append(escape([]byte("xmpp:"), u.Service, "@/[:]"), '?')
	if u.Action != "" {
		b = escape(append(b, "pubsub;action="...), u.Action, "")
	}
	b = escape(append(b, ";node="...), u.Node, "")
	if u.Item != "" {
		b = escape(append(b, ";item="...), u.Item, "")
	}
	return string(b)
}

// unescape decodes percent-encoding (RFC 3986 §2.1). It reports whether text is valid and
// its result can be in an XML attribute unchanged.
func unescape(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' {
			if i+2 >= len(text) {
				return "", false
			}
			high, low := strings.IndexByte(hexDigits, lower(text[i+1])), strings.IndexByte(hexDigits, lower(text[i+2]))
			if min(high, low) < 0 {
				return "", false
			}
			c = byte(high<<4 | low)
			i += 2
		}
		b.WriteByte(c)
	}
	s := b.String()
	return s, utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF
	})
}

const hexDigits = "0123456789abcdef"

// escape appends text with all but the unreserved characters (RFC 3986 §2.3) and those in
// also percent-encoded.
func escape(b []byte, text, also string) []byte {
	for i := range len(text) {
		c := text[i]
		switch l := lower(c); {
		case 'a' <= l && l <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0, strings.IndexByte(also, c) >= 0:
			b = append(b, c)
		default:
			b = append(b, '%', hexUpper[c>>4], hexUpper[c&15])
		}
	}
	return b
}

const hexUpper = "0123456789ABCDEF"

// lower returns an ASCII letter in lower case.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
