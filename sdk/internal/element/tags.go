package element

import "encoding/xml"

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
	f.element.Children = alloc(&p.nodeSlab, p.nodes[f.nodes:])
	f.element.source, f.element.around = p.s[f.at:p.pos], f.around
	p.nodes = p.nodes[:f.nodes]
	p.leave(f.around)
	if len(p.open) > 0 {
		p.nodes = append(p.nodes, Node{Element: f.element})
	}
}

func (p *parser) newElement() *Element { return &carveLen(&p.elementSlab, 1)[0] }

// alloc copies values to the slab, so that a message costs few allocations.
func alloc[T any](slab *[]T, values []T) []T {
	if len(values) == 0 {
		return nil
	}
	out := carveLen(slab, len(values))
	copy(out, values)
	return out
}

// allocLen takes n values from the slab. Appending to the result moves it away
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
