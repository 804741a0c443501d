package engine

import (
	"cmp"
	"context"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// whenReady calls f once the store has been read, and emptied if that was asked
// for. A store that cannot be read is replaced by memory, so it never fails.
func (s *storage) whenReady(f func()) {
	s.waiters = append(s.waiters, f)
	s.load()
	s.releaseWaiters()
}

func (s *storage) releaseWaiters() {
	for s.loaded && s.held == 0 && len(s.waiters) > 0 {
		f := s.waiters[0]
		s.waiters = s.waiters[1:]
		f()
	}
}

// load reads the store for the first time.
func (s *storage) load() {
	if s.loading {
		return
	}
	s.loading = true
	failed := func() { s.tell(storeLoaded{failed: true}) }
	s.do(func(ctx context.Context, d *durable) func() {
		now, record, err := d.load(ctx)
		var session *sessionRecord
		if err == nil && s.cfg.Tab != "" {
			session = d.claimSession(ctx, cmp.Or(s.cfg.Resume, s.cfg.Tab), s.cfg.Tab)
		}
		return func() {
			if err != nil {
				s.tell(storeFailed{err})
				failed()
				return
			}
			s.writer.stored = session != nil
			s.tell(storeLoaded{durable: now, record: record, session: session})
		}
	}, failed)
}

// markLoaded lets those go on who waited for the first reading.
func (s *storage) markLoaded() {
	s.loaded = true
	s.releaseWaiters()
}

// commit stores what the machine asks for, and the record if it is a whole list.
func (s *storage) commit(c listsync.Commit, record syncRecord) {
	intoMemory := func() { s.commit(c, record) } // which cannot fail
	s.do(func(ctx context.Context, d *durable) func() {
		stored, err := d.commit(ctx, c, record)
		return func() {
			switch {
			case err == nil:
				s.tell(commitDone{seq: c.Seq, inMemory: s.degraded != nil})
			case stored != nil:
				s.tell(commitConflict{seq: c.Seq, durable: *stored})
			default:
				s.tell(storeFailed{err})
				intoMemory()
			}
		}
	}, intoMemory)
}

// saveRecord stores the sync record beside the list.
func (s *storage) saveRecord(record syncRecord) {
	s.do(func(ctx context.Context, d *durable) func() {
		err := d.saveSync(ctx, record)
		return func() {
			if err != nil {
				s.view.warn(&pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: err, Retryable: true,
					Text: "The time of this sync cannot be stored (" + err.Error() + "). The list is asked for in full sooner than needed."})
			}
		}
	}, func() {})
}

// reload reads the list again, because another Client that shares the store may
// have changed it. A store that cannot be read now says so at the next commit.
func (s *storage) reload() {
	// One reading may have begun before the change. A second has not.
	if s.degraded != nil || s.reloads == 2 || !s.loading {
		return
	}
	s.reloads++
	s.do(func(ctx context.Context, d *durable) func() {
		now, found, err := d.loadAnew(ctx)
		return func() {
			s.reloads--
			if err == nil && s.degraded == nil { // A store that failed meanwhile was replaced by memory, which knows less.
				s.tell(storeReloaded{durable: now, found: found})
			}
		}
	}, func() { s.reloads-- })
}

// export reads all that is stored.
func (s *storage) export(reply func(*Export, error)) {
	done := func(e *Export, err error) {
		if err = cmp.Or(err, s.degraded); err != nil {
			reply(nil, storageError("read", err))
			return
		}
		reply(e, nil)
	}
	s.do(func(ctx context.Context, d *durable) func() {
		e, err := readAll(ctx, d.store)
		return func() { done(e, err) }
	}, func() { done(nil, errStoreSilent) })
}

// hold makes all who call whenReady from now on wait until release.
func (s *storage) hold() {
	s.held++
	s.load()
}

func (s *storage) release() {
	s.held--
	s.releaseWaiters()
}

// erase removes everything from the store. Done is called before the next job
// begins.
func (s *storage) erase(done func(error)) {
	s.do(func(ctx context.Context, d *durable) func() {
		err := d.store.Commit(ctx, nil, []store.Op{store.DeleteRange("", "")})
		return func() {
			if err == nil {
				s.writer.stored = false
			}
			done(err)
		}
	}, func() { done(errStoreSilent) })
}

// empty is what is stored after everything was removed. It may be called when a
// job is done, before the next begins.
func (s *storage) empty() listsync.Durable { return s.durable.empty() }

func storageError(verb string, err error) *pam.Error {
	return &pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: err,
		Text: "What is stored for the account could not be " + verb + " (" + err.Error() + "). It may still be there; clearing the site's data removes it."}
}
