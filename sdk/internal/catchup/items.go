package catchup

import (
	"errors"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// An itemsRead is how far a task has read the items of a node.
type itemsRead struct {
	step   int
	paging bool      // the service is asked for pages (XEP-0059), the newest first
	before string    // the first item of the last page
	window []Event   // the newest items, in the order of the service
	asOf   time.Time // the newest of them were requested
	whole  bool      // the window is all that the node keeps
	ends   bool      // more cannot be read
}

// wanted returns how many items the next request of a task asks for.
func (m *Machine) wanted(t *task) int {
	switch {
	case t.first().isNew():
		return m.limits.newItems
	case t.paging:
		return max(1, m.limits.items[t.step]-len(t.window))
	}
	return m.limits.items[t.step]
}

// itemsRequest returns the <pubsub/> that requests the newest items, or those before the
// ones that were read.
func (t *task) itemsRequest(wanted int) *element.Element {
	r := pubsub.ItemsRequest{Node: t.first().Node.Node}
	if t.paging {
		r.Page = &pubsub.Page{Max: wanted, Before: t.before, Last: true}
	} else {
		r.Max = wanted
	}
	return r.Element()
}

// itemsResult handles items.
func (m *Machine) itemsResult(t *task, in Result) error {
	n := t.first()
	items, page, err := pubsub.ParseItems(in.IQ, n.Service, n.Node.Node)
	if err != nil && !errors.Is(err, pubsub.ErrLeftOut) {
		return err
	}
	m.results += len(items)
	m.service(n.Service).results += len(items)
	if n.isNew() {
		m.itemsFound(t, newest(itemEvents(items), m.limits.newItems))
		return nil
	}
	known := newMemory(in.Known, n.CurrentUntil)
	t.take(itemEvents(items), page, m.wanted(t))
	if most := m.limits.items[len(m.limits.items)-1]; len(t.window) > most {
		t.window, t.whole, t.ends = newest(t.window, most), false, true
	}
	c := m.compare(t, known)
	if !c.enough && !t.whole && !t.ends && t.step < len(m.limits.items)-1 {
		t.step++
		m.enqueue(t)
		return nil
	}
	if c.kept == 0 && len(t.window) > 0 {
		reason := pam.GapArchiveTruncated
		if t.whole {
			reason = pam.GapNodeKeepsFewer
		}
		m.gapOf(t, t.from, time.Time{}, reason)
	}
	if c.unclear {
		m.gapOf(t, t.from, time.Time{}, pam.GapDeletionsUnknown)
	}
	m.itemsFound(t, c.found)
	return nil
}

// itemsFound ends a task that has read items.
func (m *Machine) itemsFound(t *task, events []Event) {
	n := t.first()
	wanted := make([]Event, 0, len(events))
	for _, e := range events {
		if n.wanted(e.Notification) {
			wanted = append(wanted, e)
		}
	}
	if len(wanted) > 0 {
		m.emit(Found{wanted, Items, n.isNew()})
	}
	m.finish(t, m.cursor(n))
}

// cursor returns the cursor of a node in the archive of the account, if it has one. The
// items of the node do not change it.
func (m *Machine) cursor(n *node) Cursor {
	if s := m.service(n.Service); n.grouped && s.cursor.ID != "" {
		return s.cursor
	}
	return n.Cursor
}

// take adds a part of the items to the window. A service that ignores what was asked sends
// all items.
func (t *task) take(items []Event, page *pubsub.PageInfo, wanted int) {
	if !t.paging || page == nil || len(items) > wanted {
		exact := len(items) == wanted && !(page != nil && page.Count == len(items))
		t.window, t.paging, t.whole = items, false, !exact
		return
	}
	have := make(map[string]bool, len(t.window))
	for _, e := range t.window {
		have[e.ItemID] = true
	}
	window := make([]Event, 0, len(items)+len(t.window))
	for _, e := range items {
		if !have[e.ItemID] {
			window = append(window, e)
		}
	}
	t.ends = len(window) == 0 && len(items) > 0 // the page is repeated
	t.window = append(window, t.window...)
	t.whole = !t.ends && (len(items) < wanted || t.before == "" && len(items) == page.Count)
	if t.before = page.First; t.before == "" {
		t.paging = false // the rest is asked for without pages
	}
}

// itemEvents converts items to events. Items carry no time. The ids of pages of ejabberd
// are stamps, but of the first time that an item with that id was published, which may have
// been published again since.
func itemEvents(items []pubsub.Notification) []Event {
	events := make([]Event, len(items))
	for i, item := range items {
		events[i] = Event{Notification: item, Delivery: pam.DeliveryCatchUp}
	}
	return events
}

// newest returns the last events, at most max.
func newest(events []Event, most int) []Event { return events[max(0, len(events)-most):] }
