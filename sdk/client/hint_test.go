//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// listOf returns a scripted server's list: news at pubsub.localhost, at ver.
func listOf(ver string) string {
	return "<subscriptions xmlns='" + ns.PAM + "' ver='" + ver + "'><subscription service='pubsub.localhost' node='news' subscription='subscribed'/></subscriptions>"
}

// follower returns a device that is live with that list.
func follower(t *testing.T, ver string) (*scripted, *device) {
	f := newScripted()
	f.handle = func(s *socket, e *element.Element) bool {
		if !isList(e) {
			return false
		}
		s.result(e, listOf(ver))
		return true
	}
	return f, f.device(t).connect()
}

// TestHintsOfAService has a service report the end of a node again and again: the
// client requests the list at once, and then every 5 s.
func TestHintsOfAService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, d := follower(t, "v1")
		time.Sleep(time.Minute)
		before := len(f.listed())
		for range 100 { // for 10 s
			f.socket().push("<message xmlns='jabber:client' from='pubsub.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='news'/></event></message>")
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(f.listed()) - before; n != 3 {
			t.Errorf("%d lists, want one at once, and one after 5 and after 10 s\n%s", n, d.log())
		}
		_ = d.Close()
		if n := client.Timers(d.Client); n != 0 {
			t.Errorf("%d timers are left", n)
		}
	})
}

// wantLists checks how many lists a client that is live at ver requests after it
// receives the messages.
func wantLists(t *testing.T, want int, ver string, messages ...string) {
	t.Helper()
	f, d := follower(t, ver)
	time.Sleep(time.Minute)
	before := len(f.listed())
	for _, m := range messages {
		f.socket().push(m)
	}
	time.Sleep(time.Minute)
	if n := len(f.listed()) - before; n != want {
		t.Errorf("%d lists, want %d\n%s", n, want, d.log())
	}
	_ = d.Close()
}

// TestNoHint checks that the client requests no list after an event that another sender
// than the service has sent, that is of another node, that contains no subscription, or
// that is of type error.
func TestNoHint(t *testing.T) {
	const deleted = "><event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='news'/></event>"
	messages := map[string]string{
		"an error":         "'pubsub.localhost' type='error'" + deleted,
		"another node":     "'pubsub.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='weather'/></event>",
		"no node":          "'pubsub.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><delete/></event>",
		"an item":          "'pubsub.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='news'><item/></items></event>",
		"a purge":          "'pubsub.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><purge node='news'/></event>",
		"no event":         "'pubsub.localhost'><delete xmlns='http://jabber.org/protocol/pubsub#event' node='news'/>",
		"another protocol": "'pubsub.localhost'><event xmlns='http://jabber.org/protocol/pubsub'><delete node='news'/></event>",
	}
	for _, from := range []string{"mallory@pubsub.localhost", "pubsub.localhost/news", "mallory@pubsub.localhost/x", "localhost", "other.localhost", "alice@localhost", ""} {
		messages["from "+from] = "'" + from + "'" + deleted
	}
	for name, message := range messages {
		bubble(t, name, func(t *testing.T) {
			wantLists(t, 0, "v1", "<message xmlns='jabber:client' from="+message+"</message>")
		})
	}
}

// TestDiscoRequests checks that the client requests a list after a disco request of the
// account's server only: only that server decides by the answer which stanzas to send.
func TestDiscoRequests(t *testing.T) {
	for from, lists := range map[string]int{"localhost": 1, "alice@localhost": 1, "bob@localhost/x": 0, "pubsub.localhost": 0, "alice@localhost/tablet": 0} {
		bubble(t, from, func(t *testing.T) {
			wantLists(t, lists, "v1", "<iq xmlns='jabber:client' type='get' id='q' from='"+from+"'><query xmlns='"+nsInfo+"'/></iq>")
		})
	}
}

// TestOtherSessions sends presence of the account's other sessions. If the server
// sends no versions, the client requests a list after presence of higher priority, and
// after the presence that follows it.
func TestOtherSessions(t *testing.T) {
	presence := func(from, kind, priority string) string {
		return fmt.Sprintf("<presence xmlns='jabber:client' from='%s' %s>%s</presence>", from, kind, priority)
	}
	const other, high = "alice@localhost/tablet", "<priority> 5 </priority>"
	for _, test := range []struct {
		name     string
		ver      string
		presence []string
		lists    int
	}{
		{"a higher one", "", []string{presence(other, "", high)}, 1},
		{"a higher one that goes", "", []string{presence(other, "", high), presence(other, "type='unavailable'", "")}, 2},
		{"a higher one that steps down", "", []string{presence(other, "", high), presence(other, "", "")}, 2},
		{"an equal one", "", []string{presence(other, "", ""), presence(other, "type='unavailable'", "")}, 0},
		{"a lower one", "", []string{presence(other, "", "<priority>-1</priority>")}, 0},
		{"a server that sends versions", "v1", []string{presence(other, "", high)}, 0},
		{"this session", "", []string{presence("alice@localhost/x", "", high)}, 0},
		{"another account", "", []string{presence("bob@localhost/tablet", "", high)}, 0},
		{"an error", "", []string{presence(other, "type='error'", high)}, 0},
		{"no priority", "", []string{presence(other, "", "<priority>much</priority>")}, 0},
		{"many times", "", slices.Repeat([]string{presence(other, "", high)}, 50), 2},
	} {
		bubble(t, test.name, func(t *testing.T) {
			wantLists(t, test.lists, test.ver, test.presence...)
		})
	}
}

// TestDecidedOnceQuiet requests a subscription while other notifies arrive during each
// list request, and the lists do not contain it. The client decides the outcome by a
// list during which no other notify has arrived.
func TestDecidedOnceQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		lists, noisy := 0, true
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case !isList(e):
				return false
			case noisy:
				lists++
				s.notify(fmt.Sprint("v", lists), "other", "subscribed")
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v0'/>")
			default:
				s.result(e, listOf("v99"))
			}
			return true
		}
		d := f.device(t).connect()
		done := d.subscribing(news)
		time.Sleep(30 * time.Second)
		select {
		case err := <-done:
			t.Errorf("ended with %v while dirty\n%s", err, d.log())
		default:
			f.set(func() { noisy = false })
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		_ = d.Close()
	})
}

// TestOriginOfAChange has other devices change subscriptions while a request of
// this one is pending: only the change that it requested has this device as its origin.
func TestOriginOfAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, d := follower(t, "v1")
		f.set(func() { f.handle = func(s *socket, e *element.Element) bool { return isPAM(e) } }) // no answer
		asked := pam.Target{Service: "pubsub.localhost", Node: "weather"}
		go d.Subscribe(t.Context(), asked)
		synctest.Wait()
		row := func(service, node, state string) string {
			return "<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='urn:xmpp:pam:0' ver='v2' service='" + service + "'>" +
				"<subscription xmlns='http://jabber.org/protocol/pubsub' node='" + node + "' subscription='" + state + "'/></notify></message>"
		}
		for _, test := range []struct {
			text string
			want pam.Origin
		}{
			{row("other.localhost", "weather", "subscribed"), pam.OriginOtherDevice},
			{row("pubsub.localhost", "news", "none"), pam.OriginOtherDevice},
			{row("pubsub.localhost", "weather", "pending"), pam.OriginThisDevice},
			{row("pubsub.localhost", "weather", "none"), pam.OriginOtherDevice},
		} {
			f.socket().push(test.text)
			time.Sleep(time.Second)
			synctest.Wait()
			d.mu.Lock()
			var last client.Changed
			for _, e := range d.events {
				if c, ok := e.(client.Changed); ok {
					last = c
				}
			}
			d.mu.Unlock()
			if last.Origin != test.want || len(last.Changes) != 1 {
				t.Errorf("%s: %+v", test.text, last)
			}
		}
		_ = d.Close()
	})
}

// TestRecordsOfOthers starts a program among records of expired sessions, of sessions
// that other tabs may still resume, and of an unreadable one.
func TestRecordsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		kept := store.NewMemory()
		start := func(tab string) *device {
			d := f.device(t, inTab(keep(kept), tab)).connect()
			time.Sleep(time.Second)
			return d
		}
		records := func() (keys []string) {
			found, _ := kept.Scan(t.Context(), store.Range{From: "session/", To: "session0"})
			for _, r := range found {
				keys = append(keys, r.Key)
			}
			return keys
		}
		kill := func(d *device) {
			before, _ := kept.Scan(t.Context(), store.Range{From: "session/", To: "session0"})
			_ = d.Close()
			for _, r := range before {
				_ = kept.Commit(t.Context(), nil, []store.Op{store.Put(r.Key, r.Value)})
			}
		}
		kill(start("expired"))
		time.Sleep(23 * time.Hour)
		kill(start("waiting"))
		_ = kept.Commit(t.Context(), nil, []store.Op{store.Put("session/bad", []byte("bad"))})
		if got := records(); !slices.Equal(got, []string{"session/bad", "session/expired", "session/waiting"}) {
			t.Fatalf("at first there are %q", got)
		}
		time.Sleep(2 * time.Hour)
		d := start("new")
		if got := records(); !slices.Equal(got, []string{"session/new", "session/waiting"}) {
			t.Errorf("there are %q", got)
		}
		_ = d.Close()
	})
}
