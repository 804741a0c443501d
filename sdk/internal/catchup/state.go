package catchup

import (
	"slices"
	"time"

	"xmpp-pam/sdk/pam"
)

// maxNodeGaps is the number of gaps of single nodes of a service, of one reason, from
// which one gap of the whole service replaces them.
const maxNodeGaps = 16

// A progress counts what is done.
type progress struct {
	running, cancelled    bool
	nodes, done, complete int        // except for those that were left
	erred                 int        // of those that are done
	err                   *pam.Error // the last one, for a catch-up that found nothing out
	gaps                  []pam.Gap  // shared with outputs: only appended to, or replaced
	perService            map[gapKind]int
	reported              pam.CatchUpState
}

type gapKind struct {
	service string
	reason  pam.GapReason
}

func (p *progress) add(n *node) {
	if !n.Left {
		p.nodes++
	}
}

// close counts a node of which nothing is open any more.
func (p *progress) close(n *node) {
	if n.Left {
		return
	}
	p.done++
	if n.complete {
		p.complete++
	}
	if n.erred {
		p.erred++
	}
}

// reopen counts a node that is asked again.
func (p *progress) reopen(n *node) {
	p.done--
	if n.complete {
		p.complete--
	}
	if n.erred {
		p.erred--
	}
}

func (p *progress) remove(n *node) {
	if n.Left {
		return
	}
	p.nodes--
	if n.open == 0 {
		p.reopen(n)
	}
}

// forget removes gaps, and that the catch-up was canceled, before nodes are read again.
func (p *progress) forget(gone func(pam.Gap) bool) {
	p.cancelled, p.perService = false, nil
	p.gaps = slices.DeleteFunc(slices.Clone(p.gaps), gone)
	for _, g := range p.gaps {
		p.count(g)
	}
}

// gap records that events of a node, or of a service if node is empty, may be missing
// from a time until another. If that is zero, it is the beginning of the session: since
// then events come live. Of a new node nothing counts as missed.
func (m *Machine) gap(service, node string, from, to time.Time, reason pam.GapReason) {
	if from.IsZero() {
		return
	}
	if to.IsZero() {
		to = m.began
	}
	if !to.After(from) { // the archive was read beyond it, or the clock was set back
		to = m.now
	}
	if from.After(to) {
		from = to
	}
	p := &m.progress
	g := pam.Gap{Service: service, Node: node, From: from, To: to, Reason: reason}
	count := p.count(g)
	if count <= maxNodeGaps {
		p.gaps = append(p.gaps, g)
		return
	}
	g.Node = ""
	if count > maxNodeGaps+1 && slices.ContainsFunc(p.gaps, func(whole pam.Gap) bool { return covers(whole, g) }) {
		return
	}
	kept := make([]pam.Gap, 0, len(p.gaps))
	for _, other := range p.gaps {
		if other.Service != service || other.Reason != reason {
			kept = append(kept, other)
			continue
		}
		g.From = earliest(g.From, other.From)
		if other.To.After(g.To) {
			g.To = other.To
		}
	}
	p.gaps = append(kept, g)
}

// count counts the gaps of single nodes of a service, of one reason.
func (p *progress) count(g pam.Gap) int {
	if p.perService == nil {
		p.perService = map[gapKind]int{}
	}
	kind := gapKind{g.Service, g.Reason}
	if g.Node != "" {
		p.perService[kind]++
	}
	return p.perService[kind]
}

func covers(whole, g pam.Gap) bool {
	return whole.Node == "" && whole.Service == g.Service && whole.Reason == g.Reason && !whole.From.After(g.From) && !whole.To.Before(g.To)
}

// State returns the state of the catch-up.
func (m *Machine) State() pam.CatchUpState {
	p := &m.progress
	s := pam.CatchUpState{
		Phase: pam.CatchUpIdle, Since: m.since, Nodes: p.nodes, NodesDone: p.done,
		Completeness: pam.CompletenessUnknown, Gaps: slices.Clip(p.gaps),
	}
	switch {
	case p.running:
		s.Phase = pam.CatchUpRunning
	case p.cancelled || m.account == "":
	case p.nodes > 0 && p.erred == p.nodes:
		s.Phase, s.Err = pam.CatchUpFailed, p.err
	default:
		s.Phase = pam.CatchUpDone
	}
	switch {
	case len(p.gaps) > 0:
		s.Completeness = pam.Partial
	case s.Phase == pam.CatchUpDone && p.complete == p.nodes && !m.since.IsZero():
		s.Completeness = pam.Complete
	}
	return s
}

// report announces the state if it has changed, and the end.
func (m *Machine) report() {
	p := &m.progress
	busy := len(m.requests) > 0 || m.queued > 0
	ended := p.running && !busy
	p.running = busy
	s := m.State()
	if same(s, p.reported) {
		return
	}
	p.reported = s
	m.emit(Progress{s})
	if ended {
		m.emit(Done{s})
	}
}

func same(a, b pam.CatchUpState) bool {
	return a.Phase == b.Phase && a.Since.Equal(b.Since) && a.Nodes == b.Nodes && a.NodesDone == b.NodesDone &&
		a.Completeness == b.Completeness && len(a.Gaps) == len(b.Gaps) && a.Err == b.Err
}
