//go:build !js

package client_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/prosody"
	"xmpp-pam/sdk/store"
)

// TestSCRAMAtAServer logs in at a real server with the mechanism that fits its stored
// passwords, and checks that the server refuses a wrong password.
func TestSCRAMAtAServer(t *testing.T) {
	if os.Getenv("PAM_SERVER") != "prosody" {
		t.Skip("a test of the real server: PAM_SERVER=prosody")
	}
	for _, hash := range []string{"SHA-1", "SHA-256"} {
		t.Run(hash, func(t *testing.T) {
			p := newProsody(t, prosody.Config{Accounts: map[string]string{"alice": testPassword}, Hash: hash})
			a := newDevice(t, p, nil).connect()
			if want := "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-" + hash + "'>"; !strings.Contains(a.wire(true), want) {
				t.Errorf("%s was not sent:\n%s", want, a.log())
			}
			b := newDevice(t, p, nil)
			b.password = "wrong"
			if _, err := b.Connect(t.Context()); asError(t, err).Code != pam.CodeAuth {
				t.Errorf("a wrong password gave %v", err)
			}
		})
	}
}

// TestResumeAtAServer cuts the connection while another device changes the list and
// publishes events: the client resumes the session and gets the change and every event,
// once.
func TestResumeAtAServer(t *testing.T) {
	p := newPeer(t)
	a, b := newDevice(t, p, nil).connect(), newDevice(t, p, nil).connect()
	service := "pubsub." + p.domain
	subscribe(t, a, service, "news")
	a.Drop()
	a.wait("the loss", func() bool { return a.State().Phase != pam.PhaseLive })
	subscribe(t, b, service, "weather")
	want := publishAll(t, p, "while away", 10)
	a.waitNodes("news", "weather")
	a.wait("the session", func() bool { return a.State().Phase == pam.PhaseLive })
	want = append(want, publishAll(t, p, "back", 1)...)
	a.waitItems(want)
	if lists := strings.Count(a.wire(true), "<subscriptions"); !a.State().Resumed || lists != 1 && !p.like.Forges {
		t.Errorf("not resumed, or listed %d times:\n%s", lists, a.log())
	}
}

// TestNextRunAtAServer crashes the program: the next run in the same tab resumes the
// session and gets the stanzas that arrived meanwhile.
func TestNextRunAtAServer(t *testing.T) {
	p := newPeer(t)
	kept := keep(store.NewMemory())
	tab := func(o *client.Options) { o.Tab = "tab" }
	line := &slowLine{}
	a := newDevice(t, p, kept, tab, func(o *client.Options) { o.Dialer = line }).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	want := publishAll(t, p, "before", 3)
	a.waitItems(want)
	until(t, "the last event in the store", func() bool { return len(a.added()) == len(want) })
	a.Sleep()
	a.wait("the last acknowledgement", func() bool { return strings.Contains(lastLine(a), "<a ") })
	line.refuse(true)
	a.Drop()
	a.wait("the end of the program", func() bool { return a.State().Phase == pam.PhaseWaiting })

	missed := publishAll(t, p, "between", 5)
	b := newDevice(t, p, kept, tab).connect()
	missed = append(missed, publishAll(t, p, "after", 1)...)
	b.waitItems(missed)
	sent := b.wire(true)
	if !b.State().Resumed || strings.Count(sent, "<subscriptions") != 1 && !p.like.Forges || strings.Contains(sent, "<bind") || strings.Contains(sent, "<presence") {
		t.Errorf("not resumed, or not listed once:\n%s", b.log())
	}
}

// publishAll publishes n items at news and returns their ids.
func publishAll(t *testing.T, p *peer, name string, n int) (ids []string) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("%s %d", name, i)
		if err := p.publish("news", id, "<entry xmlns='http://www.w3.org/2005/Atom'/>"); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// waitItems waits until the items have arrived, in order, and fails if one of them
// arrives twice or another one arrives.
func (d *device) waitItems(want []string) {
	d.t.Helper()
	var got []string
	d.wait("the last item", func() bool {
		got = nil
		for _, e := range d.events {
			if m, ok := e.(client.MessageReceived); ok {
				for _, id := range strings.SplitAfter(parsed(m).String(), "<item ")[1:] {
					_, id, _ = strings.Cut(id, "id='")
					id, _, _ = strings.Cut(id, "'")
					got = append(got, id)
				}
			}
		}
		return slices.Contains(got, want[len(want)-1])
	})
	if !slices.Equal(got, want) {
		d.t.Errorf("items: %q, want %q\n%s", got, want, d.log())
	}
}

func lastLine(d *device) string {
	lines := strings.Split(strings.TrimSpace(d.logLocked()), "\n")
	return lines[len(lines)-1]
}
