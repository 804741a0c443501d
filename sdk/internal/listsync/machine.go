package listsync

import (
	"time"

	"xmpp-pam/sdk/pam"
)

// A Machine keeps a committed list equal to the one at the account's server.
// It is a pure state machine: it does no I/O and reads no clock. Step takes an event
// and returns the actions to carry out; equal inputs give equal outputs. It is not safe
// for concurrent use.
//
// The committed list is the stored list. It changes, and is announced, only after a
// commit is stored: apply, commit, announce. At most one round (a list request and its
// result) or one commit is pending at a time; notifies received in the meantime are
// queued. Comments refer to these rules by number:
//
//  1. Every session, and every run of the program, begins with a list request with the
//     stored version.
//  2. During a round notifies are only kept and shown.
//  3. A full result replaces the list.
//  4. After an empty result, the machine commits only if the round was quiet: no notify was
//     received and the stored list did not change during it.
//  5. In Synced, each live notify is committed.
//  6. The store compares its state with the expected one before a commit. If another tab has
//     stored something, the machine adopts that list.
//  7. If a list request with a version fails, the machine requests the list without one.
//  8. Only the account or its server may send notifies. A delayed notify only causes a list
//     request.
//  9. A subscription is identified by service, node and subid.
//
// The caller must pass notifies and results in the order in which the stream delivered
// them, and only those that Reader returned. A server that sends a list before
// older live notifies violates RFC 6120 §10.1. With such a server no rule over opaque
// versions is exact; SessionStarted or Refresh with Full corrects the list.
type Machine struct {
	base    *List // the committed list
	dropped []pam.Subscription
	stamp   Stamp
	used    bool // Step was called

	online      bool
	lastVersion pam.Version      // the last version received in this session
	assumed     map[place]string // subids that the last full list lacked and that were kept

	round            *round // pending
	rounds           int
	noisyRounds      int         // noisy rounds since the last quiet one
	candidate        *layer      // after noisy empty results: the list that belongs to ...
	candidateVersion pam.Version // ... this version, which the next round sends
	roundWanted      bool        // a round begins as soon as nothing is pending
	fullWanted       bool        // that round requests the list without a version
	settled          bool        // the last round was quiet: live notifies are committed
	dirty            bool
	timersSet        bool // the timers are running

	buffer []Notify // received notifies that are shown but not committed one by one, in order
	shown  *layer   // the overlay: buffer applied to the committed list

	commit         *commit // pending
	seq            int
	pendingLive    []Notify // received while settled and not in a commit yet
	delayed        []Notify // received since the last quiet round
	deferredStored *Durable // a Stored input that arrived while a commit was pending
	drops          []Drop   // to be committed

	phase          Phase // as announced
	announcedDirty bool

	now time.Time // the time of the current Step
	out []Output
}

// NewMachine returns a machine without a session and with an empty list. If the store
// is not empty, the first input must be Stored.
//
// The stamp of an empty store is the zero Stamp, and the first Commit expects it. A
// caller that wants epochs to start at random, so that an emptied store differs from
// the old one, first stores an empty list with a random epoch and passes it as Stored.
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

// Step takes one input and returns the actions to carry out, in order. now must not
// decrease between calls. Step ignores answers to rounds and commits that are no longer
// pending.
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
// The caller must not modify them.
func (m *Machine) Dropped() []pam.Subscription { return m.dropped }

// Versioned reports whether the server sends versions: the committed list or the last
// notify or list of this session has one.
func (m *Machine) Versioned() bool { return m.stamp.Version != "" || m.lastVersion != "" }

// Get returns the committed entry of a key.
func (m *Machine) Get(k pam.Key) (pam.Subscription, bool) { return m.base.get(k) }

// At returns the committed entries of a node at a service, in key order: more
// than one if the service gave several subids.
func (m *Machine) At(service, node string) []pam.Subscription { return m.base.at(service, node) }

// Phase returns the phase announced last.
func (m *Machine) Phase() Phase { return m.phase }

// Dirty reports whether notifies are only shown, and not committed, until a round is
// quiet.
func (m *Machine) Dirty() bool { return m.dirty }

// Busy reports whether a round or a commit is pending or about to start, so that the
// committed list may change without further notifies.
func (m *Machine) Busy() bool {
	return m.round != nil || m.commit != nil || m.roundWanted || len(m.pendingLive)+len(m.drops) > 0
}

// load sets the initial state from the store.
func (m *Machine) load(d Durable) {
	m.base, m.dropped, m.stamp = d.list(), d.Dropped, d.Stamp
	m.shown = m.layer()
}

// start implements rule 1. It discards the notifies kept from the last session, because
// the list includes them.
func (m *Machine) start(full bool) {
	m.end()
	m.online, m.lastVersion, m.pendingLive = true, "", nil
	m.requestRound(full)
}

// end discards the round and the notifies that are only shown. A pending commit and the
// live notifies queued behind it remain valid, because they were received in order.
func (m *Machine) end() {
	m.settled = false
	m.online, m.round, m.candidate, m.noisyRounds = false, nil, nil, 0
	m.roundWanted, m.fullWanted, m.dirty = false, false, false
	m.disarm()
	m.buffer, m.delayed = nil, nil
	m.rebuildOverlay()
	if m.commit != nil {
		m.commit.keep = 0
	}
}

// handleNotify queues a notify for a commit (rule 5), or keeps and shows it (rules 2, 3
// and 4).
func (m *Machine) handleNotify(h Notify) {
	switch {
	case !m.online:
		return // the list of the next session includes it
	case h.Delayed:
		m.keepDelayed(h)
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

// requestRound requests a round. If one is pending, another follows.
func (m *Machine) requestRound(full bool) {
	if m.online {
		m.roundWanted, m.fullWanted = true, m.fullWanted || full
	}
}

// startNext starts the next commit or round, if nothing is pending.
func (m *Machine) startNext() {
	if m.commit == nil && m.deferredStored != nil {
		d := *m.deferredStored
		m.deferredStored = nil
		if d.Epoch > m.stamp.Epoch { // The store was read after the commit.
			m.reload(d)
		}
	}
	if m.commit == nil && m.round == nil && m.roundWanted {
		m.announcePhase() // the machine may be Synced between two rounds
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

// announcePhase announces the phase if it has changed. Synced is not announced while the
// commit of a list is pending.
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

// addOverlay keeps a notify and applies it to the overlay.
func (m *Machine) addOverlay(h Notify) {
	m.buffer = append(m.buffer, h)
	if touched := m.shown.apply(h.Items); len(touched) > 0 {
		items := make([]pam.Subscription, len(touched))
		for i, k := range touched {
			items[i] = m.shown.delta[k]
		}
		m.out = append(m.out, Overlay{Items: items})
	}
}

// rebuildOverlay rebuilds the overlay after the kept notifies or the committed list have
// changed.
func (m *Machine) rebuildOverlay() {
	was := len(m.shown.delta) > 0
	if len(m.buffer) == 0 && !was {
		m.shown.base, m.shown.dropped, m.shown.assumed = m.base, m.dropped, m.assumed
		return
	}
	m.shown = m.layer()
	for _, h := range m.buffer {
		m.shown.apply(h.Items)
	}
	if items := m.shown.items(); was || len(items) > 0 {
		m.out = append(m.out, Overlay{Reset: true, Items: items})
	}
}
