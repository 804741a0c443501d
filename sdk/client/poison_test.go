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
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// TestPoison checks that the client does not repeat for ever a request after which the
// server cuts the connection. It resumes the session twice, and once more if the server
// has acknowledged more stanzas; then the request ends with an error, and the client
// begins a new session.
func TestPoison(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "after a while": time.Second} {
		bubble(t, name, func(t *testing.T) {
			f := newHalfStarted()
			a := f.device(t, quick).connect()
			answer, poisoned := f.handle, 0
			f.set(func() {
				f.handle = func(s *socket, e *element.Element) bool {
					if e.First().First().Attr("node") == "poison" {
						poisoned++
						time.AfterFunc(late, func() { s.fail(errors.New("1009")) })
						return true
					}
					return answer(s, e)
				}
			})
			begin := time.Now()
			_, err := a.Subscribe(t.Context(), pam.Target{Service: "pubsub.localhost", Node: "poison"})
			if got := asError(t, err); got.Code != pam.CodeOutcomeUnknown || got.Retryable || !strings.Contains(got.Text, "each time") && late == 0 {
				t.Errorf("got %v", got)
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if s := a.State(); s.Phase != pam.PhaseLive || s.Resumed || poisoned > 4 || f.sessions != 2 {
				t.Errorf("after %v it is %s, resumed: %v; the request was sent %d times in %d sessions", time.Since(begin), s.Phase, s.Resumed, poisoned, f.sessions)
			}
			if err := a.Refresh(t.Context(), false); err != nil {
				t.Error(err)
			}
			_ = a.Close()
		})
	}
}

// TestTooLarge checks that the client refuses to send a request so large that a server
// would end the connection, and that other requests are not affected.
func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHalfStarted()
		a := f.device(t, quick).connect()
		before := len(a.wire(true))
		for _, target := range []pam.Target{
			{Service: "pubsub.localhost", Node: strings.Repeat("n", 64<<10)},
			{Service: "pubsub.localhost", Node: strings.Repeat("n", 300_000)},
			{Service: "pubsub.localhost", Node: strings.Repeat("'", 11_000)}, // six bytes each
		} {
			_, err := a.Subscribe(t.Context(), target)
			if got := asError(t, err); got.Code != pam.CodeBadOptions || got.Retryable || !strings.Contains(got.Text, "Nothing was sent") {
				t.Errorf("got %v", got)
			}
			if err := a.Unsubscribe(t.Context(), target); asError(t, err).Code != pam.CodeBadOptions {
				t.Errorf("got %v", err)
			}
		}
		synctest.Wait()
		if sent := a.wire(true)[before:]; strings.Contains(sent, ns.Pubsub) || len(f.dialed()) != 1 || client.Waiting(a.Client) != "" {
			t.Errorf("it sent %d bytes, dialed %d times; %s", len(sent), len(f.dialed()), client.Waiting(a.Client))
		}
		_ = a.Close()
	})
}

// TestSameResource checks that of two clients with the same resource the replaced one
// does not reconnect, although Prosody 13.0 does not declare the prefix of its stream
// errors.
func TestSameResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHalfStarted()
		a := f.device(t, quick).connect()
		first := f.socket()
		b := f.device(t, quick).connect()
		first.push("<stream:error><conflict xmlns='"+nsStreams+"'/><text xmlns='"+nsStreams+"'>Replaced by new connection</text></stream:error>",
			"<close xmlns='"+nsFraming+"'/>")
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseFailed || s.Err.Code != pam.CodeConflict || len(f.dialed()) != 2 {
			t.Errorf("it is %s (%v), after %d dials", s.Phase, s.Err, len(f.dialed()))
		}
		if p := b.State().Phase; p != pam.PhaseLive {
			t.Errorf("the other is %s", p)
		}
		_ = a.Close()
		_ = b.Close()
	})
}

// TestResourceTaken checks at a real server that a client whose resource another one
// has taken reports this and does not reconnect.
func TestResourceTaken(t *testing.T) {
	p := newPeer(t)
	desk := func(o *client.Options) { o.Resource = "desk" }
	a := newDevice(t, p, nil, quick, desk).connect()
	b := newDevice(t, p, nil, quick, desk).connect()
	a.wait("the conflict", func() bool { return a.State().Phase == pam.PhaseFailed })
	if err := a.State().Err; err.Code != pam.CodeConflict || err.Condition != "conflict" {
		t.Errorf("it ended with %+v", err)
	}
	if err := b.Refresh(t.Context(), false); err != nil || b.State().Phase != pam.PhaseLive {
		t.Errorf("the other is %s: %v", b.State().Phase, err)
	}
}
