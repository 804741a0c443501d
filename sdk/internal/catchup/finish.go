package catchup

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// nextMeans asks the nodes of a task by the next means.
func (m *Machine) nextMeans(t *task) {
	if t.purpose == findOldest {
		m.oldestFound(time.Time{})
		return
	}
	if t.means == AccountArchive {
		s := m.service(t.service())
		s.open--
		for _, n := range t.nodes {
			n.grouped = false
		}
		s.group = slices.DeleteFunc(slices.Clone(s.group), func(name string) bool {
			return !m.nodes[key{t.service(), name}].grouped
		})
	}
	for _, n := range t.nodes {
		switch {
		case n.Left || n.isNew():
			m.closeAll([]*node{n}, n.Cursor)
		case !n.gone:
			n.open--
			n.itemsOnly = t.means == NodeArchive
			m.ask(n)
		}
	}
}

// deleted ends the task of a node that does not exist any more.
func (m *Machine) deleted(t *task) {
	n := t.first()
	if !n.isNew() {
		m.gapOf(t, t.from, time.Time{}, pam.GapNodeKeepsFewer)
		m.emit(Found{[]Event{{
			Notification: pubsub.Notification{Service: n.Service, Node: n.Node.Node, Type: pam.EventDeleted},
			Delivery:     pam.DeliveryCatchUp,
		}}, Items, false})
	}
	m.finish(t, m.cursor(n))
}

// fail ends a task that has not read everything. Its nodes do not become current.
func (m *Machine) fail(t *task, reason pam.GapReason) {
	switch {
	case t.purpose == findOldest:
		m.oldestFound(time.Time{})
		return
	case t.gone():
		m.drop(t)
		return
	}
	from := t.from
	switch {
	case t.expired && !t.reaches:
		from = t.back
	case t.pages > 0 && t.reaches && t.cursor.At.After(from):
		from = t.cursor.At
	}
	m.gapOf(t, from, time.Time{}, reason)
	for _, n := range t.nodes {
		n.failed = true
		n.erred = n.erred || reason != pam.GapArchiveTruncated
	}
	if t.means == AccountArchive {
		m.service(t.service()).failed = true
	}
	m.end(t)
	m.closeAll(t.nodes, Cursor{})
}

// finish ends a task that has read everything up to the cursor.
func (m *Machine) finish(t *task, c Cursor) {
	m.end(t)
	if s := m.service(t.service()); t.means == AccountArchive && s.open == 0 && !s.failed && s.live.ID != "" {
		c, s.live = s.live, Cursor{}
	}
	if c.ID == "" && c.At.IsZero() {
		c = Cursor{}
	}
	m.closeAll(t.nodes, c)
}

// end counts a task that is done.
func (m *Machine) end(t *task) {
	if t.means == AccountArchive {
		m.service(t.service()).open--
		return
	}
	m.emit(Asked{Service: t.service(), Node: t.first().Node.Node, At: m.now})
}

// drop ends a task whose nodes were taken out.
func (m *Machine) drop(t *task) {
	if t.means == AccountArchive {
		m.service(t.service()).open--
	}
}

// closeAll ends a task of nodes, and announces those that are current now.
func (m *Machine) closeAll(nodes []*node, c Cursor) {
	var current, rest []*node
	for _, n := range nodes {
		if now := m.close(n); now {
			current = append(current, n)
		} else if !n.failed {
			rest = append(rest, n)
		}
	}
	m.reached(rest, c, false)
	m.reached(current, c, true)
}

// close ends a task of a node. It reports whether the node is current now.
func (m *Machine) close(n *node) bool {
	if n.open--; n.open > 0 || n.gone {
		return false
	}
	m.progress.close(n)
	return !n.failed && !n.deferred
}

// gapOf records a gap of the nodes of a task.
func (m *Machine) gapOf(t *task, from, to time.Time, reason pam.GapReason) {
	name := ""
	if len(t.nodes) == 1 {
		name = t.first().Node.Node
	}
	m.gap(t.service(), name, from, to, reason)
}

// reached announces how far nodes of a service were read.
func (m *Machine) reached(nodes []*node, c Cursor, current bool) {
	names := make([]string, 0, len(nodes))
	for _, n := range nodes {
		if n.Cursor = c; !n.gone {
			names = append(names, n.Node.Node)
		}
	}
	if len(names) == 0 {
		return
	}
	if group := m.service(nodes[0].Service).group; nodes[0].grouped && len(names) == len(group) {
		names = group
	}
	m.emit(Reached{nodes[0].Service, names, c, current})
}
