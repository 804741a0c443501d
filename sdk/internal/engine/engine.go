// Package engine keeps an account connected and its list of subscriptions equal to
// the server's. One goroutine, the loop, runs all of it.
//
// It consists of parts, in layers:
//
//	Engine             creates the parts and passes on their messages
//	events             what was published at the nodes of the list
//	account  seen      the list, and the requests about it; up to where events were seen
//	session            stanzas: presence, requests and their answers
//	link     storage   the connection; the store
//	view               what the program sees
//	loop               the goroutine and its timers
//
// A part calls only methods of the parts below it. To the parts above it sends
// messages through the engine's queue. The engine handles a message, in order, when the
// current work is done, so that no part calls a part above it, and no method of a part is
// called while another of its methods runs. A function that a part passes with a request
// may call methods of that part. Only the methods of a part write its fields. A test
// checks these rules.
package engine

import (
	"context"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// An Engine represents one account on this device. New starts it. Snapshot, State,
// Ignored, Post, Done and Close may be called from any goroutine, all other methods
// only from work passed to Post.
type Engine struct {
	*view
	queue   []message
	link    *link
	session *session
	account *account
	events  *events
	seen    *seen
	storage *storage
	closed  error // why the store could not be closed; set before Done
}

// New returns an engine and starts its goroutine, which runs until Close is called.
func New(cfg *Config) *Engine {
	l := newLoop()
	v := newView(l, cfg.OnEvent)
	e := &Engine{view: v}
	e.storage = newStorage(l, cfg, v, e.report)
	e.link = newLink(l, cfg, v, e.report)
	e.session = newSession(l, cfg, v, e.link, e.report)
	e.account = newAccount(l, cfg, v, e.session, e.storage, e.report)
	e.seen = newSeen(l, cfg, v, e.session, e.report)
	e.events = newEvents(l, cfg, v, e.session, e.account, e.storage, e.seen, e.report)
	v.setInterests(cfg.Interests)
	go e.run()
	return e
}

// run is the loop.
func (e *Engine) run() {
	defer close(e.done)
	for {
		select {
		case work := <-e.inbox:
			e.readClock()
			work()
			e.routeAll()
		case <-e.link.arrived:
			e.link.receive()
			e.routeAll()
		case <-e.ctx.Done():
			e.link.close()
			e.stopTimers()
			e.closed = e.storage.close(e.link.resumption() != nil)
			return
		}
	}
}

// Post queues work for the loop, and drops it if the engine is closed.
func (e *Engine) Post(work func()) { e.post(work) }

// PostBefore is like Post, and returns false if ctx ended before the work was queued.
func (e *Engine) PostBefore(ctx context.Context, work func()) bool {
	select {
	case e.inbox <- work:
	case <-e.ctx.Done():
	case <-ctx.Done():
		return false
	}
	return true
}

// Account returns the bare JID of the account.
func (e *Engine) Account() string { return e.account.cfg.Account.String() }

// Done returns a channel that is closed when the engine has ended.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Close ends the engine at once, closes the store and returns the store's error.
func (e *Engine) Close() error {
	e.cancel()
	<-e.done
	return e.closed
}

// Load calls done once the store has been read.
func (e *Engine) Load(done func(error)) { e.storage.whenReady(func() { done(nil) }) }

// Connect starts connecting and reconnecting, and calls done with the outcome of the
// first attempt. The returned function cancels the wait for that outcome.
func (e *Engine) Connect(done func(error)) (cancel func()) { return e.link.connect(done) }

// Disconnect closes the session and stops reconnecting.
func (e *Engine) Disconnect(done func(error)) { e.link.disconnect(done) }

// Subscribe subscribes the account to a node.
func (e *Engine) Subscribe(ctx context.Context, t pam.Target, done func(*pam.Subscription, error)) {
	e.account.operate(ctx, true, t, done)
}

// Unsubscribe ends a subscription.
func (e *Engine) Unsubscribe(ctx context.Context, t pam.Target, done func(*pam.Subscription, error)) {
	e.account.operate(ctx, false, t, done)
}

// Request sends an iq of type kind to an entity, which is the account if to is empty, and
// calls done with the result.
func (e *Engine) Request(ctx context.Context, kind, to string, payload *element.Element, done func(*element.Element, error)) {
	e.session.call(ctx, kind, to, payload, func(iq *element.Element, err *pam.Error) {
		if err != nil {
			done(nil, err)
			return
		}
		done(iq, nil)
	})
}

// Send sends a message stanza with the content to an entity.
func (e *Engine) Send(to, kind string, content []element.Node, done func(error)) {
	if err := e.session.sendMessage(to, kind, content); err != nil {
		done(err)
		return
	}
	done(nil)
}

// List reads a page of the inbox.
func (e *Engine) List(q pam.EventQuery, done func(*pam.EventPage, error)) {
	e.whenInbox(func() { e.events.list(q, done) })
}

// Inbox returns the state of the inbox.
func (e *Engine) Inbox(done func(*pam.InboxState, error)) {
	e.whenInbox(func() { done(e.events.state(), nil) })
}

// MarkSeen marks events as seen on this device, see events.markSeen.
func (e *Engine) MarkSeen(ids []string, upTo string, done func(error)) {
	e.whenInbox(func() {
		e.events.markSeen(ids, upTo)
		done(nil)
	})
}

// Looked begins InboxState.Away anew.
func (e *Engine) Looked(done func(error)) {
	e.whenInbox(func() {
		e.events.looked()
		done(nil)
	})
}

// CatchUp continues a catch-up that has ended before everything was read.
func (e *Engine) CatchUp(done func(error)) {
	if err := e.events.retry(); err != nil {
		done(err)
		return
	}
	done(nil)
}

// CancelCatchUp ends the catch-up of this session.
func (e *Engine) CancelCatchUp(done func(error)) {
	e.events.cancel()
	done(nil)
}

// whenInbox calls f once the inbox has been read.
func (e *Engine) whenInbox(f func()) {
	e.storage.whenReady(func() { e.storage.then(f) })
}

// SetInterests sets which events are kept, and announces the nodes of the interests.
func (e *Engine) SetInterests(interests []pam.Interest, done func(error)) {
	checked, err := CheckInterests(interests)
	if err != nil {
		done(err)
		return
	}
	e.view.setInterests(checked)
	e.session.setInterests(checked)
	e.events.setInterests(checked)
	done(nil)
}

// Warn emits a warning.
func (e *Engine) Warn(err *pam.Error) { e.view.warn(err) }

// Refresh requests the list, without a version if full is set.
func (e *Engine) Refresh(full bool, done func(error)) { e.account.refresh(full, done) }

// Export reads all stored data of the account.
func (e *Engine) Export(done func(*Export, error)) {
	e.storage.whenReady(func() { e.storage.export(done) })
}

// Forget closes the session and empties the store.
func (e *Engine) Forget(done func(error)) {
	e.storage.hold() // Later calls of Connect wait until the store is empty.
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

// erase empties the store after all pending writes.
func (e *Engine) erase(done func(error)) {
	if e.account.busy() || e.events.busy() { // They still store what came before the session ended.
		e.storage.then(func() { e.erase(done) })
		return
	}
	e.events.suspend()
	e.storage.erase(func(err error) {
		if err != nil {
			e.events.resume()
		} else {
			e.link.forget()
			e.account.reset(e.storage.empty())
			e.events.reset()
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

// Sleep prepares for the suspension of the program: it acknowledges the stanzas that are
// stored, and stores the session.
func (e *Engine) Sleep() {
	e.link.sleep()
	e.urgeSession()
}

// Freeze prepares for a suspension of the program that follows at once: it does what Sleep
// does, and drops the connection until Wake or Connect.
func (e *Engine) Freeze() {
	e.Sleep()
	e.link.freeze()
}

// Wake ends a wait between two attempts, shortens the time limit of an attempt, or checks
// whether the connection is alive.
func (e *Engine) Wake() { e.link.wake() }

// Inspect sets whether messages are passed to OnFrame.
func (e *Engine) Inspect(yes bool) { e.link.inspect(yes) }

// Reload reads the store again.
func (e *Engine) Reload() {
	e.storage.reload()
	e.events.reload()
}

// Drop drops the connection without closing the stream.
func (e *Engine) Drop() { e.link.drop() }
