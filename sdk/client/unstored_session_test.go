//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// TestResumedBeforeStored crashes a program soon after it has begun a session, of which the
// store may contain what is needed to resume it, but not that the inbox has a new session. The
// run that resumes it finds what was published before the session began, and is current then,
// so that the session after it looks no further back.
func TestResumedBeforeStored(t *testing.T) {
	for _, after := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond, 900 * time.Millisecond, 2500 * time.Millisecond} {
		for _, first := range []bool{true, false} {
			bubble(t, fmt.Sprintf("after %v, first %v", after, first), func(t *testing.T) {
				c := newSharedStore(t)
				answers, item := true, "1"
				before := c.f.handle
				c.f.handle = func(s *socket, e *element.Element) bool {
					handled := before(s, e)
					switch {
					case isList(e):
						s.result(e, rowsOfNews("v1", "s1"))
					case isCatchUp(e) && !answers:
					case isCatchUp(e) && !isDisco(e):
						s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='news'>"+itemOf(item)+"</items></pubsub>")
					default:
						return handled
					}
					return true
				}
				if !first {
					run := c.device(c.Memory, "run", "").connect()
					time.Sleep(time.Minute)
					c.crash(run)
					time.Sleep(time.Hour)
				}
				c.f.set(func() { answers, item = false, "2" })
				second := c.device(c.Memory, "second", "").connect()
				time.Sleep(after)
				c.crash(second)
				c.h = c.r.h
				began := time.Now()
				c.f.set(func() { answers = true })
				third := c.device(c.Memory, "third", "second").connect()
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				found := slices.ContainsFunc(third.all(t), func(e pam.Event) bool { return e.ItemID == "2" })
				if s := third.inbox().CatchUp; !third.State().Resumed || s.Phase != pam.CatchUpDone || !found || s.Since.IsZero() != first {
					t.Errorf("resumed %v, found %v, the catch-up: %+v\n%s", third.State().Resumed, found, s, third.log())
				}
				c.crash(third)
				time.Sleep(time.Hour)
				fourth := c.device(c.Memory, "fourth", "").connect()
				time.Sleep(10 * time.Minute)
				if s := fourth.inbox().CatchUp; s.Since.Before(began) {
					t.Errorf("the next catch-up: %+v, want it to be of the time since %v", s, began)
				}
				_ = fourth.Close()
			})
		}
	}
}
