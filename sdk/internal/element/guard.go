package element

import (
	"encoding/xml"
	"slices"

	"xmpp-pam/sdk/internal/ns"
)

// Sanitize removes the attributes from, to, id and type that are in a namespace. They
// have no meaning, but servers relay them, and other code might confuse x:from with from.
func (e *Element) Sanitize() {
	e.Attrs = slices.DeleteFunc(e.Attrs, func(a xml.Attr) bool {
		switch a.Name.Local {
		case "from", "to", "id", "type":
			return a.Name.Space != ""
		}
		return false
	})
}

// ContainsStreamElements reports whether a descendant of e is in the stream or framing namespace. Such
// elements may appear only at the level of the stream, so a stanza that contains one is
// an attack or an error, and must be dropped.
func (e *Element) ContainsStreamElements() bool {
	for c := range e.Elements() {
		if c.Name.Space == ns.Stream || c.Name.Space == ns.Framing || c.ContainsStreamElements() {
			return true
		}
	}
	return false
}
