//go:build !js

package mem

import (
	"strings"
	"testing"
)

const ours = "pubsub.localhost"

func configure(node string, nameValue ...string) string {
	return "owner <configure node='" + node + "'>" + form("node_config", nameValue...) + "</configure>"
}

// TestNodeConfig checks the configuration form of a node: alice owns it, bob subscribes.
func TestNodeConfig(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob := r.session(t, "alice", "a", available), r.joined(t, "bob", "b")
	alice.does("set", ours, "<create node='n'/><configure>"+form("node_config", "title", "News", "max_items", "max", "notify_config", "1", "unknown", "x")+"</configure>", "")
	alice.does("get", ours, "owner <configure node='n'/>", "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='form'>"+
		"<field type='hidden' var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field>"+
		"<field type='text-single' var='pubsub#title' label='Title'><value>News</value></field> type='text-single' var='pubsub#max_items' <validate datatype='pubsub:integer-or-max' <value>max</value> "+
		"#access_model' <option label='authorize'><value>authorize</value></option> <value>open</value></field> #send_last_published_item' <value>never</value> "+
		"#deliver_payloads' <value>1</value> #notification_type' <value>headline</value> #notify_config' <value>1</value>")
	alice.does("get", ours, "owner <default/>", "<default><x #max_items' <value>256</value>")
	alice.does("get", "alice@localhost", "owner <default/>", "#max_items' <value>1</value> #access_model' <value>presence</value>")
	bob.fails("get", ours, "owner <configure node='n'/>", "<forbidden")
	bob.fails("set", ours, configure("n", "title", "x"), "<forbidden")
	alice.fails("get", ours, "owner <configure node='x'/>", "<item-not-found")
	for _, c := range [][3]string{
		{"max_items", "257", "<not-acceptable"}, {"max_items", "0", "<bad-request <text"}, {"max_items", "many", "<bad-request"},
		{"notify_retract", "maybe", "<bad-request"}, {"access_model", "roster", "<not-acceptable <unsupported-access-model"}, {"notification_type", "chat", "<bad-request"},
	} {
		alice.fails("set", ours, configure("n", c[0], c[1]), c[2])
	}
	alice.fails("set", ours, "owner <configure node='n'/>", "<bad-request")
	alice.fails("set", ours, strings.Replace(configure("n"), "#node_config", "#other", 1), "<bad-request")
	alice.does("set", ours, "owner <configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>", "")

	bob.send(subscribePAM("s", ours, "n"))
	bob.want("<notify", "type='result' id='s'")
	alice.does("set", ours, configure("n", "title", "Old news", "description", "of last year"), "")
	bob.want("<event <configuration node='n'><x xmlns='jabber:x:data' type='result'> #title'><value>Old news</value>")
	bob.send("<iq xmlns='jabber:client' type='get' id='d' to='" + ours + "'><query xmlns='http://jabber.org/protocol/disco#info' node='n'/></iq>")
	bob.want("<identity category='pubsub' type='leaf'/> <x xmlns='jabber:x:data' type='result'> #meta-data</value> #title'><value>Old news</value> #description'><value>of last year</value> " +
		"#access_model'><value>open</value> #creation_date'><value>20 #num_subscribers'><value>1</value>")

	alice.does("set", ours, configure("n", "deliver_payloads", "false", "notification_type", "normal"), "")
	bob.want("type='normal' <configuration node='n'/></event>")
	alice.does("set", ours, publishWith("n", "1"), "")
	bob.want("<message xmlns='jabber:client' type='normal' <items node='n'><item id='1'/></items>")
	bob.does("get", ours, "<items node='n'/>", "<item id='1'><e xmlns='urn:e'>1</e></item>")
	alice.does("set", ours, configure("n", "deliver_notifications", "0", "notify_retract", "0", "notify_config", "0"), "")
	alice.does("set", ours, publishWith("n", "2"), "")
	alice.does("set", ours, "<retract node='n' notify='1'><item id='2'/></retract>", "")
	alice.does("set", ours, "owner <purge node='n'/>", "")
	bob.want("<event <purge node='n'/>")
	bob.does("get", ours, "<items node='n'/>", "<items node='n'/>")

	for _, id := range []string{"1", "2", "3"} {
		alice.does("set", ours, publishWith("n", id), "")
	}
	alice.does("set", ours, configure("n", "max_items", "2"), "")
	bob.does("get", ours, "<items node='n'/>", "<items node='n'><item id='2'> <item id='3'>")
	alice.does("set", ours, configure("n", "persist_items", "0"), "")
	bob.fails("get", ours, "<items node='n'/>", "<feature-not-implemented <unsupported feature='persistent-items'")
	alice.does("set", ours, publishWith("n", "4"), "")
	alice.does("set", ours, configure("n", "access_model", "whitelist"), "")
	bob.want(notify("n", "none"))
	for _, p := range []*peer{alice, bob} {
		p.quiet()
	}
}

// TestRetract checks that a retraction is announced only if the request says so.
func TestRetract(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b", available)
	alice.does("set", ours, "<create node='n'/>", "")
	bob.does("set", ours, "<subscribe node='n' jid='bob@localhost'/>", "")
	for _, c := range []struct{ attr, event string }{{"", ""}, {"notify='false'", ""}, {"notify='true'", "<items node='n'><retract id='1'/></items>"}} {
		alice.does("set", ours, publishWith("n", "1"), "")
		bob.want("<item id='1'")
		alice.does("set", ours, "<retract node='n' "+c.attr+"><item id='1'/></retract>", "")
		if c.event != "" {
			bob.want(c.event)
		}
		bob.quiet()
	}
	alice.fails("set", ours, "<retract node='n' notify='x'><item id='1'/></retract>", "<bad-request")
	alice.fails("set", ours, "<retract node='n'/>", "<error type='modify'><bad-request <item-required")
	alice.fails("set", ours, "<retract node='n'><item/></retract>", "<error type='modify'><bad-request <item-required")
	alice.does("set", ours, configure("n", "notify_retract", "false"), "") // it has had no configuration
	alice.does("get", ours, "owner <configure node='n'/>", "#notify_retract' label= <value>0</value>")
	alice.does("set", ours, publishWith("n", "1"), "")
	bob.want("<item id='1'")
	alice.does("set", ours, "<retract node='n' notify='1'><item id='1'/></retract>", "")
	bob.quiet()
}

// TestPreconditions checks publish options (XEP-0060 §7.1.5).
func TestPreconditions(t *testing.T) {
	r := newRig(t, Config{})
	alice := r.session(t, "alice", "a")
	alice.does("set", "alice@localhost", publishWith("n", "1", "access_model", "whitelist", "max_items", "max"), "")
	alice.does("set", "alice@localhost", publishWith("n", "2", "access_model", "whitelist", "persist_items", "true"), "")
	for _, c := range [][2]string{{"access_model", "open"}, {"max_items", "256"}, {"notify_retract", "1"}} { // the last was never set
		alice.fails("set", "alice@localhost", publishWith("n", "3", c[0], c[1]), "<error type='cancel'><conflict <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Field pubsub#"+c[0]+"</text><precondition-not-met")
	}
	alice.fails("set", "alice@localhost", publishWith("n", "3", "persist_items", "perhaps"), "<bad-request")
	alice.fails("set", "alice@localhost", strings.Replace(publishWith("n", "3", "max_items", "1"), "#publish-options", "#node_config", 1), "<bad-request")
	alice.does("get", "alice@localhost", "<items node='n'/>", "<items node='n'><item id='1'> <item id='2'> </items>")
	alice.fails("set", ours, publishWith("n", "1", "access_model", "open"), "<item-not-found")
}

// TestAffiliations checks who may subscribe to a node with a whitelist, and who may
// publish.
func TestAffiliations(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob, carol := r.session(t, "alice", "a"), r.session(t, "bob", "b", available), r.session(t, "carol", "c")
	set := func(jid, affiliation string) string {
		return "owner <affiliations node='w'><affiliation jid='" + jid + "' affiliation='" + affiliation + "'/></affiliations>"
	}
	alice.does("set", ours, createAs("whitelist", "w"), "")
	bob.fails("set", ours, "<subscribe node='w' jid='bob@localhost'/>", "<closed-node")
	alice.does("set", ours, set("bob@localhost", "member"), "")
	bob.does("set", ours, "<subscribe node='w' jid='bob@localhost'/>", "")
	bob.fails("set", ours, publishWith("w", "1"), "<forbidden")
	alice.does("set", ours, set("carol@localhost", "publisher"), "")
	carol.does("set", ours, publishWith("w", "1"), "")
	bob.want("<item id='1'")
	alice.does("get", ours, "owner <affiliations node='w'/>", "<affiliation jid='alice@localhost' affiliation='owner'/><affiliation jid='bob@localhost' affiliation='member'/><affiliation jid='carol@localhost' affiliation='publisher'/>")
	alice.does("set", ours, set("bob@localhost", "none"), "")
	bob.fails("get", ours, "<items node='w'/>", "<closed-node")
	alice.does("set", ours, configure("w", "access_model", "open", "publish_model", "open"), "")
	alice.does("set", ours, set("bob@localhost", "outcast"), "")
	bob.fails("set", ours, "<subscribe node='w' jid='bob@localhost'/>", "<forbidden")
	bob.fails("set", ours, publishWith("w", "2"), "<forbidden")
	alice.does("set", ours, set("bob@localhost", "none"), "")
	bob.send(pubsubIQ("q", "set", ours, publishWith("w", "2")))
	bob.want("<item id='2'", "type='result' id='q'") // the subscription has stayed
	bob.does("set", ours, "<retract node='w'><item id='2'/></retract>", "")
	bob.fails("set", ours, "<retract node='w'><item id='1'/></retract>", "<forbidden") // of another publisher
	alice.does("set", ours, configure("w", "publish_model", "subscribers"), "")
	bob.send(pubsubIQ("q", "set", ours, publishWith("w", "2")))
	bob.want("<item id='2'", "type='result' id='q'")
	carol.does("set", ours, publishWith("w", "3"), "")
	bob.want("<item id='3'")
	bob.does("set", ours, "<unsubscribe node='w' jid='bob@localhost'/>", "")
	bob.fails("set", ours, publishWith("w", "2"), "<forbidden")
	for _, c := range [][2]string{{"bob@localhost", "king"}, {"@", "member"}, {"alice@localhost", "outcast"}} {
		alice.fails("set", ours, set(c[0], c[1]), "<bad-request")
	}
	bob.fails("set", ours, set("bob@localhost", "publisher"), "<forbidden")
}

// TestRedirect deletes a node with a successor (XEP-0060 §8.4.2, §6.1.3.11).
func TestRedirect(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob := r.session(t, "alice", "a"), r.joined(t, "bob", "b")
	alice.does("set", ours, "<create node='n'/>", "")
	bob.send(subscribePAM("s", ours, "n"))
	bob.want(notify("n", "subscribed"), "type='result' id='s'")
	alice.does("set", ours, "owner <delete node='n'><redirect uri='xmpp:pubsub.localhost?;node=m'/></delete>", "")
	bob.want("<event <delete node='n'><redirect uri='xmpp:pubsub.localhost?;node=m'/></delete>", notify("n", "none"))
	bob.fails("set", ours, "<subscribe node='n' jid='bob@localhost'/>", "<error type='modify'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:pubsub.localhost?;node=m</gone>")
	alice.does("set", ours, "<create node='n'/><configure>"+form("node_config", "notify_delete", "0")+"</configure>", "")
	bob.send(subscribePAM("s", ours, "n"))
	bob.want(notify("n", "subscribed"), "type='result' id='s'")
	alice.does("set", ours, "owner <delete node='n'/>", "")
	bob.want(notify("n", "none")) // without an event
	bob.quiet()
}
