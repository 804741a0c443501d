//go:build !js

package client_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

func interests(list ...pam.Interest) func(*client.Options) {
	return func(o *client.Options) { o.Interests = list }
}

// items returns the items of the events in the inbox, sorted.
func (d *device) items() []string {
	d.t.Helper()
	events, _, err := d.Events(d.t.Context(), pam.EventQuery{Limit: 500})
	if err != nil {
		d.t.Fatal(err)
	}
	ids := []string{}
	for _, e := range events {
		ids = append(ids, e.Node+" "+e.ItemID)
	}
	slices.Sort(ids)
	return ids
}

func (d *device) untilItems(want ...string) {
	d.t.Helper()
	var got []string
	for end := time.Now().Add(10 * time.Second); !slices.Equal(got, want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("items: %q, want %q\n%s", got, want, d.log())
		}
		got = d.items()
	}
}

// TestInterestChanges has an interest in one of two nodes. The other one is listed, but its events
// are neither requested nor counted, until there is an interest in it.
func TestInterestChanges(t *testing.T) {
	p := newPeer(t)
	service := "pubsub." + p.domain
	setup := newDevice(t, p, nil).connect()
	subscribe(t, setup, service, "news")
	subscribe(t, setup, service, "weather")
	for _, id := range []string{"1", "2"} {
		if err := p.publish("weather", id, atomEntry); err != nil {
			t.Fatal(err)
		}
	}
	publishEntries(t, p, "1")
	if err := setup.Close(); err != nil {
		t.Fatal(err)
	}

	a := newDevice(t, p, nil, interests(pam.Interest{Service: strings.ToUpper(service), Node: "news"})).connect()
	a.waitNodes("news", "weather")
	a.untilShared()
	a.untilItems("news 1")
	if err := p.publish("weather", "3", atomEntry); err != nil {
		t.Fatal(err)
	}
	publishEntries(t, p, "2")
	a.untilItems("news 1", "news 2")
	if s := a.inbox(); s.Unseen != 2 || len(s.Nodes) != 1 {
		t.Errorf("counted: %+v", s)
	}
	if strings.Contains(a.wire(true), "<items node='weather'") {
		t.Errorf("the items were requested:\n%s", a.log())
	}
	for node, want := range map[string]bool{"news": true, "weather": false} {
		if got := a.Snapshot().Supports(pam.Key{Service: service, Node: node}); got != want {
			t.Errorf("%s is supported: %v", node, got)
		}
	}

	if err := a.SetInterests(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	a.untilItems("news 1", "news 2", "weather 1", "weather 2", "weather 3")
	if !a.Snapshot().Supports(pam.Key{Service: service, Node: "weather"}) {
		t.Error("weather is not supported")
	}
	if n := strings.Count(a.wire(true), "<presence "); n != 1 { // The node of a service is not announced.
		t.Errorf("%d presences:\n%s", n, a.log())
	}

	if err := a.SetInterests(t.Context(), []pam.Interest{{Node: "wea", Prefix: true}}); err != nil {
		t.Fatal(err)
	}
	a.untilItems("weather 1", "weather 2", "weather 3")
	if err := a.SetInterests(t.Context(), []pam.Interest{{Payload: "urn:other"}}); err != nil {
		t.Fatal(err)
	}
	a.untilItems()
	if err := a.SetInterests(t.Context(), []pam.Interest{{Payload: "http://www.w3.org/2005/Atom"}}); err != nil {
		t.Fatal(err)
	}
	a.untilItems("news 1", "news 2", "weather 1", "weather 2", "weather 3")
}

// TestInterestNotified announces personal nodes that interests name with +notify, at the
// start and at run time, and only if that changes something in presence.
func TestInterestNotified(t *testing.T) {
	p := newPeer(t)
	const mood, tune = "urn:example:mood", "urn:example:tune"
	a := newDevice(t, p, nil, interests(pam.Interest{Node: mood})).connect()
	b := newDevice(t, p, nil).connect()
	heard := func(node string) (n int) {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, e := range a.events {
			if m, ok := e.(client.MessageReceived); ok && strings.Contains(m.XML, "<items node='"+node) {
				n++
			}
		}
		return n
	}
	publish := func(node string) {
		t.Helper()
		if _, err := b.Publish(t.Context(), pam.Target{Service: "alice@" + p.domain, Node: node}, "current", atomEntry); err != nil {
			t.Fatal(err)
		}
	}
	answered := func(n int) {
		t.Helper()
		a.wait("the query for the features", func() bool {
			got := 0
			for _, f := range a.frames {
				if f.Out && f.Kind == "iq" && strings.Contains(f.XML, "<feature var=") {
					got++
				}
			}
			return got >= n
		})
	}
	answered(1)
	publish(tune)
	publish(mood)
	until(t, "the notification", func() bool { return heard(mood) == 1 })
	if n := heard(tune); n != 0 {
		t.Errorf("%d notifications of what is not announced", n)
	}
	both := []pam.Interest{{Node: tune}, {Node: mood}, {Service: "alice@" + p.domain, Node: tune}, {Node: "x", Prefix: true}, {Service: "pubsub.localhost", Node: "y"}, {Payload: "z"}, {Node: "v<w"}}
	for range 2 {
		if err := a.SetInterests(t.Context(), both); err != nil {
			t.Fatal(err)
		}
	}
	answered(2)
	publish(tune)
	until(t, "the notification", func() bool { return heard(tune) > 0 })
	if n := strings.Count(a.wire(true), "<presence "); n != 2 {
		t.Errorf("%d presences:\n%s", n, a.log())
	}
	if w := a.wire(true); strings.Contains(w, "'x+notify'") || strings.Contains(w, "'y+notify'") || strings.Contains(w, "w+notify") {
		t.Errorf("too much is announced:\n%s", a.log())
	}
	if len(a.items()) != 0 {
		t.Errorf("the account follows none of them: %q", a.items())
	}
}

// TestFollowContact follows a personal node of a contact. An event of it comes once, to a
// device that announces the node with +notify, and to one that does not.
func TestFollowContact(t *testing.T) {
	p := newPeer(t)
	if p.Server != nil {
		if err := p.Befriend("alice", "bob"); err != nil {
			t.Fatal(err)
		}
	}
	blog := pam.Target{Service: "bob@" + p.domain, Node: "urn:example:blog"}
	bob := newDevice(t, p, nil, func(o *client.Options) { o.Account, o.Credentials = blog.Service, password("secret-b") })
	bob.password = "secret-b"
	bob.connect()
	config := pam.Form{{Name: "pubsub#access_model", Values: []string{"open"}}, {Name: "pubsub#max_items", Values: []string{"10"}}}
	if _, err := bob.CreateNode(t.Context(), blog, config); err != nil {
		t.Fatal(err)
	}
	plain := newDevice(t, p, nil).connect()
	asks := newDevice(t, p, nil, interests(pam.Interest{Node: blog.Node})).connect()
	subscribe(t, plain, blog.Service, blog.Node)
	asks.waitNodes(blog.Node)
	if !asks.Snapshot().Supports(pam.Key{Service: blog.Service, Node: blog.Node}) {
		t.Error("it is not supported")
	}
	plain.untilShared()
	asks.untilShared()
	for _, id := range []string{"1", "2"} {
		if _, err := bob.Publish(t.Context(), blog, id, atomEntry); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []*device{plain, asks} {
		d.untilItems(blog.Node+" 1", blog.Node+" 2")
		if n := len(d.added()); n != 2 {
			t.Errorf("%d events were announced: %q", n, d.added())
		}
	}
	if err := plain.MarkSeenUpTo(t.Context(), plain.id("1")); err != nil {
		t.Fatal(err)
	}
	until(t, "the mark", func() bool { return asks.seen()["1"] == synced })
}

// TestBadInterests checks which interests are refused.
func TestBadInterests(t *testing.T) {
	long := strings.Repeat("x", 4097)
	var many, nodes []pam.Interest
	for range 1001 {
		many = append(many, pam.Interest{Payload: "x"})
	}
	for i := range 300 {
		nodes = append(nodes, pam.Interest{Node: strings.Repeat("n", i+1)})
	}
	for name, list := range map[string][]pam.Interest{
		"no service": {{Service: "a@b@c"}}, "a full JID": {{Service: "pubsub.localhost/x"}}, "a long node": {{Node: long}},
		"a long payload": {{Payload: long}}, "a control character": {{Node: "a\x1fb"}}, "too many": many, "too many nodes": nodes, "too long": nodes[:200],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.New(&client.Options{Account: "alice@localhost", URL: "ws://localhost/", Credentials: password("x"), Dialer: newScripted(), Interests: list})
			if e := asError(t, err); e.Code != pam.CodeBadOptions && e.Code != pam.CodeBadJID {
				t.Errorf("got %v", err)
			}
		})
	}
	c, err := client.New(&client.Options{Account: "alice@localhost", URL: "ws://localhost/", Credentials: password("x"), Dialer: newScripted(),
		Interests: slices.Concat(nodes[:100], nodes[:100], []pam.Interest{{Service: "pubsub.localhost", Node: long[1:]}})})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetInterests(t.Context(), many); asError(t, err).Code != pam.CodeBadOptions || len(c.Snapshot().Interests) != 201 {
		t.Errorf("got %v", err)
	}
	_ = c.Close()
}
