//go:build !js

package client_test

import (
	"context"
	"sync"

	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
)

// A gate is a dialer that counts its dials and holds back some of the messages.
type gate struct {
	transport.Dialer
	mu    sync.Mutex
	dials int
	keep  func(message string) bool
	kept  []string
}

func (g *gate) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	g.mu.Lock()
	g.dials++
	g.mu.Unlock()
	conn, err := g.Dialer.Dial(ctx, url, arrived)
	if err != nil {
		return nil, err
	}
	return gated{conn, g}, nil
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dials
}

// shut holds back later messages for which keep returns true.
func (g *gate) shut(keep func(message string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keep = keep
}

// release delivers the messages that were held back, before the next one.
func (g *gate) release() { g.shut(nil) }

type gated struct {
	transport.Conn
	*gate
}

func (c gated) Receive() ([]string, error) {
	messages, err := c.Conn.Receive()
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	if c.keep == nil {
		out, c.kept = c.kept, nil
	}
	for _, m := range messages {
		if c.keep != nil && c.keep(m) {
			c.kept = append(c.kept, m)
		} else {
			out = append(out, m)
		}
	}
	if len(out) > 0 {
		err = nil // for the next call
	}
	return out, err
}

// A witness is a store that reports the commit of the time of a sync, which is the last
// commit that a new session makes by itself.
type witness struct {
	*store.Memory
	once   sync.Once
	synced chan struct{}
}

func (w *witness) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	err := w.Memory.Commit(ctx, expect, ops)
	if len(expect) == 0 {
		w.once.Do(func() { close(w.synced) })
	}
	return err
}

// unmanaged disables stream management, because the server would not count stanzas that
// a test adds.
func unmanaged(c *mem.Config) { c.DisableSM = true }
