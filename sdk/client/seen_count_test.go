//go:build !js

package client_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/privatepep"
	"xmpp-pam/sdk/pam"
)

// TestCatchUpCountsSeen misses three events while another device has shared a marker of an
// item that is not known here. The catch-up counts those events as seen elsewhere that the
// marker shows to be seen, and not those of which it is unknown.
func TestCatchUpCountsSeen(t *testing.T) {
	for _, tt := range []struct {
		name   string
		source pam.TimeSource // of the marker; empty if there is none
		after  time.Duration  // of the marker, since the events
		want   int
		state  pam.SeenState
	}{
		{"no marker", "", 0, 0, pam.Unseen},
		{"a later marker", pam.TimePayload, time.Minute, 3, pam.LikelySeenElsewhere},
		{"an earlier marker", pam.TimePayload, -time.Minute, 0, pam.Unseen},
		{"the time of the archive", pam.TimeArchive, time.Minute, 0, pam.SeenUnknown},
		{"the clock of the device", pam.TimeLocalClock, time.Minute, 0, pam.SeenUnknown},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f := newScripted()
			at := time.Now().Add(30 * time.Minute)
			key, payload := engine.Marker(pam.Marker{Service: "pubsub.localhost", Node: "news", ItemID: "unknown", At: at.Add(tt.after), TimeSource: tt.source})
			missed := ""
			f.handle = func(s *socket, e *element.Element) bool {
				items := e.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items")
				switch {
				case isList(e):
					s.result(e, rowsOfNews("v1", "s1"))
				case e.Attr("to") == "alice@localhost" && isDisco(e):
					s.result(e, "<query xmlns='"+nsInfo+"'><identity category='pubsub' type='pep'/><feature var='"+ns.Pubsub+"#publish-options'/></query>")
				case e.Child(ns.DiscoItems, "query") != nil:
					s.result(e, "<query xmlns='"+ns.DiscoItems+"'><item jid='alice@localhost' node='"+privatepep.Node(ns.Seen, key)+"'/></query>")
				case items == nil:
					return false
				case items.Attr("node") != "news":
					marker := ""
					if tt.source != "" && missed != "" {
						marker = "<item id='" + key + "'>" + payload + "</item>"
					}
					s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='"+items.Attr("node")+"'>"+marker+"</items></pubsub>")
				default: // The markers come first.
					time.AfterFunc(time.Second, func() {
						s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='news'>"+missed+"</items></pubsub>")
					})
				}
				return true
			}
			d := f.device(t).connect()
			time.Sleep(10 * time.Minute)
			check(t, d.Disconnect(t.Context()))
			time.Sleep(time.Hour)
			f.set(func() {
				for _, id := range strings.Fields("3 2 1") {
					missed += "<item id='" + id + "'>" + entryAt(at) + "</item>"
				}
			})
			d.connect()
			time.Sleep(time.Minute)
			synctest.Wait()
			for _, e := range d.all(t) {
				if e.Seen.State != tt.state {
					t.Errorf("%s is %s, want %s", e.ItemID, e.Seen.State, tt.state)
				}
			}
			if s := d.inbox().CatchUp; s.Received != 3 || s.LikelySeenElsewhere != tt.want {
				t.Errorf("the catch-up: %+v, want %d seen elsewhere\n%s", s, tt.want, d.log())
			}
			_ = d.Close()
		})
	}
}
