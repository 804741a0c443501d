//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// rowsOfNews returns a list of the subscriptions to the node news, each with a subid.
func rowsOfNews(ver string, subids ...string) string {
	rows := ""
	for _, id := range subids {
		rows += "<subscription service='pubsub.localhost' node='news' jid='alice@localhost' subscription='subscribed' subid='" + id + "'/>"
	}
	return "<subscriptions xmlns='" + ns.PAM + "' ver='" + ver + "'>" + rows + "</subscriptions>"
}

// ended reports that the subscription with the subid to the node news has ended.
func (s *socket) ended(ver, subid string) {
	s.push(fmt.Sprintf("<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='%s' ver='%s' service='pubsub.localhost'>"+
		"<subscription xmlns='%s' node='news' jid='alice@localhost' subscription='none' subid='%s'/></notify></message>", ns.PAM, ver, ns.Pubsub, subid))
}

// TestSecondSubscriptionEnds ends one of two subscriptions to a node, or both. As long as
// the account has one, the next session knows since when events of the node may be missing.
func TestSecondSubscriptionEnds(t *testing.T) {
	for _, both := range []bool{false, true} {
		bubble(t, fmt.Sprint("both ", both), func(t *testing.T) {
			f := newScripted()
			subids := []string{"s1", "s2"}
			ver, item := "v1", "1"
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isList(e):
					s.result(e, rowsOfNews(ver, subids...))
				case isCatchUp(e) && !isDisco(e):
					s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='news'>"+itemOf(item)+"</items></pubsub>")
				default:
					return false
				}
				return true
			}
			d := f.device(t).connect()
			time.Sleep(time.Minute)
			synctest.Wait()
			f.socket().ended("v2", "s1")
			if both {
				f.socket().ended("v3", "s2")
			}
			synctest.Wait()
			if err := d.Disconnect(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			f.set(func() { ver, item, subids = "v4", "2", subids[1:] })
			d.connect()
			time.Sleep(time.Minute)
			synctest.Wait()
			s := d.inbox().CatchUp
			if s.Phase != pam.CatchUpDone || len(s.Gaps) > 0 != !both || len(d.all(t)) != 2 {
				t.Errorf("the catch-up: %+v, the inbox %+v\n%s", s, d.all(t), d.log())
			}
			_ = d.Close()
		})
	}
}

// TestLeftWhileItsServiceIsQueried ends one of two subscriptions while the features of the
// service are queried, or the program loses its interest in the node: then only the other
// node is asked.
func TestLeftWhileItsServiceIsQueried(t *testing.T) {
	for _, uninterested := range []bool{false, true} {
		bubble(t, fmt.Sprint("no interest ", uninterested), func(t *testing.T) {
			f := newScripted()
			var asked []string
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isList(e):
					rows := ""
					for _, node := range []string{"news", "other"} {
						rows += "<subscription service='pubsub.localhost' node='" + node + "' jid='alice@localhost' subscription='subscribed'/>"
					}
					s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'>"+rows+"</subscriptions>")
				case isDisco(e) && e.Attr("to") == "pubsub.localhost":
					if !uninterested {
						time.AfterFunc(time.Second, func() { s.notify("v2", "news", "none") })
					}
					time.AfterFunc(2*time.Second, func() { s.result(e, "<query xmlns='"+nsInfo+"'/>") })
				case isCatchUp(e):
					asked = append(asked, e.First().First().Attr("node"))
					return false
				default:
					return false
				}
				return true
			}
			d := f.device(t).connect()
			time.Sleep(time.Second)
			if uninterested {
				check(t, d.SetInterests(t.Context(), []pam.Interest{{Node: "other"}}))
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			f.set(func() {
				if !slices.Equal(asked, []string{"other"}) {
					t.Errorf("the nodes %q were asked\n%s", asked, d.log())
				}
			})
			if s := d.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.Nodes != 1 || s.NodesDone != 1 {
				t.Errorf("the catch-up: %+v", s)
			}
			_ = d.Close()
		})
	}
}

// TestSessionEndsWhileServicesAreQueried ends the session before the services have told
// their features: the next session queries them again, and the one after it does not.
func TestSessionEndsWhileServicesAreQueried(t *testing.T) {
	bubble(t, "ended", func(t *testing.T) {
		f := newScripted()
		silent, queries := true, 0
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isList(e):
				rows := ""
				for i := range 10 {
					rows += fmt.Sprintf("<subscription service='s%d.localhost' node='news' jid='alice@localhost' subscription='subscribed'/>", i)
				}
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'>"+rows+"</subscriptions>")
			case isDisco(e) && strings.HasSuffix(e.Attr("to"), ".localhost"):
				queries++
				if !silent && e.Attr("to") == "s0.localhost" {
					s.failure(e, "feature-not-implemented")
					return true
				}
				return silent
			default:
				return false
			}
			return true
		}
		d := f.device(t).connect()
		synctest.Wait()
		if s := d.inbox().CatchUp; s.Phase != pam.CatchUpRunning {
			t.Errorf("the catch-up of the first session: %+v", s)
		}
		if err := d.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.set(func() { silent, queries = false, 0 })
		d.connect()
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := d.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.NodesDone != 10 {
			t.Errorf("the catch-up: %+v\n%s", s, d.log())
		}
		check(t, d.Disconnect(t.Context()))
		d.connect() // All services have answered, one of them with an error.
		time.Sleep(time.Minute)
		synctest.Wait()
		f.set(func() {
			if queries != 10 {
				t.Errorf("%d queries of ten services in two sessions", queries)
			}
		})
		_ = d.Close()
	})
}

// TestContinuedCatchUpKeepsGaps ends a session in which one node was forbidden and another
// one has not answered: the next session continues the catch-up, and still reports the gap
// and since when events are looked for.
func TestContinuedCatchUpKeepsGaps(t *testing.T) {
	bubble(t, "continued", func(t *testing.T) {
		f := newScripted()
		session := 0
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isList(e):
				rows := ""
				for _, node := range []string{"news", "other"} {
					rows += "<subscription service='pubsub.localhost' node='" + node + "' jid='alice@localhost' subscription='subscribed'/>"
				}
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'>"+rows+"</subscriptions>")
			case session == 2 && isCatchUp(e) && !isDisco(e):
				if e.First().First().Attr("node") == "news" {
					s.failure(e, "forbidden")
				}
			default:
				return false
			}
			return true
		}
		d := f.device(t)
		var since time.Time // of the catch-up that is continued
		for n, want := range []struct {
			phase pam.CatchUpPhase
			gap   bool
		}{{pam.CatchUpDone, false}, {pam.CatchUpRunning, true}, {pam.CatchUpDone, true}} {
			f.set(func() { session = n + 1 })
			d.connect()
			time.Sleep(5 * time.Second)
			synctest.Wait()
			s := d.inbox().CatchUp
			gap := slices.ContainsFunc(s.Gaps, func(g pam.Gap) bool { return g.Node == "news" && g.Reason == pam.GapForbidden })
			if s.Phase != want.phase || gap != want.gap {
				t.Errorf("session %d: %+v\n%s", n+1, s, d.log())
			}
			if n == 1 {
				since = s.Since
			} else if n == 2 && !s.Since.Equal(since) {
				t.Errorf("the catch-up is of the time since %v, want %v", s.Since, since)
			}
			if err := d.Disconnect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				time.Sleep(time.Hour)
			}
		}
		_ = d.Close()
	})
}
