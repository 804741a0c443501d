//go:build !js

package client_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// rowsAt returns a list of subscriptions to nodes, each written as "service node".
func rowsAt(ver string, nodes ...string) string {
	rows := ""
	for _, n := range nodes {
		service, node, _ := strings.Cut(n, " ")
		rows += "<subscription service='" + service + "' node='" + node + "' jid='alice@localhost' subscription='subscribed'/>"
	}
	return "<subscriptions xmlns='" + ns.PAM + "' ver='" + ver + "'>" + rows + "</subscriptions>"
}

// info returns the features of an entity.
func info(features ...string) string {
	text := ""
	for _, f := range features {
		text += "<feature var='" + f + "'/>"
	}
	return "<query xmlns='" + nsInfo + "'>" + text + "</query>"
}

// TestServiceFeatures has a service tell its features: either of two says that items can be
// requested by page. Those of a contact, whose nodes are personal, are not asked for.
func TestServiceFeatures(t *testing.T) {
	for _, tt := range []struct {
		features []string
		paged    bool
	}{
		{nil, false},
		{[]string{ns.Pubsub}, false},
		{[]string{ns.RSM}, true},
		{[]string{ns.Pubsub + "#rsm"}, true},
	} {
		bubble(t, fmt.Sprint(tt.features), func(t *testing.T) {
			f := newScripted()
			asked := map[string]int{}
			f.handle = func(s *socket, e *element.Element) bool {
				items := e.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items")
				switch {
				case isList(e):
					s.result(e, rowsAt("v1", "pubsub.localhost news", "bob@localhost blog"))
				case isDisco(e) && e.Attr("to") != "alice@localhost":
					asked["info of "+e.Attr("to")]++
					s.result(e, info(tt.features...))
				case items != nil && !isSharing(e):
					paged := e.Child(ns.Pubsub, "pubsub").Child(ns.RSM, "set") != nil
					asked[fmt.Sprint(items.Attr("node"), " by page ", paged)]++
					s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='"+items.Attr("node")+"'/></pubsub>")
				default:
					return false
				}
				return true
			}
			d := f.device(t).connect() // The newest items of a new node are one page.
			time.Sleep(time.Minute)
			check(t, d.Disconnect(t.Context()))
			time.Sleep(time.Hour)
			d.connect()
			time.Sleep(time.Minute)
			synctest.Wait()
			want := map[string]int{"info of pubsub.localhost": 1, "news by page false": 1, "blog by page false": 2}
			want[fmt.Sprint("news by page ", tt.paged)]++
			f.set(func() {
				if fmt.Sprint(asked) != fmt.Sprint(want) {
					t.Errorf("asked %v, want %v", asked, want)
				}
			})
			_ = d.Close()
		})
	}
}

// TestCatchUpWhileItRuns continues a catch-up that waits for an answer: nothing is asked
// again. Before the first session and after Forget there was none.
func TestCatchUpWhileItRuns(t *testing.T) {
	bubble(t, "runs", func(t *testing.T) {
		f := newScripted()
		var held []*element.Element
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isList(e):
				s.result(e, rowsAt("v1", "pubsub.localhost news"))
			case isCatchUp(e) && !isDisco(e):
				held = append(held, e)
			default:
				return false
			}
			return true
		}
		d := f.device(t)
		none := func(when string) {
			t.Helper()
			if s := d.inbox().CatchUp; s.Phase != pam.CatchUpIdle || s.Received != 0 || s.Nodes != 0 || !s.Since.IsZero() {
				t.Errorf("%s the catch-up is %+v", when, s)
			}
		}
		none("before the first session")
		d.connect()
		for range 2 {
			time.Sleep(time.Second)
			check(t, d.CatchUp(t.Context()))
		}
		time.Sleep(time.Second)
		f.set(func() {
			if len(held) != 1 {
				t.Fatalf("%d requests", len(held))
			}
			f.last.result(held[0], "<pubsub xmlns='"+ns.Pubsub+"'><items node='news'>"+itemOf("1")+"</items></pubsub>")
		})
		time.Sleep(10 * time.Minute)
		if s := d.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.Nodes != 1 || s.NodesDone != 1 || s.Received != 1 || len(held) != 1 {
			t.Errorf("the catch-up is %+v after %d requests", s, len(held))
		}
		check(t, d.CatchUp(t.Context())) // nothing is left
		time.Sleep(10 * time.Minute)
		if s := d.inbox().CatchUp; s.Phase != pam.CatchUpDone || s.Nodes != 1 || len(held) != 1 {
			t.Errorf("afterwards the catch-up is %+v after %d requests", s, len(held))
		}
		check(t, d.Forget(t.Context()))
		none("after Forget")
		_ = d.Close()
	})
}

// TestLeftBeforeTheAccountAnswers has the only subscription end while the device is away.
// The archive of the account is read to find what was published until then, although the
// account answers what it offers only after the list, unless nothing of the node is wanted.
func TestLeftBeforeTheAccountAnswers(t *testing.T) {
	for _, tt := range []struct {
		interest string
		want     int // queries of the archive
	}{{"news", 1}, {"other", 0}} {
		bubble(t, tt.interest, func(t *testing.T) {
			f := newScripted()
			list, late, queries := rowsAt("v1", "pubsub.localhost news"), time.Duration(0), 0
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isList(e):
					s.result(e, list)
				case isDisco(e) && e.Attr("to") == "alice@localhost":
					time.AfterFunc(late, func() { s.result(e, info(ns.PAM, ns.MAM, ns.ArchivesAllEvents)) })
				case e.Child(ns.MAM, "query") != nil:
					queries++
					s.result(e, "<fin xmlns='"+ns.MAM+"' complete='true'><set xmlns='"+ns.RSM+"'/></fin>")
				default:
					return false
				}
				return true
			}
			kept := keep(store.NewMemory())
			d := f.device(t, func(o *client.Options) { o.Store = kept }).connect()
			time.Sleep(time.Minute)
			f.socket().push(strings.Replace(eventOf("pubsub.localhost", "news", itemOf("1")), "</event>", "</event><stanza-id xmlns='"+ns.StanzaID+"' id='1' by='alice@localhost'/>", 1))
			time.Sleep(time.Minute)
			check(t, d.Disconnect(t.Context()))
			check(t, d.Close())
			time.Sleep(time.Hour)
			f.set(func() { list, late, queries = rowsAt("v2"), time.Second, 0 })
			d = f.device(t, interests(pam.Interest{Node: tt.interest}), func(o *client.Options) { o.Store = kept }).connect()
			time.Sleep(time.Minute)
			f.set(func() {
				if queries != tt.want {
					t.Errorf("%d queries of the archive, want %d\n%s", queries, tt.want, d.log())
				}
			})
			_ = d.Close()
		})
	}
}
