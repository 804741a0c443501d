//go:build js && wasm

package main

import (
	"testing"
	"time"

	"xmpp-pam/sdk/pam"
)

// TestAnswersOfServices checks that each field is written as the member of its name.
func TestAnswersOfServices(t *testing.T) {
	at := time.UnixMilli(5)
	for want, write := range map[string]func(w *writer){
		`{"entry":{"id":"i","title":"t","summary":"s","content":"c","link":"l","image":"m","author":"a","published":5,"updated":6}}`: func(w *writer) {
			w.object(func() {
				writeEntry(w, &pam.AtomEntry{ID: "i", Title: "t", Summary: "s", Content: "c", Link: "l", Image: "m", Author: "a", Published: at, Updated: at.Add(time.Millisecond)})
			})
		},
		`{}`: func(w *writer) { w.object(func() { writeEntry(w, nil) }) },
		`{"service":"s","node":"n","title":"t","description":"d","kind":"leaf","payloadType":"p","accessModel":"a","created":5,"subscribers":7}`: func(w *writer) {
			writeNode(w, pam.NodeInfo{Service: "s", Node: "n", Title: "t", Description: "d", Kind: pam.NodeLeaf, PayloadType: "p", AccessModel: "a", Created: at, Subscribers: 7})
		},
		`[{"name":"n","type":"list-multi","label":"l","description":"d","required":true,"choices":[["v","w"],["x",""]],"values":["v","x"]}]`: func(w *writer) {
			writeForm(w, pam.Form{{Name: "n", Type: pam.FieldListMulti, Label: "l", Description: "d", Required: true,
				Choices: []pam.Choice{{Value: "v", Label: "w"}, {Value: "x"}}, Values: []string{"v", "x"}}})
		},
	} {
		var w writer
		if write(&w); w.take() != want {
			t.Errorf("got %s, want %s", w.take(), want)
		}
	}
}
