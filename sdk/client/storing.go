package client

import (
	"cmp"
	"context"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// load reads the store once and replies when that is done. A store that cannot
// be read is replaced by memory, so it never fails for good.
func (o *owner) load(reply func(error)) {
	o.loading = append(o.loading, reply)
	o.read()
	o.goOn()
}

// read reads the store for the first time.
func (o *owner) read() {
	if o.reading {
		return
	}
	o.reading = true
	o.storage.do(func(ctx context.Context, d *durable) func() {
		now, record, err := d.load(ctx)
		var session *sessionRecord
		if err == nil && o.opts.Tab != "" {
			session = d.claimSession(ctx, cmp.Or(o.opts.Resume, o.opts.Tab), o.opts.Tab)
		}
		return func() {
			if err != nil {
				o.degrade(err)
				now = o.held()
			}
			o.takeLoaded(now, record, session)
		}
	}, func() { o.takeLoaded(o.held(), syncRecord{}, nil) })
}

// takeLoaded takes what the first reading found.
func (o *owner) takeLoaded(d listsync.Durable, record syncRecord, session *sessionRecord) {
	if d.Version != "" || len(d.List) > 0 {
		o.source = pam.SourceCache
	}
	o.sync, o.state.LastSynced = record, record.lastSynced
	if session != nil {
		o.restored, o.suspended = session, &session.stream
		o.saver.stored = true
	}
	o.step(listsync.Stored{Durable: d})
	o.publishSnapshot()
	o.publish()
	o.loaded = true
	o.goOn()
}

// goOn lets those go on who waited for the store to be read, and emptied if that
// was asked for.
func (o *owner) goOn() {
	for o.loaded && o.emptying == 0 && len(o.loading) > 0 {
		reply := o.loading[0]
		o.loading = o.loading[1:]
		reply(nil)
	}
}

// commit stores what the machine asks for; it has at most one commit under way.
func (o *owner) commit(c listsync.Commit) { o.store(c, o.delivered) }

// store stores c. The first covered stanzas of the session need not come again
// once it is done.
func (o *owner) store(c listsync.Commit, covered uint64) {
	record := o.sync
	intoMemory := func() { o.store(c, covered) } // which cannot fail
	o.storage.do(func(ctx context.Context, d *durable) func() {
		stored, err := d.commit(ctx, c, record)
		return func() {
			switch {
			case err == nil:
				o.step(listsync.Committed{Seq: c.Seq})
				o.committed(covered)
				if !o.state.Storage.Degraded {
					o.emit(Stored{})
				}
			case stored != nil:
				o.step(listsync.Conflict{Seq: c.Seq, Durable: *stored})
				o.acknowledge() // It may be what was to be stored.
			default:
				o.degrade(err)
				intoMemory()
			}
		}
	}, intoMemory)
}

// reload reads the list again, because another Client that shares the store may
// have changed it. A store that cannot be read now says so at the next commit.
func (o *owner) reload() {
	// One reading may have begun before the change. A second has not.
	if o.state.Storage.Degraded || o.reloads == 2 || !o.reading {
		return
	}
	o.reloads++
	o.storage.do(func(ctx context.Context, d *durable) func() {
		now, found, err := d.loadAnew(ctx)
		return func() {
			o.reloads--
			if o.state.Storage.Degraded {
				return // It failed meanwhile, and the memory that was read instead knows less.
			}
			// The account may have been forgotten. While there is a session, memory
			// is right, and the next commit finds out.
			switch {
			case err == nil && !found && o.machine.Phase() == listsync.Unsynced:
				now, found = d.empty(), true
				o.sync, o.source, o.state.LastSynced = syncRecord{}, pam.SourceEmpty, time.Time{}
			case found && o.source == pam.SourceEmpty:
				o.source = pam.SourceCache
			}
			if found {
				o.step(listsync.Stored{Durable: now})
				o.acknowledge()
				o.publish()
			}
		}
	}, func() { o.reloads-- })
}

// held is the list that the machine holds, which is what counts when the store
// has failed.
func (o *owner) held() listsync.Durable {
	list, stamp := o.machine.Committed()
	return listsync.Durable{Stamp: stamp, List: list.Rows(), Dropped: o.machine.Dropped()}
}

// degrade goes on in memory after the store has failed.
func (o *owner) degrade(err error) {
	var session []store.Op
	if o.opts.Tab != "" {
		session = append(session, store.Delete(sessionKey(o.opts.Tab)))
		o.outdated = true
	}
	o.storage.toMemory(o.held(), session, func() { o.outdated = false })
	o.state.Storage = pam.StorageState{Degraded: true, Err: err}
	o.warn(&pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: err, Retryable: false,
		Text: "The list cannot be stored (" + err.Error() + "). It is kept in memory until the program ends."})
	o.publish()
}
