package client

import (
	"context"
	"time"

	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/pam"
)

// An Export is what the store holds for the account, but for what would let
// somebody else take a session over.
type Export struct {
	Account              string
	List                 []pam.Subscription
	Version              pam.Version
	LastFull, LastSynced time.Time // when the list was asked for in full, and was known to be right; zero if never
	Mechanism            string    // of the last log-in (SASL); empty if none is known
	Sessions             []StoredSession
}

// A StoredSession is a session that a tab may go on with.
type StoredSession struct {
	JID     string
	Saved   time.Time
	Waiting []string // stanzas of this device that the server may not have
}

// Export reads all that is stored for the account. The error is of pam.CodeStorage
// if the store cannot be read, or has failed before.
func (c *Client) Export(ctx context.Context) (Export, error) {
	all, err := call(ctx, c, (*engine.Engine).Export)
	if err != nil {
		return Export{}, err
	}
	e := Export{Account: c.engine.Account(), List: all.List, Version: all.Version,
		LastFull: all.LastFull, LastSynced: all.LastSynced, Mechanism: all.Mechanism}
	for _, s := range all.Sessions {
		e.Sessions = append(e.Sessions, StoredSession(s))
	}
	return e, nil
}

// Forget ends the session in order, and removes from the store all that is kept
// for the account: a person logs out for good. The Client can be used again and
// begins with nothing, and calls made meanwhile wait. Other Clients that share
// the store and are connected store the list again; have them Forget too.
//
// If the store fails, or has failed before, the error is of pam.CodeStorage, and
// what the store held may still be there.
func (c *Client) Forget(ctx context.Context) error {
	return perform(ctx, c, (*engine.Engine).Forget)
}
