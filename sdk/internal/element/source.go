package element

import (
	"errors"
	"strings"
)

// The errors of XML.
var (
	// ErrTooLong means that the text is longer than allowed.
	ErrTooLong = errors.New("element: the text is longer than allowed")
	// ErrUnreadable means that the text has an element in the namespace of XML itself,
	// such as <xml:a/>. That is namespace-well-formed, but other parsers reject it, such
	// as libxml2 and therefore the DOMParser of browsers.
	ErrUnreadable = errors.New("element: the text has an element in the namespace of XML, which other parsers refuse")
)

// Size returns the length in bytes of the text of e as received, or 0 if e was not created
// by Parse.
func (e *Element) Size() int {
	if e == nil {
		return 0
	}
	return len(e.source)
}

// XML returns the text of e as received, with its prefixes, references, CDATA sections
// and attributes in a namespace. The text is therefore never longer than the message,
// except that XML adds the namespace declarations outside of e that e uses to the start
// tag, so that the text is well-formed by itself. It returns ErrTooLong if the text is
// longer than limit bytes, and ErrUnreadable if other parsers would reject it.
//
// The text does not include changes made to e after Parse. For an element that was not
// created by Parse, XML returns the text of String.
func (e *Element) XML(limit int) (string, error) {
	switch {
	case e == nil:
		return "", nil
	case len(e.source) > limit:
		return "", ErrTooLong
	case e.source == "":
		text := appendElement(nil, e, "", limit)
		if len(text) > limit {
			return "", ErrTooLong
		}
		return string(text), nil
	case e.unreadable:
		return "", ErrUnreadable
	}
	name := 1 + strings.IndexAny(e.source[1:], " \t\r\n/>")
	outside := e.outside(strings.Contains(e.source[:name], ":"))
	if len(outside) == 0 {
		return e.source, nil
	}
	text := append(make([]byte, 0, len(e.source)+64), e.source[:name]...)
	for prefix := range prefixesIn(e.source) {
		space, ok := outside[prefix]
		if !ok {
			continue
		}
		delete(outside, prefix)
		text = append(text, " xmlns"...)
		if prefix != "" {
			text = append(append(text, ':'), prefix...)
		}
		text = append(appendValue(append(text, "='"...), space), '\'')
		if len(text)+len(e.source)-name > limit {
			return "", ErrTooLong
		}
	}
	return string(append(text, e.source[name:]...)), nil
}

// outside returns the namespaces in scope around e that its start tag does not
// declare itself, by prefix.
func (e *Element) outside(prefixed bool) map[string]string {
	var spaces map[string]string
	add := func(prefix, space string) {
		if spaces == nil {
			spaces = map[string]string{}
		}
		if _, hidden := spaces[prefix]; !hidden {
			spaces[prefix] = space
		}
	}
	if !prefixed && !e.declaresDefault() {
		add("", e.Name.Space)
	}
	for b := e.around; b != nil; b = b.outside {
		add(b.prefix, b.space)
	}
	if spaces[""] == "" { // no namespace is what an element without declarations has
		delete(spaces, "")
	}
	tag := tagScanner{rest: e.source}
	tag.next()
	for len(spaces) > 0 && tag.attr() {
		if prefix, local, ok := strings.Cut(tag.name, ":"); ok && prefix == "xmlns" {
			delete(spaces, local)
		} else if tag.name == "xmlns" {
			delete(spaces, "")
		}
	}
	return spaces
}

// declaresDefault reports whether the start tag of e declares the default
// namespace.
func (e *Element) declaresDefault() bool {
	tag := tagScanner{rest: e.source}
	tag.next()
	for tag.attr() {
		if tag.name == "xmlns" {
			return true
		}
	}
	return false
}

// prefixesIn yields the prefixes of the elements and attributes in source, which
// is a well-formed element; "" for an element without.
func prefixesIn(source string) func(yield func(prefix string) bool) {
	return func(yield func(string) bool) {
		tag := tagScanner{rest: source}
		for tag.next() {
			prefix, _, ok := strings.Cut(tag.name, ":")
			if !ok {
				prefix = ""
			}
			if !yield(prefix) {
				return
			}
			for tag.attr() {
				if prefix, _, ok := strings.Cut(tag.name, ":"); ok && !yield(prefix) {
					return
				}
			}
		}
	}
}

// A tagScanner walks over the start tags of a well-formed element and over their
// attributes.
type tagScanner struct {
	rest string
	name string // of the tag or attribute found last
}

// next goes to the next start tag.
func (t *tagScanner) next() bool {
	for {
		at := strings.IndexByte(t.rest, '<')
		if at < 0 {
			return false
		}
		t.rest = t.rest[at:]
		switch {
		case strings.HasPrefix(t.rest, cdataStart):
			t.rest = t.rest[strings.Index(t.rest, cdataEnd)+len(cdataEnd):]
		case strings.HasPrefix(t.rest, "</"):
			t.rest = t.rest[2:]
		default:
			t.rest = t.rest[1:]
			t.read(" \t\r\n/>")
			return true
		}
	}
}

// attr goes to the next attribute of the tag.
func (t *tagScanner) attr() bool {
	t.rest = strings.TrimLeft(t.rest, " \t\r\n")
	if t.rest[0] == '>' || t.rest[0] == '/' {
		return false
	}
	t.read(" \t\r\n=")
	t.rest = t.rest[strings.IndexAny(t.rest, `'"`):]
	t.rest = t.rest[1+strings.IndexByte(t.rest[1:], t.rest[0])+1:]
	return true
}

// read takes a name up to one of the characters in end.
func (t *tagScanner) read(end string) {
	n := strings.IndexAny(t.rest, end)
	t.name, t.rest = t.rest[:n], t.rest[n:]
}
