package client

import "time"

// Waiting counts what a client that is quiet must not have: requests, operations,
// calls and stanzas that wait.
func Waiting(c *Client) int {
	answer := make(chan int, 1)
	c.post(func() {
		o := c.owner
		answer <- len(o.requests) + len(o.operations) + len(o.refreshes) + len(o.outbox) + len(o.waiters)
	})
	select {
	case n := <-answer:
		return n
	case <-c.done:
		return 0
	}
}

// Timers counts the timers that a closed client has left running.
func Timers(c *Client) (n int) {
	<-c.done
	o := c.owner
	all := []*time.Timer{o.retry, o.relist, o.saver.timer, o.ignores.timer}
	for _, t := range o.timers {
		all = append(all, t)
	}
	for _, r := range o.requests {
		all = append(all, r.timer)
	}
	for _, t := range all {
		if t != nil && t.Stop() {
			n++
		}
	}
	return n
}
