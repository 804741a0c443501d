package pam

import (
	"strings"
	"time"
)

// An Event is something that a service or a contact published, or a change of a node
// (XEP-0060 §7 and §8). An item that was published again with another payload is another
// Event.
type Event struct {
	// ID identifies the event on this device. Events that arrived later do not
	// necessarily have larger IDs than earlier ones happened.
	ID string

	Service, Node string
	ItemID        string // empty if Type concerns the whole node
	Type          EventType
	Redirect      string // the XMPP URI of the node that replaces a deleted one, or empty
	Publisher     string // as the service reports it, or empty

	// OccurredAt is when it happened, and TimeSource how that is known.
	OccurredAt time.Time
	TimeSource TimeSource
	ReceivedAt time.Time // by this device's clock
	Delivery   Delivery
	Seen       Seen

	// XML is the payload, with the namespace declarations in scope. It is empty if there
	// is none, or if Omitted is set.
	XML       string
	Namespace string // of the payload; empty if it is longer than 1,024 bytes
	Omitted   Omitted
	Entry     *AtomEntry // the payload, if it is an Atom entry
}

// An EventType says what happened.
type EventType string

// The types of events.
const (
	EventPublished  EventType = "published"
	EventRetracted  EventType = "retracted"
	EventPurged     EventType = "purged"
	EventDeleted    EventType = "deleted"
	EventConfigured EventType = "configured"
)

// A TimeSource says how the time of an event is known.
type TimeSource string

// The sources of times, best first.
const (
	TimeDelay      TimeSource = "delay"       // a delay stamp (XEP-0203) of the stanza
	TimeArchive    TimeSource = "archive"     // an archive (XEP-0313)
	TimePayload    TimeSource = "payload"     // the payload, such as <published/> of Atom
	TimeLocalClock TimeSource = "local-clock" // when the event arrived
)

// A Delivery says how an event came.
type Delivery string

// The deliveries.
const (
	DeliveryLive    Delivery = "live"
	DeliveryResumed Delivery = "resumed" // replayed by a resumption (XEP-0198)
	DeliveryCatchUp Delivery = "catch-up"
)

// Seen says whether the user has probably seen an event.
type Seen struct {
	State SeenState
	Basis SeenBasis
	At    time.Time // zero if unknown
}

// A SeenState says whether an event was seen.
type SeenState string

// The states.
const (
	Unseen              SeenState = "unseen"
	SeenHere            SeenState = "seen-here"
	LikelySeenElsewhere SeenState = "likely-seen-elsewhere"
	SeenUnknown         SeenState = "unknown"
)

// A SeenBasis says why a SeenState is assumed.
type SeenBasis string

// The bases.
const (
	BasisThisDevice    SeenBasis = "this-device"    // the program marked it as seen
	BasisDisplayedSync SeenBasis = "displayed-sync" // another device of the account published a marker
	BasisLiveElsewhere SeenBasis = "live-elsewhere" // another device was connected when it was published
	BasisNone          SeenBasis = "none"
)

// An AtomEntry is a decoded Atom entry (RFC 4287). Texts are plain text; markup of type
// html or xhtml is left out.
type AtomEntry struct {
	ID, Title, Summary, Content string
	Link                        string // of the alternate relation
	Image                       string // of an enclosure or a media thumbnail
	Author                      string
	Published, Updated          time.Time
}

// An InboxState sums up the inbox.
type InboxState struct {
	Unseen  int // in all
	Dropped int // removed to keep the limits, in all
	Nodes   []NodeState
	Away    *Away // nil in a first session
	CatchUp CatchUpState
	// SeenScope says where events that are marked as seen count as seen.
	SeenScope SeenScope
}

// A SeenScope says where events count as seen that were marked as seen on this device.
type SeenScope string

// The scopes.
const (
	ScopeUnknown SeenScope = "unknown" // the server was not asked yet
	ScopeAccount SeenScope = "account" // on all devices of the account
	// ScopeDevice means on this device only: the account's server cannot keep private items
	// for its devices.
	ScopeDevice SeenScope = "this-device"
)

// A NodeState sums up the events of a node.
type NodeState struct {
	Service, Node   string
	Unseen, Dropped int
	Newest          time.Time // zero if there is no event
}

// Away says what happened while this device was not connected.
type Away struct {
	Since   time.Time
	Changes []Change // of the list of subscriptions
	Events  int
}

// A CatchUpState is the progress of a catch-up.
type CatchUpState struct {
	Phase               CatchUpPhase
	Since               time.Time // zero if nothing is known of an earlier session
	Nodes, NodesDone    int       // for a progress bar
	Received            int       // new events
	LikelySeenElsewhere int       // of these
	Completeness        Completeness
	Gaps                []Gap
	Err                 *Error
}

// A CatchUpPhase says whether a catch-up is under way.
type CatchUpPhase string

// The phases.
const (
	CatchUpIdle        CatchUpPhase = "idle"
	CatchUpRunning     CatchUpPhase = "running"
	CatchUpDone        CatchUpPhase = "done"
	CatchUpFailed      CatchUpPhase = "failed"
	CatchUpUnsupported CatchUpPhase = "unsupported"
)

// A Completeness says whether a catch-up found all that was missed.
type Completeness string

// The values of Completeness.
const (
	Complete            Completeness = "complete" // only if the servers say so
	Partial             Completeness = "partial"  // see Gaps
	CompletenessUnknown Completeness = "unknown"
)

// A Gap is a time for which events of a node, or of all nodes of a service if Node is
// empty, may be missing.
type Gap struct {
	Service, Node string
	From, To      time.Time
	Reason        GapReason
}

// A GapReason says why there is a gap.
type GapReason string

// The reasons.
const (
	GapNotArchived      GapReason = "not-archived"
	GapArchiveTruncated GapReason = "archive-truncated"
	GapNodeKeepsFewer   GapReason = "node-keeps-fewer"
	GapDeletionsUnknown GapReason = "deletions-unknown"
	GapForbidden        GapReason = "forbidden"
	GapError            GapReason = "error"
)

// A Marker says up to which event of a node all have been seen on some device.
type Marker struct {
	Service, Node string
	ItemID        string
	At            time.Time // when that event happened
	TimeSource    TimeSource
}

// An Item is an item of a node as its service keeps it (XEP-0060 §6.5).
type Item struct {
	ID, Publisher string
	OccurredAt    time.Time // of the payload or the archive, or zero: items carry no time
	XML           string
	Namespace     string
	Entry         *AtomEntry
}

// An EventQuery selects events of the inbox.
type EventQuery struct {
	// Service and Node select those of a node, or of all nodes of a service if Node is
	// empty.
	Service, Node string
	UnseenOnly    bool
	Before        string // the cursor of an earlier page
	Limit         int    // default 50, at most 500
}

// An EventPage is a part of the inbox, newest events first.
type EventPage struct {
	Events []Event
	Cursor string // Before of the next page; empty after the last one
}

// An Interest selects events that a device can show, by service, node and namespace of the
// payload. An empty field selects everything. If Prefix is set, Node is the beginning of
// the name.
type Interest struct {
	Service, Node string
	Prefix        bool
	Payload       string // a namespace
}

// SelectsNode reports whether i may select events of a node; their payloads decide.
func (i Interest) SelectsNode(service, node string) bool {
	switch {
	case i.Service != "" && i.Service != service:
		return false
	case i.Prefix:
		return strings.HasPrefix(node, i.Node)
	}
	return i.Node == "" || i.Node == node
}
