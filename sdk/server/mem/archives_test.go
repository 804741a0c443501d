//go:build !js

package mem

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestArchiveSwitch checks what an account's service discovery announces, and what it
// archives, by configuration and personality.
func TestArchiveSwitch(t *testing.T) {
	for _, c := range []struct {
		on       bool
		like     string
		features string
		events   int
	}{
		{false, "spec", "", 0},
		{true, "spec", "archives-all-events mam:2 mam:2#extended sid:0", 1},
		{true, "prosody", "archives-all-events mam:2 mam:2#extended sid:0", 1},
		{true, "prosody-stock", "mam:2 mam:2#extended sid:0", 0},
		{true, "ejabberd", "mam:2 mam:2#extended sid:0", 0},
		{true, "archive-off", "", 0},
	} {
		t.Run(c.like, func(t *testing.T) {
			r := newRig(t, Config{Archive: c.on, Personality: Personalities[c.like]})
			if err := r.CreateNode("n", ""); err != nil {
				t.Fatal(err)
			}
			bob := r.session(t, "bob", "b", available)
			if err := r.SetSubscription("bob", "n", "subscribed"); err != nil {
				t.Fatal(err)
			}
			if err := r.Publish("n", "1", ""); err != nil {
				t.Fatal(err)
			}
			if got := bob.next(); strings.Contains(got, "<stanza-id") != (c.events > 0) {
				t.Error(got)
			}
			bob.send("<iq xmlns='jabber:client' type='get' id='d'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
			got := bob.next()
			for _, f := range []string{"archives-all-events", "mam:2", "mam:2#extended", "sid:0"} {
				if want := slices.Contains(strings.Fields(c.features), f); strings.Contains(got, f+"'") != want && strings.Contains(got, f+":0'") != want {
					t.Errorf("%s: %v in %s", f, !want, got)
				}
			}
			bob.send(queryIQ("", "", "", ""))
			if c.features == "" {
				bob.want("type='error' id='m' <service-unavailable")
			} else if c.events > 0 {
				bob.want("<result", "<count>1</count>")
			} else {
				bob.want("complete='true'><set <count>0</count>")
			}
		})
	}
}

// TestStockArchive checks that an archive without events keeps those of type normal with
// a body, as that of Prosody without mod_pam does.
func TestStockArchive(t *testing.T) {
	r := newRig(t, Config{Archive: true, Personality: Personalities["prosody-stock"]})
	bob := r.session(t, "bob", "b", available)
	for node, typ := range map[string]string{"n": "normal", "h": "headline"} {
		if err := r.CreateNodeAt("", node, map[string]string{"pubsub#notification_type": typ}); err != nil {
			t.Fatal(err)
		}
		bob.does("set", ours, "<subscribe node='"+node+"' jid='bob@localhost'/><options>"+form("subscribe_options", "include_body", "1")+"</options>", "")
		if err := r.Publish(node, node, "<entry xmlns='http://www.w3.org/2005/Atom'><title>x</title></entry>"); err != nil {
			t.Fatal(err)
		}
		bob.want("<body>x</body>")
		if err := r.Publish(node, "no Atom", ""); err != nil {
			t.Fatal(err)
		}
		bob.want("no Atom")
	}
	if got := bob.archived(""); !slices.Equal(got, []string{"n"}) {
		t.Errorf("%q", got)
	}
}

// TestArchivedChat checks that both sides archive a message with a body, and that a
// sender cannot forge the id, while those of others stay.
func TestArchivedChat(t *testing.T) {
	r := newRig(t, Config{Archive: true})
	alice, bob := r.session(t, "alice", "a", available), r.session(t, "bob", "b", available)
	alice.send("<message xmlns='jabber:client' to='bob@localhost' type='chat'><body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='bob@localhost' id='forged'/>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='room.localhost' id='other'/></message>")
	got := bob.next()
	if strings.Contains(got, "forged") || !strings.Contains(got, "by='room.localhost' id='other'") || !strings.Contains(got, "by='bob@localhost' id='a") {
		t.Error(got)
	}
	alice.send("<message xmlns='jabber:client' to='bob@localhost' type='headline'><body>hi</body></message>")
	bob.want("headline")
	alice.send("<message xmlns='jabber:client' to='bob@localhost' type='chat'><active xmlns='urn:x'/></message>")
	bob.want("<active")
	for p, with := range map[*peer]string{alice: "bob@localhost/b", bob: "alice@localhost"} {
		if got := p.archived(mamField("with", with)); len(got) != 1 {
			t.Errorf("%s: %q", p.full, got)
		}
	}
}

// TestUnavailableShows checks that a session without presence gets no events for what its
// last presence showed.
func TestUnavailableShows(t *testing.T) {
	r := newRig(t, Config{Archive: true})
	alice, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b", available)
	alice.does("set", ours, "<create node='n'/>", "")
	bob.does("set", ours, "<subscribe node='n' jid='bob@localhost'/>", "")
	bob.does("set", ours, setOptions("show-values", "chat"), "")
	bob.send("<presence xmlns='jabber:client'><show>chat</show></presence>")
	bob.quiet()
	alice.does("set", ours, publishWith("n", "1"), "")
	bob.want("<item id='1'")
	bob.send("<presence xmlns='jabber:client' type='unavailable'/>")
	bob.quiet()
	alice.does("set", ours, publishWith("n", "2"), "")
	if got := bob.archived(""); !slices.Equal(got, []string{"1"}) {
		t.Errorf("%q", got)
	}
}

// TestArchivePlaces checks that entries are found by their ids after others were removed.
func TestArchivePlaces(t *testing.T) {
	a := newArchive(10)
	for i := range 25 {
		a.add(archived{id: strconv.Itoa(i)})
	}
	for i := range 25 {
		place, ok := a.position(strconv.Itoa(i))
		if kept := i >= 15; ok != kept || ok && a.entries[place].id != strconv.Itoa(i) {
			t.Errorf("entry %d is at %d, %v", i, place, ok)
		}
	}
}

// TestNodeArchive checks the archive of nodes (XEP-0442).
func TestNodeArchive(t *testing.T) {
	r := newRig(t, Config{NodeArchive: true})
	alice, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	alice.does("set", "pubsub.localhost", "<create node='n'/><configure>"+form("node_config", "max_items", "1")+"</configure>", "")
	alice.does("set", "pubsub.localhost", createAs("whitelist", "w"), "")
	for _, id := range []string{"1", "2", "3"} {
		alice.does("set", "pubsub.localhost", publishWith("n", id), "")
		alice.does("set", "alice@localhost", publishWith("blog", id), "")
	}
	alice.does("set", "pubsub.localhost", "<retract node='n'><item id='3'/></retract>", "")
	items, ids, fin := bob.query(queryIQ("pubsub.localhost", "node='n'", "", rsm("<max>2</max>")))
	if !slices.Equal(items, []string{"1", "2"}) || strings.Contains(fin, "complete") || !strings.Contains(fin, "from='pubsub.localhost'") {
		t.Errorf("%q, %s", items, fin)
	}
	bob.send(queryIQ("pubsub.localhost", "node='n'", "", rsm("<after>"+ids[1]+"</after>")))
	bob.want("<message xmlns='jabber:client' from='pubsub.localhost' to='bob@localhost/b'><result <delay <message xmlns='jabber:client'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='3'><e", "complete='true'")
	if items, _, _ := alice.query(queryIQ("", "node='blog'", "", "")); len(items) != 3 {
		t.Errorf("personal %q", items)
	}
	for query, want := range map[string]string{
		queryIQ("pubsub.localhost", "node='w'", "", ""):   "<not-allowed <closed-node",
		queryIQ("pubsub.localhost", "node='x'", "", ""):   "<item-not-found",
		queryIQ("pubsub.localhost", "", "", ""):           "<service-unavailable",
		queryIQ("alice@localhost", "node='blog'", "", ""): "<presence-subscription-required",
		queryIQ("", "", "", ""):                           "<service-unavailable",
		"<iq xmlns='jabber:client' type='get' id='m' to='pubsub.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>": "var='urn:xmpp:mam:2'",
	} {
		bob.send(query)
		bob.want(want)
	}
	if err := r.ExpireNodeArchive("", "n", 1); err != nil {
		t.Fatal(err)
	}
	bob.send(queryIQ("pubsub.localhost", "node='n'", "", rsm("<after>"+ids[1]+"</after>")))
	bob.want("<item-not-found")
}
