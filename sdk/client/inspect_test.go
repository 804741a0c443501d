//go:build !js

package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
)

// TestInspectorHidesSecrets sends the server's part of a login in every spelling that
// XML allows, and in some invalid ones, before the login and in a session. No frame
// shows its content.
func TestInspectorHidesSecrets(t *testing.T) {
	const secret = "cj1meWtvLFBST09GCg"
	read, hidden := 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 8))
		text, good := saslSpelling(r, secret)
		early := r.IntN(3) > 0 || !good
		synctest.Test(t, func(t *testing.T) {
			server := newScripted()
			var frames []client.Frame
			if early {
				server.handle = func(s *socket, e *element.Element) bool {
					if e.Is(nsSASL, "auth") {
						s.push(text)
						return true
					}
					return false
				}
			}
			d := server.device(t, func(o *client.Options) {
				o.Reconnect = &client.Reconnect{Off: true}
				o.OnFrame = func(f client.Frame) { frames = append(frames, f) }
			})
			_, _ = d.Connect(context.Background())
			if !early {
				server.socket().push(text)
			}
			time.Sleep(time.Minute)
			_ = d.Close()
			synctest.Wait()
			shown := false
			for _, f := range frames {
				all := fmt.Sprint(f)
				if strings.Contains(all, secret[4:10]) {
					t.Fatalf("seed %d: %q\nis shown as %q", seed, text, all)
				}
				shown = shown || f.XML == "" && f.Bytes == len(text)
				hidden += strings.Count(f.XML, "…")
			}
			if good {
				read++
			} else if !shown {
				t.Fatalf("seed %d: %q is not shown at all", seed, text)
			}
		})
	}
	if read < 100 || hidden < read {
		t.Errorf("%d were read, %d hidden", read, hidden)
	}
}

// saslSpelling returns an element of a login with a secret in it, and whether the client
// can read that element.
func saslSpelling(r *rand.Rand, secret string) (text string, good bool) {
	space := []string{"urn:ietf:params:xml:ns:xmpp-sasl", "urn:ietf:params:xml:ns:xmpp-sasl", "urn:xmpp:sasl:2", "urn:xmpp:sasl:1"}[r.IntN(4)]
	name := []string{"challenge", "success", "response", "auth", "continue", "authenticate", "x"}[r.IntN(7)]
	space = strings.Replace(space, "s", []string{"s", "&#115;", "&#x73;"}[r.IntN(3)], 1)
	if r.IntN(2) == 0 {
		space = "'" + space + "'"
	} else {
		space = "\"" + space + "\""
	}
	prefix := []string{"", "", "s:", "sasl:", "é:"}[r.IntN(5)]
	gap := []string{" ", "\n", "\t ", "\r\n"}[r.IntN(4)]
	declares := gap + "xmlns" + strings.TrimSuffix(":"+strings.TrimSuffix(prefix, ":"), ":") + gap + "=" + gap + space
	attr := []string{"", gap + "a='" + secret + "'", gap + "xmlns:p='" + secret + "'"}[r.IntN(3)]
	inside := []string{
		secret, "<![CDATA[" + secret + "]]>", "&#65;" + secret, gap + secret + gap, "<" + prefix + "additional-data>" + secret + "</" + prefix + "additional-data>",
		"<a b='" + secret + "' xmlns='" + secret + "'><c>" + secret + "</c></a>",
	}[r.IntN(6)]
	if r.IntN(2) == 0 {
		attr, declares = declares, attr
	}
	text = "<" + prefix + name + attr + declares + gap + ">" + inside + "</" + prefix + name + gap + ">"
	switch r.IntN(4) {
	case 0:
		text = "<?xml version='1.0'?>" + text
	case 1:
		text = "<?xml version=\"1.0\" encoding='UTF-8'?>" + gap + text
	}
	switch r.IntN(8) { // makes it invalid
	case 0:
		return "<!-- -->" + text, false
	case 1:
		return text + "<a/>", false
	case 2:
		return strings.Replace(text, ">", "><!---->", 1), false
	case 3:
		return gap + text, false
	case 4:
		return text[:len(text)-1-r.IntN(3)], false
	}
	return text, true
}

// TestInspectorIsBounded checks that a frame shows at most 64 KiB, reports the length of
// the message, and keeps nothing else of it.
func TestInspectorIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newScripted()
		var frames []client.Frame
		d := server.device(t, func(o *client.Options) { o.OnFrame = func(f client.Frame) { frames = append(frames, f) } })
		if _, err := d.Connect(context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, text := range []string{
			"<message xmlns='jabber:client'>" + strings.Repeat("é", 100_000) + "</message>",
			"<message xmlns='jabber:client'>" + strings.Repeat("<a>", 100_000), // beyond the limits
			"<message xmlns='jabber:client'>" + strings.Repeat("x", 33<<20) + "</message>",
			"<message xmlns='jabber:client'/>",
		} {
			frames = nil
			server.socket().push(text)
			time.Sleep(time.Second)
			synctest.Wait()
			if len(frames) == 0 {
				t.Fatalf("message %d is not shown", i)
			}
			f := frames[0]
			if len(f.XML) > client.MaxFrame || len(f.XML) < min(len(text), client.MaxFrame-4) || !strings.HasPrefix(text, f.XML) || f.Bytes != len(text) {
				t.Errorf("message %d of %d bytes is shown with %d, Bytes is %d", i, len(text), len(f.XML), f.Bytes)
			}
			if parsed := f.Kind == "message"; parsed != (i == 0 || i == 3) {
				t.Errorf("message %d: parsed is %v", i, parsed)
			}
		}
	})
}

// TestInspectorParsesNothingAgain checks that the inspector adds no parsing: a message
// that the stream refuses before the login costs nearly nothing.
func TestInspectorParsesNothingAgain(t *testing.T) {
	cost := func(inspector bool) float64 {
		return testing.AllocsPerRun(1, func() {
			synctest.Test(t, func(t *testing.T) {
				server := newScripted()
				server.handle = func(s *socket, e *element.Element) bool {
					if e.Is(nsSASL, "auth") {
						s.push("<challenge xmlns='" + nsSASL + "'>" + strings.Repeat("<a b='c'/>", 50_000) + "</challenge>")
					}
					return e.Is(nsSASL, "auth")
				}
				d := server.device(t, func(o *client.Options) {
					o.Reconnect = &client.Reconnect{Off: true}
					if o.OnFrame = nil; inspector {
						o.OnFrame = func(client.Frame) {}
					}
				})
				_, _ = d.Connect(context.Background())
				_ = d.Close()
			})
		})
	}
	without, with := cost(false), cost(true)
	if with > without+1000 {
		t.Errorf("%v allocations with the inspector, %v without", with, without)
	}
}

// The inspector shows the failure of a login: its condition is not secret.
func TestInspectorShowsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newScripted()
		server.handle = func(s *socket, e *element.Element) bool {
			if e.Is(nsSASL, "auth") {
				s.push("<failure xmlns='" + nsSASL + "'><not-authorized/><text>no</text></failure>")
			}
			return e.Is(nsSASL, "auth")
		}
		d := server.device(t, noReconnect)
		_, _ = d.Connect(context.Background())
		if want := "<failure xmlns='" + nsSASL + "'><not-authorized/></failure>\n"; !strings.Contains(d.wire(false), want) {
			t.Errorf("the wire log is\n%s", d.log())
		}
		if want := "<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>…</auth>\n"; !strings.Contains(d.wire(true), want) {
			t.Errorf("the wire log is\n%s", d.log())
		}
	})
}
