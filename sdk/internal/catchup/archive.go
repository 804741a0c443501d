package catchup

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// No archive is known to remove messages sooner than after retention. If the oldest message
// came after the last session, but not by as much, the account may just have been quiet.
const retention = 24 * time.Hour

// A purpose is what a query of an archive is for.
type purpose uint8

const (
	readEvents purpose = iota
	// findPlace gets the cursor of the newest message: of nodes that are all new no event
	// counts as missed.
	findPlace
	// findOldest gets the time of the oldest message of all in the archive of the account.
	findOldest
)

// An archiveRead is how far a task has read in an archive.
type archiveRead struct {
	purpose purpose
	from    time.Time       // nothing is missing until then, by this device's clock
	back    time.Time       // an archive that reaches back to then has all that is missing
	cursor  Cursor          // reached
	byTime  bool            // the messages since start are read, not those after the cursor
	start   time.Time       // if byTime
	after   string          // the last message of the last page, or of the cursor
	expired bool            // the archive does not keep the message of the cursor any more
	reaches bool            // the archive reaches back
	said    bool            // the archive said that the results are complete
	pages   int             // that were read
	lasts   map[string]bool // their last messages
}

// An archivePage is what a request has received so far. The events of a page are reported
// together, because each report is a commit.
type archivePage struct {
	last     Cursor
	overflow bool // results were ignored because of a bound
	found    []Event
	bytes    int // of the messages of found
}

// What a page may hold back. More is reported before its end.
const (
	maxFound      = 2 * pageSize
	maxFoundBytes = 256 << 10
)

// An oldest is the time of the oldest message in the archive of the account. It says
// whether an archive that is read by time reaches back far enough.
type oldest struct {
	asked, known bool
	at           time.Time // zero if the archive does not tell
	waiting      []*task   // until it is known
}

// archiveResult handles one message of an archive.
func (m *Machine) archiveResult(in ArchiveResult) {
	result := in.Result
	r := m.requests[result.QueryID]
	if r == nil || r.task.means == Items || r.task.to != in.From {
		return
	}
	t := r.task
	s := m.service(t.service())
	if m.results++; t.purpose != findOldest {
		s.results++
	}
	if r.overflow = m.results > m.limits.results || s.results > m.limits.ofService; r.overflow {
		return
	}
	at := m.notLater(result.At)
	if result.ID != "" {
		r.last = Cursor{By: t.to, ID: result.ID, At: at}
	}
	if t.purpose != readEvents {
		return
	}
	if !at.IsZero() && !at.After(t.back) {
		t.reaches = true
	}
	if t.means == AccountArchive && s.live.ID == result.ID {
		s.live = Cursor{} // the archive was read beyond it
	}
	r.found = append(r.found, m.events(t, result)...)
	if r.bytes += result.Message.Size(); len(r.found) >= maxFound || r.bytes >= maxFoundBytes {
		m.found(r)
	}
}

// found reports the events that a request has received, except those of nodes that were
// taken out in the meantime.
func (m *Machine) found(r *request) {
	found := slices.DeleteFunc(r.found, func(e Event) bool { return m.nodes[key{e.Service, e.Node}] == nil })
	if r.found, r.bytes = nil, 0; len(found) > 0 {
		m.emit(Found{found, r.task.means, false})
	}
}

// events returns the events of a message of an archive. In the archive of the account the
// sender of the message counts, and each followed node of that service. The archive of a
// node speaks of that node alone.
func (m *Machine) events(t *task, result *pubsub.ArchiveResult) (events []Event) {
	message := result.Message
	if message == nil {
		return nil
	}
	if t.means == NodeArchive {
		inner := element.New(ns.Client, "message")
		inner.Children = message.Children
		message = inner
	}
	notifications, _ := pubsub.ParseEvent(message) // what was left out is not valid
	at, source := pubsub.DelayStamp(message), pam.TimeDelay
	if at.IsZero() {
		at, source = result.At, pam.TimeArchive
	}
	if at.IsZero() {
		source = ""
	}
	for _, e := range notifications {
		id := result.ID
		if t.means == NodeArchive {
			e.Service, id = t.to, ""
		} else if e.Service == "" {
			e.Service = m.account
		}
		n := m.nodes[key{e.Service, e.Node}]
		if n == nil || !n.wanted(e) || t.means == NodeArchive && n != t.first() {
			continue
		}
		events = append(events, Event{e, at, source, pam.DeliveryCatchUp, id})
	}
	return events
}

// archiveEnd handles the end of a page.
func (m *Machine) archiveEnd(r *request, iq *element.Element) error {
	end, err := pubsub.ParseArchiveEnd(iq)
	if err != nil {
		return err
	}
	t := r.task
	if t.purpose == findOldest {
		m.oldestFound(r.last.At)
		return nil
	}
	if r.overflow {
		m.fail(t, pam.GapArchiveTruncated)
		return nil
	}
	last := r.last
	if end.Page != nil && end.Page.Last != "" {
		last.By, last.ID = t.to, end.Page.Last
	}
	if last.At.IsZero() {
		last.At = t.cursor.At
	}
	if last.ID != "" {
		t.cursor = last
	}
	t.pages++
	switch {
	case t.purpose == findPlace:
		m.archiveDone(t)
	case end.Complete || last.ID == "":
		t.said = end.Complete && !end.Unstable
		if t.means == AccountArchive && !t.reaches && (t.expired || t.said && m.archive == AllEvents) {
			m.awaitOldest(t)
			return nil
		}
		m.archiveDone(t)
	case last.ID == t.after || t.lasts[last.ID] || t.pages == m.limits.pages:
		m.fail(t, pam.GapArchiveTruncated) // it repeats itself, or never ends
	default:
		if t.lasts == nil {
			t.lasts = map[string]bool{}
		}
		t.lasts[last.ID] = true
		t.after, t.timeouts = last.ID, 0
		if t.reaches { // else a later catch-up would take the cursor for a proof that it does
			m.reached(t.nodes, t.cursor, false)
		}
		m.enqueue(t)
	}
	return nil
}

// awaitOldest keeps a task until the time of the oldest message is known.
func (m *Machine) awaitOldest(t *task) {
	o := &m.oldest
	if o.known {
		m.archiveDone(t)
		return
	}
	o.waiting = append(o.waiting, t)
	if !o.asked {
		o.asked = true
		probe := &task{means: AccountArchive, to: m.account, nodes: t.nodes}
		probe.purpose = findOldest
		m.enqueue(probe)
	}
}

// oldestFound ends the tasks that wait for the time of the oldest message.
func (m *Machine) oldestFound(at time.Time) {
	o := &m.oldest
	o.known, o.at = true, at
	for _, t := range o.waiting {
		if t.gone() {
			m.drop(t)
		} else {
			m.archiveDone(t)
		}
	}
}

// archiveDone ends a task that has read an archive to its end.
func (m *Machine) archiveDone(t *task) {
	oldest := m.oldest.at
	if t.means == NodeArchive {
		oldest = time.Time{}
		// The archive of a node holds items only, and those that were read again may have
		// been retracted.
		m.gapOf(t, earliest(t.from, t.start), time.Time{}, pam.GapDeletionsUnknown)
	}
	if !oldest.IsZero() && !oldest.After(t.back) {
		t.reaches = true
	}
	if !t.reaches && (t.expired || oldest.Sub(t.from) > retention) {
		m.gapOf(t, t.back, oldest, pam.GapArchiveTruncated)
	}
	complete := t.means == AccountArchive && m.archive == AllEvents && t.said && t.reaches
	for _, n := range t.nodes {
		n.complete = complete
	}
	m.finish(t, t.cursor)
}
