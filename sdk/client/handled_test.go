//go:build !js

package client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/store"
)

// TestHandledOnceStored asks for an acknowledgement while a notify is being
// stored: it does not count yet, and neither does what came behind it, for the
// server would not send them again after a crash (XEP-0198 §4).
func TestHandledOnceStored(t *testing.T) {
	for _, tab := range []string{"", "tab"} {
		t.Run("tab "+tab, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const storing = time.Second
				f, r := newScripted(), &resumer{}
				told := make(chan string, 10)
				f.handle = func(s *socket, e *element.Element) bool {
					if e.Is(nsSM, "a") {
						told <- e.Attr("h")
						return true
					}
					return r.handle(s, e)
				}
				d := f.device(t, func(o *client.Options) {
					o.Store, o.Tab = keep(slow{store.NewMemory(), 0, storing}), tab
				}).connect()
				time.Sleep(10 * time.Second)
				ask := func() string {
					f.last.push("<r xmlns='" + nsSM + "'/>")
					return <-told
				}
				if h := ask(); h != "2" { // the answers to disco and to the list
					t.Errorf("at first h is %s", h)
				}
				f.last.notify("v1", "news", "subscribed")
				f.last.push("<message xmlns='jabber:client' from='bob@localhost'/>")
				if h := ask(); h != "2" {
					t.Errorf("while the notify is being stored h is %s", h)
				}
				time.Sleep(10 * storing)
				if h := ask(); h != "4" {
					t.Errorf("afterwards h is %s", h)
				}
				d.waitNodes("news")
				_ = d.Close()
			})
		})
	}
}
