package element

import (
	"encoding/xml"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestAppend(t *testing.T) {
	attr := func(space, local, value string) xml.Attr {
		return xml.Attr{Name: xml.Name{Space: space, Local: local}, Value: value}
	}
	for _, v := range []struct {
		name string
		e    *Element
		want string
	}{
		{"nil", nil, ""},
		{"empty", New("", "a"), "<a/>"},
		{"only empty text", New("", "a").AddText("").AddText(""), "<a/>"},
		{"empty node", &Element{Name: xml.Name{Local: "a"}, Children: []Node{{}}}, "<a/>"},
		{"namespace stays", New("u", "a").Add(New("u", "b")), "<a xmlns='u'><b/></a>"},
		{"namespace changes and comes back", New("u", "a").Add(New("v", "b").Add(New("u", "c")), New("u", "d")),
			"<a xmlns='u'><b xmlns='v'><c xmlns='u'/></b><d/></a>"},
		{"no namespace inside one", New("u", "a").Add(New("", "b")), "<a xmlns='u'><b xmlns=''/></a>"},
		{"text", New("", "a").AddText("<&>'\"\r\n\t]]>"), "<a>&lt;&amp;&gt;'\"&#13;\n\t]]&gt;</a>"},
		{"value", New("", "a").Set("b", "<&>'\"\r\n\t"), "<a b='&lt;&amp;&gt;&apos;\"&#13;&#10;&#9;'/>"},
		{"value cannot add attributes", New("", "a").Set("to", "x' from='y"), "<a to='x&apos; from=&apos;y'/>"},
		{"namespace cannot add attributes", New("u' b='", "a"), "<a xmlns='u&apos; b=&apos;'/>"},
		{"forbidden characters", New("", "a").Set("b", "\x00\x1f").AddText("\uFFFE\uFFFF\x7f"), "<a b='\uFFFD\uFFFD'>\uFFFD\uFFFD\x7f</a>"},
		{"invalid UTF-8", New("", "a").AddText("é\xff\xed\xa0\x80"), "<a>é\uFFFD\uFFFD\uFFFD\uFFFD</a>"},
		{"beyond the basic plane", New("", "a").AddText("\U0001F600"), "<a>\U0001F600</a>"},
		{"xml attribute", &Element{Name: xml.Name{Local: "a"}, Attrs: []xml.Attr{attr(spaceXML, "lang", "de")}}, "<a xml:lang='de'/>"},
		{"prefixes", &Element{Name: xml.Name{Space: "u", Local: "a"}, Attrs: []xml.Attr{
			attr("u", "b", "1"), attr("", "b", "2"), attr("v", "b", "3"), attr("u", "c", "4")}},
			"<a xmlns='u' xmlns:n0='u' n0:b='1' b='2' xmlns:n2='v' n2:b='3' n0:c='4'/>"},
		{"attributes that cannot be", &Element{Name: xml.Name{Local: "a"}, Attrs: []xml.Attr{
			attr("", "xmlns", "u"), attr("xmlns", "p", "u"), attr(spaceXMLNS, "p", "u"), attr("", "b c", ""), attr("", "", ""),
			attr("", "p:b", ""), attr("\x00", "b", ""), attr("", "d", "1"), attr("", "d", "2")}},
			"<a xmlns:n1='xmlns' n1:p='u' d='1'/>"},
		{"first of its namespace cannot be", &Element{Name: xml.Name{Local: "a"}, Attrs: []xml.Attr{attr("u", "", "1"), attr("u", "b", "2")}},
			"<a xmlns:n1='u' n1:b='2'/>"},
		{"name cannot be", New("", "a><b").Add(New("", "")), "<_><_/></_>"},
		{"namespaces that cannot be the default", New(spaceXML, "a").Add(New(spaceXMLNS, "b")), "<xml:a><b/></xml:a>"},
	} {
		t.Run(v.name, func(t *testing.T) {
			if got := v.e.String(); got != v.want {
				t.Errorf("got  %s\nwant %s", got, v.want)
			}
			if got := string(Append([]byte("x"), v.e)); got != "x"+v.want {
				t.Errorf("Append gives %s", got)
			}
		})
	}
}

// Whatever can be said in XML comes back as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawElement(t, 4, validNames, validText)
		got, err := Parse(e.String(), nil)
		if err != nil {
			t.Fatalf("Parse(%s): %v", e, err)
		}
		if want := normal(e); !reflect.DeepEqual(plain(got), plain(want)) {
			t.Fatalf("%s\n got %#v\nwant %#v", e, got, want)
		}
	})
}

// Whatever cannot be said becomes something well-formed, once and for all.
func TestAppendIsWellFormed(t *testing.T) {
	wild := rapid.OneOf(rapid.String(), validNames, rapid.SampledFrom([]string{
		"", "xmlns", "xml", "a:b", "a b", "'", "\xff", "\x00", "&amp;", spaceXML, spaceXMLNS, "n0"}))
	rapid.Check(t, func(t *rapid.T) {
		e := drawElement(t, 4, wild, wild)
		first := e.String()
		got, err := Parse(first, nil)
		if err != nil {
			t.Fatalf("Parse(%q): %v", first, err)
		}
		again, err := Parse(got.String(), nil)
		if err != nil || !reflect.DeepEqual(plain(again), plain(got)) {
			t.Fatalf("first %q\n then %q, %v", first, got, err)
		}
	})
}

var (
	validNames = rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "x-y.z", "é", "名", "xmlnsx", "n0", "n1"}), rapid.StringMatching(`[A-Za-z_][-A-Za-z0-9._]{0,8}`))
	validText  = rapid.OneOf(rapid.StringOf(rapid.SampledFrom([]rune(" \t\n\r<>&'\"];ab\u0085\u2028é\uFFFD\U0001F600"))),
		rapid.StringOf(rapid.Rune().Filter(isChar)))
)

// drawElement returns a tree of at most depth levels. Its root carries nothing
// that Parse would strip.
func drawElement(t *rapid.T, depth int, names, text *rapid.Generator[string]) *Element {
	spaces := rapid.OneOf(rapid.SampledFrom([]string{"", "jabber:client", "u", "v", "a'&<\n b"}), text)
	e := New(spaces.Filter(isDefaultSpace).Draw(t, "space"), names.Draw(t, "name"))
	for range rapid.IntRange(0, 4).Draw(t, "attrs") {
		name := xml.Name{Space: rapid.OneOf(rapid.Just(spaceXML), spaces.Filter(isDefaultSpace)).Draw(t, "attr space"), Local: names.Draw(t, "attr")}
		seen := name.Local == "xmlns" || name.Local == "from" || name.Local == "to" || name.Local == "id" || name.Local == "type"
		for _, a := range e.Attrs {
			seen = seen || a.Name == name
		}
		if !seen {
			e.Attrs = append(e.Attrs, xml.Attr{Name: name, Value: text.Draw(t, "value")})
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "children") {
		if depth > 1 && rapid.Bool().Draw(t, "element") {
			e.Add(drawElement(t, depth-1, names, text))
		} else {
			e.AddText(text.Draw(t, "text"))
		}
	}
	return e
}

func isDefaultSpace(s string) bool { return s != spaceXML && s != spaceXMLNS }

// normal returns e with adjacent text merged and without empty text.
func normal(e *Element) *Element {
	n := &Element{Name: e.Name, Attrs: e.Attrs}
	for _, c := range e.Children {
		last := len(n.Children) - 1
		switch {
		case c.Element != nil:
			n.Add(normal(c.Element))
		case c.Text == "":
		case last >= 0 && n.Children[last].Element == nil:
			n.Children[last].Text += c.Text
		default:
			n.AddText(c.Text)
		}
	}
	return n
}
