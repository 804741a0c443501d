package inbox

import (
	"fmt"
	"time"

	"xmpp-pam/sdk/pam"
)

// A Machine keeps the inbox of an account. It is a pure state machine: it does no I/O and
// reads no clock. Step takes an event and returns the actions to carry out; equal inputs
// give equal outputs. It is not safe for concurrent use.
//
// At most one commit is pending. Inputs that arrive in the meantime wait; then one commit
// stores what follows from all of them. If it fails because another tab has stored
// something, the machine reads the records anew and handles the same inputs again: what
// the other tab has stored already is then a copy.
//
// What is announced, acknowledged, fetched or published was stored before.
type Machine struct {
	opts Options
	state

	loaded bool // records were read
	queue  []queued
	held   []queued // handled, but to be stored with the next commit
	commit *commit
	seq    int

	// What belongs to this run of the program.
	interest    interest
	elsewhere   []interval
	online      bool  // there is a session
	starting    bool  // a SessionStarted waits in the queue
	heard       int64 // when the last stanza of the session came
	fetches     fetches
	live        map[uint64]bool // events of which a copy came live without a stamp
	newLive     []uint64        // likewise, by inputs that are not finished
	shared      map[nodeKey]*sharing
	due         map[nodeKey]bool // nodes of which a marker may have to be published
	publishing  int
	merged      uint64 // the revision of the last RemoteMarkers
	markersRead bool
	caughtUp    bool
	reading     bool // ReadBodies is pending
	timers      [2]int64

	refused   int
	missed    []pam.Target
	handled   uint64
	announced uint64 // the id of the first event that was not announced
	shown     totals

	now int64
	out []Output
}

// totals are what was announced of the whole inbox.
type totals struct{ unseen, dropped, away int }

// A queued input arrived at a time.
type queued struct {
	in    Input
	at    int64
	again bool // it was handled before
	ended bool // its session has ended, so that its number means nothing
}

// New returns a machine. Its first input should be Stored.
func New(opts Options) *Machine {
	for _, o := range []struct {
		value    *int
		standard int
	}{{&opts.PerNode, 500}, {&opts.Total, 20_000}, {&opts.Bytes, 64 << 20}, {&opts.Nodes, 20_000}, {&opts.page, 50}} {
		if *o.value == 0 {
			*o.value = o.standard
		}
	}
	return &Machine{opts: opts, state: newState(), live: map[uint64]bool{}, shared: map[nodeKey]*sharing{}, due: map[nodeKey]bool{}}
}

// Step takes one input and returns the actions to carry out, in order.
func (m *Machine) Step(now time.Time, in Input) []Output {
	m.now, m.out = now.UnixMilli(), nil
	switch in := in.(type) {
	case Stored:
		if m.commit == nil && !m.unchanged(in) {
			m.read(in)
		}
	case Committed:
		if m.commit != nil && in.Seq == m.commit.seq {
			c := m.commit
			m.commit, m.meta = nil, c.meta
			m.finish(c.inputs)
		}
	case Conflict:
		if m.commit != nil && in.Seq == m.commit.seq {
			m.held = m.commit.inputs
			m.commit = nil
			m.read(Stored{in.Records})
		}
	case StoreReplaced:
		m.storeReplaced()
	case SetInterest:
		if m.loaded {
			m.enqueue(in)
		} else {
			m.interest = in.Filters
		}
	default:
		m.enqueue(in)
	}
	m.advance()
	return m.out
}

// enqueue queues an input. What belongs to a session ends at once, also for the inputs
// that wait.
func (m *Machine) enqueue(in Input) {
	start, started := in.(SessionStarted)
	_, ended := in.(SessionEnded)
	if started || ended {
		for _, inputs := range [][]queued{m.queue, m.held, m.pending()} {
			for i := range inputs {
				inputs[i].ended = true
			}
		}
		m.handled = 0
		m.resetSession(started)
		m.starting = m.starting || started && !m.continues(start)
	}
	q := queued{in: in, at: m.now}
	if a, ok := in.(Arrived); ok && a.Seq > 0 || started {
		m.heard = m.now
	} else if ended { // Nothing has come since then, perhaps because the connection was lost.
		q.at = m.heard
	}
	m.queue = append(m.queue, q)
}

// pending returns the inputs of the pending commit.
func (m *Machine) pending() []queued {
	if m.commit == nil {
		return nil
	}
	return m.commit.inputs
}

// Loaded reports whether the records were read. Without them nothing is known of any node.
func (m *Machine) Loaded() bool { return m.loaded }

// Busy reports whether a commit is pending.
func (m *Machine) Busy() bool { return m.commit != nil }

// advance handles the waiting inputs, unless a commit is pending.
func (m *Machine) advance() {
	for m.loaded && m.commit == nil && (len(m.queue) > 0 || m.dirty) {
		inputs := m.queue
		m.queue = nil
		for _, q := range inputs {
			m.handle(q.in, q.at, q.again || q.ended)
		}
		m.settle()
		switch {
		case m.dirty:
			if m.online {
				m.session.alive = max(m.session.alive, m.heard)
			}
			m.write(append(m.held, inputs...))
			m.held = nil
		case m.deferred:
			m.hold(inputs)
			m.finish(inputs)
		default:
			m.finish(inputs)
		}
	}
}

// hold keeps inputs that were handled, but are stored with the next commit only. That
// nothing new has arrived need not be stored, but what was left out must be.
func (m *Machine) hold(inputs []queued) {
	for _, q := range inputs {
		in, arrived := q.in.(Arrived)
		_, fetched := q.in.(ItemFetched)
		if !arrived && !fetched || arrived && len(in.Events) > 0 && m.interest != nil {
			m.held = append(m.held, q)
		}
	}
}

// handle handles one input. If again is set, only what is stored counts: it was handled
// before, or its session has ended.
func (m *Machine) handle(in Input, at int64, again bool) {
	switch in := in.(type) {
	case BodiesRead:
		m.bodiesRead(in)
	case Arrived:
		for i := range in.Events {
			m.arrive(&in.Events[i], at)
		}
	case ItemFetched:
		m.fetched(in, at, again)
	case MarkSeen:
		m.markSeen(in, at)
	case RemoteMarkers:
		for _, k := range in.Markers {
			m.merge(k, again)
		}
		m.merged = max(m.merged, in.Revision)
	case MarkersRead:
		m.markersRead = m.markersRead || !again
		m.allDue()
	case CatchUpEnded:
		m.caughtUp = m.caughtUp || !again
		m.allDue()
	case MarkerPublished:
		m.markerPublished(in)
	case LiveElsewhere:
		m.liveElsewhere(in)
	case SetInterest:
		m.setInterest(in.Filters)
	case SessionStarted:
		if !again {
			m.wantAll()
		}
		m.starting = false
		m.startSession(in, at)
	case SessionEnded:
		if m.session.number > 0 { // else nothing is worth storing
			m.session.alive, m.deferred = max(m.session.alive, at), true
		}
	case Reached:
		m.reached(in, at)
	case Unfollowed:
		m.unfollowed(in)
	case Asked:
		m.ask(in)
	case ListChanged:
		m.listChanged(in)
	case Looked:
		m.looked(at)
	case TimerFired:
		if in.Timer == TimerFlush {
			m.dirty = m.dirty || m.deferred
		}
		if int(in.Timer) < len(m.timers) {
			m.timers[in.Timer] = 0
		}
	}
}

// finish outputs what follows from inputs that are stored, or need not be.
func (m *Machine) finish(inputs []queued) {
	m.announce()
	m.keepLive()
	handled := m.handled
	for _, q := range inputs {
		if a, ok := q.in.(Arrived); ok && !q.ended {
			handled = max(handled, a.Seq)
		}
	}
	if handled > m.handled {
		m.handled = handled
		m.out = append(m.out, Handled{handled})
	}
	if m.refused > 0 {
		m.out = append(m.out, Warning{fmt.Errorf("%w: %d with an unknown type, or a name that is longer than allowed", ErrRefused, m.refused)})
		m.refused = 0
	}
	if len(m.missed) > 0 {
		m.out = append(m.out, Missed{m.missed})
		m.missed = nil
	}
	m.requestItems()
	m.readBodies()
	m.publish()
	if m.deferred && m.timers[TimerFlush] == 0 {
		m.setTimer(TimerFlush, m.now+flushDelay)
	}
}

// resetSession forgets what belongs to a session.
func (m *Machine) resetSession(online bool) {
	m.online, m.markersRead, m.caughtUp, m.publishing = online, false, false, 0
	m.fetches = fetches{}
	clear(m.shared)
	clear(m.due)
}

// setTimer sets a timer, or cancels it if at is 0.
func (m *Machine) setTimer(t Timer, at int64) {
	if m.timers[t] != at {
		m.timers[t] = at
		m.out = append(m.out, SetTimer{t, moment(at)})
	}
}
