//go:build !js

package client_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A brokenServer does not work for some time.
type brokenServer struct {
	*resumer
	lists, disco atomic.Bool
	silent       atomic.Bool // disco answers never contain PAM
	lost         int         // stanzas that the server sends again after the next resumption
}

func (r *brokenServer) handle(s *socket, e *element.Element) bool {
	switch {
	case r.lists.Load() && isList(e), r.disco.Load() && isDisco(e):
		r.h++
		s.refuse(e, "<error type='wait'><internal-server-error xmlns='"+nsStanzas+"'/></error>")
		return true
	case r.silent.Load() && isDisco(e):
		r.h++
		s.result(e, "<query xmlns='"+nsInfo+"'/>")
		return true
	}
	handled := r.resumer.handle(s, e)
	if e.Is(nsSM, "resume") {
		for range r.lost {
			s.push("<presence xmlns='jabber:client' from='alice@localhost'/>")
		}
	}
	return handled
}

// TestTemporarilyWithoutList has the server refuse the list for a short time, when no
// other event makes the client request it again. After that the client gets the list,
// and commits later notifies.
func TestTemporarilyWithoutList(t *testing.T) {
	// restored returns a client that has resumed the session of an earlier run.
	restored := func(t *testing.T, f *scripted) *device {
		kept := store.NewMemory()
		run := func() *device {
			return f.device(t, inTab(keep(kept), "tab")).connect()
		}
		a := run()
		time.Sleep(time.Second)
		records, _ := kept.Scan(t.Context(), store.Range{})
		f.set(func() { f.refuse = errors.New("the program is gone") })
		f.socket().fail(errors.New("reset"))
		_ = a.Close()
		for _, r := range records { // The program has crashed: the store keeps its records.
			_ = kept.Commit(t.Context(), nil, []store.Op{store.Put(r.Key, r.Value)})
		}
		f.set(func() { f.refuse = nil })
		b := run()
		if !b.State().Resumed {
			t.Fatal("not resumed")
		}
		time.Sleep(time.Second)
		return b
	}
	tests := []struct {
		name string
		run  func(t *testing.T, f *scripted, r *brokenServer) *device
	}{
		{"after a resumption from the store", func(t *testing.T, f *scripted, r *brokenServer) *device {
			d := restored(t, f)
			r.lists.Store(true)
			_ = d.Refresh(t.Context(), false)
			return d
		}},
		{"and the connection is lost meanwhile", func(t *testing.T, f *scripted, r *brokenServer) *device {
			d := restored(t, f)
			r.lists.Store(true)
			_ = d.Refresh(t.Context(), false)
			time.Sleep(time.Second)
			f.set(func() { r.lost = 2 }) // the two answers, which were not acknowledged
			f.socket().fail(errors.New("reset"))
			time.Sleep(3 * time.Second)
			return d
		}},
		{"where service discovery does not name PAM", func(t *testing.T, f *scripted, r *brokenServer) *device {
			r.silent.Store(true)
			d := f.device(t).connect()
			time.Sleep(time.Second)
			r.lists.Store(true)
			_ = d.Refresh(t.Context(), false)
			return d
		}},
		{"when the session begins, with service discovery", func(t *testing.T, f *scripted, r *brokenServer) *device {
			r.lists.Store(true)
			r.disco.Store(true)
			d := f.device(t)
			if _, err := d.Connect(t.Context()); asError(t, err).Code != pam.CodeStanza {
				t.Errorf("connect gave %v", err)
			}
			return d
		}},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			f, r := newScripted(), &brokenServer{resumer: &resumer{}}
			f.handle = r.handle
			d := tt.run(t, f, r)
			synctest.Wait()
			r.lists.Store(false)
			r.disco.Store(false)
			time.Sleep(time.Minute)
			f.socket().notify("v1", "news", "subscribed")
			time.Sleep(time.Minute)
			synctest.Wait()
			if s := d.State(); s.Phase != pam.PhaseLive || len(s.Missing) > 0 || len(d.Snapshot().List) != 1 {
				t.Errorf("%+v, %+v, waiting: %q", s, d.Snapshot(), client.Waiting(d.Client))
			}
			_ = d.Close()
		})
	}
}

// TestServerUnreachable makes the server unreachable during a request: the call returns
// an error that its outcome is unknown, although the session could still be resumed.
func TestServerUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		a := f.device(t).connect()
		r.ignored = isPAM
		done := a.subscribing(news)
		synctest.Wait()
		f.set(func() { f.refuse = errors.New("connection refused") })
		f.socket().fail(errors.New("reset"))
		began := time.Now()
		if err := <-done; asError(t, err).Code != pam.CodeOutcomeUnknown || time.Since(began) > 2*time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_ = a.Close()
	})
}

// TestConnectWhileDisconnecting ends a call of Connect that waits for the end of the
// previous session: the client connects nevertheless, until Disconnect is called.
func TestConnectWhileDisconnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		f.handle = func(s *socket, e *element.Element) bool { return e.Is(nsFraming, "close") }
		a := f.device(t).connect()
		go func() { _ = a.Disconnect(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := a.Connect(ctx); asError(t, err).Code != pam.CodeTimeout {
			t.Errorf("connect gave %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if p := a.State().Phase; p != pam.PhaseLive {
			t.Errorf("phase %s after %d dials", p, len(f.dialed()))
		}
		_ = a.Close()
	})
}

// TestCloseWaitsForTheStore closes a client while it stores a notify: when Close
// returns, the client no longer uses the store.
func TestCloseWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newScripted(), &watched{Store: store.NewMemory()}
		a := f.device(t, func(o *client.Options) { o.Store = s }).connect()
		time.Sleep(10 * time.Second)
		f.socket().notify("v1", "news", "subscribed")
		synctest.Wait()
		_ = a.Close()
		if n := s.busy.Load(); n > 0 {
			t.Errorf("%d commits are pending", n)
		}
		time.Sleep(10 * time.Second)
		if s.late.Load() {
			t.Error("a commit reached the closed store")
		}
	})
}

// A watched store is slow to commit the list, even after the end of the context, and
// counts commits that end after it was closed.
type watched struct {
	store.Store
	busy         atomic.Int32
	closed, late atomic.Bool
}

func (s *watched) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	s.busy.Add(1)
	defer s.busy.Add(-1)
	if len(expect) > 0 {
		time.Sleep(2 * time.Second)
	}
	if s.closed.Load() {
		s.late.Store(true)
	}
	return s.Store.Commit(ctx, expect, ops)
}

func (s *watched) Close() error {
	s.closed.Store(true)
	return nil
}

// TestRefusedOnce has the server refuse the list once and send it later: the client
// requests no other list after a resumption.
func TestRefusedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &brokenServer{resumer: &resumer{}}
		f.handle = r.handle
		a := f.device(t, quick).connect()
		r.lists.Store(true)
		_ = a.Refresh(t.Context(), false)
		r.lists.Store(false)
		time.Sleep(time.Minute)
		before := len(f.listed())
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Minute)
		if s := a.State(); !s.Resumed || len(f.listed()) != before {
			t.Errorf("%+v, %d lists more\n%s", s, len(f.listed())-before, a.log())
		}
		_ = a.Close()
	})
}

// TestAttemptTimesOut has a server accept a connection and send nothing. The session
// stays suspended, and the next attempt resumes it.
func TestAttemptTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		var mute atomic.Bool
		f.handle = func(s *socket, e *element.Element) bool { return mute.Load() || r.handle(s, e) }
		a := f.device(t, quick).connect()
		mute.Store(true)
		f.socket().fail(errors.New("reset"))
		time.Sleep(10 * time.Second)
		mute.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := a.State(); !s.Resumed || s.Phase != pam.PhaseLive || r.binds != 1 || len(r.asked) != 1 {
			t.Errorf("%+v after %d binds, resumed %d times\n%s", s, r.binds, len(r.asked), a.log())
		}
		_ = a.Close()
	})
}

// TestLiveIsStored crashes the program: the next run knows until when the list was
// correct.
func TestLiveIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, memory := newScripted(), store.NewMemory()
		run := func() *device { return f.device(t, func(o *client.Options) { o.Store = keep(memory) }) }
		a := run().connect()
		for _, wait := range []time.Duration{time.Second, time.Hour} { // at first, and once the connection is lost
			time.Sleep(wait)
			if wait == time.Hour {
				f.set(func() { f.refuse = errors.New("refused") })
				f.socket().fail(errors.New("reset"))
				time.Sleep(time.Second)
			}
			b := run()
			if _, err := b.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, want := b.State().LastSynced, a.State().LastSynced; want.IsZero() || !got.Equal(want.Truncate(time.Millisecond)) {
				t.Errorf("stored is %v, want %v", got, want)
			}
			_ = b.Close()
		}
		_ = a.Close()
	})
}
