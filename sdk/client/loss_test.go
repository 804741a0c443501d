//go:build !js

package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// TestConnectDuringDisconnect connects again while the old session still waits
// for the server's <close/>.
func TestConnectDuringDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.handle = func(_ *socket, e *element.Element) bool { return e.Is(nsFraming, "close") }
		a := f.device(t).connect()
		left := begin(func() error { return a.Disconnect(t.Context()) })
		synctest.Wait()

		if _, err := a.Subscribe(t.Context(), news); asError(t, err).Code != pam.CodeOffline {
			t.Errorf("subscribe while leaving gave %v", err)
		}
		if err := a.Refresh(t.Context(), false); asError(t, err).Code != pam.CodeOffline {
			t.Errorf("refresh while leaving gave %v", err)
		}
		if f.received("iq") != 3 {
			t.Errorf("%d requests were sent, want bind, disco, list", f.received("iq"))
		}
		if _, err := a.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-left; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if s := a.State(); s.Phase != pam.PhaseLive || s.Attempt != 1 || len(f.dialed()) != 2 || f.atOnce() != 1 {
			t.Errorf("%+v after %d dials, %d sockets at once", s, len(f.dialed()), f.atOnce())
		}
		_ = a.Close()
	})
}

// TestLateListAfterDisconnect has the server send the list between the client's <close/>
// and its own.
func TestLateListAfterDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		_ = a.Disconnect(t.Context())
		synctest.Wait()
		seen := len(a.events)
		var list *element.Element
		f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) {
				list = e
				return true
			}
			if e.Is(nsFraming, "close") {
				s.answer(list) // without changes, so that the client stores nothing
			}
			return false
		}
		connected := a.connecting(t.Context())
		synctest.Wait()
		if err := a.Disconnect(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-connected; asError(t, err).Code != pam.CodeAborted {
			t.Errorf("connect gave %v", err)
		}
		synctest.Wait()
		a.neverLive(seen)
		_ = a.Close()
	})
}

// TestLateDiscoAfterDisconnect has the server report only after the client's <close/>
// that it does not know PAM.
func TestLateDiscoAfterDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		var disco *element.Element
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isList(e):
				s.failure(e, "service-unavailable")
				return true
			case isDisco(e) && e.Attr("to") == "localhost":
				disco = e
				return true
			case isDisco(e):
				s.result(e, "<query xmlns='"+nsInfo+"'/>")
				return true
			case e.Is(nsFraming, "close") && disco != nil:
				s.result(disco, "<query xmlns='"+nsInfo+"'/>")
			}
			return false
		}
		a := f.device(t)
		connected := a.connecting(t.Context())
		synctest.Wait()
		if disco == nil {
			t.Fatal("the domain received no query")
		}
		_ = a.Disconnect(t.Context())
		if err := <-connected; asError(t, err).Code != pam.CodeAborted {
			t.Errorf("connect gave %v", err)
		}
		synctest.Wait()
		a.neverLive(0)
		_ = a.Close()
	})
}

// neverLive checks that no event from the given one on announced a live session.
func (d *device) neverLive(from int) {
	d.t.Helper()
	for _, e := range d.events[from:] {
		if s, ok := e.(client.StateChanged); ok && s.State.Phase == pam.PhaseLive {
			d.t.Error("live was announced")
		}
	}
}

// TestLastSyncedOfALostConnection loses a connection after an hour in which the
// server only answered pings: the list was correct until the last answer.
func TestLastSyncedOfALostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		before := a.State().LastSynced
		time.Sleep(time.Hour)
		f.socket().fail(errors.New("reset"))
		synctest.Wait()
		if got := a.State().LastSynced; got.Sub(before) > time.Hour || got.Sub(before) < time.Hour-time.Minute {
			t.Errorf("the client reports the list as correct for %v", got.Sub(before))
		}
		_ = a.Close()
	})
}

// TestOfflineWhenDisconnectReturns checks the state directly after Disconnect.
func TestOfflineWhenDisconnectReturns(t *testing.T) {
	f := newScripted()
	a := f.device(t)
	for range 1000 {
		a.connect()
		if err := a.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p := a.State().Phase; p != pam.PhaseOffline {
			t.Fatalf("phase %s", p)
		}
	}
}

// TestReasonOfTheServer has the server end the stream with a stream error while the
// client sends: sending fails, but the stream error decides what the client does.
func TestReasonOfTheServer(t *testing.T) {
	for _, trigger := range []string{"a message", "the caller"} {
		bubble(t, trigger, func(t *testing.T) {
			f := newScripted()
			a := f.device(t).connect()
			s := f.socket()
			s.failSending(errors.New("the socket has ended"))
			reason := "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='" + nsStreams + "'/></stream:error>"
			if trigger == "a message" {
				s.push("<iq xmlns='jabber:client' type='get' id='p' from='localhost'><ping xmlns='urn:xmpp:ping'/></iq>", reason)
			} else {
				go func() { _ = a.Refresh(t.Context(), false) }()
				synctest.Wait()
				s.push(reason)
			}
			s.fail(gone)
			time.Sleep(10 * time.Second)
			if s := a.State(); s.Phase != pam.PhaseFailed || s.Err.Code != pam.CodeConflict || len(f.dialed()) != 1 {
				t.Errorf("state %+v (%v) after %d dials", s, s.Err, len(f.dialed()))
			}
			_ = a.Close()
		})
	}
}

// TestUnsent has sending fail while no message arrives.
func TestUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t, quick).connect()
		s := f.socket()
		s.failSending(errors.New("too much waits"))
		if err := a.Refresh(t.Context(), false); asError(t, err).Code != pam.CodeOffline {
			t.Errorf("refresh gave %v", err)
		}
		time.Sleep(10 * time.Second)
		if s := a.State(); s.Phase != pam.PhaseLive || len(f.dialed()) != 2 || f.atOnce() != 1 || f.count() != 1 {
			t.Errorf("state %+v after %d dials, %d sockets", s, len(f.dialed()), f.count())
		}
		_ = a.Close()
	})
}

// TestLostAtOnce loses the connection at every message that the client sends.
func TestLostAtOnce(t *testing.T) {
	for n := 1; n <= 12; n++ {
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			sent := 0
			f.handle = func(s *socket, e *element.Element) bool {
				if sent++; sent == n {
					s.failSending(errors.New("lost"))
				}
				return false
			}
			a := f.device(t, quick)
			_, _ = a.Connect(t.Context())
			for range 3 {
				_, _ = a.Subscribe(t.Context(), news)
			}
			time.Sleep(time.Minute)
			if s := a.State(); s.Phase != pam.PhaseLive || s.Pending != 0 || f.count() != 1 || f.atOnce() != 1 {
				t.Errorf("message %d: state %+v, %d sockets", n, s, f.count())
			}
			_ = a.Close()
			synctest.Wait()
			if n := f.count(); n != 0 {
				t.Errorf("message %d: %d sockets are open", sent, n)
			}
		})
	}
}

// TestCloseDuringDial has a dial succeed after the client was closed.
func TestCloseDuringDial(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			f.dial = func(context.Context) error {
				time.Sleep(2 * time.Second)
				return nil
			}
			a := f.device(t, func(o *client.Options) {
				o.OnEvent = func(e client.Event) {
					if s, ok := e.(client.StateChanged); ok && s.State.Phase == pam.PhaseOffline {
						time.Sleep(10 * time.Second) // The caller is slow.
					}
				}
			})
			go func() { _, _ = a.Connect(t.Context()) }()
			time.Sleep(time.Second)
			go func() { _ = a.Disconnect(t.Context()) }()
			time.Sleep(2 * time.Second)
			_ = a.Close()
			synctest.Wait()
			if n := f.count(); n > 0 {
				t.Errorf("%d sockets stay open", n)
			}
		})
	}
}

// TestTemporaryAuthFailure checks that the client does not ask for another password
// after a temporary failure.
func TestTemporaryAuthFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		failures := 1
		f.handle = func(s *socket, e *element.Element) bool {
			if e.Is(nsSASL, "auth") && failures > 0 {
				failures--
				s.push("<failure xmlns='" + nsSASL + "'><temporary-auth-failure/></failure>")
				return true
			}
			return false
		}
		a := f.device(t, quick)
		_, err := a.Connect(t.Context())
		if got := asError(t, err); got.Code != pam.CodeAuth || !got.Retryable {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Second)
		if a.State().Phase != pam.PhaseLive || !slices.Equal(a.reasons, []string{"initial", "reconnect"}) {
			t.Errorf("phase %s, reasons %q", a.State().Phase, a.reasons)
		}
		_ = a.Close()
	})
}
