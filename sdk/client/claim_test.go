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

// A crowd is programs that share one store, and end without warning.
type crowd struct {
	t *testing.T
	f *scripted
	r *resumer
	h int // what had arrived of the first session
	*store.Memory
}

// newCrowd has one program live under the name "first", and ends it.
func newCrowd(t *testing.T) *crowd {
	c := &crowd{t: t, f: newScripted(), r: &resumer{}, Memory: store.NewMemory()}
	var mu sync.Mutex
	c.f.handle = func(s *socket, e *element.Element) bool {
		mu.Lock()
		defer mu.Unlock()
		if e.Is(nsSM, "resume") {
			c.r.h = c.h // and not what other sessions have sent since
		}
		return c.r.handle(s, e)
	}
	first := c.device(c.Memory, "first", "").connect()
	time.Sleep(time.Second)
	c.die(first)
	c.h = c.r.h
	return c
}

func (c *crowd) device(s store.Store, tab, resume string) *device {
	return c.f.device(c.t, func(o *client.Options) { o.Store, o.Tab, o.Resume = keep(s), tab, resume })
}

// die ends a program: what is stored by then stays.
func (c *crowd) die(d *device) {
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

// sessions are the names of the tabs whose sessions are stored.
func (c *crowd) sessions() (tabs []string) {
	records, _ := c.Scan(context.Background(), store.Range{From: "session/", To: "session0"})
	for _, record := range records {
		tabs = append(tabs, strings.TrimPrefix(record.Key, "session/"))
	}
	return tabs
}

// TestOneOfManyResumes: a page that is duplicated gives every copy the name of
// the session before. One of the copies goes on with it; the others begin anew.
func TestOneOfManyResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		var all []*device
		for _, tab := range []string{"a", "b", "c"} {
			d := c.device(slow{c.Memory, 0, time.Millisecond}, tab, "first") // so that all have read before one takes
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
		if resumed != 1 || len(c.r.asked) != 1 || c.r.binds != 3 { // the first and two of the three
			t.Errorf("%d resumed, %d asked to, %d bound", resumed, len(c.r.asked), c.r.binds)
		}
		if got := c.sessions(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("the sessions of %v are stored", got)
		}
		for _, d := range all {
			_ = d.Close()
		}
	})
}

// TestClaimedAndLostAgain ends the program that took the session before it went
// on with it. The next one can.
func TestClaimedAndLostAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		second := c.device(c.Memory, "second", "first")
		if _, err := second.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.sessions(); !slices.Equal(got, []string{"second"}) {
			t.Errorf("the sessions of %v are stored", got)
		}
		c.die(second)
		third := c.device(c.Memory, "third", "second").connect()
		if s := third.State(); !s.Resumed || c.r.binds != 1 {
			t.Errorf("%+v after %d binds", s, c.r.binds)
		}
		_ = third.Close()
		if got := c.sessions(); len(got) > 0 {
			t.Errorf("the sessions of %v are stored after an end in order", got)
		}
	})
}

// TestSameTabLostAgain is the same with one name for all runs.
func TestSameTabLostAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		second := c.device(c.Memory, "first", "")
		if _, err := second.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.die(second)
		third := c.device(c.Memory, "first", "").connect()
		if s := third.State(); !s.Resumed || c.r.binds != 1 {
			t.Errorf("%+v after %d binds", s, c.r.binds)
		}
		_ = third.Close()
	})
}

// TestClaimedAndClosed only looks at the list: the session is there for the next
// run.
func TestClaimedAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
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

// TestClaimWhileWritten has the last writing of the program before fall between
// the reading and the taking of the record.
func TestClaimWhileWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		before, _ := c.Get(t.Context(), "session/first")
		again := c.device(c.Memory, "first", "").connect()
		time.Sleep(time.Second)
		c.die(again)
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

// A lateStore has another program's writing done just before the first commit.
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
