package mem

import (
	"slices"
	"strconv"
	"strings"
)

// elem is one XML element. Its kids are *elem or string (character data), in document order.
type elem struct {
	space, local string
	attrs        []attr
	kids         []any
}

type attr struct{ space, local, value string }

// el makes an element with un-namespaced attributes, given as name, value, name, value. An attribute with an empty value is left out.
func el(space, local string, nameValue ...string) *elem {
	e := &elem{space: space, local: local}
	for i := 0; i+1 < len(nameValue); i += 2 {
		if nameValue[i+1] != "" {
			e.attrs = append(e.attrs, attr{"", nameValue[i], nameValue[i+1]})
		}
	}
	return e
}

// with adds children (nil ones are skipped) or text, and returns e.
func (e *elem) with(kids ...any) *elem {
	for _, k := range kids {
		if c, ok := k.(*elem); ok && c == nil {
			continue
		}
		e.kids = append(e.kids, k)
	}
	return e
}

func (e *elem) is(space, local string) bool { return e != nil && e.space == space && e.local == local }

func (e *elem) isStanza() bool {
	return e.space == nsClient && (e.local == "iq" || e.local == "message" || e.local == "presence")
}

// get returns the value of an un-namespaced attribute. It never returns an attribute
// in a namespace, such as x:from. As with child and text, the element may be nil.
func (e *elem) get(local string) string {
	v, _ := e.lookup(local)
	return v
}

func (e *elem) lookup(local string) (string, bool) {
	if e == nil {
		return "", false
	}
	for _, a := range e.attrs {
		if a.space == "" && a.local == local {
			return a.value, true
		}
	}
	return "", false
}

// set gives an un-namespaced attribute a value; an empty one removes it.
func (e *elem) set(local, value string) {
	kept := make([]attr, 0, len(e.attrs)+1)
	for _, a := range e.attrs {
		if a.space != "" || a.local != local {
			kept = append(kept, a)
		}
	}
	if value != "" {
		kept = append(kept, attr{"", local, value})
	}
	e.attrs = kept
}

func (e *elem) xmlLang() string {
	for _, a := range e.attrs {
		if a.space == nsXML && a.local == "lang" {
			return a.value
		}
	}
	return ""
}

func (e *elem) lang(tag string) *elem {
	e.attrs = append(e.attrs, attr{nsXML, "lang", tag})
	return e
}

func (e *elem) elems() []*elem {
	var out []*elem
	for _, k := range e.kids {
		if c, ok := k.(*elem); ok {
			out = append(out, c)
		}
	}
	return out
}

// child returns the first child with that name, or nil.
func (e *elem) child(space, local string) *elem {
	if e == nil {
		return nil
	}
	for _, c := range e.elems() {
		if c.is(space, local) {
			return c
		}
	}
	return nil
}

// copy returns an element whose attributes and children can be changed; the children
// are the same.
func (e *elem) copy() *elem {
	return &elem{space: e.space, local: e.local, attrs: slices.Clone(e.attrs), kids: slices.Clone(e.kids)}
}

func (e *elem) text() string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	for _, k := range e.kids {
		if s, ok := k.(string); ok {
			b.WriteString(s)
		}
	}
	return b.String()
}

// String returns the element as one XML document, with all namespaces declared.
func (e *elem) String() string {
	var b strings.Builder
	e.write(&b, "")
	return b.String()
}

func (e *elem) write(b *strings.Builder, outer string) {
	b.WriteString("<" + e.local)
	if e.space != outer {
		b.WriteString(" xmlns='" + escape(e.space, true) + "'")
	}
	for i, a := range e.attrs {
		name := a.local
		switch a.space {
		case "":
		case nsXML:
			name = "xml:" + name
		default:
			prefix := "ns" + strconv.Itoa(i)
			b.WriteString(" xmlns:" + prefix + "='" + escape(a.space, true) + "'")
			name = prefix + ":" + name
		}
		b.WriteString(" " + name + "='" + escape(a.value, true) + "'")
	}
	if len(e.kids) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	for _, k := range e.kids {
		switch k := k.(type) {
		case *elem:
			k.write(b, e.space)
		case string:
			b.WriteString(escape(k, false))
		}
	}
	b.WriteString("</" + e.local + ">")
}

var (
	textEscaper  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	valueEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

func escape(s string, value bool) string {
	if value {
		return valueEscaper.Replace(s)
	}
	return textEscaper.Replace(s)
}
