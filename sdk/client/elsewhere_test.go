//go:build !js

package client_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestLiveElsewhere has another device connected while this one is away: what happened in
// that time was probably seen there. Other programs, and devices of others, do not count.
func TestLiveElsewhere(t *testing.T) {
	needsMem(t)
	start := time.Now().Add(-time.Hour)
	at := func(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }
	presence := func(from, caps string, minute int) string {
		return "<presence xmlns='jabber:client' from='" + from + "'>" + caps +
			"<delay xmlns='urn:xmpp:delay' stamp='" + at(minute).UTC().Format("2006-01-02T15:04:05Z") + "'/></presence>"
	}
	for _, test := range []struct {
		name     string
		presence []string
		seen     bool
	}{
		{"a device of the account", []string{presence("alice@localhost/laptop", "{caps}", 15)}, true},
		{"one that ends", []string{presence("alice@localhost/laptop", "{caps}", 15), "<presence xmlns='jabber:client' type='unavailable' from='alice@localhost/laptop'/>"}, true},
		{"one that came later", []string{presence("alice@localhost/laptop", "{caps}", 25)}, false},
		{"one that says later that it was there before", []string{presence("alice@localhost/laptop", "{caps}", 25), presence("alice@localhost/laptop", "{caps}", 15)}, true},
		{"one without a time", []string{strings.Replace(presence("alice@localhost/laptop", "{caps}", 15), "stamp", "x", 1)}, false},
		{"this session itself", []string{presence("{me}", "{caps}", 15)}, false},
		{"another program", []string{presence("alice@localhost/laptop", "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:other' ver='x'/>", 15)}, false},
		{"no capabilities", []string{presence("alice@localhost/laptop", "", 15)}, false},
		{"another account", []string{presence("bob@localhost/laptop", "{caps}", 15)}, false},
		{"the end of what never began", []string{"<presence xmlns='jabber:client' type='unavailable' from='alice@localhost/laptop'/>"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPeer(t)
			a := newDevice(t, p, nil).connect()
			subscribe(t, a, "pubsub.localhost", "news")
			for i, minute := range []int{10, 20} { // found by the next session
				if err := p.publish("news", fmt.Sprint(i+1), entryAt(at(minute))); err != nil {
					t.Fatal(err)
				}
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			b := newDevice(t, p, nil).connect()
			until(t, "the events", func() bool { return len(b.seen()) == 2 })
			caps := b.wire(true)
			caps = caps[strings.Index(caps, "<c "):]
			caps = caps[:strings.Index(caps, ">")+1]
			for _, text := range test.presence {
				me := p.Sessions("alice")[0]
				if err := p.Send(me, strings.NewReplacer("{caps}", caps, "{me}", me).Replace(text)); err != nil {
					t.Fatal(err)
				}
			}
			publishEntries(t, p, "3") // live
			want := map[string]string{"1": notSeen, "2": notSeen, "3": notSeen}
			if test.seen {
				want["2"] = elsewhere
			}
			until(t, "the last event", func() bool { return len(b.seen()) == 3 })
			b.untilSeen(want)
		})
	}
}

// TestLiveElsewhereAtAServer does the same with two devices, at a server that sends
// presence to all sessions of an account.
func TestLiveElsewhereAtAServer(t *testing.T) {
	p := newPeer(t)
	if p.Server != nil {
		t.Skip("the server in memory sends no presence to other sessions")
	}
	kept := keep(store.NewMemory())
	a, b := newDevice(t, p, nil).connect(), newDevice(t, p, kept).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	b.waitNodes("news")
	b.untilShared()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // The server's stamps are in seconds.
	for id, at := range map[string]time.Time{"long ago": time.Now().Add(-time.Hour), "now": time.Now()} {
		if err := p.publish("news", id, entryAt(at)); err != nil {
			t.Fatal(err)
		}
	}
	b = newDevice(t, p, kept).connect()
	until(t, "the events", func() bool { return b.seen()["now"] == elsewhere })
	t.Logf("seen: %v", b.seen())
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	publishEntries(t, p, "alone")
	until(t, "the event", func() bool { return b.seen()["alone"] == notSeen })
}

// TestLiveElsewhereUntilTheLoss has another device be connected when the connection is lost,
// long before the end of the session. It counts as connected until the last message came,
// and not while nothing was known of it.
func TestLiveElsewhereUntilTheLoss(t *testing.T) {
	const laptop = "<presence xmlns='jabber:client' from='alice@localhost/laptop'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='%s' ver='x'/></presence>"
	for _, tt := range []struct {
		name string
		lose func(f *scripted, r *resumer) // for 10 minutes
	}{
		{"the resumption is refused", func(f *scripted, r *resumer) {
			f.set(func() { r.refuse, f.refuse = true, errors.New("no network") })
			f.socket().fail(errors.New("reset"))
		}},
		{"the attempts to connect end early", func(f *scripted, r *resumer) {
			f.set(func() { r.refuse = true })
			away := true
			time.AfterFunc(10*time.Minute, func() { f.set(func() { away = false }) })
			before := f.handle
			f.set(func() {
				f.handle = func(s *socket, e *element.Element) bool {
					if away && e.Is(nsFraming, "open") {
						s.open("<mechanisms xmlns='" + nsSASL + "'><mechanism>PLAIN</mechanism></mechanisms>")
						s.fail(errors.New("reset"))
						return true
					}
					return before(s, e)
				}
			})
			f.socket().fail(errors.New("reset"))
		}},
		{"the server is silent", func(f *scripted, r *resumer) {
			f.set(func() {
				r.refuse, f.refuse = true, errors.New("no network")
				r.ignored = func(*element.Element) bool { return f.refuse != nil }
			})
		}},
		{"the device has left before", func(f *scripted, r *resumer) {
			f.socket().push("<presence xmlns='jabber:client' type='unavailable' from='alice@localhost/laptop'/>")
			time.Sleep(5 * time.Minute)
			f.set(func() { r.refuse, f.refuse = true, errors.New("no network") })
			f.socket().fail(errors.New("reset"))
		}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			items := ""
			f.handle = func(s *socket, e *element.Element) bool {
				handled := r.handle(s, e)
				switch {
				case isList(e):
					s.result(e, rowsOfNews("v1", "s1"))
				case isCatchUp(e) && !isDisco(e):
					s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='news'>"+items+"</items></pubsub>")
				default:
					return handled
				}
				return true
			}
			d := f.device(t).connect()
			time.Sleep(time.Minute)
			caps := d.wire(true)
			_, caps, _ = strings.Cut(caps[strings.Index(caps, "<c "):], "node='")
			caps, _, _ = strings.Cut(caps, "'")
			f.socket().push(fmt.Sprintf(laptop, caps))
			publish := func(id string) {
				f.set(func() { items = "<item id='" + id + "'>" + entryAt(time.Now()) + "</item>" + items })
			}
			time.Sleep(5 * time.Minute)
			publish("connected")
			time.Sleep(5 * time.Minute)
			tt.lose(f, r)
			for _, id := range []string{"soon", "late"} {
				time.Sleep(3 * time.Minute)
				publish(id)
			}
			time.Sleep(4 * time.Minute)
			f.set(func() { f.refuse = nil })
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			want := map[string]string{"connected": elsewhere, "soon": notSeen, "late": notSeen}
			if got := d.seen(); !maps.Equal(got, want) || r.binds != 2 {
				t.Errorf("seen: %v, want %v, after %d sessions\n%s", got, want, r.binds, d.log())
			}
			_ = d.Close()
		})
	}
}

// TestDeviceFromTheFuture sends presence of another device with a stamp in the future, which
// the clock of its server tells: it was connected since the presence came.
func TestDeviceFromTheFuture(t *testing.T) {
	needsMem(t)
	bubble(t, "future", func(t *testing.T) {
		p, dial := bubbledPeer(t, func(*mem.Config) {})
		a := newDevice(t, p, keep(store.NewMemory()), dial).connect()
		subscribe(t, a, "pubsub.localhost", "news")
		caps := a.wire(true)
		caps = caps[strings.Index(caps, "<c "):]
		caps = caps[:strings.Index(caps, ">")+1]
		stamp := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		check(t, p.Send(p.Sessions("alice")[0], "<presence xmlns='jabber:client' from='alice@localhost/laptop'>"+caps+"<delay xmlns='urn:xmpp:delay' stamp='"+stamp+"'/></presence>"))
		time.Sleep(5 * time.Minute)
		while := time.Now()
		time.Sleep(5 * time.Minute)
		check(t, a.Disconnect(t.Context()))
		check(t, p.publish("news", "1", entryAt(while)))
		a.connect()
		a.untilSeen(map[string]string{"1": elsewhere})
	})
}

// TestManyDevices sends presence of many sessions of the account: it is bounded what is
// remembered of them, and nothing is after the session.
func TestManyDevices(t *testing.T) {
	needsMem(t)
	p := newPeer(t)
	a := newDevice(t, p, nil).connect()
	caps := a.wire(true)
	caps = caps[strings.Index(caps, "<c "):]
	caps = caps[:strings.Index(caps, ">")+1]
	for i := range 500 {
		if err := p.Send(p.Sessions("alice")[0], fmt.Sprintf("<presence xmlns='jabber:client' from='alice@localhost/%d'>%s</presence>", i, caps)); err != nil {
			t.Fatal(err)
		}
	}
	subscribe(t, a, "pubsub.localhost", "news")
	if n := client.Devices(a.Client); n != 32 {
		t.Errorf("%d devices are remembered", n)
	}
	if err := p.Send(p.Sessions("alice")[0], "<presence xmlns='jabber:client' type='unavailable' from='alice@localhost/0'/>"); err != nil {
		t.Fatal(err)
	}
	subscribe(t, a, "pubsub.localhost", "weather")
	if n := client.Devices(a.Client); n != 31 {
		t.Errorf("%d devices are remembered after one has left", n)
	}
	if err := a.Disconnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := client.Devices(a.Client); n != 0 {
		t.Errorf("%d devices are remembered after the session", n)
	}
}
