// Package element converts one WebSocket message to one XML element and back.
//
// A message contains exactly one complete element (RFC 7395 §3.3.3). Parse parses it
// once, strictly and with limits, into a tree that the rest of the program uses. No other
// package parses XML.
package element

import (
	"encoding/xml"
	"iter"
	"strings"
)

// An Element is one XML element. Namespaces are resolved: Name.Space is the
// namespace, never a prefix, and Attrs holds no namespace declarations.
type Element struct {
	Name     xml.Name
	Attrs    []xml.Attr
	Children []Node

	source     string   // as Parse read it, from the start tag to the end tag
	around     *binding // the innermost binding in scope outside of source
	unreadable bool     // source contains an element in the namespace of XML
}

// A Node is one child: an element, or the text between elements if Element is
// nil.
type Node struct {
	Element *Element
	Text    string
}

// New returns an empty element.
func New(space, local string) *Element {
	return &Element{Name: xml.Name{Space: space, Local: local}}
}

// Set sets the attribute without namespace named local and returns e, so that
// elements can be built in one expression.
func (e *Element) Set(local, value string) *Element {
	for i := range e.Attrs {
		if e.Attrs[i].Name.Space == "" && e.Attrs[i].Name.Local == local {
			e.Attrs[i].Value = value
			return e
		}
	}
	e.Attrs = append(e.Attrs, xml.Attr{Name: xml.Name{Local: local}, Value: value})
	return e
}

// Add appends children, skipping nil ones, and returns e.
func (e *Element) Add(children ...*Element) *Element {
	for _, c := range children {
		if c != nil {
			e.Children = append(e.Children, Node{Element: c})
		}
	}
	return e
}

// AddText appends text and returns e.
func (e *Element) AddText(text string) *Element {
	e.Children = append(e.Children, Node{Text: text})
	return e
}

// Is reports whether e has the given name. It is false for a nil element.
func (e *Element) Is(space, local string) bool {
	return e != nil && e.Name.Local == local && e.Name.Space == space
}

// Attr returns the value of the attribute without namespace named local, or ""
// if there is none. It never returns an attribute in a namespace: any entity can set
// x:from, but only the server sets from.
func (e *Element) Attr(local string) string {
	value, _ := e.Lookup(local)
	return value
}

// Lookup is like Attr, and also reports whether the attribute exists.
func (e *Element) Lookup(local string) (value string, ok bool) {
	if e == nil {
		return "", false
	}
	for i := range e.Attrs {
		if e.Attrs[i].Name.Space == "" && e.Attrs[i].Name.Local == local {
			return e.Attrs[i].Value, true
		}
	}
	return "", false
}

// Child returns the first child element with the given name, or nil. It may be
// called on nil, so that paths can be walked without checks.
func (e *Element) Child(space, local string) *Element {
	for c := range e.Elements() {
		if c.Name.Local == local && c.Name.Space == space {
			return c
		}
	}
	return nil
}

// First returns the first child element, or nil.
func (e *Element) First() *Element {
	for c := range e.Elements() {
		return c
	}
	return nil
}

// Elements iterates over the child elements.
func (e *Element) Elements() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		if e == nil {
			return
		}
		for i := range e.Children {
			if c := e.Children[i].Element; c != nil && !yield(c) {
				return
			}
		}
	}
}

// Text returns the text directly inside e, without that of child elements.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	if len(e.Children) == 1 {
		return e.Children[0].Text
	}
	var b strings.Builder
	for i := range e.Children {
		b.WriteString(e.Children[i].Text)
	}
	return b.String()
}
