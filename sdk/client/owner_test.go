//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// TestOwner sends events of a contact's node from the service at the contact's domain, as
// ejabberd does at the presence of a session. Those that are addressed to the account are
// events of the service, in which anyone can create a node of that name; so are those that fit
// nodes of two contacts.
func TestOwner(t *testing.T) {
	needsMem(t)
	bubble(t, "a contact's node", func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool {
			if isList(e) {
				var rows strings.Builder
				for _, row := range [][2]string{{"bob", "urn:x"}, {"bob", "urn:y"}, {"carol", "urn:y"}} {
					fmt.Fprintf(&rows, "<subscription service='%s@localhost' node='%s' jid='alice@localhost' subscription='subscribed'/>", row[0], row[1])
				}
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'>"+rows.String()+"</subscriptions>")
			}
			return isList(e)
		}
		d := f.device(t).connect()
		to := func(address, id string) string {
			return strings.Replace(eventOf("pubsub.localhost", "urn:x", itemOf(id)), "to='alice@localhost'", "to='"+address+"'", 1)
		}
		f.socket().push(to("alice@localhost", "bare"), to("alice@localhost/y", "other"), to("", "empty"), to("alice@localhost/x", "full"),
			strings.Replace(to("alice@localhost/x", "elsewhere"), "pubsub.localhost", "pubsub.example", 1),
			strings.Replace(to("alice@localhost/x", "lookalike"), "pubsub.localhost", "notlocalhost", 1),
			strings.Replace(to("alice@localhost/x", "of bob or carol"), "urn:x", "urn:y", 1))
		f.socket().push(eventOf("bob@localhost", "urn:x", itemOf("last")))
		want := []string{"urn:x published full", "urn:x published last"}
		until(t, "the last event", func() bool { return slices.Contains(d.added(), want[1]) })
		if got := d.added(); !slices.Equal(got, want) {
			t.Errorf("added %q, want %q", got, want)
		}
		for _, e := range d.all(t) {
			if e.Service != "bob@localhost" {
				t.Errorf("%s is of %s", e.ItemID, e.Service)
			}
		}
	})
}
