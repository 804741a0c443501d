//go:build !js

package mem

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"
)

// TestRestart checks that a restart ends all sessions, refuses connections until it returns, and keeps the data.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Accounts: map[string]string{"alice": "ecila"}, Mechanisms: []string{"PLAIN"}})
		if err != nil {
			t.Fatal(err)
		}
		pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		web := &http.Server{Handler: s}
		go web.Serve(pipes)
		transport := &http.Transport{DialContext: pipes.dial}
		dial := func() (*peer, *http.Response) {
			ws, res, err := websocket.Dial(t.Context(), "ws://server/", &websocket.DialOptions{
				Subprotocols: []string{"xmpp"}, HTTPClient: &http.Client{Transport: transport}})
			if err != nil {
				return nil, res
			}
			return &peer{t: t, ws: ws, ctx: t.Context()}, res
		}
		login := func(resource string) *peer {
			p, _ := dial()
			return p.login("alice", "ecila", resource)
		}
		if err := s.CreateNode("n", ""); err != nil {
			t.Fatal(err)
		}
		if err := s.SetSubscription("alice", "n", "subscribed"); err != nil {
			t.Fatal(err)
		}
		_, before := s.Subscriptions("alice")
		lost, open := login("a"), login("b")
		ids := []string{lost.enable(), open.enable()}
		s.Cut("alice@localhost/a")

		restarted := make(chan struct{})
		go func() {
			s.Restart()
			close(restarted)
		}()
		if got := open.next(); !strings.Contains(got, "system-shutdown") {
			t.Errorf("the open session received %s", got)
		}
		if p, res := dial(); p != nil || res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("during the restart: %v", res.Status)
		}
		<-restarted
		if got := s.Sessions("alice"); len(got) != 0 {
			t.Errorf("sessions after the restart: %q", got)
		}

		for _, id := range ids {
			p, _ := dial()
			p.authenticate("alice", "ecila")
			p.send("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='0'/>")
			if got := p.next(); !strings.Contains(got, "<failed") {
				t.Errorf("resuming %s: %s", id, got)
			}
		}
		if list, ver := s.Subscriptions("alice"); len(list) != 1 || ver != before {
			t.Errorf("the list after the restart: %v at %s, before %s", list, ver, before)
		}
		s.Close()
		s.Restart() // does nothing
		web.Close()
		transport.CloseIdleConnections()
	})
}
