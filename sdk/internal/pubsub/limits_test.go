package pubsub

import (
	"fmt"
	"strings"
	"testing"
)

// TestLongestNames parses texts of the length that is allowed, and longer ones by a byte.
func TestLongestNames(t *testing.T) {
	for name, accepts := range map[string]func(long string) bool{
		"node of an event": func(long string) bool {
			found, _ := ParseEvent(message(t, eventStart+`<purge node='`+long+`'/></event>`))
			return len(found) == 1 && found[0].Node == long
		},
		"id of an item": func(long string) bool {
			found, _ := ParseEvent(message(t, eventStart+`<items node='n'><item id='`+long+`'/></items></event>`))
			return len(found) == 1 && found[0].ItemID == long
		},
		"id of a retracted item": func(long string) bool {
			found, _ := ParseEvent(message(t, eventStart+`<items node='n'><retract id='`+long+`'/></items></event>`))
			return len(found) == 1 && found[0].ItemID == long
		},
		"publisher": func(long string) bool {
			found, _ := ParseEvent(message(t, eventStart+`<items node='n'><item id='i' publisher='`+long+`'/></items></event>`))
			return len(found) == 1 && found[0].Publisher == long
		},
		"subid": func(long string) bool {
			found, _ := ParseEvent(message(t, eventStart+`<purge node='n'/></event><headers xmlns='http://jabber.org/protocol/shim'><header name='SubID'>`+long+`</header></headers>`))
			return len(found) == 1 && len(found[0].SubIDs) == 1 && found[0].SubIDs[0] == long
		},
		"node of a subscription": func(long string) bool {
			s, _, _ := ParseSubscription(iq(t, `<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription node='`+long+`' jid='a@b' subscription='subscribed'/></pubsub>`), "s")
			return s.Node == long
		},
		"node of a list": func(long string) bool {
			nodes, _, _ := ParseNodes(iq(t, `<query xmlns='http://jabber.org/protocol/disco#items'><item jid='s' node='`+long+`'/></query>`), "s")
			return len(nodes) == 1 && nodes[0].Node == long
		},
		"field of a form": func(long string) bool {
			form, _ := ParseForm(parse(t, `<x xmlns='jabber:x:data' type='form'><field var='`+long+`'/></x>`))
			return len(form) == 1 && form[0].Name == long
		},
		"last id of a page": func(long string) bool {
			page := ParsePage(parse(t, `<fin><set xmlns='http://jabber.org/protocol/rsm'><last>`+long+`</last></set></fin>`))
			return page != nil && page.Last == long
		},
		"id of an archived message": func(long string) bool {
			r, _ := ParseArchiveResult(message(t, `<result xmlns='urn:xmpp:mam:2' queryid='q' id='`+long+`'/>`))
			return r != nil && r.ID == long
		},
		"id of an archive query": func(long string) bool {
			r, _ := ParseArchiveResult(message(t, `<result xmlns='urn:xmpp:mam:2' queryid='`+long+`' id='a'/>`))
			return r != nil && r.QueryID == long
		},
		"state of a subscription": func(long string) bool {
			found, _ := ParseEvent(message(t, eventStart+`<subscription node='n' jid='a@b' subscription='`+long+`'/></event>`))
			return len(found) == 1 && string(found[0].State) == long
		},
		"node of a URI": func(long string) bool {
			u, _ := ParseURI("xmpp:p.lit?;node=" + long)
			return u.Node == long
		},
	} {
		t.Run(name, func(t *testing.T) {
			for n, want := range map[int]bool{maxID: true, maxID + 1: false} {
				if got := accepts(strings.Repeat("x", n)); got != want {
					t.Errorf("%d bytes are accepted: %v", n, got)
				}
			}
		})
	}
}

// TestMost parses as many elements as are allowed, and one more.
func TestMost(t *testing.T) {
	numbered := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name  string
		most  int
		parse func(n int) int
	}{
		{"events", maxEntries, func(n int) int {
			found, _ := ParseEvent(message(t, eventStart+`<items node='n'>`+numbered(n, "<item id='%d'/>")+`</items></event>`))
			return len(found)
		}},
		{"subids", maxSubIDs, func(n int) int {
			found, _ := ParseEvent(message(t, eventStart+`<purge node='n'/></event><headers xmlns='http://jabber.org/protocol/shim'>`+numbered(n, "<header name='SubID'>%d</header>")+`</headers>`))
			return len(found[0].SubIDs)
		}},
		{"fields", maxFields, func(n int) int {
			form, _ := ParseForm(parse(t, `<x xmlns='jabber:x:data' type='form'>`+numbered(n, "<field var='%d'/>")+`</x>`))
			return len(form)
		}},
		{"values", maxValues, func(n int) int {
			form, _ := ParseForm(parse(t, `<x xmlns='jabber:x:data' type='form'><field var='a' type='text-multi'>`+numbered(n, "<value>%d</value>")+`</field></x>`))
			return len(form[0].Values)
		}},
		{"nodes", maxNodes, func(n int) int {
			nodes, _, _ := ParseNodes(iq(t, `<query xmlns='http://jabber.org/protocol/disco#items'>`+numbered(n, "<item jid='s' node='%d'/>")+`</query>`), "s")
			return len(nodes)
		}},
	} {
		for _, n := range []int{tt.most, tt.most + 1} {
			if got := tt.parse(n); got != tt.most {
				t.Errorf("%d of %d %s", got, n, tt.name)
			}
		}
	}
}
