//go:build js && wasm

package main

import (
	"errors"
	"unicode/utf8"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

func writeChanges(w *writer, changes []pam.Change) {
	w.key("changes")
	w.array(func() {
		for _, c := range changes {
			w.array(func() {
				writeRowOrNull(w, c.Before)
				writeRowOrNull(w, c.After)
			})
		}
	})
}

func writeExport(w *writer, e client.Export) {
	w.object(func() {
		w.text("account", e.Account)
		w.key("list")
		w.array(func() {
			for i := range e.List {
				writeRow(w, e.List[i])
			}
		})
		w.text("ver", string(e.Version))
		w.key("lastFull")
		w.time(e.LastFull)
		w.key("lastSynced")
		w.time(e.LastSynced)
		w.text("mechanism", e.Mechanism)
		w.key("sessions")
		w.array(func() {
			for _, s := range e.Sessions {
				w.object(func() {
					w.text("jid", s.JID)
					w.key("saved")
					w.time(s.Saved)
					w.key("waiting")
					writeStrings(w, s.Waiting)
				})
			}
		})
	})
}

// writeRow writes [service, node, subid, jid, state, kind].
func writeRow(w *writer, s pam.Subscription) { w.array(func() { writeFields(w, s) }) }

func writeFields(w *writer, s pam.Subscription) {
	w.string(s.Service)
	w.string(s.Node)
	w.string(s.SubID)
	w.string(s.JID)
	w.string(string(s.State))
	w.string(string(s.Kind()))
}

func writeRowOrNull(w *writer, s *pam.Subscription) {
	if s == nil {
		w.null()
		return
	}
	writeRow(w, *s)
}

// writeProvisional writes rows with a seventh field, local.
func writeProvisional(w *writer, items []pam.Provisional) {
	w.array(func() {
		for _, p := range items {
			w.array(func() {
				writeFields(w, p.Subscription)
				w.string(p.Local)
			})
		}
	})
}

func writeState(w *writer, s pam.SyncState) {
	w.object(func() {
		w.text("phase", string(s.Phase))
		w.key("missing")
		writeStrings(w, s.Missing)
		w.key("resumed")
		w.bool(s.Resumed)
		w.key("lastSynced")
		w.time(s.LastSynced)
		w.key("attempt")
		w.int(int64(s.Attempt))
		w.key("nextAttempt")
		w.time(s.NextAttempt)
		w.key("pending")
		w.int(int64(s.Pending))
		w.key("degraded")
		w.bool(s.Storage.Degraded)
		if s.Storage.Err != nil {
			w.text("why", cut(s.Storage.Err.Error()))
		}
		if s.Err != nil {
			w.key("error")
			writeError(w, s.Err)
		}
	})
}

func writeStrings(w *writer, list []string) {
	w.array(func() {
		for _, s := range list {
			w.string(s)
		}
	})
}

// writeError writes any error. An error that is not a *pam.Error is a bug in this
// package.
func writeError(w *writer, err error) {
	var e *pam.Error
	if !errors.As(err, &e) {
		e = &pam.Error{Code: pam.CodeProtocol, Origin: pam.FromClient, Text: err.Error()}
	}
	w.object(func() {
		w.text("code", string(e.Code))
		w.text("origin", string(e.Origin))
		w.text("text", cut(e.Text))
		if len(e.By) <= maxJID {
			w.text("by", e.By)
		}
		w.text("condition", cut(e.Condition))
		w.text("pubsubCondition", cut(e.PubsubCondition))
		w.key("retryable")
		w.bool(e.Retryable)
		if e.Err != nil {
			w.text("cause", cut(e.Err.Error()))
		}
	})
}

// maxWords is the largest length in bytes of the text of an error. A server or a
// remote entity may have written part of it.
const maxWords = 1 << 10

// maxJID is the length in bytes of the longest JID (RFC 7622 §3.1).
const maxJID = 3071

func cut(text string) string {
	if len(text) <= maxWords {
		return text
	}
	n := maxWords
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}
