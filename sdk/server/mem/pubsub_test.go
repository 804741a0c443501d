//go:build !js

package mem

import (
	"strings"
	"testing"
)

// pubsubIQ returns a request to a service; op is the content of <pubsub/>.
func pubsubIQ(id, typ, to, op string) string {
	ns := "http://jabber.org/protocol/pubsub"
	if rest, owner := strings.CutPrefix(op, "owner "); owner {
		ns, op = ns+"#owner", rest
	}
	return "<iq xmlns='jabber:client' type='" + typ + "' id='" + id + "' to='" + to + "'><pubsub xmlns='" + ns + "'>" + op + "</pubsub></iq>"
}

func createAs(access, node string) string {
	return "<create node='" + node + "'/><configure><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field>" +
		"<field var='pubsub#access_model'><value>" + access + "</value></field></x></configure>"
}

// TestPubsub sends a long series of requests to the service: alice owns the node, bob subscribes.
func TestPubsub(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob := r.session(t, "alice", "a", available), r.session(t, "bob", "b", available)
	const svc = "pubsub.localhost"
	pubsubErr := func(typ, cond, app string) string {
		return "type='error' <error type='" + typ + "'><" + cond + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><" + app + " xmlns='http://jabber.org/protocol/pubsub#errors'"
	}
	for _, c := range []struct {
		name        string
		who         *peer
		typ, op     string
		want        string // reply
		bobReceives string // before the reply, if bob sends the request
	}{
		{"create", alice, "set", "<create node='n'/>", "type='result' from='pubsub.localhost' <create node='n'/>", ""},
		{"create again", alice, "set", "<create node='n'/>", "type='error' <conflict", ""},
		{"instant node", alice, "set", "<create/>", "type='result' <create node='n", ""},
		{"whitelist", alice, "set", createAs("whitelist", "w"), "type='result'", ""},
		{"presence", alice, "set", createAs("presence", "p"), "type='result'", ""},
		{"authorize", alice, "set", createAs("authorize", "z"), "type='result'", ""},
		{"roster", alice, "set", createAs("roster", "ro"), pubsubErr("modify", "not-acceptable", "unsupported-access-model"), ""},

		{"subscribe to nothing", bob, "set", "<subscribe node='x' jid='bob@localhost'/>", "type='error' <error type='cancel'><item-not-found", ""},
		{"subscribe without node", bob, "set", "<subscribe jid='bob@localhost'/>", pubsubErr("modify", "bad-request", "nodeid-required"), ""},
		{"subscribe another", bob, "set", "<subscribe node='n' jid='alice@localhost'/>", pubsubErr("modify", "bad-request", "invalid-jid"), ""},
		{"subscribe the full JID", bob, "set", "<subscribe node='n' jid='bob@localhost/b'/>", pubsubErr("modify", "bad-request", "invalid-jid"), ""},
		{"subscribe without a JID", bob, "set", "<subscribe node='n'/>", pubsubErr("modify", "bad-request", "invalid-jid"), ""},
		{"subscribe to whitelist", bob, "set", "<subscribe node='w' jid='bob@localhost'/>", pubsubErr("cancel", "not-allowed", "closed-node"), ""},
		{"owner and whitelist", alice, "set", "<subscribe node='w' jid='alice@localhost'/>", "type='result' subscription='subscribed'", ""},
		{"subscribe to presence", bob, "set", "<subscribe node='p' jid='bob@localhost'/>", pubsubErr("auth", "not-authorized", "presence-subscription-required"), ""},
		{"subscribe with options", bob, "set", "<subscribe node='n' jid='bob@localhost'/><options><x xmlns='jabber:x:data' type='submit'/></options>", "type='error' <error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text <invalid-options", ""},
		{"subscribe", bob, "set", "<subscribe node='n' jid='bob@localhost'/>", "type='result' <subscription node='n' jid='bob@localhost' subscription='subscribed' subid=", ""},
		{"subscribe again", bob, "set", "<subscribe node='n' jid='bob@localhost'/>", "type='result' <subscription node='n' jid='bob@localhost' subscription='subscribed' subid=", ""},

		{"publish", alice, "set", "<publish node='n'><item id='1'><e xmlns='urn:e'>hello</e></item></publish>", "type='result' <publish node='n'><item id='1'/>",
			"<message type='headline' id= from='pubsub.localhost' to='bob@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'><e xmlns='urn:e'>hello</e></item></items></event></message>"},
		{"publish without id or payload", alice, "set", "<publish node='n'><item/></publish>", "<item id=", "<items node='n'><item id='i /></items>"},
		{"publish two payloads", alice, "set", "<publish node='n'><item><a xmlns='a'/><b xmlns='b'/></item></publish>", pubsubErr("modify", "bad-request", "invalid-payload"), ""},
		{"publish nothing", alice, "set", "<publish node='n'/>", pubsubErr("modify", "bad-request", "item-required"), ""},
		{"publish nowhere", alice, "set", "<publish node='x'><item/></publish>", "<item-not-found", ""},
		{"publish as another", bob, "set", "<publish node='n'><item/></publish>", "type='error' <error type='auth'><forbidden", ""},
		{"publish again", alice, "set", "<publish node='n'><item id='1'><e xmlns='urn:e'>again</e></item></publish>", "type='result'", "again"},

		{"items", bob, "get", "<items node='n'/>", "type='result' <items node='n'><item id='i /><item id='1'><e xmlns='urn:e'>again</e></item></items>", ""},
		{"newest item", bob, "get", "<items node='n' max_items='1'/>", "<items node='n'><item id='1'>", ""},
		{"items by id", bob, "get", "<items node='n'><item id='1'/><item id='none'/></items>", "<items node='n'><item id='1'>", ""},
		{"items, bad count", bob, "get", "<items node='n' max_items='-1'/>", "<bad-request", ""},
		{"items of whitelist", bob, "get", "<items node='w'/>", pubsubErr("cancel", "not-allowed", "closed-node"), ""},
		{"items of nothing", bob, "get", "<items node='x'/>", "<item-not-found", ""},

		{"subscriptions", bob, "get", "<subscriptions/>", "<subscriptions><subscription node='n' jid='bob@localhost' subscription='subscribed' subid= </subscriptions>", ""},
		{"subscriptions at a node", bob, "get", "<subscriptions node='w'/>", "<subscriptions node='w'/>", ""},

		{"retract", alice, "set", "<retract node='n' notify='1'><item id='1'/></retract>", "type='result'", "<items node='n'><retract id='1'/></items>"},
		{"retract again", alice, "set", "<retract node='n'><item id='1'/></retract>", "<item-not-found", ""},
		{"retract as another", bob, "set", "<retract node='n'><item id='1'/></retract>", "<forbidden", ""},

		{"unsubscribe, wrong subid", bob, "set", "<unsubscribe node='n' jid='bob@localhost' subid='x'/>", pubsubErr("modify", "not-acceptable", "invalid-subid"), ""},
		{"unsubscribe another", bob, "set", "<unsubscribe node='w' jid='alice@localhost'/>", "<forbidden", ""},
		{"unsubscribe without a JID", bob, "set", "<unsubscribe node='n'/>", pubsubErr("modify", "bad-request", "jid-required"), ""},
		{"unsubscribe from nothing", bob, "set", "<unsubscribe node='x' jid='bob@localhost'/>", "<item-not-found", ""},
		{"unsubscribe", bob, "set", "<unsubscribe node='n' jid='bob@localhost'/>", "type='result' <subscription node='n' jid='bob@localhost' subscription='none'", ""},
		{"unsubscribe again", bob, "set", "<unsubscribe node='n' jid='bob@localhost'/>", pubsubErr("cancel", "unexpected-request", "not-subscribed"), ""},
		{"no event any more", alice, "set", "<publish node='n'><item id='2'/></publish>", "type='result'", ""},

		{"ask for leave", bob, "set", "<subscribe node='z' jid='bob@localhost'/>", "subscription='pending'",
			"to alice: <message id= from='pubsub.localhost' to='alice@localhost'><x xmlns='jabber:x:data' type='form'> #subscribe_authorization</value> <value>z</value> <value>bob@localhost</value> <value>0</value>"},
		{"pending gets no event", alice, "set", "<publish node='z'><item id='2'/></publish>", "type='result'", ""},
		{"pending may not read", bob, "get", "<items node='z'/>", pubsubErr("auth", "not-authorized", "not-subscribed"), ""},
		{"who has asked", alice, "get", "owner <subscriptions node='z'/>", "<subscriptions node='z'><subscription jid='bob@localhost' subscription='pending'", ""},
		{"not yours to ask", bob, "get", "owner <subscriptions node='z'/>", "<forbidden", ""},
		{"approve a stranger", alice, "set", "owner <subscriptions node='z'><subscription jid='carol@localhost' subscription='subscribed'/></subscriptions>", "<bad-request", ""},
		{"approve", alice, "set", "owner <subscriptions node='z'><subscription jid='bob@localhost' subscription='subscribed'/></subscriptions>", "type='result'",
			"from='pubsub.localhost' to='bob@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><subscription node='z' jid='bob@localhost' subscription='subscribed' subid="},
		{"now it comes", alice, "set", "<publish node='z'><item id='3'/></publish>", "type='result'", "<items node='z'><item id='3'/></items>"},
		{"delete as another", bob, "set", "owner <delete node='z'/>", "<forbidden", ""},
		{"delete", alice, "set", "owner <delete node='z'/>", "type='result'", "<event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='z'/></event>"},
		{"gone", bob, "get", "<subscriptions/>", "<subscriptions/>", ""},
		{"delete again", alice, "set", "owner <delete node='z'/>", "<item-not-found", ""},

		{"affiliations", alice, "get", "<affiliations/>", pubsubErr("cancel", "feature-not-implemented", "unsupported"), ""},
		{"unknown operation", alice, "set", "<dance/>", "<bad-request", ""},
		{"no operation", alice, "set", "", "<bad-request", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			alice.t, bob.t = t, t
			c.who.send(pubsubIQ("q", c.typ, svc, c.op))
			c.who.want(strings.Replace(c.want, "type='error'", "type='error' id='q' from='pubsub.localhost'", 1))
			if form, ok := strings.CutPrefix(c.bobReceives, "to alice: "); ok {
				alice.want(form)
			} else if c.bobReceives != "" {
				bob.want(c.bobReceives)
			}
			bob.quiet()
			alice.quiet()
		})
	}
}
