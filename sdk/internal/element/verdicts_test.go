package element

import (
	"errors"
	"strings"
	"testing"
)

// verdicts has both sides of every rule. A row that is accepted says what
// String makes of it; "=" stands for the input itself.
var verdicts = []struct {
	name string
	in   string
	kind Kind // 0: accepted
	want string
}{
	// One element per message (RFC 7395 §3.3.3).
	{"empty element", "<a/>", 0, "="},
	{"start and end", "<a></a>", 0, "<a/>"},
	{"white space in tags", "<a\t\r\n ></a \n>", 0, "<a/>"},
	{"white space before slash", "<a />", 0, "<a/>"},
	{"white space after root", "<a/> \t\r\n", 0, "<a/>"},
	{"nothing", "", NotWellFormed, ""},
	{"only white space", " ", NotWellFormed, ""},
	{"white space first", " <a/>", NotWellFormed, ""},
	{"byte order mark first", "\uFEFF<a/>", NotWellFormed, ""},
	{"text first", "x<a/>", NotWellFormed, ""},
	{"text after root", "<a/>x", NotWellFormed, ""},
	{"reference after root", "<a/>&#32;", NotWellFormed, ""},
	{"CDATA after root", "<a/><![CDATA[]]>", NotWellFormed, ""},
	{"two elements", "<a/><b/>", NotWellFormed, ""},
	{"NUL after root", "<a/>\x00", NotWellFormed, ""},
	{"only <", "<", NotWellFormed, ""},
	{"only <>", "<>", NotWellFormed, ""},
	{"end tag only", "</a>", NotWellFormed, ""},
	{"stream header", "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", NotWellFormed, ""},
	{"CDATA as root", "<![CDATA[<a/>]]>", NotWellFormed, ""},

	// Tags.
	{"nested", "<a><b><c/></b><d/></a>", 0, "="},
	{"text around elements", "<a> x <b/> y </a>", 0, "="},
	{"unclosed", "<a>", NotWellFormed, ""},
	{"unclosed child", "<a><b></a>", NotWellFormed, ""},
	{"crossed", "<a><b></a></b>", NotWellFormed, ""},
	{"end tag of longer name", "<a></ab>", NotWellFormed, ""},
	{"end tag of shorter name", "<ab></a>", NotWellFormed, ""},
	{"end tag in other case", "<a></A>", NotWellFormed, ""},
	{"end tag with attribute", "<a></a b='c'>", NotWellFormed, ""},
	{"end tag with space first", "<a></ a>", NotWellFormed, ""},
	{"end tag cut", "<a></a", NotWellFormed, ""},
	{"end tag empty", "<a></>", NotWellFormed, ""},
	{"end tag too many", "<a></a></a>", NotWellFormed, ""},
	{"end tag with other prefix of same namespace", "<p:a xmlns:p='u' xmlns:q='u'></q:a>", NotWellFormed, ""},
	{"start tag cut", "<a", NotWellFormed, ""},
	{"start tag cut after space", "<a ", NotWellFormed, ""},
	{"slash alone", "<a/", NotWellFormed, ""},
	{"slash and space", "<a/ >", NotWellFormed, ""},
	{"space before name", "< a/>", NotWellFormed, ""},
	{"tag in tag", "<a <b/>", NotWellFormed, ""},
	{"bare < in text", "<a>1 < 2</a>", NotWellFormed, ""},
	{"> in text", "<a>2 > 1</a>", 0, "<a>2 &gt; 1</a>"},
	{"quote in tag", "<a'/>", NotWellFormed, ""},

	// Names (XML 1.0 5th edition, productions 4 and 4a).
	{"name with all ASCII kinds", "<_a-b.c1/>", 0, "="},
	{"name starts with digit", "<1a/>", NotWellFormed, ""},
	{"name starts with -", "<-a/>", NotWellFormed, ""},
	{"name starts with .", "<.a/>", NotWellFormed, ""},
	{"name beyond ASCII", "<é名𐀀/>", 0, "="},
	{"name with U+00D7", "<a×/>", NotWellFormed, ""},
	{"name with U+00F7", "<a÷/>", NotWellFormed, ""},
	{"name with U+037E", "<a\u037e/>", NotWellFormed, ""},
	{"name with U+2028", "<a\u2028/>", NotWellFormed, ""},
	{"name with U+00B7", "<a·/>", 0, "="},
	{"name starts with U+00B7", "<·a/>", NotWellFormed, ""},
	{"name with U+0301", "<e\u0301/>", 0, "="},
	{"name starts with U+0301", "<\u0301e/>", NotWellFormed, ""},
	{"name with U+F0000", "<a\U000F0000/>", NotWellFormed, ""},
	{"name with $", "<a$/>", NotWellFormed, ""},
	{"name only colon", "<:/>", BadNamespaces, ""},
	{"name starts with colon", "<:a/>", BadNamespaces, ""},
	{"name ends with colon", "<a:/>", BadNamespaces, ""},
	{"two colons", "<a:b:c xmlns:a='u'/>", BadNamespaces, ""},
	{"local part starts with digit", "<p:1 xmlns:p='u'/>", BadNamespaces, ""},

	// Attributes.
	{"attributes", `<a b='1' c="2"/>`, 0, "<a b='1' c='2'/>"},
	{"space around =", "<a b \n=\t '1'/>", 0, "<a b='1'/>"},
	{"other quote inside", `<a b='"' c="'"/>`, 0, `<a b='"' c='&apos;'/>`},
	{"empty value", "<a b=''/>", 0, "="},
	{"> in value", "<a b='>'/>", 0, "<a b='&gt;'/>"},
	{"/> in value", "<a b='/>'/>", 0, "<a b='/&gt;'/>"},
	{"no space between attributes", "<a b='1'c='2'/>", NotWellFormed, ""},
	{"no value", "<a b/>", NotWellFormed, ""},
	{"no value but =", "<a b=/>", NotWellFormed, ""},
	{"no quotes", "<a b=c/>", NotWellFormed, ""},
	{"no end quote", "<a b='c/>", NotWellFormed, ""},
	{"wrong end quote", `<a b='c"/>`, NotWellFormed, ""},
	{"no name", "<a ='c'/>", NotWellFormed, ""},
	{"cut after =", "<a b=", NotWellFormed, ""},
	{"cut after value", "<a b='c'", NotWellFormed, ""},
	{"< in value", "<a b='<'/>", NotWellFormed, ""},
	{"&lt; in value", "<a b='&lt;'/>", 0, "="},
	{"twice", "<a b='1' b='2'/>", NotWellFormed, ""},
	{"twice in other case", "<a b='1' B='2'/>", 0, "="},
	{"same local name in namespace", "<a b='1' p:b='2' xmlns:p='u'/>", 0, "<a b='1' xmlns:n1='u' n1:b='2'/>"},
	{"same local name in two namespaces", "<a q:b='1' p:b='2' xmlns:p='u' xmlns:q='v'/>", 0, "<a xmlns:n0='v' n0:b='1' xmlns:n1='u' n1:b='2'/>"},
	{"twice by namespace", "<a q:b='1' p:b='2' xmlns:p='u' xmlns:q='u'/>", BadNamespaces, ""},
	{"attribute without prefix is in no namespace", "<a xmlns='u' b='1' p:b='2' xmlns:p='u'/>", 0, "<a xmlns='u' b='1' xmlns:n1='u' n1:b='2'/>"},

	// Value normalisation and line ends (XML 1.0 §3.3.3 and §2.11).
	{"tab and line feed in value", "<a b='1\t2\n3'/>", 0, "<a b='1 2 3'/>"},
	{"CR LF in value", "<a b='1\r\n2\r3'/>", 0, "<a b='1 2 3'/>"},
	{"spaces in value stay", "<a b='  1  '/>", 0, "="},
	{"referenced white space in value stays", "<a b='&#9;&#10;&#13;'/>", 0, "="},
	{"CR LF in text", "<a>1\r\n2\r3\n\r</a>", 0, "<a>1\n2\n3\n\n</a>"},
	{"CR LF in CDATA", "<a><![CDATA[1\r\n2\r3]]></a>", 0, "<a>1\n2\n3</a>"},
	{"referenced CR in text stays", "<a>&#13;\n</a>", 0, "="},

	// Text, references, CDATA.
	{"predefined entities", "<a>&lt;&gt;&amp;&apos;&quot;</a>", 0, "<a>&lt;&gt;&amp;'\"</a>"},
	{"decimal and hexadecimal", "<a>&#65;&#x42;&#x4a;&#x4A;</a>", 0, "<a>ABJJ</a>"},
	{"leading zeros", "<a>&#00000000000065;</a>", 0, "<a>A</a>"},
	{"reference beyond the basic plane", "<a>&#x1F600;</a>", 0, "<a>\U0001F600</a>"},
	{"last character", "<a>&#x10FFFF;</a>", 0, "<a>\U0010FFFF</a>"},
	{"referenced markup is text", "<a>&#60;b/&#62;</a>", 0, "<a>&lt;b/&gt;</a>"},
	{"references are not expanded twice", "<a>&#38;lt;</a>", 0, "<a>&amp;lt;</a>"},
	{"reference to NUL", "<a>&#0;</a>", NotWellFormed, ""},
	{"reference to control", "<a>&#x1F;</a>", NotWellFormed, ""},
	{"reference to high surrogate", "<a>&#xD800;</a>", NotWellFormed, ""},
	{"reference to low surrogate", "<a>&#xDFFF;</a>", NotWellFormed, ""},
	{"reference to U+D7FF", "<a>&#xD7FF;</a>", 0, "<a>\uD7FF</a>"},
	{"reference to U+E000", "<a>&#xE000;</a>", 0, "<a>\uE000</a>"},
	{"reference to U+FFFD", "<a>&#xFFFD;</a>", 0, "<a>\uFFFD</a>"},
	{"reference to U+FFFE", "<a>&#xFFFE;</a>", NotWellFormed, ""},
	{"reference beyond Unicode", "<a>&#x110000;</a>", NotWellFormed, ""},
	{"reference that overflows", "<a>&#4294967361;</a>", NotWellFormed, ""},
	{"reference with capital X", "<a>&#X41;</a>", NotWellFormed, ""},
	{"reference without digits", "<a>&#;</a>", NotWellFormed, ""},
	{"reference without hexadecimal digits", "<a>&#x;</a>", NotWellFormed, ""},
	{"reference with letters", "<a>&#6A;</a>", NotWellFormed, ""},
	{"reference with sign", "<a>&#+65;</a>", NotWellFormed, ""},
	{"reference without ;", "<a>&#65</a>", NotWellFormed, ""},
	{"entity without ;", "<a>&lt</a>", NotWellFormed, ""},
	{"lone &", "<a>&</a>", NotWellFormed, ""},
	{"& and space", "<a>b & c</a>", NotWellFormed, ""},
	{"&;", "<a>&;</a>", NotWellFormed, ""},
	{"& in value", "<a b='c&d'/>", NotWellFormed, ""},
	{"bad reference in value", "<a b='&#xD800;'/>", NotWellFormed, ""},
	{"CDATA", "<a><![CDATA[<b>&amp;]]></a>", 0, "<a>&lt;b&gt;&amp;amp;</a>"},
	{"CDATA empty", "<a><![CDATA[]]></a>", 0, "<a/>"},
	{"CDATA with brackets", "<a><![CDATA[]]]]></a>", 0, "<a>]]</a>"},
	{"CDATA joins text", "<a>1<![CDATA[2]]>3<![CDATA[4]]><![CDATA[5]]></a>", 0, "<a>12345</a>"},
	{"CDATA between elements", "<a><b/><![CDATA[x]]><b/></a>", 0, "<a><b/>x<b/></a>"},
	{"CDATA cut", "<a><![CDATA[x]]</a>", NotWellFormed, ""},
	{"CDATA in lower case", "<a><![cdata[x]]></a>", NotWellFormed, ""},
	{"CDATA in value", "<a b='<![CDATA[x]]>'/>", NotWellFormed, ""},
	{"]]> in text", "<a>]]></a>", NotWellFormed, ""},
	{"]] > in text", "<a>]] ></a>", 0, "<a>]] &gt;</a>"},
	{"]]&gt; in text", "<a>]]&gt;</a>", 0, "="},
	{"]]> in value", "<a b=']]>'/>", 0, "<a b=']]&gt;'/>"},

	// Characters.
	{"tab, line feed and DEL", "<a>\t\n\x7f</a>", 0, "="},
	{"C1 control", "<a>\u0085</a>", 0, "="},
	{"NUL in text", "<a>\x00</a>", NotWellFormed, ""},
	{"control in text", "<a>\x1f</a>", NotWellFormed, ""},
	{"control in value", "<a b='\x01'/>", NotWellFormed, ""},
	{"control in CDATA", "<a><![CDATA[\x0b]]></a>", NotWellFormed, ""},
	{"control in tag", "<a\x0c/>", NotWellFormed, ""},
	{"U+FFFE", "<a>\uFFFE</a>", NotWellFormed, ""},
	{"U+FFFF", "<a>\uFFFF</a>", NotWellFormed, ""},
	{"U+FFFD and U+FEFF", "<a>\uFFFD\uFEFF</a>", 0, "="},
	{"U+1FFFE is a character", "<a>\U0001FFFE</a>", 0, "="},
	{"invalid UTF-8", "<a>\xff</a>", NotWellFormed, ""},
	{"UTF-8 cut", "<a>\xc3</a>", NotWellFormed, ""},
	{"UTF-8 overlong", "<a>\xc0\xaf</a>", NotWellFormed, ""},
	{"UTF-8 surrogate", "<a>\xed\xa0\x80</a>", NotWellFormed, ""},
	{"UTF-8 beyond Unicode", "<a>\xf4\x90\x80\x80</a>", NotWellFormed, ""},
	{"invalid UTF-8 in name", "<a\xff/>", NotWellFormed, ""},
	{"invalid UTF-8 in value", "<a b='\xff'/>", NotWellFormed, ""},

	// Namespaces.
	{"default namespace", "<a xmlns='u'><b/></a>", 0, "="},
	{"default namespace undeclared", "<a xmlns='u'><b xmlns=''/></a>", 0, "="},
	{"default namespace ends with its element", "<a><b xmlns='u'/><c/></a>", 0, "="},
	{"prefix", "<p:a xmlns:p='u'/>", 0, "<a xmlns='u'/>"},
	{"prefix declared last", "<p:a p:b='1' xmlns:p='u'/>", 0, "<a xmlns='u' xmlns:n0='u' n0:b='1'/>"},
	{"prefix inherited", "<a xmlns:p='u'><p:b/></a>", 0, "<a><b xmlns='u'/></a>"},
	{"prefix shadowed", "<p:a xmlns:p='u'><p:b xmlns:p='v'/><p:c/></p:a>", 0, "<a xmlns='u'><b xmlns='v'/><c/></a>"},
	{"prefix ends with its element", "<a><p:b xmlns:p='u'/><p:c/></a>", BadNamespaces, ""},
	{"prefix not declared on element", "<p:a/>", BadNamespaces, ""},
	{"prefix not declared on attribute", "<a p:b='1'/>", BadNamespaces, ""},
	{"prefix undeclared", "<a xmlns:p=''/>", BadNamespaces, ""},
	{"prefix declared twice", "<a xmlns:p='u' xmlns:p='v'/>", NotWellFormed, ""},
	{"prefix declared twice among many", "<a xmlns:a='1' xmlns:b='2' xmlns:c='3' xmlns:d='4' xmlns:e='5' xmlns:f='6' xmlns:g='7' xmlns:h='8' xmlns:i='9'><b xmlns:j='10' xmlns:b='11' xmlns:j='12'/></a>", NotWellFormed, ""},
	{"prefix declared twice, once further out", "<a xmlns:p='u'><b xmlns:p='v' xmlns:p='w'/></a>", NotWellFormed, ""},
	{"prefix shadowed in a default namespace", "<a xmlns='d' xmlns:p='u'><p:b xmlns:p='v'><c xmlns:p='w'/></p:b></a>", 0, "<a xmlns='d'><b xmlns='v'><c xmlns='d'/></b></a>"},
	{"end tag of a similar name", "<ab></ac>", NotWellFormed, ""},
	{"reference without ';'", "<a>&lt b</a>", NotWellFormed, ""},
	{"reference that begins like another", "<a>&ltx;</a>", RestrictedXML, ""},
	{"default declared twice", "<a xmlns='u' xmlns='u'/>", NotWellFormed, ""},
	{"prefixes are case sensitive", "<P:a xmlns:p='u'/>", BadNamespaces, ""},
	{"xml is predeclared", "<a xml:lang='de'/>", 0, "="},
	{"xml declared as it is", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='de'/>", 0, "<a xml:lang='de'/>"},
	{"xml on an element", "<xml:a/>", 0, "="},
	{"xml rebound", "<a xmlns:xml='u'/>", BadNamespaces, ""},
	{"other prefix for the xml namespace", "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", BadNamespaces, ""},
	{"xml namespace as default", "<a xmlns='http://www.w3.org/XML/1998/namespace'/>", BadNamespaces, ""},
	{"xmlns declared", "<a xmlns:xmlns='u'/>", BadNamespaces, ""},
	{"xmlns declared as it is", "<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>", BadNamespaces, ""},
	{"other prefix for the xmlns namespace", "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", BadNamespaces, ""},
	{"xmlns namespace as default", "<a xmlns='http://www.w3.org/2000/xmlns/'/>", BadNamespaces, ""},
	{"xmlns on an element", "<xmlns:a/>", BadNamespaces, ""},
	{"xmlns without local part", "<a xmlns:='u'/>", BadNamespaces, ""},
	{"local name xmlns in a namespace", "<a xmlns:p='u' p:xmlns='v'/>", 0, "<a xmlns:n0='u' n0:xmlns='v'/>"},
	{"misused namespaces in what is no XML", "<p:a><b></p:a>", NotWellFormed, ""},
	{"misused namespaces and a comment", "<p:a><!-- --></p:a>", RestrictedXML, ""},
	{"twice under a prefix that is not declared", "<a p:b='1' p:b='2'/>", NotWellFormed, ""},
	{"name with colon starts with digit", "<1:a/>", NotWellFormed, ""},
	{"references in a namespace", "<a xmlns='a&amp;&#98;'/>", 0, "<a xmlns='a&amp;b'/>"},

	// Restrictions of RFC 6120 §11.1.
	{"XML declaration", "<?xml version='1.0'?><a/>", 0, "<a/>"},
	{"XML declaration with encoding", "<?xml version=\"1.0\"  encoding=\"UTF-8\"?>\n<a/>", 0, "<a/>"},
	{"XML declaration with standalone", "<?xml version='1.0' encoding='utf-8' standalone='yes' ?><a/>", 0, "<a/>"},
	{"XML declaration of version 1.1", "<?xml version='1.1'?><a/>", RestrictedXML, ""},
	{"XML declaration of another encoding", "<?xml version='1.0' encoding='UTF-16'?><a/>", RestrictedXML, ""},
	{"XML declaration without version", "<?xml encoding='UTF-8'?><a/>", RestrictedXML, ""},
	{"XML declaration, unfinished", "<?xml version='1.0'", RestrictedXML, ""},
	{"XML declaration after white space", " <?xml version='1.0'?><a/>", NotWellFormed, ""},
	{"XML declaration twice", "<?xml version='1.0'?><?xml version='1.0'?><a/>", RestrictedXML, ""},
	{"XML declaration inside", "<a><?xml version='1.0'?></a>", RestrictedXML, ""},
	{"XML declaration alone", "<?xml version='1.0'?>", NotWellFormed, ""},
	{"processing instruction first", "<?b?><a/>", RestrictedXML, ""},
	{"processing instruction inside", "<a><?b?></a>", RestrictedXML, ""},
	{"processing instruction last", "<a/><?b?>", RestrictedXML, ""},
	{"comment first", "<!-- --><a/>", RestrictedXML, ""},
	{"comment inside", "<a><!----></a>", RestrictedXML, ""},
	{"comment last", "<a/> <!-- -->", RestrictedXML, ""},
	{"comment in CDATA is text", "<a><![CDATA[<!-- <?b?> -->]]></a>", 0, "<a>&lt;!-- &lt;?b?&gt; --&gt;</a>"},
	{"document type", "<!DOCTYPE a><a/>", RestrictedXML, ""},
	{"document type with entity", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", RestrictedXML, ""},
	{"document type inside", "<a><!DOCTYPE a></a>", RestrictedXML, ""},
	{"entity not predefined", "<a>&nbsp;</a>", RestrictedXML, ""},
	{"entity not predefined in value", "<a b='&nbsp;'/>", RestrictedXML, ""},
	{"entity in other case", "<a>&LT;</a>", RestrictedXML, ""},
	{"other declaration", "<a><!ELEMENT b ANY></a>", NotWellFormed, ""},

	// What XMPP looks like.
	{"stream prefix", "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>", 0,
		"<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>"},
	{"namespaced addresses on the root go", "<message xmlns='jabber:client' xmlns:x='jabber:client' x:from='a' from='b' x:to='c' x:id='d' x:type='e' x:lang='f'/>", 0,
		"<message xmlns='jabber:client' from='b' xmlns:n1='jabber:client' n1:lang='f'/>"},
	{"namespaced addresses below stay", "<a><b xmlns:x='u' x:from='c'/></a>", 0, "<a><b xmlns:n0='u' n0:from='c'/></a>"},
}

func TestParseVerdicts(t *testing.T) {
	if len(verdicts) < 120 {
		t.Fatalf("only %d rows", len(verdicts))
	}
	for _, v := range verdicts {
		t.Run(v.name, func(t *testing.T) {
			e, err := Parse(v.in, nil)
			if got := kindOf(t, err); got != v.kind {
				t.Fatalf("Parse(%q) = %v, %v, want %v", v.in, e, err, v.kind)
			}
			if err != nil {
				return
			}
			want := v.want
			if v.want == "=" {
				want = v.in
			}
			if got := e.String(); got != want {
				t.Errorf("Parse(%q)\n got %q\nwant %q", v.in, got, want)
			}
		})
	}
}

// kindOf also checks that err is what Parse promises.
func kindOf(t *testing.T, err error) Kind {
	t.Helper()
	if err == nil {
		return 0
	}
	var syntax *SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("error is a %T", err)
	}
	if syntax.Text == "" || !strings.Contains(syntax.Error(), syntax.Kind.String()) {
		t.Errorf("error says too little: %v", err)
	}
	return syntax.Kind
}
