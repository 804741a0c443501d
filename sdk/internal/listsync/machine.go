package listsync

import (
	"time"

	"xmpp-pam/sdk/pam"
)

// A Machine keeps a committed list equal to the one at the account's server.
// It is pure: it does no I/O and reads no clock; Step takes what happened and
// returns what to do, and equal inputs give equal outputs. One goroutine owns
// it.
//
// The committed list is what is stored. It changes only when a commit was
// stored, and is announced then: apply, commit, announce. At most one round
// (a list request and its result) or one commit is under way at a time; what
// is heard meanwhile waits. The rules named in comments are those of the
// project's sync rule:
//
//  1. Every session begins with a list, asked with the stored version, and so
//     does every run of the program.
//  2. During a round notifies are only kept and shown.
//  3. A full result replaces the list.
//  4. After an empty result only a quiet round commits.
//  5. In Synced a live notify commits by itself.
//  6. A commit compares; what another tab stored is adopted.
//  7. An error on a list with a version is met by one without.
//  8. A delayed notify is only a hint to list.
//  9. A subscription is known by service, node and subid.
//
// The Machine trusts its caller in two things. Notifies and results come in
// the order in which the stream brought them, and only those that may be
// believed (see Reader). And a server that lets a list overtake live notifies
// breaks RFC 6120 §10.1: against it no rule over opaque versions is exact, and
// SessionStarted or Refresh with Full heals the list.
type Machine struct {
	base    *List // the committed list
	dropped []pam.Subscription
	stamp   Stamp
	used    bool // Step was called

	online      bool
	lastVersion pam.Version      // the last version heard in this session
	assumed     map[place]string // subids that the last full list left out, and that are kept

	round            *round // under way
	rounds           int
	noisyRounds      int         // noisy rounds since the last quiet one
	candidate        *layer      // after noisy empty results: the list that belongs to ...
	candidateVersion pam.Version // ... this version, which the next round asks with
	roundWanted      bool        // a round shall begin as soon as nothing is under way
	fullWanted       bool        // and ask without a version
	settled          bool        // the last round was quiet: notifies commit by themselves
	dirty            bool
	timersSet        bool // the timers run

	heard []Notify // heard and not to be committed as such, in order
	shown *layer   // the overlay: heard over the committed list

	commit         *commit // under way
	seq            int
	pendingLive    []Notify // heard while settled and not in a commit yet
	deferredStored *Durable // Stored that came while a commit was under way
	drops          []Drop   // to be committed

	phase          Phase // as announced
	announcedDirty bool

	now time.Time // of the Step under way
	out []Output
}

// NewMachine returns a machine without a session and with an empty list. If
// something is stored, its first input is Stored.
//
// The stamp of an empty store is the zero Stamp, and the first Commit expects
// it. Whoever wants epochs to start at random (so that a wiped store is never
// taken for the old one) stores an empty list with a random epoch first and
// passes it as Stored.
func NewMachine() *Machine {
	base := NewList(nil)
	return &Machine{base: base, shown: newLayer(base)}
}

// layer returns a layer over the committed list.
func (m *Machine) layer() *layer {
	l := newLayer(m.base)
	l.dropped, l.assumed = m.dropped, m.assumed
	return l
}

// Step takes one input and returns what to do, in order. now must not go back
// between calls. Answers to rounds and commits that are no longer under way are
// ignored.
func (m *Machine) Step(now time.Time, in Input) []Output {
	first := !m.used
	m.used, m.now, m.out = true, now, nil
	switch in := in.(type) {
	case Stored:
		switch {
		case first:
			m.load(in.Durable)
		case m.commit == nil:
			m.reload(in.Durable)
		default:
			m.deferredStored = &in.Durable
		}
	case SessionStarted:
		m.start(in.Full)
	case SessionEnded:
		m.end()
	case ListResult:
		m.result(in)
	case ListFailed:
		m.failed(in)
	case Notify:
		m.handleNotify(in)
	case Committed:
		m.committed(in)
	case Conflict:
		m.conflict(in)
	case Refresh:
		m.requestRound(in.Full)
	case Drop:
		m.drops = append(m.drops, in)
	case TimerFired:
		if m.timersSet {
			m.requestRound(false)
		}
	}
	m.startNext()
	return m.out
}

// Committed returns the committed list and its stamp.
func (m *Machine) Committed() (*List, Stamp) { return m.base, m.stamp }

// Dropped returns the committed rows that are left out of the list, in key order.
// The caller must not change them.
func (m *Machine) Dropped() []pam.Subscription { return m.dropped }

// Versioned reports whether the server sends versions: the committed list has one,
// or what was heard last in this session.
func (m *Machine) Versioned() bool { return m.stamp.Version != "" || m.lastVersion != "" }

// Get returns the committed entry of a key.
func (m *Machine) Get(k pam.Key) (pam.Subscription, bool) { return m.base.get(k) }

// At returns the committed entries of a node at a service, in key order: more
// than one if the service gave several subids.
func (m *Machine) At(service, node string) []pam.Subscription { return m.base.at(service, node) }

// Phase returns the phase last announced.
func (m *Machine) Phase() Phase { return m.phase }

// Dirty reports whether notifies are only shown until a round is quiet.
func (m *Machine) Dirty() bool { return m.dirty }

// Busy reports whether a round or a commit is under way or about to be, so
// that the committed list may change without anything more being heard.
func (m *Machine) Busy() bool {
	return m.round != nil || m.commit != nil || m.roundWanted || len(m.pendingLive)+len(m.drops) > 0
}

// load takes what is stored at the start.
func (m *Machine) load(d Durable) {
	m.base, m.dropped, m.stamp = d.list(), d.Dropped, d.Stamp
	m.shown = m.layer()
}

// start is rule 1. What the last session left in memory is dropped: the list
// brings it again.
func (m *Machine) start(full bool) {
	m.end()
	m.online, m.lastVersion, m.pendingLive = true, "", nil
	m.requestRound(full)
}

// end forgets the round and what is only shown. A commit under way and live
// notifies waiting for it still count: they were heard in order.
func (m *Machine) end() {
	m.settled = false
	m.online, m.round, m.candidate, m.noisyRounds = false, nil, nil, 0
	m.roundWanted, m.fullWanted, m.dirty = false, false, false
	m.disarm()
	m.heard = nil
	m.rebuildOverlay()
	if m.commit != nil {
		m.commit.keep = 0
	}
}

// handleNotify sorts a notify: to be committed (rule 5), or to be kept and shown
// (rules 2, 3 and 4).
func (m *Machine) handleNotify(h Notify) {
	switch {
	case !m.online:
		return // the list of the next session tells it
	case h.Delayed:
		m.requestRound(false) // rule 8
		return
	}
	m.takeBackDrops(h.Items)
	m.lastVersion = h.Version
	if m.settled {
		m.pendingLive = append(m.pendingLive, h)
		return
	}
	m.addOverlay(h)
	if m.timersSet {
		m.out = append(m.out, SetTimer{TimerQuiet, m.now.Add(quietTime)})
	}
}

// requestRound asks for a round. If one is under way, another follows.
func (m *Machine) requestRound(full bool) {
	if m.online {
		m.roundWanted, m.fullWanted = true, m.fullWanted || full
	}
}

// startNext begins what may begin now.
func (m *Machine) startNext() {
	if m.commit == nil && m.deferredStored != nil {
		d := *m.deferredStored
		m.deferredStored = nil
		if d.Epoch > m.stamp.Epoch { // It was read after the commit.
			m.reload(d)
		}
	}
	if m.commit == nil && m.round == nil && m.roundWanted {
		m.announcePhase() // Synced between two rounds is worth telling
		m.begin()
	}
	if m.commit == nil && len(m.pendingLive) > 0 {
		m.commitLive()
	}
	for m.commit == nil && m.round == nil && len(m.drops) > 0 {
		m.commitDrop()
	}
	m.announcePhase()
}

// announcePhase announces the phase if it differs. A list's commit under way holds
// Synced back.
func (m *Machine) announcePhase() {
	phase := Syncing
	switch {
	case !m.online:
		phase = Unsynced
	case m.commit != nil && m.commit.list && m.phase != Synced:
	case m.settled || m.dirty:
		phase = Synced
	}
	dirty := phase == Synced && m.dirty
	if phase != m.phase || dirty != m.announcedDirty {
		m.phase, m.announcedDirty = phase, dirty
		m.out = append(m.out, PhaseChanged{phase, dirty})
	}
}

// addOverlay keeps a notify and adds it to the overlay.
func (m *Machine) addOverlay(h Notify) {
	m.heard = append(m.heard, h)
	if touched := m.shown.apply(h.Items); len(touched) > 0 {
		items := make([]pam.Subscription, len(touched))
		for i, k := range touched {
			items[i] = m.shown.delta[k]
		}
		m.out = append(m.out, Overlay{Items: items})
	}
}

// rebuildOverlay makes the overlay anew from what is kept, after the kept notifies or
// the list under them changed.
func (m *Machine) rebuildOverlay() {
	was := len(m.shown.delta) > 0
	if len(m.heard) == 0 && !was {
		m.shown.base, m.shown.dropped, m.shown.assumed = m.base, m.dropped, m.assumed
		return
	}
	m.shown = m.layer()
	for _, h := range m.heard {
		m.shown.apply(h.Items)
	}
	if items := m.shown.items(); was || len(items) > 0 {
		m.out = append(m.out, Overlay{Reset: true, Items: items})
	}
}
