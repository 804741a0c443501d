package engine

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// A list without version is asked for after this many sessions or this long,
// which heals whatever went wrong unseen (sync rule 1).
const (
	fullEverySessions = 20
	fullEvery         = 7 * 24 * time.Hour
)

// relistAfter is the wait after the server could not give the list.
const relistAfter = 5 * time.Second

// An account keeps the list of subscriptions, with the machine of package
// listsync, and carries out the program's requests about it. It reaches the server
// through session and the store through storage.
type account struct {
	*loop
	cfg     *Config
	view    *view
	session *session
	storage *storage
	tell    func(message)

	machine  *listsync.Machine
	inputs   []listsync.Input // waiting while the outputs of another are carried out
	stepping bool
	timers   map[listsync.Timer]*timer

	record     syncRecord // as it is to be stored
	source     pam.Source
	shown      pam.Source // as it was announced
	listing    listing
	handled    uint64 // the last stanza of the session that was taken
	covered    uint64 // the last one that the commit under way covers
	operations []*operation
	refreshes  []*refreshing
	overlay    overlay
	hints      hintLimit
}

// A listing is what is known of the server's list in a session.
type listing struct {
	live    bool       // the list is the server's, or there can be none
	missing bool       // there can be none: the server does not know PAM
	counted bool       // the session counts as one of fullEverySessions, or shall not
	support support    // what disco said about PAM
	listed  bool       // the server gave a list
	refused bool       // the server refused to
	err     *pam.Error // why
	again   *timer     // until the list is asked for again
	// replay says that the session was resumed while notifies were committed one by
	// one: what it missed is too.
	replay bool
}

func newAccount(l *loop, cfg *Config, v *view, s *session, st *storage, tell func(message)) *account {
	return &account{loop: l, cfg: cfg, view: v, session: s, storage: st, tell: tell,
		machine: listsync.NewMachine(), timers: map[listsync.Timer]*timer{}, source: pam.SourceEmpty,
		overlay: overlay{notifies: map[pam.Key]pam.Subscription{}}}
}

// step feeds the machine and carries out what it asks for. An input that comes
// up meanwhile waits until that is done, so that outputs keep their order.
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
			a.enterLive(false) // There is a list, whatever service discovery says.
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
	a.view.emit(pam.Changed{Changes: ch.Changes, From: ch.From, To: ch.To, Origin: origin, Source: a.source})
	a.overlay.dirty = true
}

// show makes the committed list the one that the program sees.
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
		a.timers[t.Timer] = a.after(time.Until(t.At), func() {
			delete(a.timers, t.Timer)
			a.step(listsync.TimerFired{Timer: t.Timer})
		})
	}
}

// loaded takes what the first reading of the store found.
func (a *account) loaded(m storeLoaded) {
	d := m.durable
	if m.failed {
		d = a.committed()
	}
	if d.Version != "" || len(d.List) > 0 {
		a.source = pam.SourceCache
	}
	a.record = m.record
	a.view.setSynced(m.record.lastSynced)
	a.step(listsync.Stored{Durable: d})
	a.show()
	a.view.publish()
}

// reloaded takes what another Client has stored.
func (a *account) reloaded(m storeReloaded) {
	d := m.durable
	// The account may have been forgotten. While there is a session, memory is right,
	// and the next commit finds out.
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

// committed is the list that the machine holds, which is what counts when the
// store has failed.
func (a *account) committed() listsync.Durable {
	list, stamp := a.machine.Committed()
	return listsync.Durable{Stamp: stamp, List: list.Rows(), Dropped: a.machine.Dropped()}
}

// reset is like a first start with an empty store, of which d is read.
func (a *account) reset(d listsync.Durable) {
	old := a.committed()
	a.machine = listsync.NewMachine()
	a.machine.Step(time.Now(), listsync.Stored{Durable: d})
	a.overlay.clear()
	a.record, a.source = syncRecord{}, pam.SourceEmpty
	a.view.setSynced(time.Time{})
	gone := make([]pam.Change, len(old.List))
	for i := range old.List {
		gone[i] = pam.Change{Before: &old.List[i]}
	}
	a.show()
	a.showProvisional()
	a.view.emit(pam.Changed{Changes: gone, From: old.Version, Origin: pam.OriginThisDevice, Source: a.source})
	a.view.emit(pam.Stored{})
	a.view.publish()
}

// storedCommit runs when a commit is stored.
func (a *account) storedCommit(m commitDone) {
	covered := a.covered
	a.step(listsync.Committed{Seq: m.seq})
	// Another commit may be under way already. If the session is another than at this
	// one's begin, nothing is settled: the first round of a session waits for the
	// commit under way.
	if a.settled() {
		a.session.acknowledge(covered)
	}
	a.acknowledge()
	if !m.inMemory {
		a.view.emit(pam.Stored{})
	}
}

// refusedCommit runs when another Client has stored something else before.
func (a *account) refusedCommit(m commitConflict) {
	a.step(listsync.Conflict{Seq: m.seq, Durable: m.durable})
	a.acknowledge() // It may be what was to be stored.
}

// takeStanza takes the notifies of a stanza. The commit that covers the last one
// covers all of the stanza.
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

// acknowledge lets the server forget all stanzas so far, if the list is settled
// and stored. Without PAM there is nothing to store.
func (a *account) acknowledge() {
	if a.listing.missing || a.quiet() {
		a.session.acknowledge(a.handled)
	}
}

// settled reports whether live notifies are committed one by one.
func (a *account) settled() bool {
	return a.machine.Phase() == listsync.Synced && !a.machine.Dirty()
}

// quiet reports whether the committed list is not about to change.
func (a *account) quiet() bool { return a.settled() && !a.machine.Busy() }

// busy reports whether the list is asked for, or stored.
func (a *account) busy() bool { return a.machine.Busy() }
