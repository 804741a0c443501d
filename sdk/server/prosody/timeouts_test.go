package prosody

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestTimeout checks that a client gets an answer, and that mod_pam records what the service sends later.
func TestTimeout(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	s.restart(t, "pam_request_timeout = 1")
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	began := time.Now()
	received := a.subscribe(service.jid, "slow")
	expect(t, received, "error wait remote-server-timeout by="+service.jid)
	if text := received[0].at("error", "text").Text; !strings.HasPrefix(text, service.jid+" has not answered within 1 second") {
		t.Errorf("text %q", text)
	}
	if waited := time.Since(began); waited < 900*time.Millisecond {
		t.Errorf("gave up after %v", waited)
	}
	service.reply(service.request("subscribe", "slow"), "result", subscription("node='slow' subscription='subscribed'"))
	service.drain()
	expect(t, a.drain(), "notify "+service.jid+" slow subscribed")
	expect(t, a.list(""), "list; "+service.jid+" slow subscribed")
}

// TestDefaultTimeout checks that a client that waits 20 seconds learns which service does not answer.
func TestDefaultTimeout(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	began := time.Now()
	id := a.begin(pam(service.jid, "subscribe", "slow", "alice@localhost"))
	time.Sleep(12 * time.Second)
	expect(t, a.drain())
	expect(t, a.answer(id), "error wait remote-server-timeout by="+service.jid)
	if waited := time.Since(began); waited < 14*time.Second || waited > 18*time.Second {
		t.Errorf("gave up after %v", waited)
	}
}

// TestUnsubscribeEnds checks that mod_pam removes the rows when the service has no such subscription, and
// that it forwards the service's error when there are no rows.
func TestUnsubscribeEnds(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a, b, service := online(t, s, "alice", "a"), online(t, s, "alice", "b"), scripted(t, s)
	a.list("")
	b.list("")
	const notSubscribed = "<not-subscribed xmlns='http://jabber.org/protocol/pubsub#errors'/>"
	const invalidSubid = "<invalid-subid xmlns='http://jabber.org/protocol/pubsub#errors'/>"
	for i, c := range []struct {
		node, subid, condition, more string
		ends                         bool
	}{
		{"x", "", "unexpected-request", notSubscribed, true},
		{"x", "", "item-not-found", "", true},
		{"x", "", "gone", "", true},
		{"", "", "item-not-found", "", true}, // a row without node
		{"x", "s1", "not-acceptable", invalidSubid, true},
		{"x", "", "not-acceptable", invalidSubid, false},
		{"x", "", "forbidden", "", false},
		{"x", "", "bad-request", "", false},
	} {
		name := fmt.Sprint(i, " ", c.condition)
		id := a.begin(pam(service.jid, "subscribe", c.node, "alice@localhost"))
		service.reply(service.request("subscribe", c.node), "result", subscription("node='"+c.node+"' subscription='subscribed'"))
		a.answer(id)
		b.drain()
		for range 2 { // and again: such an error does not mean that the service is unreachable
			id = a.begin(strings.Replace(pam(service.jid, "unsubscribe", c.node, "alice@localhost"), "/></pam>", " subid='"+c.subid+"'/></pam>", 1))
			service.reply(service.request("unsubscribe", c.node), "error", fmt.Sprintf(stanzaError, c.condition, c.more))
			received := a.answer(id)
			if c.ends != (len(notifies(received)) == 1) || c.ends != (received[len(received)-1].attr("type") == "result") {
				t.Fatalf("%s: %v", name, received)
			}
			if c.ends {
				break
			}
		}
		full := a.list("")
		if c.ends != (full[0].String() == "list") {
			t.Fatalf("%s: %v", name, full)
		}
		if n := len(b.drain()); c.ends != (n == 1) {
			t.Fatalf("%s: the other device received %d", name, n)
		}
		if c.ends {
			id = a.begin(pam(service.jid, "unsubscribe", c.node, "alice@localhost"))
			service.reply(service.request("unsubscribe", c.node), "error", fmt.Sprintf(stanzaError, c.condition, c.more))
			if received := a.answer(id); len(received) != 1 || received[0].attr("type") != "error" {
				t.Fatalf("%s, no row: %v", name, received)
			}
		} else {
			service.event("<delete node='x'/>")
			a.drain()
			b.drain()
		}
	}
}

// TestUnsubscribeUnreachable removes rows of services that do not exist, do not answer, or cannot be reached.
func TestUnsubscribeUnreachable(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	s.stop()
	s.edit(t, `modules_disabled = { "s2s"; "tls" }`, "modules_disabled = { }\npam_request_timeout = 1\ns2s_require_encryption = false")
	// No program listens on the server port of this address, and the domain is not one of this server.
	write(t, s.snapshot(), rows(2, "127.0.0.77"))
	s.resume(t)
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	last := func(received []node) string { return received[len(received)-1].String() }

	// Unreachable: the error is this server's own, which the other server cannot forge. Prosody 13 leaves out
	// its own name.
	unreachable := "error cancel remote-server-not-found by=localhost"
	if strings.HasPrefix(s.Version(), "Prosody 13") {
		unreachable = "error cancel remote-server-not-found by="
	}
	// Prosody is stopped until both requests have arrived: it refuses the first at once.
	s.signal(t, "STOP")
	both := []string{a.begin(pam("127.0.0.77", "unsubscribe", "node0", "alice@localhost")), a.begin(pam("127.0.0.77", "unsubscribe", "node0", "alice@localhost"))}
	s.signal(t, "CONT")
	expect(t, a.answer(both[0]), unreachable)
	expect(t, a.answer(both[1]), unreachable)
	expect(t, a.subscribe("127.0.0.77", "node1"), unreachable)
	expect(t, a.unsubscribe("127.0.0.77", "node0"), "notify 127.0.0.77 node0 none", "result 0")
	expect(t, a.unsubscribe("127.0.0.77", "node1"), unreachable)
	expect(t, a.unsubscribe("127.0.0.77", "node1"), "notify 127.0.0.77 node1 none", "result 0")

	// No answer. Of two pending requests, the second is not a repetition of the first.
	service.subscribed(a, "x", "y")
	first := a.begin(pam(service.jid, "unsubscribe", "x", "alice@localhost"))
	second := a.begin(pam(service.jid, "unsubscribe", "x", "alice@localhost"))
	received := a.answer(first)
	expect(t, received, "error wait remote-server-timeout by="+service.jid)
	if text := received[0].at("error", "text").Text; !strings.Contains(text, "Unsubscribing again removes") {
		t.Errorf("text %q", text)
	}
	expect(t, a.answer(second), "error wait remote-server-timeout by="+service.jid)
	// Any stanza of the service shows that it can be reached.
	service.event("<subscription node='x' subscription='pending'/>")
	expect(t, a.unsubscribe(service.jid, "x")[1:], "event "+service.jid+" subscription", "error wait remote-server-timeout by="+service.jid)
	service.request("unsubscribe", "x")
	expect(t, a.unsubscribe(service.jid, "y"), "error wait remote-server-timeout by="+service.jid)
	expect(t, a.unsubscribe(service.jid, "y"), "notify "+service.jid+" y none", "result 0")
	service.request("unsubscribe", "y")
	service.request("unsubscribe", "y")
	service.subscribed(a, "y")
	id := a.begin(pam(service.jid, "unsubscribe", "x", "alice@localhost"))
	service.reply(service.request("unsubscribe", "x"), "error", fmt.Sprintf(stanzaError, "forbidden", ""))
	expect(t, a.answer(id), "error cancel forbidden by="+service.jid)

	// The service does not exist.
	service.leave()
	for _, name := range []string{"x", "y"} {
		if got := last(a.unsubscribe(service.jid, name)); got != "error cancel service-unavailable by="+service.jid {
			t.Errorf("%s: %s", name, got)
		}
		if got := last(a.unsubscribe(service.jid, name)); got != "result 0" {
			t.Errorf("%s again: %s", name, got)
		}
	}
	expect(t, a.list(""), "list")
	expect(t, a.unsubscribe(service.jid, "x"), "error cancel service-unavailable by="+service.jid)
}
