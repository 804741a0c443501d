//go:build !js

package client_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
)

// TestOutbox has the list requested while the session waits to be resumed. The client
// sends the request once, after the resumption; if the session is lost, it does not
// send it in another.
func TestOutbox(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		bubble(t, fmt.Sprint("refused ", refuse), func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			f.handle = func(s *socket, e *element.Element) bool {
				if !isList(e) {
					return r.handle(s, e)
				}
				r.h++
				s.result(e, listOf("v1"))
				return true
			}
			a := f.device(t, quick).connect()
			time.Sleep(time.Minute)
			for range 2 { // The second is followed 5 s later.
				f.socket().push("<message xmlns='jabber:client' from='pubsub.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='news'/></event></message>")
			}
			time.Sleep(time.Second)
			f.set(func() { f.refuse, r.refuse = errors.New("refused"), refuse })
			f.socket().fail(errors.New("reset"))
			time.Sleep(time.Minute)
			if n := len(f.listed()); n != 2 {
				t.Errorf("%d lists without a connection", n)
			}
			f.set(func() { f.refuse = nil })
			time.Sleep(time.Minute)
			if n := len(f.listed()); n != 3 {
				t.Errorf("%d lists after the resumption\n%s", n, a.log())
			}
			f.set(func() { r.refuse = false })
			f.socket().fail(errors.New("reset"))
			time.Sleep(time.Minute)
			if n := len(f.listed()); n != 3 || !a.State().Resumed {
				t.Errorf("%d lists after the next resumption, %+v\n%s", n, a.State(), a.log())
			}
			_ = a.Close()
		})
	}
}
