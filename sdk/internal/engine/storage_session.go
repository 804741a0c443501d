package engine

import (
	"context"
	"time"

	"xmpp-pam/sdk/store"
)

// saveEvery is the minimum time between two writes of the session's record. If the
// program is terminated, the server sends the stanzas received after the last write
// again.
const saveEvery = 250 * time.Millisecond

// A sessionWriter writes the session's record, one write at a time.
type sessionWriter struct {
	busy   bool   // a write is running
	again  bool   // the session has changed since that write began
	urgent bool   // the program may be terminated soon, so do not wait for the timer
	stored bool   // the store contains a record, or may contain one
	timer  *timer // runs until the next write may begin
}

// urgeSession makes the next write begin at once.
func (s *storage) urgeSession() { s.writer.urgent = true }

// sessionDue reports whether the session's record should be written now. If it is too
// early, sessionRecordDue follows.
func (s *storage) sessionDue() bool {
	w := &s.writer
	if s.cfg.Tab == "" {
		return false
	}
	if w.busy || w.timer != nil && !w.urgent {
		w.again = true
		return false
	}
	return true
}

// writeSession stores the session under the name of the tab. If r is nil, it removes
// the stored record.
func (s *storage) writeSession(r *sessionRecord) {
	w := &s.writer
	if r == nil && !w.stored {
		return
	}
	op := store.Delete(sessionKey(s.cfg.Tab))
	if r != nil {
		op = store.Put(sessionKey(s.cfg.Tab), encodeSession(*r))
	}
	w.timer.stop()
	urgent := w.urgent
	w.busy, w.again, w.urgent, w.stored, w.timer = true, false, false, true, nil
	done := func(err error) {
		w.busy, w.stored = false, r != nil || err != nil
		w.timer = s.after(saveEvery, func() {
			w.timer = nil
			if w.again {
				s.report(sessionRecordDue{})
			}
		})
		// While a failed store may still contain an older record of this session,
		// nothing may be acknowledged: the next run would request stanzas that the
		// server has already discarded.
		written := sessionRecordWritten{urgent: urgent}
		if err == nil && r != nil && !s.staleRecord {
			written.resumption = &r.stream
		}
		s.report(written)
		if w.urgent {
			s.report(sessionRecordDue{})
		}
	}
	s.do(func(ctx context.Context, d *durable) func() {
		err := d.store.Commit(ctx, nil, []store.Op{op})
		return func() { done(err) }
	}, func() { done(errStoreSilent) })
}

// forgetStaleRecord is called when a new session begins: a record of an older session
// in the failed store is then harmless.
func (s *storage) forgetStaleRecord() { s.staleRecord = false }
