//go:build js && wasm

package main

import (
	"context"
	"slices"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// wishTime is how long the client stays connected after the last page that wanted a
// connection has ended, for example while the user reloads it.
const wishTime = 5 * time.Minute

// A page is one page that uses the program. The host numbers the pages. All fields are
// guarded by bridge.mu, except out.
type page struct {
	number  int
	created bool // its options are those of the client
	loaded  bool // it has the list, and gets its changes
	inbox   bool // it has the inbox, and gets its changes
	// What the page listens to.
	messages, events, frames bool

	asleep    bool           // nothing is posted to it; when it is resumed it gets everything again
	frozen    bool           // the browser suspends it, and with the last such page the program
	wanted    bool           // it wants to be connected
	used      int            // the greater, the later was it used; 0 while it is hidden
	interests []pam.Interest // nil: everything
	out       outbox         // guarded by bridge.outMu
	gone      chan struct{}  // closed when the page has ended
}

// page returns a page, which it adds at its first request.
func (b *bridge) page(number int) *page {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pages[number]
	if p == nil {
		p = &page{number: number, gone: make(chan struct{})}
		b.pages[number] = p
		b.announceJoined()
	}
	return p
}

// announceJoined wakes what waits for another page. The caller holds mu.
func (b *bridge) announceJoined() {
	close(b.joined)
	b.joined = make(chan struct{})
}

// only returns the pages that match, in the order of their numbers. Events are not
// posted to a page that is asleep.
func (b *bridge) only(match audience) []*page {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []*page
	for _, p := range b.pages {
		if !p.asleep && match(p) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *page) int { return a.number - b.number })
	return found
}

// An audience selects pages.
type audience func(*page) bool

func everyPage(*page) bool          { return true }
func (p *page) itself(q *page) bool { return p == q }
func (p *page) hasList() bool       { return p.loaded }
func (p *page) hasInbox() bool      { return p.inbox }
func (p *page) takesEvents() bool   { return p.inbox && p.events }
func (p *page) takesMessage() bool  { return p.messages }
func (p *page) takesFrames() bool   { return p.frames }

// remove removes a page and ends its requests. It reports whether another page is left,
// and whether one of those wants to be connected.
func (b *bridge) remove(p *page) (left, wanted bool) {
	b.mu.Lock()
	if b.pages[p.number] == p {
		delete(b.pages, p.number)
		close(p.gone)
	}
	var ended []requestKey
	for key := range b.cancels {
		if key.page == p.number {
			ended = append(ended, key)
		}
	}
	left, wanted = len(b.pages) > 0, b.anyWanted()
	b.mu.Unlock()
	for _, key := range ended {
		b.cancel(key)
	}
	return left, wanted
}

// anyWanted reports whether a page wants to be connected. The caller holds mu.
func (b *bridge) anyWanted() bool {
	for _, p := range b.pages {
		if p.wanted {
			return true
		}
	}
	return false
}

// want records whether a page wants to be connected, and reports whether any does.
func (b *bridge) want(p *page, wanted bool) (any bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.wanted = wanted
	return b.anyWanted()
}

// pageGone handles the end of a page that did not close: it crashed, or the user left
// it. The connection is kept for a page that follows.
func (b *bridge) pageGone(r request) {
	left, wanted := b.remove(r.page) // It may have closed before.
	if left {
		b.updateNeeds()
	}
	if wanted {
		return
	}
	time.AfterFunc(b.wishTime, func() {
		defer b.guard()
		b.mu.Lock()
		c, wanted := b.client, b.anyWanted()
		b.mu.Unlock()
		if c != nil && !wanted {
			_ = c.Disconnect(context.Background())
		}
	})
}

// updateFrozen informs the client that the browser is about to suspend the program,
// because it suspends all pages, or no longer does.
func (b *bridge) updateFrozen() {
	b.freezing.Lock()
	defer b.freezing.Unlock()
	b.mu.Lock()
	c, frozen := b.client, len(b.pages) > 0
	for _, p := range b.pages {
		frozen = frozen && p.frozen
	}
	b.mu.Unlock()
	if c == nil || frozen == b.frozen {
		return
	}
	if b.frozen = frozen; frozen {
		c.Freeze()
	} else {
		c.Wake()
	}
}

// updateNeeds passes to the client what all pages together need.
func (b *bridge) updateNeeds() {
	b.mu.Lock()
	c := b.client
	frames := false
	for _, p := range b.pages {
		frames = frames || p.frames
	}
	b.mu.Unlock()
	if c == nil {
		return
	}
	b.updateFrozen()
	c.Inspect(frames)
	go func() {
		defer b.guard()
		_ = c.SetInterests(context.Background(), b.interests())
	}()
}

// interests returns what the pages can handle together; nil is everything.
func (b *bridge) interests() []pam.Interest {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []pam.Interest{}
	for _, p := range b.pages {
		if !p.created {
			continue
		}
		if p.interests == nil {
			return nil
		}
		for _, i := range p.interests {
			if !slices.Contains(all, i) {
				all = append(all, i)
			}
		}
	}
	return all
}

// suspend stops posting to a page: nothing may be posted to one in the back/forward
// cache, and one that does not read would fill the memory.
func (b *bridge) suspend(r request) {
	b.outMu.Lock()
	b.mu.Lock()
	r.page.asleep = true
	r.page.frozen = r.page.frozen || r.bool("freezes")
	b.mu.Unlock()
	b.outMu.Unlock()
	b.updateFrozen()
}

// resume posts to a page again, beginning with everything that may have changed.
func (b *bridge) resume(r request) {
	p := r.page
	b.mu.Lock()
	c, asleep, loaded, inbox := b.client, p.asleep, p.loaded, p.inbox
	p.asleep, p.frozen = false, false
	b.announceJoined()
	b.mu.Unlock()
	b.updateFrozen()
	if !asleep || c == nil {
		return
	}
	if loaded {
		b.listTo(p, c)
		b.state(p.itself, c.State())
	}
	b.outMu.Lock()
	b.flush(p)
	b.outMu.Unlock()
	if inbox {
		go func() {
			defer b.guard()
			_ = b.inboxTo(context.Background(), p, c)
		}()
	}
}

// show records that the user looks at a page, or no longer does.
func (b *bridge) show(r request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.page.used = 0; r.bool("visible") {
		b.uses++
		r.page.used = b.uses
	}
}

// listen sets what a page listens to.
func (b *bridge) listen(r request) {
	b.mu.Lock()
	r.page.messages, r.page.events = r.bool("messages"), r.bool("events")
	b.mu.Unlock()
}

// listTo posts the list to a page, which then gets its changes.
func (b *bridge) listTo(p *page, c *client.Client) {
	b.list(p.itself, "list", func() ([]pam.Change, func(*writer)) {
		b.mu.Lock()
		p.loaded = true
		b.mu.Unlock()
		s := c.Snapshot()
		changes := make([]pam.Change, len(s.List))
		for i := range changes {
			changes[i].After = &s.List[i]
		}
		return changes, func(w *writer) {
			w.key("provisional")
			writeProvisional(w, s.Provisional)
			w.text("ver", string(s.Version))
			w.text("source", string(s.Source))
		}
	})
}
