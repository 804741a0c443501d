//go:build !js

package client_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport"
)

// TestListTooLarge has the list be larger than the largest message that the client
// accepts: the error says so, and the client does not request it repeatedly.
func TestListTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		large := true
		f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) && large {
				s.fail(&transport.CloseError{Code: 1009, Reason: transport.ReasonTooLarge})
				return true
			}
			return false
		}
		a := f.device(t)
		_, err := a.Connect(t.Context())
		got := asError(t, err)
		if got.Code != pam.CodeTooLarge || !got.Retryable || !strings.Contains(got.Text, "32 MiB") || !strings.Contains(got.Text, "list of subscriptions") {
			t.Errorf("got %v", got)
		}
		time.Sleep(time.Hour)
		if n := len(f.listed()); n < 5 || n > 9 {
			t.Errorf("requested the list %d times in an hour", n)
		}
		if s := a.State(); s.Phase != pam.PhaseWaiting || s.Err.Code != pam.CodeTooLarge {
			t.Errorf("state %+v", s)
		}
		f.set(func() { large = false })
		if _, err := a.Connect(t.Context()); err != nil {
			t.Error(err)
		}
		f.socket().fail(&transport.CloseError{Code: 1009, Reason: "a stanza of ours is too large for the server"})
		time.Sleep(time.Minute)
		if s := a.State(); s.Phase != pam.PhaseLive {
			t.Errorf("state %+v", s)
		}
		before := len(f.listed())
		f.set(func() { large = true })
		f.socket().fail(errors.New("reset"))
		time.Sleep(9 * time.Minute)
		if n := len(f.listed()) - before; n != 2 {
			t.Errorf("after a list of valid size, two in a row may be too large: requested %d times in 9 minutes", n)
		}
		_ = a.Close()
	})
}

// TestTooLargeAndResumed has the server repeat a message that is too large whenever
// the session is resumed: the client begins another session.
func TestTooLargeAndResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHalfStarted()
		a := f.device(t, quick).connect()
		tooLarge := func(s *socket) { s.fail(&transport.CloseError{Code: 1009, Reason: transport.ReasonTooLarge}) }
		answer := f.handle
		f.set(func() {
			f.handle = func(s *socket, e *element.Element) bool {
				handled := answer(s, e)
				if e.Is(nsSM, "resume") {
					tooLarge(s)
				}
				return handled
			}
		})
		tooLarge(f.socket())
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseLive || s.Resumed || f.sessions != 2 {
			t.Errorf("half a minute later it is %s, resumed: %v, in session %d", s.Phase, s.Resumed, f.sessions)
		}
		_ = a.Close()
	})
}
