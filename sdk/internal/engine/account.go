package engine

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// The account requests the list without a version after this many sessions or this
// long, which corrects errors that went unnoticed (sync rule 1).
const (
	fullEverySessions = 20
	fullEvery         = 7 * 24 * time.Hour
)

// relistAfter is the delay before the list is requested again after the server
// failed to provide it.
const relistAfter = 5 * time.Second

// An account maintains the list of subscriptions with the machine of package
// listsync, and carries out the program's requests about it. It reaches the server
// through session and the store through storage.
type account struct {
	*loop
	cfg     *Config
	view    *view
	session *session
	storage *storage
	report  func(message)

	machine  *listsync.Machine
	inputs   []listsync.Input // queued while the outputs of another input are carried out
	stepping bool
	timers   map[listsync.Timer]*timer

	record     syncRecord // the record to store
	source     pam.Source
	shown      pam.Source // the source announced last
	listing    listing
	handled    uint64 // the number of the last stanza that was processed
	covered    uint64 // the number of the last stanza that the pending commit covers
	operations []*operation
	refreshes  []*refreshing
	overlay    overlay
	hints      hintLimit
}

// A listing is what the account knows about the server's list in a session.
type listing struct {
	live    bool       // the list equals the server's, or missing is set
	missing bool       // the server does not support PAM
	counted bool       // the session has been counted for fullEverySessions, or must not be
	support support    // the result of service discovery for PAM
	listed  bool       // the server has sent a list
	refused bool       // the server failed to send the list last time
	err     *pam.Error // why
	again   *timer     // runs until the list is requested again
	// replay reports whether the session was resumed while notifies were committed
	// one by one. The notifies that it missed are then committed one by one too.
	replay bool
}

func newAccount(l *loop, cfg *Config, v *view, s *session, st *storage, report func(message)) *account {
	return &account{loop: l, cfg: cfg, view: v, session: s, storage: st, report: report,
		machine: listsync.NewMachine(), timers: map[listsync.Timer]*timer{}, source: pam.SourceUnread,
		overlay: overlay{notifies: map[pam.Key]pam.Subscription{}}}
}

// step passes an input to the machine and carries out its outputs. An input that
// arises in the meantime is queued until that is done, so that outputs keep their
// order.
func (a *account) step(in listsync.Input) {
	a.inputs = append(a.inputs, in)
	if a.stepping {
		return
	}
	a.stepping = true
	for len(a.inputs) > 0 {
		next := a.inputs[0]
		a.inputs = a.inputs[1:]
		for _, out := range a.machine.Step(time.Now(), next) {
			a.perform(out)
		}
		a.settleOperations()
	}
	a.stepping = false
	a.showProvisional()
}

func (a *account) perform(out listsync.Output) {
	switch out := out.(type) {
	case listsync.RequestList:
		a.requestList(out)
	case listsync.Commit:
		a.covered = a.handled
		a.storage.commit(out, a.record)
	case listsync.Changed:
		a.announce(out)
	case listsync.Overlay:
		a.overlay.add(out)
	case listsync.PhaseChanged:
		if out.Phase == listsync.Synced {
			a.enterLive(false) // The server has sent a list, so service discovery does not matter.
		}
	case listsync.SetTimer:
		a.setTimer(out)
	case listsync.ListingFailed:
		a.listingFailed()
	}
}

func (a *account) announce(ch listsync.Changed) {
	origin := pam.OriginOtherDevice
	if ch.Resync {
		origin = pam.OriginResync
	}
	if len(ch.Changes) > 0 && !slices.ContainsFunc(ch.Changes, func(c pam.Change) bool { return !a.isOwn(c) }) {
		origin = pam.OriginThisDevice
	}
	if a.listing.live && !a.listing.missing {
		a.setSynced(time.Now())
		a.view.publish()
	}
	a.show()
	a.view.emit(pam.Changed{Changes: ch.Changes, From: ch.From, To: ch.To, Origin: origin, Source: a.source, Stored: !ch.Adopted && !a.storage.inMemory()})
	a.report(listCommitted{changes: ch.Changes, initial: ch.From == "" && ch.Resync})
	a.overlay.dirty = true
}

// show passes the committed list to the view.
func (a *account) show() {
	list, stamp := a.machine.Committed()
	a.shown = a.source
	a.view.show(list, stamp.Version, a.source)
}

func (a *account) setSynced(t time.Time) {
	a.record.lastSynced = t
	a.view.setSynced(t)
}

func (a *account) setTimer(t listsync.SetTimer) {
	a.timers[t.Timer].stop()
	delete(a.timers, t.Timer)
	if !t.At.IsZero() {
		a.timers[t.Timer] = a.after(time.Until(t.At), func() { a.step(listsync.TimerFired{Timer: t.Timer}) })
	}
}

// loaded handles the result of the first read of the store.
func (a *account) loaded(m storeLoaded) {
	d := m.durable
	if m.failed {
		d = a.committed()
	}
	a.source = pam.SourceEmpty
	if d.Version != "" || d.List.Len() > 0 {
		a.source = pam.SourceCache
	}
	a.record = m.record
	a.view.setSynced(m.record.lastSynced)
	a.step(listsync.Stored{Durable: d})
	a.show()
	a.view.publish()
}

// reloaded handles what another Client has stored.
func (a *account) reloaded(m storeReloaded) {
	d := m.durable
	// Another Client may have called Forget. During a session the list in memory is
	// correct, and the next commit detects the conflict.
	switch {
	case !m.found && a.machine.Phase() != listsync.Unsynced:
		return
	case !m.found:
		d = a.storage.empty()
		a.record, a.source = syncRecord{}, pam.SourceEmpty
		a.view.setSynced(time.Time{})
	case a.source == pam.SourceEmpty:
		a.source = pam.SourceCache
	}
	a.step(listsync.Stored{Durable: d})
	a.acknowledge()
	a.view.publish()
}

// committed returns the machine's committed list, which is authoritative after the
// store has failed.
func (a *account) committed() listsync.Durable {
	list, stamp := a.machine.Committed()
	return listsync.Durable{Stamp: stamp, List: list, Dropped: a.machine.Dropped()}
}

// reset restores the state of a first start; d is the content of the emptied store.
func (a *account) reset(d listsync.Durable) {
	old := a.committed()
	a.machine = listsync.NewMachine()
	a.machine.Step(time.Now(), listsync.Stored{Durable: d})
	a.overlay.clear()
	a.record, a.source = syncRecord{}, pam.SourceEmpty
	a.view.setSynced(time.Time{})
	rows := old.List.Rows()
	gone := make([]pam.Change, len(rows))
	for i := range rows {
		gone[i] = pam.Change{Before: &rows[i]}
	}
	a.show()
	a.showProvisional()
	a.view.emit(pam.Changed{Changes: gone, From: old.Version, Origin: pam.OriginThisDevice, Source: a.source, Stored: true})
	a.view.publish()
}

// storedCommit handles a commit that has been stored.
func (a *account) storedCommit(m commitDone) {
	covered := a.covered
	a.step(listsync.Committed{Seq: m.seq})
	// Another commit may already be pending. If a new session has started since this
	// commit began, the machine is not settled, because the first round of a session
	// waits for the pending commit.
	if a.settled() && a.machine.Busy() {
		a.session.acknowledge(covered)
	}
	a.acknowledge()
}

// refusedCommit handles a commit that conflicts with what another Client has stored.
func (a *account) refusedCommit(m commitConflict) {
	a.step(listsync.Conflict{Seq: m.seq, Durable: m.durable})
	a.acknowledge() // The other Client may have stored the same.
}

// takeStanza processes the notifies of a stanza. The commit that covers the last
// notify covers the whole stanza.
func (a *account) takeStanza(m stanzaHandled) {
	for i, n := range m.notifies {
		n.Delayed = n.Delayed && !(n.replayed && a.listing.replay)
		if i == len(m.notifies)-1 {
			a.handled = m.seq
		}
		a.step(n.Notify)
	}
	a.handled = m.seq
	a.acknowledge()
}

// acknowledge acknowledges all stanzas processed so far, if the list is settled and
// stored. If the server does not support PAM, there is nothing to store.
func (a *account) acknowledge() {
	if a.listing.missing || a.quiet() {
		a.session.acknowledge(a.handled)
	}
}

// settled reports whether live notifies are committed one by one.
func (a *account) settled() bool {
	return a.machine.Phase() == listsync.Synced && !a.machine.Dirty()
}

// quiet reports whether the list is settled and no round or commit is pending.
func (a *account) quiet() bool { return a.settled() && !a.machine.Busy() }

// busy reports whether a round or a commit is pending.
func (a *account) busy() bool { return a.machine.Busy() }
