//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// TestStress makes random calls of several devices of one account, while the server
// cuts connections, holds stanzas back, forgets sessions and sends malformed stanzas.
// No call may hang. In the end every device must hold the server's list and version,
// and its events must add up to that list.
//
// PAM_STRESS is how long it runs (such as 60s); PAM_SEED repeats a run.
func TestStress(t *testing.T) {
	limit, seed := 2*time.Second, seed(t)
	if v := os.Getenv("PAM_STRESS"); v != "" {
		limit, _ = time.ParseDuration(v)
	}
	p := newPeer(t, func(c *mem.Config) { c.DisableSM = seed%4 == 0 })
	p.onlyMem(t)
	for i := range stressNodes {
		if err := p.CreateNode(fmt.Sprint("node", i), "open"); err != nil {
			t.Fatal(err)
		}
	}

	shared := keep(store.NewMemory())
	var devices []*stressed
	for i, s := range []store.Store{keep(store.NewMemory()), shared, shared, keep(store.NewMemory())} {
		for w := range 2 {
			if err := p.CreateNode(fmt.Sprintf("own-%d-%d", i, w), "open"); err != nil {
				t.Fatal(err)
			}
		}
		f := flaky{Store: s, random: newDice(seed, uint64(100+i)), failing: i == 3}
		d := newStressed(t, p, i, f, s == shared)
		d.mute = p.like.Silent || p.like.SilentUnsubscribe
		devices = append(devices, d)
	}

	until := time.Now().Add(limit)
	var all sync.WaitGroup
	for i, d := range devices {
		for w := range 2 {
			all.Go(func() { d.work(until, w, newDice(seed, uint64(10*i+w))) })
		}
	}
	all.Go(func() { injectFaults(p, shared, until, newDice(seed, 1000)) })
	select {
	case <-begin(func() error { all.Wait(); return nil }):
	case <-time.After(limit + 40*time.Second):
		t.Fatal("a call hangs")
	}
	for _, d := range devices {
		d.settle()
		t.Logf("device %d: %v", d.number, d.outcomes)
	}
	// A device without a connection could not end its session.
	if n := len(p.Sessions("alice")) - len(p.Hibernating("alice")); n > len(devices) {
		t.Errorf("%d connected sessions for %d devices", n, len(devices))
	}
}

const stressNodes = 6

// A stressed device is sometimes replaced by a new one with the same store.
type stressed struct {
	t      *testing.T
	p      *peer
	number int
	store  store.Store
	shared bool
	mute   bool // the server does not answer every request

	mu       sync.Mutex
	now      *device
	outcomes map[string]int // of calls, by name and code
}

func newStressed(t *testing.T, p *peer, number int, s store.Store, shared bool) *stressed {
	d := &stressed{t: t, p: p, number: number, store: s, shared: shared, outcomes: map[string]int{}}
	d.now = d.fresh()
	return d
}

func (d *stressed) fresh() *device {
	a := newDevice(d.t, d.p, d.store, quick, func(o *client.Options) { o.OnFrame = nil })
	a.first, _ = a.Load(context.Background())
	return a
}

func (d *stressed) device() *device {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// replace closes the device, in two calls at once, and starts another.
func (d *stressed) replace() {
	old := d.device()
	var both sync.WaitGroup
	both.Go(func() { _ = old.Close() })
	_ = old.Close()
	both.Wait()
	d.check(old)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now == old {
		d.now = d.fresh()
	}
}

// work makes random calls.
func (d *stressed) work(until time.Time, number int, r dice) {
	own := pam.Target{Service: "pubsub.localhost", Node: fmt.Sprintf("own-%d-%d", d.number, number)}
	sure := false // whether the last request for own had an answer
	for time.Now().Before(until) {
		a := d.device()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if r.oneIn(4) {
			cancel()
			ctx, cancel = context.WithTimeout(context.Background(), r.upTo(20*time.Millisecond))
		}
		began := time.Now()
		what, err := "", error(nil)
		switch n := r.IntN(100); {
		case n < 25:
			what = "connect"
			_, err = a.Connect(ctx)
		case n < 28:
			what = "disconnect"
			err = a.Disconnect(ctx)
		case n < 50:
			what = "subscribe"
			_, err = a.Subscribe(ctx, r.target())
		case n < 65:
			what = "unsubscribe"
			err = a.Unsubscribe(ctx, r.target())
		case n < 85:
			what = "own"
			wanted := r.oneIn(2)
			if wanted {
				_, err = a.Subscribe(ctx, own)
			} else {
				err = a.Unsubscribe(ctx, own)
			}
			shown := slices.Contains(nodesOf(a.Snapshot().List), own.Node)
			if err == nil && sure && !d.shared && shown != wanted {
				d.t.Errorf("device %d: %s: shown %v, want %v", d.number, own.Node, shown, wanted)
			}
			sure = err == nil
		case n < 90:
			what = "refresh"
			err = a.Refresh(ctx, r.oneIn(2))
		case n < 93:
			what = "drop"
			a.Drop()
		case n < 96:
			what = "wake"
			a.Wake()
		case n < 98:
			what = "load"
			_, err = a.Load(ctx)
		default:
			what = "replace"
			d.replace()
		}
		cancel()
		code := "ok"
		if err != nil {
			code, _, _ = strings.Cut(err.Error(), ":")
		}
		d.mu.Lock()
		d.outcomes[what+" "+code]++
		d.mu.Unlock()
		if took := time.Since(began); took > 9*time.Second && !d.mute {
			d.t.Errorf("device %d: %s took %v and gave %v, in %+v", d.number, what, took, err, a.State())
		}
		var e *pam.Error
		if err != nil && (!errors.As(err, &e) || e.Code == "" || e.Text == "") {
			d.t.Errorf("device %d: %s gave %#v", d.number, what, err)
		}
		if s := a.State(); s.Phase == pam.PhaseFailed {
			d.t.Errorf("device %d: failed with %v", d.number, s.Err)
		}
		time.Sleep(r.upTo(5 * time.Millisecond))
	}
}

// settle reconnects the device and compares its list with the server's.
func (d *stressed) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a := d.device()
	var err error
	for range 5 {
		if _, err = a.Connect(ctx); err == nil {
			if err = a.Refresh(ctx, false); err == nil {
				break
			}
		}
	}
	if err != nil {
		d.t.Errorf("device %d does not reconnect: %v", d.number, err)
		return
	}
	want, version := d.p.Subscriptions("alice")
	if d.p.like.NoVersions {
		version = ""
	}
	for i := range want {
		if d.p.like.NoSubIDs {
			want[i].SubID = ""
		}
	}
	limit := 10 * time.Second
	if d.mute {
		limit = 30 * time.Second // A request times out after 20 s.
	}
	a.waitFor(limit, "the server's list", func() bool {
		s := a.Snapshot()
		rows := slices.Clone(s.List)
		for i := range rows {
			if d.p.like.NoSubIDs { // A notify has a subid, a list does not.
				rows[i].SubID = ""
			}
		}
		return string(s.Version) == version && slices.Equal(rowsOf(rows), rowsOfServer(want)) && len(s.Provisional) == 0
	})
	if s := a.State(); s.Phase != pam.PhaseLive || s.Pending != 0 || s.Missing != nil {
		d.t.Errorf("device %d: %+v", d.number, s)
	}
	_ = a.Close()
	d.check(a)
}

// check applies the events of a closed device: every change must fit the list that the
// earlier changes make, and all of them must make the device's list.
func (d *stressed) check(a *device) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := map[pam.Key]pam.Subscription{}
	for _, row := range a.first.List { // the stored list
		list[row.Key] = row
	}
	version := a.first.Version
	for _, e := range a.events {
		c, ok := e.(client.Changed)
		if !ok {
			continue
		}
		if c.From != version {
			d.t.Errorf("device %d: a change from %q came at %q", d.number, c.From, version)
		}
		version = c.To
		for _, change := range c.Changes {
			before, had := list[changed(change).Key]
			if (change.Before != nil) != had || had && before != *change.Before {
				d.t.Errorf("device %d: announced %+v over %+v", d.number, change, before)
			}
			if change.After != nil {
				list[change.After.Key] = *change.After
			} else {
				delete(list, change.Before.Key)
			}
		}
	}
	var rows []pam.Subscription
	for _, row := range list {
		rows = append(rows, row)
	}
	if s := a.Snapshot(); s.Version != version {
		d.t.Errorf("device %d: at version %q, and the events give %q", d.number, s.Version, version)
	} else if !slices.Equal(rowsOf(rows), rowsOf(s.List)) {
		d.t.Errorf("device %d: announced %q, and listed is %q", d.number, rowsOf(rows), rowsOf(s.List))
	}
}
