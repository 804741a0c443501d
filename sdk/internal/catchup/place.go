package catchup

import (
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
)

const (
	pageSize      = 100
	smallPageSize = 25 // after a timeout
	// An archive is read again from some time before what is known: an event can be
	// stamped earlier than one that came before it. The clock of this device may be wrong
	// by more.
	archiveMargin = 5 * time.Minute
	clockMargin   = time.Hour
)

// begin sets where a task begins to read the archive with the address by: after the
// message of the node's cursor, or by time if that is of another archive.
func (t *task) begin(n *node, from time.Time, by string) {
	t.from, t.start, t.cursor = from, n.start(), n.Cursor
	if t.back = from.Add(-archiveMargin); t.cursor.At.After(t.back) {
		t.back = t.cursor.At
	}
	if t.cursor.By != by {
		t.cursor.By, t.cursor.ID = by, ""
	}
	t.after = t.cursor.ID
	t.byTime, t.reaches = t.after == "", t.after != ""
}

// readAccount makes the task that reads the events of nodes of a service in the archive of
// the account, from the earliest place at which one of them needs it. What a node without
// a cursor misses comes after the cursor of any node that was not current for longer. If all
// are new, the subscriptions came after the last session, which ended at since.
func (m *Machine) readAccount(name string, group []*node, since time.Time) {
	t := &task{means: AccountArchive, to: m.account, nodes: group}
	var base *node
	var least, from time.Time // until when nodes with a cursor, and all, were current
	earlier := func(n *node) bool { return base == nil || n.start().Before(base.start()) }
	for _, n := range group {
		from = earliest(from, n.CurrentUntil)
		if n.hasCursor() {
			least = earliest(least, n.CurrentUntil)
			if earlier(n) {
				base = n
			}
		}
	}
	for _, n := range group {
		if !n.isNew() && (least.IsZero() || n.CurrentUntil.Before(least)) && earlier(n) {
			base = n
		}
	}
	switch {
	case base != nil:
		if from.IsZero() {
			from = base.Cursor.At
		}
		t.begin(base, from, m.account)
	case !since.IsZero():
		// Kept for the next session, if the archive does not answer in this one.
		m.reached(group, Cursor{By: m.account, At: since.Add(-clockMargin)}, false)
		t.begin(group[0], since, m.account)
	default:
		t.purpose = findPlace
	}
	m.service(name).open++
	m.enqueue(t)
}

func (n *node) hasCursor() bool { return n.Cursor.ID != "" || !n.Cursor.At.IsZero() }

// start returns the time from which a node is read if its cursor cannot be used. The time
// of the cursor is better than CurrentUntil, because it is by the clock of a server, and
// nothing of the node came in between.
func (n *node) start() time.Time { return startOf(n.Cursor, n.CurrentUntil) }

func startOf(c Cursor, from time.Time) time.Time {
	switch {
	case !c.At.IsZero():
		return c.At.Add(-archiveMargin)
	case !from.IsZero():
		return from.Add(-clockMargin)
	}
	return time.Time{} // the whole archive
}

// earliest returns the earlier time that is not zero.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// query returns the <query/> for the next page.
func (t *task) query(id string) *element.Element {
	q := pubsub.ArchiveQuery{QueryID: id, Page: &pubsub.Page{Max: pageSize}}
	if t.timeouts > 0 {
		q.Page.Max = smallPageSize
	}
	if t.means == NodeArchive {
		q.Node = t.first().Node.Node
	} else if t.purpose != findOldest {
		q.With = t.service()
	}
	switch t.purpose {
	case readEvents:
		q.Page.After = t.after
		if t.byTime {
			q.Start = t.start
		}
	case findPlace:
		q.Page.Max, q.Page.Last = 1, true
	case findOldest:
		q.Page.Max = 1
	}
	return q.Element()
}

// expire makes a task continue by time, because the archive does not keep the message of
// the cursor any more.
func (t *task) expire() {
	t.expired, t.byTime, t.reaches = true, true, false
	t.start = startOf(t.cursor, t.from)
	t.after, t.cursor.ID = "", ""
	if t.cursor.At.After(t.back) {
		t.back = t.cursor.At // all before it was read
	}
}
