package prosody

import (
	"context"
	"errors"
	"testing"
	"time"
)

// An ended session is gone at once, with or without stream management: its connection closes, and the
// other devices see the presence of a session that has left.
func TestEndSession(t *testing.T) {
	s := start(t, Config{Accounts: map[string]string{"alice": "pw-alice"}})
	other := online(t, s, "alice", "laptop")
	for _, managed := range []bool{false, true} {
		d := online(t, s, "alice", "phone")
		other.drain()
		if managed {
			d.send(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
			d.until("enabled")
		}
		for range 2 { // The second call finds no session.
			if err := s.EndSession(d.jid); err != nil {
				t.Fatal(err)
			}
		}
		if gone := other.until("presence"); gone.attr("from") != d.jid || gone.attr("type") != "unavailable" {
			t.Errorf("managed %v: the other device received %v", managed, gone)
		}
		d.cutOff()
	}
}

// cutOff waits until the server has closed the connection.
func (d *device) cutOff() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	for {
		if _, _, err := d.conn.Read(ctx); err != nil {
			break
		}
	}
	if ctx.Err() != nil {
		d.t.Error("the connection is still open")
	}
}

// A restart ends the process and every session; the address and the data stay.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: map[string]string{"alice": "pw-alice"}, Nodes: []string{"news"}})
	d := online(t, s, "alice", "phone")
	d.subscribe(service, "news")
	d.send(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
	d.until("enabled")
	url, process := s.URL(), s.child.process.Pid

	// Without a start in time the server is down, and a second attempt starts it.
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Restart(late); !errors.Is(err, context.Canceled) {
		t.Errorf("a restart without time: %v", err)
	}
	if err := s.CreateNode("weather", ""); err == nil {
		t.Error("the server runs after a failed restart")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.cutOff()
	if s.URL() != url || s.child.process.Pid == process {
		t.Errorf("after the restart: %s (before: %s), process %d", s.URL(), url, s.child.process.Pid)
	}
	if err := s.Publish("news", "1", "<kept xmlns='urn:example'/>"); err != nil {
		t.Error(err)
	}
	again := online(t, s, "alice", "phone")
	if rows := again.list(""); len(rows[0].at("subscriptions").Children) != 1 {
		t.Errorf("the list after the restart: %v", rows)
	}
	if err := s.CreateNode("news", ""); err == nil {
		t.Error("the node is lost")
	}
	again.leave()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err == nil {
		t.Error("a restart after Close succeeds")
	}
}
