package listsync

import (
	"maps"
	"slices"
	"strings"

	"xmpp-pam/sdk/pam"
)

// rowBits is the number of bits for the index of a row, which is more than the rows of
// the largest message.
const rowBits = 24

// Sort returns the rows sorted by key. All sorting in this package uses it, because each
// instantiation for another element type adds 15 KB of wasm.
//
// It sorts the rows of a service as numbers, which begin with five bytes of the node.
// When the first long list arrives, a browser has not optimised the program yet, and
// comparing the keys themselves takes a quarter of the time of the list.
func Sort(rows []pam.Subscription) []pam.Subscription {
	if len(rows) < 2 {
		return slices.Clone(rows)
	}
	services := map[string]*[]uint64{} // the indices of their rows
	for i := range rows {
		of := services[rows[i].Service]
		if of == nil {
			of = new([]uint64)
			services[rows[i].Service] = of
		}
		*of = append(*of, uint64(i))
	}
	sorted := make([]pam.Subscription, 0, len(rows))
	for _, service := range slices.Sorted(maps.Keys(services)) {
		sorted = appendSorted(sorted, rows, *services[service])
	}
	return sorted
}

// appendSorted appends the rows with the given indices, which are of one service.
func appendSorted(sorted, rows []pam.Subscription, of []uint64) []pam.Subscription {
	common := rows[of[0]].Node // the longest common prefix
	for _, i := range of {
		for !strings.HasPrefix(rows[i].Node, common) {
			common = common[:len(common)-1]
		}
	}
	for k, i := range of {
		of[k] = number(rows[i].Node[len(common):]) | i
	}
	slices.Sort(of)
	for len(of) > 0 {
		n, first := 1, len(sorted)
		sorted = append(sorted, rows[of[0]&(1<<rowBits-1)])
		for ; n < len(of) && of[n]>>rowBits == of[0]>>rowBits; n++ {
			sorted = append(sorted, rows[of[n]&(1<<rowBits-1)])
		}
		if n > 1 {
			slices.SortStableFunc(sorted[first:], func(a, b pam.Subscription) int { return a.Key.Compare(b.Key) })
		}
		of = of[n:]
	}
	return sorted
}

// number returns a number that sorts like the first five bytes of s, and has room for
// the index of a row.
func number(s string) (n uint64) {
	for i := range min(len(s), 5) {
		n |= uint64(s[i]) << (56 - 8*i)
	}
	return n
}
