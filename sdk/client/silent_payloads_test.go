//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A payloadStore cannot read payloads: it fails, or does not return until long after all
// time-outs, unless the context ends and it obeys.
type payloadStore struct {
	store.Store
	how string // fails, obeys, late or never
}

func (s payloadStore) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	if len(keys) == 0 || !strings.HasPrefix(keys[0], "inbox/xml/") {
		return s.Store.Get(ctx, keys...)
	}
	switch s.how {
	case "fails":
		return nil, errBroken
	case "obeys":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if time.Sleep(silence); s.how == "never" {
		return nil, errors.New("no caller gets this error")
	}
	return s.Store.Get(context.Background(), keys...)
}

// TestUnreadablePayloads has the store fail, or stop returning, while it reads payloads:
// calls of Events return after the time-out of the store with all events, of which those
// that had to be read have no payload, and say so. The payloads that the newest page
// contains are not read. What comes then is kept in memory.
func TestUnreadablePayloads(t *testing.T) {
	const storeTimeout = 10*time.Second + time.Millisecond
	long := strings.Repeat("x", 9<<10)
	for _, how := range []string{"fails", "obeys", "late", "never"} {
		for _, calls := range []int{1, 3} { // at the same time
			bubble(t, fmt.Sprint(how, " ", calls), func(t *testing.T) {
				f, kept := newScripted(), store.NewMemory()
				f.handle = func(s *socket, e *element.Element) bool {
					if !isList(e) {
						return false
					}
					s.result(e, rowsOfNews("v1", "s1"))
					return true
				}
				first := f.device(t, func(o *client.Options) { o.Store = keep(kept) }).connect()
				send := func(id, text string) {
					f.socket().push("<message xmlns='jabber:client' from='pubsub.localhost' to='alice@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>" +
						"<items node='news'><item id='" + id + "'><x xmlns='urn:x'>" + text + "</x></item></items></event></message>")
					time.Sleep(time.Second)
				}
				send("long", long)
				send("short", "short")
				check(t, first.Close())

				d := f.device(t, func(o *client.Options) { o.Store = payloadStore{keep(kept), how} }).connect()
				list := func(want string) {
					t.Helper()
					began := time.Now()
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					events, _, err := d.Events(ctx, pam.EventQuery{})
					var got []string
					for _, e := range events {
						_, text, _ := strings.Cut(strings.TrimSuffix(e.XML, "</x>"), ">")
						got = append(got, strings.TrimSuffix(fmt.Sprint(e.ItemID, "=", text, e.Omitted), "="))
					}
					if text := strings.Join(got, " "); err != nil || text != want {
						t.Errorf("listed %.80s, %v; want %s", text, err, want)
					}
					if took := time.Since(began); took > storeTimeout || how == "fails" && took > time.Second {
						t.Errorf("it took %v", took)
					}
				}
				var group sync.WaitGroup
				for range calls {
					group.Go(func() { list("short=short long=unreadable") })
				}
				group.Wait()
				synctest.Wait() // The calls return before the state is published.
				if got := d.State().Storage.Degraded; got != (how != "fails") {
					t.Errorf("degraded: %v", got)
				}
				send("new", "new")
				list("new=new short=short long=unreadable")
				time.Sleep(2 * silence) // for a late answer
				list("new=new short=short long=unreadable")
				_ = d.Close()
				time.Sleep(2 * silence) // until the store has returned, too
			})
		}
	}
}
