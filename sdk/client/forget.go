package client

import (
	"cmp"
	"context"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
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
	return call(ctx, c, func(o *owner, reply func(Export, error)) {
		o.load(func(error) {
			done := func(e Export, err error) {
				if err = cmp.Or(err, o.state.Storage.Err); err != nil {
					reply(Export{}, storageError("read", err))
					return
				}
				e.Account = o.account.String()
				reply(e, nil)
			}
			o.storage.do(func(ctx context.Context, d *durable) func() {
				e, err := export(ctx, d.store)
				return func() { done(e, err) }
			}, func() { done(Export{}, errStoreSilent) })
		})
	})
}

func export(ctx context.Context, s store.Store) (Export, error) {
	now, record, err := (&durable{store: s}).load(ctx)
	if err != nil {
		return Export{}, err
	}
	e := Export{List: now.List, Version: now.Version, LastFull: record.lastFull, LastSynced: record.lastSynced, Mechanism: record.mechanism}
	records, err := s.Scan(ctx, store.Range{From: keySessions, To: keySessions + "\xff"})
	for _, r := range records {
		if session, ok := decodeSession(r.Value); ok {
			e.Sessions = append(e.Sessions, StoredSession{JID: session.stream.JID.String(), Saved: session.saved, Waiting: session.stream.Unacked})
		}
	}
	return e, err
}

func storageError(verb string, err error) *pam.Error {
	return &pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: err,
		Text: "What is stored for the account could not be " + verb + " (" + err.Error() + "). It may still be there; clearing the site's data removes it."}
}

// Forget ends the session in order, and removes from the store all that is kept
// for the account: a person logs out for good. The Client can be used again and
// begins with nothing, and calls made meanwhile wait. Other Clients that share
// the store and are connected store the list again; have them Forget too.
//
// If the store fails, or has failed before, the error is of pam.CodeStorage, and
// what the store held may still be there.
func (c *Client) Forget(ctx context.Context) error {
	return perform(ctx, c, func(o *owner, reply func(error)) { o.forget(reply) })
}

func (o *owner) forget(reply func(error)) {
	o.emptying++ // Whoever wants to connect from now on waits.
	o.read()
	o.disconnect(func(error) {
		o.storage.then(func() {
			o.forgetSession() // also one of an earlier run
			o.wipe(reply)
		})
	})
}

// wipe empties the store after everything that was to be stored before.
func (o *owner) wipe(reply func(error)) {
	if o.machine.Busy() { // It stores what it heard before the session ended.
		o.storage.then(func() { o.wipe(reply) })
		return
	}
	done := func(err error) {
		if err == nil {
			o.startOver()
			err = o.state.Storage.Err
		}
		if err != nil {
			reply(storageError("removed", err))
		} else {
			reply(nil)
		}
		o.emptying--
		o.goOn()
	}
	o.storage.do(func(ctx context.Context, d *durable) func() {
		err := d.store.Commit(ctx, nil, []store.Op{store.DeleteRange("", "")})
		return func() { done(err) }
	}, func() { done(errStoreSilent) })
}

// startOver is like a first start with an empty store.
func (o *owner) startOver() {
	old := o.held()
	d := o.storage.durable.empty()
	o.machine = listsync.NewMachine()
	o.machine.Step(listsync.Stored{Durable: d})
	clear(o.heard)
	o.overlaid = true
	o.sync, o.source, o.state.LastSynced = syncRecord{}, pam.SourceEmpty, time.Time{}
	o.saver.stored, o.restored = false, nil
	gone := make([]pam.Change, len(old.List))
	for i := range old.List {
		gone[i] = pam.Change{Before: &old.List[i]}
	}
	o.publishSnapshot()
	o.showProvisional()
	o.emit(Changed{Changes: gone, From: old.Version, Origin: pam.OriginThisDevice, Source: o.source})
	o.emit(Stored{})
	o.publish()
}
