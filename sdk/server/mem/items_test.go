//go:build !js

package mem

import (
	"fmt"
	"strings"
	"testing"
)

// TestItemPages checks pages of items (XEP-0060 §6.5.4), which Prosody ignores.
func TestItemPages(t *testing.T) {
	for _, on := range []bool{false, true} {
		r := newRig(t, Config{RSM: on})
		if err := r.CreateNode("n", ""); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if err := r.Publish("n", fmt.Sprint(i), ""); err != nil {
				t.Fatal(err)
			}
		}
		bob := r.session(t, "bob", "b")
		for _, c := range []struct{ set, ids, want string }{
			{"<max>2</max>", "0 1", "<first index='0'>0</first><last>1</last><count>5</count>"},
			{"<max>2</max><after>1</after>", "2 3", "<first index='2'>2</first><last>3</last><count>5</count>"},
			{"<max>2</max><before/>", "3 4", "<first index='3'>3</first><last>4</last><count>5</count>"},
			{"<max>2</max><before>1</before>", "0", "<first index='0'>0</first><last>0</last><count>5</count>"},
			{"<max>0</max>", "", "<count>5</count>"},
			{"<after>4</after>", "", "<count>5</count>"},
			{"<after>x</after>", "error", ""},
		} {
			bob.send(pubsubIQ("q", "get", ours, "<items node='n'/>"+rsm(c.set)))
			switch got := bob.next(); {
			case !on && (strings.Count(got, "<item ") != 5 || strings.Contains(got, "<set")):
				t.Errorf("paged: %s", got)
			case on && c.ids == "error" && !strings.Contains(got, "<item-not-found"):
				t.Errorf("%s: %s", c.set, got)
			case on && c.ids != "error":
				list := "<items node='n'/>"
				if c.ids != "" {
					list = "<items node='n'><item id='" + strings.ReplaceAll(c.ids, " ", "'/><item id='") + "'/></items>"
				}
				if want := list + rsm(c.want) + "</pubsub>"; !strings.Contains(got, want) {
					t.Errorf("got %s\nwant %s", got, want)
				}
			}
		}
		bob.does("get", ours, "<items node='n' max_items='2'/>", "<items node='n'><item id='3'/><item id='4'/></items></pubsub>")
	}
}

// TestServiceItems checks the list of a service's nodes, in pages (XEP-0060 §5.2).
func TestServiceItems(t *testing.T) {
	r := newRig(t, Config{RSM: true, Services: []string{"feeds"}})
	for i := range 5 {
		if err := r.CreateNodeAt("", fmt.Sprint("n", i), map[string]string{"pubsub#title": fmt.Sprint("Title ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	bob := r.session(t, "bob", "b")
	ask := func(to, attr, set, want string) {
		t.Helper()
		bob.send("<iq xmlns='jabber:client' type='get' id='d' to='" + to + "'><query xmlns='http://jabber.org/protocol/disco#items'" + attr + ">" + set + "</query></iq>")
		bob.want(want)
	}
	ask(ours, "", "", "<item jid='pubsub.localhost' node='n0' name='Title <item <item <item <item </query>")
	ask(ours, "", rsm("<max>2</max><after>n1</after>"), "disco#items'><item jid='pubsub.localhost' node='n2' <item jid='pubsub.localhost' node='n3' name='Title 3'/><set <first index='2'>n2</first><last>n3</last><count>5</count></set>")
	ask(ours, "", rsm("<after>x</after>"), "<item-not-found")
	ask("localhost", "", "", "<item jid='feeds.localhost'/><item jid='pubsub.localhost'/>")
	ask(ours, " node='n0'", "", "node='n0'/>")
	bob.send("<iq xmlns='jabber:client' type='get' id='d' to='feeds.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	bob.want("category='pubsub' type='service' http://jabber.org/protocol/rsm' pubsub#rsm'")
}

// TestPublishers checks that items name their publisher if so configured.
func TestPublishers(t *testing.T) {
	r := newRig(t, Config{Publishers: true})
	alice, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b", available)
	alice.does("set", ours, "<create node='n'/>", "")
	bob.does("set", ours, "<subscribe node='n' jid='bob@localhost'/>", "")
	alice.does("set", ours, publishWith("n", "1"), "")
	bob.want("<item id='1' publisher='alice@localhost'>")
	bob.does("get", ours, "<items node='n'/>", "<item id='1' publisher='alice@localhost'>")
}

// TestSteeredNodes checks what the program that runs the server can do to nodes.
func TestSteeredNodes(t *testing.T) {
	r := newRig(t, Config{})
	for _, err := range []error{
		r.CreateNodeAt("unknown", "n", nil), r.CreateNodeAt("", "", nil), r.CreateNodeAt("", "n", map[string]string{"title": "x"}),
		r.CreateNodeAt("", "n", map[string]string{"pubsub#max_items": "1000"}), r.Configure("", "n", nil), r.Retract("", "n", "1"), r.Purge("", "n"),
		r.DeleteNode("", "n", ""), r.PublishAt("alice", "n", "", ""), r.RequireOptions("", "n"), r.ExpireNodeArchive("", "n", 0), r.SetSubscription("bob", "n", "subscribed"),
	} {
		if err == nil {
			t.Error("a call succeeded that cannot")
		}
	}
	if err := r.CreateNodeAt("alice", "n", map[string]string{"pubsub#access_model": "open", "pubsub#max_items": "3"}); err != nil {
		t.Fatal(err)
	}
	bob := r.joined(t, "bob", "b")
	bob.send(subscribePAM("s", "alice@localhost", "n"))
	bob.want("<notify", "type='result'")
	for i := range 4 {
		if err := r.PublishAt("alice@localhost", "n", fmt.Sprint(i), "<e xmlns='urn:e'/>"); err != nil {
			t.Fatal(err)
		}
		bob.want(fullItem("alice@localhost", "bob@localhost", "n", fmt.Sprint(i)))
	}
	if err := r.Retract("alice", "n", "2"); err != nil {
		t.Fatal(err)
	}
	bob.want("<retract id='2'/>")
	if ids, err := r.Items("alice", "n"); err != nil || strings.Join(ids, " ") != "1 3" {
		t.Errorf("%q, %v", ids, err)
	}
	if err := r.Retract("alice", "n", "2"); err == nil {
		t.Error("retracted twice")
	}
	if err := r.Configure("alice", "n", map[string]string{"pubsub#max_items": "many"}); err == nil || !strings.Contains(err.Error(), "bad-request pubsub#max_items") {
		t.Error(err)
	}
	if err := r.Configure("alice", "n", map[string]string{"pubsub#max_items": "1"}); err != nil {
		t.Fatal(err)
	}
	if ids, err := r.Items("alice", "n"); err != nil || strings.Join(ids, " ") != "3" {
		t.Errorf("after Configure %q, %v", ids, err)
	}
	if err := r.Purge("alice", "n"); err != nil {
		t.Fatal(err)
	}
	bob.want("<purge node='n'/>")
	if err := r.DeleteNode("alice", "n", "xmpp:x"); err != nil {
		t.Fatal(err)
	}
	bob.want("<delete node='n'><redirect uri='xmpp:x'/></delete>", "<notify subscription='none'")
}
