package element

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

const (
	cdataStart = "<![CDATA["
	cdataEnd   = "]]>"
)

// text reads character data, references and CDATA sections up to the next tag.
func (p *parser) text() {
	p.token()
	text, joined := "", []byte(nil)
	for pieces := 0; p.pos < len(p.s) && p.err == nil; pieces++ {
		at := p.pos
		var piece string
		if p.s[at] != '<' {
			piece = p.charData()
		} else if p.atCDATA() {
			piece = p.cdata()
		} else {
			break
		}
		switch pieces {
		case 0:
			text = piece
			continue
		case 1:
			joined = append(joined, text...)
		}
		joined = append(joined, piece...)
	}
	if joined != nil {
		text = string(joined)
	}
	if text != "" {
		p.nodes = append(p.nodes, Node{Text: text})
	}
}

func (p *parser) charData() string {
	at := p.pos
	n := strings.IndexByte(p.s[at:], '<')
	if n < 0 {
		n = len(p.s) - at
	}
	p.pos += n
	return p.expand(p.s[at:p.pos], at, 0)
}

// atCDATA reports whether a CDATA section begins at pos, where a '<' is.
func (p *parser) atCDATA() bool {
	rest := p.s[p.pos:]
	return len(rest) > 1 && rest[1] == '!' && strings.HasPrefix(rest, cdataStart)
}

func (p *parser) cdata() string {
	at := p.pos + len(cdataStart)
	n := strings.Index(p.s[at:], cdataEnd)
	if n < 0 {
		p.malformed("a CDATA section that does not end")
		return ""
	}
	p.pos = at + n + len(cdataEnd)
	data := p.s[at : at+n]
	if strings.IndexByte(data, '\r') < 0 {
		return data
	}
	return strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
}

// expand checks text or an attribute value and replaces references, line ends,
// and, in a value, white space. at is where raw starts in the message, and quote the
// character around the value, or 0 if it is text.
func (p *parser) expand(raw string, at int, quote byte) string {
	value := quote != 0
	i := ordinary(raw, quote)
	if i == len(raw) {
		return raw
	}
	b := append(make([]byte, 0, len(raw)), raw[:i]...)
	for i < len(raw) && p.err == nil {
		switch c := raw[i]; {
		case c == '&':
			r, n := p.reference(raw[i:], at+i)
			if r < utf8.RuneSelf {
				b = append(b, byte(r))
			} else {
				b = utf8.AppendRune(b, r)
			}
			i += n
			continue
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
		case value && isSpace(c):
			b = append(b, ' ')
		case c == '\r':
			b = append(b, '\n')
		case value && c == '<':
			p.fail(NotWellFormed, at+i, "'<' in an attribute value")
		case !value && c == '>' && strings.HasSuffix(raw[:i], "]]"):
			p.fail(NotWellFormed, at+i-2, "']]>' outside a CDATA section")
		default:
			n := max(1, ordinary(raw[i:], quote))
			b = append(b, raw[i:i+n]...)
			i += n
			continue
		}
		i++
	}
	return string(b)
}

// ordinary returns the number of bytes at the start of text, or of an attribute value
// before its quote, that need not be examined one by one. quote is 0 for text.
func ordinary(s string, quote byte) int {
	for i := 0; i < len(s); i += 8 {
		var w, special uint64
		if i+8 <= len(s) {
			w = word(s, i)
		} else {
			for j := len(s) - 1; j >= i; j-- {
				w = w<<8 | uint64(s[j])
			}
		}
		if quote != 0 {
			special = marks(w, quote) | marks(w, '&') | marks(w, '<') | controls(w)
		} else {
			special = marks(w, '&') | marks(w, '>') | marks(w, '\r')
		}
		if special != 0 {
			return i + bits.TrailingZeros64(special)/8 // len(s), if that is where the zeros begin
		}
	}
	return len(s)
}

// reference decodes the reference at the start of s and returns its length.
func (p *parser) reference(s string, at int) (r rune, n int) {
	if len(s) > 1 && s[1] == '#' {
		return p.charReference(s, at)
	}
	name := nameLen(s[1:])
	if end := 1 + name; end < len(s) && s[end] == ';' {
		switch s[1:end] {
		case "lt":
			return '<', end + 1
		case "gt":
			return '>', end + 1
		case "amp":
			return '&', end + 1
		case "apos":
			return '\'', end + 1
		case "quot":
			return '"', end + 1
		}
	}
	if name > 0 && strings.HasPrefix(s[1+name:], ";") {
		p.fail(RestrictedXML, at, "a reference to an entity that is not predefined is prohibited in XMPP")
	}
	p.fail(NotWellFormed, at, "a '&' that starts no reference")
	return 0, len(s)
}

// charReference decodes a character reference such as &#32; or &#x20;.
func (p *parser) charReference(s string, at int) (r rune, n int) {
	base, i := rune(10), 2
	if len(s) > i && s[i] == 'x' {
		base, i = 16, 3
	}
	start := i
	for ; i < len(s) && r <= utf8.MaxRune; i++ {
		digit := hexDigit(s[i])
		if digit < 0 || digit >= base {
			break
		}
		r = r*base + digit
	}
	if i == start || i == len(s) || s[i] != ';' || !isChar(r) {
		p.fail(NotWellFormed, at, "a reference to a character that XML does not allow")
		return 0, len(s)
	}
	return r, i + 1
}

func hexDigit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}
