package element

import (
	"encoding/xml"
	"strings"
)

// attributes reads up to the end of the start tag into p.raw, and namespace
// declarations into p.scope and f.space. It leaves pos before the end.
func (p *parser) attributes(f *frame) {
	p.raw = p.raw[:0]
	count, hasDefault := 0, false
	for p.err == nil {
		before := p.pos
		p.space()
		if p.pos == len(p.s) {
			p.malformed("the message ends inside a tag")
			return
		}
		if c := p.s[p.pos]; c == '>' || c == '/' {
			return
		}
		if p.pos == before {
			p.malformed("a name or value that white space or the end of the tag should follow")
			return
		}
		if count++; count > p.limits.Attrs {
			p.fail(TooBig, p.pos, "more attributes than allowed")
			return
		}
		p.token()
		a := rawAttr{at: p.pos}
		a.prefix, a.local = p.qname()
		p.space()
		if p.pos == len(p.s) || p.s[p.pos] != '=' {
			p.malformed("an attribute without '='")
			return
		}
		p.pos++
		p.space()
		a.value = p.attrValue()
		switch {
		case p.err != nil:
		case a.prefix == "xmlns":
			p.declare(a, f.around)
		case a.prefix == "" && a.local == "xmlns":
			if hasDefault {
				p.fail(NotWellFormed, a.at, "an attribute that is there twice")
			}
			if a.value == spaceXML || a.value == spaceXMLNS {
				p.misused(a.at, "a reserved namespace declared as the default")
			}
			f.space, hasDefault = p.intern(a.value), true
		default:
			p.raw = append(p.raw, a)
		}
	}
}

func (p *parser) resolveAttrs(e *Element) {
	if len(p.raw) == 0 {
		return
	}
	attrs := carveLen(&p.attrSlab, len(p.raw))
	var seen uint64 // the bits of the names so far
	for i := range p.raw {
		a := &p.raw[i]
		name := xml.Name{Local: a.local}
		if a.prefix != "" {
			name.Space, a.binding = p.resolve(a.prefix, a.at)
			if len(p.raw) > 1 {
				a.hash = a.binding.sum()
			}
		}
		bit := nameBit(a.local)
		if seen&bit != 0 {
			p.unique(i)
		}
		seen |= bit
		attrs[i] = xml.Attr{Name: name, Value: a.value}
	}
	e.Attrs = attrs
}

// nameBit returns one of 64 bits. Names whose bits differ are different.
func nameBit(name string) uint64 {
	if name == "" {
		return 1
	}
	return 1 << ((len(name) + 7*int(name[0]) + 13*int(name[len(name)-1])) & 63)
}

// unique fails if an attribute before p.raw[i] has the same name.
func (p *parser) unique(i int) {
	a := &p.raw[i]
	for j := range p.raw[:i] { // up to 63 times for each of 64
		other := &p.raw[j]
		switch {
		case other.hash != a.hash || other.local != a.local:
		case other.prefix == a.prefix:
			p.fail(NotWellFormed, a.at, "an attribute that is there twice")
			return
		case p.misuse == nil && a.binding != nil && other.binding != nil && a.binding.space == other.binding.space:
			p.misused(a.at, "an attribute that is there twice under different prefixes")
		}
	}
}

// intern returns one string for equal namespaces.
func (p *parser) intern(space string) string {
	for _, s := range p.spaces {
		if s == space {
			return s
		}
	}
	if s, ok := wellKnown[space]; ok {
		space = s
	}
	if len(p.spaces) < 16 {
		p.spaces = append(p.spaces, space)
	}
	return space
}

// space skips white space.
func (p *parser) space() {
	for p.pos < len(p.s) && isSpace(p.s[p.pos]) {
		p.pos++
	}
}

// qname reads a name with at most one prefix.
func (p *parser) qname() (prefix, local string) {
	at := p.pos
	local = p.ncname()
	if p.colon() {
		p.pos++
		prefix, local = local, p.ncname()
		if prefix == "" || local == "" || p.colon() {
			prefix, local = "", p.nonNCName(at)
		}
	}
	if p.pos == at {
		p.malformed("a name is missing or starts with a character that names do not start with")
	}
	if p.pos-at > p.limits.Name {
		p.fail(TooBig, at, "a name that is longer than allowed")
	}
	return prefix, local
}

func (p *parser) ncname() string {
	n := nameLen(p.s[p.pos:])
	p.pos += n
	return p.s[p.pos-n : p.pos]
}

func (p *parser) colon() bool { return p.pos < len(p.s) && p.s[p.pos] == ':' }

// nonNCName reads the rest of a name that begins at at and is valid in XML but not in
// Namespaces in XML, such as a:b:c or :a.
func (p *parser) nonNCName(at int) string {
	for p.colon() || nameRun(p.s[p.pos:], nameRest) > 0 {
		if p.colon() {
			p.pos++
		}
		p.pos += nameRun(p.s[p.pos:], nameRest)
	}
	p.misused(at, "a name whose colon does not part a prefix from a name")
	return p.s[at:p.pos]
}

// attrValue reads a quoted value and normalises it (XML 1.0 §3.3.3).
func (p *parser) attrValue() string {
	if p.err != nil {
		return ""
	}
	if p.pos == len(p.s) || p.s[p.pos] != '\'' && p.s[p.pos] != '"' {
		p.malformed("an attribute value without quotes")
		return ""
	}
	quote, at := p.s[p.pos], p.pos+1
	plain := ordinary(p.s[at:], quote)
	n := strings.IndexByte(p.s[at+plain:], quote)
	if n < 0 {
		p.malformed("an attribute value that does not end")
		return ""
	}
	if plain+n > p.limits.AttrValue {
		p.fail(TooBig, p.pos, "an attribute value that is longer than allowed")
		return ""
	}
	value := p.s[at : at+plain+n]
	p.pos = at + len(value) + 1
	if n == 0 {
		return value
	}
	return p.expand(value, at, quote)
}
