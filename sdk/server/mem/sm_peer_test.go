//go:build !js

package mem

import (
	"fmt"
	"strings"
	"testing"
)

const (
	nonza     = " xmlns='urn:xmpp:sm:3'"
	enableSM  = "<enable" + nonza + " resume='true'/>"
	requestSM = "<r" + nonza + "/>"
	message1  = "<message xmlns='jabber:client' to='alice@localhost/a' id='%v'/>"
	tooHigh   = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
		"<handled-count-too-high" + nonza + " h='%d' send-count='%d'/></stream:error>"
)

func ackSM(h uint32) string { return fmt.Sprintf("<a"+nonza+" h='%d'/>", h) }

func failedSM(cond string) string {
	return "<failed" + nonza + "><" + cond + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
}

func failedAt(h uint32) string {
	return fmt.Sprintf("<failed"+nonza+" h='%d'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>", h)
}

// exactly reads messages and compares them whole.
func (p *peer) exactly(expected ...string) {
	p.t.Helper()
	for _, want := range expected {
		if got := p.next(); got != want {
			p.t.Fatalf("%s: got  %s\nwant %s", p.full, got, want)
		}
	}
}

// enable enables stream management and returns the id of the session.
func (p *peer) enable() string {
	p.t.Helper()
	p.send(enableSM)
	got := p.next()
	_, rest, _ := strings.Cut(got, " id='")
	id, _, ok := strings.Cut(rest, "'")
	if !ok || !strings.HasPrefix(got, "<enabled"+nonza) || !strings.Contains(got, " resume='true'") {
		p.t.Fatalf("got %s", got)
	}
	return id
}

// authenticated returns a connection that may bind or resume.
func (r *rig) authenticated(t *testing.T, user, password string) *peer {
	t.Helper()
	p := r.dial(t)
	p.open()
	p.sendf("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", b64("\x00"+user+"\x00"+password))
	p.want("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'")
	p.send(openMessage)
	p.want("<open", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><required/></bind><sm xmlns='urn:xmpp:sm:3'/></stream:features>")
	return p
}

// resume requests the resumption of a session of alice on a new connection.
func (r *rig) resume(t *testing.T, id string, h uint32) *peer {
	t.Helper()
	p := r.authenticated(t, "alice", "ecila")
	p.full = "alice@localhost/a again"
	p.sendf("<resume"+nonza+" previd='%s' h='%d'/>", id, h)
	return p
}

func resumedSM(id string, h uint32) string {
	return fmt.Sprintf("<resumed"+nonza+" previd='%s' h='%d'/>", id, h)
}

// sendTo has bob send numbered messages to alice's session a, and returns the stanzas that alice must receive.
func (p *peer) sendTo(ids ...any) []string {
	p.t.Helper()
	var out []string
	for _, id := range ids {
		p.sendf(message1, id)
		out = append(out, fmt.Sprintf("<message xmlns='jabber:client' to='alice@localhost/a' id='%v' from='bob@localhost/b'/>", id))
	}
	p.quiet()
	return out
}

// fill has a session keep as many bytes as it may, and then one more.
func (r *rig) fill(t *testing.T, full string) {
	t.Helper()
	const xml = "<message xmlns='jabber:client'/>"
	r.mu.Lock()
	r.bySession(full).sm.bytes = maxQueued - 2*len(xml) + 1
	r.mu.Unlock()
	for range 2 {
		if err := r.Send(full, xml); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Send(full, xml); err == nil {
		t.Error("more was kept than may be")
	}
}
