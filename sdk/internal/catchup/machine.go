package catchup

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/element"
)

// A Machine carries out a catch-up. It is a pure state machine: it does no I/O and reads
// no clock. Step takes an event and returns the actions to carry out; equal inputs give
// equal outputs. It is not safe for concurrent use.
//
// The events of all nodes of a service that the account archives are read together, in
// one query of the account's archive; every other node is asked by itself. A means that
// an entity refuses is replaced by the next one. What a means cannot tell is a gap.
type Machine struct {
	digest func(payload *element.Element) string
	limits limits

	account  string
	began    time.Time // the catch-up
	since    time.Time
	prefix   string
	archive  ArchiveSupport
	services map[string]*service
	nodes    map[key]*node
	refused  map[refusal]bool

	targets  map[string]*target
	ready    []*target // that may be sent a request, in the order of their first tasks
	queued   int       // tasks in the queues of targets
	slow     []*target // that are not asked for a while
	deferred []*task   // of nodes that were asked recently, by due time
	requests map[string]*request
	sent     int // requests, for their ids
	paused   bool
	timer    time.Time // as requested

	asked   int // requests of this catch-up
	results int // messages and items received in this catch-up
	oldest  oldest

	progress progress

	now time.Time // the time of the current Step
	out []Output
}

// NewMachine returns a machine. digest identifies a payload, which may be nil, as in
// Known.
func NewMachine(digest func(payload *element.Element) string) *Machine {
	m := &Machine{digest: digest, limits: standard}
	m.reset()
	return m
}

// Step takes one input and returns the actions to carry out, in order. now must not
// decrease between calls. Step ignores answers to requests that are not under way.
func (m *Machine) Step(now time.Time, in Input) []Output {
	m.now, m.out = now, nil
	switch in := in.(type) {
	case Start:
		m.start(in)
	case Added:
		m.support(in.Services)
		m.add(in.Nodes, time.Time{})
	case Retry:
		m.retry(in)
	case Removed:
		m.remove(key{in.Service, in.Node})
	case Result:
		if r := m.answered(in.ID); r != nil {
			m.result(r, in)
		}
	case Failed:
		if r := m.answered(in.ID); r != nil {
			m.failure(r, in.Err)
		}
	case ArchiveResult:
		m.archiveResult(in)
	case Live:
		m.live(in)
	case Paused:
		m.paused = true
		for _, r := range m.underWay() {
			m.found(r)
		}
	case Resumed:
		m.paused = false
	case Cancel:
		m.cancel(in.Held)
	case TimerFired:
		m.timer = time.Time{}
	}
	m.schedule()
	m.report()
	return m.out
}

// Archive returns the address of the archive that the query with the id asks. Before the
// caller passes an ArchiveResult, it must check that the sender of the message is one that
// may answer a request to that address.
func (m *Machine) Archive(queryID string) (address string, ok bool) {
	r := m.requests[queryID]
	if r == nil || r.task.means == Items {
		return "", false
	}
	return r.task.to, true
}

func (m *Machine) emit(out Output) { m.out = append(m.out, out) }

// reset discards the catch-up.
func (m *Machine) reset() {
	m.services, m.nodes = map[string]*service{}, map[key]*node{}
	m.refused = map[refusal]bool{}
	m.targets, m.ready, m.queued, m.slow, m.deferred = map[string]*target{}, nil, 0, nil, nil
	m.requests = map[string]*request{}
	m.asked, m.results, m.oldest = 0, 0, oldest{}
}

func (m *Machine) start(in Start) {
	m.reset()
	m.account, m.since, m.prefix, m.archive = in.Account, in.Since, in.Prefix, in.Archive
	m.began = m.now
	m.paused = false
	m.support(in.Services)
	m.progress = progress{running: true, gaps: slices.Clip(in.Gaps)}
	m.add(in.Nodes, in.Since)
}

// live moves the cursor of the nodes that are read in the archive of the account. A live
// event says that all before it came if the archive was read to its end: before that,
// events that were missed lie between the cursor and the live one.
func (m *Machine) live(in Live) {
	n, s := m.nodes[key{in.Service, in.Node}], m.services[in.Service]
	if n == nil || in.Cursor.ID == "" || !n.grouped {
		return
	}
	in.Cursor.By, in.Cursor.At = m.account, m.notLater(in.Cursor.At)
	if s.open > 0 {
		s.live = in.Cursor
	} else if !s.failed {
		s.cursor = in.Cursor
		m.emit(Reached{Service: in.Service, Nodes: s.group, Cursor: in.Cursor})
	}
}

// cancel ends the catch-up. What was reached stays.
func (m *Machine) cancel(held bool) {
	for _, r := range m.underWay() {
		m.withdraw(r)
	}
	for _, s := range m.services {
		s.failed = s.failed || s.open > 0
		s.open = 0
	}
	m.targets, m.ready, m.queued, m.slow, m.deferred = map[string]*target{}, nil, 0, nil, nil
	m.oldest = oldest{}
	m.progress.cancelled = m.progress.cancelled || m.progress.running || held
}

// notLater limits a time that another entity told, so that a wrong one does not hide
// later events.
func (m *Machine) notLater(at time.Time) time.Time {
	if at.After(m.now) {
		return m.now
	}
	return at
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for k := range of {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
