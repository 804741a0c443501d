//go:build !js

package client_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestCancelCatchUp cancels a catch-up at each of its moments, and continues it: the device
// then has everything that it missed, once.
func TestCancelCatchUp(t *testing.T) {
	needsMem(t)
	const missed = 250 // pages of an archive have 100
	for _, archive := range []bool{true, false} {
		for at := range 12 {
			bubble(t, fmt.Sprintf("archive %v, after %d messages", archive, at), func(t *testing.T) {
				p, dial := bubbledPeer(t, func(c *mem.Config) { c.Archive = archive })
				service := "pubsub." + p.domain
				kept := keep(store.NewMemory())
				a := newDevice(t, p, kept, dial).connect()
				subscribe(t, a, service, "news")
				subscribe(t, a, service, "weather")
				a.caughtUp(t)
				time.Sleep(time.Hour)
				check(t, a.Close())
				for i := range missed {
					check(t, p.publish("news", fmt.Sprint(i), fmt.Sprintf("<x xmlns='urn:x'>%d</x>", i)))
				}
				check(t, p.publish("weather", "rain", "<x xmlns='urn:x'/>"))

				b := newDevice(t, p, kept, dial)
				seen, canceled := 0, make(chan error, 1)
				p.SetLog(func(f mem.Frame) {
					if !f.Out || !strings.Contains(f.XML, "fin xmlns") && !strings.Contains(f.XML, "<items") && !strings.Contains(f.XML, "disco#info") {
						return
					}
					if seen++; seen == at+1 {
						go func() { canceled <- b.CancelCatchUp(t.Context()) }()
					}
				})
				b.connect()
				time.Sleep(10 * time.Second)
				p.SetLog(nil)
				if seen > at {
					check(t, <-canceled)
				}
				s, err := b.Inbox(t.Context())
				check(t, err)
				if s.CatchUp.Phase == pam.CatchUpRunning || s.CatchUp.Completeness == pam.Complete && s.CatchUp.Phase != pam.CatchUpDone {
					t.Errorf("canceled: %+v", s.CatchUp)
				}
				time.Sleep(10 * time.Minute) // nodes that were asked may be asked again
				check(t, b.CatchUp(t.Context()))
				s = b.caughtUp(t)
				if got := b.all(t); len(got) != missed+1 {
					t.Errorf("the inbox has %d events, %+v", len(got), s.CatchUp)
				}
				if left := b.eventsOf(service, "news"); left != missed {
					t.Errorf("%d events were announced", left)
				}
				check(t, b.Close())
			})
		}
	}
}

// eventsOf counts the events of a node that were announced.
func (d *device) eventsOf(service, node string) (n int) {
	for _, e := range d.addedEvents() {
		if e.Service == service && e.Node == node {
			n++
		}
	}
	return n
}

// TestCatchUpAfterError reads a node again whose service did not answer.
func TestCatchUpAfterError(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		f := newScripted()
		fails := true
		f.handle = func(s *socket, e *element.Element) bool {
			if !isCatchUp(e) || e.Child("http://jabber.org/protocol/pubsub", "pubsub") == nil {
				return false
			}
			if fails {
				return true // no answer
			}
			s.push("<iq xmlns='jabber:client' type='result' from='" + e.Attr("to") + "' id='" + e.Attr("id") + "'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='news'><item id='1'><x xmlns='urn:x'/></item></items></pubsub></iq>")
			return true
		}
		a := f.device(t)
		var e *pam.Error
		if err := a.CatchUp(t.Context()); !errors.As(err, &e) || e.Code != pam.CodeOffline {
			t.Errorf("without a session: %v", err)
		}
		check(t, a.CancelCatchUp(t.Context()))
		a.connect()
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(2 * time.Minute)
		s, err := a.Inbox(t.Context())
		check(t, err)
		if s.CatchUp.Phase != pam.CatchUpFailed || len(a.added()) > 0 {
			t.Fatalf("%+v, %q", s.CatchUp, a.added())
		}
		f.set(func() { fails = false })
		check(t, a.CatchUp(t.Context()))
		time.Sleep(time.Minute)
		if len(a.added()) > 0 {
			t.Errorf("asked again within five minutes")
		}
		time.Sleep(5 * time.Minute)
		if s := a.caughtUp(t); len(a.added()) != 1 || s.CatchUp.Err != nil || len(s.CatchUp.Gaps) > 0 {
			t.Errorf("%+v, %q", s.CatchUp, a.added())
		}
		_ = a.Close()
	})
}
