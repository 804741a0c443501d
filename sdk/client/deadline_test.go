//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// cutEvery cuts the connection in intervals until stop is called, which returns the
// number of cuts.
func (f *scripted) cutEvery(interval time.Duration) (stop func() int) {
	ctx, cancel := context.WithCancel(context.Background())
	cuts := make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-time.After(interval):
				f.socket().fail(errors.New("cut"))
			case <-ctx.Done():
				cuts <- n
				return
			}
		}
	}()
	return func() int {
		cancel()
		return <-cuts
	}
}

// TestOneDeadline cuts the connection every few seconds, and the client resumes the
// session each time, while the server answers some requests late or never. Every call
// ends by its deadline: a resumption does not renew it.
func TestOneDeadline(t *testing.T) {
	r, all := seeded(t), 0
	for i := range 60 {
		draw := rand.New(rand.NewPCG(r.Uint64(), uint64(i)))
		every := time.Duration(200+draw.IntN(6000)) * time.Millisecond
		away := time.Duration(draw.IntN(3000)) * time.Millisecond
		ignore := draw.IntN(7) + 1 // a bit for each of isPAM, isList, isDisco
		synctest.Test(t, func(t *testing.T) {
			f, s := newScripted(), &resumer{}
			f.handle = s.handle
			a := f.device(t, waits(max(1, away), 0)).connect()
			f.set(func() {
				s.ignored = func(e *element.Element) bool {
					return isPAM(e) && ignore&1 != 0 || isList(e) && ignore&2 != 0 || isDisco(e) && ignore&4 != 0
				}
			})
			f.socket().fail(errors.New("cut"))
			stop := f.cutEvery(every + away)
			time.Sleep(every / 2)
			for name, call := range map[string]func() error{
				"subscribe":   func() error { _, err := a.Subscribe(context.Background(), news); return err },
				"unsubscribe": func() error { return a.Unsubscribe(context.Background(), news) },
				"refresh":     func() error { return a.Refresh(context.Background(), true) },
			} {
				began := time.Now()
				err := call()
				if d := time.Since(began); d > 40*time.Second {
					t.Errorf("cut every %v, away for %v, ignoring %b: %s took %v: %v", every, away, ignore, name, d, err)
				}
				if e := asErrorOf(err); err != nil && !e.Retryable && e.Code != pam.CodeOutcomeUnknown {
					t.Errorf("%s gave %v, which is not retryable", name, err)
				}
			}
			all += 1 + stop()
			f.set(func() { s.ignored = nil })
			time.Sleep(10 * time.Minute)
			if w := client.Waiting(a.Client); w != "" || a.State().Phase != pam.PhaseLive {
				t.Errorf("left %s in %+v", w, a.State())
			}
			_ = a.Close()
		})
	}
	if all < 120 {
		t.Errorf("only %d cuts", all)
	}
}

// TestSubscribeWhileResumed has the client resume its session every 2 s: a subscribe
// that the server never answers ends after 20 s with what the list says.
func TestSubscribeWhileResumed(t *testing.T) {
	for _, listed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f, s := newScripted(), &resumer{}
			list := ""
			f.handle = func(k *socket, e *element.Element) bool {
				if s.handle(k, e) || isPAM(e) {
					return true
				}
				if isList(e) && list != "" {
					k.result(e, list)
					return true
				}
				return false
			}
			a := f.device(t, waits(time.Millisecond, 0)).connect()
			if listed {
				f.set(func() {
					list = "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1' service='pubsub.localhost'><subscription node='news'/></subscriptions>"
				})
			}
			stop := f.cutEvery(2 * time.Second)
			time.Sleep(3 * time.Second)
			began := time.Now()
			_, err := a.Subscribe(t.Context(), news)
			if listed && err != nil || !listed && asError(t, err).Code != pam.CodeTimeout {
				t.Errorf("listed %v: got %v", listed, err)
			}
			if d := time.Since(began); d < 20*time.Second || d > 21*time.Second {
				t.Errorf("listed %v: after %v", listed, d)
			}
			stop()
			_ = a.Close()
		})
	}
}

// TestListWhileResumed cuts the connection every 2 s, and the client resumes the
// session, while the server does not answer the list request that it has acknowledged:
// after 20 s with a connection the client sends another.
func TestListWhileResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newScripted(), &resumer{}
		silent := false
		f.handle = func(k *socket, e *element.Element) bool { return s.handle(k, e) || silent && isList(e) }
		a := f.device(t, waits(3*time.Second, 3*time.Second)).connect()
		f.set(func() { silent = true })
		go func() { _ = a.Refresh(context.Background(), false) }()
		synctest.Wait()
		before := len(f.listed())
		for range 9 {
			time.Sleep(2 * time.Second)
			f.socket().fail(errors.New("cut"))
			time.Sleep(3 * time.Second)
		}
		synctest.Wait()
		if n := len(f.listed()); n != before {
			t.Errorf("asked for %d lists in 18 s", n-before+1)
		}
		time.Sleep(3 * time.Second)
		if n := len(f.listed()); n != before+1 {
			t.Errorf("asked for %d lists in 21 s", n-before+1)
		}
		_ = a.Close()
	})
}

// TestServiceIsAsked has the account's server not answer. After 5 s the client sends
// the request to the service, and the call returns the answer of the service. The list
// omits a row without a subscription at the service, also after a restart.
func TestServiceIsAsked(t *testing.T) {
	fails := func(condition string) func(*socket, *element.Element) {
		return func(s *socket, e *element.Element) { s.failure(e, condition) }
	}
	rows := func(rows string) func(*socket, *element.Element) {
		return func(s *socket, e *element.Element) {
			s.result(e, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions>"+rows+"</subscriptions></pubsub>")
		}
	}
	tests := []struct {
		name      string
		subscribe bool
		service   func(*socket, *element.Element) // nil: the service does not answer either
		code      pam.Code                        // empty: success
		condition string
		retryable bool
		after     time.Duration
	}{
		{"no such node", true, fails("item-not-found"), pam.CodeStanza, "item-not-found", false, 20 * time.Second},
		{"the service is down", true, fails("service-unavailable"), pam.CodeStanza, "service-unavailable", true, 20 * time.Second},
		{"nothing is wrong", true, rows(""), pam.CodeTimeout, "", true, 20 * time.Second},
		{"silent", true, nil, pam.CodeTimeout, "", true, 20 * time.Second},
		{"the node is gone", false, fails("item-not-found"), "", "", false, 5 * time.Second},
		{"gone", false, fails("gone"), "", "", false, 5 * time.Second},
		{"not subscribed", false, rows("<subscription node='other' jid='alice@localhost' subscription='subscribed'/>"), "", "", false, 5 * time.Second},
		{"subscribed", false, rows("<subscription node='news' jid='alice@localhost' subscription='subscribed'/>"), pam.CodeTimeout, "", true, 20 * time.Second},
		{"may not be asked", false, fails("forbidden"), pam.CodeStanza, "forbidden", false, 20 * time.Second},
		{"silent", false, nil, pam.CodeTimeout, "", true, 20 * time.Second},
	}
	for _, tt := range tests {
		bubble(t, fmt.Sprint(tt.name, tt.subscribe), func(t *testing.T) {
			f := newScripted()
			asked := 0
			listed := "<subscription node='news'/>"
			if tt.subscribe {
				listed = ""
			}
			f.handle = func(s *socket, e *element.Element) bool {
				switch {
				case isPAM(e):
				case isCatchUp(e):
					return false
				case e.Attr("to") == news.Service:
					asked++
					if d := e.Child(nsInfo, "query"); tt.subscribe != (d != nil) || tt.subscribe && d.Attr("node") != "news" {
						t.Errorf("it sent %s", e)
					}
					if tt.service != nil {
						tt.service(s, e)
					}
				case isList(e) && e.First().Attr("ver") == "":
					s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1' service='pubsub.localhost'>"+listed+"</subscriptions>")
				case isList(e):
					s.result(e, "")
				default:
					return false
				}
				return true
			}
			kept := keep(store.NewMemory())
			a := f.device(t, func(o *client.Options) { o.Store = kept }).connect()
			began := time.Now()
			var err error
			if tt.subscribe {
				_, err = a.Subscribe(t.Context(), news)
			} else {
				err = a.Unsubscribe(t.Context(), news)
			}
			if d := time.Since(began); d != tt.after || asked != 1 {
				t.Errorf("after %v; the service received %d requests", d, asked)
			}
			if e := asErrorOf(err); e.Code != tt.code || e.Condition != tt.condition || e.Retryable != tt.retryable ||
				e.Code == pam.CodeStanza && (e.Origin != pam.FromService || e.By != news.Service) {
				t.Errorf("got %+v", e)
			}
			if n := len(a.Snapshot().List); (n == 1) != (!tt.subscribe && tt.code != "") {
				t.Errorf("%d rows are shown", n)
			}
			if w := client.Waiting(a.Client); w != "" {
				t.Errorf("left %s", w)
			}
			_ = a.Close()
			b := f.device(t, func(o *client.Options) { o.Store = kept }).connect()
			if x, y := a.Snapshot(), b.Snapshot(); len(x.List) != len(y.List) || x.Version != y.Version {
				t.Errorf("%+v becomes %+v", x, y)
			}
			_ = b.Close()
		})
	}
}
