package prosody

import (
	"context"
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
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		for {
			if _, _, err := d.conn.Read(ctx); err != nil {
				break
			}
		}
		if ctx.Err() != nil {
			t.Errorf("managed %v: the connection is still open", managed)
		}
		cancel()
	}
}
