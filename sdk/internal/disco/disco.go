// Package disco implements service discovery (XEP-0030) and entity capabilities
// (XEP-0115): it announces the features of this client and queries those of others.
package disco

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"sort"
	"strings"

	"mellium.im/xmpp/disco/info"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// Info holds the identities and features of an entity. Extended forms (XEP-0128) are
// ignored.
type Info struct {
	Identities []info.Identity
	Features   []info.Feature
}

// NewInfo returns the Info of a client named name with the given features and those
// that this package provides. kind is the type of client in the registry of XEP-0030,
// such as "pc" or "web".
func NewInfo(kind, name string, features ...string) *Info {
	i := &Info{Identities: []info.Identity{{Category: "client", Type: kind, Name: name}}}
	all := append([]string{ns.DiscoInfo, ns.Caps}, features...)
	sortStrings(all)
	for _, f := range slices.Compact(all) {
		i.Features = append(i.Features, info.Feature{Var: f})
	}
	return i
}

// Has reports whether feature is among the features.
func (i *Info) Has(feature string) bool {
	return slices.ContainsFunc(i.Features, func(f info.Feature) bool { return f.Var == feature })
}

// Ver returns the verification string of XEP-0115 §5.1 with SHA-1, the only hash that
// common servers support.
func (i *Info) Ver() string {
	var rows []string
	for _, id := range i.Identities {
		rows = append(rows, id.Category+"/"+id.Type+"/"+id.Lang+"/"+id.Name+"<")
	}
	sortStrings(rows)
	var vars []string
	for _, f := range i.Features {
		vars = append(vars, f.Var+"<")
	}
	sortStrings(vars)
	sum := sha1.Sum([]byte(strings.Join(rows, "") + strings.Join(vars, "")))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Caps returns the <c/> element for presence (XEP-0115 §4). node is a URI that
// identifies the software.
func (i *Info) Caps(node string) *element.Element {
	return element.New(ns.Caps, "c").Set("hash", "sha-1").Set("node", node).Set("ver", i.Ver())
}

// Answer returns the payload that answers a disco#info query, or nil if the
// query asks for a node that is neither empty nor this Info's caps node.
func (i *Info) Answer(query *element.Element, node string) *element.Element {
	answer := element.New(ns.DiscoInfo, "query")
	if asked, ok := query.Lookup("node"); ok {
		if asked != "" && asked != node+"#"+i.Ver() {
			return nil
		}
		answer.Set("node", asked)
	}
	for _, id := range i.Identities {
		e := element.New(ns.DiscoInfo, "identity").Set("category", id.Category).Set("type", id.Type)
		if id.Name != "" {
			e.Set("name", id.Name)
		}
		answer.Add(e)
	}
	for _, f := range i.Features {
		answer.Add(element.New(ns.DiscoInfo, "feature").Set("var", f.Var))
	}
	return answer
}

// Query returns the payload of a disco#info query.
func Query() *element.Element { return element.New(ns.DiscoInfo, "query") }

// Parse parses the answer to Query in a result iq. It returns an empty Info if the iq
// has no payload.
func Parse(iq *element.Element) *Info {
	i := &Info{}
	for e := range iq.Child(ns.DiscoInfo, "query").Elements() {
		switch {
		case e.Is(ns.DiscoInfo, "identity"):
			i.Identities = append(i.Identities, info.Identity{
				Category: e.Attr("category"), Type: e.Attr("type"), Name: e.Attr("name"),
			})
		case e.Is(ns.DiscoInfo, "feature"):
			i.Features = append(i.Features, info.Feature{Var: e.Attr("var")})
		}
	}
	return i
}

// sortStrings is slices.Sort without the generic code, which makes the wasm
// 6 KB larger on the wire.
//
//lint:ignore S1032 sort.Strings calls slices.Sort.
func sortStrings(list []string) { sort.Sort(sort.StringSlice(list)) }
