//go:build !js

package client_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/store"
)

// A commitCounter counts the commits to a store.
type commitCounter struct {
	store.Store
	commits atomic.Int64
}

func (s *commitCounter) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	s.commits.Add(1)
	return s.Store.Commit(ctx, expect, ops)
}

// TestIdleSessionIsNotStored leaves a live session idle: the client writes nothing while
// nothing changes.
func TestIdleSessionIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		s := &commitCounter{Store: store.NewMemory()}
		d := f.device(t, inTab(s, "tab")).connect()
		time.Sleep(10 * time.Second)
		before := s.commits.Load()
		time.Sleep(30 * time.Second)
		if n := s.commits.Load() - before; n > 10 {
			t.Errorf("%d commits in 30 idle seconds", n)
		}
		_ = d.Close()
	})
}
