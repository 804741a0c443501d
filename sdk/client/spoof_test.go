//go:build !js

package client_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// TestSpoofMatrix sends every row of the matrix to a live client, as a hostile or
// broken server could. A row may have the effects that it names and no others: the
// list, the version, the stored bytes and the session stay.
func TestSpoofMatrix(t *testing.T) {
	p := newPeer(t, unmanaged)
	p.onlyMem(t)
	v := newVictim(t, p)
	rows := spoofs()
	names := map[string]bool{}
	for _, row := range rows {
		if names[row.name] {
			t.Fatalf("two rows are named %q", row.name)
		}
		names[row.name] = true
		before := v.mark()
		v.attack(row)
		v.expect(row, before)
		if row.want == "changed" || strings.Contains(row.want, "list") {
			v.restore()
		}
		v.unharmed(row.name)
	}
	v.stillServed("weather")
	t.Logf("%d rows", len(rows))
}

// TestSpoofDuringSync sends the notifies of the matrix during a list request, when the
// client shows notifies as provisional: it must not show these.
func TestSpoofDuringSync(t *testing.T) {
	p := newPeer(t, unmanaged)
	p.onlyMem(t)
	v := newVictim(t, p)
	done := v.open("list", func(ctx context.Context) error { return v.Refresh(ctx, false) })
	sent := 0
	for _, row := range slices.Concat(fromRows(), typeRows(), wrappedRows(), notifyRows(), streamRows()) {
		if row.want != "ignored" && row.want != "message" && row.want != "error+ignored" {
			continue
		}
		before := v.mark()
		v.attack(row)
		v.expect(row, before)
		v.unharmed(row.name)
		sent++
	}
	v.gate.release()
	v.pass()
	if err := <-done; err != nil {
		t.Errorf("the list: %v", err)
	}
	v.unharmed("the end")
	v.stillServed("weather")
	t.Logf("%d rows", sent)
}

// TestSpoofFlood sends thousands of stanzas that the client ignores, more than any
// queue can hold: the client counts each one, and sends few warnings.
func TestSpoofFlood(t *testing.T) {
	p := newPeer(t, unmanaged)
	p.onlyMem(t)
	v := newVictim(t, p)
	before, began := v.mark(), time.Now()
	var worth []attack
	for _, row := range slices.Concat(fromRows(), typeRows(), notifyRows(), iqRows(), streamRows(), addressRows(), xmlRows()) {
		if strings.Contains(row.want, "ignored") && len(row.xml) < 2000 {
			worth = append(worth, row)
		}
	}
	const flood = 10000
	for i := range flood {
		v.attack(worth[i%len(worth)])
	}
	v.pass()
	took := time.Since(began)
	if n := v.Ignored() - before.ignored; n != flood {
		t.Errorf("%d ignored, want %d", n, flood)
	}
	warnings, counted := 0, uint64(0)
	v.wait("the last of the warnings", func() bool {
		warnings, counted = 0, 0
		for _, e := range v.events[before.events:] {
			if w, ok := e.(client.Warning); ok {
				warnings++
				counted += w.Ignored
			}
		}
		return counted >= flood
	})
	if most := 2 + int(took/time.Second); counted != flood || warnings > most {
		t.Errorf("%d warnings of %d messages in %v", warnings, counted, took)
	}
	v.unharmed("the flood")
	v.stillServed("weather")
}

// TestSpoofEnd sends what only a broken server can send and what ends the stream by
// RFC 6120. The client reconnects, and has accepted nothing.
func TestSpoofEnd(t *testing.T) {
	p := newPeer(t, unmanaged)
	p.onlyMem(t)
	v := newVictim(t, p)
	v.prefix = "list/" // A new session stores its time.
	v.stored = v.records()
	for _, row := range []attack{
		{"two froms", "<message xmlns='jabber:client' from='bob@localhost/x' from='alice@localhost'>{notify}</message>", ""},
		{"two stanzas", "<message xmlns='jabber:client' from='bob@localhost/x'/><message xmlns='jabber:client' from='alice@localhost'>{notify}</message>", ""},
		{"half a stanza", "<message xmlns='jabber:client' from='alice@localhost'>{notify}", ""},
		{"a comment", "<message xmlns='jabber:client' from='alice@localhost'><!-- -->{notify}</message>", ""},
		{"a document type", "<!DOCTYPE x [<!ENTITY a 'alice'>]><message xmlns='jabber:client' from='&a;@localhost'>{notify}</message>", ""},
		{"an entity", "<message xmlns='jabber:client' from='&alice;'>{notify}</message>", ""},
		{"a surrogate", "<message xmlns='jabber:client' from='alice@localhost'>{notify}&#xD800;</message>", ""},
		{"a control character", "<message xmlns='jabber:client' from='alice@localhost'>{notify}\x01</message>", ""},
		{"a stream error", "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", ""},
		{"a close", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", ""},
	} {
		dials := v.gate.count()
		v.attack(row)
		v.wait(row.name, func() bool { return v.gate.count() > dials && v.State().Phase == pam.PhaseLive })
		v.dials = v.gate.count()
		v.unharmed(row.name)
	}
	v.stillServed("weather")
}
