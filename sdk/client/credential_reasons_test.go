//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// TestReasons has logins end in every way, in any order: the client requests credentials
// with the reason "wrong password" if and only if the server refused the last password
// that it checked.
func TestReasons(t *testing.T) {
	const (
		wrong   = "wrong"   // the server refuses the password
		busy    = "busy"    // the server ends the stream before it checks the password
		silent  = "silent"  // as busy, but the connection is cut
		unbound = "unbound" // the server accepts the password, and the connection is cut before a session is bound
		cut     = "cut"     // the session ends after a while
		left    = "left"    // the client ends it
	)
	ways := []string{wrong, busy, silent, unbound, cut, left}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 0))
		var ends []string
		for range 2 + random.IntN(7) {
			ends = append(ends, ways[random.IntN(len(ways))])
		}
		bubble(t, fmt.Sprint(ends), func(t *testing.T) {
			f := newScripted()
			var want []string
			var called, listed, rejected bool
			end := left
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isList(e):
					listed = true
					return false
				case e.Child(ns.Bind, "bind") != nil && end == unbound:
					s.fail(errors.New("reset"))
					return true
				case !e.Is(ns.SASL, "auth"):
					return false
				}
				switch {
				case rejected:
					want = append(want, "rejected")
				case called && !listed:
					want = append(want, "initial")
				default:
					want = append(want, "reconnect")
				}
				called, end = false, left
				if len(ends) > 0 {
					end, ends = ends[0], ends[1:]
				}
				switch end {
				case wrong:
					rejected = true
					s.push("<failure xmlns='" + ns.SASL + "'><not-authorized/></failure>")
				case busy:
					s.push("<failure xmlns='" + ns.SASL + "'><temporary-auth-failure/></failure>")
				case silent:
					s.fail(errors.New("reset"))
				default:
					rejected = false
					return false
				}
				return true
			}
			a := f.device(t, quick)
			for over := false; !over; {
				var ending string
				f.set(func() { ending = end })
				switch phase := a.State().Phase; {
				case phase == pam.PhaseFailed || phase == pam.PhaseOffline:
					f.set(func() { called = true })
					_, _ = a.Connect(t.Context())
				case phase == pam.PhaseLive && ending == cut:
					f.socket().fail(errors.New("reset"))
				case phase == pam.PhaseLive:
					f.set(func() { over = len(ends) == 0 })
					_ = a.Disconnect(t.Context())
				}
				time.Sleep(time.Second)
				synctest.Wait()
			}
			if !slices.Equal(a.reasons, want) {
				t.Errorf("credentials were requested because of %q, want %q", a.reasons, want)
			}
			_ = a.Close()
		})
	}
}

// TestConnectEnds has an attempt last longer than two minutes, although every answer
// arrives in time: each call of Connect ends two minutes after it began, not counting
// the time that Credentials takes.
func TestConnectEnds(t *testing.T) {
	for _, typing := range []time.Duration{0, 10*time.Minute + 5*time.Second} {
		for _, slow := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				f := newScripted()
				asked, typed := time.Duration(0), false
				if slow {
					asked = 19 * time.Second
					f.dial = func(context.Context) error { time.Sleep(asked); return nil }
				}
				next := 0
				f.handle = func(s *socket, e *element.Element) bool {
					if !slow {
						return false
					}
					after := 15 * time.Second
					answer := func() { s.answer(e) }
					switch {
					case e.Is(ns.SASL, "auth") && s.url == "wss://localhost/":
						answer = func() { s.push(goTo("wss://localhost/2")) }
					case e.Child(ns.Bind, "bind") != nil:
					case isList(e):
						after = 19 * time.Second
						answer = func() { // The server sends a notify with every list.
							next++
							s.notify(fmt.Sprint("w", next), "news", []string{"none", "subscribed"}[next%2])
							s.result(e, "")
						}
					default:
						return false
					}
					time.AfterFunc(after, answer)
					return true
				}
				a := f.device(t, func(o *client.Options) {
					o.Credentials = func(context.Context, client.CredentialRequest) (client.Credentials, error) {
						if !typed {
							time.Sleep(typing)
						}
						typed = true
						return client.Credentials{Password: testPassword}, nil
					}
				})
				calls := []time.Duration{0, asked + typing/2, asked + typing + time.Second} // before, during and after the request for credentials
				done := make(chan error, len(calls))
				for _, begins := range calls {
					time.AfterFunc(begins, func() {
						_, err := a.Connect(context.Background())
						ends := max(asked+typing, begins)
						if slow {
							ends = begins + 2*time.Minute + min(typing, max(asked+typing-begins, 0))
						}
						if at := time.Since(f.start); at != ends || asErrorOf(err).Code == pam.CodeTimeout != slow {
							err = fmt.Errorf("typing %v, slow %v: the call at %v ended at %v, want %v: %v", typing, slow, begins, at, ends, err)
						} else {
							err = nil
						}
						done <- err
					})
				}
				time.Sleep(typing + 5*time.Minute)
				synctest.Wait()
				for range calls {
					select {
					case err := <-done:
						if err != nil {
							t.Error(err)
						}
					default:
						t.Errorf("typing %v, slow %v: a call has not ended", typing, slow)
					}
				}
				if s := a.State(); s.Phase != pam.PhaseLive {
					t.Errorf("it gave up: %+v", s)
				}
				_ = a.Close()
			})
		}
	}
}
