package engine

import (
	"context"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/store"
)

// An Export is the stored data of the account, without the data that would allow
// another program to resume a session.
type Export struct {
	listsync.Durable
	LastFull, LastSynced time.Time // zero if never
	Mechanism            string
	Sessions             []StoredSession
}

// A StoredSession is a session that a tab may resume.
type StoredSession struct {
	JID     string
	Saved   time.Time
	Waiting []string
}

// readAll reads all stored data.
func readAll(ctx context.Context, s store.Store) (*Export, error) {
	now, record, err := (&durable{store: s}).load(ctx)
	if err != nil {
		return nil, err
	}
	e := &Export{Durable: now, LastFull: record.lastFull, LastSynced: record.lastSynced, Mechanism: record.mechanism}
	records, err := s.Scan(ctx, store.Range{From: keySessions, To: keySessions + "\xff"})
	for _, r := range records {
		if session, ok := decodeSession(r.Value); ok {
			e.Sessions = append(e.Sessions, StoredSession{JID: session.stream.JID.String(), Saved: session.saved, Waiting: session.stream.Unacked})
		}
	}
	return e, err
}
