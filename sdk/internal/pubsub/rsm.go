package pubsub

import (
	"strconv"
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// A Page requests a part of a result (XEP-0059). The zero Page requests the first part,
// of the length that the responder chooses.
type Page struct {
	Max    int    // the maximum number of items (§2.1); 0 leaves it to the responder
	After  string // the id of the item before the page (§2.2)
	Before string // the id of the item after the page (§2.3)
	Last   bool   // the last page (§2.5), if After and Before are empty
}

// Element returns the <set/> of a request, or nil if p is nil.
func (p *Page) Element() *element.Element {
	if p == nil {
		return nil
	}
	set := element.New(ns.RSM, "set")
	if p.Max > 0 {
		set.Add(textElement(ns.RSM, "max", strconv.Itoa(p.Max)))
	}
	switch {
	case p.After != "":
		set.Add(textElement(ns.RSM, "after", p.After))
	case p.Before != "" || p.Last:
		set.Add(textElement(ns.RSM, "before", p.Before))
	}
	return set
}

// A PageInfo describes a part of a result (XEP-0059 §2.2).
type PageInfo struct {
	First, Last string // ids of the first and the last item of the page; empty if it has none
	Index       int    // of the first item in the whole result, or -1 if unknown
	Count       int    // of the items of the whole result, or -1 if unknown; may be approximate
}

// ParsePage parses the <set/> in the payload of a result. It returns nil if there is none:
// the responder then ignored the requested Page.
func ParsePage(payload *element.Element) *PageInfo {
	set := payload.Child(ns.RSM, "set")
	if set == nil {
		return nil
	}
	first := set.Child(ns.RSM, "first")
	return &PageInfo{
		First: pageID(first), Last: pageID(set.Child(ns.RSM, "last")),
		Index: number(first.Attr("index")), Count: number(set.Child(ns.RSM, "count").Text()),
	}
}

// pageID returns the id in <first/> or <last/>. One that is longer than allowed counts as
// absent.
func pageID(e *element.Element) string {
	id := e.Text()
	if len(id) > maxID {
		return ""
	}
	return strings.Clone(id)
}

// number parses a number that is not negative. It returns -1 for anything else.
func number(text string) int {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}

// textElement returns an element that contains text.
func textElement(space, local, text string) *element.Element {
	return element.New(space, local).AddText(text)
}
