package pam

import "time"

// A NodeInfo describes a node (XEP-0060 §5.4), as far as its service does.
type NodeInfo struct {
	Service, Node      string
	Title, Description string
	Kind               NodeKind // empty if unknown
	// PayloadType is the namespace or other type of the payloads.
	PayloadType string
	// AccessModel says who may subscribe (§4.5), such as "open" or "authorize".
	AccessModel string
	Created     time.Time // zero if unknown
	Subscribers int       // 0 if unknown
}

// A NodeKind says what a node contains.
type NodeKind string

// The kinds of nodes (XEP-0060 §4.4).
const (
	NodeLeaf       NodeKind = "leaf"       // items
	NodeCollection NodeKind = "collection" // nodes (XEP-0248)
)
