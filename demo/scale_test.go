//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

type scaleAnswer struct {
	Account, Password string
	Feeds             int
	Ms                int64
}

func scale(t *testing.T, d *demo, feeds int) (a scaleAnswer) {
	t.Helper()
	res, body := do(t, "POST", fmt.Sprintf("%s/scale?feeds=%d", d.origin, feeds), "")
	if err := json.Unmarshal([]byte(body), &a); err != nil || res.StatusCode != http.StatusOK || a.Feeds != feeds {
		t.Fatalf("%d feeds: %s %s", feeds, res.Status, body)
	}
	t.Logf("%d feeds: %d ms", feeds, a.Ms)
	return a
}

// list returns the feeds in the account's list, in order. A version is sent only if
// there is one; then the answer is the number of changes.
func (s *session) list() []string {
	s.t.Helper()
	s.send("<iq xmlns='jabber:client' type='get' id='list'><subscriptions xmlns='urn:xmpp:pam:0'/></iq>")
	var nodes []string
	for _, m := range nodeName.FindAllStringSubmatch(s.until("id='list'"), -1) {
		nodes = append(nodes, m[1])
	}
	slices.Sort(nodes)
	return nodes
}

func feeds(from, to int) []string {
	var names []string
	for n := from; n <= to; n++ {
		names = append(names, feedName(n))
	}
	return names
}

func TestScale(t *testing.T) {
	eachServer(t, func(t *testing.T, d *demo) {
		if res, _ := do(t, "POST", d.origin+"/scale/change", ""); res.StatusCode != http.StatusConflict {
			t.Errorf("a change before the first scale: %s", res.Status)
		}
		a := scale(t, d, 30)
		s := login(t, d.device("Laptop"), a.Account, a.Password)
		check := func(what string, want []string) {
			t.Helper()
			if got := s.list(); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		check("30 feeds", feeds(1, 30))
		scale(t, d, 40)
		s.until("feed-00040")
		check("grown", feeds(1, 40))
		scale(t, d, 10)
		s.until("feed-00040")
		check("shrunk", feeds(1, 10))

		if res, body := do(t, "POST", d.origin+"/scale/change", ""); res.StatusCode != http.StatusOK || body != "{\"added\":2,\"removed\":1}\n" {
			t.Errorf("change: %s %s", res.Status, body)
		}
		check("changed", feeds(2, 12))
		do(t, "POST", d.origin+"/scale/change", "")
		check("changed again", feeds(3, 14))
		// What a device of the account has done is undone.
		s.send("<iq xmlns='jabber:client' type='set' id='s'><pam xmlns='urn:xmpp:pam:0' jid='pubsub.localhost'>" +
			"<subscribe xmlns='http://jabber.org/protocol/pubsub' node='news' jid='reader@localhost'/></pam></iq>")
		s.until("type='result'")
		scale(t, d, 11)
		check("scaled after changes", feeds(1, 11))

		for _, url := range []string{d.origin + "/info.json", d.device("Laptop").URL + "config.json"} {
			if _, body := do(t, "GET", url, ""); strings.Contains(body, "feed-") || strings.Contains(body, "reader") {
				t.Errorf("%s offers the reader or its feeds: %s", url, body)
			}
		}
	})
}

// A version from before a change of the scale still leads to the current list.
func TestScaleVersions(t *testing.T) {
	eachServer(t, func(t *testing.T, d *demo) {
		a := scale(t, d, 600)
		s := authenticate(t, d.device("Laptop"), a.Account, a.Password)
		ver := versionToken.FindStringSubmatch(s.bind())[1]
		do(t, "POST", d.origin+"/scale/change", "")
		back := authenticate(t, d.device("Phone"), a.Account, a.Password)
		back.send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
		back.until("</jid>")
		back.send("<iq xmlns='jabber:client' type='get' id='l'><subscriptions xmlns='urn:xmpp:pam:0' ver='" + ver + "'/></iq>")
		var changes []string
		for {
			xml := back.until("")
			for _, m := range nodeName.FindAllStringSubmatch(xml, -1) {
				changes = append(changes, m[1])
			}
			if strings.Contains(xml, "type='result'") {
				break
			}
		}
		if slices.Sort(changes); !slices.Equal(changes, []string{"feed-00001", "feed-00601", "feed-00602"}) {
			t.Errorf("changes since %s: %q", ver, changes)
		}
	})
}

func TestScaleRejects(t *testing.T) {
	d := startDemo(t, false)
	for _, feeds := range []string{"", "9", "10001", "-1", "x", "1e3"} {
		if res, body := do(t, "POST", d.origin+"/scale?feeds="+feeds, ""); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "error") {
			t.Errorf("feeds=%s: %s %s", feeds, res.Status, body)
		}
	}
	if _, body := do(t, "GET", d.origin+"/info.json", ""); !strings.Contains(body, `"maxFeeds":10000`) {
		t.Errorf("info %s", body)
	}
	if err := d.server.Register("reader", "other"); err != nil {
		t.Fatal(err)
	}
	if res, body := do(t, "POST", d.origin+"/scale?feeds=10", ""); res.StatusCode != http.StatusBadGateway {
		t.Errorf("an account of that name exists: %s %s", res.Status, body)
	}
}

// A waitingServer lets Following wait, and counts the calls of Follow.
type waitingServer struct {
	xmppServer
	asked, answer chan struct{}
	follows       int
}

func (s *waitingServer) Following(account string) ([]string, error) {
	s.asked <- struct{}{}
	<-s.answer
	return s.xmppServer.Following(account)
}

func (s *waitingServer) Follow(account string, follow, unfollow []string) error {
	s.follows++
	return s.xmppServer.Follow(account, follow, unfollow)
}

// Requests do not queue, and one whose client is gone changes nothing.
func TestScaleOneAtATime(t *testing.T) {
	d := startDemo(t, false)
	scale(t, d, 10)
	server := &waitingServer{xmppServer: d.server, asked: make(chan struct{}), answer: make(chan struct{})}
	d.server = server
	for path, serve := range map[string]http.HandlerFunc{"/scale?feeds=20": d.serveScale, "/scale/change": d.serveScaleChange} {
		ctx, leave := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			serve(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", path, nil))
		}()
		<-server.asked
		for _, other := range []string{"/scale?feeds=10", "/scale/change"} {
			res, body := do(t, "POST", d.origin+other, "")
			if res.StatusCode != http.StatusConflict || !strings.Contains(body, errMeasuring.Error()) {
				t.Errorf("%s during %s: %s %s", other, path, res.Status, body)
			}
		}
		leave()
		server.answer <- struct{}{}
		<-ended
		if server.follows > 0 {
			t.Errorf("%s changed the list for a client that is gone", path)
		}
	}
}
