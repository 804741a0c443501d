package stream_test

import (
	"errors"
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
		{"nonza", "<r xmlns='urn:xmpp:sm:3'/>", "fits nothing", ""},
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
		{"request without id", "<iq " + client + " type='get' from='a@b/c'>" + query + "</iq>", "without an id", ""},
		{"empty request without id", "<iq " + client + " type='get' from='a@b/c'/>", "exactly one", ""},
		{"result without id", "<iq " + client + " type='result'/>", "without an id", ""},
		{"error with empty id", "<iq " + client + " type='error' id=''/>", "without an id", ""},
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
= dropped Not sent
do send <stream xmlns='jabber:client'/>
= dropped Not sent
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

func TestStreamErrors(t *testing.T) {
	for condition, want := range map[string]string{
		"conflict":               "conflict conflict",
		"policy-violation":       "stream policy-violation",
		"host-unknown":           "stream host-unknown",
		"host-gone":              "stream host-gone",
		"not-authorized":         "stream not-authorized",
		"see-other-host":         "stream see-other-host retry",
		"system-shutdown":        "stream system-shutdown retry",
		"reset":                  "stream reset retry",
		"connection-timeout":     "stream connection-timeout retry",
		"resource-constraint":    "stream resource-constraint retry",
		"something-of-next-year": "stream something-of-next-year retry",
	} {
		t.Run(condition, func(t *testing.T) {
			message := "S: <stream:error xmlns:stream='http://etherx.jabber.org/streams'><" + condition +
				" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Said the server</text></stream:error>"
			for _, before := range []string{opened, asked, proved, asksBind, bound} {
				play(t, config(), before+message+closes+"= hangup "+want+": Said the server\n"+message)
			}
		})
	}
	play(t, config(), bound+"S: <error xmlns='http://etherx.jabber.org/streams'/>"+closes+"= hangup stream retry: ended the stream.")
	play(t, config(), bound+"S: <error xmlns='http://etherx.jabber.org/streams'><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"+
		strings.Repeat("é", 10_000)+"</text></error>"+closes+"= hangup stream retry: "+strings.Repeat("é", 100)+"…")
}

// TestNotXMPP: what is no element ends the stream with the error it deserves.
func TestNotXMPP(t *testing.T) {
	for message, condition := range map[string]string{
		"":                                    "not-well-formed",
		"HTTP/1.1 502 Bad Gateway":            "not-well-formed",
		"</stream:stream>":                    "not-well-formed",
		"<message xmlns='jabber:client'>":     "not-well-formed",
		"<message xmlns='jabber:client'/><a/": "not-well-formed",
		"<message xmlns='jabber:client'/><presence xmlns='jabber:client'/>":                          "not-well-formed",
		"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>":              "not-well-formed",
		"<!DOCTYPE html><html></html>":                                                               "restricted-xml",
		"<message xmlns='jabber:client'><!-- x --></message>":                                        "restricted-xml",
		"<message xmlns='jabber:client'><body>&bomb;</body></message>":                               "restricted-xml",
		"<message xmlns='jabber:client' from='a@b' from='user@example.org'/>":                        "not-well-formed",
		"<message xmlns='jabber:client'><body>\xff</body></message>":                                 "not-well-formed",
		"<message xmlns='jabber:client'><body>&#xD800;</body></message>":                             "not-well-formed",
		"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' version='1.0'></opem>": "not-well-formed",
	} {
		for _, before := range []string{opened, asked, proved, asksBind, bound} {
			play(t, config(), before+"\nS: "+message+
				"\nC: <error xmlns='http://etherx.jabber.org/streams'><"+condition+" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"+
				closes+"= hangup protocol retry: not an XMPP message")
		}
	}
	for _, before := range []string{opened, asked, proved, asksBind} {
		play(t, config(), before+"\nS: <x:message xmlns='jabber:client'/>"+
			"\nC: <error xmlns='http://etherx.jabber.org/streams'><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"+
			closes+"= hangup protocol retry: not an XMPP message")
	}
	const tcp = "S: <stream xmlns='http://etherx.jabber.org/streams' version='1.0'/>"
	play(t, config(), opened+tcp+closes+"= hangup protocol: TCP")
	play(t, config(), bound+tcp+closes+"= hangup protocol: TCP")
	// Before the log-in 64 KiB are the limit, and a message beyond it is fatal.
	play(t, config(), opened+strings.Replace(strings.TrimSpace(serverOpen), "/>", ">"+strings.Repeat("x", 64<<10)+"</open>", 1)+
		"\nC: <error xmlns='http://etherx.jabber.org/streams'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"+
		closes+"= hangup protocol retry: not an XMPP message")
}

func TestClose(t *testing.T) {
	const (
		serverCloses = "S: <close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
		message      = "<message xmlns='jabber:client'/>"
		closing      = bound + "do close" + closes + "= timer 2s\n"
	)
	// Ours.
	play(t, config(), closing+serverCloses+"\n= hangup\n"+serverCloses+"\ndo tick\ndo closed")
	play(t, config(), closing+"do close\ndo later 1s\n= timer 1s\ndo later 1s\n= hangup")
	play(t, config(), closing+"do closed!\n= hangup")
	play(t, config(), closing+"S: <error xmlns='http://etherx.jabber.org/streams'/>\n= hangup")
	play(t, config(), closing+"S: garbage\n= hangup")
	// What was on its way still arrives, but nothing is said any more.
	play(t, config(), closing+"S: "+message+"\n= deliver "+message+`
S: <iq xmlns='jabber:client' type='get' id='1'/>
= dropped exactly one
do send `+message+"\n"+serverCloses+"\n= hangup")
	// Before the session.
	play(t, config(), "do close\n= hangup\ndo opened")
	for _, before := range []string{opened, asked, challenged, asksBind} {
		play(t, config(), before+"do close"+closes+"= hangup\ndo close")
	}
	// The server's.
	for _, before := range []string{opened, asked, proved, asksBind, bound} {
		play(t, config(), before+serverCloses+closes+"= hangup stream retry: closed the stream\ndo closed")
	}
}

func TestClosed(t *testing.T) {
	for _, before := range []string{"", opened, asked, proved, bound} {
		play(t, config(), before+"\ndo closed!\n= hangup transport retry: lost\ndo closed")
		play(t, config(), before+"\ndo closed\n= hangup transport retry: lost\ndo opened")
	}
	s := session(t)
	cause := errors.New("broken pipe")
	out := s.Step(start, stream.Closed{Err: cause})
	if err := out[0].(stream.Hangup).Err; !errors.Is(err, cause) {
		t.Errorf("%v does not wrap the cause", err)
	}
}

func TestErrorText(t *testing.T) {
	s := session(t)
	out := s.Step(start, stream.Message{Text: "<error xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"})
	err := out[len(out)-1].(stream.Hangup).Err
	if got, want := err.Error(), "stream: The server ended the stream with reset."; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
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

// TestUndeclaredStreamError reads the stream errors of Prosody 13.0, whose prefix
// is not declared (transcripts of 13.0.1), and nothing that is only like them.
func TestUndeclaredStreamError(t *testing.T) {
	const (
		streams = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
		replace = "<stream:error><conflict " + streams + "/><text " + streams + ">Replaced by new connection</text></stream:error>"
		deleted = "<stream:error><not-authorized " + streams + "/><text " + streams + ">Account deleted</text></stream:error>"
	)
	for _, before := range []string{opened, asked, deriving, proved, asksBind, bound} {
		play(t, config(), before+"\nS: "+replace+closes+"= hangup conflict conflict: Replaced by new connection")
		play(t, config(), before+"\nS: "+deleted+closes+"= hangup stream not-authorized: Account deleted")
	}
	play(t, config(), bound+"do close"+closes+"= timer 2s\nS: "+replace+"\n= hangup")
	for _, message := range []string{
		"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
		"<stream:errors><conflict " + streams + "/></stream:errors>",
		"<Stream:error><conflict " + streams + "/></Stream:error>",
		"<s:error><conflict " + streams + "/></s:error>",
		"<stream:error><stream:conflict x:y='z'/></stream:error>",
		"<message xmlns='jabber:client'><stream:error><conflict " + streams + "/></stream:error></message>",
		"<stream:message xmlns='jabber:client'><stream:error><conflict " + streams + "/></stream:error></stream:message>",
	} {
		play(t, config(), bound+"S: "+message+"\n= dropped prefix"+arrives)
	}
	for _, message := range []string{
		" " + replace, replace + replace, replace + "<stream:error>", "<stream:error>", "<stream:error><conflict>",
		"<stream:error><!-- --></stream:error>", "<stream:error>&x;</stream:error>",
	} {
		s := session(t)
		out := s.Step(start, stream.Message{Text: message})
		if h, ok := out[len(out)-1].(stream.Hangup); !ok || h.Err.Code != stream.CodeProtocol {
			t.Errorf("%q became %#v", message, out)
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
