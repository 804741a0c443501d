package privatepep

import (
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
)

// An Input is an event for the Machine.
type Input interface{ input() }

type (
	// SessionStarted reports that a session is bound and presence is sent, or that a new
	// run of the program has resumed a session of an earlier one. The requests of earlier
	// sessions are void. The machine then reads all nodes.
	SessionStarted struct {
		Account string // the bare JID, normalised
		// PEP and PublishOptions report whether disco#info of the account contains the
		// identity pubsub/pep and the feature pubsub#publish-options. XEP-0223 requires
		// both; without them the machine outputs Unsupported.
		PEP, PublishOptions bool
		// MaxItems is the number of items that the server keeps in a node configured
		// with max_items=max, or 0 if the caller does not know it.
		MaxItems int
	}
	// Lost reports that the connection is lost. The session may still be resumed.
	Lost struct{}
	// Resumed reports that the same run of the program has resumed the session, so that
	// nothing was lost.
	Resumed struct{}

	// Put keeps Payload under Key. A later Put or Remove of the same key replaces it
	// while it is pending. Each Put and Remove that is not replaced ends in a Stored or
	// Dropped. Those that are pending when the machine outputs Unsupported, and those
	// from then until the next session, are discarded.
	Put struct {
		Key     string // the id of the item
		Payload *element.Element
		// Merged is the Revision of the last Changed that the caller has handled, or 0.
		// If there is a newer one for this node, Payload may be based on what is no
		// longer there, and the Put is dropped as Superseded.
		Merged uint64
	}
	// Remove removes the item of Key. If Tombstone is not nil, it is published first and
	// then retracted, because some servers, such as ejabberd before 24.12, tell other
	// devices of what is published but not of what is retracted.
	Remove struct {
		Key       string
		Tombstone *element.Element
		Merged    uint64 // as in Put
	}

	// Result answers Request with an iq of type result from the account. The caller
	// checks its sender.
	Result struct {
		ID int
		IQ *element.Element
	}
	// Failed answers Request with an error. Err is nil if there is no answer, and the
	// request may therefore have been carried out.
	Failed struct {
		ID  int
		Err *pubsub.Error
	}
	// Notification is a notification from the account's own bare JID. The caller must
	// drop what comes from any other sender, such as a contact or a full JID of the
	// account: anybody can send an event about a node of these names. Those of other
	// nodes are ignored.
	Notification struct {
		pubsub.Notification
		// Delayed reports whether it has a delay stamp and was not replayed by a
		// resumption within this run. It may be older than what was read, and therefore
		// only causes a read.
		Delayed bool
	}
	// TimerFired reports that the time of SetTimer has come.
	TimerFired struct{}
)

// An Output is an action for the caller to carry out, in order.
type Output interface{ output() }

type (
	// Request sends an iq. The caller answers with Result or Failed; answers to requests
	// of an earlier session, and all but the first answer, are ignored. At most
	// MaxRequests are pending.
	Request struct {
		ID      int
		To      string // the account's bare JID
		Set     bool   // of type set rather than get
		Payload *element.Element
	}
	// Changed reports what the server has, where it differs from what the caller knows
	// from earlier ones and from its own Puts. A pending Put or Remove of one of the keys
	// was dropped (see Superseded).
	Changed struct {
		Node     string
		Revision uint64 // larger than that of all earlier ones
		Items    []Item // one for each key
	}
	// Stored reports that a Put or Remove of Key was carried out, the last one unless a
	// later one is pending: the server has Payload, or nothing if it is nil. If a Remove
	// has a Tombstone, a Stored with the tombstone precedes that of the removal.
	Stored struct {
		Key     string
		Payload *element.Element
	}
	// Dropped reports that the last Put or Remove of Key was not, or perhaps not, carried
	// out, and is no longer pending.
	Dropped struct {
		Key    string
		Reason Reason
		Err    *pubsub.Error // if Reason is Refused
	}
	// Ready reports, once in each session, that all nodes have been read, except Unread,
	// which did not answer and are tried again. The caller may now put what it has and
	// the server lacks.
	Ready struct{ Unread []string }
	// Unsupported reports that the server cannot keep anything private. The caller keeps
	// things on this device. Everything pending is discarded, and nothing is requested
	// until the next session.
	Unsupported struct {
		Reason Reason
		Err    *pubsub.Error // the server's answer, if there is one
	}
	// SetTimer requests TimerFired at the given time, and replaces any earlier request. A
	// zero time cancels it.
	SetTimer struct{ At time.Time }
	// Warning reports a condition that needs no action.
	Warning struct {
		Node   string
		Reason Reason
		Err    *pubsub.Error // the server's answer, if there is one
	}
)

// An Item is an item as the server has it.
type Item struct {
	Key     string
	Payload *element.Element // nil if there is none; the caller must not change it
	Removal Removal          // why there is none
}

// A Removal says why an item does not exist any more.
type Removal uint8

// The removals.
const (
	NotRemoved Removal = iota
	// Retracted means that another device has retracted the item, because its user wanted
	// it or because the node was full.
	Retracted
	// Evicted means that this machine has retracted the item, because the node was full
	// and the item had the lowest rank.
	Evicted
	// Missing means that the item was not there when the node was read. It was retracted,
	// the server has dropped it, or the node was purged or deleted.
	Missing
)

// A Reason says why something was not done.
type Reason uint8

// The reasons of Dropped.
const (
	// Superseded means that another device has changed the item. The caller merges its
	// own payload with that of Changed and, if the result differs from it, puts it again.
	Superseded Reason = iota + 1
	// Full means that the node is full, and that all other items have at least the rank
	// of this one.
	Full
	// Invalid means that the key is empty or longer than MaxKey, or that the payload is
	// missing or larger than MaxPayload.
	Invalid
	// TooMany means that MaxPending Puts, or MaxPendingBytes, are pending.
	TooMany
	// Refused means that the server has refused the item.
	Refused
)

// The reasons of Unsupported; all but NoPEP and NoPublishOptions are also reasons of
// Warning if only one node is affected.
const (
	// NoPEP means that the account has no PEP service.
	NoPEP Reason = iota + 16
	// NoPublishOptions means that the server does not check the configuration of a node
	// before it publishes, so that an item could become public.
	NoPublishOptions
	// CreationRefused means that the server has refused to create a private node.
	CreationRefused
	// NotPrivate means that the server has accepted the configuration of a private node,
	// and the node is not private.
	NotPrivate
	// Unreadable means that the server does not tell the configuration of a node.
	Unreadable
	// PreconditionFailed means that the server refuses to publish, with the reason that
	// the node is not private, although its configuration says that it is.
	PreconditionFailed
)

// The reasons of Warning.
const (
	// NoAnswer means that a node is not used in this session any more, because the server
	// has not answered several requests, or asked to wait. What is pending stays pending.
	NoAnswer Reason = iota + 32
	// LeftOut means that a node contains items that the machine does not report: more
	// than it keeps, items of keys that belong in another node, or payloads that are
	// missing or larger than MaxPayload.
	LeftOut
)

func (SessionStarted) input() {}
func (Lost) input()           {}
func (Resumed) input()        {}
func (Put) input()            {}
func (Remove) input()         {}
func (Result) input()         {}
func (Failed) input()         {}
func (Notification) input()   {}
func (TimerFired) input()     {}

func (Request) output()     {}
func (Changed) output()     {}
func (Stored) output()      {}
func (Dropped) output()     {}
func (Ready) output()       {}
func (Unsupported) output() {}
func (SetTimer) output()    {}
func (Warning) output()     {}
