package client

import (
	"context"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// saveEvery is how often the session's record is written while messages flow.
// What came after the last writing is delivered again, should the program end
// without warning.
const saveEvery = 250 * time.Millisecond

// A sessionSaver writes the session's record, one writing at a time.
type sessionSaver struct {
	busy   bool   // a writing is under way
	again  bool   // something changed since
	hurry  bool   // the program may be stopped: do not wait
	stored bool   // there is a record, or may be
	timer  *timer // runs until the next writing may begin
}

// lost runs when a connection has ended. A session that the server can resume
// waits for the next one; any other is over.
func (o *owner) lost(c *connection, cause *stream.Error) {
	if c.bound && o.state.Phase == pam.PhaseLive && o.state.Missing == nil && c.heard.After(o.state.LastSynced) {
		o.state.LastSynced = c.heard // Until then the list was known to be right.
		o.saveSync()
	}
	o.relist.stop()
	switch {
	case cause == nil:
		o.endSession()
	case !c.bound && (cause.Code == stream.CodeTransport || cause.Code == stream.CodeTimeout || cause.SeeOther != ""):
		// An attempt failed, or is to be made elsewhere. The session, if any, still waits.
	case !c.bound:
		o.endSession() // What the server objects to may be the session.
	case cause.Code == stream.Code(pam.CodeTooLarge):
		o.endSession() // The server would send the same message again.
	default:
		o.suspended = c.stream.Resumption()
		if o.suspended == nil {
			o.endSession()
			return
		}
		if o.endStuckSession() {
			return
		}
		for _, r := range o.requests {
			r.time.pause()
		}
	}
}

// endStuckSession ends a session that was resumed again and again in vain, and
// reports whether it did. What was under way may be what the server cannot take.
func (o *owner) endStuckSession() bool {
	if !o.suspended.Stuck() {
		return false
	}
	open := o.requests
	o.requests = map[string]*request{}
	for _, r := range open {
		r.time.timer.stop()
		r.done(nil, &pam.Error{Code: pam.CodeOutcomeUnknown, Origin: pam.FromNetwork, Text: "The connection ended each time that the request was sent, " +
			"and the server acknowledged nothing. It may not take such a request. The list will tell what became of it."})
	}
	o.endSession()
	return true
}

// resumeSession runs when a session is resumed: one of this run of the program
// goes on with all that was under way.
func (o *owner) resumeSession(fullJID string) {
	o.suspended = nil
	o.state.Resumed = true
	if o.restored != nil {
		o.takeOver(fullJID)
		return
	}
	s := o.session
	s.replay = o.settled()
	o.setPhase(pam.PhaseSyncing, nil)
	for _, r := range o.requests {
		o.expect(r)
	}
	waiting := o.outbox
	o.outbox = nil
	for _, stanza := range waiting {
		o.send(stanza)
	}
	if o.machine.Phase() == listsync.Synced {
		if o.source != pam.SourceEmpty {
			o.source = pam.SourceServer
		}
		o.phaseChanged(listsync.PhaseChanged{Phase: listsync.Synced})
	}
	if s.refused { // The list that failed last was to be asked for again soon.
		o.step(listsync.Refresh{})
	}
	o.acknowledge()
}

// takeOver begins with a session of an earlier run. What is stored of it is older
// than the session, so the list is asked for, at once and whatever was stored.
func (o *owner) takeOver(fullJID string) {
	caps := o.restored.caps
	o.restored = nil
	o.session = &session{fullJID: fullJID, began: time.Now(), counted: true}
	o.setPhase(pam.PhaseSyncing, nil)
	if caps != o.info.Ver() {
		o.sendPresence()
	}
	o.list()
}

// forgetSession gives up a session that waits, because nobody will resume it.
func (o *owner) forgetSession() {
	if o.suspended != nil || o.session != nil {
		o.endSession()
	}
	o.saver.hurry = true
	o.saveSession()
}

// send sends a stanza in the session, or keeps it until the session goes on.
func (o *owner) send(stanza *element.Element) {
	switch {
	case o.conn != nil && o.conn.bound:
		o.conn.send(stanza)
	case o.suspended != nil:
		o.outbox = append(o.outbox, stanza)
	}
}

// acknowledge tells the stream that all stanzas so far need not come again, if
// the list is settled and stored. Without PAM there is nothing to store.
func (o *owner) acknowledge() {
	if len(o.state.Missing) > 0 || o.quiet() {
		o.handledUpTo(o.delivered)
	}
}

// committed tells the stream what a commit covered, though another may be under
// way already. If the session is another than at the commit's begin, nothing is
// settled yet: the first round of a session waits for the commit under way.
func (o *owner) committed(covered uint64) {
	if o.settled() {
		o.handledUpTo(covered)
	}
	o.acknowledge()
}

func (o *owner) handledUpTo(n uint64) {
	if n <= o.handled || o.conn == nil || !o.conn.bound {
		return
	}
	in := stream.Handled{N: int(n - o.handled)}
	o.handled = n
	o.conn.step(in)
}

// settled tells that live notifies are committed one by one.
func (o *owner) settled() bool {
	return o.machine.Phase() == listsync.Synced && !o.machine.Dirty()
}

// sleep stores and acknowledges what can be.
func (o *owner) sleep() {
	if o.conn.usable() {
		o.conn.step(stream.Sleep{})
	}
	o.saver.hurry = true
	o.saveSession()
}

// saveSession stores the session's state under the name of the tab, or removes
// it if there is none to go on with.
func (o *owner) saveSession() {
	w := &o.saver
	if o.opts.Tab == "" {
		return
	}
	if w.busy || w.timer != nil && !w.hurry {
		w.again = true
		return
	}
	r := o.resumption()
	if r == nil && !w.stored {
		return
	}
	op := store.Delete(sessionKey(o.opts.Tab))
	if r != nil {
		caps := o.info.Ver()
		if o.restored != nil {
			caps = o.restored.caps
		}
		op = store.Put(sessionKey(o.opts.Tab), encodeSession(sessionRecord{stream: *r, caps: caps, saved: time.Now()}))
	}
	w.timer.stop()
	hurry := w.hurry
	w.busy, w.again, w.hurry, w.stored, w.timer = true, false, false, r != nil, nil
	done := func(err error) {
		w.busy = false
		w.timer = o.after(saveEvery, func() {
			w.timer = nil
			if w.again {
				o.saveSession()
			}
		})
		if err == nil {
			o.saved(r)
		}
		if hurry && o.conn.usable() {
			o.conn.step(stream.Sleep{})
		}
		if w.hurry {
			o.saveSession()
		}
	}
	o.storage.do(func(ctx context.Context, d *durable) func() {
		err := d.store.Commit(ctx, nil, []store.Op{op})
		return func() { done(err) }
	}, func() { done(errStoreSilent) })
}

// saved tells the stream what is stored. It does not while a store that failed
// may still hold a record of this session: the next run would ask for more than
// the server has kept.
func (o *owner) saved(r *stream.Resumption) {
	if r != nil && !o.outdated && o.conn != nil && o.conn.bound {
		o.conn.step(stream.Saved{H: r.H})
	}
}

// resumption is the state of the session as far as it is handled, nil if it
// cannot be resumed.
func (o *owner) resumption() *stream.Resumption {
	if o.conn != nil && o.conn.bound {
		return o.conn.stream.Resumption()
	}
	return o.suspended
}
