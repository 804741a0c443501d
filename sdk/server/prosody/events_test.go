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

// TestEventsChangeKnownRows sends what a service must not change: nodes and subids that nobody asked for,
// unknown states, too long subids; each alone and 2,000 in one stanza.
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
		"unknown node":              row("never-asked", "", "subscribed"),
		"no node":                   "<subscription jid='alice@localhost' subscription='subscribed'/>",
		"unknown state":             row("x", "", "frobnicated"),
		"no state":                  "<subscription node='x' jid='alice@localhost'/>",
		"long subid":                row("x", strings.Repeat("s", 1025), "subscribed"),
		"state it has":              row("x", "", "subscribed"),
		"delete of an unknown node": "<delete node='never-asked'/>",
		"2,000 unknown nodes":       many(func(i int) string { return row(fmt.Sprint("n", i), "", "subscribed") }),
		"2,000 unknown subids":      many(func(i int) string { return row("never-asked", fmt.Sprint("s", i), "pending") }),
		"another element":           "<purge node='x'/><configuration node='x'/>",
	} {
		service.event(payload)
		if heard := notifies(a.drain()); len(heard) > 0 {
			t.Errorf("%s: heard %v", name, heard)
		}
		if heard := a.list(ver); len(heard) > 1 || heard[0].String() != "result 0" {
			t.Errorf("%s: the list changed: %v", name, heard)
		}
	}

	// Nor do they make others wait for their turn.
	for range 30 {
		service.event(row("never-asked", "", "subscribed"))
	}
	a.drain()
	service.event(row("y", "", "pending"))
	expect(t, notifies(a.drain()), "notify "+service.jid+" y pending")

	// The first subid belongs to the row that has none; more are not believed.
	service.event(many(func(i int) string { return row("x", fmt.Sprint("s", i), "subscribed") }))
	expect(t, notifies(a.drain()), "notify "+service.jid+" x none; x subscribed s0")
	expect(t, a.list(""), "list; "+service.jid+" y pending; "+service.jid+" x subscribed s0")
}

// TestOneVersionOfAStanza checks that all that an event changes is one version, in one notify and in one
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
	heard := notifies(a.drain())
	expect(t, heard, want)
	expect(t, notifies(b.drain()), want)
	expect(t, a.list(before), want, "result 0")
	expect(t, a.list(version(t, heard)), "result 0")
	if writes := strings.Count(content(s.changes()), "item(") - written; writes != 1 {
		t.Errorf("%d writes", writes)
	}
}

// TestAskedByRequest checks that an event may add a row while a request for its node is under way, or
// answered late, and one row only.
func TestAskedByRequest(t *testing.T) {
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

	// An unsubscribe asks for no row.
	id = a.begin(pam(service.jid, "unsubscribe", "z", "alice@localhost"))
	iq = service.request("unsubscribe", "z")
	service.event("<subscription node='z' subscription='subscribed'/>")
	service.reply(iq, "error", "<error type='cancel'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
	expect(t, notifies(a.answer(id)))
}

// TestEventRate checks that a service that changes its mind all the time causes few versions, and that the
// last of them is what it said last.
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
	heard := notifies(a.drain())
	// 20 at once, one for each second, and what the bucket gains meanwhile.
	if limit := 21 + 2*int(time.Since(began)/time.Second+1); len(heard) < 20 || len(heard) > limit {
		t.Errorf("%d versions of %d events", len(heard), flips)
	}
	last := rowsOf(map[string]string{}, heard)
	if want := map[string]string{"x\n": "pending", "y\n": "subscribed"}; !maps.Equal(last, want) {
		t.Errorf("the notifies end with %v, want %v", last, want)
	}
	full := rowsOf(nil, a.list(""))
	if want := map[string]string{"x\n": "pending", "y\n": "subscribed"}; !maps.Equal(full, want) {
		t.Errorf("the list is %v, want %v", full, want)
	}

	// What waits comes before the list, and before the next answer.
	for range 30 {
		service.send("<message xmlns='jabber:client' type='headline' to='alice@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>" +
			"<subscription node='x' subscription='subscribed'/></event></message>")
		service.event("<subscription node='x' subscription='pending'/>")
	}
	service.event("<subscription node='x' subscription='unconfigured'/>")
	heard = a.list("")
	if full := rowsOf(nil, heard[len(heard)-1:]); full["x\n"] != "unconfigured" {
		t.Errorf("the list misses what was told before: %v", full)
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
	heard = a.list("")
	if full := rowsOf(nil, heard); full["y\n"] != "subscribed" {
		t.Errorf("what waited overtook an answer: %v", full)
	}
}

// TestEventsStayInOrder has two services go on telling of an account that may have no more versions at once:
// nothing overtakes what waits, though the bucket gains something meanwhile, nothing is told twice or of the
// wrong service, and another account does not wait.
func TestEventsStayInOrder(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: map[string]string{"alice": "pw-alice", "bob": "pw-bob", "carol": "pw-carol"}})
	a, c := online(t, s, "alice", "a"), online(t, s, "carol", "c")
	services := []*device{scripted(t, s), online(t, s, "bob", "other")}
	a.list("")
	c.list("")
	tell := func(service *device, account, node string) {
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
		tell(services[i%2], "alice@localhost", fmt.Sprint(i))
		if i == atOnce {
			tell(services[0], "carol@localhost", "x")
			services[0].drain()
			expect(t, notifies(c.drain()), "notify "+services[0].jid+" x pending")
		}
		if i >= atOnce {
			time.Sleep(50 * time.Millisecond)
		}
	}
	time.Sleep(1500 * time.Millisecond)
	heard := notifies(a.drain())
	for i, service := range services {
		next := i // Every other one is of this service.
		for _, n := range heard {
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
					t.Fatalf("%s told of %d next, but the account heard of %d:\n%v", service.jid, next, node, heard)
				}
				next += len(services)
			}
		}
		if next < events {
			t.Errorf("nothing was heard of what %s told from %d on", service.jid, next)
		}
	}
	for key, state := range rowsOf(nil, a.list("")) {
		if state != "pending" {
			t.Errorf("row %q is %s", key, state)
		}
	}
}

// TestStopWhileEventsWait checks that what waits for its turn is stored when the server ends.
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
func rowsOf(list map[string]string, heard []node) map[string]string {
	for _, n := range heard {
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
