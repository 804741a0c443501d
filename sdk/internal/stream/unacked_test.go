package stream_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/stream"
)

const (
	own   = "\ndo send <presence xmlns='jabber:client'/>\nC: <presence xmlns='jabber:client'/>\n"
	asks  = "C: <r xmlns='urn:xmpp:sm:3'/>\n"
	pings = "C: <iq xmlns='jabber:client' type='get' id='id1' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>\n"
)

func acks(h int) string { return fmt.Sprintf("\nS: <a xmlns='urn:xmpp:sm:3' h='%d'/>\n", h) }

// TestAskedAgain: every eight stanzas, and every five seconds, the server is asked
// what it has, however often it has answered; and it has 30 seconds to do so.
func TestAskedAgain(t *testing.T) {
	eight := strings.Repeat(own, 8)
	first := own + "= timer 5s\n" + strings.Repeat(own, 7)
	for name, script := range map[string]string{
		"eight, and eight again":     enabled + first + asks + acks(8) + eight + asks + acks(16) + eight + asks,
		"not while it is awaited":    enabled + first + asks + eight + eight + acks(8) + own + asks,
		"five seconds":               enabled + own + "= timer 5s\ndo later 5s\n" + asks + "= timer 25s" + acks(1) + own + "= timer 5s\ndo later 5s\n" + asks + "= timer 25s",
		"the oldest counts":          enabled + own + "= timer 5s\ndo later 4s\n= timer 1s" + own + "do later 1s\n" + asks + "= timer 25s",
		"five seconds after a part":  enabled + own + "= timer 5s" + own + "do later 5s\n" + asks + "= timer 25s" + acks(1) + "= timer 5s\ndo later 4s\n= timer 1s\ndo later 1s\n" + asks + "= timer 25s",
		"nothing to ask for":         enabled + own + "= timer 5s" + acks(1) + "do later 5s\n= timer 25s",
		"no answer":                  enabled + first + asks + "do later 29s\n= timer 1s" + arrives + "do later 1s\n= hangup timeout retry: acknowledged nothing within 30 seconds",
		"no answer, but asked again": enabled + first + asks + "do later 20s\n= timer 10s" + arrives + "do probe\n" + pings + "= timer 5s\ndo later 4s\n= timer 1s" + arrives + "do later 4s\n= timer 1s" + arrives + "do later 2s\n= hangup timeout retry: acknowledged nothing",
		"no answer, but messages":    enabled + first + asks + "do later 4s\n= timer 1s" + arrives + "do later 1s\n= timer 25s\ndo later 25s\n= hangup timeout retry: acknowledged nothing",
		"slept with both questions":  enabled + first + asks + "do probe\n" + pings + "do later 31s\n" + asks + "= timer 5s",
		"slept":                      enabled + first + asks + "do later 1h\n" + asks + "= timer 5s" + arrives + acks(8) + "do later 1h\n" + asks + "= timer 10s",
		"slow timers, and no answer": enabled + first + asks + arrives + "do later 1m\n" + asks + "= timer 5s" + arrives + "do later 4s\n= timer 1s" + arrives + "do later 1m\n= hangup timeout retry: acknowledged nothing",
	} {
		t.Run(name, func(t *testing.T) { play(t, config(), script) })
	}
}

// TestEnableRefused: what was counted for a session that cannot be resumed is
// forgotten.
func TestEnableRefused(t *testing.T) {
	s := play(t, config(), enables+own+strings.Repeat(own, 8)+"S: <failed xmlns='urn:xmpp:sm:3'/>\n"+strings.Repeat(own, 20)+
		"S: <a xmlns='urn:xmpp:sm:3' h='9'/>\n= dropped not expected in this state\nS: <enabled xmlns='urn:xmpp:sm:3' id='late' resume='true'/>\n= dropped not expected in this state\n"+ask+"= dropped not expected in this state")
	if r := s.Resumption(); r != nil {
		t.Errorf("it can be resumed: %+v", r)
	}
	// One that is never answered keeps no more than it may.
	play(t, config(), enables+strings.Repeat(own, 511))
	if s = play(t, config(), enables+strings.Repeat(own, 1100)+"S: <enabled xmlns='urn:xmpp:sm:3' id='late' resume='true'/>\n= dropped not expected in this state\n"+arrives); s.Resumption() != nil {
		t.Error("it can be resumed")
	}
}

// TestResumeRefused: nothing of the old session is taken over into the new one.
func TestResumeRefused(t *testing.T) {
	cfg := config()
	cfg.Resume = &stream.Resumption{ID: "old", Location: "wss://old.example/", JID: jid.MustParse("user@example.org/old"), Seq: 4, H: 100, Seen: 3, Waiting: []uint32{101, 103},
		Unsaved: 7, Early: 2, Acked: 50, Unacked: []string{"<message xmlns='jabber:client' id='old'/>"}, Replays: 1, Stored: true}
	const refused = offersSM + `
C: <resume xmlns='urn:xmpp:sm:3' previd='old' h='93'/>
S: <failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
C: <iq xmlns='jabber:client' type='set' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
`
	s := play(t, cfg, refused)
	if r := s.Resumption(); r != nil {
		t.Errorf("before the new session there is %+v", r)
	}
	begins := refused + strings.TrimPrefix(enables, offersSM+`
C: <iq xmlns='jabber:client' type='set' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
`)
	if r := play(t, cfg, begins+own).Resumption(); r != nil {
		t.Errorf("before <enabled/> there is %+v", r)
	}
	s = play(t, cfg, begins+"S: <enabled xmlns='urn:xmpp:sm:3' id='new' resume='true'/>"+ask+ackSent(0)+arrives+"do handled 1\ndo saved 1"+ask+ackSent(1)+own+"= timer 5s")
	if r := s.Resumption(); r == nil || fmt.Sprintf("%+v", *r) != fmt.Sprintf("%+v", stream.Resumption{ID: "new", JID: jid.MustParse("user@example.org/r1"), Seq: 1, H: 1, Unacked: []string{"<presence xmlns='jabber:client'/>"}}) {
		t.Errorf("the new session is %+v", r)
	}
	play(t, cfg, begins+"S: <enabled xmlns='urn:xmpp:sm:3' id='new' resume='true'/>"+own+"= timer 5s\nS: <a xmlns='urn:xmpp:sm:3' h='2'/>\n"+tooHigh("2", "1")+closes+"= hangup protocol retry: no count")
}

// TestCountTooHigh: only a session that an earlier run of the program stored may
// have sent more than is known, and only until it is resumed.
func TestCountTooHigh(t *testing.T) {
	cfg := config()
	cfg.Resume = &stream.Resumption{ID: "sm1", JID: jid.MustParse("user@example.org/r1"), H: 1, Acked: 5, Unacked: []string{"<message xmlns='jabber:client' id='6'/>"}, Stored: true}
	const resumed = offersSM + `
C: <resume xmlns='urn:xmpp:sm:3' previd='sm1' h='1'/>
S: <resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='9'/>
= timer 30s
= resumed user@example.org/r1
`
	play(t, cfg, resumed+acks(9)+own+"= timer 5s"+acks(10))
	play(t, cfg, resumed+own+"= timer 5s"+acks(11)+tooHigh("11", "10")+closes+"= hangup protocol retry: no count")
	play(t, cfg, resumed+acks(10)+tooHigh("10", "9")+closes+"= hangup protocol retry: no count")
}

// TestUnackedIsBounded: a server that acknowledges nothing ends the stream by its
// count or its size, and other entities cannot fill the queue.
func TestUnackedIsBounded(t *testing.T) {
	for _, size := range []int{0, 100, 5_000, 60_000} {
		s := countingSession(t)
		e := element.New(ns.Client, "message").Add(element.New(ns.Client, "body").AddText(strings.Repeat("x", size)))
		sent := 0
		for over := false; !over; sent++ {
			for _, out := range s.Step(start, stream.Send{Stanza: e}) {
				h, hangup := out.(stream.Hangup)
				over = over || hangup
				if hangup && (h.Err.Code != stream.CodeTimeout || !h.Err.Retry) {
					t.Errorf("%+v", h.Err)
				}
			}
			if sent > 600 {
				t.Fatalf("%d stanzas of %d bytes are kept", sent, size)
			}
		}
		r := s.Resumption()
		if r == nil || len(r.Unacked) != sent || bytesOf(r) > 1<<20 || bytesOf(r) < 900_000 && len(r.Unacked) != 512 {
			t.Errorf("it ended with %d stanzas of %d bytes: %v", sent, size, r != nil)
		}
	}
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 2))
		s := countingSession(t)
		acked := 0
		for range 3000 {
			message := "<iq xmlns='jabber:client' type='get' id='" + strings.Repeat("x", 1+random.IntN(1<<random.IntN(16))) + "' from='eve@evil.example/" + fmt.Sprint(random.IntN(1000)) + "'/>"
			for _, out := range s.Step(start, stream.Message{Text: message}) {
				if h, ok := out.(stream.Hangup); ok {
					t.Fatalf("seed %d: strangers ended the session: %v", seed, h.Err)
				}
			}
			r := s.Resumption()
			if len(r.Unacked) > 64 || bytesOf(r) > 128<<10 {
				t.Fatalf("seed %d: strangers fill it with %d stanzas, %d bytes", seed, len(r.Unacked), bytesOf(r))
			}
			if random.IntN(500) == 0 {
				acked += len(r.Unacked)
				for range 100 {
					s.Step(start, stream.Send{Stanza: element.New(ns.Client, "iq").Set("type", "result").Set("id", "1").Set("to", "eve@evil.example")})
				}
				if more := s.Resumption(); len(more.Unacked) > 64 {
					t.Fatalf("seed %d: %d answers to a stranger are kept", seed, len(more.Unacked))
				}
				acked += len(s.Resumption().Unacked) - len(r.Unacked)
				s.Step(start, stream.Message{Text: strings.TrimPrefix(strings.TrimSpace(acks(acked)), "S: ")})
			}
		}
		// The account's server is answered all the same, and the client may speak.
		for _, from := range []string{"", " from='example.org'", " from='user@example.org'"} {
			if out := s.Step(start, stream.Message{Text: "<iq xmlns='jabber:client' type='get' id='1'" + from + "/>"}); !slices.ContainsFunc(out, func(o stream.Output) bool {
				w, ok := o.(stream.Write)
				return ok && strings.Contains(w.Text, "type='error'")
			}) {
				t.Errorf("seed %d: a request%s was not answered: %#v", seed, from, out)
			}
		}
		if out := s.Step(start, stream.Send{Stanza: element.New(ns.Client, "presence")}); len(out) == 0 {
			t.Errorf("seed %d: nothing can be sent", seed)
		}
	}
}

// TestUnackedIsCountedRight: what is acknowledged makes room, and what an earlier
// stream has sent takes it.
func TestUnackedIsCountedRight(t *testing.T) {
	large := stream.Send{Stanza: element.New(ns.Client, "message").Add(element.New(ns.Client, "body").AddText(strings.Repeat("x", 60_000)))}
	s := countingSession(t)
	for n := range 2000 {
		outs := s.Step(start, large)
		if n%10 == 9 {
			outs = append(outs, s.Step(start, stream.Message{Text: fmt.Sprintf("<a xmlns='urn:xmpp:sm:3' h='%d'/>", n+1-n%3)})...)
		}
		for _, out := range outs {
			if h, ok := out.(stream.Hangup); ok {
				t.Fatalf("after %d stanzas: %v", n, h.Err)
			}
		}
	}
	cfg := config()
	cfg.Resume = &stream.Resumption{ID: "sm1", JID: jid.MustParse("user@example.org/r1"), Unacked: []string{"<message xmlns='jabber:client'><body>" + strings.Repeat("x", 960_000) + "</body></message>"}}
	s = play(t, cfg, offersSM+"C: <resume xmlns='urn:xmpp:sm:3' previd='sm1' h='0'/>\n")
	s.Step(start, stream.Message{Text: "<resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='0'/>"})
	outs := s.Step(start, large)
	if _, ok := outs[len(outs)-1].(stream.Hangup); !ok {
		t.Errorf("more than 1 MiB is kept: %d", bytesOf(s.Resumption()))
	}
}

func bytesOf(r *stream.Resumption) (n int) {
	for _, text := range r.Unacked {
		n += len(text)
	}
	return n
}

// TestStuck cuts a session at random moments after its resumptions. One in which
// stanzas were sent again by two resumptions in a row, and none was acknowledged,
// is not resumed a third time; any other is.
func TestStuck(t *testing.T) {
	resumes, gaveUp := 0, 0
	for seed := range uint64(600) {
		random := rand.New(rand.NewPCG(seed, 3))
		state := &stream.Resumption{ID: "sm1", JID: jid.MustParse("user@example.org/r1"), Acked: random.Uint32()}
		inVain := 0
		for range 12 {
			cfg := config()
			cfg.Resume, cfg.Mechanisms = state, []string{"PLAIN"}
			s, err := stream.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			now := start
			resumed := false
			text := func(format string, args ...any) {
				for _, out := range s.Step(now, stream.Message{Text: fmt.Sprintf(format, args...)}) {
					_, ok := out.(stream.Resumed)
					resumed = resumed || ok
				}
			}
			s.Step(now, stream.Opened{})
			text("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' version='1.0'/>")
			text("<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></features>")
			s.Step(now, stream.Credentials{Password: "x"})
			text("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			text("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' version='1.0'/>")
			text("<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></features>")
			h := state.Acked + uint32(random.IntN(len(state.Unacked)+1)*random.IntN(2))
			progress := h != state.Acked
			sentAgain := len(state.Unacked) > int(h-state.Acked)
			text("<resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='%d'/>", h)
			if resumed == (inVain >= 2) {
				t.Fatalf("seed %d: after %d resumptions in vain it was resumed: %v", seed, inVain, resumed)
			}
			if !resumed {
				gaveUp++
				break
			}
			resumes++
			switch {
			case progress:
				inVain = 0
			case sentAgain:
				inVain++
			}
			for range random.IntN(3) {
				s.Step(now, stream.Send{Stanza: element.New(ns.Client, "presence")})
			}
			if r := s.Resumption(); len(r.Unacked) > 0 && random.IntN(4) == 0 {
				text("<a xmlns='urn:xmpp:sm:3' h='%d'/>", r.Acked+1)
				inVain = 0
			}
			s.Step(now.Add(time.Second), stream.Closed{})
			state = s.Resumption()
			if state.Stuck() != (inVain >= 2) {
				t.Fatalf("seed %d: after %d resumptions in vain Stuck is %v", seed, inVain, state.Stuck())
			}
		}
	}
	if resumes < 1500 || gaveUp < 150 {
		t.Errorf("only %d resumptions, %d of them in vain", resumes, gaveUp)
	}
}
