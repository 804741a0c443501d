//go:build !js

package client_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// A disk is the store that the tabs share. It checks after each commit that
// list and version belong together.
type disk struct {
	*store.Memory
	stage *stage
	mu    sync.Mutex
}

// check checks I1 to I3: the store holds a list that the server had, with the
// version of that list.
func (d *disk) check() {
	now, ok := client.StoredList(d.Memory)
	if !ok {
		d.stage.faultf("I3: the records of the store do not belong together")
		return
	}
	if now.Version == "" {
		return
	}
	list, known := d.stage.server.SubscriptionsAt("alice", string(now.Version))
	if !known {
		d.stage.faultf("I2: the version %q was never issued", now.Version)
		return
	}
	// If the server sends the result first, the client treats the delta as live notifies
	// and stores it in parts.
	if !personality(d.stage.s.Server).ResultFirst && !slices.Equal(d.stage.rows(now.List.Rows()), d.stage.rowsOf(list)) {
		d.stage.faultf("I1: stored as %s: %q, but the server had %q", now.Version, d.stage.rows(now.List.Rows()), d.stage.rowsOf(list))
	}
}

// A handle is one program's access to the disk.
type handle struct {
	*disk
	delay  time.Duration
	dead   atomic.Bool // the program has ended
	late   atomic.Bool // the commit that is pending at its end is stored
	inside atomic.Int32
}

func (h *handle) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	if h.dead.Load() {
		return nil, store.ErrClosed
	}
	return h.Memory.Get(ctx, keys...)
}

func (h *handle) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	if h.dead.Load() {
		return nil, store.ErrClosed
	}
	return h.Memory.Scan(ctx, r)
}

func (h *handle) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	h.inside.Add(1)
	defer h.inside.Add(-1)
	alive := !h.dead.Load()
	time.Sleep(h.delay)
	if dead := h.dead.Load(); dead && !(alive && h.late.Load()) {
		return store.ErrClosed
	}
	h.mu.Lock()
	err := h.Memory.Commit(ctx, expect, ops)
	if err == nil {
		h.check()
	}
	h.mu.Unlock()
	if h.dead.Load() {
		return store.ErrClosed
	}
	return err
}

func (h *handle) Close() error { return nil }

// rows returns a list as sorted text, without the subids if this server's lists
// have none.
func (g *stage) rows(list []pam.Subscription) []string {
	return slices.Compact(sortedBy(list, func(s pam.Subscription) string { return g.row(s.Service, s.Node, s.SubID, string(s.State)) }))
}

func (g *stage) rowsOf(list []mem.Subscription) []string {
	return sortedBy(list, func(s mem.Subscription) string { return g.row(s.Service, s.Node, s.SubID, s.State) })
}

func (g *stage) row(service, node, subid, state string) string {
	if personality(g.s.Server).NoSubIDs {
		subid = ""
	}
	return strings.TrimSpace(service + " " + node + " " + state + " " + subid)
}
