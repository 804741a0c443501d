package inbox

import (
	"cmp"
	"slices"
	"time"

	"xmpp-pam/sdk/pam"
)

// aheadTolerance is how much later than its arrival an event may claim to have happened
// without being listed at its arrival, and how much the clocks of this device and a
// server are assumed to differ at most.
const aheadTolerance = 5 * 60 * 1000

// An event is what the machine keeps of an event in memory. The rest is in the record of
// its body.
type event struct {
	slot     // in the table of events
	id       uint64
	node     *node
	kind     uint8 // index of kinds
	item     string
	space    string // namespace of the payload
	hash     uint64 // of the payload, or of the redirect; 0 if there is none
	print    uint64 // the fingerprint: of kind, item and hash
	at       int64
	received int64
	source   uint8 // index of sources
	delivery uint8 // index of deliveries

	seenAt    int64 // when it was marked on this device, or 0
	elsewhere bool  // another device was connected when it happened
	synced    bool  // a marker of another device has reached it, and may have lost it since
	awaited   bool  // the payload has to be fetched

	body    *body
	page    pageRow
	row     string // the encoded body, if it has to be stored or is in the newest page
	full    bool   // row contains the payload, if there is any
	fresh   bool   // not stored yet
	removed bool

	seen pam.Seen // follows from the above and the markers of the node
}

// A body is a record with the payloads and other fields of events.
type body struct {
	number int
	size   int      // in bytes
	live   int      // number of events that use it; the record is deleted with the last one
	rows   []*event // until it is stored
}

var (
	kinds      = [...]pam.EventType{pam.EventPublished, pam.EventRetracted, pam.EventPurged, pam.EventDeleted, pam.EventConfigured}
	sources    = [...]pam.TimeSource{pam.TimeDelay, pam.TimeArchive, pam.TimePayload, pam.TimeLocalClock}
	deliveries = [...]pam.Delivery{pam.DeliveryLive, pam.DeliveryResumed, pam.DeliveryCatchUp}
)

// The codes of these in records, in the same order.
const (
	kindCodes     = "prudc"
	sourceCodes   = "dapl"
	deliveryCodes = "lrc"
)

// The indexes of some of them.
const (
	published, retracted, purged, deleted, configured = 0, 1, 2, 3, 4
	byServer, byPayload, byClock                      = 1, 2, 3 // sources up to byServer are stamps of servers
	live, late                                        = 0, 2
)

// A place is the position of an event in the order of the list.
type place struct {
	at int64
	id uint64
}

func (p place) compare(q place) int { return cmp.Or(cmp.Compare(p.at, q.at), cmp.Compare(p.id, q.id)) }

// place returns the position of e. A time in the future is replaced by the arrival.
func (e *event) place() place {
	if e.ahead() {
		return place{e.received, e.id}
	}
	return place{e.at, e.id}
}

func (e *event) ahead() bool { return e.at > e.received+aheadTolerance }

// timed reports whether the place of e is known from something else than this device's
// clock, and may be compared with times of other devices.
func (e *event) timed() bool { return e.source != byClock && !e.ahead() }

// immediate reports whether e was received live and without a stamp.
func (e *event) immediate() bool { return e.delivery == live && e.source > byServer }

// unseen reports whether e counts as unseen when events are dropped.
func (e *event) unseen() bool { return e.seen.State == pam.Unseen || e.seen.State == pam.SeenUnknown }

// cost returns the bytes that e occupies besides its body.
func (e *event) cost() int { return 160 + len(e.item) + len(e.space) }

// search returns the index of the first event in list, which is sorted, that is not
// before p.
func search(list []*event, p place) int {
	i, _ := slices.BinarySearchFunc(list, p, func(e *event, p place) int { return e.place().compare(p) })
	return i
}

func insert(list []*event, e *event) []*event { return slices.Insert(list, search(list, e.place()), e) }

// cut removes e, whose place has not changed since it was inserted.
func cut(list []*event, e *event) []*event {
	i := search(list, e.place())
	return slices.Delete(list, i, i+1)
}

// A node is what is known of a node with events, markers or a catch-up.
type node struct {
	slot
	number        int // names it in records
	service, name string

	events  []*event // sorted by place
	newest  int64    // the time of the newest event that it ever had
	unseen  int
	dropped int

	gone    memory
	skipped int64 // the earliest time of an event that SetInterest left out, or 0

	remote marker // the furthest of other devices
	open   marker // a later one, whose item is not known here
	own    marker // the furthest that this device has published

	position *position
	asked    int64
	archived bool // the newest live event has a stanza-id

	shown   pam.NodeState // as announced last
	touched bool
}

// A nodeKey identifies a node.
type nodeKey struct{ service, name string }

func (n *node) target() pam.Target { return pam.Target{Service: n.service, Node: n.name} }

// summary returns the node's state for the announcement.
func (n *node) summary() pam.NodeState {
	return pam.NodeState{Service: n.service, Node: n.name, Unseen: n.unseen, Dropped: n.dropped, Newest: moment(n.newest)}
}

// count sets the number of unseen events.
func (n *node) count() {
	n.unseen = 0
	for _, e := range n.events {
		if e.seen.State == pam.Unseen {
			n.unseen++
		}
	}
}

// info returns the fields of e that are in memory.
func (e *event) info() pam.Event {
	return pam.Event{
		ID: formatID(e.id), Service: e.node.service, Node: e.node.name, ItemID: e.item, Type: kinds[e.kind],
		OccurredAt: time.UnixMilli(e.at).UTC(), TimeSource: sources[e.source], ReceivedAt: time.UnixMilli(e.received).UTC(),
		Delivery: deliveries[e.delivery], Seen: e.seen, Namespace: e.space,
	}
}
