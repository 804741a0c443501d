package engine

import (
	"context"
	"errors"
	"time"

	"xmpp-pam/sdk/store"
)

const claimTries = 5 // of a record that is being written

// claimSession takes the record named from out of the store, so that no other
// client can take it too, and clears away those that nobody came for. It returns
// nil if there is none. The record stays where it is if tab is the same name, and
// is moved to it in the same transaction otherwise: a program that ends before
// its session goes on has not lost it. A last writing of the program before may
// come in between, and is read anew.
func (d *durable) claimSession(ctx context.Context, from, tab string) *sessionRecord {
	s := d.store
	for range claimTries {
		records, err := s.Scan(ctx, store.Range{From: keySessions, To: keySessions + "\xff"})
		if err != nil {
			return nil
		}
		var found *sessionRecord
		var changed bool
		for _, record := range records {
			session, ok := decodeSession(record.Value)
			mine := record.Key == sessionKey(from)
			if !mine && ok && time.Since(session.saved) < sessionLife {
				continue
			}
			if mine && ok && from == tab { // Nobody else has this name.
				found = &session
				continue
			}
			ops := []store.Op{store.Delete(record.Key)}
			if mine && ok {
				ops = append(ops, store.Put(sessionKey(tab), record.Value))
			}
			switch err := s.Commit(ctx, []store.Record{record}, ops); {
			case mine && ok && err == nil:
				found = &session
			case mine && errors.Is(err, store.ErrConflict):
				changed = true
			}
		}
		if !changed {
			return found
		}
	}
	return nil
}
