//go:build !js

package mem

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func changePAMIQ(id, op, service, node, jid string) string {
	return fmt.Sprintf("<iq xmlns='jabber:client' type='set' id='%s'><pam xmlns='urn:xmpp:pam:0' jid='%s'><%s xmlns='http://jabber.org/protocol/pubsub' node='%s' jid='%s'/></pam></iq>", id, service, op, node, jid)
}

func subscribePAM(id, service, node string) string {
	return changePAMIQ(id, "subscribe", service, node, "bob@localhost")
}

func unsubscribePAM(id, service, node string) string {
	return changePAMIQ(id, "unsubscribe", service, node, "bob@localhost")
}

func listSince(ver string) string {
	return "<iq xmlns='jabber:client' type='get' id='l'><subscriptions xmlns='urn:xmpp:pam:0' ver='" + ver + "'/></iq>"
}

func notify(node, state string) string {
	return "<message xmlns='jabber:client' type='headline' id= from='bob@localhost' to='bob@localhost/ <notify xmlns='urn:xmpp:pam:0' ver= service='pubsub.localhost'><subscription xmlns='http://jabber.org/protocol/pubsub' node='" + node + "' jid='bob@localhost' subscription='" + state + "' subid= /></notify></message>"
}

// TestPAM checks XEP-0376 §3.2 to §3.4 step by step: the server notifies every joined session before the result.
func TestPAM(t *testing.T) {
	r := newRig(t, Config{})
	for _, n := range []string{"n1", "n2"} {
		if err := r.CreateNode(n, ""); err != nil {
			t.Fatal(err)
		}
	}
	a, b := r.joined(t, "bob", "a"), r.joined(t, "bob", "b")
	unjoined := []*peer{r.session(t, "bob", "neg", priority(-1)), r.session(t, "bob", "mute"), r.session(t, "bob", "uninterested", available)}
	for _, p := range unjoined[:2] {
		p.send(listPAM)
		p.want("id='l'")
	}

	_, v0 := r.Subscriptions("bob")
	a.send(subscribePAM("s1", "pubsub.localhost", "n1"))
	a.want(notify("n1", "subscribed"), "<iq xmlns='jabber:client' type='result' id='s1' from='bob@localhost' to='bob@localhost/a'/>")
	b.want(notify("n1", "subscribed"))
	_, v1 := r.Subscriptions("bob")

	a.send(subscribePAM("s2", "pubsub.localhost", "n1")) // again: no change, no notify
	a.want("type='result' id='s2'")
	b.quiet()

	// As in the prose of the XEP, to the domain: service= in place of jid=.
	b.send(strings.NewReplacer("<iq ", "<iq to='localhost' ", "jid='pubsub.localhost'", "service='pubsub.localhost'").Replace(subscribePAM("s3", "pubsub.localhost", "n2")))
	b.want(notify("n2", "subscribed"), "type='result' id='s3' from='localhost'")
	a.want(notify("n2", "subscribed"))

	a.send(strings.Replace(listPAM, "<iq ", "<iq to='bob@localhost' ", 1))
	list, v2 := r.Subscriptions("bob@localhost")
	a.want("type='result' id='l' from='bob@localhost' to='bob@localhost/a'><subscriptions xmlns='urn:xmpp:pam:0' ver='" + v2 +
		"'><subscription node='n1' jid='bob@localhost' subscription='subscribed' subid='" + list[0].SubID + "' service='pubsub.localhost'/><subscription node='n2' </subscriptions>")

	a.send(listSince(v2)) // nothing new
	a.want("<iq xmlns='jabber:client' type='result' id='l' from='bob@localhost' to='bob@localhost/a'/>")
	a.send(listSince(v1))
	a.want("<notify xmlns='urn:xmpp:pam:0' ver='"+v2+"' service='pubsub.localhost'><subscription node='n2'", "type='result' id='l' to='bob@localhost/a'/>")

	b.send(unsubscribePAM("u1", "pubsub.localhost", "n1"))
	a.want(notify("n1", "none"))
	b.want(notify("n1", "none"), "type='result' id='u1'")
	_, v3 := r.Subscriptions("bob")
	a.send(listSince(v0)) // n1 has changed last, and the server sends only its end
	a.want("ver='"+v2+"' node='n2' subscription='subscribed'", "ver='"+v3+"' node='n1' subscription='none'", "type='result' id='l' to='bob@localhost/a'/>")

	for _, unknown := range []string{"", "nonsense"} {
		a.send(listSince(unknown))
		a.want("<subscriptions xmlns='urn:xmpp:pam:0' ver='" + v3 + "'><subscription node='n2'")
	}
	r.ForgetHistory("bob")
	a.send(listSince(v1))
	a.want("<subscriptions xmlns='urn:xmpp:pam:0' ver='" + v3 + "'>")
	a.send(listSince(v3))
	a.want("type='result' id='l' to='bob@localhost/a'/>")

	for i, v := range []string{v0, v1, v2, v3} {
		if list, ok := r.SubscriptionsAt("bob", v); !ok || len(list) != []int{0, 1, 2, 1}[i] {
			t.Errorf("at %s: %v, %v", v, list, ok)
		}
	}
	if _, ok := r.SubscriptionsAt("bob", "nonsense"); ok {
		t.Error("an unknown version has a list")
	}
	if !regexp.MustCompile(`^[\w-]{8,}$`).MatchString(v3) || slices.Contains([]string{v0, v1, v2}, v3) {
		t.Errorf("versions %s %s %s %s", v0, v1, v2, v3)
	}
	for _, p := range unjoined {
		p.quiet()
	}
}

func TestPAMErrors(t *testing.T) {
	r := newRig(t, Config{})
	for n, access := range map[string]string{"open": "", "closed": "whitelist", "friends": "presence"} {
		if err := r.CreateNode(n, access); err != nil {
			t.Fatal(err)
		}
	}
	p := r.joined(t, "bob", "a")
	for _, c := range []struct{ name, send, want string }{
		{"another's JID", changePAMIQ("e", "subscribe", "pubsub.localhost", "open", "alice@localhost"), "<error type='modify' by='bob@localhost'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><invalid-jid xmlns='http://jabber.org/protocol/pubsub#errors'/></error>"},
		{"full JID", changePAMIQ("e", "subscribe", "pubsub.localhost", "open", "bob@localhost/a"), "<error type='modify' by='bob@localhost'><bad-request <invalid-jid"},
		{"another's JID, unsubscribe", changePAMIQ("e", "unsubscribe", "pubsub.localhost", "open", "alice@localhost"), "<error type='modify' by='bob@localhost'><bad-request <invalid-jid"},
		{"no such node", subscribePAM("e", "pubsub.localhost", "none"), "<error type='cancel' by='pubsub.localhost'><item-not-found"},
		{"whitelist", subscribePAM("e", "pubsub.localhost", "closed"), "<error type='cancel' by='pubsub.localhost'><not-allowed <closed-node"},
		{"presence", subscribePAM("e", "pubsub.localhost", "friends"), "<error type='auth' by='pubsub.localhost'><not-authorized <presence-subscription-required"},
		{"not subscribed", unsubscribePAM("e", "pubsub.localhost", "open"), "<error type='cancel' by='pubsub.localhost'><unexpected-request <not-subscribed"},
		{"unknown domain", subscribePAM("e", "pubsub.elsewhere", "n"), "<error type='cancel' by='pubsub.elsewhere'><remote-server-not-found"},
		{"no pubsub there", subscribePAM("e", "localhost", "n"), "<error type='cancel' by='localhost'><service-unavailable"},
		{"no such account", subscribePAM("e", "nobody@localhost", "n"), "<error type='cancel' by='nobody@localhost'><service-unavailable"},
		{"no service", subscribePAM("e", "", "n"), "<error type='modify' by='bob@localhost'><jid-malformed"},
		{"no operation", "<iq xmlns='jabber:client' type='set' id='e'><pam xmlns='urn:xmpp:pam:0' jid='pubsub.localhost'/></iq>", "by='bob@localhost'><bad-request"},
		{"other operation", changePAMIQ("e", "create", "pubsub.localhost", "n", "bob@localhost"), "by='bob@localhost'><bad-request"},
		{"operation of no namespace", "<iq xmlns='jabber:client' type='set' id='e'><pam xmlns='urn:xmpp:pam:0' jid='pubsub.localhost'><subscribe node='open' jid='bob@localhost'/></pam></iq>", "by='bob@localhost'><bad-request"},
		{"options without a form", strings.Replace(subscribePAM("e", "pubsub.localhost", "open"), "</pam>", "<options xmlns='http://jabber.org/protocol/pubsub'/></pam>", 1), "by='pubsub.localhost'><bad-request <invalid-options"},
		{"get", strings.Replace(subscribePAM("e", "pubsub.localhost", "open"), "type='set'", "type='get'", 1), "by='bob@localhost'><service-unavailable"},
		{"unknown in the namespace", "<iq xmlns='jabber:client' type='get' id='e'><x xmlns='urn:xmpp:pam:0'/></iq>", "by='bob@localhost'><service-unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.t = t
			p.send(c.send)
			p.want("<iq xmlns='jabber:client' type='error' id='e' from='bob@localhost' to='bob@localhost/a'> " + c.want)
			p.quiet() // and no notify
		})
	}
	if list, _ := r.Subscriptions("bob"); len(list) != 0 {
		t.Errorf("list %v", list)
	}
}

// TestPAMFollowsTheService checks that the list stays correct when other entities change the subscription.
func TestPAMFollowsTheService(t *testing.T) {
	r := newRig(t, Config{})
	alice, p := r.session(t, "alice", "a"), r.joined(t, "bob", "b")
	for _, op := range []string{createAs("authorize", "z"), "<create node='n'/>"} {
		alice.send(pubsubIQ("c", "set", "pubsub.localhost", op))
		alice.want("type='result'")
	}
	p.send(pubsubIQ("1", "set", "pubsub.localhost", "<subscribe node='n' jid='bob@localhost'/>")) // without PAM
	p.want(notify("n", "subscribed"), "type='result' id='1' from='pubsub.localhost'")
	p.send(subscribePAM("2", "pubsub.localhost", "z"))
	p.want(notify("z", "pending"), "type='result' id='2'")
	alice.quiet() // it is not available, so it does not get the request for approval
	alice.send(pubsubIQ("3", "set", "pubsub.localhost", "owner <subscriptions node='z'><subscription jid='bob@localhost' subscription='subscribed'/></subscriptions>"))
	alice.want("type='result'")
	p.want(notify("z", "subscribed"), "<event <subscription node='z'")
	alice.send(pubsubIQ("3", "set", "pubsub.localhost", "owner <subscriptions node='z'><subscription jid='bob@localhost' subscription='subscribed'/></subscriptions>"))
	alice.want("type='result'")
	p.want("<event <subscription node='z'") // the event repeats the state: no notify
	alice.send(pubsubIQ("4", "set", "pubsub.localhost", "owner <delete node='n'/>"))
	alice.want("type='result'")
	p.want("<event <delete node='n'/>", notify("n", "none"))
	if list, _ := r.Subscriptions("bob"); len(list) != 1 || list[0].Node != "z" || list[0].State != "subscribed" {
		t.Errorf("list %v", list)
	}
}

// TestCapsMakeASessionJoined checks that a session that advertises PAM gets notifies, and that the server queries each hash once.
func TestCapsMakeASessionJoined(t *testing.T) {
	r := newRig(t, Config{})
	if err := r.CreateNode("n", ""); err != nil {
		t.Fatal(err)
	}
	info := "<query xmlns='http://jabber.org/protocol/disco#info'%s><identity category='client' type='web'/><feature var='urn:xmpp:pam:0'/></query>"
	parsed, perr := parse(fmt.Appendf(nil, info, ""))
	if perr != nil {
		t.Fatal(perr)
	}
	caps := func(ver string) string {
		return "<presence xmlns='jabber:client'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:c' ver='" + ver + "'/></presence>"
	}
	answer := func(p *peer, ver string) {
		t.Helper()
		q := p.next()
		m := regexp.MustCompile(`^<iq xmlns='jabber:client' type='get' id='(disco[^']+)' from='bob@localhost' to='bob@localhost/\w+'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:c#` + regexp.QuoteMeta(ver) + `'/></iq>$`).FindStringSubmatch(q)
		if m == nil {
			t.Fatal(q)
		}
		p.sendf("<iq xmlns='jabber:client' type='result' id='%s' to='bob@localhost'>"+info+"</iq>", m[1], " node='urn:c#"+ver+"'")
		p.quiet()
	}
	good := capsHash(parsed)
	first := r.dial(t).login("bob", "bob", "first")
	first.send(caps(good))
	answer(first, good)
	second := r.session(t, "bob", "second", caps(good)) // known by now
	liar := r.dial(t).login("bob", "bob", "liar")
	liar.send(caps("wrong"))
	answer(liar, "wrong")
	other := r.dial(t).login("bob", "bob", "other") // a wrong hash is not remembered
	other.send(caps("wrong"))
	other.want("type='get' id='disco")

	second.send(subscribePAM("s", "pubsub.localhost", "n"))
	second.want(notify("n", "subscribed"), "type='result' id='s'")
	first.want(notify("n", "subscribed"))
	liar.want(notify("n", "subscribed"))
	other.quiet()
}
