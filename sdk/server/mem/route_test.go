//go:build !js

package mem

import (
	"strings"
	"testing"
)

// TestMessageRouting checks RFC 6121 §8.5: which of alice's sessions get bob's messages.
func TestMessageRouting(t *testing.T) {
	r := newRig(t, Config{})
	sessions := map[string]*peer{}
	for name, presence := range map[string]string{
		"five": priority(5), "also5": priority(5), "zero": priority(0), "minus": priority(-1), "none": "",
		"gone": available + "|<presence xmlns='jabber:client' type='unavailable'/>",
	} {
		var extra []string
		for p := range strings.SplitSeq(presence, "|") {
			if p != "" {
				extra = append(extra, p)
			}
		}
		sessions[name] = r.session(t, "alice", name, extra...)
	}
	bob := r.session(t, "bob", "b")

	for _, c := range []struct{ to, typ, reaches, answer string }{
		{"alice@localhost", "headline", "five also5 zero", ""},
		{"alice@localhost", "", "five also5", ""},
		{"alice@localhost", "normal", "five also5", ""},
		{"alice@localhost", "chat", "five also5", ""},
		{"alice@localhost", "error", "", ""},
		{"alice@localhost", "groupchat", "", "service-unavailable"},
		{"alice@localhost/none", "headline", "none", ""},
		{"alice@localhost/minus", "chat", "minus", ""},
		{"alice@localhost/gone", "normal", "gone", ""},
		{"alice@localhost/nobody", "headline", "", ""},
		{"alice@localhost/nobody", "chat", "five also5", ""},
		{"carol@localhost", "chat", "", "service-unavailable"},
		{"carol@localhost", "headline", "", ""},
		{"nobody@localhost", "normal", "", "service-unavailable"},
		{"x@elsewhere", "chat", "", "remote-server-not-found"},
		{"@", "chat", "", "jid-malformed"},
	} {
		t.Run(c.to+" "+c.typ, func(t *testing.T) {
			bob.t = t
			typ := ""
			if c.typ != "" {
				typ = "type='" + c.typ + "'"
			}
			bob.sendf("<message xmlns='jabber:client' to='%s' %s id='m' from='alice@localhost'><notify xmlns='urn:xmpp:pam:0'/></message>", c.to, typ)
			if c.answer != "" {
				bob.want("<message type='error' id='m' from='" + c.to + "' to='bob@localhost/b' <" + c.answer + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>")
			}
			bob.quiet()
			for name, p := range sessions {
				if strings.Contains(" "+c.reaches+" ", " "+name+" ") {
					p.want("<message to='" + c.to + "' id='m' from='bob@localhost/b' <notify xmlns='urn:xmpp:pam:0'/>")
				}
				p.quiet()
			}
		})
	}
}

func TestOneSessionWithoutPresenceGetsNothing(t *testing.T) {
	r := newRig(t, Config{})
	p := r.session(t, "alice", "a", priority(-5))
	p.send("<message xmlns='jabber:client' type='chat' id='m'><body>to myself</body></message>")
	p.want("<message type='error' id='m' from='alice@localhost' to='alice@localhost/a' <service-unavailable")
	p.send(available)
	p.send("<message xmlns='jabber:client' type='chat' id='m'><body>to myself</body></message>")
	p.want("<message type='chat' id='m' from='alice@localhost/a'><body>to")
}

func TestIQ(t *testing.T) {
	r := newRig(t, Config{})
	a, b := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	for _, c := range []struct{ name, send, want string }{
		{"ping without to", "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "<iq xmlns='jabber:client' type='result' id='1' from='alice@localhost' to='alice@localhost/a'/>"},
		{"ping to the domain", "<iq xmlns='jabber:client' type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>", "type='result' id='1' from='localhost' to='alice@localhost/a'/>"},
		{"upper case", "<iq xmlns='jabber:client' type='get' id='1' to='Alice@LOCALHOST'><ping xmlns='urn:xmpp:ping'/></iq>", "type='result' id='1' from='Alice@LOCALHOST'"},
		{"unknown get", "<iq xmlns='jabber:client' type='get' id='1'><x xmlns='urn:x'/></iq>", "type='error' id='1' from='alice@localhost' <error type='cancel'><service-unavailable"},
		{"unknown set to the domain", "<iq xmlns='jabber:client' type='set' id='1' to='localhost'><x xmlns='urn:x'/></iq>", "type='error' id='1' from='localhost' <service-unavailable"},
		{"ping as set", "<iq xmlns='jabber:client' type='set' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "<service-unavailable"},
		{"no child", "<iq xmlns='jabber:client' type='get' id='1'/>", "type='error' id='1' <error type='modify'><bad-request"},
		{"two children", "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/><ping xmlns='urn:xmpp:ping'/></iq>", "<bad-request"},
		{"no id", "<iq xmlns='jabber:client' type='get'><ping xmlns='urn:xmpp:ping'/></iq>", "type='error' <bad-request"},
		{"no type", "<iq xmlns='jabber:client' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "type='error' id='1' <bad-request"},
		{"malformed to", "<iq xmlns='jabber:client' type='get' id='1' to='a@b@c'><ping xmlns='urn:xmpp:ping'/></iq>", "type='error' id='1' <jid-malformed"},
		{"unknown domain", "<iq xmlns='jabber:client' type='get' id='1' to='elsewhere'><ping xmlns='urn:xmpp:ping'/></iq>", "type='error' id='1' from='elsewhere' <remote-server-not-found"},
		{"full JID elsewhere", "<iq xmlns='jabber:client' type='get' id='1' to='x@elsewhere/y'><ping xmlns='urn:xmpp:ping'/></iq>", "<remote-server-not-found"},
		{"no such account", "<iq xmlns='jabber:client' type='get' id='1' to='nobody@localhost'><ping xmlns='urn:xmpp:ping'/></iq>", "<service-unavailable"},
		{"no such session", "<iq xmlns='jabber:client' type='get' id='1' to='bob@localhost/x'><ping xmlns='urn:xmpp:ping'/></iq>", "from='bob@localhost/x' <service-unavailable"},
		{"another account's list", "<iq xmlns='jabber:client' type='get' id='1' to='bob@localhost'><subscriptions xmlns='urn:xmpp:pam:0'/></iq>", "<service-unavailable"},
		{"unrequested result", "<iq xmlns='jabber:client' type='result' id='1'/>", ""},
		{"error to a missing session", "<iq xmlns='jabber:client' type='error' id='1' to='bob@localhost/x'><error type='cancel'/></iq>", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.t = t
			a.send(c.send)
			if c.want != "" {
				a.want(c.want)
			}
			a.quiet()
		})
	}
	// Between two clients.
	a.send("<iq xmlns='jabber:client' type='get' id='7' to='bob@localhost/b'><x xmlns='urn:x'/></iq>")
	b.want("type='get' id='7' to='bob@localhost/b' from='alice@localhost/a' <x xmlns='urn:x'/>")
	b.send("<iq xmlns='jabber:client' type='result' id='7' to='alice@localhost/a'/>")
	a.want("type='result' id='7' to='alice@localhost/a' from='bob@localhost/b'/>")
}

func TestDisco(t *testing.T) {
	for _, disabled := range []bool{false, true} {
		r := newRig(t, Config{DisablePAM: disabled})
		if err := r.CreateNode("news", ""); err != nil {
			t.Fatal(err)
		}
		if err := r.Publish("news", "i1", ""); err != nil {
			t.Fatal(err)
		}
		p := r.session(t, "alice", "a")
		ask := func(to, what, node string) string {
			t.Helper()
			p.sendf("<iq xmlns='jabber:client' type='get' id='d'%s><query xmlns='http://jabber.org/protocol/disco#%s'%s/></iq>", to, what, node)
			return p.next()
		}
		for _, to := range []string{"", " to='alice@localhost'", " to='bob@localhost'"} {
			got := ask(to, "info", "")
			for _, part := range []string{"category='account' type='registered'", "category='pubsub' type='pep'", "#auto-create'"} {
				if !strings.Contains(got, part) {
					t.Errorf("%s has no %s", got, part)
				}
			}
			if strings.Contains(got, "var='urn:xmpp:pam:0'") == disabled {
				t.Errorf("PAM disabled %v: %s", disabled, got)
			}
		}
		if got := ask(" to='localhost'", "info", ""); !strings.Contains(got, "category='server' type='im'") || strings.Contains(got, "pam") {
			t.Error(got)
		}
		if got := ask(" to='localhost'", "items", ""); !strings.Contains(got, "<item jid='pubsub.localhost'/>") {
			t.Error(got)
		}
		if got := ask(" to='pubsub.localhost'", "info", ""); !strings.Contains(got, "category='pubsub' type='service'") || !strings.Contains(got, "#subscribe'") {
			t.Error(got)
		}
		if got := ask(" to='pubsub.localhost'", "items", ""); !strings.Contains(got, "<item jid='pubsub.localhost' node='news'/>") {
			t.Error(got)
		}
		if got := ask(" to='pubsub.localhost'", "items", " node='news'"); !strings.Contains(got, "name='i1'") {
			t.Error(got)
		}
		if got := ask(" to='pubsub.localhost'", "info", " node='news'"); !strings.Contains(got, "type='leaf'") {
			t.Error(got)
		}
		if got := ask(" to='pubsub.localhost'", "info", " node='x'"); !strings.Contains(got, "item-not-found") {
			t.Error(got)
		}
		if disabled {
			p.send(available)
			p.send(listPAM)
			p.want("type='error' id='l' <service-unavailable")
			p.send(subscribePAM("s", "pubsub.localhost", "news"))
			p.want("type='error' id='s' <service-unavailable")
		}
	}
}

// TestCapsHash checks the examples of XEP-0115 §5.2 and §5.3.
func TestCapsHash(t *testing.T) {
	simple := `<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' name='Exodus 0.9.1' type='pc'/>
		<feature var='http://jabber.org/protocol/muc'/><feature var='http://jabber.org/protocol/disco#items'/>
		<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/></query>`
	complex := `<query xmlns='http://jabber.org/protocol/disco#info'><identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
		<identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/><feature var='http://jabber.org/protocol/caps'/>
		<feature var='http://jabber.org/protocol/disco#info'/><feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>
		<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
		<field var='ip_version'><value>ipv4</value><value>ipv6</value></field><field var='os'><value>Mac</value></field>
		<field var='os_version'><value>10.5.1</value></field><field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field></x></query>`
	for doc, want := range map[string]string{simple: "QgayPKawpkPSDYmwT/WM94uAlu0=", complex: "q07IKJEyjvHSyhy//CH0CxmKi8w="} {
		e, err := parse([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if got := capsHash(e); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// FuzzParse checks that every accepted text, written and read again, gives the same text.
func FuzzParse(f *testing.F) {
	f.Add([]byte("<a xmlns='u' xml:lang='x' p:b='&#10;' xmlns:p='q'>t<![CDATA[&#x;]]><p:c/></a>"))
	f.Add([]byte("<a b='1'c='2'/>"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		e, err := parse(msg)
		if err != nil {
			return
		}
		once := e.String()
		again, err := parse([]byte(once))
		if err != nil {
			t.Fatalf("%q was read, but written as %q it is refused: %v", msg, once, err)
		}
		if twice := again.String(); twice != once {
			t.Fatalf("%q\n%q", once, twice)
		}
	})
}
