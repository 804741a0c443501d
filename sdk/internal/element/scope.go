package element

import (
	"hash/maphash"
	"slices"
)

// A binding is a prefix in scope and its namespace. Each binding points to the next outer
// one, so that an element needs to keep only the innermost. The default namespace has the
// prefix "". It is bound only around an element with a prefix, because an element without
// a prefix has the default namespace as its own.
type binding struct {
	prefix, space string
	outside       *binding
	shadowed      *binding  // the next outer binding of the same prefix, if prefixes are indexed
	innermost     **binding // the index entry of the innermost binding of the same prefix
	hash          uint64    // hash of space; zero until it is needed
	count         int       // number of prefixes in scope, including this one
}

// manyPrefixes is the number of prefixes from which on an index is used. Without it, a
// short message with hundreds of declarations would cost as much as a long one.
const manyPrefixes = 8

var hashSeed = maphash.MakeSeed()

// sum returns the hash of the namespace, or 0 if there is none. Without it, two long
// namespaces that differ only at their end might be compared thousands of times.
func (b *binding) sum() uint64 {
	if b == nil {
		return 0
	}
	if b.hash == 0 {
		b.hash = maphash.String(hashSeed, b.space)
	}
	return b.hash
}

// declare adds a prefix to the scope; the bindings inside of around belong to the same
// tag.
func (p *parser) declare(a rawAttr, around *binding) {
	switch {
	case a.local == "xmlns":
		p.misused(a.at, "the prefix xmlns declared")
	case a.value == "":
		p.misused(a.at, "a prefix declared with an empty namespace")
	case (a.local == "xml") != (a.value == spaceXML) || a.value == spaceXMLNS:
		p.misused(a.at, "a reserved prefix or namespace declared otherwise")
	}
	if b := p.find(a.local); b != nil && (around == nil || b.count > around.count) {
		p.fail(NotWellFormed, a.at, "an attribute that is there twice")
		return
	}
	if p.scope != nil && p.scope.count >= 4*p.limits.Attrs {
		p.fail(TooBig, a.at, "more namespace declarations in scope than allowed")
		return
	}
	p.bind(a.local, p.intern(a.value))
}

// bindDefault binds the default namespace inside of parent, unless it is already bound.
func (p *parser) bindDefault(parent *frame) {
	if b := parent.inherited; b == nil && parent.space != "" || b != nil && b.space != parent.space {
		parent.inherited = p.bind("", parent.space)
	}
}

func (p *parser) bind(prefix, space string) *binding {
	b := &carveLen(&p.bindingSlab, 1)[0]
	*b = binding{prefix: prefix, space: space, outside: p.scope}
	if p.scope != nil {
		b.count = p.scope.count
	}
	p.scope = b
	if prefix == "" {
		return b
	}
	switch b.count++; {
	case p.prefixes != nil:
		p.index(b)
	case b.count > manyPrefixes:
		p.prefixes = map[string]**binding{}
		var all []*binding
		for b := b; b != nil; b = b.outside {
			all = append(all, b)
		}
		for _, b := range slices.Backward(all) {
			p.index(b)
		}
	}
	return b
}

func (p *parser) index(b *binding) {
	if b.prefix == "" {
		return
	}
	innermost := p.prefixes[b.prefix]
	if innermost == nil {
		innermost = new(*binding)
		p.prefixes[b.prefix] = innermost
	}
	b.innermost, b.shadowed = innermost, *innermost
	*innermost = b
}

// leave ends the scope of the bindings declared since around was the innermost.
func (p *parser) leave(around *binding) {
	if p.prefixes != nil {
		for b := p.scope; b != around; b = b.outside {
			if b.innermost != nil {
				*b.innermost = b.shadowed
			}
		}
	}
	p.scope = around
}

// resolve returns the namespace of prefix and its declaration, which is nil for the
// prefix xml.
func (p *parser) resolve(prefix string, at int) (string, *binding) {
	if b := p.find(prefix); b != nil {
		return b.space, b
	}
	if prefix == "xml" {
		return spaceXML, nil
	}
	p.misused(at, "a prefix that is not declared")
	return "", nil
}

func (p *parser) find(prefix string) *binding {
	if p.prefixes != nil {
		if innermost := p.prefixes[prefix]; innermost != nil {
			return *innermost
		}
		return nil
	}
	b := p.scope
	for b != nil && b.prefix != prefix {
		b = b.outside
	}
	return b
}
