package element

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestXML(t *testing.T) {
	for _, v := range []struct{ name, in, path, want string }{
		{"the root as it came", "<?xml version='1.0'?> <a  b=\"&#65;\">\r\n<![CDATA[<x>]]><c></c ></a> \n", "", "<a  b=\"&#65;\">\r\n<![CDATA[<x>]]><c></c ></a>"},
		{"a child without declarations", "<a><b/></a>", "b", "<b/>"},
		{"the default namespace", "<a xmlns='u'><b c='1'/></a>", "b", "<b xmlns='u' c='1'/>"},
		{"its own default namespace", "<a xmlns='u'><b xmlns='v'/></a>", "b", "<b xmlns='v'/>"},
		{"no namespace any more", "<a xmlns='u'><b xmlns=''><c/></b></a>", "b c", "<c/>"},
		{"a prefix", "<a xmlns:p='u'><p:b/></a>", "b", "<p:b xmlns:p='u'/>"},
		{"a prefix that is not used", "<a xmlns:p='u'><b/></a>", "b", "<b/>"},
		{"a prefix that is used in text only", "<a xmlns:p='u'><b>p:c<![CDATA[<p:c/>]]></b></a>", "b", "<b>p:c<![CDATA[<p:c/>]]></b>"},
		{"a prefix, and text that looks like no tag", "<a xmlns:p='u'><p:b><![CDATA[ c ]]></p:b></a>", "b", "<p:b xmlns:p='u'><![CDATA[ c ]]></p:b>"},
		{"a prefix of an attribute below", "<a xmlns:p='u'><b><c p:d='>'/></b></a>", "b", "<b xmlns:p='u'><c p:d='>'/></b>"},
		{"the inner of two", "<a xmlns:p='u'><x xmlns:p='v'><p:b/></x></a>", "x b", "<p:b xmlns:p='v'/>"},
		{"the outer of two again", "<a xmlns:p='u'><x xmlns:p='v'/><p:b/></a>", "b", "<p:b xmlns:p='u'/>"},
		{"a default that a prefixed element passes on", "<a xmlns='u' xmlns:p='v'><p:b><c/></p:b></a>", "b", "<p:b xmlns:p='v' xmlns='u'><c/></p:b>"},
		{"a namespace with quotes", "<a xmlns=\"u'&amp;\"><b/></a>", "b", "<b xmlns='u&apos;&amp;'/>"},
		{"xml needs none", "<a><b xml:lang='de'/></a>", "b", "<b xml:lang='de'/>"},
		{"an attribute with spaces", "<a xmlns:p='u'><b p:c\n=\t'/' d = \"'\"/></a>", "b", "<b xmlns:p='u' p:c\n=\t'/' d = \"'\"/>"},
	} {
		t.Run(v.name, func(t *testing.T) {
			e, err := Parse(v.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			for local := range strings.FieldsSeq(v.path) {
				next := (*Element)(nil)
				for c := range e.Elements() {
					if c.Name.Local == local {
						next = c
					}
				}
				e = next
			}
			if got, err := e.XML(1000); got != v.want || err != nil {
				t.Errorf("got  %s, %v\nwant %s", got, err, v.want)
			}
			if got, err := e.XML(len(v.want) - 1); got != "" || err != ErrTooLong {
				t.Errorf("with a limit one byte lower: %q, %v", got, err)
			}
		})
	}
	if got, err := New("u", "a").XML(100); got != "<a xmlns='u'/>" || err != nil {
		t.Errorf("an element that was not parsed: %q, %v", got, err)
	}
	if got, err := New("u", "a").XML(5); got != "" || err != ErrTooLong {
		t.Errorf("an element that was not parsed, with a low limit: %q, %v", got, err)
	}
}

// Parsers of other programs refuse elements in the namespace of XML; that name in
// text is harmless.
func TestXMLUnreadable(t *testing.T) {
	for in, want := range map[string]error{
		"<xml:a/>":                                 ErrUnreadable,
		"<a><b><xml:c/></b></a>":                   ErrUnreadable,
		"<xml:a/ >":                                nil, // not well-formed at all
		"<a><![CDATA[<xml:a/>]]></a>":              nil,
		"<a xml:b='&lt;xml:c/>'/>":                 nil,
		"<a><![CDATA[<xml:a/>]]><b xml:c=''/></a>": nil,
	} {
		e, err := Parse(in, nil)
		if err != nil {
			continue
		}
		if text, err := e.XML(1000); err != want || (err == nil) != (text == in) {
			t.Errorf("%s: %q, %v", in, text, err)
		}
	}
}

// An element that is no part of a message is written, which takes no more than the
// limit either.
func TestXMLOfCopy(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "<a xmlns:p='%s'>", strings.Repeat("x", 60_000))
	b.WriteString(strings.Repeat("<p:b/>", 10_000) + "</a>")
	e, err := Parse(b.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := copyOf(e)
	grown := testing.AllocsPerRun(1, func() {
		if text, err := c.XML(2 * b.Len()); text != "" || err != ErrTooLong {
			t.Errorf("%d bytes, %v", len(text), err)
		}
	})
	if grown > 50 {
		t.Errorf("%v allocations", grown)
	}
}

// copyOf returns an element that says the same and is no part of a message.
func copyOf(e *Element) *Element {
	c := &Element{Name: e.Name, Attrs: e.Attrs}
	for _, n := range e.Children {
		if n.Element != nil {
			n.Element = copyOf(n.Element)
		}
		c.Children = append(c.Children, n)
	}
	return c
}

// Whatever the message, the text of every element in it says what the element
// says, is its part of the message plus declarations, and takes no more memory
// than that.
func TestXMLOfAnything(t *testing.T) {
	for seed := range uint64(400) {
		message := namespaceHeavy(rand.New(rand.NewPCG(seed, 12)), 3000)
		root, err := Parse(message, nil)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, message)
		}
		checkTexts(t, message, root)
	}
}

// checkTexts checks the text of every element below e.
func checkTexts(t testing.TB, message string, e *Element) {
	t.Helper()
	text, err := e.XML(1 << 30)
	if refused := errors.Is(err, ErrUnreadable); refused != holdsXML(e) {
		t.Fatalf("an element of %q is refused: %v", message, refused)
	} else if !refused {
		again, err := Parse(text, &Limits{Bytes: 1 << 30, Depth: 1 << 20, Attrs: 1 << 20, Tokens: 1 << 30, Name: 1 << 20, AttrValue: 1 << 30})
		if err != nil {
			t.Fatalf("%q\nin %q\n%v", text, message, err)
		}
		want := *e
		want.Attrs = append(want.Attrs[:0:0], want.Attrs...)
		want.Sanitize() // as Parse does with a root
		if !reflect.DeepEqual(plain(&want), plain(again)) {
			t.Fatalf("the text of an element in %q\nis %q\nwhich says %s\ninstead of  %s", message, text, again, e)
		}
		// The declarations that were added are the only difference.
		name := 1 + strings.IndexAny(e.source[1:], " \t\r\n/>")
		added := len(text) - len(e.source)
		if added < 0 || text[:name] != e.source[:name] || text[name+added:] != e.source[name:] || !strings.Contains(message, e.source) {
			t.Fatalf("the text %q\nis no part of %q", text, message)
		}
	}
	for c := range e.Elements() {
		checkTexts(t, message, c)
	}
}

// holdsXML reports whether e or an element in it is in the namespace of XML.
func holdsXML(e *Element) bool {
	if e.Name.Space == spaceXML {
		return true
	}
	for c := range e.Elements() {
		if holdsXML(c) {
			return true
		}
	}
	return false
}

// The text of a whole stanza costs nothing, however many namespaces it has: it is
// a part of the message.
func TestXMLOfRootIsNoCopy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 12))
	for range 20 {
		message := namespaceHeavy(r, 100_000)
		root, err := Parse(message, nil)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if n := testing.AllocsPerRun(5, func() { text, err = root.XML(len(message)) }); n > 0 || err != nil {
			t.Errorf("%v allocations, %v", n, err)
		}
		if len(text) > len(message) {
			t.Errorf("%d bytes became %d", len(message), len(text))
		}
	}
}

// namespaceHeavy returns a stanza of about size bytes that uses a few declarations
// often: what a text written anew makes much longer.
func namespaceHeavy(r *rand.Rand, size int) string {
	var b strings.Builder
	long := strings.Repeat("urn:x", 1+r.IntN(size/20))
	b.WriteString("<message xmlns='jabber:client'")
	scope := []string{""}
	for i := range 1 + r.IntN(20) {
		scope = append(scope, fmt.Sprintf("p%d", i))
		fmt.Fprintf(&b, " xmlns:p%d='%s%d'", i, long[:r.IntN(len(long))], i)
	}
	b.WriteString(">")
	name := func(scope []string) string {
		if p := scope[r.IntN(len(scope))]; p != "" {
			return p + ":a"
		}
		return "a"
	}
	var child func(depth int, scope []string)
	child = func(depth int, scope []string) {
		tag, more := "", ""
		if r.IntN(4) == 0 {
			p := fmt.Sprintf("p%d", r.IntN(30))
			scope = append(scope[:len(scope):len(scope)], p)
			more += fmt.Sprintf(" xmlns:%s=\"urn:%d'&amp;\"", p, r.IntN(9))
		}
		if r.IntN(6) == 0 {
			more += fmt.Sprintf(" xmlns='%s'", [...]string{"", "urn:d", "urn:e"}[r.IntN(3)])
		}
		tag = name(scope)
		if p := name(scope); p != "a" {
			more += " " + p + "='v>'"
		}
		more += [...]string{"", " b = \"'\"", "\n", " xml:lang='de'"}[r.IntN(4)]
		b.WriteString("<" + tag + more)
		if r.IntN(3) == 0 || depth == 0 {
			b.WriteString("/>")
			return
		}
		b.WriteString(">")
		for range r.IntN(4) {
			switch r.IntN(5) {
			case 0:
				b.WriteString("t&#x41;\r\n")
			case 1:
				b.WriteString("<![CDATA[<p1:a/>]]>")
			default:
				child(depth-1, scope)
			}
		}
		b.WriteString("</" + tag + ">")
	}
	for b.Len() < size {
		child(5, scope)
	}
	b.WriteString("</message>")
	return b.String()
}

// plain returns e without what it remembers of its message.
func plain(e *Element) *Element {
	p := &Element{Name: e.Name, Attrs: e.Attrs}
	if len(p.Attrs) == 0 {
		p.Attrs = nil
	}
	for _, n := range e.Children {
		if n.Element != nil {
			n.Element = plain(n.Element)
		}
		p.Children = append(p.Children, n)
	}
	return p
}
