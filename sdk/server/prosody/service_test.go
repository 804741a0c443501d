package prosody

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// capsHash is the verification string of XEP-0115 §5.1 for sorted features.
func capsHash(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "<") + "<"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// scripted is a session of bob that plays a publish-subscribe service of its own mind.
func scripted(t *testing.T, s *Server) *device {
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

func subscription(attrs string) string {
	return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription jid='alice@localhost' " + attrs + "/></pubsub>"
}

// TestService plays services that give subids, pending states, empty results, errors of every shape, and
// change their minds later.
func TestService(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1"}})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	notify := "notify " + service.jid + " "
	ask := func(operation, name, attrs string) string {
		a.ids++
		id := fmt.Sprintf("q%d", a.ids)
		a.send("<iq xmlns='jabber:client' type='set' id='" + id + "'><pam xmlns='urn:xmpp:pam:0' jid='" + service.jid + "'><" + operation +
			" xmlns='http://jabber.org/protocol/pubsub' jid='alice@localhost' node='" + name + "' " + attrs + "/></pam></iq>")
		return id
	}

	// States and subids.
	id := ask("subscribe", "x", "")
	service.reply(service.request("subscribe", "x"), "result", subscription("node='x' subscription='pending' subid='s1'"))
	expect(t, a.answer(id), notify+"x pending s1", "result 0")
	id = ask("subscribe", "x", "")
	service.reply(service.request("subscribe", "x"), "result", subscription("node='x' subscription='subscribed' subid='s2'"))
	heard := a.answer(id)
	expect(t, heard, notify+"x subscribed s2", "result 0")
	both := version(t, heard)
	id = ask("unsubscribe", "x", "subid='s1'")
	iq := service.request("unsubscribe", "x")
	if subid := iq.at("pubsub", "unsubscribe").attr("subid"); subid != "s1" {
		t.Errorf("subid %q", subid)
	}
	service.reply(iq, "result", "") // as ejabberd does
	expect(t, a.answer(id), notify+"x none s1", "result 0")
	expect(t, a.list(""), "list; "+service.jid+" x subscribed s2")

	// A subscribe whose result is empty is taken at its word. Options travel along.
	a.send("<iq xmlns='jabber:client' type='set' id='opt'><pam xmlns='urn:xmpp:pam:0' jid='" + service.jid + "'><subscribe xmlns='http://jabber.org/protocol/pubsub'" +
		" jid='alice@localhost' node='y'/><options xmlns='http://jabber.org/protocol/pubsub'><x xmlns='jabber:x:data' type='submit'/></options></pam></iq>")
	iq = service.request("subscribe", "y")
	if iq.at("pubsub", "options", "x").attr("type") != "submit" {
		t.Errorf("options are lost: %+v", iq)
	}
	service.reply(iq, "result", "")
	expect(t, a.answer("opt"), notify+"y subscribed", "result 0")

	// Errors are copied whole, with the service as their origin, or whom the service names.
	for _, c := range []struct{ payload, want string }{
		{"<error type='auth'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><presence-subscription-required xmlns='http://jabber.org/protocol/pubsub#errors'/></error>",
			"error auth not-authorized+presence-subscription-required by=" + service.jid},
		{"<error type='wait' by='farther.example'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
			"error wait resource-constraint by=farther.example"},
	} {
		id = ask("subscribe", "z", "")
		service.reply(service.request("subscribe", "z"), "error", c.payload)
		expect(t, a.answer(id), c.want)
	}

	// Only the service that was asked can answer.
	id = ask("subscribe", "z", "")
	iq = service.request("subscribe", "z")
	impostor := online(t, s, "bob", "impostor")
	impostor.reply(iq, "result", subscription("node='z' subscription='subscribed'"))
	impostor.drain()
	expect(t, a.drain())
	service.reply(iq, "result", subscription("node='z' subscription='pending'"))
	expect(t, a.answer(id), notify+"z pending", "result 0")

	// Later changes; repetitions, strangers and other people's subscriptions are not news.
	service.event("<subscription node='z' jid='alice@localhost' subscription='subscribed'/>")
	service.event("<subscription node='z' jid='alice@localhost' subscription='subscribed'/>")
	service.event("<subscription node='z' jid='bob@localhost' subscription='none'/>")
	impostor.event("<subscription node='z' jid='alice@localhost' subscription='none'/>")
	impostor.event("<delete node='z'/>")
	service.event("<delete node='z'/>")
	var changes []node
	for _, n := range a.drain() {
		if n.at("notify").XMLName.Local != "" {
			changes = append(changes, n)
		}
	}
	expect(t, changes, notify+"z subscribed", notify+"z none")

	// A delta has the final state of every key, in the order of the last change.
	id = ask("unsubscribe", "y", "")
	service.reply(service.request("unsubscribe", "y"), "result", "")
	a.answer(id)
	id = ask("subscribe", "y", "")
	service.reply(service.request("subscribe", "y"), "result", subscription("node='y' subscription='subscribed'"))
	a.answer(id)
	expect(t, a.list(both), notify+"x none s1", notify+"z none", notify+"y subscribed", "result 0")

	// A state without subid speaks of all subscriptions to the node.
	service.event("<subscription node='x' subscription='none'/>")
	expect(t, a.list(""), notify+"x none s2", "event "+service.jid+" subscription", "list; "+service.jid+" y subscribed")

	// A subid that becomes known later replaces the entry without.
	service.event("<subscription node='y' subscription='subscribed' subid='s9'/>")
	expect(t, a.list(""), notify+"y none", notify+"y subscribed s9", "event "+service.jid+" subscription", "list; "+service.jid+" y subscribed s9")
}

// TestTimeout checks that a client gets its answer, and that what the service does later is not lost.
func TestTimeout(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	s.restart(t, "pam_request_timeout = 1")
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	began := time.Now()
	expect(t, a.subscribe(service.jid, "slow"), "error wait remote-server-timeout by="+service.jid)
	if waited := time.Since(began); waited < 900*time.Millisecond {
		t.Errorf("gave up after %v", waited)
	}
	service.reply(service.request("subscribe", "slow"), "result", subscription("node='slow' subscription='subscribed'"))
	service.drain()
	expect(t, a.drain(), "notify "+service.jid+" slow subscribed")
	expect(t, a.list(""), "list; "+service.jid+" slow subscribed")
}

// TestHistory checks what survives a restart, and that a forgotten history gives a full list, never a
// wrong delta.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1", "n2", "n3"}})
	a := online(t, s, "alice", "a")
	start := version(t, a.list(""))
	a.subscribe(svc, "n1")
	one := version(t, a.subscribe(svc, "n2"))
	two := version(t, a.unsubscribe(svc, "n1"))
	a.leave()

	s.restart(t, "pam_max_ended = 1")
	a = online(t, s, "alice", "a")
	expect(t, a.list(two), "result 0")
	expect(t, a.list(one), "notify pubsub.localhost n1 none", "result 0")
	expect(t, a.list(start), "notify pubsub.localhost n2 subscribed", "notify pubsub.localhost n1 none", "result 0")
	three := version(t, a.subscribe(svc, "n3"))
	four := version(t, a.unsubscribe(svc, "n3"))
	// n1 is forgotten: whoever has not heard of its end yet must get everything.
	expect(t, a.list(start), "list; pubsub.localhost n2 subscribed")
	expect(t, a.list(one), "list; pubsub.localhost n2 subscribed")
	expect(t, a.list(two), "notify pubsub.localhost n3 none", "result 0")
	expect(t, a.list(three), "notify pubsub.localhost n3 none", "result 0")
	expect(t, a.list(four), "result 0")
}

// TestStorageFailure checks that a request is answered even if the list cannot be read.
func TestStorageFailure(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1"}})
	a := online(t, s, "alice", "a")
	a.list("")
	if err := os.WriteFile(s.dir+"/data/localhost/pam/alice.dat", []byte("return {"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, a.list(""), "error wait internal-server-error by=")
	expect(t, a.subscribe(svc, "n1"), "error wait internal-server-error by=")
	expect(t, a.drain())
}
