package engine

import (
	"context"
	"fmt"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A Status describes the internal state of an engine, for tests.
type Status struct {
	Waiting string // pending requests, operations, calls and stanzas; empty if there are none
	Settled bool   // live, and nothing is pending
	Timers  int    // number of running timers
	Replays int    // resumptions in a row without progress
	Devices int    // other devices of the account that are remembered
}

// Status returns the internal state. It may be called from any goroutine. After Close
// only Timers is meaningful.
func (e *Engine) Status() Status {
	got := make(chan Status, 1)
	e.post(func() { got <- e.status() })
	select {
	case s := <-got:
		return s
	case <-e.done:
		return Status{Timers: len(e.timers)}
	}
}

func (e *Engine) status() Status {
	a, s := e.account, Status{Timers: len(e.timers), Devices: len(e.seen.devices)}
	waiting := len(e.session.requests) + len(a.operations) + len(e.session.outbox)
	if waiting+len(a.refreshes)+len(e.link.waiters) > 0 {
		s.Waiting = fmt.Sprintf("%d requests, %d operations, %d refreshes, %d stanzas, %d connects; the machine is %v, dirty: %v",
			len(e.session.requests), len(a.operations), len(a.refreshes), len(e.session.outbox), len(e.link.waiters), a.machine.Phase(), a.machine.Dirty())
	}
	s.Settled = e.link.usable() && a.listing.live && !a.listing.missing && a.quiet() && len(e.storage.jobs) == 0 && e.storage.loaded &&
		waiting == 0 && a.hints.timer == nil
	if r := e.link.resumption(); r != nil {
		s.Replays = r.Replays
	}
	return s
}

// Marker returns the key and the payload of the item with a marker, for tests.
func Marker(k pam.Marker) (key, payload string) {
	return markerKey(k.Service, k.Node), encodeMarker(k).String()
}

// StoredList returns the list in a store, and reports whether the stored records are
// consistent.
func StoredList(ctx context.Context, s store.Store) (listsync.Durable, bool) {
	d := &durable{store: s}
	now, _, err := d.load(ctx)
	if d.meta == nil {
		now.Stamp = listsync.Stamp{}
	}
	return now, err == nil && !d.stale || d.meta == nil
}
