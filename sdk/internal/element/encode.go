package element

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// Append writes e as one message at the end of dst. A namespace is declared
// where it changes, as the default one; attributes in a namespace get prefixes
// of their own.
//
// The output is always well-formed: characters that XML does not allow and invalid UTF-8
// are replaced with U+FFFD, an invalid element name is replaced with "_", and attributes
// that have an invalid name, are repeated or declare a namespace are left out. For every
// other element Parse returns an equal one, in which adjacent text is merged and empty
// text is removed. Append writes nothing for a nil e.
func Append(dst []byte, e *Element) []byte {
	if e == nil {
		return dst
	}
	return appendElement(dst, e, "", math.MaxInt)
}

// String returns e as Append writes it.
func (e *Element) String() string { return string(Append(nil, e)) }

// appendElement writes e where space is the default namespace. It writes no more
// start tags once there are more than limit bytes, so that an element whose
// namespaces would be written very often costs little.
func appendElement(dst []byte, e *Element, space string, limit int) []byte {
	if len(dst) > limit {
		return dst
	}
	name := e.Name.Local
	if !isName(name) {
		name = "_"
	}
	prefix := ""
	if e.Name.Space == spaceXML { // it cannot be the default
		prefix = "xml:"
	}
	dst = append(dst, '<')
	dst = append(append(dst, prefix...), name...)
	if own := e.Name.Space; own != space && own != spaceXML && own != spaceXMLNS {
		space = own
		dst = append(dst, " xmlns='"...)
		dst = append(appendValue(dst, own), '\'')
	}
	dst = appendAttrs(dst, e)

	open := false
	for _, n := range e.Children {
		if n.Element == nil && n.Text == "" {
			continue
		}
		if !open {
			dst, open = append(dst, '>'), true
		}
		if n.Element != nil {
			dst = appendElement(dst, n.Element, space, limit)
		} else {
			dst = appendText(dst, n.Text)
		}
	}
	if !open {
		return append(dst, "/>"...)
	}
	dst = append(dst, "</"...)
	dst = append(append(dst, prefix...), name...)
	return append(dst, '>')
}

func appendAttrs(dst []byte, e *Element) []byte {
	for i, a := range e.Attrs {
		if !writable(e, i) {
			continue
		}
		dst = append(dst, ' ')
		switch a.Name.Space {
		case "":
		case spaceXML:
			dst = append(dst, "xml:"...)
		default:
			first := firstInSpace(e, i)
			if first == i {
				dst = append(appendPrefix(append(dst, "xmlns:"...), first), "='"...)
				dst = append(appendValue(dst, a.Name.Space), "' "...)
			}
			dst = append(appendPrefix(dst, first), ':')
		}
		dst = append(append(dst, a.Name.Local...), "='"...)
		dst = append(appendValue(dst, a.Value), '\'')
	}
	return dst
}

// writable reports whether attribute i of e can be written.
func writable(e *Element, i int) bool {
	name := e.Attrs[i].Name
	if !isName(name.Local) || name.Space == spaceXMLNS || badChar(name.Space) >= 0 ||
		name.Space == "" && name.Local == "xmlns" {
		return false
	}
	for _, a := range e.Attrs[:i] {
		if a.Name == name {
			return false
		}
	}
	return true
}

// firstInSpace returns the first written attribute of e in the namespace of
// attribute i. Its number makes the prefix for all of them.
func firstInSpace(e *Element, i int) int {
	for j := range e.Attrs[:i] {
		if e.Attrs[j].Name.Space == e.Attrs[i].Name.Space && writable(e, j) {
			return j
		}
	}
	return i
}

func appendPrefix(dst []byte, n int) []byte {
	return strconv.AppendInt(append(dst, 'n'), int64(n), 10)
}

func appendText(dst []byte, s string) []byte  { return appendEscaped(dst, s, plainInText) }
func appendValue(dst []byte, s string) []byte { return appendEscaped(dst, s, plainInValue) }

// appendEscaped writes s, of which ASCII bytes outside the class plain become
// references.
func appendEscaped(dst []byte, s string, plain uint8) []byte {
	for s != "" {
		n := 0
		for n < len(s) && s[n] < utf8.RuneSelf && class[s[n]]&plain != 0 {
			n++
		}
		dst = append(dst, s[:n]...)
		if s = s[n:]; s == "" {
			break
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case !isChar(r):
			dst = utf8.AppendRune(dst, utf8.RuneError)
		case r >= utf8.RuneSelf:
			dst = utf8.AppendRune(dst, r)
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '\'':
			dst = append(dst, "&apos;"...)
		default:
			dst = append(strconv.AppendInt(append(dst, "&#"...), int64(r), 10), ';')
		}
	}
	return dst
}
