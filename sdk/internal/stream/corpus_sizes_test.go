package stream_test

import (
	"fmt"
	"strings"
)

func sizes(add func(verdict, name, message string)) {
	for _, n := range []int{1, 2, 10, 63, 64, 65, 66, 100, 1000, 10_000} {
		add(unless(n > maxDepth, "drop"), fmt.Sprintf("depth %d", n), in(strings.Repeat("<a>", n-1)+strings.Repeat("</a>", n-1)))
		// The tag that is too deep is never read, so what is wrong after it does not matter.
		add(map[bool]string{true: "drop", false: nwf}[n > maxDepth], fmt.Sprintf("depth %d, not closed", n), head+strings.Repeat("<a>", n-1))
	}
	for _, n := range []int{0, 1, 2, 61, 62, 63, 64, 65, 66, 100, 1000} {
		var attrs, decls, mixed strings.Builder
		for i := range n {
			fmt.Fprintf(&attrs, " a%d='%d'", i, i)
			fmt.Fprintf(&decls, " xmlns:p%d='u%d'", i, i)
			if i%2 == 0 {
				fmt.Fprintf(&mixed, " xmlns:p%d='u' a%d=''", i, i)
			}
		}
		add(unless(n > maxAttrs, "drop"), fmt.Sprintf("%d attributes", n), in("<a"+attrs.String()+"/>"))
		add(unless(n > maxAttrs, "drop"), fmt.Sprintf("%d declarations", n), in("<a"+decls.String()+"/>"))
		add(unless((n+1)/2*2 > maxAttrs, "drop"), fmt.Sprintf("%d attributes and declarations", n), in("<a"+mixed.String()+"/>"))
		add(unless(n+1 > maxAttrs, "drop"), fmt.Sprintf("%d attributes on the root", n), "<message xmlns='jabber:client'"+attrs.String()+"/>")
	}
	for _, n := range []int{1, 250, 4*maxAttrs - 1, 4 * maxAttrs, 4*maxAttrs + 1, 300} {
		for _, each := range []int{5, 8, 60} { // prefixes that one element declares
			for _, uses := range []string{"<a/>", "<p0:a p1:b=''/>"} { // of the innermost element's
				var inside strings.Builder
				depth := 0
				for left := n; left > 0; depth++ {
					inside.WriteString("<a")
					for i := range min(each, left) {
						fmt.Fprintf(&inside, " xmlns:p%d='u%d'", i, i)
					}
					inside.WriteString(">")
					left -= each
				}
				if n == 1 {
					uses = strings.Replace(uses, " p1:b=''", "", 1)
				}
				add(unless(n > 4*maxAttrs, "drop"), fmt.Sprintf("%d declarations in scope, %d each, around %s", n, each, uses),
					in(inside.String()+uses+strings.Repeat("</a>", depth)))
			}
		}
	}
	for _, n := range []int{1, 2, 1023, 1024, 1025, 1026, 100_000} {
		name := strings.Repeat("n", n)
		add(unless(n > maxName, "drop"), fmt.Sprintf("element name of %d", n), in("<"+name+"/>"))
		add(unless(n > maxName, "drop"), fmt.Sprintf("attribute name of %d", n), in("<a "+name+"=''/>"))
		add(unless(n+2 > maxName, "drop"), fmt.Sprintf("element name of %d and a prefix", n), in("<p:"+name+" xmlns:p='u'/>"))
		add(unless(n+6 > maxName, "drop"), fmt.Sprintf("prefix of %d", n), in("<a xmlns:"+name+"='u'/>"))
	}
	for _, n := range []int{0, 1, 65535, 65536, 65537, 1 << 20} {
		add(unless(n > maxValue, "drop"), fmt.Sprintf("value of %d", n), in("<a b='"+strings.Repeat("v", n)+"'/>"))
		add(unless(n > maxValue, "drop"), fmt.Sprintf("namespace of %d", n), in("<a xmlns='"+strings.Repeat("v", n)+"'/>"))
		add(unless(n*5 > maxValue, "drop"), fmt.Sprintf("value of %d references", n), in("<a b='"+strings.Repeat("&amp;", n)+"'/>"))
	}
	for n := maxBytes - 1; n <= maxBytes+1; n++ {
		add(unless(n > maxBytes, "drop"), fmt.Sprintf("message of %d bytes", n), in(strings.Repeat("x", n-len(in("")))))
	}
	for _, n := range []int{1, 100, 10_000, 100_000} {
		add("deliver", fmt.Sprintf("%d elements in a row", n), in(strings.Repeat("<a/>", n)))
	}
}
