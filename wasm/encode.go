//go:build js && wasm

package main

import (
	"errors"
	"unicode/utf8"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/wasm/jstext"
)

// writeChanges writes [[before, after], …]. A field of a row is 0 if it equals that
// field of the row before it, because most rows of a list have the same JID and state.
// It writes brackets and commas itself, which takes half the time for a long list.
func writeChanges(w *writer, changes []pam.Change) {
	w.key("changes")
	buf := append(w.buf, '[')
	var last []string // the fields of the row before
	row := func(s *pam.Subscription) {
		if s == nil {
			buf = append(buf, "null"...)
			return
		}
		now := rowFields(s)
		for i := range now {
			buf = append(buf, "[,,,,,"[i])
			if last != nil && now[i] == last[i] {
				buf = append(buf, '0')
			} else {
				buf = jstext.AppendJSON(buf, now[i])
			}
		}
		buf = append(buf, ']')
		last = now[:]
	}
	for i := range changes {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, '[')
		row(changes[i].Before)
		buf = append(buf, ',')
		row(changes[i].After)
		buf = append(buf, ']')
	}
	w.buf = append(buf, ']')
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

// rowFields returns service, node, subid, jid, state and kind.
func rowFields(s *pam.Subscription) [6]string {
	return [...]string{s.Service, s.Node, s.SubID, s.JID, string(s.State), string(s.Kind())}
}

func writeRow(w *writer, s pam.Subscription) { w.array(func() { writeFields(w, s) }) }

func writeFields(w *writer, s pam.Subscription) {
	for _, field := range rowFields(&s) {
		w.string(field)
	}
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

// writeEvent writes an event. Members that are empty are left out.
func writeEvent(w *writer, e *pam.Event) {
	w.object(func() {
		w.text("id", e.ID)
		w.text("service", e.Service)
		w.text("node", e.Node)
		w.text("item", e.ItemID)
		w.text("type", string(e.Type))
		w.text("redirect", e.Redirect)
		w.text("publisher", e.Publisher)
		w.key("at")
		w.time(e.OccurredAt)
		w.text("source", string(e.TimeSource))
		w.key("received")
		w.time(e.ReceivedAt)
		w.text("delivery", string(e.Delivery))
		w.text("seen", string(e.Seen.State))
		w.text("basis", string(e.Seen.Basis))
		if !e.Seen.At.IsZero() {
			w.key("seenAt")
			w.time(e.Seen.At)
		}
		w.text("namespace", e.Namespace)
		w.text("omitted", string(e.Omitted))
		w.text("xml", e.XML)
		writeEntry(w, e.Entry)
	})
}

func writeCatchUp(w *writer, s pam.CatchUpState) {
	w.object(func() {
		w.text("phase", string(s.Phase))
		w.key("since")
		w.time(s.Since)
		for _, n := range []struct {
			name  string
			value int
		}{{"nodes", s.Nodes}, {"nodesDone", s.NodesDone}, {"received", s.Received}, {"elsewhere", s.LikelySeenElsewhere}} {
			w.key(n.name)
			w.int(int64(n.value))
		}
		w.text("completeness", string(s.Completeness))
		w.key("gaps")
		w.array(func() {
			for _, g := range s.Gaps {
				w.object(func() {
					w.text("service", g.Service)
					w.text("node", g.Node)
					w.key("from")
					w.time(g.From)
					w.key("to")
					w.time(g.To)
					w.text("reason", string(g.Reason))
				})
			}
		})
		if s.Err != nil {
			w.key("error")
			writeError(w, s.Err)
		}
	})
}
