package prosody

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestEventsChangeKnownRows sends what a service must not change: nodes and subids that the account has not
// requested, unknown states, too long subids; each alone and 2,000 in one stanza.
func TestEventsChangeKnownRows(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	service.subscribed(a, "x", "y")
	ver := version(t, a.list(""))
	row := func(node, subid, state string) string {
		return fmt.Sprintf("<subscription node='%s' subid='%s' jid='alice@localhost' subscription='%s'/>", node, subid, state)
	}
	many := func(f func(int) string) string {
		var b strings.Builder
		for i := range 2000 {
			b.WriteString(f(i))
		}
		return b.String()
	}
	for name, payload := range map[string]string{
		"unknown node":              row("never-requested", "", "subscribed"),
		"no node":                   "<subscription jid='alice@localhost' subscription='subscribed'/>",
		"unknown state":             row("x", "", "frobnicated"),
		"no state":                  "<subscription node='x' jid='alice@localhost'/>",
		"long subid":                row("x", strings.Repeat("s", 1025), "subscribed"),
		"state it has":              row("x", "", "subscribed"),
		"delete of an unknown node": "<delete node='never-requested'/>",
		"2,000 unknown nodes":       many(func(i int) string { return row(fmt.Sprint("n", i), "", "subscribed") }),
		"2,000 unknown subids":      many(func(i int) string { return row("never-requested", fmt.Sprint("s", i), "pending") }),
		"another element":           "<purge node='x'/><configuration node='x'/>",
	} {
		service.event(payload)
		if received := notifies(a.drain()); len(received) > 0 {
			t.Errorf("%s: received %v", name, received)
		}
		if received := a.list(ver); len(received) > 1 || received[0].String() != "result 0" {
			t.Errorf("%s: the list changed: %v", name, received)
		}
	}

	// They do not delay other changes either.
	for range 30 {
		service.event(row("never-requested", "", "subscribed"))
	}
	a.drain()
	service.event(row("y", "", "pending"))
	expect(t, notifies(a.drain()), "notify "+service.jid+" y pending")

	// mod_pam gives the first subid to the row without one, and ignores more subids.
	service.event(many(func(i int) string { return row("x", fmt.Sprint("s", i), "subscribed") }))
	expect(t, notifies(a.drain()), "notify "+service.jid+" x none; x subscribed s0")
	expect(t, a.list(""), "list; "+service.jid+" y pending; "+service.jid+" x subscribed s0")
}

// TestOneVersionOfAStanza checks that all changes of an event are one version, in one notify and in one
// message of a delta.
func TestOneVersionOfAStanza(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a, b, service := online(t, s, "alice", "a"), online(t, s, "alice", "b"), scripted(t, s)
	a.list("")
	b.list("")
	service.subscribed(a, "x", "y", "z")
	before := version(t, a.list(""))
	b.drain()
	written := strings.Count(content(s.changes()), "item(")
	service.event("<subscription node='x' subscription='pending'/><delete node='y'/><subscription node='z' subscription='none'/><subscription node='x' subscription='unconfigured'/>")
	want := "notify " + service.jid + " x unconfigured; y none; z none"
	received := notifies(a.drain())
	expect(t, received, want)
	expect(t, notifies(b.drain()), want)
	expect(t, a.list(before), want, "result 0")
	expect(t, a.list(version(t, received)), "result 0")
	if writes := strings.Count(content(s.changes()), "item(") - written; writes != 1 {
		t.Errorf("%d writes", writes)
	}
}

// TestRowOfARequest checks that an event may add one row, and only one, while a request for its node is
// pending or its answer is late.
func TestRowOfARequest(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	s.restart(t, "pam_request_timeout = 1")
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	notify := "notify " + service.jid + " "
	events := "<subscription node='x' subid='s1' subscription='pending'/><subscription node='x' subid='s2' subscription='pending'/><subscription node='other' subscription='subscribed'/>"

	id := a.begin(pam(service.jid, "subscribe", "x", "alice@localhost"))
	iq := service.request("subscribe", "x")
	service.event(events)
	service.event(events)
	expect(t, notifies(a.drain()), notify+"x pending s1")
	service.reply(iq, "result", subscription("node='x' subid='s1' subscription='subscribed'"))
	expect(t, a.answer(id), notify+"x subscribed s1", "result 0")
	service.event("<subscription node='x' subid='s2' subscription='subscribed'/>")
	expect(t, notifies(a.drain()))

	id = a.begin(pam(service.jid, "subscribe", "late", "alice@localhost"))
	service.request("subscribe", "late")
	expect(t, a.answer(id), "error wait remote-server-timeout by="+service.jid)
	service.event("<subscription node='late' subscription='subscribed'/>")
	expect(t, notifies(a.drain()), notify+"late subscribed")

	// An unsubscribe does not allow a new row.
	id = a.begin(pam(service.jid, "unsubscribe", "z", "alice@localhost"))
	iq = service.request("unsubscribe", "z")
	service.event("<subscription node='z' subscription='subscribed'/>")
	service.reply(iq, "error", "<error type='cancel'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
	expect(t, notifies(a.answer(id)))
}

// TestEventRate checks that a service that keeps sending changes causes few versions, and that the last
// version has the state that the service sent last.
func TestEventRate(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	service.subscribed(a, "x", "y")
	const flips = 301
	began := time.Now()
	for i := range flips {
		service.send(fmt.Sprintf("<message xmlns='jabber:client' type='headline' to='alice@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>"+
			"<subscription node='%s' subscription='%s'/></event></message>", []string{"x", "y"}[i%2], []string{"pending", "pending", "subscribed", "subscribed"}[i%4]))
	}
	service.drain()
	time.Sleep(1500 * time.Millisecond)
	received := notifies(a.drain())
	// 20 at once, one for each second, and those that the throttle gains meanwhile.
	if limit := 21 + 2*int(time.Since(began)/time.Second+1); len(received) < 20 || len(received) > limit {
		t.Errorf("%d versions of %d events", len(received), flips)
	}
	last := rowsOf(map[string]string{}, received)
	if want := map[string]string{"x\n": "pending", "y\n": "subscribed"}; !maps.Equal(last, want) {
		t.Errorf("the notifies end with %v, want %v", last, want)
	}
	full := rowsOf(nil, a.list(""))
	if want := map[string]string{"x\n": "pending", "y\n": "subscribed"}; !maps.Equal(full, want) {
		t.Errorf("the list is %v, want %v", full, want)
	}

	// Waiting changes are recorded before a list and before the next answer.
	for range 30 {
		service.send("<message xmlns='jabber:client' type='headline' to='alice@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>" +
			"<subscription node='x' subscription='subscribed'/></event></message>")
		service.event("<subscription node='x' subscription='pending'/>")
	}
	service.event("<subscription node='x' subscription='unconfigured'/>")
	received = a.list("")
	if full := rowsOf(nil, received[len(received)-1:]); full["x\n"] != "unconfigured" {
		t.Errorf("the list lacks the changes of earlier events: %v", full)
	}
	id := a.begin(pam(service.jid, "subscribe", "y", "alice@localhost"))
	iq := service.request("subscribe", "y")
	for range 30 {
		service.event("<subscription node='y' subscription='subscribed'/>")
		service.event("<subscription node='y' subscription='pending'/>")
	}
	service.reply(iq, "result", "")
	a.answer(id)
	time.Sleep(1500 * time.Millisecond)
	a.drain()
	received = a.list("")
	if full := rowsOf(nil, received); full["y\n"] != "subscribed" {
		t.Errorf("waiting changes were recorded after a later answer: %v", full)
	}
}

// TestEventsStayInOrder has two services send further events to an account whose throttle is empty. No event
// is recorded before an earlier one, although the throttle gains versions meanwhile; no change is sent twice
// or for the wrong service; and the changes of another account are not delayed.
func TestEventsStayInOrder(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: map[string]string{"alice": "pw-alice", "bob": "pw-bob", "carol": "pw-carol"}})
	a, c := online(t, s, "alice", "a"), online(t, s, "carol", "c")
	services := []*device{scripted(t, s), online(t, s, "bob", "other")}
	a.list("")
	c.list("")
	sendEvent := func(service *device, account, node string) {
		service.send("<message xmlns='jabber:client' type='headline' to='" + account + "'><event xmlns='http://jabber.org/protocol/pubsub#event'>" +
			"<subscription node='" + node + "' subscription='pending'/></event></message>")
	}
	const events, atOnce = 80, 30
	for i := range events {
		services[i%2].subscribed(a, fmt.Sprint(i))
	}
	id := c.begin(pam(services[0].jid, "subscribe", "x", "carol@localhost"))
	services[0].reply(services[0].until("iq"), "result", "")
	c.answer(id)
	a.drain()

	for i := range events {
		sendEvent(services[i%2], "alice@localhost", fmt.Sprint(i))
		if i == atOnce {
			sendEvent(services[0], "carol@localhost", "x")
			services[0].drain()
			expect(t, notifies(c.drain()), "notify "+services[0].jid+" x pending")
		}
		if i >= atOnce {
			time.Sleep(50 * time.Millisecond)
		}
	}
	time.Sleep(1500 * time.Millisecond)
	received := notifies(a.drain())
	for i, service := range services {
		next := i // Every second node is of this service.
		for _, n := range received {
			if n.at("notify").attr("service") != service.jid {
				continue
			}
			var nodes []int
			for _, row := range n.at("notify").Children {
				number, _ := strconv.Atoi(row.attr("node"))
				nodes = append(nodes, number)
			}
			slices.Sort(nodes)
			for _, node := range nodes {
				if node != next {
					t.Fatalf("%s sent %d next, but the account received %d:\n%v", service.jid, next, node, received)
				}
				next += len(services)
			}
		}
		if next < events {
			t.Errorf("the account received none of the events of %s from %d on", service.jid, next)
		}
	}
	for key, state := range rowsOf(nil, a.list("")) {
		if state != "pending" {
			t.Errorf("row %q is %s", key, state)
		}
	}
}

// TestStopWhileEventsWait checks that mod_pam stores the waiting changes when the server stops.
func TestStopWhileEventsWait(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	service.subscribed(a, "x")
	for i := range 40 {
		service.send(fmt.Sprintf("<message xmlns='jabber:client' type='headline' to='alice@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>"+
			"<subscription node='x' subscription='%s'/></event></message>", []string{"pending", "subscribed"}[i%2]))
	}
	service.event("<subscription node='x' subscription='unconfigured'/>")
	s.restart(t, "")
	expect(t, online(t, s, "alice", "a").list(""), "list; "+service.jid+" x unconfigured")
}

// rowsOf applies stanzas to a list as a client does, and returns it.
func rowsOf(list map[string]string, received []node) map[string]string {
	for _, n := range received {
		if n.at("subscriptions").XMLName.Local != "" {
			list = map[string]string{}
			for _, row := range n.at("subscriptions").Children {
				list[row.attr("node")+"\n"+row.attr("subid")] = row.attr("subscription")
			}
		}
		for _, row := range n.at("notify").Children {
			node, subid, state := row.attr("node"), row.attr("subid"), row.attr("subscription")
			switch {
			case state != "none":
				list[node+"\n"+subid] = state
			case subid != "":
				delete(list, node+"\n"+subid)
			default:
				maps.DeleteFunc(list, func(key, _ string) bool { return strings.HasPrefix(key, node+"\n") })
			}
		}
	}
	return list
}
