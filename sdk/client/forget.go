package client

import (
	"context"
	"time"

	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/pam"
)

// An Export contains what the store holds for the account, except the secrets that
// would allow another program to take over a session.
type Export struct {
	Account              string
	List                 []pam.Subscription
	Version              pam.Version
	LastFull, LastSynced time.Time // when the client last received the full list, and last knew that the list equals the server's; zero if never
	Mechanism            string    // the SASL mechanism of the last authentication; empty if unknown
	Sessions             []StoredSession
}

// A StoredSession is a session that a later Client may resume.
type StoredSession struct {
	JID     string
	Saved   time.Time
	Waiting []string // stanzas sent by this device that the server has not acknowledged
}

// Export returns all that is stored for the account. It returns an error with
// pam.CodeStorage if the store cannot be read, or has failed before.
func (c *Client) Export(ctx context.Context) (Export, error) {
	all, err := call(ctx, c, (*engine.Engine).Export)
	if err != nil {
		return Export{}, err
	}
	e := Export{Account: c.engine.Account(), List: all.List.Rows(), Version: all.Version,
		LastFull: all.LastFull, LastSynced: all.LastSynced, Mechanism: all.Mechanism}
	for _, s := range all.Sessions {
		e.Sessions = append(e.Sessions, StoredSession(s))
	}
	return e, nil
}

// Forget closes the session and removes all data of the account from the store, as
// when a user logs out. The Client can be used again and starts with an empty store;
// calls made in the meantime wait. Other connected Clients that share the store would
// store the list again, so call Forget on them too.
//
// If the store fails, or has failed before, Forget returns an error with
// pam.CodeStorage, and the data may still be in the store.
func (c *Client) Forget(ctx context.Context) error {
	return perform(ctx, c, (*engine.Engine).Forget)
}
