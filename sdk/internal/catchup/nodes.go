package catchup

import (
	"cmp"
	"slices"
	"time"

	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

type key struct{ service, node string }

// A refusal is a means that a service, or the account, turned out not to offer.
type refusal struct {
	service string
	means   Means
}

// A node is a Node and what became of it.
type node struct {
	Node
	open      int  // tasks that are not done
	failed    bool // a task failed: the node does not become current
	erred     bool // it was not a bound that ended the task
	complete  bool // the server says that nothing is missing
	grouped   bool // it is read in the archive of the account
	itemsOnly bool // its archive refused
	deferred  bool // it is asked later
	gone      bool // it was taken out
}

// isNew reports whether nothing was ever fetched.
func (n *node) isNew() bool { return n.CurrentUntil.IsZero() }

// A service is what is known of a service whose nodes are followed.
type service struct {
	Support
	results int // received in this catch-up
	// group holds the nodes that are read in the archive of the account. Live events move
	// their cursor once no task of them is open, unless one failed; until then live holds
	// the cursor of the newest one.
	group  []string
	open   int
	failed bool
	live   Cursor
	cursor Cursor // to which live events have moved
}

// support records what services announce.
func (m *Machine) support(services map[string]Support) {
	for name, s := range services {
		m.service(name).Support = s
	}
}

func (m *Machine) service(name string) *service {
	s := m.services[name]
	if s == nil {
		s = &service{}
		m.services[name] = s
	}
	return s
}

// add makes the tasks of nodes. Since, if it is not zero, is the end of the last session: the
// subscriptions of new nodes came later.
func (m *Machine) add(nodes []Node, since time.Time) {
	var added []*node
	for _, in := range nodes {
		n := &node{Node: in}
		n.grouped = m.means(n) == AccountArchive
		if k := (key{in.Service, in.Node}); m.nodes[k] == nil && (n.grouped || !in.Left) {
			m.nodes[k] = n
			m.progress.add(n)
			added = append(added, n)
		}
	}
	slices.SortFunc(added, byActivity)
	groups := map[string][]*node{}
	for _, n := range added {
		if n.grouped {
			s := m.service(n.Service)
			s.group = append(s.group, n.Node.Node)
		}
		if n.Current {
			m.progress.close(n)
			continue
		}
		if n.grouped {
			n.open++
			groups[n.Service] = append(groups[n.Service], n)
		}
		if !n.Left && (n.isNew() || !n.grouped) {
			m.ask(n)
		}
	}
	for _, name := range sortedKeys(groups) {
		m.readAccount(name, groups[name], since)
	}
}

// means returns the best means for a node.
func (m *Machine) means(n *node) Means {
	archived := m.archive == AllEvents || m.archive == SomeEvents && n.Archived
	switch {
	case archived && !n.Unlisted && !m.refused[refusal{means: AccountArchive}]:
		return AccountArchive
	case m.service(n.Service).NodeArchive && !n.itemsOnly:
		return NodeArchive
	}
	return Items
}

// remove takes a node out, and withdraws what was requested for it alone.
func (m *Machine) remove(k key) {
	n := m.nodes[k]
	if n == nil {
		return
	}
	delete(m.nodes, k)
	m.progress.remove(n)
	n.gone = true
	s := m.service(k.service)
	s.group = without(s.group, k.node)
	if n.deferred {
		m.deferred = slices.DeleteFunc(m.deferred, func(t *task) bool { return t.first() == n })
	}
	for _, r := range m.underWay() {
		if r.task.gone() {
			m.withdraw(r)
			m.drop(r.task)
		}
	}
}

// retry takes nodes out and adds them again, as at the beginning of the catch-up.
func (m *Machine) retry(in Retry) {
	again := map[key]bool{}
	for _, n := range in.Nodes {
		k := key{n.Service, n.Node}
		again[k] = true
		m.remove(k)
	}
	left := map[string]bool{} // services of which not all nodes are read again
	for k := range m.nodes {
		left[k.service] = true
	}
	for k := range again {
		if s := m.service(k.service); len(s.group) == 0 {
			s.failed, s.live = false, Cursor{}
		}
	}
	m.progress.forget(func(g pam.Gap) bool { return again[key{g.Service, g.Node}] || g.Node == "" && !left[g.Service] })
	m.support(in.Services)
	m.add(in.Nodes, m.since)
}

// wanted reports whether an event of a node is wanted.
func (n *node) wanted(e pubsub.Notification) bool {
	return e.State == "" && (n.Payloads == nil || e.Payload == nil || slices.Contains(n.Payloads, e.Payload.Name.Space))
}

func without(names []string, name string) []string {
	i := slices.Index(names, name)
	if i < 0 {
		return names
	}
	return slices.Concat(names[:i], names[i+1:]) // outputs share names
}

func byActivity(a, b *node) int {
	return cmp.Or(b.LastActivity.Compare(a.LastActivity), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Node.Node, b.Node.Node))
}
