//go:build !js

package client_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/element"
)

// TestDeadContext asks with a context that has ended: nothing is sent.
func TestDeadContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		before := f.sent["iq"]
		for range 50 {
			_, err := a.Subscribe(dead, news)
			for _, err := range []error{err, a.Unsubscribe(dead, news)} {
				if asError(t, err).Code != client.CodeAborted {
					t.Errorf("got %v", err)
				}
			}
		}
		synctest.Wait()
		if f.sent["iq"] != before || a.State().Phase != client.PhaseLive {
			t.Errorf("%d requests were sent, phase %s", f.sent["iq"]-before, a.State().Phase)
		}
		_ = a.Close()
	})
}

// TestOddStanzas sends what a server may send and hardly any does.
func TestOddStanzas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		a := f.device(t).connect()
		s := f.socket()
		notify := "<notify xmlns='urn:xmpp:pam:0'"
		for _, odd := range []string{
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
			s.push(odd)
			time.Sleep(time.Second)
			if len(f.dials) != 1 || a.State().Phase != client.PhaseLive {
				t.Fatalf("%s ended the session: %v", odd, a.State().Err)
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

// TestOddAnswers has every request answered with something that is no answer.
func TestOddAnswers(t *testing.T) {
	for _, payload := range []string{"", "<x xmlns='y'/>", "<subscriptions xmlns='y'/>", "<pubsub xmlns='http://jabber.org/protocol/pubsub'/>",
		"<subscriptions xmlns='urn:xmpp:pam:0'><subscription/></subscriptions>"} {
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
			_, _ = a.Connect(ctx)
			_, _ = a.Subscribe(ctx, news)
			_ = a.Unsubscribe(ctx, news)
			_ = a.Refresh(ctx, true)
			if ctx.Err() != nil {
				t.Errorf("%q: a call hangs", payload)
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
