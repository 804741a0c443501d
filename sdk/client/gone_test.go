//go:build !js

package client_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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

// byID contains the states of the rows of one node by subid.
type byID map[string]string

// drawRows draws rows of one node: one without subid, or some with.
func drawRows(random *rand.Rand) byID {
	rows := byID{}
	ids := [][]string{{}, {""}, {"s1"}, {"s2"}, {"s1", "s2"}}[random.IntN(5)]
	for _, id := range ids {
		rows[id] = []string{"subscribed", "pending"}[random.IntN(2)]
	}
	return rows
}

// xml returns the rows as in a list, or as in a notify if changes is true.
func (rows byID) xml(node string) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&b, "<subscription xmlns='%s' service='pubsub.localhost' node='%s' jid='alice@localhost' subid='%s' subscription='%s'/>", ns.Pubsub, node, id, rows[id])
	}
	return strings.ReplaceAll(b.String(), " subid=''", "")
}

// changes returns the changes from before to after, ended subscriptions first.
func (before byID) changes(after byID) (ended, changed byID) {
	ended, changed = byID{}, byID{}
	for id := range before {
		if after[id] == "" {
			ended[id] = "none"
		}
	}
	for id, state := range after {
		if before[id] != state {
			changed[id] = state
		}
	}
	return ended, changed
}

// TestUnsubscribeCrossed has the service report that there is no subscription while
// other devices change the account's rows at the node. The client shows rows that are
// new or changed since, and omits only rows that the server still lists unchanged. It
// keeps rows of other nodes.
func TestUnsubscribeCrossed(t *testing.T) {
	r := seeded(t)
	for range 200 {
		draw := rand.New(rand.NewPCG(r.Uint64(), 0))
		before, after := drawRows(draw), drawRows(draw)
		if draw.IntN(3) == 0 {
			after = before
		}
		notified := draw.IntN(2) == 0 // or only the next list shows the change
		asked := pam.Target{Service: news.Service, Node: news.Node, SubID: []string{"", "s1"}[draw.IntN(2)]}
		name := fmt.Sprintf("%v becomes %v, notified %v, subid %q", before, after, notified, asked.SubID)

		want := maps.Clone(after)
		another := func(id, _ string) bool { return asked.SubID != "" && id != asked.SubID }
		old, now := maps.Clone(before), maps.Clone(after)
		maps.DeleteFunc(old, another)
		maps.DeleteFunc(now, another)
		if _, changed := old.changes(now); len(changed) == 0 {
			maps.DeleteFunc(want, func(id, state string) bool { return !another(id, state) })
		}

		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			other := byID{"s1": "subscribed"}
			f.handle = func(s *socket, e *element.Element) bool {
				notify := func() {
					ended, changed := before.changes(after)
					if len(ended)+len(changed) > 0 {
						s.push(fmt.Sprintf("<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='%s' ver='v2' service='pubsub.localhost'>%s%s</notify></message>",
							ns.PAM, ended.xml("news"), changed.xml("news")))
					}
				}
				switch {
				case isPAM(e):
					s.failure(e, "item-not-found")
					if notified {
						notify()
					}
				case !isList(e):
					return false
				case e.First().Attr("ver") == "":
					s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1'>"+before.xml("news")+other.xml("weather")+"</subscriptions>")
				case e.First().Attr("ver") == "v1" && notified:
					notify()
					s.result(e, "")
				case e.First().Attr("ver") == "v1":
					s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v2'>"+after.xml("news")+other.xml("weather")+"</subscriptions>")
				default:
					s.result(e, "")
				}
				return true
			}
			a := f.device(t).connect()
			if err := a.Unsubscribe(t.Context(), asked); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			synctest.Wait()
			got, rest := byID{}, byID{}
			for _, row := range a.Snapshot().List {
				map[string]byID{"news": got, "weather": rest}[row.Node][row.SubID] = string(row.State)
			}
			if !maps.Equal(got, want) || !maps.Equal(rest, other) {
				t.Errorf("%s: it shows %v, and %v of another node; want %v", name, got, rest, want)
			}
			_ = a.Close()
		})
		if t.Failed() {
			t.FailNow()
		}
	}
}

// TestUnsubscribeDuringASubscribe has the service report that there is no subscription
// while another request is pending: the row, which the server still lists, stays if
// that request subscribes again.
func TestUnsubscribeDuringASubscribe(t *testing.T) {
	for _, tt := range []struct {
		subscribe     bool
		service, node string
		stays         bool
	}{
		{true, "pubsub.localhost", "news", true},
		{true, "pubsub.localhost", "weather", false},
		{true, "elsewhere.localhost", "news", false},
		{false, "pubsub.localhost", "news", false},
	} {
		bubble(t, fmt.Sprintf("%+v", tt), func(t *testing.T) {
			f := newScripted()
			var held *element.Element
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isPAM(e) && held == nil:
					held = e
				case isPAM(e):
					s.failure(e, "item-not-found")
				case isList(e):
					s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1'>"+newsRow+"</subscriptions>")
				default:
					return false
				}
				return true
			}
			a := f.device(t).connect()
			done := make(chan error, 1)
			go func() {
				target := pam.Target{Service: tt.service, Node: tt.node}
				if !tt.subscribe {
					done <- a.Unsubscribe(t.Context(), target)
					return
				}
				_, err := a.Subscribe(t.Context(), target)
				done <- err
			}()
			synctest.Wait()
			if err := a.Unsubscribe(t.Context(), news); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if n := len(a.Snapshot().List); (n == 1) != tt.stays {
				t.Errorf("%d rows are shown", n)
			}
			f.set(func() { f.last.failure(held, "forbidden") })
			<-done
			_ = a.Close()
		})
	}
}

// TestUnsubscribeBeforeAnotherTabSubscribed has the service report that there is no
// subscription, after another tab has stored one that is newer than the request: the
// row stays listed.
func TestUnsubscribeBeforeAnotherTabSubscribed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		var held *element.Element
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isPAM(e):
				held = e
			case isList(e) && e.First().Attr("ver") == "":
				s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1'/>")
			case isList(e):
				s.result(e, "")
			default:
				return false
			}
			return true
		}
		shared := store.NewMemory()
		tab := func() (*device, *socket) {
			d := f.device(t, func(o *client.Options) { o.Store = keep(shared) }).connect()
			synctest.Wait()
			return d, f.socket()
		}
		a, toA := tab()
		b, toB := tab()
		done := make(chan error, 1)
		go func() { done <- a.Unsubscribe(t.Context(), news) }()
		synctest.Wait()
		toB.notify("v2", "news", "subscribed")
		synctest.Wait()
		a.Reload()
		synctest.Wait()
		if got := a.Snapshot(); got.Version != "v2" {
			t.Fatalf("after the hint it shows %+v", got)
		}
		f.set(func() { toA.failure(held, "item-not-found") })
		if err := <-done; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if got := a.Snapshot().List; len(got) != 1 {
			t.Errorf("it shows %v", got)
		}
		_ = a.Close()
		_ = b.Close()
	})
}

// TestGoneButListed has the service report that there is no such subscription, while
// the server still lists it: the client omits the row until a caller subscribes again.
func TestGoneButListed(t *testing.T) {
	for _, condition := range []string{"item-not-found", "gone", "not-subscribed", "nodeid-required"} {
		for _, node := range []string{"news", ""} {
			synctest.Test(t, func(t *testing.T) {
				f := newScripted()
				f.handle = func(s *socket, e *element.Element) bool {
					switch {
					case isPAM(e) && e.First().First().Name.Local == "subscribe":
						s.result(e, "")
					case isPAM(e):
						payload := "<" + condition + " xmlns='" + nsStanzas + "'/>"
						if condition == "not-subscribed" || condition == "nodeid-required" {
							payload = "<bad-request xmlns='" + nsStanzas + "'/><" + condition + " xmlns='http://jabber.org/protocol/pubsub#errors'/>"
						}
						s.refuse(e, "<error type='cancel' by='pubsub.localhost'>"+payload+"</error>")
					case isList(e) && e.First().Attr("ver") == "":
						s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1' service='pubsub.localhost'><subscription node='"+node+"'/></subscriptions>")
					case isList(e):
						s.result(e, "")
					default:
						return false
					}
					return true
				}
				a := f.device(t).connect()
				target := pam.Target{Service: news.Service, Node: node}
				err := a.Unsubscribe(t.Context(), target)
				n := len(a.Snapshot().List)
				if (err == nil) != (condition != "nodeid-required" || node == "") || (err == nil) != (n == 0) {
					t.Errorf("%s, node %q: got %v, %d rows are shown", condition, node, err, n)
				}
				if err := a.Refresh(t.Context(), true); err != nil || len(a.Snapshot().List) != n {
					t.Errorf("%s, node %q: a full list shows %d rows again: %v", condition, node, len(a.Snapshot().List), err)
				}
				if node != "" {
					if _, err := a.Subscribe(t.Context(), target); err != nil || len(a.Snapshot().List) != 1 {
						t.Errorf("%s: subscribing again: %v, %d rows", condition, err, len(a.Snapshot().List))
					}
				} else if err := a.Unsubscribe(t.Context(), target); asErrorOf(err).Code == pam.CodeBadOptions != (n == 0) {
					t.Errorf("an absent row without node: %v", err)
				}
				_ = a.Close()
			})
		}
	}
}
