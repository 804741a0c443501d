//go:build !js

package mem

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestHold checks that a held list reply keeps its place: later stanzas arrive after it.
func TestHold(t *testing.T) {
	r := newRig(t, Config{})
	if err := r.CreateNode("n", ""); err != nil {
		t.Fatal(err)
	}
	a, b := r.joined(t, "bob", "a"), r.joined(t, "bob", "b")
	release := r.Hold(func(full, xml string) bool {
		return full == "bob@localhost/a" && strings.Contains(xml, "id='l'")
	})
	again := r.Hold(func(full, xml string) bool {
		return strings.Contains(xml, "id='pong'") && strings.HasSuffix(full, "/a")
	})
	a.quiet() // the server sends everything before the match
	a.send(listPAM)
	a.send("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
	a.send("<iq xmlns='jabber:client' type='get' id='pong'><ping xmlns='urn:xmpp:ping'/></iq>")
	a.send("<message xmlns='jabber:client' to='bob@localhost/b' id='mark'/>")
	b.want("id='mark'") // the server has handled all requests of a
	b.send(subscribePAM("s", "pubsub.localhost", "n"))
	b.want(notify("n", "subscribed"), "type='result' id='s'")
	for _, f := range r.Log() {
		if f.Session == "bob@localhost/a" && f.Out && (strings.Contains(f.XML, "id='p'") || strings.Contains(f.XML, "notify")) {
			t.Fatalf("sent during the hold: %s", f.XML)
		}
	}
	release()
	a.want("id='l' <subscriptions xmlns='urn:xmpp:pam:0' ver=", "type='result' id='p'") // up to what the second hold wants
	b.quiet()
	for _, f := range r.Log() {
		if f.Out && strings.Contains(f.XML, "id='pong'") {
			t.Fatal("the second hold was forgotten")
		}
	}
	again()
	a.want("type='result' id='pong'", notify("n", "subscribed"))
	a.quiet()
	release()
	again() // a second call does nothing
}

func TestCut(t *testing.T) {
	r := newRig(t, Config{})
	p := r.session(t, "alice", "a", available)
	if r.Cut("alice@localhost/x") || r.Cut("@") {
		t.Error("cut what is not there")
	}
	if !r.Cut("alice@localhost/a") {
		t.Fatal("not cut")
	}
	if got := r.Sessions("alice"); len(got) != 0 {
		t.Errorf("still there: %q", got)
	}
	p.want("closed -1") // no close frame
	if r.Cut("alice@localhost/a") {
		t.Error("cut twice")
	}
}

func TestSend(t *testing.T) {
	r := newRig(t, Config{})
	p := r.session(t, "alice", "a")
	for _, text := range []string{"<message xmlns='jabber:client' from='alice@localhost'/>", "<not", "", "\x00"} {
		if err := r.Send("alice@localhost/a", text); err != nil {
			t.Fatal(err)
		}
		if got := p.next(); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if err := r.Send("alice@localhost/b", "<x/>"); err == nil {
		t.Error("Send to an absent session succeeded")
	}
}

func TestPublishAndCreate(t *testing.T) {
	r := newRig(t, Config{})
	for _, c := range []struct{ node, access string }{{"", ""}, {"n", "roster"}} {
		if err := r.CreateNode(c.node, c.access); err == nil {
			t.Errorf("created %+v", c)
		}
	}
	if err := r.CreateNode("n", "open"); err != nil {
		t.Fatal(err)
	}
	if err := r.CreateNode("n", "open"); err == nil {
		t.Error("created twice")
	}
	for _, c := range []struct{ node, payload string }{{"x", "<a xmlns='u'/>"}, {"n", "<a"}, {"n", "text"}, {"n", "<a/><b/>"}} {
		if err := r.Publish(c.node, "i", c.payload); err == nil {
			t.Errorf("published %+v", c)
		}
	}
	p := r.joined(t, "bob", "b")
	p.send(subscribePAM("s", "pubsub.localhost", "n"))
	p.want("<notify", "type='result' id='s'")
	if err := r.Publish("n", "i", "<a xmlns='u'>é</a>"); err != nil {
		t.Fatal(err)
	}
	p.want("<message type='headline' from='pubsub.localhost' to='bob@localhost'> <item id='i'><a xmlns='u'>é</a></item>")
	for i := range r.cfg.MaxItems + 5 {
		if err := r.Publish("n", fmt.Sprint("k", i), ""); err != nil {
			t.Fatal(err)
		}
		p.want("<item")
	}
	p.send(pubsubIQ("i", "get", "pubsub.localhost", "<items node='n'/>"))
	got := p.next()
	if n := strings.Count(got, "<item "); n != r.cfg.MaxItems || strings.Contains(got, "id='k4'") || !strings.Contains(got, "id='k5'") {
		t.Errorf("%d items: %.200s", n, got)
	}
}

func TestSlowClientIsDropped(t *testing.T) {
	r := newRig(t, Config{})
	r.session(t, "alice", "slow", available) // never reads from here on
	ok := r.session(t, "bob", "b")
	text := "<message xmlns='jabber:client'><body>" + strings.Repeat("x", 1<<20) + "</body></message>"
	for range 100 { // more than the socket and the queue can hold
		if r.Send("alice@localhost/slow", text) != nil {
			ok.quiet()
			return
		}
	}
	t.Error("a client that does not read is still there")
}

// TestConcurrentSessions is for the race detector, and checks that each session gets the versions in the order of the list's history.
func TestConcurrentSessions(t *testing.T) {
	r := newRig(t, Config{})
	for i := range 4 {
		if err := r.CreateNode(fmt.Sprint("n", i), ""); err != nil {
			t.Fatal(err)
		}
	}
	var seen sync.Map
	r.SetLog(func(f Frame) {
		if at := strings.Index(f.XML, "<notify xmlns='urn:xmpp:pam:0' ver='"); f.Out && at >= 0 {
			ver, _, _ := strings.Cut(f.XML[at+len("<notify xmlns='urn:xmpp:pam:0' ver='"):], "'")
			list, _ := seen.LoadOrStore(f.Session, &[]string{})
			*list.(*[]string) = append(*list.(*[]string), ver)
		}
	})
	var wg sync.WaitGroup
	for i := range 4 {
		p := r.joined(t, "bob", fmt.Sprint("s", i))
		wg.Go(func() {
			for k := range 20 {
				node := fmt.Sprint("n", (i+k)%4)
				send := subscribePAM("x", "pubsub.localhost", node)
				if k%2 == 1 {
					send = unsubscribePAM("x", "pubsub.localhost", node)
				}
				p.send(send)
				for !strings.Contains(p.next(), " id='x'") {
				}
			}
		})
		wg.Go(func() {
			r.Subscriptions("bob")
			r.Publish("n1", "", "<a xmlns='u'/>")
			r.Log()
		})
	}
	wg.Wait()
	r.SetLog(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	index := r.accounts["bob@localhost"].pam.index
	sessions := 0
	seen.Range(func(name, list any) bool {
		sessions++
		last := 0
		for _, v := range *list.(*[]string) {
			if i := index[v]; i <= last {
				t.Errorf("%s: version %d after %d", name, i, last)
			} else {
				last = i
			}
		}
		return true
	})
	if sessions != 4 {
		t.Errorf("%d sessions were notified", sessions)
	}
}

// TestOutrank adds a session of a higher priority, and removes it.
func TestOutrank(t *testing.T) {
	r := newRig(t, Config{})
	p := r.session(t, "alice", "a", available)
	r.Server.Outrank("alice", 5)
	p.want("from='alice@localhost/outranking' <priority>5</priority>")
	r.Server.Outrank("alice", 0)
	p.want("from='alice@localhost/outranking' type='unavailable'")
	r.Server.Outrank("unknown", 5)
	p.quiet()
}
