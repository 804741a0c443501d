package element

import (
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
		} else if strings.HasPrefix(p.s[at:], cdataStart) {
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
	data := p.s[at:p.pos]
	plain := true
	for i := 0; i < len(data); i++ {
		for i+8 <= len(data) {
			if w := word(data, i); hasByte(w, '>') || hasByte(w, '&') || hasByte(w, '\r') {
				break
			}
			i += 8
		}
		if i == len(data) {
			break
		}
		switch data[i] {
		case '>':
			if i >= 2 && data[i-1] == ']' && data[i-2] == ']' {
				p.fail(NotWellFormed, at+i-2, "']]>' outside a CDATA section")
				return ""
			}
		case '&', '\r':
			plain = false
		}
	}
	if plain {
		return data
	}
	return p.expand(data, at, false)
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

// expand replaces references, line ends, and, in an attribute value, white
// space. at is where raw starts in the message.
func (p *parser) expand(raw string, at int, attr bool) string {
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw) && p.err == nil; i++ {
		c := raw[i]
		switch {
		case c == '&':
			r, n := p.reference(raw[i:], at+i)
			b = utf8.AppendRune(b, r)
			i += n - 1
		case c == '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				continue
			}
			c = '\n'
			fallthrough
		case c == '\n', c == '\t':
			if attr {
				c = ' '
			}
			fallthrough
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// reference decodes the reference at the start of s and returns its length.
func (p *parser) reference(s string, at int) (r rune, n int) {
	switch {
	case strings.HasPrefix(s, "&lt;"):
		return '<', 4
	case strings.HasPrefix(s, "&gt;"):
		return '>', 4
	case strings.HasPrefix(s, "&amp;"):
		return '&', 5
	case strings.HasPrefix(s, "&apos;"):
		return '\'', 6
	case strings.HasPrefix(s, "&quot;"):
		return '"', 6
	case strings.HasPrefix(s, "&#"):
		return p.charReference(s, at)
	}
	name := nameLen(s[1:])
	if name > 0 && strings.HasPrefix(s[1+name:], ";") {
		p.fail(RestrictedXML, at, "a reference to an entity that is not predefined is prohibited in XMPP")
	}
	p.fail(NotWellFormed, at, "a '&' that starts no reference")
	return 0, len(s)
}

// charReference decodes &#32; or &#x20; and the like.
func (p *parser) charReference(s string, at int) (r rune, n int) {
	base, i := rune(10), 2
	if strings.HasPrefix(s[i:], "x") {
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
