//go:build !js

package engine

import (
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

func TestStanzaError(t *testing.T) {
	reply := element.New(ns.Client, "iq").Set("type", "result").Set("id", "1")
	got := stanzaError(reply, "cancel", "item-not-found").String()
	want := `<iq xmlns='jabber:client' type='error' id='1'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
