package element

import (
	"encoding/xml"
	"strings"

	"xmpp-pam/sdk/internal/ns"
)

// Namespaces that have a meaning for XML.
const (
	spaceXML   = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS = "http://www.w3.org/2000/xmlns/"
)

// wellKnown holds the namespaces of most messages. A name in one of them does
// not point into the message.
var wellKnown = func(spaces ...string) map[string]string {
	m := make(map[string]string, len(spaces))
	for _, s := range spaces {
		m[s] = s
	}
	return m
}(spaceXML, ns.Stream, ns.Framing, ns.Client, ns.Stanzas, ns.Pubsub, ns.PubsubEvent, ns.PAM, ns.Delay, ns.SM)

// Parse parses one message, which must be exactly one element (RFC 7395 §3.3.3): the
// first character is '<', and only white space may follow the element. Parse checks all
// requirements of XML 1.0 (5th edition) and Namespaces in XML 1.0 for a document without
// a document type, and the restrictions of RFC 6120 §11.1. The message may begin with an
// XML declaration of version 1.0 and UTF-8, which RFC 7395 only advises against.
//
// Adjacent text, references and CDATA sections become one text node; white
// space between elements is kept. The root is sanitized, see Sanitize.
//
// nil limits mean DefaultLimits. The error is always a *SyntaxError.
//
// The strings of the element are substrings of message and keep all of it in memory. Use
// Clone for what outlives a large message.
func Parse(message string, limits *Limits) (*Element, error) {
	if limits == nil {
		limits = &DefaultLimits
	}
	p := parser{s: message, limits: limits}
	root := p.message()
	switch {
	case p.err != nil:
		return nil, p.err
	case p.misuse != nil:
		p.misuse.Root = p.root
		p.root.Sanitize()
		return nil, p.misuse
	}
	root.Sanitize()
	return root, nil
}

// A parser walks over s once. After the first error err is set, and every
// method returns at once.
type parser struct {
	s      string
	pos    int
	limits *Limits
	err    *SyntaxError
	misuse *SyntaxError // of namespaces: only the verdict if the rest is XML
	root   *Element     // the first start tag, without children

	tokens int
	open   []frame
	nodes  []Node    // finished children of all open elements
	raw    []rawAttr // of the current start tag
	spaces []string  // namespaces seen in this message

	scope    *binding             // the innermost declaration in scope
	prefixes map[string]**binding // the innermost with each prefix, nil if out of scope, once they are many

	elementSlab []Element
	attrSlab    []xml.Attr
	nodeSlab    []Node
	bindingSlab []binding
}

// A frame is an element whose end tag has not come yet.
type frame struct {
	element   *Element
	at        int      // where its start tag begins
	name      string   // as written
	space     string   // default namespace inside
	nodes     int      // len(parser.nodes) at its start
	around    *binding // parser.scope at its start
	inherited *binding // the innermost binding of the default namespace, if any
}

type rawAttr struct {
	prefix, local, value string
	at                   int
	binding              *binding // of the prefix; nil if it has none, or it is xml
	hash                 uint64   // of the namespace, if the tag has several attributes
}

func (p *parser) fail(kind Kind, at int, text string) {
	if p.err == nil {
		p.err = &SyntaxError{Kind: kind, Offset: at, Text: text}
	}
}

// misused notes what XML allows and Namespaces in XML do not. The parser goes
// on: if the message is not even XML, that counts for more.
func (p *parser) misused(at int, text string) {
	if p.misuse == nil {
		p.misuse = &SyntaxError{Kind: BadNamespaces, Offset: at, Text: text}
	}
}

func (p *parser) malformed(text string) { p.fail(NotWellFormed, p.pos, text) }

// token counts one token against the limit.
func (p *parser) token() {
	if p.tokens++; p.tokens > p.limits.Tokens {
		p.fail(TooBig, p.pos, "more tags, attributes and texts than allowed")
	}
}

func (p *parser) message() *Element {
	if len(p.s) > p.limits.Bytes {
		p.fail(TooBig, p.limits.Bytes, "the message is longer than allowed")
		return nil
	}
	if i := badChar(p.s); i >= 0 {
		p.fail(NotWellFormed, i, "a byte or character that XML does not allow")
		return nil
	}
	if !strings.HasPrefix(p.s, "<") {
		p.malformed("a message starts with '<'")
		return nil
	}
	room := new(struct { // enough for most messages, in one allocation
		open   [8]frame
		nodes  [16]Node
		raw    [8]rawAttr
		spaces [8]string
	})
	p.open, p.nodes, p.raw, p.spaces = room.open[:0], room.nodes[:0], room.raw[:0], room.spaces[:0]
	p.declaration()
	if !strings.HasPrefix(p.s[p.pos:], "<") {
		p.malformed("no element follows the XML declaration")
		return nil
	}
	root := p.startTag()
	for p.err == nil && len(p.open) > 0 {
		switch rest := p.s[p.pos:]; {
		case rest == "":
			p.malformed("the message ends inside an element")
		case rest[0] != '<' || p.atCDATA():
			p.text()
		case len(rest) > 1 && rest[1] == '/':
			p.endTag()
		default:
			p.startTag()
		}
	}
	if p.err != nil {
		return nil
	}
	p.space()
	if p.pos < len(p.s) {
		p.restricted()
		p.malformed("something follows the element; a message is one element")
	}
	return root
}

// declaration skips an XML declaration. One of another version or encoding is
// left for restricted to refuse.
func (p *parser) declaration() {
	if !strings.HasPrefix(p.s, "<?xml ") {
		return
	}
	end := strings.Index(p.s, "?>")
	if end < 0 {
		return
	}
	inside := strings.ToLower(strings.ReplaceAll(p.s[len("<?xml "):end], `"`, "'"))
	switch strings.Join(strings.Fields(inside), " ") {
	case "version='1.0'", "version='1.0' encoding='utf-8'", "version='1.0' encoding='utf-8' standalone='yes'":
		p.pos = end + len("?>")
		p.space()
	}
}

// restricted fails if a construct follows that RFC 6120 §11.1 prohibits.
func (p *parser) restricted() {
	for _, r := range [...]struct{ start, text string }{
		{"<?", "a processing instruction or XML declaration"},
		{"<!--", "a comment"},
		{"<!DOCTYPE", "a document type"},
	} {
		if strings.HasPrefix(p.s[p.pos:], r.start) {
			p.fail(RestrictedXML, p.pos, r.text+" is prohibited in XMPP")
		}
	}
}
