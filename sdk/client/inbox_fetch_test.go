//go:build !js

package client_test

import (
	"testing"
	"testing/synctest"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// TestInboxItemFetched notifies of an item without its payload, which the client requests:
// once, if it does not exist any more, and again in the next session after another error.
func TestInboxItemFetched(t *testing.T) {
	for condition, want := range map[string]int{"item-not-found": 1, "internal-server-error": 2} {
		bubble(t, condition, func(t *testing.T) {
			f := newScripted()
			requests := 0
			f.handle = func(s *socket, e *element.Element) bool {
				item := e.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items").Child(ns.Pubsub, "item")
				switch {
				case isList(e):
					s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'><subscription service='pubsub.localhost' node='news' jid='alice@localhost' subscription='subscribed'/></subscriptions>")
				case item.Attr("id") == "1":
					requests++
					s.failure(e, condition)
				default:
					return false
				}
				return true
			}
			d := f.device(t).connect()
			f.socket().push(eventOf("pubsub.localhost", "news", "<item id='1'/>"))
			synctest.Wait()
			if err := d.Disconnect(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.connect()
			synctest.Wait()
			if requests != want {
				t.Errorf("the item was requested %d times, want %d", requests, want)
			}
			_ = d.Close()
		})
	}
}
