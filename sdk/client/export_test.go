package client

import (
	"context"

	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/store"
)

// StoredList returns the list in a store, and whether its records are consistent.
func StoredList(s store.Store) (listsync.Durable, bool) {
	return engine.StoredList(context.Background(), s)
}

// Waiting names the pending work of a client, or is empty if the client is idle.
func Waiting(c *Client) string { return status(c).Waiting }

// Settled reports whether a client is live and has no pending work.
func Settled(c *Client) bool { return status(c).Settled }

// Running returns the number of running timers, also of a closed client.
func Running(c *Client) int { return status(c).Timers }

// Timers returns the number of timers that a closed client has left running.
func Timers(c *Client) int {
	<-c.engine.Done()
	return status(c).Timers
}

// InVain returns the number of consecutive resumptions without progress.
func InVain(c *Client) int { return status(c).Replays }

// Devices returns the number of other devices that a client remembers.
func Devices(c *Client) int { return status(c).Devices }

func status(c *Client) engine.Status { return c.engine.Status() }
