package stream_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/stream"
)

// The parts of a dialogue with stream management.
const (
	offersSM = loggedIn + `
S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>
`
	enables = offersSM + `
C: <iq xmlns='jabber:client' type='set' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
S: <iq xmlns='jabber:client' type='result' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@example.org/r1</jid></bind></iq>
= timer 30s
C: <enable xmlns='urn:xmpp:sm:3' resume='true'/>
= bound user@example.org/r1
`
	enabled = enables + `
S: <enabled xmlns='urn:xmpp:sm:3' id='sm1' resume='true'/>
`
	message = "<message xmlns='jabber:client' from='a@b'><body>hi</body></message>"
	arrives = "\nS: " + message + "\n= deliver " + message + "\n"
	ask     = "\nS: <r xmlns='urn:xmpp:sm:3'/>\n"
)

func ackSent(h int) string { return fmt.Sprintf("\nC: <a xmlns='urn:xmpp:sm:3' h='%d'/>\n", h) }

// TestAcknowledgements checks that only handled and saved stanzas are acknowledged.
func TestAcknowledgements(t *testing.T) {
	for name, script := range map[string]string{
		"no stanza":               enabled + ask + ackSent(0),
		"not handled":             enabled + arrives + ask + ackSent(0),
		"handled, not saved":      enabled + arrives + "do handled 1" + ask + ackSent(0),
		"saved":                   enabled + arrives + "do handled 1\ndo saved 1" + ask + ackSent(1),
		"saved, but not handled":  enabled + arrives + "do saved 1" + ask + ackSent(0),
		"a dropped stanza counts": enabled + "S: <iq xmlns='jabber:client' type='result'/>\n= dropped has no id\ndo saved 1" + ask + ackSent(1),
		"a dropped stanza waits for earlier ones": enabled + arrives + "S: <iq xmlns='jabber:client' type='result'/>\n= dropped has no id\ndo saved 2" + ask + ackSent(0) + "do handled 1\ndo saved 2" + ask + ackSent(2),
		"before enabled":      enables + arrives + "S: <enabled xmlns='urn:xmpp:sm:3'/>" + arrives + "do handled 2\ndo saved 1" + ask + ackSent(1),
		"before sleep":        enabled + arrives + "do handled 1\ndo saved 1\ndo sleep" + ackSent(1) + "do sleep",
		"before the end":      enabled + arrives + "do handled 1\ndo saved 1\ndo close" + ackSent(1) + closes + "= timer 2s",
		"asked after the end": enabled + "do close\n" + closes + "= timer 2s" + ask + "S: <a xmlns='urn:xmpp:sm:3' h='1'/>\nS: <close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>\n= hangup",
		"refused":             enables + "S: <failed xmlns='urn:xmpp:sm:3'/>\n" + ask + "= dropped not expected in this state",
		"too high":            enabled + "S: <a xmlns='urn:xmpp:sm:3' h='1'/>\n" + tooHigh("1", "0") + closes + "= hangup protocol retry: no count",
	} {
		t.Run(name, func(t *testing.T) { play(t, config(), script) })
	}
}

// TestLiveness: a silent server is asked, and left if it stays silent.
func TestLiveness(t *testing.T) {
	const (
		r    = "\nC: <r xmlns='urn:xmpp:sm:3'/>\n"
		ping = "\nC: <iq xmlns='jabber:client' type='get' id='id1' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>\n"
		a    = "\nS: <a xmlns='urn:xmpp:sm:3' h='0'/>\n"
	)
	for name, script := range map[string]string{
		"silence":            enabled + "do later 30s" + r + "= timer 10s\ndo later 10s\n= hangup timeout retry: silent for 40 seconds",
		"answer":             enabled + "do later 30s" + r + "= timer 10s" + a + "do later 10s\n= timer 20s",
		"without management": bound + "do later 30s" + ping + "= timer 10s\nS: <iq xmlns='jabber:client' type='result' id='id1' from='example.org'/>\ndo later 10s\n= timer 20s",
		"probe":              enabled + "do probe" + r + "= timer 5s\ndo later 5s\n= hangup timeout retry: silent",
		"probe after probe":  enabled + "do probe" + r + "= timer 5s\ndo later 3s\n= timer 2s\ndo probe\ndo later 2s\n= hangup timeout retry: silent",
		"older messages":     enabled + "do probe" + r + "= timer 5s\ndo later 3s\n= timer 2s\nS: <r xmlns='urn:xmpp:sm:3'/>\nC: <a xmlns='urn:xmpp:sm:3' h='0'/>\ndo later 2s\n= timer 3s\ndo later 3s\n= hangup timeout retry: silent",
		"an older answer":    enabled + "do later 30s" + r + "= timer 10s\ndo probe" + ping + "= timer 5s" + a + "do later 5s\n= hangup timeout retry: silent",
		"the later answer":   enabled + "do later 30s" + r + "= timer 10s\ndo probe" + ping + "= timer 5s" + a + "S: <iq xmlns='jabber:client' type='result' id='id1' from='example.org'/>\ndo later 5s" + r + "= timer 25s",
		"sooner":             enabled + "do later 30s" + r + "= timer 10s\ndo probe" + ping + "= timer 5s\ndo later 5s\n= hangup timeout retry: silent",
		"slow timers":        enabled + "do later 1m" + r + "= timer 10s\ndo later 1m" + r + "= timer 5s\ndo later 1m\n= hangup timeout retry: silent",
		"slow, but alive":    enabled + "do later 1m" + r + "= timer 10s\ndo later 1m" + r + "= timer 5s" + a + "do later 1m" + r + "= timer 10s\ndo later 1m" + r + "= timer 5s",
		"slept":              enabled + "do later 1h" + r + "= timer 10s\ndo later 1h" + r + "= timer 5s\ndo later 5s\n= hangup timeout retry: silent",
	} {
		t.Run(name, func(t *testing.T) { play(t, config(), script) })
	}
}

func tooHigh(h, sent string) string {
	return "C: <error xmlns='http://etherx.jabber.org/streams'><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
		"<handled-count-too-high xmlns='urn:xmpp:sm:3' h='" + h + "' send-count='" + sent + "'/></error>"
}

// TestResume: what happens to a session of an earlier stream.
func TestResume(t *testing.T) {
	const (
		asks = offersSM + "C: <resume xmlns='urn:xmpp:sm:3' previd='sm1' h='4294967295'/>\n"
		on   = "\nS: <resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='%s'/>\n"
		one  = "<message xmlns='jabber:client' id='1'/>"
		two  = "<message xmlns='jabber:client' id='2'/>"
		r    = "\nC: <r xmlns='urn:xmpp:sm:3'/>\n"
		none = "\nC: <iq xmlns='jabber:client' type='set' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>\n"
		good = "= timer 30s\n= resumed user@example.org/r1\n"
	)
	for name, script := range map[string]string{
		"nothing had arrived": asks + fmt.Sprintf(on, "4294967295") + good + "C: " + one + "\nC: " + two + r,
		"one had":             asks + fmt.Sprintf(on, "0") + good + "C: " + two + r,
		"all had":             asks + fmt.Sprintf(on, "1") + good + ask + ackSent(4294967295) + arrives + "do handled 1\ndo saved 0" + ask + ackSent(0),
		"more had":            asks + fmt.Sprintf(on, "2") + tooHigh("2", "1") + closes + "= hangup protocol retry: no count",
		"stored, all had":     asks + fmt.Sprintf(on, "1") + good,
		"stored, more had":    asks + fmt.Sprintf(on, "2") + good + ask + ackSent(4294967295) + "S: <a xmlns='urn:xmpp:sm:3' h='2'/>\ndo send <message xmlns='jabber:client' id='3'/>\nC: <message xmlns='jabber:client' id='3'/>\n= timer 5s\nS: <a xmlns='urn:xmpp:sm:3' h='3'/>",
		"stored, fewer had":   asks + fmt.Sprintf(on, "4294967290") + tooHigh("4294967290", "1") + closes + "= hangup protocol retry: no count",
		"another session":     asks + "S: <resumed xmlns='urn:xmpp:sm:3' previd='sm2' h='0'/>" + closes + "= hangup protocol retry: resume the session",
		"failed":              asks + "S: <failed xmlns='urn:xmpp:sm:3'/>" + none,
		"failed with h":       asks + "S: <failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>" + none,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			cfg.Resume = &stream.Resumption{ID: "sm1", JID: jid.MustParse("user@example.org/r1"),
				H: 1<<32 - 1, Acked: 1<<32 - 1, Unacked: []string{one, two},
				Stored: strings.HasPrefix(name, "stored")}
			play(t, cfg, script)
		})
	}
}

// TestRepeated: what arrived before the cut and was not handled is sent again,
// and not delivered again, whether it had been delivered or dropped.
func TestRepeated(t *testing.T) {
	cfg := config()
	cfg.Resume = &stream.Resumption{ID: "sm1", JID: jid.MustParse("user@example.org/r1"), Seq: 2, H: 5, Seen: 3, Waiting: []uint32{6, 8}}
	again := "S: " + message + "\n"
	play(t, cfg, offersSM+`C: <resume xmlns='urn:xmpp:sm:3' previd='sm1' h='5'/>
S: <resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='0'/>
= timer 30s
= resumed user@example.org/r1
`+again+"do handled 1\ndo saved 7"+ask+ackSent(7)+"S: <iq xmlns='jabber:client' type='result'/>\n"+again+arrives+
		"do handled 1\ndo saved 8"+ask+ackSent(8)+"do handled 1\ndo saved 9"+ask+ackSent(9))
}

// TestCarriedOver interrupts a session, and resumes it from its exported state.
func TestCarriedOver(t *testing.T) {
	const identified = "S: <enabled xmlns='urn:xmpp:sm:3' id='sm1' resume='true'/>\n"
	const cut = "\ndo closed!\n= hangup transport retry: lost"
	asks := func(h int) string {
		return offersSM + fmt.Sprintf("C: <resume xmlns='urn:xmpp:sm:3' previd='sm1' h='%d'/>\n"+
			"S: <resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='0'/>\n= timer 30s\n= resumed user@example.org/r1\n", h)
	}
	const again = "S: " + message + "\n"
	for name, scripts := range map[string][2]string{
		// Another run may have to ask from there: the server must keep it.
		"handled, not saved": {enabled + arrives + "do handled 1" + cut, asks(0) + again + arrives + "do saved 1" + ask + ackSent(1) + "do handled 1\ndo saved 2" + ask + ackSent(2)},
		"handled and saved":  {enabled + arrives + "do handled 1\ndo saved 1" + cut, asks(1) + arrives + "do handled 1\ndo saved 2" + ask + ackSent(2)},
		// The first stanza to be handled is one that was not counted.
		"before enabled": {enables + arrives + identified + arrives + cut, asks(0) + again + "do handled 1\ndo saved 1" + ask + ackSent(0) + "do handled 1\ndo saved 1" + ask + ackSent(1)},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			cfg.Resume = play(t, cfg, scripts[0]).Resumption()
			play(t, cfg, scripts[1])
		})
	}
}

// TestCutAndResume cuts a session 10,000 times at random moments: both sides
// get every stanza once and in order.
func TestCutAndResume(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	now := time.Unix(0, 0)

	// The server: numbers of what it has, and what it still keeps.
	var got, sent, kept uint32 = 1<<32 - 4000, 1<<32 - 4000, 1<<32 - 4000
	state := &stream.Resumption{ID: "sm1", JID: jid.MustParse("user@example.org/r1"), H: sent, Acked: got}
	start := got
	delivered, written := sent, got // what the client has seen and sent

	for cycle := range 10_000 {
		cfg := config()
		cfg.Mechanisms = []string{"PLAIN"}
		cfg.Resume = state
		s, err := stream.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var step func(in stream.Input)
		resumed := false
		text := func(format string, args ...any) { step(stream.Message{Text: fmt.Sprintf(format, args...)}) }
		online := true
		step = func(in stream.Input) {
			for _, out := range s.Step(now, in) {
				switch out := out.(type) {
				case stream.Resumed:
					resumed = true
				case stream.Deliver:
					n, _ := strconv.ParseUint(out.Stanza.Attr("id"), 10, 32)
					if delivered++; uint32(n) != delivered {
						t.Fatalf("cycle %d: stanza %d was delivered as %d", cycle, n, delivered)
					}
				case stream.Hangup:
					if online {
						t.Fatalf("cycle %d: %v", cycle, out.Err)
					}
				case stream.Write:
					e, err := element.Parse(out.Text, nil)
					if err != nil {
						t.Fatal(err)
					}
					if online = online && (!resumed || random.IntN(40) > 0); !online || !resumed && e.Name.Space == "jabber:client" {
						continue // lost with the connection
					}
					if e.Name.Local == "a" {
						h, _ := strconv.ParseUint(e.Attr("h"), 10, 32)
						kept = uint32(h)
					}
					if e.Name.Local == "message" {
						n, _ := strconv.ParseUint(e.Attr("id"), 10, 32)
						if got++; uint32(n) != got {
							t.Fatalf("cycle %d: the server got stanza %d as %d", cycle, n, got)
						}
					}
					if e.Name.Local == "resume" {
						h, _ := strconv.ParseUint(e.Attr("h"), 10, 32)
						if int32(uint32(h)-kept) < 0 {
							t.Fatalf("cycle %d: the client asks from %d, but acknowledged %d", cycle, h, kept)
						}
						kept = uint32(h)
					}
				}
			}
		}
		step(stream.Opened{})
		text("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' version='1.0'/>")
		text("<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></features>")
		step(stream.Credentials{Password: "x"})
		text("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
		text("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' version='1.0'/>")
		online = true
		text("<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></features>")
		online = true
		text("<resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='%d'/>", got)
		for n := kept + 1; online && (int32(sent-n) >= 0 || random.IntN(2) > 0); n++ {
			text("<message xmlns='jabber:client' from='a@b' id='%d'/>", n)
			if int32(n-sent) > 0 {
				sent = n
			}
		}
		for online && random.IntN(8) > 0 {
			switch random.IntN(4) {
			case 0:
				written++
				step(stream.Send{Stanza: element.New("jabber:client", "message").Set("id", strconv.FormatUint(uint64(written), 10))})
			case 1:
				step(further(s, random.IntN(8)))
				step(stream.Saved{H: s.Resumption().H})
			case 2:
				text("<a xmlns='urn:xmpp:sm:3' h='%d'/>", got)
			case 3:
				text("<r xmlns='urn:xmpp:sm:3'/>")
			}
		}
		online = false
		step(stream.Closed{})
		state = s.Resumption() // What was not handled is sent again, and not delivered again.
		state.Replays = 0      // The server is not to lose the session.
	}
	if got-start < 5000 || sent-start < 4000 {
		t.Errorf("only %d and %d stanzas were sent, so the counts did not pass 2³²", got-start, sent-start)
	}
}
