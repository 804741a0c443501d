package element

import (
	"encoding/xml"
	"slices"

	"xmpp-pam/sdk/internal/ns"
)

// Sanitize removes the attributes from, to, id and type that are in a
// namespace. They mean nothing, and servers relay them: a stranger could hope
// that some reader takes x:from for from.
func (e *Element) Sanitize() {
	e.Attrs = slices.DeleteFunc(e.Attrs, func(a xml.Attr) bool {
		switch a.Name.Local {
		case "from", "to", "id", "type":
			return a.Name.Space != ""
		}
		return false
	})
}

// Tainted reports whether an element of the stream or framing namespace is
// somewhere below e. Such elements belong to the stream alone, so a stanza
// with one inside is an attack or a mistake, and is to be dropped.
func (e *Element) Tainted() bool {
	for c := range e.Elements() {
		if c.Name.Space == ns.Stream || c.Name.Space == ns.Framing || c.Tainted() {
			return true
		}
	}
	return false
}
