//go:build !js

package client_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// TestServicesAreQueried has the account follow a node of each of ten services: the features
// of each are queried, four at once, and then the catch-up ends.
func TestServicesAreQueried(t *testing.T) {
	bubble(t, "ten", func(t *testing.T) {
		f := newScripted()
		queried, open, most := 0, 0, 0
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isList(e):
				rows := ""
				for i := range 10 {
					rows += fmt.Sprintf("<subscription service='s%d.localhost' node='news' jid='alice@localhost' subscription='subscribed'/>", i)
				}
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'>"+rows+"</subscriptions>")
			case isDisco(e) && strings.HasSuffix(e.Attr("to"), ".localhost"):
				queried, open = queried+1, open+1
				most = max(most, open)
				time.AfterFunc(time.Second, func() {
					f.set(func() { open-- })
					s.result(e, "<query xmlns='"+nsInfo+"'/>")
				})
			default:
				return false
			}
			return true
		}
		d := f.device(t).connect()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		f.set(func() {
			if queried != 10 || most != 4 {
				t.Errorf("%d services were queried, %d at once", queried, most)
			}
		})
		if s := d.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.NodesDone != 10 {
			t.Errorf("the catch-up: %+v", s)
		}
		_ = d.Close()
	})
}

// TestServiceAnswersNothing has a service leave the query for its features unanswered, or
// refuse it, in the first session. In the second one it has an archive: after a refusal it
// is not queried again.
func TestServiceAnswersNothing(t *testing.T) {
	features := func(s *socket, e *element.Element, vars string) {
		s.result(e, "<query xmlns='"+nsInfo+"'>"+vars+"</query>")
	}
	for _, tt := range []struct {
		name   string
		answer func(s *socket, e *element.Element) // of the first session
		again  bool
	}{
		{"no answer", func(*socket, *element.Element) {}, true},
		{"an answer by another entity", func(s *socket, e *element.Element) {
			s.push("<iq xmlns='jabber:client' type='error' id='" + e.Attr("id") + "' from='bob@localhost'/>")
		}, true},
		{"an answer that is too late", func(s *socket, e *element.Element) {
			time.AfterFunc(time.Minute, func() { features(s, e, "") })
		}, true},
		{"an error", func(s *socket, e *element.Element) { s.failure(e, "service-unavailable") }, false},
		{"no features", func(s *socket, e *element.Element) { features(s, e, "") }, false},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f := newScripted()
			second, queries, items, archive := false, 0, 0, 0
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isList(e):
					s.result(e, rowsOfNews("v1", "s1"))
				case e.Attr("to") != "pubsub.localhost":
					return false
				case isDisco(e) && second:
					queries++
					features(s, e, "<feature var='"+ns.MAM+"'/>")
				case isDisco(e):
					queries++
					tt.answer(s, e)
				case e.Child(ns.MAM, "query") != nil:
					archive++
					s.result(e, "<fin xmlns='"+ns.MAM+"' complete='true'><set xmlns='"+ns.RSM+"'/></fin>")
				default:
					items++
					return false
				}
				return true
			}
			d := f.device(t).connect()
			session := func(name string, wantQueries, wantItems, wantArchive int) {
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				f.set(func() {
					if queries != wantQueries || items > 0 != (wantItems > 0) || archive > 0 != (wantArchive > 0) {
						t.Errorf("%s session: %d queries, %d requests for items and %d for the archive\n%s", name, queries, items, archive, d.log())
					}
					second, queries, items, archive = true, 0, 0, 0
				})
				if s := d.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.NodesDone != 1 {
					t.Errorf("%s session: %+v", name, s)
				}
				check(t, d.Disconnect(t.Context()))
				time.Sleep(time.Hour)
				d.connect()
			}
			session("first", 1, 1, 0)
			if tt.again {
				session("second", 1, 0, 1)
				session("third", 0, 0, 1)
			} else {
				session("second", 0, 1, 0)
			}
			_ = d.Close()
		})
	}
}

// TestInboxItemFetched notifies of an item without its payload, which the client requests:
// once, if it does not exist any more, and again in the next session after another error.
func TestInboxItemFetched(t *testing.T) {
	for condition, want := range map[string]int{"item-not-found": 1, "internal-server-error": 2} {
		bubble(t, condition, func(t *testing.T) {
			f := newScripted()
			requests := 0
			f.handle = func(s *socket, e *element.Element) bool {
				item := e.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items").Child(ns.Pubsub, "item")
				switch {
				case isList(e):
					s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'><subscription service='pubsub.localhost' node='news' jid='alice@localhost' subscription='subscribed'/></subscriptions>")
				case item.Attr("id") == "1":
					requests++
					s.failure(e, condition)
				default:
					return false
				}
				return true
			}
			d := f.device(t).connect()
			f.socket().push(eventOf("pubsub.localhost", "news", "<item id='1'/>"))
			synctest.Wait()
			if err := d.Disconnect(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.connect()
			synctest.Wait()
			if requests != want {
				t.Errorf("the item was requested %d times, want %d", requests, want)
			}
			_ = d.Close()
		})
	}
}

// TestOtherItemsAreNotFetched has a service answer the request for an item with another one
// as well, of which no notification has come.
func TestOtherItemsAreNotFetched(t *testing.T) {
	bubble(t, "two items", func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			item := e.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items").Child(ns.Pubsub, "item")
			switch {
			case isList(e):
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'><subscription service='pubsub.localhost' node='news' jid='alice@localhost' subscription='subscribed'/></subscriptions>")
			case item != nil:
				s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='news'><item id='2'><x xmlns='urn:x'/></item><item id='1'><x xmlns='urn:x'/></item></items></pubsub>")
			default:
				return false
			}
			return true
		}
		d := f.device(t).connect()
		f.socket().push(eventOf("pubsub.localhost", "news", "<item id='1'/>"))
		synctest.Wait()
		if all := d.all(t); len(all) != 1 || all[0].ItemID != "1" || all[0].XML == "" {
			t.Errorf("the inbox has %+v\n%s", all, d.log())
		}
		_ = d.Close()
	})
}
