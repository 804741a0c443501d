//go:build !js

package client_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
)

// TestMessageTexts checks that the client delivers a message with its original text, or
// with the reason why it has none, and that other messages are not affected.
func TestMessageTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newScripted()
		d := server.device(t)
		if _, err := d.Connect(context.Background()); err != nil {
			t.Fatal(err)
		}
		message := func(inside string) string {
			return "<message xmlns='jabber:client' from=\"eve@evil.example\">" + inside + "</message>"
		}
		namespace := strings.Repeat("urn:long", 8000)
		heavy := message("<a xmlns:p='" + namespace + "'>" + strings.Repeat("<p:b p:c=''/>", 5000) + "</a>")
		inputs := []string{
			message("1"), heavy, message("2"), message("<xml:a/>"), message("3"),
			message("<![CDATA[<xml:a/>]]>"), message("<b>" + strings.Repeat("x", client.MaxText) + "</b>"), message("4"),
		}
		server.socket().push(inputs...)
		time.Sleep(3 * time.Second)
		d.mu.Lock()
		defer d.mu.Unlock()
		var got []client.MessageReceived
		var warned []string
		for _, e := range d.events {
			switch e := e.(type) {
			case client.MessageReceived:
				got = append(got, e)
			case client.Warning:
				warned = append(warned, fmt.Sprintf("%s %d", e.Err.Text, e.Ignored))
			}
		}
		if len(got) != len(inputs) {
			t.Fatalf("%d messages, want %d", len(got), len(inputs))
		}
		for i, m := range got {
			omitted := map[int]client.Omitted{3: client.OmittedUnreadable, 6: client.OmittedTooLong}[i]
			want := inputs[i]
			if omitted != "" {
				want = ""
			}
			if m.XML != want || m.Omitted != omitted || m.From != "eve@evil.example" {
				t.Errorf("message %d: %.100q, omitted %q", i, m.XML, m.Omitted)
			}
		}
		if len(warned) != 2 || !strings.Contains(warned[0], "XML namespace") || !strings.Contains(warned[1], "longer than") {
			t.Errorf("warnings: %q", warned)
		}
	})
}

// TestLongWarnings checks that a warning is short, however long its cause is.
func TestLongWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newScripted()
		server.handle = func(s *socket, e *element.Element) bool {
			if !isList(e) {
				return false
			}
			rows := strings.Repeat("<subscription service='@' node='"+strings.Repeat("n", 1000)+"' subscription='subscribed'/>", 2000)
			s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='v1'>"+rows+"</subscriptions>")
			return true
		}
		d := server.device(t)
		if _, err := d.Connect(context.Background()); err != nil {
			t.Fatal(err)
		}
		server.socket().push("<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='urn:xmpp:pam:0' service='" + strings.Repeat("@", 50_000) + "'><subscription node='x' subscription='subscribed'/></notify></message>")
		time.Sleep(3 * time.Second)
		d.mu.Lock()
		defer d.mu.Unlock()
		warnings := 0
		for _, e := range d.events {
			if w, ok := e.(client.Warning); ok {
				warnings++
				if len(w.Err.Text) > 1100 {
					t.Errorf("a warning of %d bytes: %.200s", len(w.Err.Text), w.Err.Text)
				}
			}
		}
		if warnings != 2 {
			t.Errorf("%d warnings", warnings)
		}
	})
}

// TestIgnoredAgain has the client ignore messages at long intervals: it warns of each at
// once.
func TestIgnoredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		d := f.device(t).connect()
		for n := range 3 {
			f.socket().push("<message xmlns='jabber:client' from='bob@localhost'><notify xmlns='urn:xmpp:pam:0'/></message>")
			synctest.Wait()
			warnings := 0
			d.mu.Lock()
			for _, e := range d.events {
				if w, ok := e.(client.Warning); ok && w.Ignored == 1 {
					warnings++
					if strings.Contains(w.Err.Text, "more since the last warning") {
						t.Errorf("one message: %s", w.Err.Text)
					}
				}
			}
			d.mu.Unlock()
			if warnings != n+1 || d.Ignored() != uint64(n+1) {
				t.Errorf("%d warnings of %d messages", warnings, n+1)
			}
			time.Sleep(time.Minute)
		}
		_ = d.Close()
	})
}
