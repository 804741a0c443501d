package element

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
)

// TokenReader returns e as a stream of tokens, for types that read themselves
// from one. Every token is the reader's to keep. The last one is the end of e,
// then comes io.EOF.
func (e *Element) TokenReader() xml.TokenReader { return &tokenReader{root: e} }

type tokenReader struct {
	root *Element // nil once its start is read
	open []cursor
}

// A cursor is an element whose start was read, and its next child.
type cursor struct {
	element *Element
	next    int
}

func (r *tokenReader) Token() (xml.Token, error) {
	if r.root != nil {
		e := r.root
		r.root = nil
		return r.start(e), nil
	}
	if len(r.open) == 0 {
		return nil, io.EOF
	}
	top := &r.open[len(r.open)-1]
	for top.next < len(top.element.Children) {
		n := top.element.Children[top.next]
		top.next++
		if n.Element != nil {
			return r.start(n.Element), nil
		}
		if n.Text != "" {
			return xml.CharData(n.Text), nil
		}
	}
	r.open = r.open[:len(r.open)-1]
	return xml.EndElement{Name: top.element.Name}, nil
}

func (r *tokenReader) start(e *Element) xml.Token {
	r.open = append(r.open, cursor{element: e})
	// A decoder that reads from this writes into the attributes.
	return xml.StartElement{Name: e.Name, Attr: slices.Clone(e.Attrs)}
}

// Clone returns a copy that shares nothing with e, nor with the message that e
// was parsed from, so that XML writes it anew.
func (e *Element) Clone() *Element {
	if e == nil {
		return nil
	}
	c := &Element{Name: cloneName(e.Name), Attrs: slices.Clone(e.Attrs), Children: slices.Clone(e.Children)}
	for i, a := range c.Attrs {
		c.Attrs[i] = xml.Attr{Name: cloneName(a.Name), Value: strings.Clone(a.Value)}
	}
	for i, n := range c.Children {
		c.Children[i] = Node{Element: n.Element.Clone(), Text: strings.Clone(n.Text)}
	}
	return c
}

func cloneName(n xml.Name) xml.Name {
	space, ok := wellKnown[n.Space]
	if !ok {
		space = strings.Clone(n.Space)
	}
	return xml.Name{Space: space, Local: strings.Clone(n.Local)}
}
