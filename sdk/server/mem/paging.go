package mem

import "strconv"

const nsRSM = "http://jabber.org/protocol/rsm"

// A page is a request for a part of a result (XEP-0059).
type page struct {
	given         bool
	max           int // -1 if the request has none
	before, after string
	last          bool // an empty <before/>
}

// readPage reads the <set/> child of e.
func readPage(e *elem) (page, *stanzaError) {
	set := e.child(nsRSM, "set")
	p := page{given: set != nil, max: -1}
	if set == nil {
		return p, nil
	}
	for _, k := range set.elems() {
		text := k.text()
		switch k.local {
		case "max":
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return p, badRequest()
			}
			p.max = n
		case "before":
			p.before, p.last = text, text == ""
		case "after":
			p.after = text
		default:
			return p, &stanzaError{typ: "cancel", cond: "feature-not-implemented"}
		}
	}
	return p, nil
}

// backwards reports whether the page ends at a place instead of beginning there.
func (p page) backwards() bool { return p.last || p.before != "" }

// cut returns the part [from, to) of n results that a page shows: after is the number
// of results before the page's earliest place, before the number of those before its
// latest one.
func (p page) cut(after, before, most int) (from, to int) {
	if p.max >= 0 {
		most = min(most, p.max)
	}
	if p.backwards() {
		return max(after, before-most), before
	}
	return after, min(before, after+most)
}

// cutNames does it for results with names. It reports whether the places exist.
func (p page) cutNames(names []string, most int) (from, to int, ok bool) {
	place := func(name string, otherwise, beyond int) int {
		for i := range names {
			if names[i] == name {
				return i + beyond
			}
		}
		if name != "" {
			ok = false
		}
		return otherwise
	}
	ok = true
	from, to = p.cut(place(p.after, 0, 1), place(p.before, len(names), 0), most)
	return from, max(from, to), ok
}

// pageOf returns the <set/> of the page [from, to) of results with names.
func pageOf(names []string, from, to int) *elem {
	if from == to {
		return pageElem("", "", 0, len(names))
	}
	return pageElem(names[from], names[to-1], from, len(names))
}

// pageElem returns the <set/> of a page: the names of its first and last result, if
// there are any, the place of the first, and the number of results in all. A negative
// place is left out.
func pageElem(first, last string, index, count int) *elem {
	set := el(nsRSM, "set")
	if first != "" {
		e := el(nsRSM, "first").with(first)
		if index >= 0 {
			e.set("index", strconv.Itoa(index))
		}
		set.with(e, el(nsRSM, "last").with(last))
	}
	return set.with(el(nsRSM, "count").with(strconv.Itoa(count)))
}
