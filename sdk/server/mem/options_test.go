//go:build !js

package mem

import (
	"strings"
	"testing"
)

const optionsOfBob = "<options node='n' jid='bob@localhost'"

func setOptions(nameValue ...string) string {
	return optionsOfBob + ">" + form("subscribe_options", nameValue...) + "</options>"
}

// TestSubscriptionOptions reads, changes and validates the options of a subscription
// (XEP-0060 §6.3), and checks their effect.
func TestSubscriptionOptions(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b", available)
	alice.does("set", ours, "<create node='n'/>", "")
	bob.fails("get", ours, optionsOfBob+"/>", "<error type='modify'><unexpected-request <not-subscribed")
	bob.does("set", ours, "<subscribe node='n' jid='bob@localhost'/>", "")
	list, _ := r.Subscriptions("bob")
	bob.does("get", ours, optionsOfBob+"/>", "<options node='n' jid='bob@localhost' subid='"+list[0].SubID+"'><x xmlns='jabber:x:data' type='form'> #subscribe_options</value> "+
		"type='boolean' var='pubsub#deliver' <value>1</value> var='pubsub#include_body' label= <value>0</value> type='list-multi' var='pubsub#show-values' <option label='chat'> <value>chat</value><value>online</value>")
	for _, c := range []struct{ typ, op, want string }{
		{"get", "<options node='n'/>", "<bad-request <jid-required"},
		{"get", "<options node='n' jid='alice@localhost'/>", "<forbidden"},
		{"get", "<options node='x' jid='bob@localhost'/>", "<item-not-found"},
		{"get", optionsOfBob + " subid='wrong'/>", "<not-acceptable <invalid-subid"},
		{"set", optionsOfBob + "/>", "<bad-request <invalid-options"},
		{"set", setOptions("include_body", "perhaps"), "<bad-request <invalid-options"},
		{"set", setOptions("show-values", "sleeping"), "<bad-request <invalid-options"},
		{"set", setOptions("unknown", "1"), "<bad-request <invalid-options"},
		{"set", setOptions("deliver", "1", "deliver", "0"), "<bad-request <invalid-options"},
		{"set", strings.Replace(setOptions("deliver", "1"), "subscribe_options", "node_config", 1), "<bad-request <invalid-options"},
	} {
		bob.fails(c.typ, ours, c.op, c.want)
	}

	entry := "<publish node='n'><item id='1'><entry xmlns='http://www.w3.org/2005/Atom'><title>News</title>%</entry></item></publish>"
	body := func(more, want string) {
		t.Helper()
		alice.does("set", ours, strings.Replace(entry, "%", more, 1), "")
		if got := bob.next(); !strings.HasSuffix(got, "</event>"+want+"</message>") {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	body("", "")
	bob.does("set", ours, setOptions("include_body", "true"), "")
	bob.does("get", ours, optionsOfBob+"/>", "#include_body' label= <value>1</value>")
	body("", "<body>News</body>")
	body("<author><name>Ann</name></author>", "<body>Ann posted News</body>")
	body("<summary>Short</summary>", "<body>Short</body>")
	alice.does("set", ours, publishWith("n", "2"), "")
	bob.want("</event></message>") // no Atom, no body

	bob.does("set", ours, setOptions("show-values", "chat"), "")
	alice.does("set", ours, publishWith("n", "2"), "")
	bob.send("<presence xmlns='jabber:client'><show>chat</show></presence>")
	bob.quiet()
	alice.does("set", ours, publishWith("n", "3"), "")
	bob.want("<item id='3'")
	bob.does("set", ours, setOptions("deliver", "0"), "")
	bob.does("set", ours, optionsOfBob+"><x xmlns='jabber:x:data' type='cancel'/></options>", "")
	alice.does("set", ours, publishWith("n", "4"), "")
	bob.quiet()

	bob.does("set", ours, "<subscribe node='n' jid='bob@localhost'/><options>"+form("subscribe_options", "deliver", "true")+"</options>",
		"<subscription node='n' <options><x xmlns='jabber:x:data' type='result'> #deliver'><value>1</value>")
	bob.fails("set", ours, "<subscribe node='n' jid='bob@localhost'/><options node='n'>"+form("subscribe_options")+"</options>", "<bad-request")
	bob.fails("set", ours, "<subscribe node='n' jid='bob@localhost'/><options>"+form("subscribe_options", "deliver", "x")+"</options>", "<bad-request <invalid-options")
	bob.quiet()
}

// TestUnconfigured completes a subscription that needs options (XEP-0060 §6.1.5).
func TestUnconfigured(t *testing.T) {
	r := newRig(t, Config{})
	bob := r.joined(t, "bob", "b")
	if err := r.CreateNode("n", ""); err != nil {
		t.Fatal(err)
	}
	if err := r.RequireOptions("", "n"); err != nil {
		t.Fatal(err)
	}
	bob.send(subscribePAM("s", ours, "n"))
	bob.want(notify("n", "unconfigured"), "type='result' id='s'")
	bob.does("set", ours, "<subscribe node='n' jid='bob@localhost'/>", "subscription='unconfigured' <subscribe-options><required/></subscribe-options></subscription>")
	if err := r.Publish("n", "1", ""); err != nil {
		t.Fatal(err)
	}
	bob.quiet()
	bob.send(pubsubIQ("q", "set", ours, setOptions("deliver", "1")))
	bob.want(notify("n", "subscribed"), "<event <subscription node='n' jid='bob@localhost' subscription='subscribed' subid=", "type='result' id='q'")
	if err := r.Publish("n", "2", ""); err != nil {
		t.Fatal(err)
	}
	bob.want("<item id='2'")

	carol := r.session(t, "carol", "c")
	carol.does("set", ours, "<subscribe node='n' jid='carol@localhost'/><options>"+form("subscribe_options")+"</options>", "subscription='subscribed'")
	if err := r.SetSubscription("alice", "n", "unconfigured"); err != nil {
		t.Error(err)
	}
}

// TestApproval has alice decide about subscriptions with the form that she receives
// (XEP-0060 §8.6).
func TestApproval(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob, carol := r.session(t, "alice", "a", available), r.joined(t, "bob", "b"), r.session(t, "carol", "c", available)
	alice.does("set", ours, createAs("authorize", "z"), "")
	ask := func() (subid string) {
		t.Helper()
		bob.send(subscribePAM("s", ours, "z"))
		bob.want(notify("z", "pending"), "type='result' id='s'")
		got := alice.next()
		for _, part := range []string{"<message xmlns='jabber:client' id=", "<title>PubSub subscriber request</title>", "type='hidden' var='pubsub#subid'", "<value>bob@localhost</value>"} {
			if !strings.Contains(got, part) {
				t.Fatalf("%s has no %s", got, part)
			}
		}
		list, _ := r.Subscriptions("bob")
		return list[0].SubID
	}
	decide := func(who *peer, subid, allow string) {
		t.Helper()
		who.send("<message xmlns='jabber:client' to='" + ours + "' id='f'>" +
			form("subscribe_authorization", "subid", subid, "node", "z", "subscriber_jid", "bob@localhost", "allow", allow) + "</message>")
	}
	decide(alice, ask(), "false")
	bob.want(notify("z", "none"), "<event <subscription node='z' jid='bob@localhost' subscription='none'")
	subid := ask()
	for _, c := range []struct {
		who          *peer
		subid, allow string
		want         string
	}{
		{carol, subid, "1", "<forbidden"}, {alice, "wrong", "1", "<unexpected-request"}, {alice, subid, "perhaps", "<bad-request"},
	} {
		decide(c.who, c.subid, c.allow)
		c.who.want("<message type='error' id='f' from='pubsub.localhost' " + c.want)
	}
	alice.send("<message xmlns='jabber:client' to='" + ours + "' id='f'><x xmlns='jabber:x:data' type='cancel'/></message>")
	alice.quiet()
	bob.quiet() // still pending
	decide(alice, subid, "1")
	bob.want(notify("z", "subscribed"), "<event <subscription node='z' jid='bob@localhost' subscription='subscribed' subid='"+subid)
	decide(alice, subid, "1")
	alice.want("<unexpected-request")
	alice.send("<message xmlns='jabber:client' to='" + ours + "' id='f'><body>hello</body></message>")
	alice.want("type='error' id='f' <service-unavailable")
	for _, p := range []*peer{alice, bob, carol} {
		p.quiet()
	}
}
