package listsync

import (
	"errors"
	"slices"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// FuzzParse checks that arbitrary stanzas yield valid lists and no panic.
func FuzzParse(f *testing.F) {
	f.Add(`<message xmlns='jabber:client'><notify xmlns='urn:xmpp:pam:0' ver='v1' service='a.lit'><subscription node='n' jid='x@y/z' subid='1'/></notify></message>`)
	f.Add(`<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0' ver='v1'><subscription service='a.lit' node='n'/></subscriptions></iq>`)
	f.Fuzz(func(t *testing.T, xml string) {
		e, err := element.Parse(xml, nil)
		if err != nil {
			return
		}
		received, _ := reader().ParseNotify(e)
		m := synced(Durable{})
		for _, h := range received {
			m.Step(start, h)
		}
		res, err := reader().ParseListResult(e)
		if err != nil && !errors.Is(err, ErrRow) {
			return
		}
		sorted := slices.IsSortedFunc(res.List, func(a, b pam.Subscription) int { return byKey(a.Key, b.Key) })
		if !sorted || len(newRows(res.List)) != len(res.List) {
			t.Errorf("not a list: %v", res.List)
		}
		for _, s := range res.List {
			if s.State == pam.StateNone || s.JID != testAccount {
				t.Errorf("not an entry: %v", s)
			}
		}
	})
}
