package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// A Client is one account on this device. Its methods may be called from any
// goroutine. All errors that they return are of type *pam.Error.
type Client struct {
	inbox   chan func() // work for the owner
	done    chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc
	owner   *owner
	closing error // why the store could not be closed; set before done is closed

	mu       sync.Mutex
	list     *listsync.List // of the snapshot
	snapshot pam.Snapshot
	state    pam.SyncState
	ignored  uint64
}

// New returns a Client. It does no I/O; but it runs a goroutine until Close is
// called.
//
// The account is seen online while it is connected, because servers deliver
// nothing to a session that sends no presence. A server may also hand this
// session chat messages; they come as MessageReceived and must not be dropped
// by a program that is the only one the person uses.
func New(opts *Options) (*Client, error) {
	if opts == nil {
		opts = &Options{}
	}
	account, err := parseAccount(opts.Account)
	if err != nil {
		return nil, err
	}
	where, err := newPlaces(opts)
	if err != nil {
		return nil, err
	}
	if opts.Credentials == nil {
		return nil, clientError(pam.CodeBadOptions, "Credentials is missing: give a function that returns the password.")
	}
	if opts.Dialer == nil {
		return nil, clientError(pam.CodeBadOptions, "Dialer is missing: natively use transport/ws.")
	}
	c := &Client{
		inbox: make(chan func(), 64),
		done:  make(chan struct{}),
		state: pam.SyncState{Phase: pam.PhaseOffline},
	}
	c.list, c.snapshot.Source = listsync.NewList(nil), pam.SourceEmpty
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.owner = newOwner(c, opts, account, where)
	go c.run()
	return c, nil
}

// Load reads the stored list, so that it can be shown before any server
// answers. Connect does it too. It does nothing the second time.
func (c *Client) Load(ctx context.Context) (pam.Snapshot, error) {
	err := perform(ctx, c, func(o *owner, reply func(error)) { o.load(reply) })
	return c.Snapshot(), err
}

// Connect keeps the list equal to the server's from now on, until Disconnect,
// and waits for the outcome of the first attempt: nil means pam.PhaseLive. If the
// attempt fails with a Retryable error, Connect returns it while the Client goes
// on trying as the Reconnect policy says; see pam.SyncState. Ctx bounds the wait
// alone: when it ends, the Client goes on trying as well. Without a deadline the
// wait ends with pam.CodeTimeout after two minutes, besides what Credentials takes.
func (c *Client) Connect(ctx context.Context) (pam.SyncState, error) {
	w := &waiter{}
	err := perform(ctx, c, func(o *owner, reply func(error)) {
		w.reply = reply
		o.connect(w)
	})
	if err != nil && ctx.Err() != nil {
		c.post(func() { c.owner.giveUp(w) })
	}
	return c.State(), err
}

// Disconnect ends the session in order, and all attempts to have one. The Client
// can be connected again.
func (c *Client) Disconnect(ctx context.Context) error {
	return perform(ctx, c, func(o *owner, reply func(error)) { o.disconnect(reply) })
}

// Close disconnects, ends the Client's goroutines and closes its store. Calls
// that wait return an error with pam.CodeClosed. It takes no longer than 4 seconds
// for the server and 3 for the store. The error is of pam.CodeStorage if the store
// could not be closed. It may be called twice, and returns the same then.
func (c *Client) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout+time.Second)
	defer cancel()
	_ = c.Disconnect(ctx)
	c.cancel()
	<-c.done
	if c.closing == nil {
		return nil
	}
	return &pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: c.closing,
		Text: "The store could not be closed (" + c.closing.Error() + "). What was to be stored last may not be."}
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
	return call(ctx, c, func(o *owner, reply func(pam.Subscription, error)) { o.operate(ctx, true, target, reply) })
}

// Unsubscribe ends a subscription (XEP-0376 §3.3) and returns when the
// committed list no longer shows it, after 40 seconds at the latest. A
// subscription that does not exist any more is no error. If the service says so
// but the server still lists it, the row is left out of the list on this device
// until either server tells of the subscription anew.
func (c *Client) Unsubscribe(ctx context.Context, target pam.Target) error {
	return perform(ctx, c, func(o *owner, reply func(error)) {
		o.operate(ctx, false, target, func(_ pam.Subscription, err error) { reply(err) })
	})
}

// Refresh asks the server for the list, without the stored version if
// ignoreVersion is set, and returns when the outcome is committed, after 40
// seconds at the latest.
func (c *Client) Refresh(ctx context.Context, ignoreVersion bool) error {
	return perform(ctx, c, func(o *owner, reply func(error)) { o.refresh(ignoreVersion, reply) })
}

// Snapshot returns the list as it was last announced.
func (c *Client) Snapshot() pam.Snapshot {
	c.mu.Lock()
	list, s := c.list, c.snapshot
	c.mu.Unlock()
	s.List = list.Rows()
	return s
}

// State returns the state as it was last announced.
func (c *Client) State() pam.SyncState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Ignored counts the messages that were ignored since New, wholly or in part,
// because they break a rule. Warnings tell of them, but not of each.
func (c *Client) Ignored() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ignored
}

// Sleep tells that the program may be stopped soon, for a while or for good:
// what can be acknowledged and stored is.
func (c *Client) Sleep() { c.post(func() { c.owner.sleep() }) }

// Wake tells that the network or the page may be back: a Client that waits to
// reconnect does so at once, and one that has a connection asks whether it is
// still there.
func (c *Client) Wake() { c.post(func() { c.owner.wake() }) }

// Reload reads the store again, because another Client that shares it says that
// it has changed the list (see Stored). A false alarm changes nothing.
func (c *Client) Reload() { c.post(func() { c.owner.reload() }) }

// Drop cuts the connection without a word, as a network would. It is for tests
// and demonstrations.
func (c *Client) Drop() { c.post(func() { c.owner.drop() }) }

// run is the owner's goroutine.
func (c *Client) run() {
	defer close(c.done)
	for {
		select {
		case work := <-c.inbox:
			work()
		case <-c.ctx.Done():
			c.closing = c.owner.close()
			return
		}
	}
}

// post gives work to the owner, and drops it if the Client is closed.
func (c *Client) post(work func()) {
	select {
	case c.inbox <- work:
	case <-c.ctx.Done():
	}
}

// call has the owner start something and waits until it replies, once.
func call[T any](ctx context.Context, c *Client, start func(o *owner, reply func(T, error))) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var none T
	answer := make(chan outcome, 1)
	select {
	case c.inbox <- func() {
		start(c.owner, func(value T, err error) {
			select {
			case answer <- outcome{value, err}:
			default: // The first reply counts.
			}
		})
	}:
	case <-c.ctx.Done():
	case <-ctx.Done():
		return none, contextError(ctx)
	}
	select {
	case a := <-answer:
		return a.value, a.err
	case <-ctx.Done():
		return none, contextError(ctx)
	case <-c.done:
		select {
		case a := <-answer:
			return a.value, a.err
		default:
			return none, clientError(pam.CodeClosed, "The client was closed. Make a new one.")
		}
	}
}

// perform is a call without a result.
func perform(ctx context.Context, c *Client, start func(o *owner, reply func(error))) error {
	_, err := call(ctx, c, func(o *owner, reply func(struct{}, error)) {
		start(o, func(err error) { reply(struct{}{}, err) })
	})
	return err
}

func contextError(ctx context.Context) *pam.Error {
	e := &pam.Error{Code: pam.CodeAborted, Origin: pam.FromClient, Text: "The call was aborted by its caller.", Err: context.Cause(ctx)}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Code, e.Text, e.Retryable = pam.CodeTimeout, "The call did not finish in the time that its caller gave it.", true
	}
	return e
}

func parseAccount(account string) (jid.JID, error) {
	if account == "" {
		return jid.JID{}, clientError(pam.CodeBadOptions, "Account is missing: give a bare JID such as alice@example.org.")
	}
	j, err := address.Parse(account)
	if err != nil {
		return jid.JID{}, &pam.Error{Code: pam.CodeBadJID, Origin: pam.FromClient, Err: err,
			Text: "The account " + quote(account) + " is no JID" + why(err) + ": give one such as alice@example.org."}
	}
	if j.Localpart() == "" || j.Resourcepart() != "" {
		return jid.JID{}, clientError(pam.CodeBadJID, "The account "+quote(account)+" is no bare JID: give one such as alice@example.org, without a resource.")
	}
	return j, nil
}

// why says in parentheses what a JID lacks that looks like one.
func why(err error) string {
	if errors.Is(err, address.ErrDomain) {
		return " (" + err.Error() + ")"
	}
	return ""
}
