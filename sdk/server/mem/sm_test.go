//go:build !js

package mem

import (
	"fmt"
	"strings"
	"testing"
)

// TestNonzas sends valid and invalid elements of stream management in each phase. After a failure the stream continues (XEP-0198 §6).
func TestNonzas(t *testing.T) {
	r := newRig(t, Config{SMLocation: "[::1]:5222"})
	const (
		opened = iota
		authenticated
		ready
		enabled
	)
	resume := "<resume" + nonza + " previd='x' h='0'/>"
	for _, c := range []struct {
		name, send, want string
		phase            int
	}{
		{"enable before login", enableSM, failedSM("unexpected-request"), opened},
		{"resume before login", resume, failedSM("unexpected-request"), opened},
		{"enable before bind", enableSM, failedSM("unexpected-request"), authenticated},
		{"r before bind", requestSM, failedSM("unexpected-request"), authenticated},
		{"resume of nothing", resume, failedSM("item-not-found"), authenticated},
		{"resume without h", "<resume" + nonza + " previd='x'/>", failedSM("bad-request"), authenticated},
		{"resume with h above 2^32", "<resume" + nonza + " previd='x' h='4294967296'/>", failedSM("bad-request"), authenticated},
		{"resume without previd", "<resume" + nonza + " h='0'/>", failedSM("bad-request"), authenticated},
		{"r before enable", requestSM, failedSM("unexpected-request"), ready},
		{"a before enable", ackSM(0), failedSM("unexpected-request"), ready},
		{"resume after bind", resume, failedSM("unexpected-request"), ready},
		{"enable with a wrong boolean", "<enable" + nonza + " resume='yes'/>", failedSM("bad-request"), ready},
		{"enable with no time", "<enable" + nonza + " resume='true' max='0'/>", failedSM("bad-request"), ready},
		{"enable", "<enable" + nonza + "/>", "<enabled" + nonza + "/>", ready},
		{"enable without resumption", "<enable" + nonza + " resume='0' max='9'/>", "<enabled" + nonza + "/>", ready},
		{"enable with resumption", enableSM, "<enabled" + nonza + " id='ID' resume='true' max='60' location='[::1]:5222'/>", ready},
		{"enable for a shorter time", "<enable" + nonza + " resume='1' max='7'/>", "<enabled" + nonza + " id='ID' resume='true' max='7' location='[::1]:5222'/>", ready},
		{"enable for a longer time", "<enable" + nonza + " resume='1' max='61'/>", "<enabled" + nonza + " id='ID' resume='true' max='60' location='[::1]:5222'/>", ready},
		{"enable twice", enableSM, failedSM("unexpected-request"), enabled},
		{"resume when enabled", resume, failedSM("unexpected-request"), enabled},
		{"r", requestSM, ackSM(0), enabled},
		{"a without h", "<a" + nonza + "/>", streamErr("bad-format"), enabled},
		{"a with a sign", "<a" + nonza + " h='-1'/>", streamErr("bad-format"), enabled},
		{"a too high", ackSM(1), fmt.Sprintf(tooHigh, 1, 0), enabled},
		{"what only a server says", "<enabled" + nonza + "/>", streamErr("unsupported-stanza-type"), enabled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := r.dial(t)
			switch {
			case c.phase >= ready:
				p = r.session(t, "alice", c.name)
			case c.phase == authenticated:
				p = r.authenticated(t, "alice", "ecila")
			default:
				p.open()
			}
			if c.phase == enabled {
				p.enable()
			}
			p.send(c.send)
			got := p.next()
			if before, after, ok := strings.Cut(c.want, "ID"); ok {
				if len(got) < len(c.want)+16 || !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			} else if got != c.want {
				t.Fatalf("got  %s\nwant %s", got, c.want)
			}
			switch {
			case strings.HasPrefix(got, "<stream:error"):
				p.want("<close", "closed 1000")
			case c.phase == authenticated: // the client may bind at once
				p.send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
				p.want("<jid>alice@localhost/")
				p.enable()
			case c.phase >= ready:
				p.quiet()
			}
		})
	}
}

func TestDisableSM(t *testing.T) {
	p := newRig(t, Config{DisableSM: true}).session(t, "alice", "a")
	p.send(enableSM)
	p.exactly(streamErr("unsupported-stanza-type"))
	q := newRig(t, Config{DisableSM: true}).dial(t)
	q.open()
	q.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + b64("\x00alice\x00ecila") + "</auth>")
	q.want("<success")
	q.send(openMessage)
	q.want("<open", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><required/></bind></stream:features>")
}

// TestCounts checks that the server counts only stanzas: those of the client after <enable/>, and its own after <enabled/>.
func TestCounts(t *testing.T) {
	r := newRig(t, Config{})
	p := r.session(t, "alice", "a", available)
	p.send(enableSM)
	p.send("<message xmlns='jabber:client' to='alice@localhost/a' id='1'/>") // a client need not wait for <enabled/>
	p.send(requestSM)
	p.want("<enabled", "<message", ackSM(1))
	p.send(ackSM(1))
	p.send(ackSM(1))
	p.send(requestSM)
	p.exactly(ackSM(1))
	p.send("<presence xmlns='jabber:client'/>")
	p.quiet() // an iq each way
	p.send(requestSM)
	p.exactly(ackSM(3))
	p.send(ackSM(2))
	p.send(ackSM(1)) // less than the client has acknowledged before
	p.exactly(fmt.Sprintf(tooHigh, 1, 2))
	p.want("<close")
}

// TestHeldStanzasAreNotCounted checks that the count of sent stanzas contains none that are held back, and none before <enabled/>.
func TestHeldStanzasAreNotCounted(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	release := r.Hold(func(full, xml string) bool { return full == "alice@localhost/a" && strings.Contains(xml, "id='early'") })
	early := bob.sendTo("early")
	p.send(enableSM)
	p.send("<message xmlns='jabber:client' to='bob@localhost/b' id='mark'/>")
	bob.want("id='mark'")
	late := bob.sendTo("late")
	release()
	p.exactly(early...)
	p.want("<enabled")
	p.exactly(late...)
	p.send(ackSM(1))
	again := r.Hold(func(full, xml string) bool { return strings.Contains(xml, "id='held'") })
	defer again()
	bob.sendTo("held")
	p.send(ackSM(2))
	p.exactly(fmt.Sprintf(tooHigh, 2, 1))
}

// TestServerRequestsAck checks that the server requests an acknowledgement after every fourth stanza, and not again before the answer.
func TestServerRequestsAck(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	p.enable()
	sent := bob.sendTo(1, 2, 3, 4, 5, 6, 7, 8, 9)
	p.exactly(sent[:4]...)
	p.exactly(requestSM)
	p.exactly(sent[4:]...)
	p.send(ackSM(0)) // acknowledges nothing
	p.exactly(requestSM)
	p.send(ackSM(9))
	sent = bob.sendTo(10, 11, 12)
	p.exactly(sent...)
	p.send(requestSM)
	p.exactly(ackSM(0))
	p.exactly(append(bob.sendTo(13), requestSM)...)
}
