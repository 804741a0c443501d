package client

import (
	"context"

	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/store"
)

// StoredList is the list in a store, and whether what is there fits together.
func StoredList(s store.Store) (listsync.Durable, bool) {
	return engine.StoredList(context.Background(), s)
}

// Waiting names what a client that is quiet must not have. It is empty if there is
// nothing.
func Waiting(c *Client) string { return status(c).Waiting }

// Settled reports whether a client is live, and nothing is under way.
func Settled(c *Client) bool { return status(c).Settled }

// Running counts the timers that run now, or that a closed client has left running.
func Running(c *Client) int { return status(c).Timers }

// Timers counts the timers that a closed client has left running.
func Timers(c *Client) int {
	<-c.engine.Done()
	return status(c).Timers
}

// InVain is how many resumptions in a row were in vain.
func InVain(c *Client) int { return status(c).Replays }

func status(c *Client) engine.Status { return c.engine.Status() }
