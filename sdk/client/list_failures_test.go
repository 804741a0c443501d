//go:build !js

package client_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestSupportUnknown connects while the server refuses the list, and does not answer
// service discovery or refuses it, too: Connect must return, a warning must give the
// reason, and the client must request the list again.
func TestSupportUnknown(t *testing.T) {
	for _, failure := range []string{"", "<error type='cancel'><internal-server-error", "<error type='wait'><service-unavailable"} {
		bubble(t, "disco "+failure, func(t *testing.T) {
			f := newScripted()
			healed := false
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isDisco(e) && failure == "":
					return true
				case isDisco(e) && !healed:
					s.refuse(e, failure+" xmlns='"+nsStanzas+"'/></error>")
					return true
				case isList(e) && !healed:
					s.failure(e, "internal-server-error")
					return true
				}
				return false
			}
			a := f.device(t)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			_, err := a.Connect(ctx)
			synctest.Wait()
			warned := func(e client.Event) bool {
				w, ok := e.(client.Warning)
				return ok && w.Err.Condition == "internal-server-error"
			}
			if asError(t, err).Code != pam.CodeStanza || !slices.ContainsFunc(a.events, warned) {
				t.Errorf("got %v, and the events %v", err, a.events)
			}
			f.set(func() { healed = true })
			time.Sleep(6 * time.Second)
			if s := a.State(); s.Phase != pam.PhaseLive || s.Missing != nil {
				t.Errorf("state %+v", s)
			}
			_ = a.Close()
		})
	}
}

// TestListTemporarilyRefused connects to a server that offers PAM but refuses the list
// for 12 s.
func TestListTemporarilyRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) && time.Since(f.start) < 12*time.Second {
				s.failure(e, "internal-server-error")
				return true
			}
			return false
		}
		a := f.device(t)
		_, err := a.Connect(t.Context())
		if got := asError(t, err); got.Code != pam.CodeStanza || got.Condition != "internal-server-error" {
			t.Errorf("got %v", err)
		}
		if err := a.Refresh(t.Context(), false); asError(t, err).Code != pam.CodeStanza {
			t.Errorf("refresh gave %v", err)
		}
		if _, err := a.Subscribe(t.Context(), news); asError(t, err).Code != pam.CodeOutcomeUnknown {
			t.Errorf("subscribe gave %v", err)
		}
		if _, err := a.Connect(t.Context()); err == nil {
			t.Error("connected without a list")
		}
		time.Sleep(11 * time.Second)
		if s := a.State(); s.Phase != pam.PhaseLive || time.Since(f.start) > 17*time.Second {
			t.Errorf("state %+v after %v", s, time.Since(f.start))
		}
		_ = a.Close()
	})
}

// TestListFailsWithVersion has the server refuse every list request with a version.
func TestListFailsWithVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) && e.First().Attr("ver") != "" {
				s.failure(e, "bad-request")
				return true
			}
			return false
		}
		a := f.device(t).connect()
		_ = a.Disconnect(t.Context())
		a.connect()
		if want := []string{"", "v0", ""}; !slices.Equal(f.listed(), want) {
			t.Errorf("requested with %q, want %q", f.listed(), want)
		}
		_ = a.Close()
	})
}

// TestMissingAndBack has the client find PAM missing while a request is pending.
// The answer to the request must end it, and a later list means that PAM is not
// missing.
func TestMissingAndBack(t *testing.T) {
	for _, reply := range []bool{true, false} {
		bubble(t, map[bool]string{true: "reply", false: "no reply"}[reply], func(t *testing.T) {
			f := newScripted()
			var asked, lists []*element.Element
			healed := false
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isDisco(e):
					s.result(e, "")
				case isList(e) && !healed:
					lists = append(lists, e)
				case isPAM(e):
					asked = append(asked, e)
				default:
					return false
				}
				return true
			}
			a := f.device(t)
			go func() { _, _ = a.Connect(t.Context()) }()
			synctest.Wait()
			done := a.subscribing(news)
			synctest.Wait()
			f.socket().failure(lists[0], "service-unavailable")
			synctest.Wait()
			if s := a.State(); !slices.Equal(s.Missing, []string{"pam"}) || s.Phase != pam.PhaseLive {
				t.Fatalf("state %+v", s)
			}
			f.set(func() { healed = true })
			if reply {
				f.socket().result(asked[0], "")
			}
			select {
			case err := <-done:
				if asError(t, err).Code != map[bool]pam.Code{true: pam.CodeOutcomeUnknown, false: pam.CodeTimeout}[reply] {
					t.Errorf("subscribe gave %v", err)
				}
			case <-time.After(time.Minute):
				t.Error("subscribe hangs")
			}
			if s := a.State(); s.Missing != nil || s.Phase != pam.PhaseLive || s.Pending != 0 {
				t.Errorf("state %+v", s)
			}
			_ = a.Close()
		})
	}
}

// TestReplyLost has the server answer a subscribe late or never: the list decides the
// outcome.
func TestReplyLost(t *testing.T) {
	for _, effect := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			var asked *element.Element
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isPAM(e):
					asked = e
					return true
				case isList(e) && asked != nil && effect:
					s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1'><subscription service='pubsub.localhost' node='news' "+
						"jid='alice@localhost' subscription='subscribed'/></subscriptions>")
					return true
				}
				return false
			}
			a := f.device(t).connect()
			start := time.Now()
			_, err := a.Subscribe(t.Context(), news)
			if effect && err != nil || !effect && asError(t, err).Code != pam.CodeTimeout {
				t.Errorf("effect %v gave %v", effect, err)
			}
			if d := time.Since(start); d != 20*time.Second {
				t.Errorf("after %v", d)
			}
			f.socket().result(asked, "") // too late: the call has ended
			f.socket().notify("v2", "news", "subscribed")
			synctest.Wait()
			a.waitNodes("news")
			if s := a.Snapshot(); len(s.Provisional) != 0 || s.Version != "v2" {
				t.Errorf("left %+v", s)
			}
			_ = a.Close()
		})
	}
}

// TestFullList counts sessions and days until the client requests the list without a
// version.
func TestFullList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		kept := keep(store.NewMemory())
		a := f.device(t, func(o *client.Options) { o.Store = kept })
		full := func() bool {
			t.Helper()
			a.connect()
			synctest.Wait()
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			a = f.device(t, func(o *client.Options) { o.Store = kept })
			return f.listed()[len(f.listed())-1] == ""
		}
		for i := range 45 {
			if got := full(); got != (i%20 == 0) {
				t.Errorf("session %d: without version: %v", i+1, got)
			}
		}
		time.Sleep(7*24*time.Hour - time.Second)
		if full() {
			t.Error("without version before 7 days")
		}
		time.Sleep(2 * time.Second)
		if !full() {
			t.Error("with version after 7 days")
		}
		if full() {
			t.Error("without version again")
		}
		_ = a.Close()
	})
}
