//go:build !js

package mem

import (
	"fmt"
	"strings"
	"testing"
)

// delayed is what want expects of a delay stamp.
func delayed(from string) string {
	return "<delay xmlns='urn:xmpp:delay' from='" + from + "' stamp='20"
}

// TestOffline checks that messages of type normal and chat wait for the first session
// that is available, and headlines do not (XEP-0160).
func TestOffline(t *testing.T) {
	r := newRig(t, Config{Offline: true, Archive: true})
	for node, typ := range map[string]string{"n": "normal", "h": "headline"} {
		if err := r.CreateNodeAt("", node, map[string]string{"pubsub#notification_type": typ}); err != nil {
			t.Fatal(err)
		}
		if err := r.SetSubscription("bob", node, "subscribed"); err != nil {
			t.Fatal(err)
		}
		if err := r.Publish(node, "1", ""); err != nil {
			t.Fatal(err)
		}
	}
	alice := r.session(t, "alice", "a")
	for _, typ := range []string{"chat", "groupchat", "headline", "error"} {
		alice.send("<message xmlns='jabber:client' to='bob@localhost/x' id='m' type='" + typ + "'><body>hi</body></message>")
		if typ == "groupchat" {
			alice.want("type='error' id='m' <service-unavailable")
		}
	}
	alice.send("<message xmlns='jabber:client' to='unknown@localhost' id='m'><body>hi</body></message>")
	alice.want("type='error' id='m' <service-unavailable")
	alice.quiet()

	negative := r.session(t, "bob", "negative", priority(-1))
	reader := r.dial(t).login("bob", "bob", "reader")
	reader.send(queryIQ("", "", "", rsm("<max>0</max>")))
	reader.want("<count>3</count>")
	reader.send(available) // it reads the archive instead
	reader.quiet()
	bob := r.dial(t).login("bob", "bob", "b")
	bob.send(available)
	bob.want("<message xmlns='jabber:client' type='normal' from='pubsub.localhost' to='bob@localhost'> <items node='n'><item id='1'/> <stanza-id "+delayed("localhost"),
		"to='bob@localhost/x' id='m' type='chat' <body>hi</body> "+delayed("localhost"))
	for _, p := range []*peer{negative, reader, bob, r.session(t, "bob", "late", available)} {
		p.quiet()
	}
	for i := range maxOffline + 1 {
		alice.sendf("<message xmlns='jabber:client' to='carol@localhost' id='%d'/>", i)
	}
	alice.want(fmt.Sprintf("type='error' id='%d' <service-unavailable", maxOffline))
}

// TestSalvage checks what becomes of messages that the client of an expired session has
// not acknowledged: with the account's last session they go to the offline store, with
// the time at which they were sent.
func TestSalvage(t *testing.T) {
	r := newRig(t, Config{Offline: true})
	for node, typ := range map[string]string{"n": "normal", "h": "headline"} {
		if err := r.CreateNodeAt("", node, map[string]string{"pubsub#notification_type": typ}); err != nil {
			t.Fatal(err)
		}
		if err := r.SetSubscription("bob", node, "subscribed"); err != nil {
			t.Fatal(err)
		}
	}
	publish := func(item string) {
		t.Helper()
		for _, node := range []string{"n", "h"} {
			if err := r.Publish(node, item, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	bob := r.session(t, "bob", "b", available)
	bob.enable()
	publish("1")
	bob.want("node='n'", "node='h'")
	r.Cut("bob@localhost/b")
	publish("2")
	if !r.ExpireSession("bob@localhost/b") {
		t.Fatal("not expired")
	}
	publish("3")
	bob = r.dial(t).login("bob", "bob", "b2")
	bob.send(available)
	for _, item := range []string{"1", "2"} {
		bob.want("type='normal' <items node='n'><item id='" + item + "'/> " + delayed("bob@localhost") + " " + delayed("localhost"))
	}
	got := bob.next()
	if strings.Count(got, "<delay") != 1 || !strings.Contains(got, "id='3'") {
		t.Error(got)
	}
	bob.quiet()

	other := r.session(t, "bob", "other", available)
	bob.enable()
	publish("4")
	bob.want("node='n'", "node='h'")
	r.Cut("bob@localhost/b2")
	r.ExpireSession("bob@localhost/b2") // not the last session
	other.want("id='4'", "id='4'")
	other.quiet()
	r.ForgetSession("bob@localhost/other")
	late := r.session(t, "bob", "late", available)
	late.quiet()
}
