package catchup

import (
	"slices"
	"time"

	"xmpp-pam/sdk/pam"
)

const (
	maxTimeouts = 2 // of one task
	maxFailures = 3 // of an entity, without a result in between
	maxRefusals = 5
	slowDelay   = 5 * time.Second // after the first refusal; doubled with each
)

// The conditions that say how to go on; all others mean that the means is not offered.
var (
	unreachable = []string{"remote-server-timeout", "remote-server-not-found", "recipient-unavailable"}
	busy        = []string{"resource-constraint", "policy-violation"}
	forbidden   = []string{"forbidden", "not-authorized", "not-allowed", "payment-required", "registration-required", "subscription-required"}
	absent      = []string{"item-not-found", "gone"}
)

// failure handles a request that was answered with an error, or not at all.
func (m *Machine) failure(r *request, err *pam.Error) {
	t := r.task
	g := m.targets[t.to]
	stanza := err.Code == pam.CodeStanza
	has := func(conditions []string) bool { return stanza && slices.Contains(conditions, err.Condition) }
	switch {
	case err.Code == pam.CodeOffline || err.Code == pam.CodeOutcomeUnknown || err.Code == pam.CodeClosed:
		m.paused = true // until the session continues, or another starts
		m.enqueue(t)
		return
	case t.means != Items && t.after != "" && has(absent):
		if t.expired {
			m.fail(t, pam.GapArchiveTruncated)
			return
		}
		t.expire()
		m.enqueue(t)
		return
	}
	m.progress.err = err
	switch {
	case err.Code == pam.CodeTimeout || has(unreachable) || t.means == Items && has([]string{"service-unavailable"}):
		m.silent(g, t, err.Code == pam.CodeTimeout)
	case has(busy) || stanza && err.Type == "wait":
		m.slowDown(g, t)
	case t.means != Items:
		if t.means == AccountArchive || !has(absent) && !has(forbidden) {
			m.refused[t.refusal()] = true
		}
		m.nextMeans(t)
	case t.paging && !has(forbidden) && !(has(absent) && t.before == ""):
		t.paging = false
		m.enqueue(t)
	case has(absent):
		m.deleted(t)
	case t.first().isNew() && stanza:
		m.finish(t, m.cursor(t.first())) // there is nothing to show, and nothing was missed
	case has(forbidden):
		m.fail(t, pam.GapForbidden)
	case stanza && err.Condition == "feature-not-implemented":
		m.fail(t, pam.GapNotArchived)
	default:
		m.fail(t, pam.GapError)
	}
}

// silent handles an entity that does not answer, or that cannot. One that fails again and
// again is not asked any more.
func (m *Machine) silent(g *target, t *task, retry bool) {
	g.failures++
	if t.timeouts++; retry && t.timeouts < maxTimeouts {
		m.enqueue(t)
	} else {
		m.fail(t, pam.GapError)
	}
	if g.failures < maxFailures {
		return
	}
	queue := g.queue
	g.queue = nil
	m.queued -= len(queue)
	m.unready(g)
	for _, t := range queue {
		m.fail(t, pam.GapError)
	}
}

// slowDown handles an entity that wants to be asked more slowly.
func (m *Machine) slowDown(g *target, t *task) {
	if g.refusals++; g.refusals > maxRefusals {
		m.fail(t, pam.GapError)
		return
	}
	g.limit = 1
	if g.until.IsZero() {
		m.slow = append(m.slow, g)
	}
	g.until = m.now.Add(slowDelay << (g.refusals - 1))
	m.enqueue(t)
}

// refusal returns what is refused if a task is. The archive of the account is refused for
// all services.
func (t *task) refusal() refusal {
	if t.means == AccountArchive {
		return refusal{means: AccountArchive}
	}
	return refusal{t.service(), t.means}
}
