//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

const newsRow = "<subscription service='pubsub.localhost' node='news' jid='alice@localhost' subscription='subscribed'/>"

// say describes what a device shows: the list and the provisional overlay.
func say(a *device) string {
	s := a.Snapshot()
	var out []string
	for _, row := range s.List {
		out = append(out, fmt.Sprintf("%s %s", row.Node, row.State))
	}
	for _, p := range s.Provisional {
		out = append(out, fmt.Sprintf("(%s %s %s)", p.Node, p.State, p.Local))
	}
	return fmt.Sprint(out)
}

// TestOptimistic checks that the client shows a requested change at once, and removes it
// if the service refuses, or if no answer arrives and the list does not contain it.
func TestOptimistic(t *testing.T) {
	ends := map[string]struct {
		answer func(s *socket, e *element.Element)
		want   pam.Code
	}{
		"refused":    {func(s *socket, e *element.Element) { s.failure(e, "forbidden") }, pam.CodeStanza},
		"unanswered": {func(*socket, *element.Element) {}, pam.CodeTimeout},
		"cut":        {func(s *socket, _ *element.Element) { s.fail(fmt.Errorf("cut")) }, pam.CodeOutcomeUnknown},
	}
	for name, end := range ends {
		for _, subscribe := range []bool{true, false} {
			bubble(t, fmt.Sprintf("%s, subscribe %v", name, subscribe), func(t *testing.T) {
				f := newScripted()
				var asked *element.Element
				list, shown := "", "[(news pending subscribing)]"
				if !subscribe {
					list, shown = newsRow, "[news subscribed (news subscribed unsubscribing)]"
				}
				f.handle = func(s *socket, e *element.Element) bool {
					switch {
					case isPAM(e):
						asked = e
						return true
					case isList(e):
						s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1'>"+list+"</subscriptions>")
						return true
					}
					return false
				}
				a := f.device(t).connect()
				before := say(a)
				done := make(chan error, 1)
				go func() {
					var err error
					if subscribe {
						_, err = a.Subscribe(t.Context(), news)
					} else {
						err = a.Unsubscribe(t.Context(), news)
					}
					done <- err
				}()
				synctest.Wait()
				if got := say(a); got != shown {
					t.Errorf("while it is pending: %s, want %s", got, shown)
				}
				end.answer(f.socket(), asked)
				if e := asError(t, <-done); e.Code != end.want {
					t.Errorf("ended with %+v, want %s", e, end.want)
				}
				time.Sleep(time.Minute)
				if got := say(a); got != before {
					t.Errorf("afterwards: %s, want %s", got, before)
				}
				_ = a.Close()
			})
		}
	}
}

// TestConcurrentRequests makes several requests for one node at once. All calls return,
// and the list is the server's.
func TestConcurrentRequests(t *testing.T) {
	for _, calls := range [][]bool{{true, true}, {false, false}, {true, false}, {false, true}, {true, false, true, false, true}} {
		for _, first := range []bool{true, false} { // the notify, or the result
			bubble(t, fmt.Sprintf("%v, notify first %v", calls, first), func(t *testing.T) {
				f := newScripted()
				there, version := false, 0
				f.handle = func(s *socket, e *element.Element) bool {
					if isList(e) {
						s.result(e, fmt.Sprintf("<subscriptions xmlns='urn:xmpp:pam:0' ver='v%d'>%s</subscriptions>", version, map[bool]string{true: newsRow}[there]))
						return true
					}
					if !isPAM(e) {
						return false
					}
					wanted := e.First().First().Name.Local == "subscribe"
					notify := func() {
						if there != wanted {
							there = wanted
							version++
							s.notify(fmt.Sprint("v", version), "news", map[bool]string{true: "subscribed", false: "none"}[there])
						}
					}
					if first {
						notify()
					}
					s.result(e, "")
					notify()
					return true
				}
				a := f.device(t).connect()
				done := make(chan error, len(calls))
				for _, subscribe := range calls {
					go func() {
						if !subscribe {
							done <- a.Unsubscribe(t.Context(), news)
							return
						}
						got, err := a.Subscribe(t.Context(), news)
						if err == nil && (got.Node != "news" || got.State != pam.StateSubscribed) {
							err = fmt.Errorf("got %+v", got)
						}
						done <- err
					}()
					synctest.Wait()
				}
				for range calls {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				time.Sleep(time.Minute)
				want := "[]"
				if there {
					want = "[news subscribed]"
				}
				if got := say(a); got != want || slices.Contains(calls, true) != (version > 0) {
					t.Errorf("%s at version %d, want %s", got, version, want)
				}
				_ = a.Close()
			})
		}
	}
}
