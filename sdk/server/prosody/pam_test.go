package prosody

import (
	"strings"
	"testing"
)

const svc = "pubsub.localhost"

var accounts = map[string]string{"alice": "pw-alice", "bob": "pw-bob"}

// TestSubscribeAndList follows a subscription from subscribe to unsubscribe on two devices and on one that
// logs in later.
func TestSubscribeAndList(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1", "n2"}})
	a, b := online(t, s, "alice", "a"), online(t, s, "alice", "b")
	silent := online(t, s, "alice", "silent") // never requests the list, so it is not joined
	other := online(t, s, "bob", "phone")
	other.list("")

	first := a.list("")
	expect(t, first, "list")
	expect(t, b.list(""), "list")
	empty := version(t, first)
	expect(t, a.list(empty), "result 0")

	received := a.subscribe(svc, "n1")
	expect(t, received, "notify pubsub.localhost n1 subscribed", "result 0")
	notify := received[0]
	if notify.attr("type") != "headline" || notify.attr("from") != "alice@localhost" || notify.attr("to") != a.jid {
		t.Errorf("notify has type %q from %q to %q", notify.attr("type"), notify.attr("from"), notify.attr("to"))
	}
	subscription := notify.at("notify", "subscription")
	if subscription.attr("jid") != "alice@localhost" || subscription.XMLName.Space != "http://jabber.org/protocol/pubsub" {
		t.Errorf("notify is about %q in %q", subscription.attr("jid"), subscription.XMLName.Space)
	}
	expect(t, b.drain(), "notify pubsub.localhost n1 subscribed")
	one := version(t, received)

	expect(t, b.subscribe(svc, "n2"), "notify pubsub.localhost n2 subscribed", "result 0")
	expect(t, b.unsubscribe(svc, "n1"), "notify pubsub.localhost n1 none", "result 0")
	received = a.drain()
	expect(t, received, "notify pubsub.localhost n2 subscribed", "notify pubsub.localhost n1 none")
	last := version(t, received)

	// The answer depends on the version that the device sends.
	late := online(t, s, "alice", "late")
	for _, c := range []struct {
		name, ver string
		want      []string
	}{
		{"nothing", "", []string{"list; pubsub.localhost n2 subscribed"}},
		{"everything", last, []string{"result 0"}},
		{"before all", empty, []string{"notify pubsub.localhost n2 subscribed", "notify pubsub.localhost n1 none", "result 0"}},
		{"before the last two", one, []string{"notify pubsub.localhost n2 subscribed", "notify pubsub.localhost n1 none", "result 0"}},
		{"another epoch", "x-1", []string{"list; pubsub.localhost n2 subscribed"}},
		{"the future", empty[:strings.LastIndex(empty, "-")] + "-99999999999999999999", []string{"list; pubsub.localhost n2 subscribed"}},
		{"rubbish", "-", []string{"list; pubsub.localhost n2 subscribed"}},
	} {
		received := late.list(c.ver)
		t.Log(c.name)
		expect(t, received, c.want...)
		if c.ver != last && version(t, received) != last {
			t.Errorf("%s: version %q, want %q", c.name, version(t, received), last)
		}
	}
	expect(t, silent.drain())
	expect(t, other.drain())
}

// TestErrors checks which entity is named as the origin of an error.
func TestErrors(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1", "closed:whitelist"}})
	a := online(t, s, "alice", "a")
	a.list("")
	const pubsub = "xmlns='http://jabber.org/protocol/pubsub'"
	for _, c := range []struct{ name, payload, want string }{
		{"another account", pam(svc, "subscribe", "n1", "bob@localhost"), "error modify bad-request+invalid-jid by=alice@localhost"},
		{"full JID", pam(svc, "subscribe", "n1", "alice@localhost/a"), "error modify bad-request+invalid-jid by=alice@localhost"},
		{"no subscriber", "<pam xmlns='urn:xmpp:pam:0' jid='" + svc + "'><subscribe " + pubsub + " node='n1'/></pam>", "error modify bad-request+invalid-jid by=alice@localhost"},
		{"no service", "<pam xmlns='urn:xmpp:pam:0'><subscribe " + pubsub + " node='n1' jid='alice@localhost'/></pam>", "error modify bad-request by=alice@localhost"},
		{"bad service", pam("@", "subscribe", "n1", "alice@localhost"), "error modify jid-malformed by=alice@localhost"},
		{"no operation", "<pam xmlns='urn:xmpp:pam:0' jid='" + svc + "'/>", "error modify bad-request by=alice@localhost"},
		{"both operations", "<pam xmlns='urn:xmpp:pam:0' jid='" + svc + "'><subscribe " + pubsub + " node='n1' jid='alice@localhost'/><unsubscribe " + pubsub + " node='n1' jid='alice@localhost'/></pam>", "error modify bad-request by=alice@localhost"},
		{"no such node", pam(svc, "subscribe", "missing", "alice@localhost"), "error cancel item-not-found by=pubsub.localhost"},
		{"closed node", pam(svc, "subscribe", "closed", "alice@localhost"), "error auth forbidden by=pubsub.localhost"},
		{"not subscribed", pam(svc, "unsubscribe", "n1", "alice@localhost"), "error modify unexpected-request+not-subscribed by=pubsub.localhost"},
		{"no route", pam("elsewhere.invalid", "subscribe", "n1", "alice@localhost"), "error cancel not-allowed by="},
		{"no pubsub there", pam("localhost", "subscribe", "n1", "alice@localhost"), "error cancel service-unavailable by=localhost"},
	} {
		t.Log(c.name)
		expect(t, a.sendIQ("set", c.payload), c.want)
	}
	expect(t, a.list(""), "list")

	// The service= of the prose of XEP-0376 §3.2, and requests addressed to the account.
	accepted := strings.Replace(pam(svc, "subscribe", "n1", "alice@localhost"), "jid=", "service=", 1)
	expect(t, a.sendIQTo("alice@localhost", "set", accepted), "notify pubsub.localhost n1 subscribed", "result 0")
	expect(t, a.sendIQTo("alice@localhost", "get", "<subscriptions xmlns='urn:xmpp:pam:0'/>"), "list; pubsub.localhost n1 subscribed")
	// An account may request its own list only.
	expect(t, a.sendIQTo("bob@localhost", "get", "<subscriptions xmlns='urn:xmpp:pam:0'/>"), "error cancel service-unavailable by=")
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a := online(t, s, "alice", "a")
	answer := a.sendIQTo("alice@localhost", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
	for _, feature := range answer[0].at("query").Children {
		if feature.attr("var") == "urn:xmpp:pam:0" {
			return
		}
	}
	t.Error("the account does not announce urn:xmpp:pam:0")
}

// TestEvents checks that events of the service and of a contact's PEP node reach both devices and the
// archive.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1"}})
	a, b := online(t, s, "alice", "a"), online(t, s, "alice", "b")
	a.list("")
	b.list("")
	a.subscribe(svc, "n1")
	b.drain()
	if err := s.Publish("n1", "i1", "<entry xmlns='urn:example'>a &amp; b</entry>"); err != nil {
		t.Fatal(err)
	}
	received := a.drain()
	expect(t, received, "event pubsub.localhost n1 i1")
	if text := received[0].at("event", "items", "item", "entry").Text; text != "a & b" {
		t.Errorf("payload %q", text)
	}
	if by := received[0].at("stanza-id").attr("by"); by != "alice@localhost" {
		t.Errorf("archived by %q", by)
	}
	expect(t, b.drain(), "event pubsub.localhost n1 i1")

	// PEP: one-way subscription to an open node of bob, who has no relation to alice.
	bob := online(t, s, "bob", "phone")
	publish := func(item string) {
		t.Helper()
		received := bob.sendIQ("set", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='blog'><item id='"+item+"'><x xmlns='urn:example'/></item></publish>"+
			"<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>"+
			"<field var='pubsub#access_model'><value>open</value></field></x></publish-options></pubsub>")
		expect(t, received, "result 1")
	}
	publish("p1")
	// The last item follows the result, though the service is on this server.
	expect(t, a.subscribe("bob@localhost", "blog"), "notify bob@localhost blog subscribed", "result 0")
	expect(t, a.drain(), "event bob@localhost blog p1")
	expect(t, b.drain(), "notify bob@localhost blog subscribed", "event bob@localhost blog p1")
	publish("p2")
	expect(t, a.drain(), "event bob@localhost blog p2")
	expect(t, b.drain(), "event bob@localhost blog p2")

	// The archive has the events, not the notifies.
	archived := a.sendIQ("set", "<query xmlns='urn:xmpp:mam:2'/>")
	var ids []string
	for _, n := range archived[:len(archived)-1] {
		ids = append(ids, n.at("result", "forwarded", "message", "event", "items", "item").attr("id"))
	}
	if strings.Join(ids, " ") != "i1 p1 p2" {
		t.Errorf("archived items %q", ids)
	}
	expect(t, a.unsubscribe("bob@localhost", "blog"), "notify bob@localhost blog none", "result 0")
	publish("p3")
	expect(t, a.drain())
}

// TestJoined checks which sessions receive notifies.
func TestJoined(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1"}})
	a := online(t, s, "alice", "a")
	absent, negative := login(t, s, "alice", "absent"), login(t, s, "alice", "negative")
	absent.list("")
	negative.send("<presence xmlns='jabber:client'><priority>-1</priority></presence>")
	negative.list("")

	// A device whose capabilities contain PAM is joined without requesting the list, and so is a second one
	// with the same capabilities, to which the server sends no disco query.
	const info = "<identity category='client' type='web'/><feature var='http://jabber.org/protocol/caps'/>" +
		"<feature var='http://jabber.org/protocol/disco#info'/><feature var='urn:xmpp:pam:0'/>"
	caps := "<presence xmlns='jabber:client'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='" +
		capsHash("client/web//", "http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#info", "urn:xmpp:pam:0") + "'/></presence>"
	capable := login(t, s, "alice", "capable")
	capable.send(caps)
	query := capable.until("iq")
	capable.send("<iq xmlns='jabber:client' type='result' id='" + query.attr("id") + "' to='" + query.attr("from") + "'>" +
		"<query xmlns='http://jabber.org/protocol/disco#info' node='" + query.at("query").attr("node") + "'>" + info + "</query></iq>")
	capable.drain()
	known := login(t, s, "alice", "known")
	known.send(caps)
	expect(t, known.drain())

	// The requester itself is not joined: it has not requested the list.
	expect(t, a.subscribe(svc, "n1"), "result 0")
	for _, d := range []*device{capable, known} {
		expect(t, d.drain(), "notify pubsub.localhost n1 subscribed")
	}
	for _, d := range []*device{absent, negative} {
		expect(t, d.drain())
	}
}
