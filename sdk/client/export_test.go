package client

import (
	"context"
	"fmt"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// StoredList is the list in a store, and whether what is there fits together.
func StoredList(s store.Store) (listsync.Durable, bool) {
	d := &durable{store: s}
	now, _, err := d.load(context.Background())
	if d.meta == nil {
		now.Stamp = listsync.Stamp{}
	}
	return now, err == nil && !d.stale || d.meta == nil
}

// Waiting names what a client that is quiet must not have: requests, operations,
// calls and stanzas that wait. It is empty if there is nothing.
func Waiting(c *Client) string {
	answer := make(chan string, 1)
	c.post(func() {
		o := c.owner
		if len(o.requests)+len(o.operations)+len(o.refreshes)+len(o.outbox)+len(o.waiters) == 0 {
			answer <- ""
			return
		}
		answer <- fmt.Sprintf("%d requests, %d operations, %d refreshes, %d stanzas, %d connects; the machine is %v, dirty: %v",
			len(o.requests), len(o.operations), len(o.refreshes), len(o.outbox), len(o.waiters), o.machine.Phase(), o.machine.Dirty())
	})
	select {
	case n := <-answer:
		return n
	case <-c.done:
		return ""
	}
}

// Settled tells that a client is live, and that nothing is under way.
func Settled(c *Client) bool {
	answer := make(chan bool, 1)
	c.post(func() {
		o := c.owner
		answer <- o.conn.usable() && o.state.Phase == pam.PhaseLive && o.state.Missing == nil && o.quiet() && len(o.storage.jobs) == 0 && o.loaded &&
			len(o.requests)+len(o.operations)+len(o.outbox) == 0 && o.hints.timer == nil
	})
	select {
	case yes := <-answer:
		return yes
	case <-c.done:
		return false
	}
}

// Running counts the timers that run now.
func Running(c *Client) int {
	n := make(chan int, 1)
	c.post(func() { n <- len(c.owner.running) })
	return <-n
}

// Timers counts the timers that a closed client has left running.
func Timers(c *Client) int {
	<-c.done
	return len(c.owner.running)
}

// InVain is how many resumptions in a row were in vain.
func InVain(c *Client) int {
	answer := make(chan int, 1)
	c.post(func() {
		n := 0
		if r := c.owner.resumption(); r != nil {
			n = r.Replays
		}
		answer <- n
	})
	select {
	case n := <-answer:
		return n
	case <-c.done:
		return 0
	}
}
