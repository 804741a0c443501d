//go:build !js

package mem

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestEjabberdLastItems checks that each new session gets the last item of every
// subscribed node: to its full JID, without a delay stamp, and from the pubsub domain
// even for a contact's node.
func TestEjabberdLastItems(t *testing.T) {
	r := newRig(t, Config{Archive: true, Personality: Personalities["ejabberd"]})
	for _, n := range []struct{ service, node, typ, last string }{
		{"", "h", "headline", ""}, {"", "m", "normal", ""}, {"", "quiet", "", "never"}, {"", "empty", "", ""}, {"alice", "urn:pep", "", ""}, {"", "other", "", ""},
	} {
		err := r.CreateNodeAt(n.service, n.node, map[string]string{"pubsub#notification_type": n.typ, "pubsub#send_last_published_item": n.last, "pubsub#access_model": "open"})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"1", "2"} {
			if n.node == "empty" {
				continue
			}
			if err := r.PublishAt(n.service, n.node, id, "<e xmlns='urn:e'/>"); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := r.session(t, "bob", "first", available)
	subscribe := func(service, node string, more ...string) {
		t.Helper()
		first.send(subscribePAM("s", service, node))
		first.want(append([]string{"type='result' id='s'"}, more...)...)
	}
	last := func(to, attrs, node, more string) string {
		return "<message xmlns='jabber:client' " + attrs + "id= from='pubsub.localhost' to='" + to + "'><event <items node='" + node + "'><item id='2'> </event>" + more
	}
	stamp := "<delay xmlns='urn:xmpp:delay' stamp='20 Z'/></message>"
	subscribe(ours, "h", last("bob@localhost", "type='headline' ", "h", stamp))
	subscribe(ours, "m", last("bob@localhost", "", "m", stamp))
	subscribe(ours, "quiet")
	subscribe(ours, "empty")
	subscribe("alice@localhost", "urn:pep", fullItem("alice@localhost", "bob@localhost", "urn:pep", "2"))
	for _, name := range []string{"b", "b2"} {
		p := r.dial(t).login("bob", "bob", name)
		p.send(available)
		to := "bob@localhost/" + name
		p.want(last(to, "type='headline' ", "urn:pep", "</message>"), last(to, "type='headline' ", "h", "</message>"), last(to, "", "m", "</message>"))
		p.send(available)
		p.quiet()
	}
	if err := r.Publish("m", "3", ""); err != nil {
		t.Fatal(err)
	}
	if got := first.next(); strings.Contains(got, "type=") || strings.Contains(got, "<stanza-id") {
		t.Error(got)
	}
}

// TestEjabberdNodes checks pages of items by time, retractions of personal nodes, and
// publish options.
func TestEjabberdNodes(t *testing.T) {
	r := newRig(t, Config{Personality: Personalities["ejabberd"]})
	if err := r.CreateNode("n", ""); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2", "3", "1"} { // the first again: it keeps its place
		if err := r.Publish("n", id, ""); err != nil {
			t.Fatal(err)
		}
	}
	alice, other := r.session(t, "alice", "a", available), r.dial(t).login("alice", "ecila", "other")
	other.wants("p")
	other.quiet()
	page := func(op, want string) (first, last string) {
		t.Helper()
		alice.send(pubsubIQ("q", "get", ours, op))
		got := alice.next()
		m := regexp.MustCompile(`<first index='\d'>([^<]+)</first><last>([^<]+)</last><count>3</count>`).FindStringSubmatch(got)
		if !strings.Contains(strings.ReplaceAll(got, "'/><item id='", " "), want) || m == nil {
			t.Fatalf("got %s, want %s", got, want)
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000000Z", m[1]); err != nil {
			t.Error(err)
		}
		return m[1], m[2]
	}
	_, second := page("<items node='n'/>"+rsm("<max>2</max>"), "'1 2'")
	third, _ := page("<items node='n'/>"+rsm("<max>2</max><after>"+second+"</after>"), "'3'")
	page("<items node='n'/>"+rsm("<max>2</max><before>"+third+"</before>"), "'1 2'")
	page("<items node='n' max_items='2'/>", "'2 3'")
	alice.does("get", ours, "<items node='n'/>"+rsm("<after>2</after>"), "<items node='n'/><set xmlns='http://jabber.org/protocol/rsm'><count>3</count></set>")
	alice.does("get", ours, "<items node='n'><item id='2'/></items>", "<item id='2'/></items></pubsub>")

	alice.fails("set", "alice@localhost", publishWith("p", "1", "access_model", "whitelist", "max_items", "max"), "<error type='wait'><resource-constraint <text Unknown field")
	alice.send(pubsubIQ("q", "set", "alice@localhost", publishWith("p", "1", "access_model", "whitelist", "persist_items", "1")))
	alice.want(fullItem("alice@localhost", "alice@localhost", "p", "1"), "type='result' id='q'")
	other.want(fullItem("alice@localhost", "alice@localhost", "p", "1"), fullItem("alice@localhost", "alice@localhost/other", "p", "1"))
	alice.does("set", "alice@localhost", "<retract node='p' notify='1'><item id='1'/></retract>", "")
	other.quiet()
}

// TestStampedResumption checks the delay stamps of stanzas that a resumption sends
// again.
func TestStampedResumption(t *testing.T) {
	for like, want := range map[string]string{
		"spec":     "<body>1</body></message>",
		"prosody":  "<body>1</body><delay xmlns='urn:xmpp:delay' from='alice@localhost' stamp='....-..-..T..:..:..Z'/></message>",
		"ejabberd": "<body>1</body><delay xmlns='urn:xmpp:delay' from='localhost' stamp='....-..-..T..:..:..\\.......Z'>Resent</delay></message>",
	} {
		t.Run(like, func(t *testing.T) {
			r := newRig(t, Config{Personality: Personalities[like]})
			p, bob := r.session(t, "alice", "a", available), r.session(t, "bob", "b", available)
			id := p.enable()
			bob.send("<message xmlns='jabber:client' to='alice@localhost/a'><body>1</body></message>")
			p.want("<body>1</body></message>")
			bob.send("<iq xmlns='jabber:client' to='alice@localhost/a' type='get' id='i'><x xmlns='urn:x'/></iq>")
			p.want("<iq")
			for range 2 { // the second resumption changes nothing
				r.Cut(p.full)
				p = r.resume(t, id, 0)
				p.want("<resumed")
				if got := p.next(); !regexp.MustCompile(want + "$").MatchString(got) {
					t.Errorf("got %s, want %s", got, want)
				}
				if got := p.next(); strings.Contains(got, "<delay") || !strings.HasPrefix(got, "<iq") {
					t.Error(got)
				}
				p.full = "alice@localhost/a"
			}
		})
	}
}
