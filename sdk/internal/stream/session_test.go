package stream_test

import (
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/stream"
)

// TestStanzas: what a stranger or the server sends in a session, and what
// becomes of it. Nothing ends the session.
func TestStanzas(t *testing.T) {
	const (
		client  = "xmlns='jabber:client'"
		query   = "<query xmlns='urn:q'/>"
		refused = "C: <iq " + client + " type='error' id='1' to='a@b/c'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
		forgery = "<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"
	)
	for _, c := range []struct{ name, message, dropped, reply string }{
		{"message", "<message " + client + " from='a@b/c' to='user@example.org'><body>hi</body></message>", "", ""},
		{"presence", "<presence " + client + "/>", "", ""},
		{"request", "<iq " + client + " type='get' id='1' from='a@b/c'>" + query + "</iq>", "", ""},
		{"request with white space", "<iq " + client + " type='set' id='1'> " + query + " </iq>", "", ""},
		{"result", "<iq " + client + " type='result' id='1' from='a@b/c'/>", "", ""},
		{"error", "<iq " + client + " type='error' id='1'/>", "", ""},
		{"message of type error", "<message " + client + " type='error'/>", "", ""},

		{"other namespace", "<message xmlns='jabber:server'/>", "not an iq", ""},
		{"no namespace", "<iq type='get' id='1'><q/></iq>", "not an iq", ""},
		{"other element", "<query " + client + "/>", "not an iq", ""},
		{"nonza", "<r xmlns='urn:xmpp:sm:3'/>", "not expected in this state", ""},
		{"second open", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' version='1.0'/>", "not an iq", ""},
		{"late features", "<features xmlns='http://etherx.jabber.org/streams'/>", "not an iq", ""},
		{"late challenge", "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "not an iq", ""},

		{"F2 stream namespace", "<message " + client + " from='a@b'><e xmlns='http://etherx.jabber.org/streams'/></message>", "forgery", ""},
		{"F2 forged conflict", "<message " + client + "><x xmlns='urn:x'>" + forgery + "</x></message>", "forgery", ""},
		{"F2 in presence", "<presence " + client + ">" + forgery + "</presence>", "forgery", ""},
		{"F2 framing", "<message " + client + "><close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/></message>", "forgery", ""},
		{"F2 in a request", "<iq " + client + " type='get' id='1' from='a@b/c'>" + forgery + "</iq>", "forgery", refused},
		{"F2 in a result", "<iq " + client + " type='result' id='1' from='a@b/c'>" + forgery + "</iq>", "forgery", ""},
		{"F3 empty request", "<iq " + client + " type='get' id='1' from='a@b/c'/>", "exactly one", refused},
		{"F3 text only", "<iq " + client + " type='set' id='1' from='a@b/c'>text</iq>", "exactly one", refused},
		{"two children", "<iq " + client + " type='set' id='1' from='a@b/c'>" + query + query + "</iq>", "exactly one", refused},
		{"no type", "<iq " + client + " id='1' from='a@b/c'>" + query + "</iq>", "type", refused},
		{"unknown type", "<iq " + client + " type='GET' id='1' from='a@b/c'>" + query + "</iq>", "type", refused},
		{"no type, no id", "<iq " + client + " from='a@b/c'>" + query + "</iq>", "type", ""},
		{"request without id", "<iq " + client + " type='get' from='a@b/c'>" + query + "</iq>", "has no id", ""},
		{"empty request without id", "<iq " + client + " type='get' from='a@b/c'/>", "exactly one", ""},
		{"result without id", "<iq " + client + " type='result'/>", "has no id", ""},
		{"error with empty id", "<iq " + client + " type='error' id=''/>", "has no id", ""},
		{"refused without from", "<iq " + client + " type='get' id='1'/>", "exactly one", strings.Replace(refused, " to='a@b/c'", "", 1)},
		{"F4 bad from", "<message " + client + " from='@x'/>", "from is not a JID", ""},
		{"F4 empty from", "<message " + client + " from=''/>", "from is not a JID", ""},
		{"F4 bad to", "<message " + client + " to='a@/x'/>", "to is not a JID", ""},
		{"F4 bad from in a bad request", "<iq " + client + " type='get' id='1' from='@x'/>", "from is not a JID", ""},
		{"too deep", "<message " + client + ">" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</message>", "deep", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := "= deliver " + c.message
			if c.dropped != "" {
				want = "= dropped " + c.dropped + "\n" + c.reply
			}
			const next = "<message xmlns='jabber:client'><body>next</body></message>"
			play(t, config(), bound+"S: "+c.message+"\n"+want+"\nS: "+next+"\n= deliver "+next)
		})
	}
}

// TestForgedFrom (F1): a from in a namespace is no from, whatever its prefix.
func TestForgedFrom(t *testing.T) {
	s := session(t)
	out := s.Step(start, stream.Message{Text: "<message xmlns='jabber:client' xmlns:x='jabber:client' x:from='user@example.org' from='eve@evil.example/x' x:type='error'/>"})
	if len(out) != 1 {
		t.Fatalf("got %v", out)
	}
	e := out[0].(stream.Deliver).Stanza
	if from := e.Attr("from"); from != "eve@evil.example/x" {
		t.Errorf("from = %q", from)
	}
	if kind, ok := e.Lookup("type"); ok {
		t.Errorf("type = %q", kind)
	}
}

// session returns a bound stream.
func session(t testing.TB) *stream.Stream {
	t.Helper()
	s, err := stream.New(config())
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range goodInputs(t) {
		s.Step(start, in)
	}
	return s
}

func TestSend(t *testing.T) {
	const message = "<message xmlns='jabber:client' to='a@b'><body>&lt;&amp;</body></message>"
	play(t, config(), bound+"do send "+message+"\nC: "+message+`
do send <message xmlns='jabber:server'/>
= dropped did not send
do send <stream xmlns='jabber:client'/>
= dropped did not send
`)
	play(t, config(), "do send "+message+opened+"do send "+message+"\n"+serverOpen+"do send "+message)
	play(t, config(), asksBind+"do send "+message)

	s := session(t)
	if out := s.Step(start, stream.Send{}); len(out) != 1 {
		t.Errorf("sending nothing put out %v", out)
	}
	// F8: however large, a stanza is one message.
	sized := func(size int) stream.Send {
		e := element.New(ns.Client, "message").Add(element.New(ns.Client, "body"))
		e.First().AddText(strings.Repeat("x", size-len(e.String())-len("<body></body>")+len("<body/>")))
		return stream.Send{Stanza: e}
	}
	out := s.Step(start, sized(stream.MaxStanza))
	if w, ok := out[0].(stream.Write); len(out) != 1 || !ok || len(w.Text) != 64<<10 {
		t.Errorf("a large stanza became %d outputs", len(out))
	}
	// What servers would end the stream for is not sent.
	out = s.Step(start, sized(stream.MaxStanza+1))
	if d, ok := out[0].(stream.Dropped); len(out) != 1 || !ok || !strings.Contains(d.Err.Error(), "65537 bytes") {
		t.Errorf("a stanza that is too large became %v", out)
	}
	// Nor is the answer to a request with a huge id.
	out = s.Step(start, stream.Message{Text: "<iq xmlns='jabber:client' type='get' from='a@b/c' id='" + strings.Repeat("x", 70_000) + "'/>"})
	for _, o := range out {
		if _, ok := o.(stream.Dropped); !ok {
			t.Errorf("a request with a huge id led to %T", o)
		}
	}
}

// BenchmarkDeliver measures a stanza from the wire to Deliver.
func BenchmarkDeliver(b *testing.B) {
	s := session(b)
	const text = "<message xmlns='jabber:client' type='headline' from='user@example.org' to='user@example.org/r1' id='cQR67pu5Neg4lc'>" +
		"<notify xmlns='urn:xmpp:pam:0' ver='75eZgSr7p_dj-1' service='pubsub.example.org'><subscription xmlns='http://jabber.org/protocol/pubsub' " +
		"subscription='subscribed' jid='user@example.org' node='n1'/></notify></message>"
	b.ReportAllocs()
	for b.Loop() {
		if out := s.Step(start, stream.Message{Text: text}); len(out) != 1 {
			b.Fatal(out)
		}
	}
}

// TestNoStreamFeatures: what Prosody says to a connection that it takes for an
// open one is explained.
func TestNoStreamFeatures(t *testing.T) {
	const says = "S: <stream:error xmlns:stream='http://etherx.jabber.org/streams'><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>No stream features to proceed with</text></stream:error>"
	play(t, config(), opened+serverOpen+says+closes+"= hangup stream undefined-condition: consider_websocket_secure = true")
	play(t, config(), loggedIn+says+closes+"= hangup stream undefined-condition retry: No stream features to proceed with")
	play(t, config(), bound+says+closes+"= hangup stream undefined-condition retry: No stream features to proceed with")
}
