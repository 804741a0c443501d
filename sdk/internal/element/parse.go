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

// startTag reads a start tag or an empty-element tag.
func (p *parser) startTag() *Element {
	if next := p.s[p.pos+1:]; next != "" && (next[0] == '?' || next[0] == '!') {
		p.restricted()
		p.malformed("a '<' that starts no tag")
		return nil
	}
	if len(p.open) >= p.limits.Depth {
		p.fail(TooBig, p.pos, "elements are nested deeper than allowed")
		return nil
	}
	p.token()
	at := p.pos
	p.pos++
	prefix, local := p.qname()
	f := frame{at: at, name: p.s[at+1 : p.pos], nodes: len(p.nodes)}
	if n := len(p.open); n > 0 {
		parent := &p.open[n-1]
		if prefix != "" {
			p.bindDefault(parent)
		}
		f.space, f.inherited = parent.space, parent.inherited
	}
	f.around = p.scope
	p.attributes(&f)
	if p.err != nil {
		return nil
	}
	f.element = p.newElement()
	f.element.Name = xml.Name{Space: f.space, Local: local}
	if prefix != "" {
		f.element.Name.Space, _ = p.resolve(prefix, at)
	}
	if f.element.Name.Space == spaceXML {
		p.unreadable(f.element)
	}
	p.resolveAttrs(f.element)
	if p.root == nil {
		p.root = &Element{Name: f.element.Name, Attrs: f.element.Attrs}
	}

	if p.s[p.pos] == '>' {
		p.pos++
		p.open = append(p.open, f)
		return f.element
	}
	if p.pos++; p.pos == len(p.s) || p.s[p.pos] != '>' {
		p.pos--
		p.malformed("a tag that ends neither in '>' nor in '/>'")
		return nil
	}
	p.pos++
	p.token()
	p.finish(f)
	return f.element
}

// unreadable marks e, which is in the namespace of XML, and the elements around
// it, up to one that has been marked before.
func (p *parser) unreadable(e *Element) {
	e.unreadable = true
	for i := len(p.open) - 1; i >= 0 && !p.open[i].element.unreadable; i-- {
		p.open[i].element.unreadable = true
	}
}

// endTag reads an end tag, which must name the innermost open element.
func (p *parser) endTag() {
	p.token()
	f := p.open[len(p.open)-1]
	if end := p.pos + 2 + len(f.name); end > len(p.s) || p.s[p.pos+2:end] != f.name {
		p.malformed("an end tag that does not match its start tag")
		return
	}
	p.pos += 2 + len(f.name)
	p.space()
	if p.pos == len(p.s) || p.s[p.pos] != '>' {
		p.malformed("an end tag that does not match its start tag")
		return
	}
	p.pos++
	p.open = p.open[:len(p.open)-1]
	p.finish(f)
}

// finish gives the element of f its children and itself to its parent.
func (p *parser) finish(f frame) {
	f.element.Children = carve(&p.nodeSlab, p.nodes[f.nodes:])
	f.element.source, f.element.around = p.s[f.at:p.pos], f.around
	p.nodes = p.nodes[:f.nodes]
	p.leave(f.around)
	if len(p.open) > 0 {
		p.nodes = append(p.nodes, Node{Element: f.element})
	}
}

func (p *parser) newElement() *Element { return &carveLen(&p.elementSlab, 1)[0] }

// carve copies values to the slab, so that a message costs few allocations.
func carve[T any](slab *[]T, values []T) []T {
	if len(values) == 0 {
		return nil
	}
	out := carveLen(slab, len(values))
	copy(out, values)
	return out
}

// carveLen takes n values from the slab. Appending to the result moves it away
// from its neighbours.
func carveLen[T any](slab *[]T, n int) []T {
	s := *slab
	if len(s)+n > cap(s) {
		s = make([]T, 0, max(n, min(2*cap(s), 512), 8))
	}
	s = s[:len(s)+n]
	*slab = s
	return s[len(s)-n : len(s) : len(s)]
}
