//go:build !js

package mem

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// form returns a submitted form with fields, given as name, value, name, value.
func form(formType string, nameValue ...string) string {
	text := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#" + formType + "</value></field>"
	for i := 0; i < len(nameValue); i += 2 {
		text += "<field var='pubsub#" + nameValue[i] + "'><value>" + nameValue[i+1] + "</value></field>"
	}
	return text + "</x>"
}

// publishWith returns the publication of an item with publish options.
func publishWith(node, item string, nameValue ...string) string {
	op := "<publish node='" + node + "'><item id='" + item + "'><e xmlns='urn:e'>" + item + "</e></item></publish>"
	if len(nameValue) > 0 {
		op += "<publish-options>" + form("publish-options", nameValue...) + "</publish-options>"
	}
	return op
}

// does sends a request, whose result must contain the parts.
func (p *peer) does(typ, to, op, want string) {
	p.t.Helper()
	p.send(pubsubIQ("q", typ, to, op))
	p.want("<iq type='result' id='q' " + want)
}

// fails sends a request, which must be refused with an error that contains the parts.
func (p *peer) fails(typ, to, op, want string) {
	p.t.Helper()
	p.send(pubsubIQ("q", typ, to, op))
	p.want("<iq type='error' id='q' " + want)
}

// wants sends presence with capabilities that contain the nodes with +notify, and
// answers the server's query about them.
func (p *peer) wants(nodes ...string) {
	p.t.Helper()
	info, ver := capsWith(p.t, nodes...)
	p.send(presenceWith(ver))
	q := p.next()
	m := regexp.MustCompile(`^<iq xmlns='jabber:client' type='get' id='([^']+)' .*node='urn:c#` + regexp.QuoteMeta(ver) + `'/></iq>$`).FindStringSubmatch(q)
	if m == nil {
		p.t.Fatalf("%s: got %s", p.full, q)
	}
	p.sendf("<iq xmlns='jabber:client' type='result' id='%s'>%s</iq>", m[1], info)
}

func capsWith(t *testing.T, nodes ...string) (info, ver string) {
	t.Helper()
	info = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='web'/>"
	for _, n := range nodes {
		info += "<feature var='" + n + "+notify'/>"
	}
	info += "</query>"
	parsed, err := parse([]byte(info))
	if err != nil {
		t.Fatal(err)
	}
	return info, capsHash(parsed)
}

func presenceWith(ver string) string {
	return "<presence xmlns='jabber:client'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:c' ver='" + ver + "'/></presence>"
}

// fullItem is an event of a personal node to one session.
func fullItem(from, to, node, id string) string {
	return "<message xmlns='jabber:client' type='headline' id= from='" + from + "' to='" + to + "'><event <items node='" + node + "'><item id='" + id + "' publisher='" + from + "'><e"
}

// TestPersonalNodes has bob follow alice (XEP-0163), and checks that only alice can publish there.
func TestPersonalNodes(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob := r.session(t, "alice", "a", available), r.joined(t, "bob", "b")
	bob.fails("set", "alice@localhost", "<publish node='blog'><item id='x'/></publish>", "from='alice@localhost' <item-not-found")
	bob.fails("set", "alice@localhost", "<create node='blog'/>", "<forbidden")
	alice.send(strings.Replace(pubsubIQ("3", "set", "", publishWith("blog", "1", "access_model", "open", "max_items", "2")), " to=''", "", 1))
	alice.want("type='result' id='3' from='alice@localhost' <item id='1'/>")
	bob.send(subscribePAM("4", "alice@localhost", "blog"))
	bob.want("<notify xmlns='urn:xmpp:pam:0' ver= service='alice@localhost'><subscription xmlns='http://jabber.org/protocol/pubsub' node='blog' jid='bob@localhost' subscription='subscribed'/>",
		"type='result' id='4'", fullItem("alice@localhost", "bob@localhost", "blog", "1")) // the last item, after the result
	alice.does("set", "alice@localhost", publishWith("blog", "2"), "")
	bob.want(fullItem("alice@localhost", "bob@localhost", "blog", "2"))
	bob.fails("set", "alice@localhost", "<publish node='blog'><item id='x'/></publish>", "<forbidden")
	bob.does("get", "alice@localhost", "<items node='blog'/>", "<item id='1'> <item id='2'>")
	for _, p := range []*peer{alice, bob} {
		p.quiet()
	}
}

// TestPersonalDefaults checks that a node that was created by its first publication
// keeps one item, for contacts.
func TestPersonalDefaults(t *testing.T) {
	r := newRig(t, Config{})
	alice, bob := r.session(t, "alice", "a", available), r.session(t, "bob", "b", available)
	for _, id := range []string{"1", "2"} {
		alice.does("set", "alice@localhost", publishWith("blog", id), "")
	}
	alice.does("get", "alice@localhost", "<items node='blog'/>", "<items node='blog'><item id='2'><e xmlns='urn:e'>2</e></item></items>")
	alice.does("get", "alice@localhost", "owner <configure node='blog'/>", "#max_items' <value>1</value> #access_model' <value>presence</value></field>")
	bob.fails("get", "alice@localhost", "<items node='blog'/>", "<not-authorized <presence-subscription-required")
	if err := r.Befriend("alice", "bob"); err != nil {
		t.Fatal(err)
	}
	bob.does("get", "alice@localhost", "<items node='blog'/>", "<item id='2'>")
	if r.Befriend("alice", "unknown") == nil || r.Befriend("alice", "alice") == nil {
		t.Error("friends of nobody")
	}
}

// TestNotify checks which sessions receive the events of personal nodes because of their
// capabilities: those of the owner and of contacts, if the access model allows it.
func TestNotify(t *testing.T) {
	r := newRig(t, Config{})
	a, b := r.session(t, "alice", "a", available), r.dial(t).login("alice", "ecila", "b")
	b.wants("open", "private")
	mute := r.session(t, "alice", "mute", available)
	friend, stranger := r.dial(t).login("bob", "bob", "f"), r.dial(t).login("carol", "lorac", "s")
	friend.wants("open", "private", "unknown")
	friend.quiet()
	_, ver := capsWith(t, "open", "private", "unknown")
	stranger.send(presenceWith(ver)) // known by now
	if err := r.Befriend("bob", "alice"); err != nil {
		t.Fatal(err)
	}
	a.does("set", "alice@localhost", publishWith("open", "1", "access_model", "open"), "")
	b.want(fullItem("alice@localhost", "alice@localhost/b", "open", "1"))
	friend.want(fullItem("alice@localhost", "bob@localhost/f", "open", "1"))

	a.does("set", "alice@localhost", publishWith("private", "1", "access_model", "whitelist", "persist_items", "true"), "")
	b.want(fullItem("alice@localhost", "alice@localhost/b", "private", "1"))
	friend.fails("get", "alice@localhost", "<items node='private'/>", "<closed-node")
	a.does("set", "alice@localhost", publishWith("other", "1"), "")

	a.does("set", "alice@localhost", "<retract node='private' notify='true'><item id='1'/></retract>", "")
	b.want("to='alice@localhost/b'><event <items node='private'><retract id='1'/></items>")
	b.send("<presence xmlns='jabber:client' type='unavailable'/>")
	b.quiet()
	a.does("set", "alice@localhost", publishWith("private", "2"), "")
	for _, p := range []*peer{a, b, mute, friend, stranger} {
		p.quiet()
	}
}

// TestLastItem checks that a session receives the last items of the nodes in its
// capabilities, once, without a delay stamp.
func TestLastItem(t *testing.T) {
	r := newRig(t, Config{})
	if err := r.Befriend("alice", "bob"); err != nil {
		t.Fatal(err)
	}
	for _, n := range []struct{ service, node, access, last string }{
		{"alice", "n1", "", ""}, {"alice", "n2", "whitelist", ""}, {"alice", "n3", "open", "never"}, {"bob", "n1", "", ""}, {"carol", "n1", "", ""},
	} {
		if err := r.CreateNodeAt(n.service, n.node, map[string]string{"pubsub#access_model": n.access, "pubsub#send_last_published_item": n.last}); err != nil {
			t.Fatal(err)
		}
		if err := r.PublishAt(n.service, n.node, "i", "<e xmlns='urn:e'/>"); err != nil {
			t.Fatal(err)
		}
	}
	bob := r.dial(t).login("bob", "bob", "b")
	bob.wants("n1", "n2", "n3")
	bob.want(fullItem("bob@localhost", "bob@localhost/b", "n1", "i"), fullItem("alice@localhost", "bob@localhost/b", "n1", "i"))
	_, ver := capsWith(t, "n1", "n2", "n3")
	bob.send(presenceWith(ver))
	bob.quiet()
	bob.send("<presence xmlns='jabber:client' type='unavailable'/>")
	bob.send(presenceWith(ver))
	bob.want("from='bob@localhost'", "from='alice@localhost'")
	bob.wants("n1", "n2", "n3", "new")
	bob.quiet()
	if err := r.Befriend("carol", "bob"); err != nil {
		t.Fatal(err)
	}
	bob.want(fullItem("carol@localhost", "bob@localhost/b", "n1", "i"))
	bob.quiet()
}

// TestWrongHash checks that +notify counts only if the answer has the hash of the
// presence.
func TestWrongHash(t *testing.T) {
	r := newRig(t, Config{})
	a, liar := r.session(t, "alice", "a", available), r.dial(t).login("alice", "ecila", "liar")
	info, _ := capsWith(t, "n")
	liar.send(presenceWith("wrong"))
	q := liar.next()
	id := strings.Split(strings.SplitAfter(q, " id='")[1], "'")[0]
	liar.sendf("<iq xmlns='jabber:client' type='result' id='%s'>%s</iq>", id, info)
	liar.quiet()
	a.does("set", "alice@localhost", publishWith("n", "1"), "")
	liar.quiet()
}

// TestBothCopies has a contact that is subscribed explicitly and wants the node's events:
// it gets one to the bare and one to the full JID, as at Prosody and ejabberd.
func TestBothCopies(t *testing.T) {
	r := newRig(t, Config{Archive: true})
	if err := r.Befriend("alice", "bob"); err != nil {
		t.Fatal(err)
	}
	a, bob := r.session(t, "alice", "a", available), r.dial(t).login("bob", "bob", "b")
	a.does("set", "alice@localhost", "<create node='n'/>", "")
	bob.wants("n")
	bob.send(subscribePAM("s", "alice@localhost", "n"))
	bob.want("type='result' id='s'")
	a.does("set", "alice@localhost", publishWith("n", "1"), "")
	bob.want(fullItem("alice@localhost", "bob@localhost", "n", "1")+" <stanza-id", fullItem("alice@localhost", "bob@localhost/b", "n", "1")+" </event></message>")
	bob.quiet()
	if got := bob.archived(""); len(got) != 1 {
		t.Error(fmt.Sprint(got))
	}
}
