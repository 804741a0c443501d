package engine

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"xmpp-pam/sdk/internal/inbox"
	"xmpp-pam/sdk/store"
)

// loadInbox reads the records of the inbox, without the payloads.
func (s *storage) loadInbox() {
	s.do(func(ctx context.Context, d *durable) func() {
		records, err := d.store.Scan(ctx, inbox.Range)
		return func() {
			if err != nil {
				s.report(storeFailed{err})
				return
			}
			s.report(inboxLoaded{records})
		}
	}, func() {})
}

// reloadInbox reads the records again, unless the store contains the meta record meta,
// because another Client that shares the store may have changed them. If they cannot be
// read now, the next commit reports the error.
func (s *storage) reloadInbox(meta []byte) {
	if s.degraded != nil || !s.loaded {
		return
	}
	s.do(func(ctx context.Context, d *durable) func() {
		var records []store.Record
		now, err := d.store.Get(ctx, inbox.MetaKey)
		if err != nil || bytes.Equal(now[0], meta) {
			return func() {}
		}
		records, err = d.store.Scan(ctx, inbox.Range)
		return func() {
			if err == nil && s.degraded == nil {
				s.report(inboxLoaded{records})
			}
		}
	}, func() {})
}

// commitInbox stores a commit of the inbox, and calls done with the outcome.
func (s *storage) commitInbox(c inbox.Commit, done func(inbox.Input)) {
	s.do(func(ctx context.Context, d *durable) func() {
		records, err := d.commitInbox(ctx, c)
		return func() {
			switch {
			case err == nil:
				done(inbox.Committed{Seq: c.Seq})
			case errors.Is(err, store.ErrConflict):
				done(inbox.Conflict{Seq: c.Seq, Records: records})
			default:
				s.report(storeFailed{err})
			}
		}
	}, func() {})
}

// commitInbox stores c. If the store contains other records than those that c was built
// on, it returns these and ErrConflict.
func (d *durable) commitInbox(ctx context.Context, c inbox.Commit) ([]store.Record, error) {
	for range commitTries {
		if err := d.store.Commit(ctx, c.Expect, c.Ops); !errors.Is(err, store.ErrConflict) {
			return nil, err
		}
		records, err := d.store.Scan(ctx, inbox.Range)
		if err != nil {
			return nil, err
		}
		if !contains(records, c.Expect[0]) {
			return records, store.ErrConflict
		}
	}
	return nil, errUnsteady
}

// contains reports whether records contain a record of that key and value, or none of that
// key if the value is nil.
func contains(records []store.Record, r store.Record) bool {
	i := slices.IndexFunc(records, func(other store.Record) bool { return other.Key == r.Key })
	return i < 0 && r.Value == nil || i >= 0 && r.Value != nil && bytes.Equal(records[i].Value, r.Value)
}

// readInbox reads records of payloads. The value of one that cannot be read is nil.
func (s *storage) readInbox(keys []string, done func(values [][]byte)) {
	if len(keys) == 0 {
		done(nil)
		return
	}
	s.do(func(ctx context.Context, d *durable) func() {
		values, err := d.store.Get(ctx, keys...)
		if err != nil {
			values = make([][]byte, len(keys))
		}
		return func() { done(values) }
	}, func() { done(make([][]byte, len(keys))) })
}
