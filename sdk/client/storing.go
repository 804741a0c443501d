package client

import (
	"cmp"
	"context"
	"time"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// work does something that may take a while in the store, and then what that
// returns, here.
func (o *owner) work(f func() (then func())) {
	o.working++
	o.saving.Add(1)
	go func() {
		defer o.saving.Done()
		then := f()
		o.c.post(func() {
			o.working--
			then()
			if waiting := o.rested; o.working == 0 && waiting != nil {
				o.rested = nil
				waiting()
			}
		})
	}()
}

// load reads the store once and replies when that is done. A store that cannot
// be read is replaced by memory, so it never fails for good.
func (o *owner) load(reply func(error)) {
	if o.loaded {
		reply(nil)
		return
	}
	o.loading = append(o.loading, reply)
	if len(o.loading) > 1 {
		return
	}
	o.work(func() func() {
		d, record, err := o.durable.load(o.c.ctx)
		var session *sessionRecord
		if err == nil && o.opts.Tab != "" {
			session = o.durable.claimSession(o.c.ctx, cmp.Or(o.opts.Resume, o.opts.Tab), o.opts.Tab)
		}
		return func() {
			if err != nil {
				o.degrade(err, d)
			}
			o.loaded = true
			if d.Version != "" || len(d.List) > 0 {
				o.source = SourceCache
			}
			o.sync, o.state.LastSynced = record, record.lastSynced
			if session != nil {
				o.restored, o.suspended = session, &session.stream
				o.saver.stored = true
			}
			o.step(pam.Stored{Durable: d})
			o.publishSnapshot()
			o.publish()
			o.goOn()
		}
	})
}

// goOn lets those go on who waited for the store to be read, or emptied.
func (o *owner) goOn() {
	waiting := o.loading
	o.loading = nil
	for _, reply := range waiting {
		reply(nil)
	}
	if o.stale {
		o.reload()
	}
}

// commit stores on another goroutine; the machine has at most one under way.
func (o *owner) commit(c pam.Commit) {
	if o.storing { // The list is being read; what is read decides.
		covered := o.delivered
		o.after = func() { o.store(c, covered) }
		return
	}
	o.store(c, o.delivered)
}

// store does what commit says. The first covered stanzas of the session need
// not come again once it is done.
func (o *owner) store(c pam.Commit, covered uint64) {
	record, session := o.sync, o.session
	o.storing = true
	o.work(func() func() {
		stored, err := o.durable.commit(o.c.ctx, c, record)
		return func() {
			switch {
			case err == nil:
				o.stored()
				o.step(pam.Committed{Seq: c.Seq})
				o.committed(session, covered)
				if !o.state.Storage.Degraded {
					o.emit(Stored{})
				}
			case stored != nil:
				o.stored()
				o.step(pam.Conflict{Seq: c.Seq, Durable: *stored})
				o.acknowledge() // It may be what was to be stored.
			default:
				o.stale = false
				o.degrade(err, o.held())
				o.store(c, covered) // into memory, which cannot fail
			}
		}
	})
}

// stored runs when the store has answered: what waited for it begins.
func (o *owner) stored() {
	o.storing = false
	if waiting := o.after; waiting != nil {
		o.after = nil
		waiting()
	} else if o.stale {
		o.reload()
	}
}

// reload reads the list again, because another Client that shares the store may
// have changed it. A store that cannot be read now says so at the next commit.
func (o *owner) reload() {
	if o.state.Storage.Degraded {
		return
	}
	// What is being read may be old by now, and what is being stored may not be
	// what the other Client has built on.
	if o.stale = o.storing || len(o.loading) > 0; o.stale || !o.loaded {
		return
	}
	o.storing = true
	o.work(func() func() {
		d, found, err := o.durable.loadAnew(o.c.ctx)
		return func() {
			// The account may have been forgotten. While there is a session, memory
			// is right, and the next commit finds out.
			switch {
			case err == nil && !found && o.machine.Phase() == pam.Unsynced:
				d, found = o.durable.empty(), true
				o.sync, o.source, o.state.LastSynced = syncRecord{}, SourceEmpty, time.Time{}
			case found && o.source == SourceEmpty:
				o.source = SourceCache
			}
			if found {
				o.step(pam.Stored{Durable: d})
				o.acknowledge()
				o.publish()
			}
			o.stored()
		}
	})
}

// held is the list that the machine holds, which is what counts when the store
// has failed.
func (o *owner) held() pam.Durable {
	list, stamp := o.machine.Committed()
	return pam.Durable{Stamp: stamp, List: list.Rows(), Dropped: o.machine.Dropped()}
}

// degrade goes on in memory, which holds d, after the store has failed.
func (o *owner) degrade(err error, d pam.Durable) {
	if o.c.ctx.Err() != nil {
		return
	}
	old := o.durable.toMemory(d)
	o.outdated = o.opts.Tab != ""
	o.work(func() func() {
		ctx, cancel := context.WithTimeout(o.c.ctx, closeTimeout)
		defer cancel()
		removed := o.opts.Tab != "" && old.Commit(ctx, nil, []store.Op{store.Delete(sessionKey(o.opts.Tab))}) == nil
		_ = old.Close()
		return func() {
			if removed {
				o.outdated = false
			}
		}
	})
	o.state.Storage = StorageState{Degraded: true, Err: err}
	o.warn(&Error{Code: CodeStorage, Origin: FromStorage, Err: err, Retryable: false,
		Text: "The list cannot be stored (" + err.Error() + "). It is kept in memory until the page is closed."})
	o.publish()
}
