package listsync

import (
	"cmp"
	"slices"
	"strings"

	"xmpp-pam/sdk/pam"
)

// A sortKey represents a row while a list is sorted: the eight bytes of its service and
// of its node that follow what all rows have in common.
type sortKey struct {
	service, node uint64
	row           int
}

// Sort sorts rows by key. All sorting in this package uses it, because each
// instantiation for another element type adds 15 KB of wasm.
//
// It compares numbers where they suffice. When the first long list arrives, a browser has
// not optimised the program yet, and comparing the keys themselves takes a quarter of the
// time of the list.
func Sort(rows []pam.Subscription) {
	if len(rows) < 2 {
		return
	}
	service, node := rows[0].Service, rows[0].Node
	for i := range rows {
		service, node = common(service, rows[i].Service), common(node, rows[i].Node)
	}
	keys := make([]sortKey, len(rows))
	for i := range rows {
		keys[i] = sortKey{number(rows[i].Service[len(service):]), number(rows[i].Node[len(node):]), i}
	}
	slices.SortFunc(keys, func(a, b sortKey) int {
		switch r, s := &rows[a.row], &rows[b.row]; {
		case a.service != b.service:
			return cmp.Compare(a.service, b.service)
		case a.node == b.node || r.Service != s.Service:
			return r.Key.Compare(s.Key)
		}
		return cmp.Compare(a.node, b.node)
	})
	sorted := make([]pam.Subscription, len(rows))
	for i, k := range keys {
		sorted[i] = rows[k.row]
	}
	copy(rows, sorted)
}

// common returns the longest common prefix of prefix and s.
func common(prefix, s string) string {
	for !strings.HasPrefix(s, prefix) {
		prefix = prefix[:len(prefix)-1]
	}
	return prefix
}

// number returns the first eight bytes of s as a number that sorts like them.
func number(s string) (n uint64) {
	for i := range min(len(s), 8) {
		n |= uint64(s[i]) << (56 - 8*i)
	}
	return n
}
