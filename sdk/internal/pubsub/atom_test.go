package pubsub

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"xmpp-pam/sdk/pam"
)

func entry(t testing.TB, content string) *pam.AtomEntry {
	t.Helper()
	got := ParseAtom(parse(t, `<entry xmlns='http://www.w3.org/2005/Atom'>`+content+`</entry>`))
	if got == nil {
		t.Fatal("no entry")
	}
	return got
}

func TestParseAtom(t *testing.T) {
	for _, tt := range []struct {
		name, xml string
		want      pam.AtomEntry
	}{
		{"XEP-0060 §7.1.1", `
          <title>Soliloquy</title>
          <summary>
To be, or not to be: that is the question:
Whether 'tis nobler in the mind to suffer
          </summary>
          <link rel='alternate' type='text/html'
                href='http://denmark.lit/2003/12/13/atom03'/>
          <id>tag:denmark.lit,2003:entry-32397</id>
          <published>2003-12-13T18:30:02Z</published>
          <updated>2003-12-13T18:30:03.5+01:00</updated>`,
			pam.AtomEntry{ID: "tag:denmark.lit,2003:entry-32397", Title: "Soliloquy", Summary: "To be, or not to be: that is the question:\nWhether 'tis nobler in the mind to suffer",
				Link: "http://denmark.lit/2003/12/13/atom03", Published: date("2003-12-13T18:30:02Z"), Updated: date("2003-12-13T17:30:03.5Z")}},
		{"RFC 4287 §1.1, extensive", `
     <title>Atom draft-07 snapshot</title>
     <link rel="alternate" type="text/html" href="http://example.org/2005/04/02/atom"/>
     <link rel="enclosure" type="audio/mpeg" length="1337" href="http://example.org/audio/ph34r_my_podcast.mp3"/>
     <id>tag:example.org,2003:3.2397</id>
     <updated>2005-07-31T12:29:29Z</updated><published>2003-12-13T08:29:29-04:00</published>
     <author><name>Mark Pilgrim</name><uri>http://example.org/</uri><email>f8dy@example.com</email></author>
     <contributor><name>Sam Ruby</name></contributor>
     <content type="xhtml" xml:lang="en" xml:base="http://diveintomark.org/"><div xmlns="http://www.w3.org/1999/xhtml"><p><i>[Update: The Atom draft is finished.]</i></p></div></content>`,
			pam.AtomEntry{ID: "tag:example.org,2003:3.2397", Title: "Atom draft-07 snapshot", Link: "http://example.org/2005/04/02/atom", Author: "Mark Pilgrim",
				Content: "[Update: The Atom draft is finished.]", Updated: date("2005-07-31T12:29:29Z"), Published: date("2003-12-13T12:29:29Z")}},
		{"XEP-0277 §2.1, the title in two types", `<author><name> Romeo
 Montague </name></author><title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p><em>rich</em></p></div></title><title type='text'>hanging out
			at the Caf&#233; Napolitano</title><published>2008-05-08T18:30:02Z</published>`,
			pam.AtomEntry{Title: "hanging out at the Café Napolitano", Author: "Romeo Montague", Published: date("2008-05-08T18:30:02Z")}},
		{"pictures and other links", `<link href='javascript:alert(1)'/><link rel='self' href='http://a.example/self'/><link rel='alternate' type='application/atom+xml' href='https://a.example/atom'/>
			<link rel='alternate' href='https://a.example/page'/><link rel='enclosure' type='image/png' href='file:///etc/passwd'/><link rel='enclosure' type='image/jpeg' href='https://a.example/p.jpg'/>
			<thumbnail xmlns='http://search.yahoo.com/mrss/' url='https://a.example/t.jpg'/>`,
			pam.AtomEntry{Link: "https://a.example/page", Image: "https://a.example/p.jpg"}},
		{"Media RSS", `<group xmlns='http://search.yahoo.com/mrss/'><content url='https://a.example/v.mp4' type='video/mp4'/><content url='https://a.example/i' medium='image'/></group>
			<content xmlns='http://search.yahoo.com/mrss/' url='https://a.example/i2' type='image/webp'/>`,
			pam.AtomEntry{Image: "https://a.example/i2"}},
		{"Media RSS in a group", `<group xmlns='http://search.yahoo.com/mrss/'><content url='https://a.example/i' medium='image'/><thumbnail url='HTTPS://a.example/t.jpg'/></group>`,
			pam.AtomEntry{Image: "HTTPS://a.example/t.jpg"}},
		{"Media RSS that only says that it is an image", `<content xmlns='http://search.yahoo.com/mrss/' url='https://a.example/i' medium='image'/>`, pam.AtomEntry{Image: "https://a.example/i"}},
		{"only an Atom link", `<link type='application/atom+xml' href='https://a.example/atom'/><link type='application/json' href='https://a.example/json'/>`, pam.AtomEntry{Link: "https://a.example/atom"}},
		{"the first page", `<x xmlns='urn:example' href='https://a.example/x'/><link type='application/atom+xml' href='https://a.example/atom'/><link type='application/xhtml+xml' href='https://a.example/1'/><link href='https://a.example/2'/>`, pam.AtomEntry{Link: "https://a.example/1"}},
		{"a page with a charset", `<link type='application/atom+xml' href='https://a.example/atom'/><link type='text/html; charset=utf-8' href='https://a.example/1'/>`, pam.AtomEntry{Link: "https://a.example/1"}},
		{"links that are no picture of the entry", `<link rel='alternate' type='image/png' href='https://a.example/a.png'/><x xmlns='urn:example' rel='enclosure' type='image/png' href='https://a.example/x.png'/>
			<link rel='enclosure' type='video/mp4' href='https://a.example/v.mp4'/><content xmlns='http://search.yahoo.com/mrss/' url='https://a.example/v.mp4' type='video/mp4'/>`, pam.AtomEntry{Link: "https://a.example/a.png"}},
		{"the first picture with a URL", `<thumbnail xmlns='http://search.yahoo.com/mrss/' url='file:///a'/><thumbnail xmlns='http://search.yahoo.com/mrss/' url='https://a.example/t.jpg'/>`, pam.AtomEntry{Image: "https://a.example/t.jpg"}},
		{"the first text", `<title type='html'>rich</title><title>a</title><title>b</title><summary type='html'>s</summary><summary/><content type='application/xhtml+xml'><div xmlns='http://www.w3.org/1999/xhtml'>c</div></content>`,
			pam.AtomEntry{Title: "a", Summary: "s", Content: "c"}},
		{"others before the author", `<contributor><name>A</name></contributor><author><name>B</name></author>`, pam.AtomEntry{Author: "B"}},
		{"the first author with a name", `<author><email>a@b.c</email></author><author><name>B</name></author><author><name>C</name></author>`, pam.AtomEntry{Author: "B"}},
		{"nonsense", `<id>` + strings.Repeat("x", maxID+1) + `</id><published>yesterday</published><updated>2003-12-13</updated><title xmlns='urn:example'>x</title><content src='http://a.example/'>x</content><summary type='image/png'>eHh4</summary><link href='relative'/>`, pam.AtomEntry{}},
		{"empty", ``, pam.AtomEntry{}},
	} {
		if got := entry(t, tt.xml); *got != tt.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, *got, tt.want)
		}
	}
	for _, other := range []string{`<entry/>`, `<feed xmlns='http://www.w3.org/2005/Atom'/>`} {
		if got := ParseAtom(parse(t, other)); got != nil {
			t.Errorf("%s: got %+v", other, got)
		}
	}
	if ParseAtom(nil) != nil {
		t.Error("an entry of nothing")
	}
}

func TestAtomURLs(t *testing.T) {
	const png = "data:image/png;base64,iVBORw0KGgo="
	for _, tt := range []struct {
		raw         string
		link, image bool
	}{
		{"http://a.example/", true, true},
		{" https://a.example/x?y=1&amp;z='#f ", true, true},
		{"https://bücher.example/", true, true},
		{png, false, true},
		{"DATA:image/png;base64,AA", false, true},
		{"data:image/svg+xml,%3Csvg%3E", false, false},
		{"data:image/SVG+xml,x", false, false},
		{"data:text/html,x", false, false},
		{"data:image/", false, false},
		{"javascript:alert(1)//http://a.example/", false, false},
		{"java\tscript:alert(1)", false, false},
		{"javascript://a.example/%0aalert(1)", false, false},
		{"ftp://a.example/", false, false},
		{"xmpp:romeo@example.org", false, false},
		{"//a.example/", false, false},
		{"/path", false, false},
		{"http:a", false, false},
		{"http://", false, false},
		{"https:///path", false, false},
		{"https://?q", false, false},
		{"https://#f", false, false},
		{"https://a.example/ b", false, false},
		{"https://a.example/\\b", false, false},
		{"https://a.example/\x7fb", false, false},
		{"https://a.example/&quot;b", false, false},
		{"https://a.example/" + strings.Repeat("x", maxURL), false, false},
		{"https://a.example/" + strings.Repeat("x", maxURL-18), true, true},
		{png + strings.Repeat("A", maxDataURL-len(png)), false, true},
		{png + strings.Repeat("A", maxDataURL-len(png)+1), false, false},
		{png + "\"", false, false},
		{"", false, false},
	} {
		raw := strings.ReplaceAll(tt.raw, "\"", "&quot;")
		got := entry(t, `<link href="`+raw+`"/><link rel='enclosure' type='image/x' href="`+raw+`"/>`)
		if (got.Link != "") != tt.link || (got.Image != "") != tt.image {
			t.Errorf("%.100q: link %.50q, image %.50q", tt.raw, got.Link, got.Image)
		}
	}
}

func TestAtomText(t *testing.T) {
	for _, tt := range []struct{ kind, in, want string }{
		{"text", "  a  b\tc \n\n\n d\n e ", "a b c\n\nd\ne"},
		{"", "1 < 2 & <b>", "1 < 2 & <b>"},
		{"text", "a\u0085b\u00a0c\u0090d", "a b cd"},
		{"text/plain; charset=utf-8", "a", "a"},
		{"TEXT/HTML", "<b>a</b>", "a"},
		{"image/svg+xml", "a", ""},
		{"application/xml", "a", ""},

		{"html", "Less: <em> &lt; </em>", "Less: <"}, // RFC 4287 §3.1.1.2
		{"html", "<p>one\ntwo</p><p>three<br>four<br/><br>five</p>", "one two\n\nthree\nfour\n\nfive"},
		{"html", "<h1>T</h1>\n\n<ul>\n<li>a</li>\n<li>b</li></ul>end", "T\n\na\nb\nend"},
		{"html", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
		{"html", "a<script>alert('<p>')</script>b<STYLE>p{}</style >c", "abc"},
		{"html", "a<script>never ends", "a"},
		{"html", "a</script>b", "ab"},
		{"html", "a<script></foobar>x</script>b", "ab"},
		{"html", "a<script></script", "a"},
		{"html", "a<script></scr", "a"},
		{"html", "x<a>y<Z>w<{v>", "xyw<{v>"},
		{"html", "x<img alt=''>y<i title='a'\">z", "xyz"},
		{"html", "a<script></scripty>x</SCRIPT>b", "ab"},
		{"html", "a<!-- <b>x</b> -->b<!doctype html>c<?php d?>e", "abce"},
		{"html", "a<!-->b", "ab"},
		{"html", "a<!-- never ends", "a"},
		{"html", "a <b", "a"},
		{"html", "x<img alt='a > b' title=\"<c>\">y", "xy"},
		{"html", "x<img alt = '>'>y", "xy"},
		{"html", "x<p title=it's>y<i don't>z", "x\n\nyz"},
		{"html", "x<img alt='>y", "x"},
		{"html", "1 < 2 <3 </ 4 <> 5 << 6", "1 < 2 <3 </ 4 <> 5 << 6"},
		{"html", "a</br>b</p>c", "a\nb\n\nc"},
		{"html", "&lt;b&gt; &amp;amp; &quot;&apos;&#39;&#x27;&#X41;", "<b> &amp; \"'''A"},
		{"html", "&auml;&ouml;&uuml;&szlig;&eacute;&yuml;&nbsp;x&copy;&iexcl;&hellip;&mdash;&euro;&rsquo;&OElig;&emsp;&Yuml;&thinsp;&apos;", "äöüßéÿ x©¡…—€’Œ Ÿ '"},
		{"html", "&;&x;&unknown;&amp &#;&#x;&#xZ;& &lt", "&;&x;&unknown;&amp &#;&#x;&#xZ;& &lt"},
		{"html", "a&#0;b&#xD800;c&#x110000;d&#1;e&#10;f&#xFFFFFF;g", "ab\uFFFDc\uFFFDde f\uFFFDg"},
		{"html", "a&#99999999999999999999;", "a&#99999999999999999999;"},
		{"html", "<svg><text>x</text></svg><noscript>y</noscript><p>z", "z"},
		{"html", "<verylongelementnamescript>a</verylongelementnamescript>", "a"},
		{"html", "", ""},
		{"html", "<", "<"},
	} {
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", "\r", "&#13;").Replace(tt.in)
		if got := entry(t, `<content type='`+tt.kind+`'>`+escaped+`</content>`); got.Content != tt.want {
			t.Errorf("%s %q:\ngot  %q\nwant %q", tt.kind, tt.in, got.Content, tt.want)
		}
	}
	for in, want := range map[string]string{
		`<div xmlns='http://www.w3.org/1999/xhtml'>AT&amp;T <b>bought
			<script>x</script>by</b> SBC<br/>!<p>a</p><ul><li>b</li></ul></div>`: "AT&T bought by SBC\n!\n\na\n\nb",
		`<xh:div xmlns:xh='http://www.w3.org/1999/xhtml'><xh:H1>a</xh:H1>b</xh:div>`: "a\n\nb",
		` no div <b>here</b>`: "no div here",
	} {
		if got := entry(t, `<summary type='xhtml'>`+in+`</summary>`); got.Summary != want {
			t.Errorf("%s: got %q, want %q", in, got.Summary, want)
		}
	}
	if got := entry(t, `<title type='html'>a &lt;p&gt;b&lt;br&gt;c</title>`); got.Title != "a b c" {
		t.Errorf("title %q", got.Title)
	}
	if got := entry(t, `<title type='html'>&lt;p&gt;</title><title type='html'>a</title><title type='html'>b</title>`); got.Title != "a" {
		t.Errorf("title %q, want the first that has text", got.Title)
	}
}

func TestAtomLimits(t *testing.T) {
	for _, char := range []string{"x", "ä", "日", "😀", "x \n"} {
		text := strings.Repeat(char, maxContent)
		for _, kind := range []string{"text", "html", "xhtml"} {
			wrapped := text
			if kind == "xhtml" {
				wrapped = `<div xmlns='http://www.w3.org/1999/xhtml'>` + strings.Repeat("<p>a</p>", 10) + text + `</div>`
			}
			got := entry(t, `<title type='`+kind+`'>`+wrapped+`</title><summary type='`+kind+`'>`+wrapped+`</summary><content type='`+kind+`'>`+wrapped+`</content><author><name>`+text+`</name></author>`)
			for _, f := range []struct {
				text string
				most int
			}{{got.Title, maxTitle}, {got.Summary, maxSummary}, {got.Content, maxContent}, {got.Author, maxTitle}} {
				if len(f.text) > f.most || len(f.text) < f.most-8 || !utf8.ValidString(f.text) || !strings.HasSuffix(f.text, "…") {
					t.Errorf("%q as %s: %d of %d bytes, ends in %q", char, kind, len(f.text), f.most, f.text[max(0, len(f.text)-9):])
				}
			}
		}
	}
	exact := strings.Repeat("x", maxTitle-3)
	if got := entry(t, `<title>`+exact+`</title>`); got.Title != exact {
		t.Errorf("a title of %d bytes became %d", len(exact), len(got.Title))
	}
}

// TestWords checks that words that are written at once give the same text as their characters
// one by one, at each limit.
func TestWords(t *testing.T) {
	pieces := []string{"a", "word", "é", "\n", "\n\n", " ", "\t", "\x7f", "~!", "\xff", "…", "<", strings.Repeat("long", 9)}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var s strings.Builder
		for range 1 + random.IntN(8) {
			s.WriteString(pieces[random.IntN(len(pieces))])
		}
		most, lines := 3+random.IntN(40), random.IntN(2) == 0
		fast, slow := textWriter{most: most, lines: lines}, textWriter{most: most, lines: lines}
		fast.text(s.String())
		for line := range strings.SplitSeq(s.String(), "\n") {
			for _, r := range line {
				slow.rune(r)
			}
			slow.breakLine(slow.breaks + 1)
		}
		if fast.String() != slow.String() {
			t.Fatalf("%q with at most %d bytes: %q, want %q", s.String(), most, fast.String(), slow.String())
		}
	}
}
