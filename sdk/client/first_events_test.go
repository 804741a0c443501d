//go:build !js

package client_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestFirstEvents sends two events of an item right after the notify of the subscription, of
// which the service keeps the second one only. Both arrive before the list contains the
// node.
func TestFirstEvents(t *testing.T) {
	const (
		notify  = "<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='urn:xmpp:pam:0' ver='v1' service='pubsub.localhost'><subscription xmlns='http://jabber.org/protocol/pubsub' node='news' jid='alice@localhost' subscription='%s'/></notify>%s</message>"
		event   = "<message xmlns='jabber:client' from='pubsub.localhost' to='alice@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='news'><item id='1'><x xmlns='urn:x'>%d</x></item></items></event></message>"
		delayed = "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='1999-01-01T00:00:00Z'/>"
		nothing = "<iq xmlns='jabber:client' type='result' from='alice@localhost' id='LIST'/>"
	)
	subscribed := fmt.Sprintf(notify, "subscribed", "")
	first, second := fmt.Sprintf(event, 1), fmt.Sprintf(event, 2)
	for _, test := range []struct {
		name    string
		replay  []string // after a resumption
		list    []string // the answer to the list request of a new session, or after the replay
		follows bool
	}{
		{"live", []string{subscribed, first, second}, nil, true},
		{"after another notify", []string{fmt.Sprintf(notify, "none", ""), subscribed, first, second}, nil, true},
		{"while the list is requested", nil, []string{subscribed, first, second, nothing}, true},
		{"replayed, from before this run of the program", []string{fmt.Sprintf(notify, "subscribed", delayed), first, second}, []string{subscribed, nothing}, true},
		{"after the notify of another end of it", []string{fmt.Sprintf(notify, "none", delayed), first, second}, []string{nothing}, false},
		{"without a notify", []string{first, second}, nil, false},
	} {
		bubble(t, test.name, func(t *testing.T) {
			f, r := newScripted(), &resumer{}
			again := false
			f.handle = func(s *socket, e *element.Element) bool {
				handled := r.handle(s, e)
				switch {
				case e.Is(nsSM, "resume") && !r.refuse:
					s.push(test.replay...)
				case again && isList(e) && test.list != nil:
					for _, stanza := range test.list {
						s.push(strings.ReplaceAll(stanza, "LIST", e.Attr("id")))
					}
					test.list = []string{nothing}
					return true
				}
				return handled
			}
			a := f.device(t, func(o *client.Options) { o.Store = slow{store.NewMemory(), 0, time.Second} }).connect()
			time.Sleep(2 * time.Minute)
			f.set(func() { again, r.refuse = true, test.replay == nil })
			f.socket().fail(errors.New("reset"))
			time.Sleep(time.Minute)
			synctest.Wait()
			var got []string
			for _, e := range a.all(t) {
				got = append(got, fmt.Sprintf("%s %s", e.XML, e.Delivery))
			}
			want := []string{"<x xmlns='urn:x'>2</x> " + string(pam.DeliveryLive), "<x xmlns='urn:x'>1</x> " + string(pam.DeliveryLive)}
			if test.follows && !slices.Equal(got, want) || !test.follows && len(got) > 0 {
				t.Errorf("the inbox has %q\n%s", got, a.log())
			}
			_ = a.Close()
		})
	}
}
