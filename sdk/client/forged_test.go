//go:build !js

package client_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport"
)

// TestForged sends notifies that the client must not accept, and then a valid one.
func TestForged(t *testing.T) {
	p := newPeer(t)
	p.onlyMem(t)
	a := newDevice(t, p, nil).connect()
	session := p.Sessions("alice@localhost")[0]
	notify := `<notify xmlns='urn:xmpp:pam:0' ver='POISON' service='evil.example'><subscription xmlns='http://jabber.org/protocol/pubsub' node='n' jid='alice@localhost' subscription='subscribed'/></notify>`
	for _, forged := range []string{
		`<message xmlns='jabber:client' from='bob@localhost/x'>` + notify + `</message>`,
		`<message xmlns='jabber:client' from='` + session + `'>` + notify + `</message>`,
		`<message xmlns='jabber:client' from='bob@localhost/x' xmlns:x='jabber:client' x:from='alice@localhost'>` + notify + `</message>`,
		`<message xmlns='jabber:client' type='error' from='alice@localhost'>` + notify + `</message>`,
		`<message xmlns='jabber:client' from='alice@localhost'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='alice@localhost'>` + notify + `</message></forwarded></received></message>`,
		`<message xmlns='jabber:client' from='bob@localhost'><e xmlns='http://etherx.jabber.org/streams'/></message>`,
	} {
		if err := p.Send(session, forged); err != nil {
			t.Fatal(err)
		}
	}
	subscribe(t, a, "pubsub.localhost", "news")
	a.waitNodes("news")
	if v := a.Snapshot().Version; v == "POISON" || (v == "") != p.like.NoVersions {
		t.Errorf("version %q", v)
	}
	if a.State().Phase != pam.PhaseLive || strings.Count(a.log(), "<open") != 4 {
		t.Errorf("the session has ended: %+v\n%s", a.State(), a.log())
	}
}

// TestForgedResult sends answers of other entities before every answer of the server.
func TestForgedResult(t *testing.T) {
	p := newPeer(t)
	id := regexp.MustCompile(`id=['"]([0-9a-f]{32})['"]`)
	forge := func(message string) []string {
		if !strings.HasPrefix(message, "<iq") || !id.MatchString(message) || strings.Contains(message, "xmpp-bind") {
			return []string{message}
		}
		var out []string
		for _, from := range []string{"bob@localhost", "bob@localhost/x", "pubsub.localhost", "alice@localhost/other", "evil.example", "a@b@c", ""} {
			out = append(out, `<iq xmlns='jabber:client' type='result' id='`+id.FindStringSubmatch(message)[1]+`' from='`+from+`'>`+
				`<subscriptions xmlns='urn:xmpp:pam:0' ver='POISON'/></iq>`)
		}
		return append(out, message)
	}
	a := newDevice(t, p, nil, func(o *client.Options) { o.Dialer = rewriting{o.Dialer, forge} }).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	if err := a.Refresh(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	a.waitNodes("news")
	if v := a.Snapshot().Version; v == "POISON" || (v == "") != p.like.NoVersions {
		t.Errorf("version %q", v)
	}
	if !strings.Contains(a.log(), "POISON") {
		t.Error("nothing was forged")
	}
}

// TestErrorWithoutBy removes the generator of an error: the account's server is the
// generator then (XEP-0376 §3.2).
func TestErrorWithoutBy(t *testing.T) {
	p := newPeer(t)
	by := regexp.MustCompile(` by=['"][^'"]*['"]`)
	anonymous := func(message string) []string { return []string{by.ReplaceAllString(message, "")} }
	a := newDevice(t, p, nil, func(o *client.Options) { o.Dialer = rewriting{o.Dialer, anonymous} }).connect()
	_, err := a.Subscribe(t.Context(), pam.Target{Service: "pubsub." + p.domain, Node: "nowhere"})
	if p.like.Silent { // The service, asked directly, names the reason.
		if got := asError(t, err); got.Origin != pam.FromService || got.Condition != "item-not-found" {
			t.Errorf("got %+v", got)
		}
		return
	}
	if got := asError(t, err); got.Origin != pam.FromServer || got.By != "" || got.Condition != "item-not-found" {
		t.Errorf("got %+v", got)
	}
}

// A rewriting dialer edits the messages that arrive. It hides stream management,
// because the server does not count added stanzas.
type rewriting struct {
	transport.Dialer
	edit func(message string) []string
}

func (r rewriting) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	c, err := r.Dialer.Dial(ctx, url, arrived)
	return rewritten{c, r.edit}, err
}

type rewritten struct {
	transport.Conn
	edit func(message string) []string
}

func (r rewritten) Receive() ([]string, error) {
	messages, err := r.Conn.Receive()
	var out []string
	for _, m := range messages {
		out = append(out, r.edit(strings.ReplaceAll(m, "urn:xmpp:sm:3", "urn:x:hidden"))...)
	}
	return out, err
}
