// Package privatepep keeps small private items, each a key and an XML payload, in the
// account's PEP service (XEP-0163, XEP-0223), the same on every device of the account. It
// knows nothing of what the items mean.
//
// The items are spread over a fixed number of nodes by a hash of the key. Spreading keeps
// every node far from the number of items that a server keeps in one, after which some
// servers drop the oldest without notice.
package privatepep

import (
	"math"
	"strconv"
	"strings"

	"xmpp-pam/sdk/internal/element"
)

// Nodes is the number of nodes of a base name: Base:0 to Base:63. It is fixed, because
// all versions of the program must look for a key in the same node; another number needs
// another base name.
//
// Prosody keeps 256 items in a node, of which 250 are used (see usable). Of 10,000 keys,
// each of 64 nodes gets 156.3 on average, with a standard deviation of 12.4, so that 250
// are 7.6 standard deviations away: the probability that any node is full is 10⁻¹². It
// is 0.2 % at 12,500 keys, and no more than 64 × 250 = 16,000 fit. With 48 nodes it would
// be 7.6 % at 10,000 keys.
const Nodes = 64

// Limits.
const (
	// MaxRequests is the maximum number of requests that are pending at the same time.
	MaxRequests = 4
	// MaxKey is the maximum length of a key in bytes.
	MaxKey = 1023
	// MaxPayload is the maximum size of a payload: its names, values and texts in bytes,
	// and 8 for each element and attribute. A node of 250 such items is an answer of 4 MB.
	MaxPayload = 16 << 10
	// MaxPending and MaxPendingBytes limit the Puts and Removes that are pending.
	MaxPending      = 20000
	MaxPendingBytes = 16 << 20
)

// Node returns the name of the node that a key belongs in: base, a colon, and the 32-bit
// FNV-1a hash of the key modulo Nodes, in decimal.
func Node(base, key string) string { return nodeName(base, place(key)) }

// Features returns the features to announce in entity capabilities (XEP-0115), so that
// the server sends notifications of the nodes: Base:0+notify and so on, sorted.
//
// All nodes are announced at all times, and not only those that exist. A device hears of
// the first item of a node without a new presence, the verification string is the same
// for all users of the program, and it does not reveal how many items an account has. The
// price is a disco#info answer that is about 3 KB longer, which each server requests once
// for each verification string, and which adds nothing to presence itself.
func Features(base string) []string {
	var list []string
	for i := range Nodes {
		list = append(list, nodeName(base, i)+"+notify")
	}
	sortStrings(list)
	return list
}

func nodeName(base string, i int) string { return base + ":" + strconv.Itoa(i) }

// place returns the number of the node that a key belongs in.
func place(key string) int {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return int(h % Nodes)
}

// Owns reports whether a node is one of those of a base name.
func Owns(base, node string) bool {
	_, ok := index(base, node)
	return ok
}

// index returns the number of a node by its name.
func index(base, name string) (int, bool) {
	text, ok := strings.CutPrefix(name, base+":")
	i, err := strconv.Atoi(text)
	return i, ok && err == nil && i >= 0 && i < Nodes && nodeName(base, i) == name
}

// assumedLimit is the number of items that a node keeps if its server does not tell.
const assumedLimit = 256

// usable returns how many of the items that a server keeps in a node are used. The rest is
// for items that other devices publish at the same moment: each device has one request for
// a node pending, and hears of what others have published before its answer, so that six
// spare items are enough for seven devices. Of small limits, a quarter is spare.
func usable(limit int) int { return max(1, limit-min(6, (limit+3)/4)) }

// parseLimit parses pubsub#max_items. most is what "max" means.
func parseLimit(value string, most int) int {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < 1 {
		return most
	}
	return min(n, maxKept)
}

// A fingerprint stands for a payload: a 64-bit hash that is the same for elements that
// differ only in prefixes, in the order of attributes (Prosody does not keep it), or in
// how text is divided. It is 0 for no payload.
type fingerprint uint64

// measure returns the fingerprint of a payload, and its size as in MaxPayload.
func measure(e *element.Element) (fingerprint, int) {
	if e == nil {
		return 0, 0
	}
	h := hash(14695981039346656037)
	size := h.element(e)
	if h == 0 {
		h = 1
	}
	return fingerprint(h), size
}

// A hash is the state of a 64-bit FNV-1a hash.
type hash uint64

func (h *hash) text(parts ...string) (size int) {
	for _, s := range parts {
		for i := range len(s) {
			*h = (*h ^ hash(s[i])) * 1099511628211
		}
		*h = (*h ^ math.MaxUint8) * 1099511628211 // no byte of UTF-8
		size += len(s)
	}
	return size
}

// element adds an element, and returns its size.
func (h *hash) element(e *element.Element) int {
	h.text("<")
	size := 8 + h.text(e.Name.Space, e.Name.Local)
	attrs := hash(0)
	for _, a := range e.Attrs {
		one := hash(14695981039346656037)
		size += 8 + one.text(a.Name.Space, a.Name.Local, a.Value)
		attrs += one
	}
	h.text(strconv.FormatUint(uint64(attrs), 36))
	text := ""
	for _, c := range e.Children {
		if c.Element == nil {
			text += c.Text
			continue
		}
		size += h.text(text) + h.element(c.Element)
		text = ""
	}
	size += h.text(text)
	h.text(">")
	return size
}
