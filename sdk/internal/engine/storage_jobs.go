package engine

import (
	"cmp"
	"context"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// whenReady calls f when the store has been read and no erasure is pending. It cannot
// fail, because memory replaces a store that cannot be read.
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
	failed := func() { s.report(storeLoaded{failed: true}) }
	s.do(func(ctx context.Context, d *durable) func() {
		now, record, err := d.load(ctx)
		var session *sessionRecord
		if err == nil && s.cfg.Tab != "" {
			session = d.claimSession(ctx, cmp.Or(s.cfg.Resume, s.cfg.Tab), s.cfg.Tab)
		}
		return func() {
			if err != nil {
				s.report(storeFailed{err})
				failed()
				return
			}
			s.writer.stored = session != nil
			s.report(storeLoaded{durable: now, record: record, session: session})
		}
	}, failed)
}

// markLoaded calls the functions that waited for the first read.
func (s *storage) markLoaded() {
	s.loaded = true
	s.releaseWaiters()
}

// commit stores a commit of the machine, and the sync record if the commit replaces
// the whole list.
func (s *storage) commit(c listsync.Commit, record syncRecord) {
	intoMemory := func() { s.commit(c, record) } // which cannot fail
	s.do(func(ctx context.Context, d *durable) func() {
		stored, err := d.commit(ctx, c, record)
		return func() {
			switch {
			case err == nil:
				s.report(commitDone{seq: c.Seq})
			case stored != nil:
				s.report(commitConflict{seq: c.Seq, durable: *stored})
			default:
				s.report(storeFailed{err})
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
					Text: "The time of this sync cannot be stored (" + err.Error() + "). The full list will be requested earlier than necessary."})
			}
		}
	}, func() {})
}

// reload reads the list again, because another Client that shares the store may have
// changed it. If it cannot be read now, the next commit reports the error.
func (s *storage) reload() {
	// A read that is already running may have begun before the change, but a queued
	// one has not.
	if s.degraded != nil || s.reloads == 2 || !s.loading {
		return
	}
	s.reloads++
	s.do(func(ctx context.Context, d *durable) func() {
		now, found, err := d.loadAnew(ctx)
		return func() {
			s.reloads--
			if err == nil && s.degraded == nil { // If the store failed in the meantime, memory has replaced it.
				s.report(storeReloaded{durable: now, found: found})
			}
		}
	}, func() { s.reloads-- })
}

// export reads all stored data.
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

// hold defers all later calls of whenReady until release.
func (s *storage) hold() {
	s.held++
	s.load()
}

func (s *storage) release() {
	s.held--
	s.releaseWaiters()
}

// erase deletes all records of the store. It calls done before the next job begins.
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

// empty returns the content of the store after erase. It may be called between two
// jobs only.
func (s *storage) empty() listsync.Durable { return s.durable.empty() }

func storageError(verb string, err error) *pam.Error {
	return &pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: err,
		Text: "The data stored for the account could not be " + verb + " (" + err.Error() + "). It may still exist; deleting the store removes it."}
}
