package engine

import (
	"context"
	"time"

	"xmpp-pam/sdk/store"
)

// saveEvery is how often the session's record is written while messages flow.
// What came after the last writing is delivered again, should the program end
// without warning.
const saveEvery = 250 * time.Millisecond

// A sessionWriter writes the session's record, one writing at a time.
type sessionWriter struct {
	busy   bool   // a writing is under way
	again  bool   // something changed since
	urgent bool   // the program may be stopped: do not wait
	stored bool   // there is a record, or may be
	timer  *timer // runs until the next writing may begin
}

// urgeSession makes the next writing begin at once.
func (s *storage) urgeSession() { s.writer.urgent = true }

// sessionDue reports whether the session's record is to be written now. If it is
// too early, sessionRecordDue follows.
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

// writeSession stores the session under the name of the tab, or removes what is
// stored if there is none to resume.
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
	w.busy, w.again, w.urgent, w.stored, w.timer = true, false, false, r != nil, nil
	done := func(err error) {
		w.busy = false
		w.timer = s.after(saveEvery, func() {
			w.timer = nil
			if w.again {
				s.tell(sessionRecordDue{})
			}
		})
		// While a store that failed may still hold an older record of this session,
		// the next run would ask for more than the server has kept.
		written := sessionRecordWritten{urgent: urgent}
		if err == nil && r != nil && !s.staleRecord {
			written.resumption = &r.stream
		}
		s.tell(written)
		if w.urgent {
			s.tell(sessionRecordDue{})
		}
	}
	s.do(func(ctx context.Context, d *durable) func() {
		err := d.store.Commit(ctx, nil, []store.Op{op})
		return func() { done(err) }
	}, func() { done(errStoreSilent) })
}

// forgetStaleRecord says that a new session has begun: an older one's record
// misleads nobody.
func (s *storage) forgetStaleRecord() { s.staleRecord = false }
