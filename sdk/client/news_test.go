//go:build !js

package client_test

import (
	"testing"
	"time"
)

// TestNoHint: what a service says of other nodes, what is no news of a subscription,
// and what comes back as an error, is no reason to ask for the list.
func TestNoHint(t *testing.T) {
	for name, message := range map[string]string{
		"an error":         " type='error'><event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='news'/></event>",
		"another node":     "><event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='weather'/></event>",
		"no node":          "><event xmlns='http://jabber.org/protocol/pubsub#event'><delete/></event>",
		"an item":          "><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='news'><item/></items></event>",
		"a purge":          "><event xmlns='http://jabber.org/protocol/pubsub#event'><purge node='news'/></event>",
		"no event":         "><delete xmlns='http://jabber.org/protocol/pubsub#event' node='news'/>",
		"another protocol": "><event xmlns='http://jabber.org/protocol/pubsub'><delete node='news'/></event>",
	} {
		bubble(t, name, func(t *testing.T) {
			f, d := follower(t, "v1")
			time.Sleep(time.Minute)
			before := len(f.listed())
			f.socket().push("<message xmlns='jabber:client' from='pubsub.localhost'" + message + "</message>")
			time.Sleep(time.Minute)
			if n := len(f.listed()) - before; n != 0 {
				t.Errorf("%d lists", n)
			}
			_ = d.Close()
		})
	}
}

// TestQuestionsOfOthers: only the account's server can have the list asked for by
// a question about features, for only it learns from the answer what to send.
func TestQuestionsOfOthers(t *testing.T) {
	for from, lists := range map[string]int{"localhost": 1, "alice@localhost": 1, "bob@localhost/x": 0, "pubsub.localhost": 0, "alice@localhost/tablet": 0} {
		bubble(t, from, func(t *testing.T) {
			f, d := follower(t, "v1")
			time.Sleep(time.Minute)
			before := len(f.listed())
			f.socket().push("<iq xmlns='jabber:client' type='get' id='q' from='" + from + "'><query xmlns='" + nsInfo + "'/></iq>")
			time.Sleep(time.Minute)
			if n := len(f.listed()) - before; n != lists {
				t.Errorf("%d lists, want %d\n%s", n, lists, d.log())
			}
			_ = d.Close()
		})
	}
}
