// Package engine keeps an account connected and its list of subscriptions equal to
// the server's. One goroutine, the loop, runs all of it.
//
// It consists of parts, in layers:
//
//	Engine             wires them, and routes what they tell
//	account            the list, and the requests about it
//	session            stanzas: presence, requests and their answers
//	link     storage   the connection; the store
//	view               what the program sees
//	loop               the goroutine and its timers
//
// A part calls methods of those below it. What it has for those above it is a
// message, which goes into the engine's queue: it is handled when the work under
// way is done, in order, so that nothing calls upwards and no part is entered
// while it runs. A function that is given with a request belongs to the caller.
// Each field is written by the methods of its part alone. A test holds all of this.
package engine

import (
	"context"

	"xmpp-pam/sdk/pam"
)

// An Engine is one account on this device. New starts it. Snapshot, State, Ignored,
// Post, Done and Close may be called from any goroutine, all else only from work
// given to Post.
type Engine struct {
	*view
	queue   []message
	link    *link
	session *session
	account *account
	storage *storage
	closed  error // why the store could not be closed; set before Done
}

// New returns an engine whose goroutine runs until Close.
func New(cfg *Config) *Engine {
	l := newLoop()
	v := newView(l, cfg.OnEvent)
	e := &Engine{view: v}
	e.storage = newStorage(l, cfg, v, e.tell)
	e.link = newLink(l, cfg, v, e.tell)
	e.session = newSession(l, cfg, v, e.link, e.tell)
	e.account = newAccount(l, cfg, v, e.session, e.storage, e.tell)
	go e.run()
	return e
}

// run is the loop.
func (e *Engine) run() {
	defer close(e.done)
	for {
		select {
		case work := <-e.inbox:
			work()
			e.routeAll()
		case <-e.ctx.Done():
			e.link.close()
			e.stopTimers()
			e.closed = e.storage.close(e.link.resumption() != nil)
			return
		}
	}
}

// Post gives work to the loop, and drops it if the engine is closed.
func (e *Engine) Post(work func()) { e.post(work) }

// PostBefore is Post for a caller with a context, and reports whether the work was
// given before that ended.
func (e *Engine) PostBefore(ctx context.Context, work func()) bool {
	select {
	case e.inbox <- work:
	case <-e.ctx.Done():
	case <-ctx.Done():
		return false
	}
	return true
}

// Account is the bare JID.
func (e *Engine) Account() string { return e.account.cfg.Account.String() }

// Done is closed when the engine has ended.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Close ends the engine at once and closes the store, whose error it returns.
func (e *Engine) Close() error {
	e.cancel()
	<-e.done
	return e.closed
}

// Load calls done once the store has been read.
func (e *Engine) Load(done func(error)) { e.storage.whenReady(func() { done(nil) }) }

// Connect keeps a connection from now on, and tells the outcome of the first
// attempt. The result ends the wait for it.
func (e *Engine) Connect(done func(error)) (cancel func()) { return e.link.connect(done) }

// Disconnect ends the session in order, and all attempts to have one.
func (e *Engine) Disconnect(done func(error)) { e.link.disconnect(done) }

// Subscribe subscribes the account to a node.
func (e *Engine) Subscribe(ctx context.Context, t pam.Target, done func(*pam.Subscription, error)) {
	e.account.operate(ctx, true, t, done)
}

// Unsubscribe ends a subscription.
func (e *Engine) Unsubscribe(ctx context.Context, t pam.Target, done func(*pam.Subscription, error)) {
	e.account.operate(ctx, false, t, done)
}

// Refresh asks for the list, in full or not.
func (e *Engine) Refresh(full bool, done func(error)) { e.account.refresh(full, done) }

// Export reads all that is stored.
func (e *Engine) Export(done func(*Export, error)) {
	e.storage.whenReady(func() { e.storage.export(done) })
}

// Forget ends the session in order, and empties the store.
func (e *Engine) Forget(done func(error)) {
	e.storage.hold() // Whoever wants to connect from now on waits.
	e.link.disconnect(func(error) {
		e.storage.then(func() {
			if e.link.dropSession() { // also one of an earlier run
				e.endSession(false)
			}
			e.urgeSession()
			e.erase(done)
		})
	})
}

// erase empties the store after everything that was to be stored before.
func (e *Engine) erase(done func(error)) {
	if e.account.busy() { // It stores what it heard before the session ended.
		e.storage.then(func() { e.erase(done) })
		return
	}
	e.storage.erase(func(err error) {
		if err == nil {
			e.link.forget()
			e.account.reset(e.storage.empty())
			err = e.storage.degraded
		}
		if err != nil {
			done(storageError("removed", err))
		} else {
			done(nil)
		}
		e.storage.release()
	})
}

// Sleep stores and acknowledges what can be.
func (e *Engine) Sleep() {
	e.link.sleep()
	e.urgeSession()
}

// Wake dials at once, or asks the connection for a sign of life.
func (e *Engine) Wake() { e.link.wake() }

// Reload reads the store again.
func (e *Engine) Reload() { e.storage.reload() }

// Drop cuts the connection.
func (e *Engine) Drop() { e.link.drop() }
