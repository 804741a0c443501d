//go:build !js

package client_test

import (
	"errors"
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

// TestDamagedInbox has the next run find a record of the inbox that is damaged, or an event
// arrive that is none, but the state of a subscription. It warns of the first one, and goes
// on using the store.
func TestDamagedInbox(t *testing.T) {
	bubble(t, "damaged", func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) {
				s.result(e, rowsOfNews("v1", "s1"))
			}
			return isList(e)
		}
		kept := store.NewMemory()
		inStore := func(o *client.Options) { o.Store = keep(kept) }
		run := func(warnings, events int) {
			t.Helper()
			d := f.device(t, inStore).connect()
			time.Sleep(time.Minute)
			f.socket().push("<message xmlns='jabber:client' from='pubsub.localhost'><event xmlns='"+ns.PubsubEvent+"'><subscription node='news' jid='alice@localhost' subscription='subscribed'/></event></message>",
				eventOf("pubsub.localhost", "news", itemOf(fmt.Sprint(events))))
			time.Sleep(time.Minute)
			synctest.Wait()
			d.mu.Lock()
			for _, e := range d.events {
				if w, ok := e.(client.Warning); ok && w.Err.Code == pam.CodeStorage {
					warnings--
				}
			}
			d.mu.Unlock()
			if s := d.State().Storage; warnings != 0 || s.Degraded || len(d.all(t)) != events {
				t.Errorf("%d warnings are missing; the storage is %+v, the inbox %+v", warnings, s, d.all(t))
			}
			check(t, d.Close())
		}
		run(0, 1)
		run(0, 2)
		records, err := kept.Scan(t.Context(), store.Range{From: "inbox/event/", To: "inbox/event0"})
		check(t, err)
		for _, r := range records {
			check(t, kept.Commit(t.Context(), nil, []store.Op{store.Put(r.Key, r.Value[:len(r.Value)/2])}))
		}
		run(1, 1)
		run(0, 2)
	})
}

// TestReloadResets has another client, with the same store, receive an event: when this one
// reads the store again, it reports that anything may have changed.
func TestReloadResets(t *testing.T) {
	bubble(t, "reload", func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) {
				s.result(e, rowsOfNews("v1", "s1"))
			}
			return isList(e)
		}
		kept := store.NewMemory()
		inStore := func(o *client.Options) { o.Store = keep(kept) }
		a, b := f.device(t, inStore), f.device(t, inStore)
		_, err := b.Load(t.Context())
		check(t, err)
		synctest.Wait()
		a.connect()
		time.Sleep(time.Minute)
		f.socket().push(eventOf("pubsub.localhost", "news", itemOf("1")))
		time.Sleep(time.Minute)
		resets := func() (n int) {
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, e := range b.events {
				if c, ok := e.(client.EventsChanged); ok && c.Reset {
					n++
				}
			}
			return n
		}
		before := resets()
		for range 2 { // The second time nothing is new.
			b.Reload()
			if n := resets(); n != before+1 || b.inbox().Unseen != 1 {
				t.Errorf("%d resets, %d before; %+v", n, before, b.inbox())
			}
		}
		_ = a.Close()
		_ = b.Close()
	})
}

// TestInterestsOfAResumedSession sets the interests of the next run of a program, which
// resumes the session: it announces them if they differ from those of the run before.
func TestInterestsOfAResumedSession(t *testing.T) {
	for _, differ := range []bool{false, true} {
		bubble(t, fmt.Sprint("differ ", differ), func(t *testing.T) {
			c := newSharedStore(t)
			d := c.device(c.Memory, "second", "first")
			_, err := d.Load(t.Context())
			check(t, err)
			var list []pam.Interest
			if differ {
				list = []pam.Interest{{Node: "urn:x"}}
			}
			check(t, d.SetInterests(t.Context(), list))
			d.connect()
			time.Sleep(time.Second)
			if n := strings.Count(d.wire(true), "<presence "); !d.State().Resumed || n == 1 != differ {
				t.Errorf("%d presences\n%s", n, d.log())
			}
			_ = d.Close()
		})
	}
}

// TestSharingStartsOnce changes the list while what was seen is shared, also before and after
// the connection was lost: the nodes of the account are requested once in a session.
func TestSharingStartsOnce(t *testing.T) {
	bubble(t, "once", func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		asked := 0
		f.handle = func(s *socket, e *element.Element) bool {
			handled := r.handle(s, e)
			switch {
			case isList(e):
				s.result(e, rowsOfNews("v1", "s1"))
			case isDisco(e) && e.Attr("to") == "alice@localhost":
				s.result(e, "<query xmlns='"+nsInfo+"'><identity category='pubsub' type='pep'/><feature var='"+ns.PAM+"'/><feature var='"+ns.Pubsub+"#publish-options'/></query>")
			case e.Child(ns.DiscoItems, "query") != nil:
				asked++
				s.result(e, "<query xmlns='"+ns.DiscoItems+"'/>")
			case isSharing(e):
				s.failure(e, "item-not-found")
			default:
				return handled
			}
			return true
		}
		d := f.device(t).connect()
		time.Sleep(time.Minute)
		f.socket().notify("v2", "weather", "subscribed")
		time.Sleep(time.Minute)
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Minute)
		f.socket().notify("v3", "songs", "subscribed")
		time.Sleep(time.Minute)
		if d.waitNodes("news", "songs", "weather"); asked != 1 || r.binds != 1 || d.inbox().SeenScope != pam.ScopeAccount {
			t.Errorf("requested %d times, scope %s\n%s", asked, d.inbox().SeenScope, d.log())
		}
		_ = d.Close()
	})
}

// TestSinceAResumedRun crashes a program that has resumed the session of the run before. The
// next session looks for what was published since the end of that run, not of the first.
func TestSinceAResumedRun(t *testing.T) {
	bubble(t, "resumed", func(t *testing.T) {
		c := newSharedStore(t)
		before := c.f.handle
		c.f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) {
				s.result(e, rowsOfNews("v1", "s1"))
				return true
			}
			return before(s, e)
		}
		run := c.device(c.Memory, "run", "").connect()
		time.Sleep(time.Minute)
		c.crash(run)
		c.h = c.r.h
		second := c.device(c.Memory, "second", "run").connect()
		var end time.Time
		for i := range 3 {
			time.Sleep(time.Hour)
			end = time.Now()
			c.f.socket().push(eventOf("pubsub.localhost", "news", itemOf(fmt.Sprint(i))))
		}
		time.Sleep(time.Minute)
		if !second.State().Resumed {
			t.Errorf("not resumed\n%s", second.log())
		}
		c.crash(second)
		time.Sleep(time.Hour)
		third := c.device(c.Memory, "third", "").connect()
		time.Sleep(time.Minute)
		if s := third.inbox().CatchUp; s.Since.Before(end) {
			t.Errorf("the catch-up is %+v, want it to be of the time since %v", s, end)
		}
		_ = third.Close()
	})
}

// TestPageOfOlderEvents loses the interest in the node with the newest events. What is stored
// for a page that shows the inbox before the program runs then has the payloads of older ones.
func TestPageOfOlderEvents(t *testing.T) {
	bubble(t, "older", func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) {
				s.result(e, rowsAt("v1", "pubsub.localhost news", "pubsub.localhost weather"))
			}
			return isList(e)
		}
		kept := store.NewMemory()
		d := f.device(t, func(o *client.Options) { o.Store = keep(kept) }).connect()
		time.Sleep(time.Minute)
		for _, node := range []string{"news", "weather"} {
			for i := range 100 {
				f.socket().push(eventOf("pubsub.localhost", node, itemOf(fmt.Sprint(node, i))))
			}
			time.Sleep(time.Minute)
		}
		payloads := func(node string) (n int) {
			synctest.Wait()
			records, err := kept.Scan(t.Context(), store.Range{From: "inbox/page/", To: "inbox/page0"})
			check(t, err)
			for _, r := range records {
				n += strings.Count(string(r.Value), "<x xmlns='urn:x'>"+node) + strings.Count(string(r.Value), "<x xmlns=\"urn:x\">"+node)
			}
			return n
		}
		if news, weather := payloads("news"), payloads("weather"); news != 0 || weather == 0 {
			t.Errorf("the page has %d payloads of news, %d of weather", news, weather)
		}
		check(t, d.SetInterests(t.Context(), []pam.Interest{{Node: "news"}}))
		time.Sleep(time.Minute)
		if news, weather := payloads("news"), payloads("weather"); news == 0 || weather != 0 {
			t.Errorf("afterwards the page has %d payloads of news, %d of weather", news, weather)
		}
		_ = d.Close()
	})
}
