//go:build !js

package client_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// TestEndedContext checks that a call whose context has ended sends nothing.
func TestEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		before := f.received("iq")
		for range 50 {
			_, err := a.Subscribe(dead, news)
			for _, err := range []error{err, a.Unsubscribe(dead, news)} {
				if asError(t, err).Code != pam.CodeAborted {
					t.Errorf("got %v", err)
				}
			}
		}
		synctest.Wait()
		if f.received("iq") != before || a.State().Phase != pam.PhaseLive {
			t.Errorf("%d requests were sent, phase %s", f.received("iq")-before, a.State().Phase)
		}
		_ = a.Close()
	})
}

// TestUnusualStanzas sends stanzas that the protocol allows but servers rarely send.
func TestUnusualStanzas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		s := f.socket()
		notify := "<notify xmlns='urn:xmpp:pam:0'"
		for _, stanza := range []string{
			"<message xmlns='jabber:client'/>", "<presence xmlns='jabber:client'/>", "<iq xmlns='jabber:client'/>",
			"<presence xmlns='jabber:client' type='error' from='x@y'><error/></presence>",
			"<message xmlns='jabber:client' type='error'/>",
			"<message xmlns='jabber:client'>text</message>",
			"<iq xmlns='jabber:client' type='get' id='1'/>", "<iq xmlns='jabber:client' type='set' id='2'><a/></iq>",
			"<iq xmlns='jabber:client' type='get' id='3'><a/><b/></iq>", "<iq xmlns='jabber:client' type='get'><a/></iq>",
			"<iq xmlns='jabber:client' type='get' id='4'><query xmlns='" + nsInfo + "' node='?'/></iq>",
			"<iq xmlns='jabber:client' type='get' id='5' from=''><query xmlns='" + nsInfo + "'/></iq>",
			"<iq xmlns='jabber:client' type='result' id='?'/>", "<iq xmlns='jabber:client' type='error' id='?'/>", "<iq xmlns='jabber:client' type='error'/>",
			"<message xmlns='jabber:client'>" + notify + "/></message>",
			"<message xmlns='jabber:client'>" + notify + " service='@'><subscription xmlns='http://jabber.org/protocol/pubsub' node='n'/></notify></message>",
			"<message xmlns='jabber:client'>" + notify + " service='a'><subscription xmlns='http://jabber.org/protocol/pubsub'/></notify></message>",
			"<message xmlns='jabber:client' from='alice@localhost'>" + notify + "/><delay xmlns='urn:xmpp:delay'/></message>",
			"<message xmlns='jabber:client' from='a@b@c'/>", "<nothing xmlns='jabber:client'/>", "<nothing/>",
		} {
			s.push(stanza)
			time.Sleep(time.Second)
			if len(f.dialed()) != 1 || a.State().Phase != pam.PhaseLive {
				t.Fatalf("%s ended the session: %v", stanza, a.State().Err)
			}
		}
		s.notify("v9", "news", "subscribed")
		synctest.Wait()
		a.waitNodes("news")
		if !strings.Contains(a.wire(true), "bad-request") {
			t.Error("an iq without a child was not answered")
		}
		_ = a.Close()
	})
}

// TestInvalidAnswers answers every request with an invalid answer. The client must
// not accept it as a list, and every call must return the matching error.
func TestInvalidAnswers(t *testing.T) {
	const none, missing = pam.Code(""), pam.CodeUnsupported
	for payload, want := range map[string]struct {
		subscribe, unsubscribe, refresh pam.Code
		list                            []string // nodes
		missing                         bool
	}{
		"":                           {pam.CodeOutcomeUnknown, none, none, []string{}, false},
		"<x xmlns='y'/>":             {missing, missing, missing, []string{}, true},
		"<subscriptions xmlns='y'/>": {missing, missing, missing, []string{}, true},
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'/>":                                                          {missing, missing, missing, []string{}, true},
		"<subscriptions xmlns='urn:xmpp:pam:0'><subscription/></subscriptions>":                                        {pam.CodeOutcomeUnknown, none, none, []string{}, false},
		"<subscriptions xmlns='urn:xmpp:pam:0' service='pubsub.localhost'><subscription node='news'/></subscriptions>": {none, pam.CodeOutcomeUnknown, none, []string{"news"}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newScripted()
			f.handle = func(s *socket, e *element.Element) bool {
				if isDisco(e) || isList(e) || isPAM(e) {
					s.result(e, payload)
					return true
				}
				return false
			}
			a := f.device(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			state, err := a.Connect(ctx)
			if err != nil || state.Phase != pam.PhaseLive || (len(state.Missing) == 1) != want.missing {
				t.Errorf("%q: connect gave %v and %+v", payload, err, state)
			}
			_, err = a.Subscribe(ctx, news)
			for name, got := range map[string][2]pam.Code{
				"subscribe":   {asErrorOf(err).Code, want.subscribe},
				"unsubscribe": {asErrorOf(a.Unsubscribe(ctx, news)).Code, want.unsubscribe},
				"refresh":     {asErrorOf(a.Refresh(ctx, true)).Code, want.refresh},
			} {
				if got[0] != got[1] {
					t.Errorf("%q: %s gave %q, want %q", payload, name, got[0], got[1])
				}
			}
			if got := nodesOf(a.Snapshot().List); !slices.Equal(got, want.list) || client.Waiting(a.Client) != "" {
				t.Errorf("%q: it shows %q, %s", payload, got, client.Waiting(a.Client))
			}
			_ = a.Close()
		})
	}
}

// TestSeveralSubIDs ends one of two subscriptions to a node.
func TestSeveralSubIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		row := func(subid, state string) string {
			return "<subscription xmlns='http://jabber.org/protocol/pubsub' node='news' jid='alice@localhost' subscription='" + state + "' subid='" + subid + "'/>"
		}
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case isList(e):
				s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1' service='pubsub.localhost'>"+row("a", "subscribed")+row("b", "subscribed")+"</subscriptions>")
			case isPAM(e):
				subid := e.First().First().Attr("subid")
				if subid == "" {
					s.failure(e, "bad-request")
					break
				}
				s.push("<message xmlns='jabber:client'><notify xmlns='urn:xmpp:pam:0' ver='v2' service='pubsub.localhost'>" + row(subid, "none") + "</notify></message>")
				s.result(e, "")
			default:
				return false
			}
			return true
		}
		a := f.device(t).connect()
		if err := a.Unsubscribe(t.Context(), news); asError(t, err).Condition != "bad-request" {
			t.Errorf("without a subid: %v", err)
		}
		one := news
		one.SubID = "a"
		if err := a.Unsubscribe(t.Context(), one); err != nil {
			t.Error(err)
		}
		if s := a.Snapshot(); len(s.List) != 1 || s.List[0].SubID != "b" || s.Version != "v2" || len(s.Provisional) != 0 {
			t.Errorf("left %+v", s)
		}
		if err := a.Unsubscribe(t.Context(), one); err != nil {
			t.Errorf("again: %v", err)
		}
		_ = a.Close()
	})
}
