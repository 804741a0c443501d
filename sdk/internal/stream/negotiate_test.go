package stream_test

import (
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/stream"
)

// The parts of a good dialogue.
const (
	opened = `
do opened
= timer 20s
C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>
`
	serverOpen = `
S: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='x' xml:lang='en' version='1.0'/>
`
	asked = opened + serverOpen + `
S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>
= timer none
= need SCRAM-SHA-256 SCRAM-SHA-1
`
	challenged = asked + `
do password pencil
= timer 20s
C! <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>{n,,n=user,r=rOprNGfwEbeRWgbNEkqO}</auth>
`
	deriving = challenged + `
S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096}</challenge>
= timer none
= derive SHA-256 4096
`
	proved = deriving + `
do derived
= timer 20s
C! <response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=}</response>
`
	loggedIn = proved + `
S: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=}</success>
= authenticated SCRAM-SHA-256
C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>
` + serverOpen
	asksBind = loggedIn + `
S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>
C: <iq xmlns='jabber:client' type='set' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
`
	bound = asksBind + `
S: <iq xmlns='jabber:client' type='result' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@example.org/r1</jid></bind></iq>
= timer 30s
= bound user@example.org/r1
`
	closes = `
C: <close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>
`
)

func TestLogin(t *testing.T) {
	play(t, config(), bound)
}

func TestResourceIsAskedFor(t *testing.T) {
	cfg := config()
	cfg.Resource = "web'<&>"
	play(t, cfg, loggedIn+`
S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>
C: <iq xmlns='jabber:client' type='set' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>web&apos;&lt;&amp;&gt;</resource></bind></iq>
# The server may choose another.
S: <iq xmlns='jabber:client' type='result' id='id1' from='example.org' to='user@example.org/other'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>User@Example.ORG/other</jid></bind></iq>
= timer 30s
= bound user@example.org/other
`)
}

func TestPlain(t *testing.T) {
	const offer = opened + serverOpen + `
S: <features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></features>
`
	play(t, config(), offer+`
= timer none
= need PLAIN
do password pencil
= timer 20s
C! <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{\0user\0pencil}</auth>
S: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
= authenticated PLAIN
C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>
`)
	cfg := config()
	cfg.Encrypted = false
	play(t, cfg, offer+closes+"= hangup tls-required: wss:")
	cfg = config()
	cfg.Mechanisms = []string{"SCRAM-SHA-256", "SCRAM-SHA-1"}
	play(t, cfg, offer+closes+"= hangup auth: PLAIN")
}

// TestProofAsChallenge: the server's proof may come before an empty success.
func TestProofAsChallenge(t *testing.T) {
	play(t, config(), proved+`
S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=}</challenge>
C! <response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>
S: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</success>
= authenticated SCRAM-SHA-256
C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>
`)
}

// TestNegotiationFails: one line from the server ends the negotiation.
func TestNegotiationFails(t *testing.T) {
	const (
		sasl     = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
		framing  = "xmlns='urn:ietf:params:xml:ns:xmpp-framing'"
		bind     = "xmlns='urn:ietf:params:xml:ns:xmpp-bind'"
		features = "<features xmlns='http://etherx.jabber.org/streams'/>"
		abort    = "C: <abort " + sasl + "/>"
		first    = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ=="
	)
	challenge := func(text string) string { return "<challenge " + sasl + ">{" + text + "}</challenge>" }
	success := func(text string) string { return "<success " + sasl + ">" + text + "</success>" }
	result := func(jid string) string {
		return "<iq xmlns='jabber:client' type='result' id='id1'><bind " + bind + "><jid>" + jid + "</jid></bind></iq>"
	}
	for _, c := range []struct{ name, before, message, abort, hangup string }{
		{"not open", opened, features, "", "protocol: wrong moment"},
		{"open in no namespace", opened, "<open from='example.org' version='1.0'/>", "", "protocol: wrong moment"},
		{"close instead of open", opened, "<close " + framing + " see-other-uri='wss://evil.example/'/>", "", "stream retry: closed the stream"},
		{"stanza before open", opened, "<message xmlns='jabber:client'/>", "", "protocol: wrong moment"},
		{"wrong from", opened + "S: <open " + framing + " from='evil.example' version='1.0'/>\n= timer 2s", features, "", `protocol: "evil.example"`},
		{"no from", opened + "S: <open " + framing + " version='1.0'/>\n= timer 2s", features, "", "protocol: calls itself"},
		{"namespaced from", opened + "S: <open " + framing + " xmlns:x='urn:x' x:from='example.org' version='1.0'/>\n= timer 2s", features, "", "protocol: calls itself"},
		{"from with localpart", opened + "S: <open " + framing + " from='user@example.org' version='1.0'/>\n= timer 2s", features, "", "protocol: calls itself"},
		{"no version", opened + "S: <open " + framing + " from='example.org'/>\n= timer 2s", features, "", "protocol: version"},
		{"version 2", opened + "S: <open " + framing + " from='example.org' version='2.0'/>\n= timer 2s", features, "", `protocol: "2.0"`},
		{"unknown host", opened + "S: <open " + framing + " version='1.0'/>\n= timer 2s",
			"<error xmlns='http://etherx.jabber.org/streams'><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>No such host</text></error>",
			"", "stream host-unknown: No such host"},
		{"two opens", opened + serverOpen, strings.TrimPrefix(strings.TrimSpace(serverOpen), "S: "), "", "protocol: wrong moment"},
		{"F7 empty features", opened + serverOpen, features, "", "protocol: offers no login"},
		{"features with bind, without login", opened + serverOpen,
			"<features xmlns='http://etherx.jabber.org/streams'><bind " + bind + "/></features>", "", "protocol: offers no login"},
		{"no mechanism", opened + serverOpen,
			"<features xmlns='http://etherx.jabber.org/streams'><mechanisms " + sasl + "/></features>", "", "protocol: offers no login"},
		{"only -PLUS", opened + serverOpen,
			"<features xmlns='http://etherx.jabber.org/streams'><mechanisms " + sasl + "><mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms></features>",
			"", "auth: SCRAM-SHA-256-PLUS"},
		{"unsolicited success", asked, success(""), "", "protocol: wrong moment"},
		{"early success", challenged, success(""), "", "auth: wrong moment"},
		{"early success with a proof", challenged, success("{v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=}"), "", "auth: wrong moment"},
		{"features instead of a challenge", challenged, features, "", "protocol: wrong moment"},
		{"F9 challenge ends in a comma", challenged, challenge(first + ",i=4096,"), abort, "auth: RFC 5802"},
		{"F9 empty iteration count", challenged, challenge(first + ",i="), abort, "auth: RFC 5802"},
		{"F9 one iteration", challenged, challenge(first + ",i=1"), abort, "auth: iterations"},
		{"F9 too many iterations", challenged, challenge(first + ",i=2000000000"), abort, "auth: iterations"},
		{"F9 our own nonce", challenged, challenge("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"), abort, "auth: nonce"},
		{"a challenge while the key is derived", deriving, challenge(first + ",i=4096"), "", "protocol: wrong moment"},
		{"success while the key is derived", deriving, success("{v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=}"), "", "protocol: wrong moment"},
		{"failure while the key is derived", deriving, "<failure " + sasl + "><temporary-auth-failure/></failure>", "", "auth temporary-auth-failure retry: refused"},
		{"data after the proof", proved + "S: " + challenge("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") + "\nC! <response " + sasl + ">=</response>\n", success("{v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=}"), "", "auth: wrong moment"},
		{"empty challenge", challenged, "<challenge " + sasl + "/>", abort, "auth: RFC 5802"},
		{"challenge without base64", challenged, "<challenge " + sasl + ">!</challenge>", abort, "auth: base64"},
		{"challenge with a line break", challenged, "<challenge " + sasl + ">cj0x&#xA;</challenge>", abort, "auth: base64"},
		{"success without a proof", proved, success(""), "", "auth: proving"},
		{"success with an empty proof", proved, success("="), "", "auth: proving"},
		{"wrong proof", proved, success("{v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=}"), "", "auth: prove"},
		{"proof without base64", proved, success("v=x"), "", "auth: base64"},
		{"wrong proof as a challenge", proved, challenge("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), abort, "auth: prove"},
		{"server error in success", proved, success("{e=other-error}"), "", "auth: other-error"},
		{"wrong password", proved, "<failure " + sasl + "><not-authorized/><text xml:lang='en'>No.</text></failure>", "", "auth not-authorized: wrong account or password"},
		{"disabled account", challenged, "<failure " + sasl + "><account-disabled/></failure>", "", "auth account-disabled: refused"},
		{"failure for now", proved, "<failure " + sasl + "><temporary-auth-failure/></failure>", "", "auth temporary-auth-failure retry: refused"},
		{"failure without a condition", proved, "<failure " + sasl + "/>", "", "auth: refused"},
		{"no bind", loggedIn, features, "", "protocol: resource binding"},
		{"bound to another account", asksBind, result("eve@example.org/r"), "", `protocol: "eve@example.org/r"`},
		{"bound to another domain", asksBind, result("user@evil.example/r"), "", "protocol: full JID"},
		{"bound to a bare JID", asksBind, result("user@example.org"), "", "protocol: full JID"},
		{"bound to no JID", asksBind, result(""), "", "protocol: full JID"},
		{"bound to nonsense", asksBind, result("@/@"), "", "protocol: full JID"},
		{"bound to nothing", asksBind, "<iq xmlns='jabber:client' type='result' id='id1'/>", "", "protocol: full JID"},
		{"bind answered with a request", asksBind, "<iq xmlns='jabber:client' type='get' id='id1'/>", "", "protocol: wrong moment"},
		{"bind refused", asksBind,
			"<iq xmlns='jabber:client' type='error' id='id1'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
			"", "stream not-allowed: bind"},
		{"too many resources", asksBind,
			"<iq xmlns='jabber:client' type='error' id='id1'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
			"", "stream resource-constraint retry: bind"},
		{"resource in use", asksBind,
			"<iq xmlns='jabber:client' type='error' id='id1'><error type='modify'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
			"", "conflict conflict: bind"},
		{"bind error without an error", asksBind, "<iq xmlns='jabber:client' type='error' id='id1'/>", "", "stream: bind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, config(), c.before+"\nS: "+c.message+"\n"+c.abort+closes+"= hangup "+c.hangup+"\nS: "+c.message+"\ndo opened\ndo tick\ndo close")
		})
	}
}

// TestBindAnswerIsRecognised: only an iq with our id answers (F6).
func TestBindAnswerIsRecognised(t *testing.T) {
	play(t, config(), asksBind+`
S: <iq xmlns='jabber:client' type='result' id='id2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@example.org/no</jid></bind></iq>
= dropped before
S: <message xmlns='jabber:client' id='id1' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@example.org/no</jid></bind></message>
= dropped before
S: <iq xmlns='jabber:client' type='result' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@example.org/r1</jid></bind></iq>
= timer 30s
= bound user@example.org/r1
`)
}

func TestCredentials(t *testing.T) {
	play(t, config(), asked+"do no password"+closes+"= hangup aborted: password")
	play(t, config(), asked+"do password"+closes+"= hangup aborted: password")
	play(t, config(), asked+"do password \xff"+closes+"= hangup auth: UTF-8")
	play(t, config(), "do password pencil\n"+opened+"do password pencil\n"+serverOpen+"do password pencil")
	play(t, config(), challenged+"do password pencil")

	play(t, config(), deriving+"do underived\nC: <abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"+closes+"= hangup timeout retry: took too long\ndo derived")
	play(t, config(), deriving+"do close"+closes+"= hangup\ndo derived")
	play(t, config(), deriving+"do closed\n= hangup transport retry: lost\ndo derived")
	play(t, config(), "do derived\n"+opened+"do derived\n"+serverOpen+"do derived")
	play(t, config(), proved+"do derived")
	cfg := config()
	cfg.Used = "SCRAM-SHA-512"
	play(t, cfg, strings.TrimSuffix(asked, "= timer none\n= need SCRAM-SHA-256 SCRAM-SHA-1\n")+closes+"= hangup weaker-login: SCRAM-SHA-512, with which")
	cfg.Mechanisms = []string{"SCRAM-SHA-256", "SCRAM-SHA-1"}
	play(t, cfg, bound)
	cfg.Mechanisms, cfg.Used = nil, "SCRAM-SHA-256"
	play(t, cfg, strings.Replace(asked, "SCRAM-SHA-256 SCRAM-SHA-1\n", "SCRAM-SHA-256\n", 1))

	s, _ := stream.New(config())
	s.Step(start, stream.Opened{})
	if out := s.Step(start, stream.Credentials{Password: "pencil"}); out != nil {
		t.Errorf("unsolicited credentials: %v", out)
	}
}

func TestDeadline(t *testing.T) {
	for name, c := range map[string]struct{ before, waits string }{
		"open":     {opened, "<open/>"},
		"features": {opened + serverOpen, "<stream:features/>"},
		"bad open": {opened + "S: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='evil.example' version='1.0'/>\n= timer 2s", "evil"},
		"auth":     {challenged, "login"},
		"proof":    {proved, "login"},
		"bind":     {asksBind, "bind"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "bad open" {
				play(t, config(), c.before+"\ndo later 1s\n= timer 1s\ndo later 1s"+closes+"= hangup protocol: "+c.waits)
				return
			}
			play(t, config(), c.before+"\ndo later 19s\n= timer 1s\ndo later 1s"+closes+"= hangup timeout retry: "+c.waits)
			// After a sleep the server has 5 seconds, and never more than it had before.
			play(t, config(), c.before+"\ndo later 2s\n= timer 18s\ndo probe\n= timer 5s\ndo probe\ndo later 5s"+closes+"= hangup timeout retry: "+c.waits)
			play(t, config(), c.before+"\ndo later 19s\n= timer 1s\ndo probe\ndo later 1s"+closes+"= hangup timeout retry: "+c.waits)
		})
	}
	// A negotiation that continues has the time that it had left before the sleep.
	play(t, config(), opened+"do later 2s\n= timer 18s\ndo probe\n= timer 5s"+serverOpen+"= timer 18s\ndo later 18s"+closes+"= hangup timeout retry: features")
	// A device may take minutes to derive the key, and the caller has a deadline.
	play(t, config(), deriving+"do later 1m\ndo tick\ndo probe"+strings.TrimPrefix(proved, deriving)+"do later 19s\n= timer 1s")
	// A person may take an hour to type the password.
	play(t, config(), asked+"do later 1h\ndo tick\ndo probe"+strings.TrimPrefix(challenged, asked)+"do later 19s\n= timer 1s")
}

func TestNew(t *testing.T) {
	for name, change := range map[string]func(*stream.Config){
		"no account":   func(c *stream.Config) { c.Account = jid.JID{} },
		"domain":       func(c *stream.Config) { c.Account = jid.MustParse("example.org") },
		"full JID":     func(c *stream.Config) { c.Account = jid.MustParse("user@example.org/r") },
		"no nonce":     func(c *stream.Config) { c.Nonce = nil },
		"no id":        func(c *stream.Config) { c.ID = nil },
		"bad resource": func(c *stream.Config) { c.Resource = "a\x00b" },
	} {
		cfg := config()
		change(&cfg)
		if _, err := stream.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
