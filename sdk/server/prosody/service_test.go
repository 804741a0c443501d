package prosody

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// capsHash returns the verification string of XEP-0115 §5.1 for sorted features.
func capsHash(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "<") + "<"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// scripted is a session of bob that simulates a publish-subscribe service whose answers the test chooses.
func scripted(t testing.TB, s *Server) *device {
	t.Helper()
	return online(t, s, "bob", "service")
}

// request waits for a request of the account to the scripted service and checks it.
func (d *device) request(operation, name string) node {
	d.t.Helper()
	iq := d.until("iq")
	op := iq.at("pubsub", operation)
	if iq.attr("type") != "set" || iq.attr("from") != "alice@localhost" || op.attr("node") != name || op.attr("jid") != "alice@localhost" {
		d.t.Fatalf("the service was sent %+v", iq)
	}
	return iq
}

func (d *device) reply(iq node, kind, payload string) {
	d.t.Helper()
	d.send(fmt.Sprintf("<iq xmlns='jabber:client' type='%s' id='%s' to='%s'>%s</iq>", kind, iq.attr("id"), iq.attr("from"), payload))
}

func (d *device) event(payload string) {
	d.t.Helper()
	d.send("<message xmlns='jabber:client' type='headline' to='alice@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>" + payload + "</event></message>")
	d.drain()
}

// subscribed has the account subscribe to nodes of the scripted service.
func (d *device) subscribed(account *device, names ...string) {
	d.t.Helper()
	for _, name := range names {
		id := account.begin(pam(d.jid, "subscribe", name, account.user))
		d.reply(d.request("subscribe", name), "result", "")
		if received := account.answer(id); received[len(received)-1].attr("type") != "result" {
			d.t.Fatalf("not subscribed: %v", received)
		}
	}
}

// notifies returns the notifies among the received stanzas.
func notifies(received []node) []node {
	var found []node
	for _, n := range received {
		if n.at("notify").XMLName.Local != "" {
			found = append(found, n)
		}
	}
	return found
}

func subscription(attrs string) string {
	return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription jid='alice@localhost' " + attrs + "/></pubsub>"
}

// TestService simulates services that send subids, pending states, empty results, errors of every shape, and
// later changes of state.
func TestService(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1"}})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	notify := "notify " + service.jid + " "
	begin := func(operation, name, attrs string) string {
		t.Helper()
		return a.begin("<pam xmlns='urn:xmpp:pam:0' jid='" + service.jid + "'><" + operation +
			" xmlns='http://jabber.org/protocol/pubsub' jid='alice@localhost' node='" + name + "' " + attrs + "/></pam>")
	}

	// States and subids.
	id := begin("subscribe", "x", "")
	service.reply(service.request("subscribe", "x"), "result", subscription("node='x' subscription='pending' subid='s1'"))
	expect(t, a.answer(id), notify+"x pending s1", "result 0")
	id = begin("subscribe", "x", "")
	service.reply(service.request("subscribe", "x"), "result", subscription("node='x' subscription='subscribed' subid='s2'"))
	received := a.answer(id)
	expect(t, received, notify+"x subscribed s2", "result 0")
	both := version(t, received)
	id = begin("unsubscribe", "x", "subid='s1'")
	iq := service.request("unsubscribe", "x")
	if subid := iq.at("pubsub", "unsubscribe").attr("subid"); subid != "s1" {
		t.Errorf("subid %q", subid)
	}
	service.reply(iq, "result", "") // as ejabberd does
	expect(t, a.answer(id), notify+"x none s1", "result 0")
	expect(t, a.list(""), "list; "+service.jid+" x subscribed s2")

	// An empty result means that the subscribe has succeeded. Options are forwarded.
	a.send("<iq xmlns='jabber:client' type='set' id='opt'><pam xmlns='urn:xmpp:pam:0' jid='" + service.jid + "'><subscribe xmlns='http://jabber.org/protocol/pubsub'" +
		" jid='alice@localhost' node='y'/><options xmlns='http://jabber.org/protocol/pubsub'><x xmlns='jabber:x:data' type='submit'/></options></pam></iq>")
	iq = service.request("subscribe", "y")
	if iq.at("pubsub", "options", "x").attr("type") != "submit" {
		t.Errorf("options are lost: %+v", iq)
	}
	service.reply(iq, "result", "")
	expect(t, a.answer("opt"), notify+"y subscribed", "result 0")

	// Errors are copied whole, with the service as their origin even if the service names another one.
	for _, c := range []struct{ payload, want string }{
		{"<error type='auth'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><presence-subscription-required xmlns='http://jabber.org/protocol/pubsub#errors'/></error>",
			"error auth not-authorized+presence-subscription-required by=" + service.jid},
		{"<error type='wait' by='localhost'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
			"error wait resource-constraint by=" + service.jid},
	} {
		id = begin("subscribe", "z", "")
		service.reply(service.request("subscribe", "z"), "error", c.payload)
		expect(t, a.answer(id), c.want)
	}

	// Only the service to which the request was sent can answer it.
	id = begin("subscribe", "z", "")
	iq = service.request("subscribe", "z")
	impostor := online(t, s, "bob", "impostor")
	impostor.reply(iq, "result", subscription("node='z' subscription='subscribed'"))
	impostor.drain()
	expect(t, a.drain())
	service.reply(iq, "result", subscription("node='z' subscription='pending'"))
	expect(t, a.answer(id), notify+"z pending", "result 0")

	// Later changes. Repetitions, other senders and other accounts' subscriptions change nothing.
	service.event("<subscription node='z' jid='alice@localhost' subscription='subscribed'/>")
	service.event("<subscription node='z' jid='alice@localhost' subscription='subscribed'/>")
	service.event("<subscription node='z' jid='bob@localhost' subscription='none'/>")
	impostor.event("<subscription node='z' jid='alice@localhost' subscription='none'/>")
	impostor.event("<delete node='z'/>")
	service.event("<delete node='z'/>")
	expect(t, notifies(a.drain()), notify+"z subscribed", notify+"z none")

	// A delta has the final state of every key, in the order of the last change.
	id = begin("unsubscribe", "y", "")
	service.reply(service.request("unsubscribe", "y"), "result", "")
	a.answer(id)
	id = begin("subscribe", "y", "")
	service.reply(service.request("subscribe", "y"), "result", subscription("node='y' subscription='subscribed'"))
	a.answer(id)
	expect(t, a.list(both), notify+"x none s1", notify+"z none", notify+"y subscribed", "result 0")

	// A state without subid applies to all subscriptions to the node.
	service.event("<subscription node='x' subscription='none'/>")
	expect(t, a.list(""), notify+"x none s2", "event "+service.jid+" subscription", "list; "+service.jid+" y subscribed")

	// A subid that becomes known later replaces the entry without.
	service.event("<subscription node='y' subscription='subscribed' subid='s9'/>")
	expect(t, a.list(""), notify+"y none; y subscribed s9", "event "+service.jid+" subscription", "list; "+service.jid+" y subscribed s9")
}
