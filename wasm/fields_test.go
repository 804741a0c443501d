//go:build js && wasm

package main

import (
	"errors"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// TestFields checks that each field is written as the member of its name. No two fields
// have the same value.
func TestFields(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	e := &pam.Error{Code: pam.CodeStanza, Origin: pam.FromService, Text: "t", By: "b", Condition: "c", PubsubCondition: "p", Retryable: true, Err: errors.New("x")}
	const written = `{"code":"stanza","origin":"remote-service","text":"t","by":"b","condition":"c","pubsubCondition":"p","retryable":true,"cause":"x"}`
	for want, write := range map[string]func(w *writer){
		written: func(w *writer) { writeError(w, e) },
		`{"code":"stanza","retryable":false,"cause":"x"}`: func(w *writer) { writeError(w, &pam.Error{Code: pam.CodeStanza, Err: e.Err}) },
		`{"phase":"failed","missing":["pam"],"resumed":true,"lastSynced":1,"attempt":2,"nextAttempt":3,"pending":4,"degraded":true,"why":"x","error":` + written + `}`: func(w *writer) {
			writeState(w, pam.SyncState{Phase: pam.PhaseFailed, Missing: []string{"pam"}, Resumed: true, LastSynced: at(1), Attempt: 2, NextAttempt: at(3), Pending: 4,
				Storage: pam.StorageState{Degraded: true, Err: e.Err}, Err: e})
		},
		`{"id":"i","service":"s","node":"n","item":"m","type":"published","redirect":"r","publisher":"p","at":1,"source":"delay","received":2,"delivery":"live",` +
			`"seen":"seen-here","basis":"this-device","seenAt":3,"namespace":"u","omitted":"too-long","xml":"x"}`: func(w *writer) {
			writeEvent(w, &pam.Event{ID: "i", Service: "s", Node: "n", ItemID: "m", Type: pam.EventPublished, Redirect: "r", Publisher: "p", OccurredAt: at(1),
				TimeSource: pam.TimeDelay, ReceivedAt: at(2), Delivery: pam.DeliveryLive, Seen: pam.Seen{State: pam.SeenHere, Basis: pam.BasisThisDevice, At: at(3)},
				Namespace: "u", Omitted: pam.OmittedTooLong, XML: "x"})
		},
		`{"phase":"failed","since":1,"nodes":2,"nodesDone":3,"received":4,"elsewhere":5,"completeness":"partial",` +
			`"gaps":[{"service":"s","node":"n","from":6,"to":7,"reason":"forbidden"}],"error":` + written + `}`: func(w *writer) {
			writeCatchUp(w, pam.CatchUpState{Phase: pam.CatchUpFailed, Since: at(1), Nodes: 2, NodesDone: 3, Received: 4, LikelySeenElsewhere: 5, Completeness: pam.Partial,
				Gaps: []pam.Gap{{Service: "s", Node: "n", From: at(6), To: at(7), Reason: pam.GapForbidden}}, Err: e})
		},
		`{"account":"a","list":[["s","n","i","j","pending","pubsub"]],"ver":"v","lastFull":1,"lastSynced":2,"mechanism":"m","sessions":[{"jid":"k","saved":3,"waiting":["w"]}]}`: func(w *writer) {
			writeExport(w, client.Export{Account: "a", List: []pam.Subscription{{Key: pam.Key{Service: "s", Node: "n", SubID: "i"}, JID: "j", State: "pending"}}, Version: "v",
				LastFull: at(1), LastSynced: at(2), Mechanism: "m", Sessions: []client.StoredSession{{JID: "k", Saved: at(3), Waiting: []string{"w"}}}})
		},
	} {
		var w writer
		if write(&w); w.take() != want {
			t.Errorf("got  %s\nwant %s", w.take(), want)
		}
	}
	p := newPeer(t)
	row := func(state pam.State) *pam.Subscription {
		return &pam.Subscription{Key: pam.Key{Service: "s", Node: "n"}, JID: "j", State: state}
	}
	p.onEvent(client.Changed{Changes: []pam.Change{{Before: row("pending"), After: row("subscribed")}}, From: "1", To: "2", Origin: pam.OriginThisDevice, Source: pam.SourceServer, Stored: true})
	const want = `{"event":"changed","changes":[[["s","n","","j","pending","pubsub"],[0,0,0,0,"subscribed",0]]],"from":"1","to":"2","origin":"this-device","source":"server","stored":true}`
	if got := p.want(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
