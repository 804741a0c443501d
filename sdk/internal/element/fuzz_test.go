package element

import (
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// An accepted message stays the same when it is written and parsed again, and means
// the same to encoding/xml wherever that accepts it too.
func FuzzParse(f *testing.F) {
	for _, v := range verdicts {
		f.Add(v.in)
	}
	f.Add(pubsubEvent)
	wide := Limits{Bytes: 1 << 30, Depth: 1 << 20, Attrs: 1 << 20, Tokens: 1 << 30, Name: 1 << 20, AttrValue: 1 << 30}
	f.Fuzz(func(t *testing.T, message string) {
		e, err := Parse(message, nil)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(message) || e != nil {
				t.Fatalf("Parse = %v, %#v", e, err)
			}
			return
		}
		checkTexts(t, message, e)
		again, err := Parse(e.String(), &wide)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", message, e, err)
		}
		if !reflect.DeepEqual(plain(e), plain(again)) {
			t.Fatalf("%q was written as %q", message, e)
		}
		// encoding/xml does not normalise white space in values.
		if strings.ContainsAny(message, "\r\t\n") {
			return
		}
		theirs, err := decode(message)
		if err != nil {
			return
		}
		theirs.Sanitize()
		if !reflect.DeepEqual(plain(e), plain(normal(theirs))) {
			t.Fatalf("%q\n ours   %s\n theirs %s", message, e, theirs)
		}
	})
}

// Nothing that a caller puts into a name, value or text breaks out of it.
func FuzzEncode(f *testing.F) {
	f.Add("a", "u", "b", "v", "c", "d")
	f.Add("a b", "'", "xmlns", "xml", "\x00\xff", "]]><!-- &x;")
	f.Add("", spaceXML, "p:q", spaceXMLNS, "\r\n\t", "</a>")
	f.Fuzz(func(t *testing.T, name, space, attr, attrSpace, value, text string) {
		e := New(space, name).Set(attr, value).AddText(text).Add(New(value, attr).AddText(value))
		e.Attrs = append(e.Attrs, xml.Attr{Name: xml.Name{Space: attrSpace, Local: name}, Value: text})
		got, err := Parse(e.String(), &Limits{Bytes: 1 << 30, Depth: 2, Attrs: 4, Tokens: 100, Name: 1 << 20, AttrValue: 1 << 30})
		if err != nil {
			t.Fatalf("%q: %v", e, err)
		}
		if len(got.Attrs) > 2 || len(got.Children) > 2 || got.First() == nil || len(got.First().Attrs) > 0 {
			t.Fatalf("%q has more in it than was put", e)
		}
		if badChar(text) < 0 && got.Text() != text {
			t.Fatalf("text %q became %q", text, got.Text())
		}
		if isName(attr) && attr != "xmlns" && badChar(value) < 0 && got.Attr(attr) != value {
			t.Fatalf("value %q became %q", value, got.Attr(attr))
		}
	})
}

// decode reads a message with encoding/xml, as little strict as that is.
func decode(message string) (*Element, error) {
	d := xml.NewDecoder(strings.NewReader(message))
	var open []*Element
	var root *Element
	for {
		tok, err := d.Token()
		if err == io.EOF && root != nil {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &Element{Name: tok.Name}
			for _, a := range tok.Attr {
				if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
					e.Attrs = append(e.Attrs, a)
				}
			}
			if root == nil {
				root = e
			}
			if len(open) > 0 {
				open[len(open)-1].Add(e)
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].AddText(string(tok))
			}
		}
	}
}
