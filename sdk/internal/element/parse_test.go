package element

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// Every beginning of a good message is refused as not well-formed.
func TestParseCut(t *testing.T) {
	whole := "<p:a xmlns:p='u' b='&lt;c&#62;'>é<![CDATA[d]]>&amp;<e xml:lang=\"f\"/></p:a>"
	if _, err := Parse(whole, nil); err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if _, err := Parse(whole[:n], nil); kindOf(t, err) != NotWellFormed {
			t.Errorf("Parse(%q) = %v", whole[:n], err)
		}
	}
}

func TestParseTree(t *testing.T) {
	e, err := Parse("<iq xmlns='jabber:client' xml:lang='en' id='1'>\n <p:q xmlns:p='u'>a<b/>c</p:q></iq>", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Is("jabber:client", "iq") || e.Attr("id") != "1" || e.Attr("lang") != "" {
		t.Errorf("root is %v", e)
	}
	if got := e.Attrs[0].Name; got != (xml.Name{Space: "http://www.w3.org/XML/1998/namespace", Local: "lang"}) {
		t.Errorf("xml:lang is %v", got)
	}
	q := e.Child("u", "q")
	if e.Text() != "\n " || q.Text() != "ac" || len(q.Children) != 3 || !q.First().Is("jabber:client", "b") {
		t.Errorf("children are %v", e.Children)
	}
}

// Elements share slabs, so growing one must not reach into another.
func TestParseElementsAreIndependent(t *testing.T) {
	e, err := Parse("<a><b x='1'><c/></b><d y='2'><f/></d></a>", nil)
	if err != nil {
		t.Fatal(err)
	}
	e.Child("", "b").Set("z", "3").Add(New("", "new")).AddText("t")
	want := "<a><b x='1' z='3'><c/><new/>t</b><d y='2'><f/></d></a>"
	if got := e.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseOffset(t *testing.T) {
	for in, want := range map[string]int{
		"<a>\xff</a>":            3,
		"<a b='1' c='&x;'/>":     12,
		"<a>é&#0;</a>":           5,
		"<a>]]]></a>":            4,
		"<a><b></c></a>":         6,
		"<a b='1' b='2'/>":       9,
		"<a><!-- --></a>":        3,
		"<a><p:b/></a>":          3,
		"<a xmlns:p=''/>":        3,
		"<a b='c<'/>":            7,
		"<a>\xef\xbf\xbf\xff<a>": 3,
	} {
		_, err := Parse(in, nil)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != want {
			t.Errorf("Parse(%q) = %v, want offset %d", in, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	limits := Limits{Bytes: 200, Depth: 3, Attrs: 2, Tokens: 12, Name: 5, AttrValue: 6}
	nested := strings.Repeat("<a xmlns:p='u' xmlns:q='u'>", 5) + strings.Repeat("</a>", 5)
	deep := limits
	deep.Depth, deep.Tokens, deep.Name = 5, 100, 7
	for _, v := range []struct {
		name   string
		in     string
		limits Limits
		kind   Kind
	}{
		{"bytes", "<a>" + strings.Repeat("x", 200-7) + "</a>", limits, 0},
		{"bytes+1", "<a>" + strings.Repeat("x", 200-6) + "</a>", limits, TooBig},
		{"depth", "<a><b><c/></b></a>", limits, 0},
		{"depth+1", "<a><b><c><d/></c></b></a>", limits, TooBig},
		{"breadth is not depth", "<a><b/><b/><b/><b/></a>", limits, 0},
		{"attributes", "<a b='' c=''/>", limits, 0},
		{"attributes+1", "<a b='' c='' d=''/>", limits, TooBig},
		{"declarations count", "<a xmlns='' xmlns:c='u' d=''/>", limits, TooBig},
		{"declarations in scope", nested[27 : len(nested)-4], deep, 0},
		{"declarations in scope+1", nested, deep, TooBig},
		{"tokens", "<a>1<b c=''/>2<b/>3<b/>4</a>", limits, TooBig},
		{"tokens-1", "<a>1<b c=''/>2<b/>3<b/></a>", limits, 0},
		{"name", "<abcde/>", limits, 0},
		{"name+1", "<abcdef/>", limits, TooBig},
		{"name with prefix+1", "<ab:def xmlns:ab='u'/>", limits, TooBig},
		{"attribute name+1", "<a bcdefg=''/>", limits, TooBig},
		{"value", "<a b='123456'/>", limits, 0},
		{"value as written+1", "<a b='12&lt;4'/>", limits, TooBig},
		{"not well-formed before it is too big", "<a/><b><b><b><b><b>", limits, NotWellFormed},
		{"nothing allowed", "<a/>", Limits{}, TooBig},
	} {
		t.Run(v.name, func(t *testing.T) {
			if _, err := Parse(v.in, &v.limits); kindOf(t, err) != v.kind {
				t.Errorf("Parse(%q) = %v, want %v", v.in, err, v.kind)
			}
		})
	}
}

func TestStandingLimits(t *testing.T) {
	for _, v := range []struct {
		in     string
		limits *Limits
		kind   Kind
	}{
		{"<a>" + strings.Repeat("x", 64<<10) + "</a>", nil, 0},
		{"<a>" + strings.Repeat("x", 64<<10) + "</a>", &PreAuthLimits, TooBig},
		{"<a>" + strings.Repeat("x", 32<<20) + "</a>", nil, TooBig},
		{strings.Repeat("<a>", 64) + strings.Repeat("</a>", 64), nil, 0},
		{strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), nil, TooBig},
		{"<a b='" + strings.Repeat("x", 64<<10) + "'/>", nil, 0},
		{"<a b='" + strings.Repeat("x", 64<<10+1) + "'/>", nil, TooBig},
		{subscriptionList(10_000), nil, 0},
	} {
		if _, err := Parse(v.in, v.limits); kindOf(t, err) != v.kind {
			t.Errorf("Parse of %d bytes = %v, want %v", len(v.in), err, v.kind)
		}
	}
}

func TestKind(t *testing.T) {
	for kind, want := range map[Kind]string{
		NotWellFormed: "not-well-formed true",
		RestrictedXML: "restricted-xml true",
		TooBig:        "policy-violation false",
		BadNamespaces: "not-well-formed false",
		99:            "undefined-condition true",
	} {
		if got := fmt.Sprint(kind, kind.Fatal()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTainted(t *testing.T) {
	for in, want := range map[string]bool{
		"<message xmlns='jabber:client'><body/></message>":                                            false,
		"<error xmlns='http://etherx.jabber.org/streams'/>":                                           false,
		"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>":                                        false,
		"<message><e xmlns='http://etherx.jabber.org/streams'/></message>":                            true,
		"<message><a><b><close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/></b></a></message>":       true,
		"<message><a/><s:error xmlns:s='http://etherx.jabber.org/streams'/></message>":                true,
		"<features xmlns='http://etherx.jabber.org/streams'><bind/></features>":                       true,
		"<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='u'/></features>":             false,
		"<message x='http://etherx.jabber.org/streams'>http://etherx.jabber.org/streams</message>":    false,
		"<message xmlns:s='http://etherx.jabber.org/streams' s:a=''><b/></message>":                   false,
		"<message><a xmlns='http://etherx.jabber.org/streams/'/></message>":                           false,
		"<message><a xmlns='&#104;ttp://etherx.jabber.org/streams'>x</a></message>":                   true,
		"<message xmlns:s='urn:ietf:params:xml:ns:xmpp-framing'><a><s:open to='x'/></a></message>":    true,
		"<message><a>&lt;e xmlns='http://etherx.jabber.org/streams'/&gt;</a></message>":               false,
		"<message><a><![CDATA[<e xmlns='http://etherx.jabber.org/streams'/>]]></a></message>":         false,
		"<message><a b='urn:ietf:params:xml:ns:xmpp-framing'/><c d='x' e='y'/></message>":             false,
		"<message><a/><a/><a/><a/><a/><close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/></message>": true,
	} {
		e, err := Parse(in, nil)
		if err != nil {
			t.Fatalf("Parse(%s): %v", in, err)
		}
		if got := e.ContainsStreamElements(); got != want {
			t.Errorf("ContainsStreamElements(%s) = %v", in, got)
		}
	}
}
