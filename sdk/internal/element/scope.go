package element

import (
	"hash/maphash"
	"slices"
)

// A binding is a prefix in scope, and its namespace. Each points to the one
// outside of it, so that an element needs to know one of them only. The default
// namespace has the prefix "", and is bound only around an element with a prefix:
// what an element without one inherits is its own namespace.
type binding struct {
	prefix, space string
	outside       *binding
	shadowed      *binding  // the one outside of it with the same prefix, if prefixes are indexed
	innermost     **binding // where the index holds the innermost one with the same prefix
	hash          uint64    // of space; zero until it is needed
	count         int       // of prefixes in scope, this one included
}

// manyPrefixes is from how many on a prefix is found through an index. Else
// a short message with hundreds of declarations costs as much as a long one.
const manyPrefixes = 8

var hashSeed = maphash.MakeSeed()

// sum returns the hash of the namespace, 0 if there is none. Two long namespaces
// that differ only at their end may have to be compared thousands of times.
func (b *binding) sum() uint64 {
	if b == nil {
		return 0
	}
	if b.hash == 0 {
		b.hash = maphash.String(hashSeed, b.space)
	}
	return b.hash
}

// declare puts a prefix in scope; the bindings inside of around belong to the
// same tag.
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

// bindDefault binds the default namespace inside of parent, unless it is.
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

// leave ends the scope of what was declared since around was the innermost.
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

// resolve returns the namespace of prefix and its declaration, which xml has none
// of.
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
