//go:build !js

package client_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A sharedStore is a store of several programs that crash.
type sharedStore struct {
	t *testing.T
	f *scripted
	r *resumer
	h int // the stanzas of the first session that the server had received
	*store.Memory
}

// newSharedStore has one program go live under the name "first", and crashes it.
func newSharedStore(t *testing.T) *sharedStore {
	c := &sharedStore{t: t, f: newScripted(), r: &resumer{}, Memory: store.NewMemory()}
	var mu sync.Mutex
	c.f.handle = func(s *socket, e *element.Element) bool {
		mu.Lock()
		defer mu.Unlock()
		if e.Is(nsSM, "resume") {
			c.r.h = c.h // without the stanzas of later sessions
		}
		return c.r.handle(s, e)
	}
	first := c.device(c.Memory, "first", "").connect()
	time.Sleep(time.Second)
	c.crash(first)
	c.h = c.r.h
	return c
}

func (c *sharedStore) device(s store.Store, tab, resume string) *device {
	return c.f.device(c.t, func(o *client.Options) { o.Store, o.Tab, o.Resume = keep(s), tab, resume })
}

// crash ends a program without warning. The store keeps what was committed by then.
func (c *sharedStore) crash(d *device) {
	synctest.Wait()
	records, _ := c.Scan(c.t.Context(), store.Range{})
	c.f.set(func() { c.f.refuse = errors.New("the program is gone") })
	if last := c.f.socket(); last != nil {
		last.fail(errors.New("reset"))
	}
	_ = d.Close()
	c.f.set(func() { c.f.refuse = nil })
	var ops []store.Op
	for _, record := range c.sessions() {
		ops = append(ops, store.Delete("session/"+record))
	}
	for _, record := range records {
		ops = append(ops, store.Put(record.Key, record.Value))
	}
	if err := c.Commit(c.t.Context(), nil, ops); err != nil {
		c.t.Fatal(err)
	}
}

// sessions returns the names of the tabs whose sessions are stored.
func (c *sharedStore) sessions() (tabs []string) {
	records, _ := c.Scan(context.Background(), store.Range{From: "session/", To: "session0"})
	for _, record := range records {
		tabs = append(tabs, strings.TrimPrefix(record.Key, "session/"))
	}
	return tabs
}

// TestOneOfManyResumes has several copies of a page start with the name of the same
// earlier session. One copy resumes it; the others bind new sessions.
func TestOneOfManyResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSharedStore(t)
		var all []*device
		for _, tab := range []string{"a", "b", "c"} {
			d := c.device(slow{c.Memory, 0, time.Millisecond}, tab, "first") // so that all have read the record before one claims it
			go func() { _, _ = d.Connect(t.Context()) }()
			all = append(all, d)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		resumed := 0
		for _, d := range all {
			if s := d.State(); s.Phase != pam.PhaseLive {
				t.Errorf("%+v", s)
			} else if s.Resumed {
				resumed++
			}
		}
		if resumed != 1 || len(c.r.asked) != 1 || c.r.binds != 3 { // the first program and two of the three
			t.Errorf("%d resumed, %d requested resumption, %d bound", resumed, len(c.r.asked), c.r.binds)
		}
		if got := c.sessions(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("the sessions of %v are stored", got)
		}
		for _, d := range all {
			_ = d.Close()
		}
	})
}

// TestClaimedAndLostAgain crashes the program that has claimed the session before it
// resumed it. The next program can resume it.
func TestClaimedAndLostAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSharedStore(t)
		second := c.device(c.Memory, "second", "first")
		if _, err := second.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.sessions(); !slices.Equal(got, []string{"second"}) {
			t.Errorf("the sessions of %v are stored", got)
		}
		c.crash(second)
		third := c.device(c.Memory, "third", "second").connect()
		if s := third.State(); !s.Resumed || c.r.binds != 1 {
			t.Errorf("%+v after %d binds", s, c.r.binds)
		}
		_ = third.Close()
		if got := c.sessions(); len(got) > 0 {
			t.Errorf("the sessions of %v are stored after Close", got)
		}
	})
}

// TestSameTabLostAgain does the same with one name for all runs.
func TestSameTabLostAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSharedStore(t)
		second := c.device(c.Memory, "first", "")
		if _, err := second.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.crash(second)
		third := c.device(c.Memory, "first", "").connect()
		if s := third.State(); !s.Resumed || c.r.binds != 1 {
			t.Errorf("%+v after %d binds", s, c.r.binds)
		}
		_ = third.Close()
	})
}

// TestClaimedAndClosed only loads the list: the session stays stored for the next run.
func TestClaimedAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSharedStore(t)
		second := c.device(c.Memory, "second", "first")
		if _, err := second.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = second.Close()
		third := c.device(c.Memory, "third", "second").connect()
		if s := third.State(); !s.Resumed || c.r.binds != 1 {
			t.Errorf("%+v after %d binds", s, c.r.binds)
		}
		_ = third.Close()
	})
}

// TestClaimWhileWritten has the previous program write the record between the read and
// the claim of the next one.
func TestClaimWhileWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSharedStore(t)
		before, _ := c.Get(t.Context(), "session/first")
		again := c.device(c.Memory, "first", "").connect()
		time.Sleep(time.Second)
		c.crash(again)
		after, _ := c.Get(t.Context(), "session/first")
		if slices.Equal(before[0], after[0]) {
			t.Fatal("the two records are the same")
		}
		_ = c.Commit(t.Context(), nil, []store.Op{store.Put("session/first", before[0])})
		late := &lateStore{Memory: c.Memory, op: store.Put("session/first", after[0])}
		second := c.device(late, "second", "first").connect()
		if s := second.State(); !s.Resumed || c.r.binds != 1 || !late.done {
			t.Errorf("%+v after %d binds", s, c.r.binds)
		}
		_ = second.Close()
	})
}

// A lateStore performs another program's write just before the first commit.
type lateStore struct {
	*store.Memory
	op   store.Op
	done bool
}

func (s *lateStore) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	if !s.done {
		s.done = true
		if err := s.Memory.Commit(ctx, nil, []store.Op{s.op}); err != nil {
			return err
		}
	}
	return s.Memory.Commit(ctx, expect, ops)
}
