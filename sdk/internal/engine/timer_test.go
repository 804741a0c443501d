package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
)

type noDialer struct{}

func (noDialer) Dial(context.Context, string, func()) (transport.Conn, error) {
	return nil, context.Canceled
}

func testEngine() *Engine {
	return New(&Config{Account: jid.MustParse("alice@localhost"), Endpoint: hostmeta.Endpoint{URL: "wss://localhost/", Host: "localhost", TLS: true},
		Dialer: noDialer{}, Store: store.NewMemory()})
}

// TestTimerStopped stops a timer that has fired but whose function has not begun.
func TestTimerStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testEngine()
		ran := make(chan string, 10)
		c.post(func() {
			o := c.loop
			stopped := o.after(time.Second, func() { ran <- "stopped" })
			o.after(time.Second, func() { ran <- "wanted" })
			time.Sleep(2 * time.Second)
			stopped.stop()
			stopped.stop()
			if (*timer)(nil).stop(); len(o.timers) != 1 {
				t.Errorf("%d timers run", len(o.timers))
			}
		})
		if got := <-ran; got != "wanted" {
			t.Errorf("the timer that was %s ran", got)
		}
		c.post(func() {
			if len(c.timers) != 0 {
				t.Errorf("%d timers run", len(c.timers))
			}
		})
		synctest.Wait()
		_ = c.Close()
		if len(ran) > 0 {
			t.Errorf("the timer that was %s ran, too", <-ran)
		}
	})
}

// TestBudget tests a timeout that is run and paused.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testEngine()
		b, over := &deadline{left: 10 * time.Second}, make(chan time.Time, 1)
		run := func() { b.run(c.loop, func() { over <- time.Now() }) }
		begun := time.Now()
		for range 3 {
			c.post(run)
			c.post(run)
			time.Sleep(3 * time.Second)
			c.post(b.pause)
			c.post(b.pause)
			time.Sleep(time.Hour)
		}
		c.post(run)
		if d := (<-over).Sub(begun); d != 3*time.Hour+10*time.Second {
			t.Errorf("over after %v", d)
		}
		_ = c.Close()
	})
}

// TestReloadCorrupt reloads a list that another program has corrupted, or that the
// store returns corrupted. The shown list must stay, and the next commit must store
// it again.
func TestReloadCorrupt(t *testing.T) {
	for _, corrupt := range []string{keyMeta, chunkKey(0)} {
		s := store.NewMemory()
		d := &durable{store: s}
		first, _, _ := d.load(t.Context())
		r, q := row(1), row(2)
		next := listsync.Stamp{Epoch: first.Epoch + 1, Version: "v"}
		if _, err := d.commit(t.Context(), listsync.Commit{Expect: first.Stamp, Next: next, List: first.List.Apply([]pam.Change{{After: &r}})}, syncRecord{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), nil, []store.Op{store.Put(corrupt, []byte("spoiled"))}); err != nil {
			t.Fatal(err)
		}
		if now, found, err := d.loadAnew(t.Context()); found || err == nil {
			t.Errorf("%s: found %+v", corrupt, now)
		}
		after := listsync.Stamp{Epoch: next.Epoch + 1, Version: "w"}
		if stored, err := d.commit(t.Context(), listsync.Commit{Expect: next, Next: after, List: listsync.NewList([]pam.Subscription{r, q})}, syncRecord{}); err != nil {
			t.Errorf("%s: commit gave %v, %v", corrupt, stored, err)
		}
		got, _, err := (&durable{store: s}).load(t.Context())
		if corrupt == keyMeta && (err != nil || got.List.Len() != 2 || got.Stamp != after) {
			t.Errorf("%s: stored are %+v, %v", corrupt, got, err)
		}
	}
}
