package catchup

import (
	"slices"
	"strconv"
	"time"

	"xmpp-pam/sdk/pam"
)

// askAgainAfter is the time for which a node is not asked again.
const askAgainAfter = 5 * time.Minute

// limits are the bounds of a catch-up.
type limits struct {
	underWay  int // requests at once
	atService int // of these, to one service, so that a slow one does not stop the others
	requests  int // in all
	results   int // messages and items received, in all
	ofService int // of these, of one service
	pages     int // of one archive
	// items holds how many of the newest items of a node are read in all, until a known
	// one is among them; newItems how many of a new node.
	items    [3]int
	newItems int
}

// standard holds the limits. The inbox keeps 500 events of a node.
var standard = limits{
	underWay: 4, atService: 2, requests: 20_000, results: 100_000, ofService: 10_000,
	pages: 250, items: [3]int{20, 100, 500}, newItems: 20,
}

// A task is the work on one node, or on the nodes of a service that are read together in
// the archive of the account. Its request is under way, or it is in the queue of its
// target, or it waits in Machine.deferred or oldest.waiting.
type task struct {
	means    Means
	to       string // the entity that is asked
	nodes    []*node
	timeouts int
	archiveRead
	itemsRead
}

// first returns the node that decides about the order.
func (t *task) first() *node { return t.nodes[0] }

func (t *task) service() string { return t.nodes[0].Service }

// gone reports whether the events are not wanted any more.
func (t *task) gone() bool {
	return t.purpose != findOldest && !slices.ContainsFunc(t.nodes, func(n *node) bool { return !n.gone })
}

// due returns when the node of a deferred task may be asked again.
func (t *task) due() time.Time { return t.first().AskedAt.Add(askAgainAfter) }

// A target is an entity that is asked.
type target struct {
	queue    []*task // in the order of their first nodes
	underWay int
	limit    int       // of requests under way
	ready    bool      // it is in Machine.ready
	until    time.Time // it is not asked before
	refusals int       // since a result: it wants to be asked more slowly
	failures int       // since a result: it does not answer
}

func (g *target) compare(other *target) int {
	return byActivity(g.queue[0].first(), other.queue[0].first())
}

// A request is an iq that waits for its answer.
type request struct {
	id   string
	task *task
	archivePage
}

// ask makes the task of a node that is asked by itself. The node is asked later if it was
// asked recently.
func (m *Machine) ask(n *node) {
	t := &task{means: m.means(n), to: n.Service, nodes: []*node{n}}
	if n.isNew() {
		t.means = Items
	}
	t.paging = m.service(n.Service).Paging && !n.isNew()
	t.begin(n, n.CurrentUntil, n.Service)
	if n.AskedAt.After(m.now) || !t.due().After(m.now) {
		n.open++
		m.enqueue(t)
		return
	}
	n.deferred = true
	if n.open == 0 {
		m.progress.close(n)
	}
	i, _ := slices.BinarySearchFunc(m.deferred, t.due(), func(t *task, due time.Time) int { return t.due().Compare(due) })
	m.deferred = slices.Insert(m.deferred, i, t)
}

// Deferred returns the number of nodes that are not read yet because they were asked
// recently.
func (m *Machine) Deferred() int { return len(m.deferred) }

// enqueue adds a task to those of its target.
func (m *Machine) enqueue(t *task) {
	g := m.targets[t.to]
	if g == nil {
		g = &target{limit: m.limits.atService}
		if t.to == m.account {
			g.limit = m.limits.underWay
		}
		m.targets[t.to] = g
	}
	m.unready(g) // its place may change
	i, _ := slices.BinarySearchFunc(g.queue, t, func(a, b *task) int { return byActivity(a.first(), b.first()) })
	g.queue = slices.Insert(g.queue, i, t)
	m.queued++
	m.makeReady(g)
}

// makeReady inserts a target that may be sent a request into ready.
func (m *Machine) makeReady(g *target) {
	if g.ready || len(g.queue) == 0 || g.underWay >= g.limit || !g.until.IsZero() {
		return
	}
	i, _ := slices.BinarySearchFunc(m.ready, g, (*target).compare)
	m.ready, g.ready = slices.Insert(m.ready, i, g), true
}

// unready takes a target out of ready.
func (m *Machine) unready(g *target) {
	if g.ready {
		m.ready = slices.DeleteFunc(m.ready, func(other *target) bool { return other == g })
		g.ready = false
	}
}

// schedule sends as many requests as are allowed.
func (m *Machine) schedule() {
	m.wake()
	for len(m.ready) > 0 && len(m.requests) < m.limits.underWay && !m.paused {
		g := m.ready[0]
		t := g.queue[0]
		m.ready, g.ready = m.ready[1:], false
		g.queue = g.queue[1:]
		m.queued--
		switch {
		case t.gone():
			m.drop(t)
		case m.refused[t.refusal()]:
			m.nextMeans(t)
		case m.exhausted(t):
			m.fail(t, pam.GapArchiveTruncated)
		default:
			g.underWay++
			m.send(t)
		}
		m.makeReady(g)
	}
	m.setTimer()
}

// exhausted reports whether a bound forbids the next request of a task.
func (m *Machine) exhausted(t *task) bool {
	return m.asked >= m.limits.requests || m.results >= m.limits.results || m.service(t.service()).results >= m.limits.ofService
}

// wake continues the tasks whose time has come.
func (m *Machine) wake() {
	for len(m.deferred) > 0 && !m.deferred[0].due().After(m.now) {
		t := m.deferred[0]
		n := t.first()
		m.deferred = m.deferred[1:]
		if n.deferred = false; n.open == 0 {
			m.progress.reopen(n)
		}
		n.open++
		m.enqueue(t)
	}
	m.slow = slices.DeleteFunc(m.slow, func(g *target) bool {
		if g.until.After(m.now) {
			return false
		}
		g.until = time.Time{}
		m.makeReady(g)
		return true
	})
}

// setTimer requests the timer for what waits.
func (m *Machine) setTimer() {
	var at time.Time
	if len(m.deferred) > 0 {
		at = m.deferred[0].due()
	}
	for _, g := range m.slow {
		at = earliest(at, g.until)
	}
	if !at.Equal(m.timer) {
		m.timer = at
		m.emit(SetTimer{at})
	}
}

// send makes the next request of a task.
func (m *Machine) send(t *task) {
	m.asked++
	m.sent++
	r := &request{id: m.prefix + strconv.Itoa(m.sent), task: t}
	m.requests[r.id] = r
	out := Request{ID: r.id, To: t.to, Type: "set"}
	if t.means != Items {
		out.Payload = t.query(r.id)
	} else {
		n := t.first()
		if !t.paging || t.before == "" {
			t.asOf = m.now
		}
		out.Type, out.Payload = "get", t.itemsRequest(m.wanted(t))
		if !n.isNew() {
			out.Compare = &Compare{n.Service, n.Node.Node}
		}
	}
	m.emit(out)
}

// answered takes a request out of those under way. It returns nil if there is none with
// the id.
func (m *Machine) answered(id string) *request {
	r := m.requests[id]
	if r != nil {
		delete(m.requests, id)
		m.found(r)
		g := m.targets[r.task.to]
		g.underWay--
		m.makeReady(g)
	}
	return r
}

func (m *Machine) withdraw(r *request) {
	m.emit(Withdraw{r.id})
	m.answered(r.id)
}

// underWay returns the requests in a fixed order.
func (m *Machine) underWay() []*request {
	all := make([]*request, 0, len(m.requests))
	for _, id := range sortedKeys(m.requests) {
		all = append(all, m.requests[id])
	}
	return all
}

// result handles the result of a request.
func (m *Machine) result(r *request, in Result) {
	t := r.task
	g := m.targets[t.to]
	failures := g.failures
	g.failures, g.refusals = 0, 0
	var err error
	if t.means == Items {
		err = m.itemsResult(t, in)
	} else {
		err = m.archiveEnd(r, in.IQ)
	}
	if err != nil {
		g.failures = failures
		m.failure(r, &pam.Error{Code: pam.CodeProtocol, Err: err, Text: "An answer was not valid: " + err.Error()})
	}
}
