package client

import (
	"context"
	"time"

	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/pam"
)

// closeTimeout is how long Close waits for the server to close the stream.
const closeTimeout = 4 * time.Second

// A Client represents one account on this device. Its methods may be called from
// any goroutine. All errors that they return are of type *pam.Error.
//
// A Client is a facade: an engine, whose single goroutine owns all state, does the
// work.
type Client struct{ engine *engine.Engine }

// New returns a Client. It does no I/O, but it starts a goroutine that runs until
// Close is called.
//
// The account appears online while the Client is connected, because servers deliver
// nothing to a session that sends no presence. A server may also deliver chat
// messages to this session. The Client reports them as MessageReceived; a program
// that is the user's only XMPP client must not drop them.
func New(opts *Options) (*Client, error) {
	cfg, err := config(opts)
	if err != nil {
		return nil, err
	}
	return &Client{engine.New(cfg)}, nil
}

// Load reads the stored list, so that the program can show it before the server
// answers. Connect calls Load as well. A second call does not read the store again.
func (c *Client) Load(ctx context.Context) (pam.Snapshot, error) {
	err := perform(ctx, c, (*engine.Engine).Load)
	return c.Snapshot(), err
}

// Connect connects the Client, which then keeps the list equal to the server's until
// Disconnect is called. Connect returns after the first attempt; a nil error means
// that pam.PhaseLive was reached. If the attempt fails with a Retryable error,
// Connect returns that error while the Client keeps reconnecting according to the
// Reconnect policy; see pam.SyncState. Ctx limits only how long Connect waits: when
// it ends, the Client keeps connecting. If ctx has no deadline, Connect returns
// pam.CodeTimeout after two minutes, not counting the time that Credentials takes.
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

// Disconnect closes the session and stops reconnecting. Connect may be called again
// afterwards.
func (c *Client) Disconnect(ctx context.Context) error {
	return perform(ctx, c, (*engine.Engine).Disconnect)
}

// Close disconnects, stops the Client's goroutines and closes its store. Pending
// calls return an error with pam.CodeClosed. Close waits at most 4 seconds for the
// server and 3 for the store. It returns an error with pam.CodeStorage if the store
// could not be closed. Further calls return the same result.
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
// §3.2) and returns when the committed list contains the subscription. Its state
// may be pending or unconfigured. Subscribe sends nothing and returns an error with
// pam.CodeOffline unless the phase is pam.PhaseLive or pam.PhaseSyncing.
//
// Subscribe returns after 40 seconds at the latest, even if the connection is lost.
// The server has 20 seconds to answer. If it does not, the Client requests the list,
// which shows the outcome, and the server has another 20 seconds for it. If the
// server has not answered after 5 seconds, it may be withholding an error of the
// service. The Client then queries the service directly and, if the subscription
// fails, returns the service's error.
func (c *Client) Subscribe(ctx context.Context, target pam.Target) (pam.Subscription, error) {
	s, err := call(ctx, c, func(e *engine.Engine, reply func(*pam.Subscription, error)) { e.Subscribe(ctx, target, reply) })
	if err != nil {
		return pam.Subscription{}, err
	}
	return *s, nil
}

// Unsubscribe ends a subscription (XEP-0376 §3.3) and returns when the
// committed list no longer contains it, after 40 seconds at the latest. It is not
// an error if the subscription does not exist. If the service reports that it does
// not exist but the server still lists it, the Client removes the entry from the
// list on this device until either of them reports the subscription again.
func (c *Client) Unsubscribe(ctx context.Context, target pam.Target) error {
	_, err := call(ctx, c, func(e *engine.Engine, reply func(*pam.Subscription, error)) { e.Unsubscribe(ctx, target, reply) })
	return err
}

// Refresh requests the list from the server, without the stored version if
// ignoreVersion is set, and returns when the result is committed, after 40 seconds
// at the latest.
func (c *Client) Refresh(ctx context.Context, ignoreVersion bool) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.Refresh(ignoreVersion, reply) })
}

// Snapshot returns the list as of the last event.
func (c *Client) Snapshot() pam.Snapshot { return c.engine.Snapshot() }

// State returns the state as of the last StateChanged event.
func (c *Client) State() pam.SyncState { return c.engine.State() }

// Ignored returns the number of messages that the Client has ignored, wholly or in
// part, because they violate the protocol. Warning events report them, but not each
// one separately.
func (c *Client) Ignored() uint64 { return c.engine.Ignored() }

// Sleep tells the Client that the program may soon be suspended or terminated. The
// Client then acknowledges and stores what it can.
func (c *Client) Sleep() { c.engine.Post(c.engine.Sleep) }

// Freeze tells the Client that the program will be suspended at once, with its sockets
// open, as browsers do with a page in their back/forward cache. The server would take
// the Client for connected, because the browser answers its pings. The Client does what
// Sleep does, and drops the connection without closing the stream, so that the session
// can be resumed. It connects again at Wake or Connect, but not before; State has
// PhaseWaiting without NextAttempt until then. If Options.Reconnect is Off, Freeze does
// not drop the connection.
func (c *Client) Freeze() { c.engine.Post(c.engine.Freeze) }

// Wake tells the Client that the program has resumed or that the network may be
// available again. A Client that is waiting to reconnect does so at once; a
// connected Client checks whether the server still responds.
func (c *Client) Wake() { c.engine.Post(c.engine.Wake) }

// Reload reads the store again. Call it when another Client that shares the store
// has changed the list (see Changed). If the list has not changed, Reload has no
// effect.
func (c *Client) Reload() { c.engine.Post(c.engine.Reload) }

// Inspect sets whether OnFrame is called. It is at the start.
func (c *Client) Inspect(yes bool) { c.engine.Post(func() { c.engine.Inspect(yes) }) }

// Drop drops the connection without closing the stream, like a network failure. It
// is for tests and demonstrations.
func (c *Client) Drop() { c.engine.Post(c.engine.Drop) }
