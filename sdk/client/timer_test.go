package client

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
)

type noDialer struct{}

func (noDialer) Dial(context.Context, string) (transport.Conn, error) { return nil, context.Canceled }

func testClient(t *testing.T) *Client {
	c, err := New(&Options{Account: "alice@localhost", URL: "wss://localhost/", Dialer: noDialer{},
		Credentials: func(context.Context, CredentialRequest) (Credentials, error) { return Credentials{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTimerStopped stops a timer that has fired, before its function has begun.
func TestTimerStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testClient(t)
		ran := make(chan string, 10)
		c.post(func() {
			o := c.owner
			stopped := o.after(time.Second, func() { ran <- "stopped" })
			o.after(time.Second, func() { ran <- "wanted" })
			time.Sleep(2 * time.Second)
			stopped.stop()
			stopped.stop()
			if (*timer)(nil).stop(); len(o.running) != 1 {
				t.Errorf("%d timers run", len(o.running))
			}
		})
		if got := <-ran; got != "wanted" {
			t.Errorf("the timer that was %s ran", got)
		}
		c.post(func() {
			if len(c.owner.running) != 0 {
				t.Errorf("%d timers run", len(c.owner.running))
			}
		})
		synctest.Wait()
		_ = c.Close()
		if len(ran) > 0 {
			t.Errorf("the timer that was %s ran, too", <-ran)
		}
	})
}

// TestBudget lets a time run and stand still.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testClient(t)
		b, over := &budget{left: 10 * time.Second}, make(chan time.Time, 1)
		run := func() { b.run(c.owner, func() { over <- time.Now() }) }
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

// TestReloadSpoiled reads what another program has spoiled, or what comes out of the
// store spoiled: the shown list stays, and is stored again with the next commit.
func TestReloadSpoiled(t *testing.T) {
	for _, spoil := range []string{keyMeta, bucketKey(bucketOf(row(1).Key))} {
		s := store.NewMemory()
		d := &durable{store: s}
		first, _, _ := d.load(t.Context())
		r, q := row(1), row(2)
		next := listsync.Stamp{Epoch: first.Epoch + 1, Version: "v"}
		if _, err := d.commit(t.Context(), listsync.Commit{Expect: first.Stamp, Next: next, Changes: []pam.Change{{After: &r}}}, syncRecord{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), nil, []store.Op{store.Put(spoil, []byte("spoiled"))}); err != nil {
			t.Fatal(err)
		}
		if now, found, err := d.loadAnew(t.Context()); found || err == nil {
			t.Errorf("%s: found %+v", spoil, now)
		}
		after := listsync.Stamp{Epoch: next.Epoch + 1, Version: "w"}
		if stored, err := d.commit(t.Context(), listsync.Commit{Expect: next, Next: after, Changes: []pam.Change{{After: &q}}}, syncRecord{}); err != nil {
			t.Errorf("%s: commit gave %v, %v", spoil, stored, err)
		}
		got, _, err := (&durable{store: s}).load(t.Context())
		if spoil == keyMeta && (err != nil || len(got.List) != 2 || got.Stamp != after) {
			t.Errorf("%s: stored are %+v, %v", spoil, got, err)
		}
	}
}
