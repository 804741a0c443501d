//go:build !js

package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
)

const atomEntry = "<entry xmlns='http://www.w3.org/2005/Atom'><title>A &amp; B</title><published>2026-11-20T09:00:00Z</published></entry>"

// TestPubsubRequests creates a node at a server, publishes, reads, retracts, and deletes
// the node.
func TestPubsubRequests(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	ctx := t.Context()
	blog := pam.Target{Service: "pubsub." + p.domain, Node: "blog"}
	if p.Server == nil { // Prosody lets only administrators create nodes of its service.
		blog = pam.Target{Service: "alice@" + p.domain, Node: "urn:xmpp:microblog:0"}
	}
	config := pam.Form{{Name: "pubsub#max_items", Values: []string{"10"}}, {Name: "pubsub#title", Values: []string{"Bernardo's blog"}}}
	if name, err := a.CreateNode(ctx, blog, config); err != nil || name != blog.Node {
		t.Fatalf("created %q, %v", name, err)
	}
	if _, err := a.CreateNode(ctx, blog, nil); asErrorOf(err).Condition != "conflict" {
		t.Errorf("creating it again: %v", err)
	}
	for _, id := range []string{"1", "2", "3"} {
		if got, err := a.Publish(ctx, blog, id, atomEntry); err != nil || got != id {
			t.Fatalf("published %q as %q, %v", id, got, err)
		}
	}
	chosen, err := a.Publish(ctx, blog, "", atomEntry)
	if err != nil || chosen == "" {
		t.Errorf("an item without id: %q, %v", chosen, err)
	}
	if err := a.Retract(ctx, blog, "2"); err != nil {
		t.Error(err)
	}
	items, err := a.Items(ctx, blog, 0)
	ids := func() (ids []string) {
		for _, i := range items {
			ids = append(ids, i.ID)
		}
		return ids
	}
	if want := []string{"1", "3", chosen}; err != nil || !slices.Equal(ids(), want) {
		t.Errorf("items %v, %v; want %v", ids(), err, want)
	}
	if len(items) > 0 {
		at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
		if i := items[0]; i.Entry == nil || i.Entry.Title != "A & B" || !i.OccurredAt.Equal(at) || i.Namespace != "http://www.w3.org/2005/Atom" || i.XML == "" {
			t.Errorf("got %+v", i)
		}
	}
	if items, err = a.Items(ctx, blog, 1); err != nil || !slices.Equal(ids(), []string{chosen}) {
		t.Errorf("the newest item: %v, %v", ids(), err)
	}
	if items, err = a.Items(ctx, blog, 0, "3"); err != nil || !slices.Equal(ids(), []string{"3"}) {
		t.Errorf("item 3: %v, %v", ids(), err)
	}
	if p.Server == nil {
		if info, err := a.NodeInfo(ctx, blog); err != nil || info.Title != "Bernardo's blog" {
			t.Errorf("got %+v, %v", info, err)
		}
	}
	nodes, _, err := a.Nodes(ctx, blog.Service, 0, "")
	if err != nil || !slices.ContainsFunc(nodes, func(n pam.NodeInfo) bool { return n.Node == blog.Node && n.Service == blog.Service }) {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
	if err := a.DeleteNode(ctx, blog, ""); err != nil {
		t.Error(err)
	}
	if _, err := a.Items(ctx, blog, 0); asErrorOf(err).Condition != "item-not-found" {
		t.Errorf("items of the deleted node: %v", err)
	}
}

// TestRetractIsNotified retracts an item of a node that the account follows: the service
// notifies the subscribers only if the request asks for it.
func TestRetractIsNotified(t *testing.T) {
	needsMem(t)
	bubble(t, "retract", func(t *testing.T) {
		p, dial := bubbledPeer(t, func(*mem.Config) {})
		a := newDevice(t, p, nil, dial).connect()
		blog := pam.Target{Service: "pubsub." + p.domain, Node: "blog"}
		_, err := a.CreateNode(t.Context(), blog, nil)
		check(t, err)
		subscribe(t, a, blog.Service, blog.Node)
		_, err = a.Publish(t.Context(), blog, "1", atomEntry)
		check(t, err)
		check(t, a.Retract(t.Context(), blog, "1"))
		time.Sleep(time.Second)
		if got := a.added(); !slices.Equal(got, []string{"blog published 1", "blog retracted 1"}) {
			t.Errorf("got %q\n%s", got, a.log())
		}
	})
}

// TestPubsubAnswers has a service answer in unusual ways.
func TestPubsubAnswers(t *testing.T) {
	blog := pam.Target{Service: "pubsub.localhost", Node: "blog"}
	const options = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><options node='blog' jid='alice@localhost'><x xmlns='jabber:x:data' type='form'>" +
		"<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#subscribe_options</value></field>" +
		"<field var='pubsub#deliver' type='boolean'><required/><value>1</value></field></x></options></pubsub>"
	var answer string
	var sent []*element.Element
	call := func(t *testing.T, run func(a *device) error) error {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if e.Attr("to") != "pubsub.localhost" {
				return false
			}
			sent = append(sent, e)
			s.result(e, answer)
			return true
		}
		a := f.device(t).connect()
		defer func() { _ = a.Close() }()
		return run(a)
	}
	for _, tt := range []struct {
		name, answer string
		run          func(a *device) error
		code         pam.Code
		sent         int
	}{
		{"items of another request", "", func(a *device) error { _, err := a.Items(context.Background(), blog, 0); return err }, pam.CodeProtocol, 1},
		{"nodes that are none", "<query xmlns='x'/>", func(a *device) error { _, _, err := a.Nodes(context.Background(), blog.Service, 0, ""); return err }, pam.CodeProtocol, 1},
		{"no service", "", func(a *device) error { return a.DeleteNode(context.Background(), pam.Target{Node: "blog"}, "") }, pam.CodeBadJID, 0},
		{"a payload that is none", "", func(a *device) error { _, err := a.Publish(context.Background(), blog, "1", "text"); return err }, pam.CodeBadOptions, 0},
		{"an option that is changed", options, func(a *device) error {
			return a.SetSubscriptionOptions(context.Background(), blog, pam.Form{{Name: "pubsub#deliver", Values: []string{"false"}}})
		}, "", 2},
		{"an option of one of several subscriptions", options, func(a *device) error {
			one := pam.Target{Service: blog.Service, Node: blog.Node, SubID: "2"}
			err := a.SetSubscriptionOptions(context.Background(), one, pam.Form{{Name: "pubsub#deliver", Values: []string{"false"}}})
			for _, e := range sent {
				if subid := e.First().First().Attr("subid"); subid != "2" {
					t.Errorf("a request is about the subscription %q", subid)
				}
			}
			return err
		}, "", 2},
		{"an option that does not exist", options, func(a *device) error {
			err := a.SetSubscriptionOptions(context.Background(), blog, pam.Form{{Name: "pubsub#x", Values: []string{"false"}}})
			var form *pam.FormError
			if !errors.As(err, &form) || form.Field != "pubsub#x" {
				t.Errorf("got %v", err)
			}
			return err
		}, pam.CodeBadOptions, 1},
		{"a value that is not allowed", options, func(a *device) error {
			return a.SetSubscriptionOptions(context.Background(), blog, pam.Form{{Name: "pubsub#deliver", Values: []string{"perhaps"}}})
		}, pam.CodeBadOptions, 1},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			answer, sent = tt.answer, nil
			err := call(t, tt.run)
			if (tt.code == "") != (err == nil) || err != nil && asError(t, err).Code != tt.code || len(sent) != tt.sent {
				t.Errorf("got %v after %d requests; want code %q after %d", err, len(sent), tt.code, tt.sent)
			}
		})
	}
}

// TestTimesOfItems reads items of which the payload says when it was published, when it was
// updated, both or neither. An item happened when it was published, if that is known.
func TestTimesOfItems(t *testing.T) {
	const published, updated = "2026-11-20T09:00:00Z", "2026-11-21T10:30:00Z"
	tag := func(name, at string) string { return "<" + name + ">" + at + "</" + name + ">" }
	entry := func(times string) string {
		return "<entry xmlns='http://www.w3.org/2005/Atom'><title>A</title>" + times + "</entry>"
	}
	tests := []struct{ name, payload, want string }{
		{"both", entry(tag("published", published) + tag("updated", updated)), published},
		{"both, in the other order", entry(tag("updated", updated) + tag("published", published)), published},
		{"updated before it was published", entry(tag("published", updated) + tag("updated", published)), updated},
		{"published", entry(tag("published", published)), published},
		{"updated", entry(tag("updated", updated)), updated},
		{"published at no time, and updated", entry(tag("published", "yesterday") + tag("updated", updated)), updated},
		{"none", entry(""), ""},
		{"no entry", "<x xmlns='urn:x'>" + tag("published", published) + "</x>", ""},
		{"no payload", "", ""},
	}
	bubble(t, "items", func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if e.Attr("to") != "pubsub.localhost" {
				return false
			}
			items := ""
			for _, tt := range tests {
				items += "<item id='" + tt.name + "'>" + tt.payload + "</item>"
			}
			s.result(e, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='blog'>"+items+"</items></pubsub>")
			return true
		}
		a := f.device(t).connect()
		items, err := a.Items(t.Context(), pam.Target{Service: "pubsub.localhost", Node: "blog"}, 0)
		if err != nil || len(items) != len(tests) {
			t.Fatalf("%d items, %v", len(items), err)
		}
		for i, tt := range tests {
			want, _ := time.Parse(time.RFC3339, tt.want)
			if got := items[i]; got.ID != tt.name || !got.OccurredAt.Equal(want) || got.OccurredAt.IsZero() != (tt.want == "") {
				t.Errorf("%s: %q happened at %v, want %v", tt.name, got.ID, got.OccurredAt, want)
			}
		}
		_ = a.Close()
	})
}

// TestNodesByPage reads the nodes of a service page by page.
func TestNodesByPage(t *testing.T) {
	bubble(t, "pages", func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			query := e.Child("http://jabber.org/protocol/disco#items", "query")
			if query == nil {
				return false
			}
			set := query.Child("http://jabber.org/protocol/rsm", "set")
			page := "<item jid='pubsub.localhost' node='a'/><item jid='pubsub.localhost' node='b'/><set xmlns='http://jabber.org/protocol/rsm'><first index='0'>a</first><last>b</last><count>3</count></set>"
			if set.Child("http://jabber.org/protocol/rsm", "after").Text() == "b" {
				page = "<item jid='pubsub.localhost' node='c'/><set xmlns='http://jabber.org/protocol/rsm'><first index='2'>c</first><last>c</last><count>3</count></set>"
			}
			s.result(e, "<query xmlns='http://jabber.org/protocol/disco#items'>"+page+"</query>")
			return true
		}
		a := f.device(t).connect()
		var all []string
		next := ""
		for range 3 {
			nodes, after, err := a.Nodes(t.Context(), "pubsub.localhost", 2, next)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range nodes {
				all = append(all, n.Node)
			}
			if next = after; next == "" {
				break
			}
		}
		if !slices.Equal(all, []string{"a", "b", "c"}) || next != "" {
			t.Errorf("got %v, next %q", all, next)
		}
		_ = a.Close()
	})
	bubble(t, "a service that repeats its page", func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if e.Child("http://jabber.org/protocol/disco#items", "query") == nil {
				return false
			}
			s.result(e, "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='pubsub.localhost' node='a'/><set xmlns='http://jabber.org/protocol/rsm'><first>a</first><last>a</last></set></query>")
			return true
		}
		a := f.device(t).connect()
		for _, tt := range [...]struct{ after, next string }{{"", "a"}, {"a", ""}} {
			if _, next, err := a.Nodes(t.Context(), "pubsub.localhost", 1, tt.after); err != nil || next != tt.next {
				t.Errorf("after %q: next %q, %v; want %q", tt.after, next, err, tt.next)
			}
		}
		_ = a.Close()
	})
}

func TestParseURI(t *testing.T) {
	if got, err := client.ParseURI("xmpp:pubsub.shakespeare.lit?;node=princely_musings"); err != nil || got != (pam.Target{Service: "pubsub.shakespeare.lit", Node: "princely_musings"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := client.ParseURI("https://example.org/"); asError(t, err).Code != pam.CodeBadOptions {
		t.Errorf("got %v", err)
	}
}
