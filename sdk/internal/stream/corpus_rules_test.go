package stream_test

import (
	"fmt"
	"strings"

	"xmpp-pam/sdk/internal/ns"
)

// The limits of a session, as the design settles them. They are written out
// here, so that a change of the code's own is noticed.
const (
	maxBytes = 32 << 20
	maxDepth = 64
	maxAttrs = 64
	maxName  = 1 << 10
	maxValue = 64 << 10
)

const (
	nwf        = "close not-well-formed"
	restricted = "close restricted-xml"
	eve        = "eve@evil.example/x"
	head       = "<message xmlns='jabber:client' from='" + eve + "'>"
	tail       = "</message>"
)

func in(inside string) string { return head + inside + tail }

// ruled returns the rows that rules make.
func ruled() []corpusRow {
	var rows []corpusRow
	for _, rule := range []func(add func(verdict, name, message string)){
		sizes, characters, references, bytesAlone, cuts, prohibited, around, requests, addresses, namespacedAttrs, streamInside, namespaceFaults, roots,
	} {
		rule(func(verdict, name, message string) { rows = append(rows, corpusRow{verdict, name, message}) })
	}
	return rows
}

func unless(bad bool, verdict string) string {
	if bad {
		return verdict
	}
	return "deliver"
}

// isXMLChar is Char of XML 1.0, production 2.
func isXMLChar(r rune) bool {
	return r == 9 || r == 10 || r == 13 || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

var edges = []rune{0x7F, 0x80, 0x85, 0x9F, 0xA0, 0x7FF, 0x800, 0x2028, 0xD7FF, 0xE000, 0xFDD0, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x1FFFF, 0x10FFFF}

// characters puts each where it can stand as itself.
func characters(add func(verdict, name, message string)) {
	for i := range 32 + len(edges) {
		r := rune(i)
		if i >= 32 {
			r = edges[i-32]
		}
		for place, form := range map[string]string{"text": in("<body>a%sb</body>"), "a value": in("<a b='a%sb'/>"), "CDATA": in("<![CDATA[a%sb]]>")} {
			add(unless(!isXMLChar(r), nwf), fmt.Sprintf("U+%04X in %s", r, place), fmt.Sprintf(form, string(r)))
		}
	}
}

func references(add func(verdict, name, message string)) {
	for _, r := range append([]rune{0, 1, 8, 9, 10, 11, 12, 13, 14, 31, 32, 38, 60, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x110000, 0x7FFFFFFF}, edges...) {
		for _, form := range []string{"&#%d;", "&#x%x;", "&#x0%X;", "&#%012d;"} {
			ref := fmt.Sprintf(form, r)
			add(unless(!isXMLChar(r), nwf), "reference "+ref, in("<a>"+ref+"</a>"))
		}
		ref := fmt.Sprintf("&#%d;", r)
		add(unless(!isXMLChar(r), nwf), "reference in a value "+ref, in("<a b='"+ref+"'/>"))
	}
	for _, bad := range []string{"&", "&;", "& ", "&#;", "&#x;", "&#X41;", "&#6A;", "&#-1;", "&#65", "&#18446744073709551681;", "&lt", "&1;", "&#x1F600"} {
		add(nwf, "no reference "+bad, in("<a>"+bad+"</a>"))
	}
	for _, entity := range []string{"&lt;", "&gt;", "&amp;", "&apos;", "&quot;"} {
		add("deliver", "predefined "+entity, in("<a b='"+entity+"'>"+entity+"</a>"))
	}
	for _, entity := range []string{"&LT;", "&nbsp;", "&é;", "&lt2;"} {
		add(restricted, "entity "+entity, in("<a>"+entity+"</a>"))
	}
}

// bytesAlone: a byte above 7F is no UTF-8 by itself.
func bytesAlone(add func(verdict, name, message string)) {
	for b := 0x80; b <= 0xFF; b++ {
		add(nwf, fmt.Sprintf("byte %02X alone", b), in("<body>"+string([]byte{byte(b)})+"</body>"))
	}
	for _, s := range []string{"\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc0\x80", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"} {
		add(nwf, fmt.Sprintf("bytes %x", s), in(s))
		add(nwf, fmt.Sprintf("bytes %x in a name", s), in("<a"+s+"/>"))
		add(nwf, fmt.Sprintf("bytes %x in a value", s), in("<a b='"+s+"'/>"))
	}
}

// cuts: of a stanza split over messages, no part is one.
func cuts(add func(verdict, name, message string)) {
	whole := "<message xmlns='jabber:client' from='a@b'><p:c d='&lt;' xmlns:p='u'/>é<![CDATA[e]]>&#65;</message>"
	add("deliver", "whole", whole)
	for n := 1; n < len(whole); n++ {
		add(nwf, fmt.Sprintf("the first %d bytes", n), whole[:n])
		if !strings.HasPrefix(whole[n:], "<p:") {
			add(nwf, fmt.Sprintf("all but the first %d bytes", n), whole[n:])
		}
	}
}

func prohibited(add func(verdict, name, message string)) {
	for what, text := range map[string]string{
		"comment": "<!-- c -->", "empty comment": "<!---->", "instruction": "<?a b?>", "short instruction": "<?a?>",
		"document type": "<!DOCTYPE message>", "document type with entities": "<!DOCTYPE m [<!ENTITY a 'b'>]>", "declaration of 1.1": "<?xml version='1.1'?>",
	} {
		for place, message := range map[string]string{
			"first": text + in(""), "last": in("") + text, "in the root": in(text), "in text": in("a" + text + "b"),
			"in a child": in("<a>" + text + "</a>"), "before a child": in(text + "<a/>"), "after a child": in("<a/>" + text),
		} {
			add(restricted, what+" "+place, message)
		}
		add("deliver", what+" in CDATA", in("<a><![CDATA["+text+"]]></a>"))
		add(nwf, what+" in a value", in("<a b='"+strings.ReplaceAll(text, "'", "")+"'/>"))
		add(nwf, what+" in a tag", in("<a "+text+"/>"))
	}
}

// around: what stands before and after the element.
func around(add func(verdict, name, message string)) {
	for _, s := range []string{"x", "\x00", "<", ">", "&", "&#32;", "]]>", "<a/>", "<a>", "</message>", "<![CDATA[]]>", "\uFEFF", "\u00a0", in("")} {
		add(nwf, fmt.Sprintf("%q after the stanza", s), in("")+s)
		add(nwf, fmt.Sprintf("white space and %q after the stanza", s), in("")+" \n"+s)
	}
	for _, s := range []string{"x", "\x00", "&#32;", "</a>", "<![CDATA[]]>", "\uFEFF", " ", "\n", "\t\r\n"} {
		add(nwf, fmt.Sprintf("%q before the stanza", s), s+in(""))
	}
	for _, s := range []string{" ", "\n", "\r\n\t "} {
		add("deliver", fmt.Sprintf("%q after the stanza", s), in("")+s)
	}
}

// requests follows RFC 6120 §8.2.3.
func requests(add func(verdict, name, message string)) {
	for _, kind := range []string{"get", "set", "result", "error", "", "GET", "getset"} {
		for children := range 4 {
			for _, id := range []string{" id='1'", " id=''", ""} {
				verdict, reply := "drop", kind == "result" || kind == "error"
				switch {
				case id == " id='1'" && (reply || children == 1 && (kind == "get" || kind == "set")):
					verdict = "deliver"
				case id == " id='1'":
					verdict = "refuse bad-request"
				}
				typed := " type='" + kind + "'"
				if kind == "" {
					typed = ""
				}
				add(verdict, fmt.Sprintf("iq%s%s with %d children", typed, id, children),
					"<iq xmlns='jabber:client' from='"+eve+"'"+typed+id+">"+strings.Repeat("<q xmlns='urn:q'/>", children)+"</iq>")
			}
		}
	}
}

// addresses follows RFC 7622.
func addresses(add func(verdict, name, message string)) {
	long := strings.Repeat("a", 1023)
	for address, valid := range map[string]bool{
		"a@b": true, "a@b/c": true, "b": true, "b/c": true, "a@b/c/d": true, "a@b/c@d": true, "жанна@пример.рф": true, "a@127.0.0.1": true, "a@[::1]": true,
		"A@B/C": true, long + "@b": true, "a@b/" + long: true, "a@b/ c": true,
		"": false, "@": false, "@b": false, "a@": false, "/c": false, "a@/c": false, "a@b/": false, "a b@c": false, "a&quot;b@c": false, "a&lt;@b": false, "a:b@c": false,
		long + "a@b": false, "a@b/a" + long: false, "a@" + long + "a": false, "a@[::1": false,
	} {
		for _, which := range []string{"from", "to"} {
			for _, stanza := range []string{"<message xmlns='jabber:client' %s='%s'/>", "<presence xmlns='jabber:client' %s='%s'/>", "<iq xmlns='jabber:client' type='get' id='1' %s='%s'><q/></iq>"} {
				add(unless(!valid, "drop"), fmt.Sprintf("%s '%.30s' (%d) of %.9s", which, address, len(address), stanza), fmt.Sprintf(stanza, which, address))
			}
		}
	}
}

// namespacedAttrs is F1: they are no from, to, id or type. encoding/xml says
// what is delivered, less these.
func namespacedAttrs(add func(verdict, name, message string)) {
	for _, name := range []string{"from", "to", "id", "type"} {
		for _, space := range []string{"jabber:client", "urn:x", ns.Stream} {
			attr := " x:" + name + "='@not a JID'"
			add("deliver", name+" of "+space+" first", "<message xmlns='jabber:client' xmlns:x='"+space+"'"+attr+" from='"+eve+"'/>")
			add("deliver", name+" of "+space+" last", "<message xmlns='jabber:client' from='"+eve+"'"+attr+" xmlns:x='"+space+"'/>")
			add("deliver", name+" of "+space+" below", in("<a xmlns:x='"+space+"'"+attr+"/>"))
			add("deliver", name+" of "+space+" in a reply", "<iq xmlns='jabber:client' xmlns:x='"+space+"'"+attr+" id='1' type='result'/>")
		}
	}
}

// streamInside is F2.
func streamInside(add func(verdict, name, message string)) {
	for _, name := range []string{"error", "close", "features", "stream", "open", "e"} {
		for _, space := range []string{ns.Stream, ns.Framing} {
			for _, depth := range []int{1, 2, 30} {
				inside := strings.Repeat("<a xmlns='urn:a'>", depth-1) + "<" + name + " xmlns='" + space + "'/>" + strings.Repeat("</a>", depth-1)
				title := fmt.Sprintf("%s of %s at depth %d in ", name, space, depth)
				add("drop", title+"message", in("<body/>"+inside))
				add("drop", title+"presence", "<presence xmlns='jabber:client'>"+inside+"</presence>")
				add("drop", title+"result", "<iq xmlns='jabber:client' type='result' id='1'>"+inside+"</iq>")
				add("refuse bad-request", title+"request", "<iq xmlns='jabber:client' type='set' id='1' from='"+eve+"'>"+inside+"</iq>")
			}
		}
	}
}

// namespaceFaults are XML, but break Namespaces in XML: RFC 6120 §11.3 rule 4.
func namespaceFaults(add func(verdict, name, message string)) {
	const reserved, xmlns = "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"
	for _, inside := range []string{
		"<p:a/>", "<a p:b=''/>", "<a xmlns:p=''/>", "<p:a xmlns:q='u'/>", "<b xmlns:p='u'/><p:a/>",
		"<a xmlns='" + reserved + "'/>", "<a xmlns='" + xmlns + "'/>", "<a xmlns:p='" + reserved + "'/>", "<a xmlns:p='" + xmlns + "'/>",
		"<a xmlns:xml='u'/>", "<a xmlns:xmlns='u'/>", "<a xmlns:xmlns='" + xmlns + "'/>", "<xmlns:a/>",
		"<a p:b='' q:b='' xmlns:p='u' xmlns:q='u'/>", "<:a/>", "<a:/>", "<a:b:c/>", "<p:1 xmlns:p='u'/>", "<a :b=''/>", "<a xmlns:=''/>",
	} {
		add("drop", inside+" in a message", in(inside))
		add("drop", inside+" in presence", "<presence xmlns='jabber:client'>"+inside+"</presence>")
		add("drop", inside+" in a result", "<iq xmlns='jabber:client' type='result' id='1'>"+inside+"</iq>")
		add("refuse not-acceptable", inside+" in a request", "<iq xmlns='jabber:client' type='get' id='1' from='"+eve+"'>"+inside+"</iq>")
		add(nwf, inside+" in a message that is not XML", head+inside)
		add(restricted, inside+" with a comment", in(inside+"<!-- -->"))
	}
}

// roots adds messages that are neither stanzas nor stream-level elements.
func roots(add func(verdict, name, message string)) {
	for _, name := range []string{"iq", "message", "presence", "query", "close", "error"} {
		for _, space := range []string{"", "jabber:server", "urn:x", "jabber:client ", "JABBER:CLIENT"} {
			add("ignore", "root "+name+" of '"+space+"'", "<"+name+" xmlns='"+space+"' type='result' id='1'/>")
		}
	}
	for _, name := range []string{"query", "close", "error", "IQ", "Message"} {
		add("ignore", "root "+name+" of the stanzas' namespace", "<"+name+" xmlns='jabber:client'/>")
	}
}
