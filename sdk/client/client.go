package client

import (
	"context"
	"time"

	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/pam"
)

// closeTimeout is the wait for the server to end the session in order.
const closeTimeout = 4 * time.Second

// A Client is one account on this device. Its methods may be called from any
// goroutine. All errors that they return are of type *pam.Error.
//
// It hands the options, checked, to an engine, whose one goroutine owns all state,
// and gives that what its methods are asked for.
type Client struct{ engine *engine.Engine }

// New returns a Client. It does no I/O; but it runs a goroutine until Close is
// called.
//
// The account is seen online while it is connected, because servers deliver
// nothing to a session that sends no presence. A server may also hand this
// session chat messages; they come as MessageReceived and must not be dropped
// by a program that is the only one the person uses.
func New(opts *Options) (*Client, error) {
	cfg, err := config(opts)
	if err != nil {
		return nil, err
	}
	return &Client{engine.New(cfg)}, nil
}

// Load reads the stored list, so that it can be shown before any server
// answers. Connect does it too. It does nothing the second time.
func (c *Client) Load(ctx context.Context) (pam.Snapshot, error) {
	err := perform(ctx, c, (*engine.Engine).Load)
	return c.Snapshot(), err
}

// Connect keeps the list equal to the server's from now on, until Disconnect,
// and waits for the outcome of the first attempt: nil means pam.PhaseLive. If the
// attempt fails with a Retryable error, Connect returns it while the Client goes
// on trying as the Reconnect policy says; see pam.SyncState. Ctx bounds the wait
// alone: when it ends, the Client goes on trying as well. Without a deadline the
// wait ends with pam.CodeTimeout after two minutes, besides what Credentials takes.
func (c *Client) Connect(ctx context.Context) (pam.SyncState, error) {
	var cancel func()
	err := perform(ctx, c, func(e *engine.Engine, reply func(error)) { cancel = e.Connect(reply) })
	if err != nil && ctx.Err() != nil {
		c.engine.Post(func() {
			if cancel != nil {
				cancel()
			}
		})
	}
	return c.State(), err
}

// Disconnect ends the session in order, and all attempts to have one. The Client
// can be connected again.
func (c *Client) Disconnect(ctx context.Context) error {
	return perform(ctx, c, (*engine.Engine).Disconnect)
}

// Close disconnects, ends the Client's goroutines and closes its store. Calls
// that wait return an error with pam.CodeClosed. It takes no longer than 4 seconds
// for the server and 3 for the store. The error is of pam.CodeStorage if the store
// could not be closed. It may be called twice, and returns the same then.
func (c *Client) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = c.Disconnect(ctx)
	if err := c.engine.Close(); err != nil {
		return &pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: err,
			Text: "The store could not be closed (" + err.Error() + "). What was to be stored last may not be."}
	}
	return nil
}

// Subscribe subscribes the account to a node through its server (XEP-0376
// §3.2) and returns when the committed list shows it. The state may be pending
// or unconfigured. It fails with pam.CodeOffline, and sends nothing, unless the
// phase is pam.PhaseLive or pam.PhaseSyncing.
//
// It ends after 40 seconds whatever becomes of the connection: the server has 20
// for its answer, and as long again for the list, which decides if there is none.
// A server that is silent for 5 seconds may be hiding an error of the service,
// which is then asked itself; what it says is the error in the end.
func (c *Client) Subscribe(ctx context.Context, target pam.Target) (pam.Subscription, error) {
	s, err := call(ctx, c, func(e *engine.Engine, reply func(*pam.Subscription, error)) { e.Subscribe(ctx, target, reply) })
	if err != nil {
		return pam.Subscription{}, err
	}
	return *s, nil
}

// Unsubscribe ends a subscription (XEP-0376 §3.3) and returns when the
// committed list no longer shows it, after 40 seconds at the latest. A
// subscription that does not exist any more is no error. If the service says so
// but the server still lists it, the row is left out of the list on this device
// until either server tells of the subscription anew.
func (c *Client) Unsubscribe(ctx context.Context, target pam.Target) error {
	_, err := call(ctx, c, func(e *engine.Engine, reply func(*pam.Subscription, error)) { e.Unsubscribe(ctx, target, reply) })
	return err
}

// Refresh asks the server for the list, without the stored version if
// ignoreVersion is set, and returns when the outcome is committed, after 40
// seconds at the latest.
func (c *Client) Refresh(ctx context.Context, ignoreVersion bool) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.Refresh(ignoreVersion, reply) })
}

// Snapshot returns the list as it was last announced.
func (c *Client) Snapshot() pam.Snapshot { return c.engine.Snapshot() }

// State returns the state as it was last announced.
func (c *Client) State() pam.SyncState { return c.engine.State() }

// Ignored counts the messages that were ignored since New, wholly or in part,
// because they break a rule. Warnings tell of them, but not of each.
func (c *Client) Ignored() uint64 { return c.engine.Ignored() }

// Sleep tells that the program may be stopped soon, for a while or for good:
// what can be acknowledged and stored is.
func (c *Client) Sleep() { c.engine.Post(c.engine.Sleep) }

// Wake tells that the network or the page may be back: a Client that waits to
// reconnect does so at once, and one that has a connection asks whether it is
// still there.
func (c *Client) Wake() { c.engine.Post(c.engine.Wake) }

// Reload reads the store again, because another Client that shares it says that
// it has changed the list (see Stored). A false alarm changes nothing.
func (c *Client) Reload() { c.engine.Post(c.engine.Reload) }

// Drop cuts the connection without a word, as a network would. It is for tests
// and demonstrations.
func (c *Client) Drop() { c.engine.Post(c.engine.Drop) }
