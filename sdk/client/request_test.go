//go:build !js

package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

const versionQuery = "<query xmlns='jabber:iq:version'/>"

func isVersion(e *element.Element) bool { return e.Child("jabber:iq:version", "query") != nil }

// TestIQ sends requests to entities that answer in several ways.
func TestIQ(t *testing.T) {
	forged := func(s *socket, e *element.Element, from string) {
		s.push("<iq xmlns='jabber:client' type='result' id='" + e.Attr("id") + "' from='" + from + "'><forged xmlns='x'/></iq>")
	}
	for _, tt := range []struct {
		name, to, kind, payload string
		answer                  func(s *socket, e *element.Element) // nil: none
		want                    string
		code                    pam.Code
	}{
		{name: "a result", to: "news.localhost", kind: "get", payload: versionQuery, want: "<query xmlns='jabber:iq:version'><name>a&amp;b</name></query>",
			answer: func(s *socket, e *element.Element) {
				s.result(e, "<query xmlns='jabber:iq:version'><name>a&amp;b</name></query>")
			}},
		{name: "an empty result", to: "news.localhost", kind: "set", payload: " " + versionQuery + "\n",
			answer: func(s *socket, e *element.Element) { s.result(e, "") }},
		{name: "the account", kind: "get", payload: versionQuery, want: "<a xmlns='b'/>",
			answer: func(s *socket, e *element.Element) {
				if e.Attr("to") != "alice@localhost" {
					return
				}
				s.push("<iq xmlns='jabber:client' type='result' id='" + e.Attr("id") + "'><a xmlns='b'/></iq>")
			}},
		{name: "an error", to: "News.localhost", kind: "get", payload: versionQuery, code: pam.CodeStanza,
			answer: func(s *socket, e *element.Element) { s.failure(e, "forbidden") }},
		{name: "no answer", to: "news.localhost", kind: "get", payload: versionQuery, code: pam.CodeTimeout},
		{name: "others answer", to: "news.localhost", kind: "get", payload: versionQuery, code: pam.CodeTimeout,
			answer: func(s *socket, e *element.Element) {
				for _, from := range []string{"mallory@localhost", "localhost", "alice@localhost", "news.localhost/x", ""} {
					forged(s, e, from)
				}
			}},
		{name: "no JID", to: "@", kind: "get", payload: versionQuery, code: pam.CodeBadJID},
		{name: "an unknown type", to: "news.localhost", kind: "result", payload: versionQuery, code: pam.CodeBadOptions},
		{name: "no payload", to: "news.localhost", kind: "get", payload: " ", code: pam.CodeBadOptions},
		{name: "two payloads", to: "news.localhost", kind: "get", payload: versionQuery + versionQuery, code: pam.CodeBadOptions},
		{name: "text", to: "news.localhost", kind: "get", payload: versionQuery + "text", code: pam.CodeBadOptions},
		{name: "no namespace", to: "news.localhost", kind: "get", payload: "<query/>", code: pam.CodeBadOptions},
		{name: "an empty namespace", to: "news.localhost", kind: "get", payload: "<query xmlns=''/>", code: pam.CodeBadOptions},
		{name: "not XML", to: "news.localhost", kind: "get", payload: "<query xmlns='x'>", code: pam.CodeBadOptions},
		{name: "another stanza", to: "news.localhost", kind: "get", payload: versionQuery + "</iq><iq type='set'>" + versionQuery, code: pam.CodeBadOptions},
		{name: "too long", to: "news.localhost", kind: "get", payload: "<a xmlns='b'>" + strings.Repeat("x", 70_000) + "</a>", code: pam.CodeBadOptions},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f := newScripted()
			sent := 0
			f.handle = func(s *socket, e *element.Element) bool {
				if e.Name.Local != "iq" || e.Child("jabber:iq:version", "query") == nil && e.First().Name.Space != "b" {
					return false
				}
				sent++
				if tt.answer != nil {
					tt.answer(s, e)
				}
				return true
			}
			a := f.device(t).connect()
			began := time.Now()
			got, err := a.IQ(t.Context(), tt.to, tt.kind, tt.payload)
			if got != tt.want || tt.code == "" != (err == nil) || err != nil && asError(t, err).Code != tt.code {
				t.Errorf("got %q, %v; want %q, code %q", got, err, tt.want, tt.code)
			}
			if took := time.Since(began); tt.code == pam.CodeTimeout && took != 20*time.Second || tt.code != pam.CodeTimeout && took != 0 {
				t.Errorf("it took %v", took)
			}
			if refused := tt.code == pam.CodeBadOptions || tt.code == pam.CodeBadJID; refused == (sent > 0) {
				t.Errorf("%d requests were sent", sent)
			}
			_ = a.Close()
			if n := client.Timers(a.Client); n != 0 {
				t.Errorf("%d timers are left", n)
			}
		})
	}
}

// TestIQEnds ends requests in other ways than by an answer: the caller, the session, and
// the client.
func TestIQEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(f *scripted, a *device, cancel func())
		code pam.Code
	}{
		"canceled":   {func(_ *scripted, _ *device, cancel func()) { cancel() }, pam.CodeAborted},
		"lost":       {func(f *scripted, _ *device, _ func()) { f.socket().fail(errors.New("cut")) }, pam.CodeOutcomeUnknown},
		"disconnect": {func(_ *scripted, a *device, _ func()) { _ = a.Disconnect(context.Background()) }, pam.CodeOutcomeUnknown},
		"closed":     {func(_ *scripted, a *device, _ func()) { go func() { _ = a.Close() }() }, pam.CodeOutcomeUnknown},
	} {
		bubble(t, name, func(t *testing.T) {
			f := newScripted()
			var held *element.Element
			f.handle = func(_ *socket, e *element.Element) bool {
				if isVersion(e) {
					held = e
				}
				return isVersion(e)
			}
			a := f.device(t).connect()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := begin(func() error { _, err := a.IQ(ctx, "news.localhost", "get", versionQuery); return err })
			synctest.Wait()
			to := f.socket()
			began := time.Now()
			tt.end(f, a, cancel)
			select {
			case err := <-done:
				if asError(t, err).Code != tt.code || time.Since(began) != 0 {
					t.Errorf("got %v after %v", err, time.Since(began))
				}
			case <-time.After(time.Minute):
				t.Error("the request has not ended")
			}
			f.set(func() { to.result(held, "<late xmlns='x'/>") })
			time.Sleep(time.Minute)
			_ = a.Close()
			if n := client.Timers(a.Client); n != 0 {
				t.Errorf("%d timers are left", n)
			}
		})
	}
}

// TestIQWhileResumed cuts the connection while a request waits. The session is resumed,
// and the answer that arrives then counts.
func TestIQWhileResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		var held *element.Element
		f.handle = func(s *socket, e *element.Element) bool {
			if isVersion(e) {
				held = e
				return true
			}
			return r.handle(s, e)
		}
		a := f.device(t, waits(time.Second, time.Second)).connect()
		done := begin(func() error { _, err := a.IQ(t.Context(), "news.localhost", "get", versionQuery); return err })
		synctest.Wait()
		f.socket().fail(errors.New("cut"))
		synctest.Wait()
		if _, err := a.IQ(t.Context(), "news.localhost", "get", versionQuery); asErrorOf(err).Code != pam.CodeOffline {
			t.Errorf("while offline: %v", err)
		}
		if err := a.Send(t.Context(), "bob@localhost", "", "<body>hi</body>"); asErrorOf(err).Code != pam.CodeOffline {
			t.Errorf("while offline: %v", err)
		}
		time.Sleep(5 * time.Second)
		f.set(func() { f.last.result(held, "") })
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = a.Close()
	})
}

// TestSend sends messages.
func TestSend(t *testing.T) {
	for _, tt := range []struct {
		name, to, kind, content string
		code                    pam.Code
	}{
		{name: "text", to: "bob@localhost", kind: "chat", content: "<body>a &lt; b</body><x xmlns='y'/>"},
		{name: "no type", to: "bob@localhost/home", content: ""},
		{name: "no recipient", content: "<body/>", code: pam.CodeBadJID},
		{name: "no JID", to: "bob@@", content: "<body/>", code: pam.CodeBadJID},
		{name: "not XML", to: "bob@localhost", content: "</message><message>", code: pam.CodeBadOptions},
		{name: "too long", to: "bob@localhost", content: "<body>" + strings.Repeat("x", 70_000) + "</body>", code: pam.CodeBadOptions},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f := newScripted()
			var sent []string
			f.handle = func(_ *socket, e *element.Element) bool {
				if e.Name.Local != "message" {
					return false
				}
				if e.Attr("id") == "" {
					t.Error("a message without an id")
				}
				sent = append(sent, e.Attr("to")+" "+e.Attr("type")+" "+e.Child("jabber:client", "body").Text())
				return true
			}
			a := f.device(t).connect()
			err := a.Send(t.Context(), tt.to, tt.kind, tt.content)
			synctest.Wait()
			if tt.code == "" {
				body := ""
				if strings.Contains(tt.content, "a &lt; b") {
					body = "a < b"
				}
				if err != nil || len(sent) != 1 || sent[0] != tt.to+" "+tt.kind+" "+body {
					t.Errorf("sent %q, %v", sent, err)
				}
			} else if asError(t, err).Code != tt.code || len(sent) != 0 {
				t.Errorf("sent %q, %v", sent, err)
			}
			_ = a.Close()
		})
	}
}
