//go:build !js

package client_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// TestDelayedNotify drops the connection, and sends a notify with a delay stamp after
// the session is resumed. A notify that this session has missed is applied; any other
// comes from offline storage, and only causes a list request.
func TestDelayedNotify(t *testing.T) {
	const plain = "<message xmlns='jabber:client' from='alice@localhost'><body>now</body></message>"
	stamp := func(before time.Duration) string { return time.Now().Add(-before).UTC().Format(time.RFC3339) }
	for _, test := range []struct {
		name   string
		first  string // the stanza before it
		stamp  func() string
		listed bool
	}{
		{"missed a minute ago", "", func() string { return stamp(time.Minute) }, false},
		{"missed, by a clock that is slow", "", func() string { return stamp(9 * time.Minute) }, false},
		{"older than the session", "", func() string { return stamp(time.Hour) }, true},
		{"after a message that is new", plain, func() string { return stamp(time.Minute) }, true},
		{"a stamp that is none", "", func() string { return "yesterday" }, true},
	} {
		bubble(t, test.name, func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			f.handle = func(s *socket, e *element.Element) bool {
				handled := r.handle(s, e)
				if e.Is(nsSM, "resume") {
					if test.first != "" {
						s.push(test.first)
					}
					s.push("<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='urn:xmpp:pam:0' ver='v1' service='pubsub.localhost'>" +
						"<subscription xmlns='http://jabber.org/protocol/pubsub' node='news' jid='alice@localhost' subscription='subscribed'/></notify>" +
						"<delay xmlns='urn:xmpp:delay' from='localhost' stamp='" + test.stamp() + "'/></message>")
				}
				return handled
			}
			a := f.device(t).connect()
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			before := len(f.listed())
			f.socket().fail(errors.New("reset"))
			time.Sleep(10 * time.Second)
			synctest.Wait()
			s := a.Snapshot()
			if state := a.State(); !state.Resumed || state.Phase != pam.PhaseLive {
				t.Fatalf("%+v\n%s", state, a.log())
			}
			if listed := len(f.listed()) > before; listed != test.listed {
				t.Errorf("list requests: %v\n%s", f.listed(), a.log())
			}
			if applied := s.Version == "v1" && len(s.List) == 1; applied == test.listed {
				t.Errorf("the list is %v, version %q\n%s", s.List, s.Version, a.log())
			}
			_ = a.Close()
		})
	}
}
