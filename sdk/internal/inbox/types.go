// Package inbox implements the state machine that keeps what services and contacts have
// published: which events are new, when they happened, which of them were seen, and the
// records in which they are stored (see records.go).
//
// # What is one event
//
// An event is identified by service, node, type, item id and payload. Payloads are
// compared as parsed, so that copies differ neither in prefixes nor in the order of
// attributes. A copy of a known event is not an event, however it came: to the bare and
// to the full JID, replayed by a resumption, from an archive, or as the last item that
// some servers send without a delay stamp. An item that was published again with another
// payload is another event.
//
// A retraction, purge, deletion or configuration is an event of its own, and the earlier
// events of the item or node stay listed and unmarked: the inbox tells what happened, and
// a mark would rewrite up to 500 events for one stanza. A page that shows items instead
// of events looks for the newest event of each.
//
// An event that happens again is not a copy. After a retraction, the same payload can be
// published again; after that, the item can be retracted again. That is recognised if it
// comes live, without a delay stamp, after the retraction came live, or if its time is
// later than that of the retraction. Events without an item id (of the whole node, or of a
// transient node) are copies if they come within a minute live, or else if their times
// differ by less than 5 minutes.
//
// # Time and order
//
// The time of an event is the best that any copy tells: a delay stamp or an archive, else
// the payload, else the arrival. Events are listed newest first; if times are equal, the
// one that arrived later is the newer. A time of more than 5 minutes after the arrival is
// reported as it is, but the event is listed at its arrival.
//
// # Limits
//
// The limits count the events of a node, all events, and the bytes stored. If one is
// exceeded, the oldest seen events are dropped, then the oldest unseen ones. Dropped
// events are counted, and are not new when they come again: the node remembers the
// fingerprints of the last 32 to 64, and of those before them the newest time. A catch-up
// finds nothing new at or before that time, even if it never came: it is older than
// what was dropped.
package inbox

import (
	"time"

	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// Options are the limits of an inbox. Zero values mean the defaults.
type Options struct {
	PerNode int // events of a node; default 500
	Total   int // events in all; default 20,000
	Bytes   int // stored in all; default 64 MiB
	Nodes   int // nodes that are remembered although they have no events; default 20,000

	// Epoch is the epoch of a store that is new or was emptied. It should be random, so
	// that a commit built on the old content conflicts.
	Epoch uint64

	page int // events in the newest page; default 50
}

// Incoming is a notification that arrived.
type Incoming struct {
	pubsub.Notification
	At        time.Time      // when it happened; zero if only the payload or the arrival tell it
	Source    pam.TimeSource // of At
	Delivery  pam.Delivery
	ArchiveID string // the stanza-id by the account, or the id of the archive's result
}

// A Filter selects events by service, node and namespace of the payload. An empty field
// selects everything. If Prefix is set, Node is the beginning of the name.
type Filter struct {
	Service, Node string
	Prefix        bool
	Namespace     string
}

// A Cursor is a place in an archive, up to which a catch-up has read (see Reached).
type Cursor struct {
	By string // the address of the archive
	ID string
	At time.Time
}

// An Input is an event for the Machine.
type Input interface{ input() }

type (
	// Stored carries all records from Range, read in one transaction: at the start, and
	// after a hint that another tab has changed them. The machine does nothing before the
	// first one.
	Stored struct{ Records []store.Record }
	// Committed reports that the commit numbered Seq is stored.
	Committed struct{ Seq int }
	// Conflict reports that the commit numbered Seq has changed nothing, because the meta
	// record was not the expected one. Records are as in Stored.
	Conflict struct {
		Seq     int
		Records []store.Record
	}
	// StoreReplaced reports that the store has failed, or is of a newer format, and that an
	// empty one is used instead. The next commit writes everything to it, except payloads
	// that only the old one has.
	StoreReplaced struct{}

	// BodiesRead answers ReadBodies with one value for each key, nil for what is absent.
	BodiesRead struct {
		Keys   []string
		Values [][]byte
	}

	// Arrived carries the notifications of one stanza, or of a catch-up if Seq is 0, in
	// order, oldest first. The caller has checked the sender. Notifications about
	// subscriptions are ignored.
	Arrived struct {
		Seq    uint64 // the number of the stanza
		Events []Incoming
	}
	// ItemFetched answers FetchItem. Events is empty if the service does not have the item.
	// Failed means that it did not answer; the item is requested again in the next session.
	ItemFetched struct {
		Service, Node, ItemID string
		Events                []Incoming
		Failed                bool
	}

	// MarkSeen marks events as seen on this device: those with the IDs, and those of the
	// node of the event UpTo that are not newer than that event. Unknown IDs are ignored.
	MarkSeen struct {
		IDs  []string
		UpTo string
	}
	// RemoteMarkers carries markers of the account as the server has them, in the order in
	// which it sent them, including those of this device. Revision numbers what the caller
	// knows of the server; see PublishMarker.
	RemoteMarkers struct {
		Markers  []pam.Marker
		Revision uint64
	}
	// MarkersRead reports that RemoteMarkers contained all that the server had in this
	// session. No marker is published before.
	MarkersRead struct{}
	// CatchUpEnded reports that a catch-up has found what it could. Before, only markers of
	// nodes that are current are published: other devices would take what was missed, and
	// not shown yet, for seen.
	CatchUpEnded struct{}
	// MarkerPublished answers PublishMarker.
	MarkerPublished struct {
		Marker pam.Marker
		Failed bool
	}
	// LiveElsewhere reports that another device of the account was connected from From to
	// To. Events of that time that come by catch-up were probably seen there.
	LiveElsewhere struct{ From, To time.Time }

	// SetInterest sets what is kept. Nil means everything, and so does a machine without
	// SetInterest; an empty slice means nothing. Events outside of it are removed as if
	// they had never come. If events were left out that are wanted now, the machine
	// outputs Missed; nodes of which it knows nothing are found by Supports.
	SetInterest struct{ Filters []Filter }

	// SessionStarted reports a new session. Markers have to be read again, and no node is
	// current until Reached says so. Resumed means that the session is that of an earlier
	// run of the program, for which Session returned Number. The nodes that were current
	// stay so, unless the store knows another session: that run may have ended before it
	// was stored, and what was missed before it began was not read yet. A resumption
	// within the same run is not reported.
	SessionStarted struct {
		Resumed bool
		Number  int
	}
	// SessionEnded reports that the session has ended and cannot be resumed.
	SessionEnded struct{}
	// Reached reports how far a catch-up has read the events of nodes, after the Arrived
	// with what it has found: Cursor, unless it is zero, replaces the one of each. If Current
	// is set, nothing of them is missing from now on until the session ends. It is stored
	// with the next commit, at the latest after 2 s.
	Reached struct {
		Service string
		Nodes   []string
		Cursor  Cursor
		Current bool
	}
	// Unfollowed reports that a node is not followed any more, and that nothing of it is
	// missing. If it is followed again, that is as if it never was.
	Unfollowed struct{ Service, Node string }
	// Asked reports when a catch-up has asked a node. It is stored as Reached is.
	Asked struct {
		Service, Node string
		At            time.Time
	}

	// ListChanged reports changes of the list of subscriptions. Initial means that the
	// list was not known before, so that nothing has changed.
	ListChanged struct {
		Changes []pam.Change
		Initial bool
	}
	// Looked reports that the user looks at the page: Away begins anew.
	Looked struct{}

	// TimerFired reports that a timer set by SetTimer has expired.
	TimerFired struct{ Timer Timer }
)

// An Output is an action for the caller to carry out, in order.
type Output interface{ output() }

type (
	// Commit stores Ops in one transaction, if the records of Expect have the given values
	// (see store.Store). The caller answers with Committed or Conflict. At most one Commit
	// is pending.
	Commit struct {
		Seq    int
		Expect []store.Record
		Ops    []store.Op
	}
	// ReadBodies requests records of bodies, because events have moved into the newest page
	// of which the bodies are not in memory. The caller answers with BodiesRead.
	ReadBodies struct{ Keys []string }
	// Handled reports that the stanzas up to the one numbered Seq are stored, or need not
	// be, and may be acknowledged.
	Handled struct{ Seq uint64 }
	// Changed announces what was stored.
	Changed struct {
		Added   []pam.Event // in order of arrival
		Adopted Page        // events that another tab has added
		Removed []string    // the IDs of dropped events
		Updated []string    // the IDs of events of which the time, payload or Seen has changed

		Nodes           []pam.NodeState // those that have changed
		Unseen, Dropped int             // in all

		// Reset means that anything may have changed, because the records were read again.
		// Removed, Updated and Nodes are then empty.
		Reset bool
	}
	// FetchItem requests an item, because a notification had no payload. The caller
	// answers with ItemFetched. At most 16 are pending.
	FetchItem struct{ Service, Node, ItemID string }
	// PublishMarker publishes a marker to the other devices. The caller answers with
	// MarkerPublished unless the session ends. At most 4 are pending. Merged is the Revision
	// of the last RemoteMarkers that the machine has taken into account: others may wait.
	PublishMarker struct {
		Marker pam.Marker
		Merged uint64
	}
	// Missed names nodes with events that were left out and are wanted since SetInterest.
	// A catch-up finds them from the time that CatchUp now returns for these nodes.
	Missed struct{ Nodes []pam.Target }
	// SetTimer requests TimerFired at the given time, and replaces any earlier request for
	// that timer. A zero time cancels the timer.
	SetTimer struct {
		Timer Timer
		At    time.Time
	}
	// Warning reports what was repaired or left out: an error that wraps ErrDamaged,
	// ErrNewer or ErrRefused. After ErrNewer the machine does nothing until StoreReplaced.
	Warning struct{ Err error }
)

// Timer identifies a timer of the machine.
type Timer uint8

// The timers.
const (
	TimerPublish Timer = iota // a marker waits because one of its node was just published
	TimerFlush                // something waits to be stored with the next commit
)

func (Stored) input()          {}
func (Committed) input()       {}
func (Conflict) input()        {}
func (StoreReplaced) input()   {}
func (BodiesRead) input()      {}
func (Arrived) input()         {}
func (ItemFetched) input()     {}
func (MarkSeen) input()        {}
func (RemoteMarkers) input()   {}
func (MarkersRead) input()     {}
func (CatchUpEnded) input()    {}
func (MarkerPublished) input() {}
func (LiveElsewhere) input()   {}
func (SetInterest) input()     {}
func (SessionStarted) input()  {}
func (SessionEnded) input()    {}
func (Reached) input()         {}
func (Unfollowed) input()      {}
func (Asked) input()           {}
func (ListChanged) input()     {}
func (Looked) input()          {}
func (TimerFired) input()      {}

func (Commit) output()        {}
func (ReadBodies) output()    {}
func (Handled) output()       {}
func (Changed) output()       {}
func (FetchItem) output()     {}
func (PublishMarker) output() {}
func (Missed) output()        {}
func (SetTimer) output()      {}
func (Warning) output()       {}
