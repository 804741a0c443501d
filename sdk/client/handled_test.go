//go:build !js

package client_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/store"
)

// TestHandledOnceStored requests an acknowledgement while the client stores a notify: it
// does not count yet, and neither do later stanzas, because the server would not send
// them again after a crash (XEP-0198 §4).
func TestHandledOnceStored(t *testing.T) {
	for _, tab := range []string{"", "tab"} {
		bubble(t, "tab "+tab, func(t *testing.T) {
			const storing = time.Second
			f, r := newScripted(), &resumer{}
			f.handle = r.handle
			d := f.device(t, func(o *client.Options) {
				o.Store, o.Tab = keep(slow{store.NewMemory(), 0, storing}), tab
			}).connect()
			time.Sleep(10 * time.Second)
			if h := r.requestAck(f.socket()); h != "2" { // the answers to disco and to the list
				t.Errorf("at first h is %s", h)
			}
			f.socket().notify("v1", "news", "subscribed")
			f.socket().push("<message xmlns='jabber:client' from='bob@localhost'/>")
			if h := r.requestAck(f.socket()); h != "2" {
				t.Errorf("while the notify is being stored h is %s", h)
			}
			time.Sleep(10 * storing)
			if h := r.requestAck(f.socket()); h != "6" { // and the answers of the service to the catch-up
				t.Errorf("afterwards h is %s", h)
			}
			d.waitNodes("news")
			_ = d.Close()
		})
	}
}

// TestHandledWhileMoreIsStored has notifies arrive faster than the store commits: the
// client acknowledges the notifies of a commit while the next commit is pending.
func TestHandledWhileMoreIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		d := f.device(t, slowly(0, time.Second)).connect()
		time.Sleep(10 * time.Second)
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(700 * time.Millisecond)
		f.socket().notify("v2", "weather", "subscribed")
		time.Sleep(700 * time.Millisecond)
		if h := r.requestAck(f.socket()); h != "3" { // the answers to disco and to the list, and the first notify
			t.Errorf("h is %s", h)
		}
		_ = d.Close()
	})
}

// TestAllHandledIsAcknowledged checks that the client acknowledges all handled stanzas,
// whether the session can be resumed or stored, or not: the server would deliver
// unacknowledged ones again after the session.
func TestAllHandledIsAcknowledged(t *testing.T) {
	const extra = 301
	for _, tab := range []string{"", "tab"} {
		for _, resumable := range []string{"true", "false"} {
			bubble(t, "tab "+tab+", resumable "+resumable, func(t *testing.T) {
				f, r := newScripted(), &resumer{}
				f.handle = func(s *socket, e *element.Element) bool {
					if e.Is(nsSM, "enable") {
						r.h = 0
						s.push("<enabled xmlns='" + nsSM + "' id='sm1' resume='" + resumable + "'/>")
						return true
					}
					return r.handle(s, e)
				}
				d := f.device(t, func(o *client.Options) { o.Tab = tab }).connect()
				for range extra {
					f.socket().push("<message xmlns='jabber:client' from='bob@localhost'/>")
				}
				time.Sleep(10 * time.Second)
				if synctest.Wait(); r.acked == "" {
					t.Error("the client acknowledged nothing without a request")
				}
				f.socket().push("<message xmlns='jabber:client' from='bob@localhost'/>")
				time.Sleep(10 * time.Second)
				if h, want := r.requestAck(f.socket()), strconv.Itoa(extra+3); h != want { // and the answers to disco and to the list
					t.Errorf("h is %s, want %s", h, want)
				}
				_ = d.Close()
			})
		}
	}
}

// TestFailedStoreAcknowledgesNothing has the store fail while it contains a record of
// the session. The client does not acknowledge stanzas that are only in memory, because
// the next run continues from the record. It closes the store.
func TestFailedStoreAcknowledgesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		s := &failing{Store: store.NewMemory()}
		d := f.device(t, inTab(s, "tab")).connect()
		time.Sleep(time.Second)
		s.on.Store(true)
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(5 * time.Second)
		if h := r.requestAck(f.socket()); h != "2" || !d.State().Storage.Degraded {
			t.Errorf("h is %s, %+v", h, d.State())
		}
		if n := s.closed.Load(); n != 1 {
			t.Errorf("the store was closed %d times once it had failed", n)
		}
		_ = d.Close()
	})
}

// TestSameListStoredFirst has another client store the change of a notify just before
// this one does. The notify still counts as handled, and the next run of the program
// does not request it again.
func TestSameListStoredFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r, ofFirst := newScripted(), &resumer{}, &resumer{}
		var toFirst *socket
		f.handle = func(s *socket, e *element.Element) bool {
			if toFirst == nil || s == toFirst {
				return ofFirst.handle(s, e) || nothingSince("v1")(s, e)
			}
			return r.handle(s, e) || nothingSince("v1")(s, e) || isCatchUp(e) // No stanza follows the notify.
		}
		kept := store.NewMemory()
		run := func(tab string) *device {
			return f.device(t, inTab(keep(kept), tab)).connect()
		}
		first := run("")
		f.set(func() { toFirst = f.last })
		a := run("tab")
		time.Sleep(time.Second)
		toFirst.notify("v1", "news", "subscribed")
		time.Sleep(time.Second / 2) // Both inboxes store 2 s after the beginning of their sessions.
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(time.Minute)
		before := len(f.listed())
		f.set(func() { f.refuse = errors.New("the program is gone") })
		f.socket().fail(errors.New("reset"))
		f.set(func() { f.refuse = nil })

		b := run("tab")
		if len(r.asked) != 1 || r.asked[0] != "3" || len(f.listed()) != before+1 { // the answers to disco and to the list, and the notify
			t.Errorf("requested from %v, %d lists\n%s", r.asked, len(f.listed())-before, b.log())
		}
		b.waitNodes("news")
		for _, d := range []*device{first, a, b} {
			_ = d.Close()
		}
	})
}

// TestHandledWithoutPAM: without PAM at the server the client stores nothing, so it
// handles every stanza that is delivered.
func TestHandledWithoutPAM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		said := 0
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isList(e), isDisco(e):
				r.h++
				said++
				s.failure(e, "service-unavailable")
				return true
			}
			return r.handle(s, e)
		}
		d := f.device(t).connect()
		f.socket().push("<message xmlns='jabber:client' from='bob@localhost'/>")
		time.Sleep(time.Second)
		if h, want := r.requestAck(f.socket()), strconv.Itoa(said+1); h != want || len(d.State().Missing) != 1 {
			t.Errorf("h is %s, want %s; %+v", h, want, d.State())
		}
		_ = d.Close()
	})
}

// TestSleepAcknowledges checks that before the browser may stop the program, the client
// stores what it has handled and acknowledges what it has stored.
func TestSleepAcknowledges(t *testing.T) {
	for name, tt := range map[string]struct {
		stores time.Duration // how long the client has to store the message before
		sleep  func(*client.Client)
	}{
		"sleep":  {0, (*client.Client).Sleep},
		"freeze": {time.Second, (*client.Client).Freeze},
	} {
		bubble(t, name, func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			f.handle = r.handle
			d := f.device(t, func(o *client.Options) { o.Tab = "tab" }).connect()
			time.Sleep(10 * time.Second)
			f.socket().push("<message xmlns='jabber:client' from='bob@localhost'/>")
			synctest.Wait()
			time.Sleep(tt.stores)
			tt.sleep(d.Client)
			time.Sleep(time.Second)
			synctest.Wait()
			if r.acked != "3" { // the answers to disco and to the list, and the message
				t.Errorf("h is %q", r.acked)
			}
			_ = d.Close()
		})
	}
}

// A failing store refuses commits while on is set.
type failing struct {
	store.Store
	on     atomic.Bool
	closed atomic.Int32 // how many times
}

func (s *failing) Close() error {
	s.closed.Add(1)
	return s.Store.Close()
}

func (s *failing) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	if s.on.Load() {
		return errors.New("the disk is full")
	}
	return s.Store.Commit(ctx, expect, ops)
}
