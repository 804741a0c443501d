//go:build !js

package mem

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReplay checks that the server repeats each unacknowledged stanza once, in order and unchanged: those sent, those held back, and those
// that arrived while there was no connection.
func TestReplay(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a", available), r.session(t, "bob", "b")
	id := p.enable()
	p.send("<message xmlns='jabber:client' to='bob@localhost/b' id='x'/>")
	bob.want("id='x'")
	all := bob.sendTo(1, 2, 3)
	p.exactly(all...)
	release := r.Hold(func(full, xml string) bool {
		return strings.HasPrefix(full, "alice") && strings.Contains(xml, "id='4'")
	})
	all = append(all, bob.sendTo(4, 5)...)
	r.Send("alice@localhost/a", requestSM) // held back, too, but no stanza
	if !r.Cut("alice@localhost/a") || r.Cut("alice@localhost/a") {
		t.Error("not cut, or twice")
	}
	release()
	if h := r.Hibernating("alice"); !slices.Equal(h, []string{"alice@localhost/a"}) || !slices.Equal(h, r.Sessions("alice")) {
		t.Errorf("hibernating %q of %q", h, r.Sessions("alice"))
	}
	all = append(all, bob.sendTo(6)...)
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

	// Again on the resumed connection, with all but the last acknowledged.
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

// TestStateIsKept checks that presence, priority and the request for notifies are kept after the connection is lost.
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
	sm := r.accounts["alice@localhost"].sessions["a"].sm
	sm.received, sm.acked = math.MaxUint32, math.MaxUint32-1
	r.mu.Unlock()
	p.send("<message xmlns='jabber:client' to='bob@localhost/b' id='x'/>")
	bob.want("id='x'")
	p.send(requestSM)
	p.exactly(ackSM(0))
	all := bob.sendTo(1, 2, 3) // 2³²-1, 0 and 1
	p.exactly(all...)
	p.send(ackSM(math.MaxUint32))
	r.Cut("alice@localhost/a")
	p = r.resume(t, id, 0)
	p.exactly(resumedSM(id, 0), all[2])
	p.send(ackSM(1))
	p.send(ackSM(2))
	p.exactly(fmt.Sprintf(tooHigh, 2, 1))
}

// TestTakeOver resumes a session whose connection is still open.
func TestTakeOver(t *testing.T) {
	r := newRig(t, Config{})
	old, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	id := old.enable()
	all := bob.sendTo(1, 2)
	old.exactly(all...)
	release := r.Hold(func(full, xml string) bool { return full == "alice@localhost/a" && strings.Contains(xml, "id='3'") })
	all = append(all, bob.sendTo(3)...)
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
	p.exactly(ackSM(0)) // the server did not handle the late stanza
	bob.quiet()
	if got := r.Sessions("alice"); len(got) != 1 || len(r.Hibernating("alice")) != 0 {
		t.Errorf("sessions %q", got)
	}
	p.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
	p.want("<close")
}

// TestEndOfASession ends sessions in every way, and checks the answer to a client that tries to resume one.
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

// TestWrongResumption checks that neither another user nor a wrong count affects the session, and that one without resumption ends with its
// connection.
func TestWrongResumption(t *testing.T) {
	r := newRig(t, Config{})
	p, bob := r.session(t, "alice", "a"), r.session(t, "bob", "b")
	id := p.enable()
	all := bob.sendTo(1)
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
	thief.exactly(failedSM("item-not-found")) // without h: it is not her session

	p = r.session(t, "alice", "a")
	p.send("<enable" + nonza + "/>")
	p.want("<enabled")
	r.Cut("alice@localhost/a")
	if got := r.Sessions("alice"); len(got) != 0 {
		t.Errorf("sessions %q", got)
	}
}

// TestCloseEndsHibernation also checks that a message to an ended session has no effect.
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
		a.remember(&smState{id: fmt.Sprint(i), received: uint32(i)})
	}
	if len(a.ended) != maxRemember || a.ended[0].id != "5" || a.ended[maxRemember-1].h != maxRemember+4 {
		t.Errorf("%d remembered, from %+v", len(a.ended), a.ended[0])
	}
}
