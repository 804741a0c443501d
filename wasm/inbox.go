//go:build js && wasm

package main

import (
	"context"
	"slices"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// openInbox posts the state of the inbox to the page. From then on its changes are posted.
func (b *bridge) openInbox(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return nil, b.inboxTo(ctx, r.page, c)
}

func (b *bridge) inboxTo(ctx context.Context, p *page, c *client.Client) error {
	return c.WithInbox(ctx, func(s pam.InboxState) {
		b.mu.Lock()
		p.inbox = true
		b.mu.Unlock()
		b.inboxState(p.itself, s)
		b.seenScope(p.itself, s.SeenScope)
	})
}

// maxPage is the number of bytes of one page of events, unless its first event is longer.
const maxPage = 8 << 20

func (b *bridge) listEvents(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	q := pam.EventQuery{Service: r.string("service"), Node: r.string("node"), UnseenOnly: r.bool("unseenOnly"), Before: r.string("before"), Limit: r.int("limit")}
	events, cursor, err := listWithin(q, func(q pam.EventQuery) ([]pam.Event, string, error) { return c.Events(ctx, q) })
	if err != nil {
		return nil, err
	}
	return func(w *writer) {
		w.object(func() {
			w.key("events")
			w.array(func() {
				for i := range events {
					writeEvent(w, &events[i])
				}
			})
			w.text("cursor", cursor)
		})
	}, nil
}

// listWithin lists fewer events than requested if they are longer than a page.
func listWithin(q pam.EventQuery, list func(pam.EventQuery) ([]pam.Event, string, error)) ([]pam.Event, string, error) {
	events, cursor, err := list(q)
	size := 0
	for i := range events {
		if size += eventSize(&events[i]); i > 0 && size > maxPage {
			q.Limit = i // for the cursor
			return list(q)
		}
	}
	return events, cursor, err
}

func eventSize(e *pam.Event) int {
	size := 256 + len(e.XML)
	if a := e.Entry; a != nil {
		size += len(a.Title) + len(a.Summary) + len(a.Content)
	}
	return size
}

func (b *bridge) markSeen(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	if last := r.string("upTo"); last != "" {
		return nil, c.MarkSeenUpTo(ctx, last)
	}
	return nil, c.MarkSeen(ctx, r.strings("ids")...)
}

// continueCatchUp also posts the state, so that the page knows whether a catch-up is running
// when it has the result.
func (b *bridge) continueCatchUp(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	if err := c.CatchUp(ctx); err != nil {
		return nil, err
	}
	return nil, b.inboxTo(ctx, r.page, c)
}

func (b *bridge) cancelCatchUp(ctx context.Context, c *client.Client, _ request) (func(*writer), error) {
	return nil, c.CancelCatchUp(ctx)
}

func (b *bridge) looked(ctx context.Context, c *client.Client, _ request) (func(*writer), error) {
	return nil, c.Looked(ctx)
}

func (b *bridge) setInterests(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	b.mu.Lock()
	r.page.interests = r.interests()
	b.mu.Unlock()
	return nil, c.SetInterests(ctx, b.interests())
}

// interests returns nil if the request has none: everything is wanted.
func (r request) interests() []pam.Interest {
	rows := r.rows("interests")
	if rows == nil {
		return nil
	}
	list := make([]pam.Interest, len(rows))
	for i, row := range rows {
		if len(row) == 4 {
			list[i] = pam.Interest{Service: row[0], Node: row[1], Prefix: row[2] != "", Payload: row[3]}
		}
	}
	return list
}

// eventsChanged posts a change of the inbox: first, to the pages that listen to events, each
// new one as an object of its own, so that one that is too long takes no other with it. After
// a reset the page gets the whole state, otherwise what has changed while the user was away.
func (b *bridge) eventsChanged(e client.EventsChanged) {
	pages := b.only((*page).hasInbox)
	if len(pages) == 0 {
		return
	}
	added := e.Added
	listening := b.only((*page).takesEvents)
	if len(listening) == 0 {
		added = nil
	}
	b.outMu.Lock()
	for i := range added {
		b.write(listening, 0, named("event", func(w *writer) {
			w.key("added")
			writeEvent(w, &added[i])
		}))
	}
	b.nodeStates(pages, "events", e.Nodes, func(w *writer) {
		w.key("removed")
		writeStrings(w, e.Removed)
		w.key("updated")
		writeStrings(w, e.Updated)
		w.key("unseen")
		w.int(int64(e.Unseen))
		w.key("dropped")
		w.int(int64(e.Dropped))
		w.key("reset")
		w.bool(e.Reset)
	})
	b.outMu.Unlock()
	b.renewInbox(e.Reset)
}

// renewInbox posts the whole state, or only away, when the client has time for it: once
// for several changes that arrive together. It is called on the goroutine of the client,
// which must not wait.
func (b *bridge) renewInbox(whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.whole = b.whole || whole
	if b.stale {
		return
	}
	c := b.client
	if c == nil { // it is being closed
		return
	}
	b.stale = true
	go func() {
		defer b.guard()
		_ = c.WithInbox(context.Background(), func(s pam.InboxState) {
			b.mu.Lock()
			whole := b.whole
			b.whole, b.stale = false, false
			b.mu.Unlock()
			if whole {
				b.inboxState((*page).hasInbox, s)
			} else {
				b.event((*page).hasInbox, "away", func(w *writer) { b.writeAway(w, s.Away, false) })
			}
		})
	}()
}

func (b *bridge) inboxState(to audience, s pam.InboxState) {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	b.nodeStates(b.only(to), "inbox", s.Nodes, func(w *writer) {
		w.key("unseen")
		w.int(int64(s.Unseen))
		w.key("dropped")
		w.int(int64(s.Dropped))
		b.writeAway(w, s.Away, true)
		w.key("catchUp")
		writeCatchUp(w, s.CatchUp)
	})
}

// seenScope posts where events count as seen.
func (b *bridge) seenScope(to audience, s pam.SeenScope) {
	b.event(to, "scope", func(w *writer) { w.text("scope", string(s)) })
}

func (b *bridge) catchUp(s pam.CatchUpState) {
	b.event((*page).hasInbox, "catchup", func(w *writer) {
		w.key("state")
		writeCatchUp(w, s)
	})
}

// nodeStates posts an event with the states of nodes, in several parts if they are many. The
// caller holds outMu, so that no other object comes in between.
func (b *bridge) nodeStates(to []*page, event string, nodes []pam.NodeState, others func(*writer)) {
	write := func(w *writer, nodes []pam.NodeState) {
		w.key("nodes")
		w.array(func() {
			for _, n := range nodes {
				w.array(func() {
					w.string(n.Service)
					w.string(n.Node)
					w.int(int64(n.Unseen))
					w.int(int64(n.Dropped))
					w.time(n.Newest)
				})
			}
		})
	}
	for ; len(nodes) > partLen; nodes = nodes[partLen:] {
		b.write(to, 0, named("nodes", func(w *writer) { write(w, nodes[:partLen]) }))
	}
	b.write(to, 0, named(event, func(w *writer) {
		write(w, nodes)
		others(w)
	}))
}

// writeAway writes the member away. The changes of the list are left out if they are
// those that were written last for all pages, unless whole is set. It is called on the
// goroutine of the client only.
func (b *bridge) writeAway(w *writer, a *pam.Away, whole bool) {
	var changes []pam.Change
	w.key("away")
	if a == nil {
		w.null()
	} else {
		changes = a.Changes
		w.object(func() {
			w.key("since")
			w.time(a.Since)
			w.key("events")
			w.int(int64(a.Events))
			if whole || !slices.Equal(changes, b.awayList) {
				writeChanges(w, changes)
			}
		})
	}
	if !whole { // else it may be for one page only
		b.awayList = changes
	}
}
