//go:build !js

package mem

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
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

// enable turns stream management on and gives the id of the session.
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

// authenticated is a connection that may bind or resume.
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

// resume asks for a session of alice on a new connection.
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

// tell has bob send messages to alice's session a, numbered, and gives what alice should get.
func (p *peer) tell(ids ...any) []string {
	p.t.Helper()
	var out []string
	for _, id := range ids {
		p.sendf(message1, id)
		out = append(out, fmt.Sprintf("<message xmlns='jabber:client' to='alice@localhost/a' id='%v' from='bob@localhost/b'/>", id))
	}
	p.quiet()
	return out
}

// TestNonzas is a table of elements of stream management, right and wrong, in each phase. After a failure the stream goes on (XEP-0198 §6).
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
		{"enable before log-in", enableSM, failedSM("unexpected-request"), opened},
		{"resume before log-in", resume, failedSM("unexpected-request"), opened},
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

// TestWhatIsCounted: from <enable/> on what the client sends, from <enabled/> on what it is sent, and stanzas only.
func TestWhatIsCounted(t *testing.T) {
	r := newRig(t, Config{})
	p := r.session(t, "alice", "a", available)
	p.send(enableSM)
	p.send("<message xmlns='jabber:client' to='alice@localhost/a' id='1'/>") // nobody has to wait for <enabled/>
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
	p.send(ackSM(1)) // which takes back what was said
	p.exactly(fmt.Sprintf(tooHigh, 1, 2))
	p.want("<close")
}

// TestWhatIsHeldIsNotSent: the count of what was sent has nothing that is held back, and nothing from before <enabled/>.
func TestWhatIsHeldIsNotSent(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	release := r.Hold(func(full, xml string) bool { return full == "alice@localhost/a" && strings.Contains(xml, "id='early'") })
	early := bob.tell("early")
	p.send(enableSM)
	p.send("<message xmlns='jabber:client' to='bob@localhost/b' id='mark'/>")
	bob.want("id='mark'")
	late := bob.tell("late")
	release()
	p.exactly(early...)
	p.want("<enabled")
	p.exactly(late...)
	p.send(ackSM(1))
	again := r.Hold(func(full, xml string) bool { return strings.Contains(xml, "id='held'") })
	defer again()
	bob.tell("held")
	p.send(ackSM(2))
	p.exactly(fmt.Sprintf(tooHigh, 2, 1))
}

// TestServerAsks: after every fourth stanza, and not again before there is an answer.
func TestServerAsks(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	p.enable()
	sent := bob.tell(1, 2, 3, 4, 5, 6, 7, 8, 9)
	p.exactly(sent[:4]...)
	p.exactly(requestSM)
	p.exactly(sent[4:]...)
	p.send(ackSM(0)) // acknowledges nothing
	p.exactly(requestSM)
	p.send(ackSM(9))
	sent = bob.tell(10, 11, 12)
	p.exactly(sent...)
	p.send(requestSM)
	p.exactly(ackSM(0))
	p.exactly(append(bob.tell(13), requestSM)...)
}

// TestReplay: what the client did not get comes again, once, in order, as it was: what was sent, what was held back, and what came while there
// was no connection.
func TestReplay(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a", available), r.session(t, "bob", "b")
	id := p.enable()
	p.send("<message xmlns='jabber:client' to='bob@localhost/b' id='x'/>")
	bob.want("id='x'")
	all := bob.tell(1, 2, 3)
	p.exactly(all...)
	release := r.Hold(func(full, xml string) bool {
		return strings.HasPrefix(full, "alice") && strings.Contains(xml, "id='4'")
	})
	all = append(all, bob.tell(4, 5)...)
	r.Send("alice@localhost/a", requestSM) // held back, too, but no stanza
	if !r.Cut("alice@localhost/a") || r.Cut("alice@localhost/a") {
		t.Error("not cut, or twice")
	}
	release()
	if h := r.Hibernating("alice"); !slices.Equal(h, []string{"alice@localhost/a"}) || !slices.Equal(h, r.Sessions("alice")) {
		t.Errorf("hibernating %q of %q", h, r.Sessions("alice"))
	}
	all = append(all, bob.tell(6)...)
	raw := "<message xmlns='jabber:client'>raw</message>"
	for _, xml := range []string{"<r" + nonza + "/>", raw, "no XML"} {
		if err := r.Send("alice@localhost/a", xml); err != nil {
			t.Error(err)
		}
	}
	all = append(all, raw)

	p = r.resume(t, id, 2)
	p.exactly(resumedSM(id, 1))
	p.exactly(all[2:6]...)
	p.exactly(requestSM, all[6])
	p.send(requestSM)
	p.exactly(ackSM(1))
	if len(r.Hibernating("alice")) > 0 {
		t.Error("it still hibernates")
	}

	// Once more, over a connection that was resumed, with all but the last acknowledged.
	p.send(ackSM(6))
	p.send("<message xmlns='jabber:client' to='bob@localhost/b' id='y'/>")
	bob.want("id='y'")
	p.ws.CloseNow() // the client's side of a lost connection
	p = r.resume(t, id, 6)
	p.exactly(resumedSM(id, 2), all[6])
	p.send(ackSM(7))
	p.quiet()
	p.send(ackSM(9))
	p.exactly(fmt.Sprintf(tooHigh, 9, 8))
}

// TestStateIsKept: presence, priority and the wish for notifies outlive the connection.
func TestStateIsKept(t *testing.T) {
	r := newRig(t, Config{})
	if err := r.CreateNode("n", ""); err != nil {
		t.Fatal(err)
	}
	p := r.joined(t, "alice", "a")
	id := p.enable()
	r.Cut("alice@localhost/a")
	b := r.session(t, "alice", "b")
	b.send(changePAMIQ("s", "subscribe", "pubsub.localhost", "n", "alice@localhost"))
	b.want("type='result' id='s'")
	p = r.resume(t, id, 0)
	p.exactly(resumedSM(id, 0))
	p.want("<message to='alice@localhost/a' <notify node='n'")
	if err := r.Publish("n", "i", ""); err != nil {
		t.Fatal(err)
	}
	p.want("<item id='i'")
	p.quiet()
}

// TestCountsWrap has both counters pass 2³².
func TestCountsWrap(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	id := p.enable()
	r.mu.Lock()
	l := r.accounts["alice@localhost"].sessions["a"].sm
	l.received, l.acked = math.MaxUint32, math.MaxUint32-1
	r.mu.Unlock()
	p.send("<message xmlns='jabber:client' to='bob@localhost/b' id='x'/>")
	bob.want("id='x'")
	p.send(requestSM)
	p.exactly(ackSM(0))
	all := bob.tell(1, 2, 3) // 2³²-1, 0 and 1
	p.exactly(all...)
	p.send(ackSM(math.MaxUint32))
	r.Cut("alice@localhost/a")
	p = r.resume(t, id, 0)
	p.exactly(resumedSM(id, 0), all[2])
	p.send(ackSM(1))
	p.send(ackSM(2))
	p.exactly(fmt.Sprintf(tooHigh, 2, 1))
}

// TestTakeOver resumes a session whose connection seems to be alive.
func TestTakeOver(t *testing.T) {
	r := newRig(t, Config{})
	old, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	id := old.enable()
	all := bob.tell(1, 2)
	old.exactly(all...)
	release := r.Hold(func(full, xml string) bool { return full == "alice@localhost/a" && strings.Contains(xml, "id='3'") })
	all = append(all, bob.tell(3)...)
	release2 := r.Hold(func(_, xml string) bool { return strings.Contains(xml, "id='2'") })
	p := r.resume(t, id, 1)
	old.exactly(streamErr("conflict"))
	old.send("<message xmlns='jabber:client' to='bob@localhost/b' id='late'/>")
	old.want("<close", "closed 1000")
	p.exactly(resumedSM(id, 0))
	release2()
	p.exactly(all[1])
	release()
	p.exactly(all[2])
	p.send(requestSM)
	p.exactly(ackSM(0)) // what came late was not handled
	bob.quiet()
	if got := r.Sessions("alice"); len(got) != 1 || len(r.Hibernating("alice")) != 0 {
		t.Errorf("sessions %q", got)
	}
	p.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
	p.want("<close")
}

// fill has a session keep as much as it may, and then one byte more.
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

// TestEndOfASession: how a session ends for good, and what a client is told that tries to resume it.
func TestEndOfASession(t *testing.T) {
	full := "alice@localhost/a"
	for _, c := range []struct {
		name, want string
		resumeFor  time.Duration
		end        func(t *testing.T, r *rig, p *peer)
	}{
		{"its time is over", failedAt(1), 20 * time.Millisecond, func(t *testing.T, r *rig, p *peer) {
			r.Cut(full)
			for len(r.Sessions("alice")) > 0 {
				time.Sleep(time.Millisecond)
			}
		}},
		{"expired", failedAt(1), 0, func(t *testing.T, r *rig, p *peer) {
			r.Cut(full)
			if !r.ExpireSession(full) || r.ExpireSession(full) {
				t.Error("not expired, or twice")
			}
		}},
		{"expired with a connection", failedAt(1), 0, func(t *testing.T, r *rig, p *peer) {
			r.ExpireSession(full)
			p.want("closed -1")
		}},
		{"forgotten", failedSM("item-not-found"), 0, func(t *testing.T, r *rig, p *peer) {
			r.Cut(full)
			if !r.ForgetSession(full) || r.ForgetSession(full) {
				t.Error("not forgotten, or twice")
			}
		}},
		{"forgotten with a connection", failedSM("item-not-found"), 0, func(t *testing.T, r *rig, p *peer) {
			r.ForgetSession(full)
			p.want("closed -1")
		}},
		{"closed in order", failedSM("item-not-found"), 0, func(t *testing.T, r *rig, p *peer) {
			p.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
			p.want("<close", "closed 1000")
		}},
		{"stream error", failedAt(1), 0, func(t *testing.T, r *rig, p *peer) {
			p.send("<foo xmlns='urn:foo'/>")
			p.want("unsupported-stanza-type", "<close", "closed 1000")
		}},
		{"replaced", failedAt(1), 0, func(t *testing.T, r *rig, p *peer) {
			r.session(t, "alice", "a")
			p.want("<conflict", "<close", "closed 1000")
		}},
		{"replaced while it hibernates", failedAt(1), 0, func(t *testing.T, r *rig, p *peer) {
			r.Cut(full)
			r.session(t, "alice", "a").quiet()
		}},
		{"too much to keep", failedAt(1), 0, func(t *testing.T, r *rig, p *peer) {
			r.Cut(full)
			r.fill(t, full)
		}},
		{"too much is not acknowledged", failedAt(1), 0, func(t *testing.T, r *rig, p *peer) {
			r.fill(t, full)
			for p.next() != "closed -1" { // what was written until then
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{ResumeFor: c.resumeFor})
			p := r.session(t, "alice", "a")
			id := p.enable()
			p.send("<presence xmlns='jabber:client' to='bob@localhost'/>")
			p.send(requestSM)
			p.exactly(ackSM(1))
			c.end(t, r, p)
			if len(r.Hibernating("alice")) > 0 {
				t.Error("it hibernates")
			}
			p = r.resume(t, id, 0)
			p.exactly(c.want)
			p.sendf("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>z</resource></bind></iq>")
			p.want("<jid>alice@localhost/z")
			p.quiet()
		})
	}
}

// TestWrongResumption: neither a stranger nor a wrong count harms the session, and one without resumption ends with its connection.
func TestWrongResumption(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	id := p.enable()
	all := bob.tell(1)
	p.exactly(all...)
	for sent, live := range []bool{true, false} { // the ping is sent in the first round
		if !live {
			r.Cut("alice@localhost/a")
		}
		thief := r.authenticated(t, "carol", "lorac")
		thief.sendf("<resume"+nonza+" previd='%s' h='0'/>", id)
		thief.exactly(failedSM("item-not-found"))
		q := r.resume(t, id, 9)
		q.exactly(fmt.Sprintf(tooHigh, 9, sent+1))
		q.want("<close", "closed 1000")
		if live {
			p.quiet()
			p.send(ackSM(1))
		}
	}
	r.resume(t, id, 1).exactly(resumedSM(id, 1)) // the ping
	r.ExpireSession("alice@localhost/a")
	thief := r.authenticated(t, "carol", "lorac")
	thief.sendf("<resume"+nonza+" previd='%s' h='0'/>", id)
	thief.exactly(failedSM("item-not-found")) // without h: it is no business of hers

	p = r.session(t, "alice", "a")
	p.send("<enable" + nonza + "/>")
	p.want("<enabled")
	r.Cut("alice@localhost/a")
	if got := r.Sessions("alice"); len(got) != 0 {
		t.Errorf("sessions %q", got)
	}
}

// TestCloseEndsHibernation also proves that a message to a session that is gone does no harm.
func TestCloseEndsHibernation(t *testing.T) {
	r := newRig(t, Config{})
	p := r.session(t, "alice", "a")
	p.enable()
	r.Cut("alice@localhost/a")
	r.mu.Lock()
	timer := r.accounts["alice@localhost"].sessions["a"].sm.expiry
	r.mu.Unlock()
	r.Close()
	if timer.Stop() || len(r.Sessions("alice")) > 0 {
		t.Error("it still hibernates")
	}
	if r.Send("alice@localhost/a", "<x/>") == nil {
		t.Error("sent to a session that ended")
	}
}

func TestOnlySomeCountsAreRemembered(t *testing.T) {
	a := &account{}
	for i := range maxRemember + 5 {
		a.remember(&ledger{id: fmt.Sprint(i), received: uint32(i)})
	}
	if len(a.ended) != maxRemember || a.ended[0].id != "5" || a.ended[maxRemember-1].h != maxRemember+4 {
		t.Errorf("%d remembered, from %+v", len(a.ended), a.ended[0])
	}
}

// TestInABubble serves net.Pipe connections in a bubble of its own time: the session hibernates there, and its minute passes at once.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Accounts: map[string]string{"alice": "ecila"}, Mechanisms: []string{"PLAIN"}})
		if err != nil {
			t.Fatal(err)
		}
		pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		web := &http.Server{Handler: s}
		go web.Serve(pipes)
		transport := &http.Transport{DialContext: pipes.dial}
		ws, _, err := websocket.Dial(t.Context(), "ws://server/", &websocket.DialOptions{
			Subprotocols: []string{"xmpp"}, HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		p := (&peer{t: t, ws: ws, ctx: t.Context()}).login("alice", "ecila", "a")
		p.enable()
		p.ws.CloseNow()
		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		if got := s.Hibernating("alice"); len(got) != 1 {
			t.Errorf("hibernating %q", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := s.Sessions("alice"); len(got) != 0 {
			t.Errorf("sessions %q", got)
		}
		s.Close()
		web.Close()
		transport.CloseIdleConnections()
	})
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	l.conns <- server
	return client, nil
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
