//go:build js && wasm

package main

import (
	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// onEvent posts the events of the client, to each page those that it needs:
//
//	changed      {changes: [[before, after], …], from, to, origin, source, stored}
//	list         {changes, provisional, ver, source}: all that load has read
//	more         {changes}: the first parts of a long changed or list
//	provisional  {rows}
//	state        {state}
//	warning      {error, ignored}
//	event        {added}: an event of the inbox, see writeEvent; only while the page
//	             listens
//	events       {removed, updated, nodes, unseen, dropped, reset}: what has changed in
//	             the inbox, besides the events that were posted before it; only after
//	             the operation inbox, as are the following four
//	inbox        {unseen, dropped, nodes, away, catchUp}: the whole state of the inbox
//	nodes        {nodes}: the first parts of a long events or inbox
//	away         {away}; without changes if these are as before
//	catchup      {state}
//	scope        {scope}: where events count as seen
//	message      {from, xml}, or {from, omitted} if it has no text; only while
//	             the page listens
//	frames       see frames.go
//	credentials  {ask, reason, mechanisms}, and {ask, canceled: true} when the
//	             client no longer waits for the answer
//	crash        {text}
func (b *bridge) onEvent(e client.Event) {
	switch e := e.(type) {
	case client.Changed:
		if e.Stored {
			b.announce()
		}
		b.list((*page).hasList, "changed", func() ([]pam.Change, func(*writer)) {
			return e.Changes, func(w *writer) {
				w.text("from", string(e.From))
				w.text("to", string(e.To))
				w.text("origin", string(e.Origin))
				w.text("source", string(e.Source))
				w.key("stored")
				w.bool(e.Stored)
			}
		})
	case client.ProvisionalChanged:
		b.event((*page).hasList, "provisional", func(w *writer) {
			w.key("rows")
			writeProvisional(w, e.Items)
		})
	case client.StateChanged:
		b.state(everyPage, e.State)
	case client.MessageReceived:
		b.message(e)
	case client.EventsChanged:
		if !e.Reset { // else it was read from the store
			b.announce()
		}
		b.eventsChanged(e)
	case client.CatchUpChanged:
		b.catchUp(e.State)
	case client.SeenScopeChanged:
		b.seenScope((*page).hasInbox, e.Scope)
	case client.Warning:
		b.warn(e)
	}
}

// announce notifies the other programs of the account that what is stored has changed.
func (b *bridge) announce() { _, _ = b.host.Call("announce") }

func (b *bridge) state(to audience, s pam.SyncState) {
	b.event(to, "state", func(w *writer) {
		w.key("state")
		writeState(w, s)
	})
}

func (b *bridge) message(m client.MessageReceived) {
	b.event((*page).takesMessage, "message", func(w *writer) {
		w.text("from", m.From)
		w.text("xml", m.XML)
		w.text("omitted", string(m.Omitted))
	})
}

func (b *bridge) warn(e client.Warning) {
	b.event(everyPage, "warning", func(w *writer) {
		w.key("error")
		writeError(w, e.Err)
		if e.Ignored > 0 {
			w.key("ignored")
			w.int(int64(e.Ignored))
		}
	})
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
func (b *bridge) list(to audience, event string, take func() (changes []pam.Change, others func(*writer))) {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	rest, others := take()
	pages := b.only(to)
	for n := part(rest); n < len(rest); n = part(rest) {
		b.write(pages, 0, named("more", func(w *writer) { writeChanges(w, rest[:n]) }))
		rest = rest[n:]
	}
	b.write(pages, 0, named(event, func(w *writer) {
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
