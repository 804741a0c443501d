//go:build !js

package client_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// TestReceivedByCatchUp delivers an event after the catch-up has ended, in each way in which
// a message can come. Only one from offline storage counts as received by the catch-up, and
// that is announced.
func TestReceivedByCatchUp(t *testing.T) {
	delay := func(before time.Duration) string {
		return "<delay xmlns='urn:xmpp:delay' stamp='" + time.Now().Add(-before).UTC().Format(time.RFC3339) + "'/>"
	}
	for _, tt := range []struct {
		name     string
		resumed  bool // it comes directly after a resumption
		delay    func() string
		delivery pam.Delivery
		received int
	}{
		{"live", false, func() string { return "" }, pam.DeliveryLive, 0},
		{"live, directly after a resumption", true, func() string { return "" }, pam.DeliveryLive, 0},
		{"replayed by a resumption", true, func() string { return delay(time.Minute) }, pam.DeliveryResumed, 0},
		{"from offline storage", false, func() string { return delay(time.Minute) }, pam.DeliveryCatchUp, 1},
		{"from offline storage, after a resumption", true, func() string { return delay(24 * time.Hour) }, pam.DeliveryCatchUp, 1},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			event := func() string {
				return strings.Replace(eventOf("pubsub.localhost", "news", itemOf("1")), "</message>", tt.delay()+"</message>", 1)
			}
			f.handle = func(s *socket, e *element.Element) bool {
				handled := r.handle(s, e)
				switch {
				case isList(e):
					s.result(e, rowsOfNews("v1", "s1"))
				case e.Is(nsSM, "resume"):
					s.push(event())
				default:
					return handled
				}
				return true
			}
			d := f.device(t).connect()
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if s := d.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.Received != 0 {
				t.Errorf("at first the catch-up is %+v", s)
			}
			if tt.resumed {
				f.socket().fail(errors.New("reset"))
			} else {
				f.socket().push(event())
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			all := d.all(t)
			if len(all) != 1 || all[0].Delivery != tt.delivery {
				t.Errorf("got %+v, want one that is %s", all, tt.delivery)
			}
			announced := 0
			d.mu.Lock()
			for _, e := range d.events {
				if c, ok := e.(client.CatchUpChanged); ok {
					announced = c.State.Received
				}
			}
			d.mu.Unlock()
			if s := d.inbox().CatchUp; s.Received != tt.received || announced != tt.received || r.binds != 1 {
				t.Errorf("the catch-up is %+v, and %d were announced, want %d\n%s", s, announced, tt.received, d.log())
			}
			_ = d.Close()
		})
	}
}
