package stream_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/stream"
)

// goodInputs are the inputs of a dialogue that leads to a session.
func goodInputs(t testing.TB) []stream.Input {
	t.Helper()
	now := start
	var inputs []stream.Input
	for line := range strings.Lines(bound) {
		if line = expand(strings.TrimSpace(line)); strings.HasPrefix(line, "S:") || strings.HasPrefix(line, "do") {
			inputs = append(inputs, input(t, line, &now))
		}
	}
	return inputs
}

// fragments are what garbled messages are made of, besides the good ones.
var fragments = []string{
	"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
	"<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
	"<features xmlns='http://etherx.jabber.org/streams'/>",
	"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
	"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</success>",
	"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
	"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
	"<iq xmlns='jabber:client' type='result' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>eve@example.org/r1</jid></bind></iq>",
	"<iq xmlns='jabber:client' type='get' id='7' from='eve@evil.example/x'/>",
	"<iq xmlns='jabber:client' type='get' id='7'><q xmlns='urn:q'/></iq>",
	"<iq xmlns='jabber:client' type='error' id='id1'/>",
	"<message xmlns='jabber:client' from='eve@evil.example'><e xmlns='http://etherx.jabber.org/streams'/></message>",
	"<message xmlns='jabber:client' from='@'/>",
	"<message xmlns='jabber:client'><body>hello</body></message>",
	"<presence xmlns='jabber:client'/>",
	"<message xmlns='jabber:client'><a xmlns='http://www.w3.org/XML/1998/namespace'/></message>",
	"<iq xmlns='jabber:client' type='get' id='7' from='eve@evil.example/x'><p:q/></iq>",
	"<r xmlns='urn:xmpp:sm:3'/>",
	"<a xmlns='urn:xmpp:sm:3' h='0'/>",
	"",
}

// checker watches the outputs of one stream for what must hold always.
type checker struct {
	opened, success, bound, closed, hungUp bool
}

func (c *checker) check(t rapid.TB, in stream.Input, outs []stream.Output) {
	if c.hungUp && outs != nil {
		t.Fatalf("after Hangup %#v put out %#v", in, outs)
	}
	if m, ok := in.(stream.Message); ok && strings.Contains(m.Text, base64.StdEncoding.EncodeToString([]byte("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="))) {
		c.success = true
	}
	if _, ok := in.(stream.Opened); ok {
		c.opened = true
	}
	for i, out := range outs {
		if c.hungUp {
			t.Fatalf("after Hangup: %#v", out)
		}
		switch out := out.(type) {
		case stream.Write:
			e, err := element.Parse(out.Text, nil)
			if err != nil {
				t.Fatalf("wrote %q: %v", out.Text, err)
			}
			if !c.opened || c.closed {
				t.Fatalf("wrote %q before Opened or after <close/>", out.Text)
			}
			if secret := e.Name.Space == ns.SASL && e.Name.Local != "abort"; secret != out.Secret {
				t.Fatalf("%q: Secret is %v", out.Text, out.Secret)
			}
			if strings.Contains(out.Text, "pencil") || strings.Contains(out.Text, "PLAIN") {
				t.Fatalf("the password left: %q", out.Text)
			}
			c.closed = e.Is(ns.Framing, "close")
		case stream.Bound:
			if c.bound || !c.success || out.JID.String() != "user@example.org/r1" {
				t.Fatalf("bound to %v, after proof %v, again %v", out.JID, c.success, c.bound)
			}
			c.bound = true
		case stream.Deliver:
			if !c.bound || out.Stanza.ContainsStreamElements() || out.Stanza.Name.Space != ns.Client {
				t.Fatalf("delivered %s", out.Stanza)
			}
		case stream.Dropped:
			if out.Err == nil || out.Err.Error() == "" {
				t.Fatalf("dropped without a reason")
			}
		case stream.Hangup:
			if out.Err != nil && (out.Err.Code == "" || out.Err.Text == "") {
				t.Fatalf("hung up without a reason: %#v", out.Err)
			}
			if i != len(outs)-1 {
				t.Fatalf("Hangup is not the last of %#v", outs)
			}
			c.hungUp = true
		}
	}
}

// TestAnyDialogue mixes a good dialogue with garbled and misplaced inputs.
func TestAnyDialogue(t *testing.T) {
	good := goodInputs(t)
	pool := fragments
	for _, in := range good {
		if m, ok := in.(stream.Message); ok {
			pool = append(pool, m.Text)
		}
	}
	sessions := 0
	rapid.Check(t, func(t *rapid.T) {
		s, err := stream.New(config())
		if err != nil {
			t.Fatal(err)
		}
		now, next, c := start, 0, checker{}
		noise := rapid.IntRange(0, 40).Draw(t, "noise")
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			var in stream.Input
			switch n := rapid.IntRange(0, 99).Draw(t, "kind"); {
			case next < len(good) && n >= noise:
				in = good[next]
				next++
			case n%10 == 0:
				in = stream.Tick{}
				now = now.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "seconds")) * time.Second)
			case n%10 == 1:
				in = rapid.SampledFrom([]stream.Input{stream.Opened{}, stream.Close{}, stream.Closed{}, stream.Send{},
					stream.Send{Stanza: element.New(ns.Client, "presence")},
					stream.Credentials{Password: "pencil"}, stream.Credentials{}}).Draw(t, "other")
			default:
				text := rapid.SampledFrom(pool).Draw(t, "message")
				if n%10 > 7 && text != "" {
					i, j := rapid.IntRange(0, len(text)).Draw(t, "i"), rapid.IntRange(0, len(text)).Draw(t, "j")
					text = text[:min(i, j)] + rapid.SampledFrom([]string{"", "<", "'", "&", "\x00", "x"}).Draw(t, "junk") + text[max(i, j):]
				}
				in = stream.Message{Text: text}
			}
			c.check(t, in, s.Step(now, in))
		}
		if c.bound {
			sessions++
		}
	})
	if sessions == 0 {
		t.Error("no dialogue led to a session: the test does not test what it should")
	}
}

// FuzzMessage puts any two messages at any place of a good dialogue.
func FuzzMessage(f *testing.F) {
	for i, text := range fragments {
		f.Add(uint8(i), text, "<presence xmlns='jabber:client'/>")
	}
	f.Fuzz(func(t *testing.T, at uint8, first, second string) {
		s, err := stream.New(config())
		if err != nil {
			t.Fatal(err)
		}
		var c checker
		good := goodInputs(t)
		at %= uint8(len(good) + 1)
		for _, in := range append(good[:at:at], stream.Message{Text: first}, stream.Message{Text: second}, stream.Close{}, stream.Closed{}) {
			c.check(t, in, s.Step(start, in))
		}
		if !c.hungUp {
			t.Fatal("never hung up")
		}
		goesOn(t, first, second)
	})
}

// goesOn checks that messages in a session end it, or leave it as good as it
// was: the next stanza is delivered, and what a resumption needs is right.
func goesOn(t *testing.T, messages ...string) {
	s := countingSession(t)
	var came, sent uint32
	for _, text := range messages {
		outs := s.Step(start, stream.Message{Text: text})
		for _, out := range outs {
			switch out := out.(type) {
			case stream.Hangup:
				return
			case stream.Write:
				if strings.HasPrefix(out.Text, "<iq ") {
					sent++
				}
			}
		}
		s.Step(start, further(s, 1))
		r := s.Resumption()
		if r == nil || r.ID != "sm1" || r.JID.String() != "user@example.org/r1" || r.H-came > 1 || r.Acked+uint32(len(r.Unacked)) != sent {
			t.Fatalf("after %q, with %d come and %d sent, the session is %+v", text, came, sent, r)
		}
		came = r.H + 1
		next := s.Step(start, stream.Message{Text: "<message xmlns='jabber:client' id='marker'/>"})
		if d, ok := next[0].(stream.Deliver); !ok || len(next) != 1 || d.Stanza.Attr("id") != "marker" {
			t.Fatalf("after %q the next stanza became %#v", text, next)
		}
		if s.Step(start, further(s, 1)); s.Resumption().H != came {
			t.Fatalf("after %q the next stanza was not counted", text)
		}
	}
}
