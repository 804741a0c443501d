//go:build !js

package client_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/address/addresstest"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// TestLookalikes checks that New refuses an account whose domain is not in its normal
// form with a reason, that a request refuses such a service, and that the client accepts
// no answer from a domain that looks like the account's.
func TestLookalikes(t *testing.T) {
	_, err := client.New(&client.Options{Account: "alice@xn--localhost-", URL: "wss://localhost/", Credentials: password("x"), Dialer: newScripted()})
	if got := asError(t, err); got.Code != pam.CodeBadJID || !strings.Contains(got.Text, "xn--") {
		t.Errorf("got %v", got)
	}
	synctest.Test(t, func(t *testing.T) {
		f := newHalfStarted()
		fakes := 0
		answer := f.handle
		f.handle = func(s *socket, e *element.Element) bool {
			if isDisco(e) || isList(e) {
				for seed := range uint64(100) {
					domain := addresstest.LookAlike(rand.New(rand.NewPCG(seed, 0)), "localhost")
					if strings.ToLower(domain) == "localhost" {
						continue
					}
					for _, from := range []string{domain, "alice@" + domain, "alice@" + domain + "/x"} {
						s.push(element.New(nsClient, "iq").Set("type", "result").Set("id", e.Attr("id")).Set("from", from).
							Add(element.New(ns.PAM, "subscriptions").Set("ver", "POISON")).String())
						fakes++
					}
				}
			}
			return answer(s, e)
		}
		a := f.device(t, quick).connect()
		if v := a.Snapshot().Version; v != "v0" || fakes < 300 || f.sessions != 1 {
			t.Errorf("the version is %q after %d answers of others, in %d sessions", v, fakes, f.sessions)
		}
		_, err := a.Subscribe(t.Context(), pam.Target{Service: "pubsub.xn--localhost-", Node: "news"})
		if got := asError(t, err); got.Code != pam.CodeBadJID || !strings.Contains(got.Text, "xn--") {
			t.Errorf("got %v", got)
		}
		_ = a.Close()
	})
}

// TestEventsOfOthers checks that the client requests no list after an event about the
// subscription of another account, also of one whose domain looks like the account's.
func TestEventsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t, quick).connect()
		news := func(subscriber string) int {
			f.socket().notify("v1", "news", "subscribed") // The list of this server is empty.
			synctest.Wait()
			before := len(f.listed())
			event := element.New("http://jabber.org/protocol/pubsub#event", "event")
			event.Add(element.New(event.Name.Space, "subscription").Set("node", "news").Set("jid", subscriber).Set("subscription", "none"))
			f.socket().push(element.New(nsClient, "message").Set("from", "pubsub.localhost").Add(event).String())
			time.Sleep(10 * time.Second)
			synctest.Wait()
			return len(f.listed()) - before
		}
		for seed := range uint64(50) {
			domain := addresstest.LookAlike(rand.New(rand.NewPCG(seed, 0)), "localhost")
			if strings.ToLower(domain) != "localhost" && news("alice@"+domain) != 0 {
				t.Errorf("an event about alice@%+q caused a list request", domain)
			}
		}
		for subscriber, want := range map[string]bool{"bob@localhost": false, "alice2@localhost": false, "": false, "alice@localhost": true, "Alice@LOCALHOST": true} {
			if n := news(subscriber); (n > 0) != want {
				t.Errorf("an event about %q caused %d list requests", subscriber, n)
			}
		}
		_ = a.Close()
	})
}
