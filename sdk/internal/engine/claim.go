package engine

import (
	"context"
	"errors"
	"time"

	"xmpp-pam/sdk/store"
)

const claimTries = 5 // for a record that another program writes at the same time

// claimSession claims the session record named from, so that no other client can
// resume that session, and deletes records that have expired. It returns nil if there
// is no such record. If tab is another name, the record is moved to it in one
// transaction, so that the session is not lost if the program ends before it resumes
// the session. If the previous program writes the record at the same time, the record
// is read again.
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
			if mine && ok && from == tab { // No other client uses this name.
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
