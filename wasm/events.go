//go:build js && wasm

package main

import (
	"context"
	"errors"
	"unicode/utf8"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// onEvent posts the events of the client:
//
//	changed      {changes: [[before, after], …], from, to, origin, source}
//	list         {changes, provisional, ver, source}: all that load has read
//	more         {changes}: the first parts of a long changed or list
//	provisional  {rows}
//	state        {state}
//	warning      {error, ignored}
//	message      {from, xml}, or {from, omitted} if it has no text; only while
//	             the page listens
//	stored       {}
//	frames       see frames.go
//	credentials  {ask, reason, mechanisms}, and {ask, canceled: true} when the
//	             client no longer waits for the answer
//	crash        {text}
func (b *bridge) onEvent(e client.Event) {
	switch e := e.(type) {
	case client.Changed:
		b.list("changed", func() ([]pam.Change, func(*writer)) {
			return e.Changes, func(w *writer) {
				w.text("from", string(e.From))
				w.text("to", string(e.To))
				w.text("origin", string(e.Origin))
				w.text("source", string(e.Source))
			}
		})
	case client.ProvisionalChanged:
		b.event("provisional", func(w *writer) {
			w.key("rows")
			writeProvisional(w, e.Items)
		})
	case client.StateChanged:
		b.event("state", func(w *writer) {
			w.key("state")
			writeState(w, e.State)
		})
	case client.MessageReceived:
		b.message(e)
	case client.Stored:
		b.event("stored", func(*writer) {})
	case client.Warning:
		b.warn(e)
	}
}

func (b *bridge) message(m client.MessageReceived) {
	b.mu.Lock()
	listens := b.messages
	b.mu.Unlock()
	if !listens {
		return
	}
	b.event("message", func(w *writer) {
		w.text("from", m.From)
		w.text("xml", m.XML)
		w.text("omitted", string(m.Omitted))
	})
}

func (b *bridge) warn(e client.Warning) {
	b.event("warning", func(w *writer) {
		w.key("error")
		writeError(w, e.Err)
		if e.Ignored > 0 {
			w.key("ignored")
			w.int(int64(e.Ignored))
		}
	})
}

// An answer is the host's answer to a request for credentials.
type answer struct {
	password string
	failed   string // the whole text of an error
	wrong    bool   // the page's function did not return credentials
}

// credentials requests credentials from the host, which calls the page's function.
func (b *bridge) credentials(ctx context.Context, request client.CredentialRequest) (client.Credentials, error) {
	got := make(chan answer, 1)
	b.mu.Lock()
	b.lastAsk++
	ask := b.lastAsk
	b.asks[ask] = got
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.asks, ask)
		b.mu.Unlock()
	}()
	b.event("credentials", func(w *writer) {
		w.key("ask")
		w.int(int64(ask))
		w.text("reason", request.Reason)
		w.key("mechanisms")
		writeStrings(w, request.Mechanisms)
	})
	select {
	case a := <-got:
		if a.failed != "" {
			code := pam.CodeAborted
			if a.wrong {
				code = pam.CodeBadOptions
			}
			return client.Credentials{}, &pam.Error{Code: code, Origin: pam.FromClient, Text: a.failed}
		}
		return client.Credentials{Password: a.password}, nil
	case <-ctx.Done():
		b.event("credentials", func(w *writer) {
			w.key("ask")
			w.int(int64(ask))
			w.key("canceled")
			w.bool(true)
		})
		return client.Credentials{}, ctx.Err()
	}
}

func (b *bridge) answerCredentials(r request) {
	b.mu.Lock()
	got := b.asks[r.int("ask")]
	delete(b.asks, r.int("ask"))
	b.mu.Unlock()
	if got != nil {
		got <- answer{password: r.string("password"), failed: r.string("failed"), wrong: r.bool("wrong")}
	}
}

// partLen is the largest number of rows in one part, which has at most about
// partSize bytes. The page processes a part in about a millisecond.
const (
	partLen  = 256
	partSize = 256 << 10
)

// list posts an event with changes, in several parts if they are many or long; the
// last part has the other members of the event. It holds outMu from before take
// until the last part is written, so that no other object comes in between.
func (b *bridge) list(event string, take func() (changes []pam.Change, others func(*writer))) {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	rest, others := take()
	for n := part(rest); n < len(rest); n = part(rest) {
		b.write(0, named("more", func(w *writer) { writeChanges(w, rest[:n]) }))
		rest = rest[n:]
	}
	b.write(0, named(event, func(w *writer) {
		writeChanges(w, rest)
		others(w)
	}))
}

// part returns the number of changes in the next part.
func part(changes []pam.Change) int {
	size := 0
	for i, c := range changes {
		for _, s := range []*pam.Subscription{c.Before, c.After} {
			if s != nil {
				size += len(s.Service) + len(s.Node) + len(s.SubID) + len(s.JID) + len(s.State)
			}
		}
		if i == partLen || i > 0 && size > partSize {
			return i
		}
	}
	return len(changes)
}

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
