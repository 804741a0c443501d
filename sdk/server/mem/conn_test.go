//go:build !js

package mem

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func streamErr(cond string) string {
	return "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><" + cond + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
}

// TestFraming sends one wrong message in each phase and expects the right stream error, <close/>, and a closed WebSocket.
func TestFraming(t *testing.T) {
	r := newRig(t, Config{})
	const (
		fresh = iota
		opened
		authenticated
		ready
	)
	ping := "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"
	for _, c := range []struct {
		name, send, want string
		phase            int
	}{
		{"white space keepalive", " ", "bad-format", ready},
		{"nothing", "", "bad-format", ready},
		{"leading space", " " + ping, "bad-format", ready},
		{"byte order mark", "\ufeff" + ping, "bad-format", ready},
		{"two elements", ping + ping, "bad-format", ready},
		{"XML declaration", "<?xml version='1.0'?>" + ping, "bad-format", ready},
		{"text after", ping + "x", "not-well-formed", ready},
		{"cut off", ping[:40], "not-well-formed", ready},
		{"comment", "<message xmlns='jabber:client'><!-- c --></message>", "restricted-xml", ready},
		{"processing instruction", "<message xmlns='jabber:client'><?a b?></message>", "restricted-xml", ready},
		{"document type", "<!DOCTYPE m><message xmlns='jabber:client'/>", "restricted-xml", ready},
		{"entity", "<message xmlns='jabber:client'>&nbsp;</message>", "not-well-formed", ready},
		{"surrogate reference", "<message xmlns='jabber:client'>&#xD800;</message>", "not-well-formed", ready},
		{"control character", "<message xmlns='jabber:client'>&#1;</message>", "not-well-formed", ready},
		{"attribute twice", "<message xmlns='jabber:client' id='a' id='b'/>", "not-well-formed", ready},
		{"attribute twice by namespace", "<message xmlns='jabber:client' xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>", "not-well-formed", ready},
		{"no space between attributes", "<message xmlns='jabber:client'id='b'/>", "not-well-formed", ready},
		{"undeclared prefix", "<message xmlns='jabber:client'><x:y/></message>", "not-well-formed", ready},
		{"undeclared attribute prefix", "<message xmlns='jabber:client' x:y='1'/>", "not-well-formed", ready},
		{"wrong end tag", "<message xmlns='jabber:client'><a></b></message>", "not-well-formed", ready},
		{"end tag of other prefix", "<message xmlns='jabber:client' xmlns:a='u' xmlns:b='u'><a:x></b:x></message>", "not-well-formed", ready},
		{"prefix xml rebound", "<message xmlns='jabber:client' xmlns:xml='u'/>", "not-well-formed", ready},
		{"prefix bound to nothing", "<message xmlns='jabber:client' xmlns:x=''/>", "not-well-formed", ready},
		{"not UTF-8", "<message xmlns='jabber:client'>\xff</message>", "unsupported-encoding", ready},
		{"too deep", "<message xmlns='jabber:client'>" + strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200) + "</message>", "policy-violation", ready},
		{"too large", "<message xmlns='jabber:client'><body>" + strings.Repeat("x", 256<<10) + "</body></message>", "policy-violation", ready},
		{"stanza without namespace", "<message/>", "invalid-namespace", ready},
		{"stanza of a server stream", "<message xmlns='jabber:server'/>", "invalid-namespace", ready},
		{"unknown element", "<foo xmlns='urn:foo'/>", "unsupported-stanza-type", ready},
		{"unknown stanza", "<foo xmlns='jabber:client'/>", "unsupported-stanza-type", ready},
		{"open again", openMessage, "bad-format", ready},
		{"close in no namespace", "<close/>", "invalid-namespace", ready},
		{"stanza before open", ping, "not-authorized", fresh},
		{"stanza before login", ping, "not-authorized", opened},
		{"bind before login", "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "not-authorized", opened},
		{"stanza before bind", ping, "not-authorized", authenticated},
		{"TCP stream header", "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'/>", "invalid-namespace", fresh},
		{"open in no namespace", "<open to='localhost' version='1.0'/>", "invalid-namespace", fresh},
		{"wrong host", strings.Replace(openMessage, "localhost", "elsewhere", 1), "host-unknown", fresh},
		{"no host", strings.Replace(openMessage, "to='localhost'", "", 1), "improper-addressing", fresh},
		{"no version", strings.Replace(openMessage, "version='1.0'", "", 1), "unsupported-version", fresh},
		{"malformed from", strings.Replace(openMessage, "to=", "from='a@b@c' to=", 1), "invalid-from", fresh},
		{"auth before open", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>", "bad-format", fresh},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := r.dial(t)
			if c.phase >= opened {
				p.open()
			}
			if c.phase >= authenticated {
				p.sendf("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", b64("\x00alice\x00ecila"))
				p.want("<success")
				p.open()
			}
			if c.phase == ready {
				p.send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
				p.want("<jid>alice@localhost/")
			}
			p.send(c.send)
			if c.phase == fresh {
				p.want("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'") // RFC 7395 §3.5
			}
			for _, want := range []string{streamErr(c.want), "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"} {
				if got := p.next(); got != want {
					t.Fatalf("got  %s\nwant %s", got, want)
				}
			}
			p.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
			p.want("closed 1000")
		})
	}
}

func TestRestartAsAnother(t *testing.T) {
	p := newRig(t, Config{}).dial(t)
	p.open()
	p.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + b64("\x00alice\x00ecila") + "</auth>")
	p.want("<success")
	p.send(strings.Replace(openMessage, "to=", "from='bob@localhost' to=", 1))
	p.want("<open", streamErr("invalid-from"), "<close", "closed 1000")
}

func TestBinaryMessage(t *testing.T) {
	p := newRig(t, Config{}).session(t, "alice", "a")
	if err := p.ws.Write(p.ctx, websocket.MessageBinary, []byte("<presence xmlns='jabber:client'/>")); err != nil {
		t.Fatal(err)
	}
	p.want(streamErr("bad-format"), "<close", "closed 1000") // also if the client never answers
}

func TestUnusualXML(t *testing.T) {
	r := newRig(t, Config{})
	a, b := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	// Prefixes, CDATA with the text of a reference, references, a namespaced attribute from, an empty namespace.
	a.send(`<c:message xmlns:c="jabber:client" to="bob@localhost/b" c:from='x@y' from='forged@localhost' xml:lang='de'><e xmlns=''><![CDATA[<&#xD800;>]]>&#x20AC;&apos;</e><p:q xmlns:p='urn:q' p:r='&lt;&#10;'/></c:message >` + "\n")
	got := b.next()
	for _, part := range []string{"from='alice@localhost/a'", "from='x@y'", "xml:lang='de'", "<e xmlns=''>&lt;&amp;#xD800;&gt;€'</e>", "<q xmlns='urn:q'", "'&lt;&#xA;'"} {
		if !strings.Contains(got, part) {
			t.Errorf("%s\nhas no %s", got, part)
		}
	}
	if strings.Contains(got, "forged") {
		t.Errorf("the claimed sender came through: %s", got)
	}
}

func TestHandshake(t *testing.T) {
	r := newRig(t, Config{})
	for _, c := range []struct {
		offered []string
		status  int
	}{
		{nil, http.StatusBadRequest},
		{[]string{"chat"}, http.StatusBadRequest},
		{[]string{"chat", "xmpp"}, http.StatusSwitchingProtocols},
	} {
		ctx := t.Context()
		ws, resp, err := websocket.Dial(ctx, r.url, &websocket.DialOptions{Subprotocols: c.offered, HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}}})
		if resp == nil || resp.StatusCode != c.status {
			t.Errorf("offering %q: %v, want status %d", c.offered, err, c.status)
		}
		if ws != nil {
			if ws.Subprotocol() != "xmpp" {
				t.Errorf("subprotocol %q", ws.Subprotocol())
			}
			ws.CloseNow()
		}
	}
}

func TestLoginFailures(t *testing.T) {
	r := newRig(t, Config{Mechanisms: []string{"SCRAM-SHA-1", "PLAIN"}})
	for _, c := range []struct{ name, mech, first, second, want string }{
		{"wrong password", "PLAIN", "\x00alice\x00x", "", "not-authorized"},
		{"unknown account", "PLAIN", "\x00mallory\x00x", "", "not-authorized"},
		{"other authorization identity", "PLAIN", "bob@localhost\x00alice\x00ecila", "", "invalid-authzid"},
		{"no password", "PLAIN", "\x00alice", "", "malformed-request"},
		{"mechanism not offered", "SCRAM-SHA-256", "n,,n=alice,r=abc", "", "invalid-mechanism"},
		{"channel binding", "SCRAM-SHA-1", "p=tls-unique,,n=alice,r=abc", "", "malformed-request"},
		{"no nonce", "SCRAM-SHA-1", "n,,n=alice", "", "malformed-request"},
		{"mandatory extension", "SCRAM-SHA-1", "n,,m=x,n=alice,r=abc", "", "malformed-request"},
		{"bad escape", "SCRAM-SHA-1", "n,,n=al=ice,r=abc", "", "malformed-request"},
		{"wrong proof", "SCRAM-SHA-1", "n,,n=alice,r=abc", "c=biws,r=NONCE,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "not-authorized"},
		{"wrong nonce", "SCRAM-SHA-1", "n,,n=alice,r=abc", "c=biws,r=abc,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "not-authorized"},
		{"other gs2 header", "SCRAM-SHA-1", "n,,n=alice,r=abc", "c=eSws,r=NONCE,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "not-authorized"},
		{"short proof", "SCRAM-SHA-1", "n,,n=alice,r=abc", "c=biws,r=NONCE,p=AAAA", "not-authorized"},
		{"no proof", "SCRAM-SHA-1", "n,,n=alice,r=abc", "c=biws,r=NONCE", "malformed-request"},
		{"unknown account, SCRAM", "SCRAM-SHA-1", "n,,n=mallory,r=abc", "c=biws,r=NONCE,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "not-authorized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := r.dial(t)
			p.send(openMessage)
			p.want("<open", "<mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism>")
			p.sendf("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='%s'>%s</auth>", c.mech, b64(c.first))
			if c.second != "" {
				nonce, _, _ := strings.Cut(strings.TrimPrefix(saslText(t, p.next(), "challenge"), "r="), ",")
				p.sendf("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</response>", b64(strings.Replace(c.second, "NONCE", nonce, 1)))
			}
			p.want("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><" + c.want + "/></failure>")
			p.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>") // the server still accepts the login, and requests the rest
			p.want("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			p.sendf("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</response>", b64("\x00alice\x00ecila"))
			p.want("<success")
		})
	}
	t.Run("three times", func(t *testing.T) {
		p := r.dial(t)
		p.open()
		p.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>!</auth>")
		p.want("<failure <incorrect-encoding/>")
		p.send("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
		p.want("<failure <aborted/>")
		p.send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
		p.want("<failure <malformed-request/>", streamErr("policy-violation"), "<close", "closed 1000")
	})
}

func TestBindAndConflict(t *testing.T) {
	r := newRig(t, Config{})
	first := r.session(t, "alice", "same")
	second := r.session(t, "alice", "same", available)
	first.want(streamErr("conflict"), "<close", "closed 1000")
	second.quiet()
	if got := r.Sessions("alice"); !slices.Equal(got, []string{"alice@localhost/same"}) {
		t.Errorf("sessions %q", got)
	}
	second.send("<iq xmlns='jabber:client' type='set' id='b2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	second.want("type='error' id='b2' <not-allowed")
	second.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
	second.want("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "closed 1000")
	for range 100 {
		if len(r.Sessions("alice@localhost")) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the session outlives its stream")
}

func TestCloseEndsSessions(t *testing.T) {
	r := newRig(t, Config{})
	p, raw := r.session(t, "alice", "a"), r.dial(t)
	r.Hold(func(string, string) bool { return true }) // must not keep the server from closing
	done := make(chan struct{})
	go func() {
		r.Close()
		close(done)
	}()
	p.want(streamErr("system-shutdown"), "<close", "closed 1000")
	raw.want("<open", streamErr("system-shutdown"), "<close", "closed 1000")
	<-done
	_, resp, err := websocket.Dial(t.Context(), r.url, &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after Close: %v", err)
	}
}

func TestLogKeepsSecrets(t *testing.T) {
	r := newRig(t, Config{})
	p := r.dial(t)
	p.open()
	p.sendf("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s", b64("\x00alice\x00ecila")) // not even well-formed
	p.want(streamErr("not-well-formed"))
	r.session(t, "alice", "a")
	sent := 0
	for _, f := range r.Log() {
		if strings.Contains(f.XML, b64("\x00alice\x00ecila")) {
			t.Errorf("the password is in the log: %+v", f)
		}
		if !f.Out && strings.Contains(f.XML, "…") {
			sent++
		}
	}
	if sent != 2 {
		t.Errorf("%d redacted messages, want 2", sent)
	}
	last := r.Log()[len(r.Log())-1]
	if last.Session != "alice@localhost/a" || !last.Out || last.At.IsZero() || !strings.Contains(last.XML, "quiet") {
		t.Errorf("last frame %+v", last)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []Config{
		{Domain: "a b"},
		{Domain: "a@b"},
		{Mechanisms: []string{"SCRAM-SHA-224"}},
		{Accounts: map[string]string{"": "x"}},
		{Accounts: map[string]string{"a@b": "x"}},
		{Accounts: map[string]string{"a": ""}},
	} {
		if _, err := New(cfg); err == nil || !strings.HasPrefix(err.Error(), "mem: ") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
