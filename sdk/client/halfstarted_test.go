//go:build !js

package client_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// reconnect has a live client receive wrong answers at its next connections, and returns
// it when it is live or has failed, at the latest after half an hour.
func (f *halfStarted) reconnect(t *testing.T, wrong ...wrongAnswer) *device {
	a := f.device(t).connect()
	synctest.Wait()
	f.wrong = wrong
	f.socket().fail(errors.New("reset"))
	for range 30 * 60 {
		time.Sleep(time.Second)
		synctest.Wait()
		if p := a.State().Phase; p == pam.PhaseFailed || p == pam.PhaseLive && len(f.wrong) == 0 {
			break
		}
		if s := f.socket(); len(f.wrong) > 0 && a.State().Phase == pam.PhaseLive { // The stage of the wrong answer was not reached.
			s.fail(errors.New("reset"))
		}
	}
	return a
}

// TestHalfStarted checks that after a session was live, only refused credentials and a
// conflict end the attempts. After any other answer of the server at a reconnection
// the client is live again as soon as the server works.
func TestHalfStarted(t *testing.T) {
	for _, wrong := range wrongAnswers() {
		bubble(t, wrong.name, func(t *testing.T) {
			f := newHalfStarted()
			a := f.reconnect(t, wrong)
			s := a.State()
			switch {
			case wrong.final == "" && s.Phase != pam.PhaseLive:
				t.Errorf("it is %s: %v", s.Phase, s.Err)
			case wrong.final != "" && (s.Phase != pam.PhaseFailed || s.Err.Code != wrong.final || s.Err.Retryable):
				t.Errorf("it is %s: %v; want code %s", s.Phase, s.Err, wrong.final)
			case wrong.final == "":
				if err := a.Refresh(t.Context(), false); err != nil {
					t.Errorf("it is live, but a refresh fails: %v", err)
				}
			}
			_ = a.Close()
		})
	}
}

// TestSilentAccount has a domain that does not offer PAM, and an account that does
// not answer yet: the client does not report PAM as missing, and requests the list
// again.
func TestSilentAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		started := false
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case started:
				return false
			case isDisco(e) && e.Attr("to") == "localhost":
				s.result(e, "<query xmlns='"+nsInfo+"'/>")
			case !isDisco(e) && !isList(e):
				return false
			}
			return true
		}
		a := f.device(t)
		_, err := a.Connect(t.Context())
		if got := asError(t, err); !got.Retryable || a.State().Missing != nil {
			t.Errorf("%v, missing %q", got, a.State().Missing)
		}
		f.set(func() { started = true })
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseLive || s.Missing != nil {
			t.Errorf("it is %s without %q", s.Phase, s.Missing)
		}
		_ = a.Close()
	})
}

// TestHalfStartedRepeatedly draws several wrong answers in a row.
func TestHalfStartedRepeatedly(t *testing.T) {
	all := wrongAnswers()
	random := seeded(t)
	n := 300
	if testing.Short() || raceEnabled {
		n = 60
	}
	for i := range n {
		var names []string
		var drawn []wrongAnswer
		final := false
		for range 2 + random.IntN(4) {
			wrong := all[random.IntN(len(all))]
			if final = final || wrong.final != ""; wrong.final != "" && random.IntN(4) > 0 {
				final = false
				continue
			}
			drawn, names = append(drawn, wrong), append(names, wrong.name)
			if final {
				break
			}
		}
		synctest.Test(t, func(t *testing.T) {
			f := newHalfStarted()
			a := f.reconnect(t, slices.Clone(drawn)...)
			switch s := a.State(); {
			case s.Phase == pam.PhaseLive && len(f.wrong) == 0:
			case s.Phase == pam.PhaseFailed && final && len(f.wrong) == 0 && s.Err.Code == drawn[len(drawn)-1].final:
			default:
				t.Errorf("schedule %d: %q: it is %s (%v), %d to come", i, names, s.Phase, s.Err, len(f.wrong))
			}
			_ = a.Close()
		})
	}
}

// TestNeverLive checks that before the first session an error is final if repeating the
// attempt cannot help.
func TestNeverLive(t *testing.T) {
	for _, wrong := range wrongAnswers() {
		if wrong.name != "opening: host-unknown" && wrong.name != "opening: nothing offered" {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			f := newHalfStarted()
			f.wrong = []wrongAnswer{wrong}
			a := f.device(t)
			if _, err := a.Connect(t.Context()); asError(t, err).Retryable || a.State().Phase != pam.PhaseFailed {
				t.Errorf("%s: %v, and it is %s", wrong.name, err, a.State().Phase)
			}
			_ = a.Close()
		})
	}
}

// TestBadResumption has a new run of the program request the resumption of the stored
// session. After any answer of the server the client soon has a new live session,
// although none was live in this run.
func TestBadResumption(t *testing.T) {
	bad := map[string]bool{"another previd": true, "no previd": true, "no h": true, "a higher h": true, "enabled": true, "an a": true,
		"features": true, "a message": true, "an r": true, "cut": true, "silence": true, "close": true, "no XML": true}
	tried := 0
	for _, wrong := range wrongAnswers() {
		if name, ok := strings.CutPrefix(wrong.name, "resuming: "); !ok || !bad[name] {
			continue
		}
		tried++
		bubble(t, wrong.name, func(t *testing.T) {
			f, kept := newHalfStarted(), keep(store.NewMemory())
			stored := inTab(kept, "tab")
			a := f.device(t, quick, stored).connect()
			time.Sleep(time.Second)
			f.wrong = []wrongAnswer{wrong}
			b := f.device(t, quick, stored)
			if _, err := b.Connect(t.Context()); err != nil && !asError(t, err).Retryable {
				t.Errorf("the attempt ended with %v", err)
			}
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if s := b.State(); s.Phase != pam.PhaseLive || len(f.wrong) > 0 {
				t.Errorf("it is %s: %v; requested: %v", s.Phase, s.Err, len(f.wrong) == 0)
			}
			_ = a.Close()
			_ = b.Close()
		})
	}
	if tried != len(bad) {
		t.Errorf("the test tried %d of %d wrong answers", tried, len(bad))
	}
}
