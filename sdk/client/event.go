package client

import (
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// A Target names a subscription to ask for. SubID is only used to unsubscribe
// one of several subscriptions to the same node. Node may be empty only to
// unsubscribe a row of the list that has none.
type Target struct{ Service, Node, SubID string }

// A Snapshot is what the client knows at one moment.
type Snapshot struct {
	// List is the committed list, in key order: it is in the store, and was
	// the server's at Version. It must not be modified.
	List    []pam.Subscription
	Version pam.Version
	// Source says where List came from.
	Source Source
	// Provisional lies over List until it is committed: own requests under way
	// and notifies heard during a sync, in key order.
	Provisional []Provisional
}

// Source says where a list came from.
type Source string

// The sources of a list.
const (
	SourceEmpty  Source = "empty"  // nothing is stored, and no server was asked yet
	SourceCache  Source = "cache"  // from the store
	SourceServer Source = "server" // equal to the server's list in this session
)

// A Provisional is a subscription as it will probably be. Local is
// "subscribing" or "unsubscribing" for an own request under way, and empty for
// a notify that is not committed yet; StateNone then hides the entry.
type Provisional struct {
	pam.Subscription
	Local string
}

// Phase says what the connection does.
type Phase string

// The phases of a connection.
const (
	PhaseOffline        Phase = "offline"    // not asked to connect
	PhaseConnecting     Phase = "connecting" // the socket is being opened
	PhaseAuthenticating Phase = "authenticating"
	PhaseSyncing        Phase = "syncing" // bound, the list is being made equal
	PhaseLive           Phase = "live"
	PhaseWaiting        Phase = "waiting" // will try again at NextAttempt
	PhaseFailed         Phase = "failed"  // will not try again by itself
)

// SyncState says how the client is.
type SyncState struct {
	Phase Phase
	// Missing names what the server lacks: "pam". The stored list stays
	// readable; requests are refused with CodeUnsupported.
	Missing []string
	// Resumed tells that the session before goes on (XEP-0198).
	Resumed bool
	// LastSynced is when the list was last known to equal the server's; zero
	// if never.
	LastSynced time.Time
	// Attempt counts the connection attempts since Connect, or since the last
	// connection that lasted a minute.
	Attempt     int
	NextAttempt time.Time
	// Pending counts own requests under way.
	Pending int
	// Storage tells whether the list outlives the program.
	Storage StorageState
	// Err is why the phase is PhaseWaiting or PhaseFailed.
	Err *Error
}

// StorageState says where the list is kept.
type StorageState struct {
	// Degraded tells that the store failed and memory has taken over.
	Degraded bool
	Err      error // why
}

// An Event is a Changed, ProvisionalChanged, StateChanged, MessageReceived,
// Stored or Warning.
type Event interface{ event() }

type (
	// Changed says that the committed list differs.
	Changed struct {
		Changes  []pam.Change
		From, To pam.Version
		Origin   Origin
		Source   Source
	}
	// ProvisionalChanged replaces the provisional layer.
	ProvisionalChanged struct{ Items []Provisional }
	// StateChanged says that the SyncState differs.
	StateChanged struct{ State SyncState }
	// MessageReceived hands on a message stanza that is none of this package's
	// business: pubsub events, and chat messages that the server gave to this
	// session because presence is sent with priority 0.
	MessageReceived struct {
		From, To, Type, ID string // as they came; empty if absent
		// XML is the stanza as it came, a part of what the server sent. A reader
		// must resolve prefixes, and must not take an attribute in a namespace, such
		// as x:from, for the stanza's own.
		XML string
		// Omitted says why XML is empty; then a Warning tells it too.
		Omitted Omitted
	}
	// Stored says that this Client has changed the list in its store. Another
	// one that shares the store shows the change at once if it is told to
	// Reload, and at the latest when it stores something itself.
	Stored struct{}
	// Warning reports something that was survived. Ignored is how many messages
	// were ignored, wholly or in part, since the warning before of such: these
	// come at most once a second, and Err is about the last of them. It is 0 if
	// Err is about something else.
	Warning struct {
		Err     *Error
		Ignored uint64
	}
)

// MaxText is the length in bytes of the longest text of a message that is handed
// on.
const MaxText = 4 << 20

// Omitted says why a message is handed on without its text; "" if it has one.
type Omitted string

// The reasons.
const (
	// OmittedTooLong is a text of more than MaxText bytes.
	OmittedTooLong Omitted = "too-long"
	// OmittedUnreadable is a text that other parsers of XML refuse.
	OmittedUnreadable Omitted = "unreadable"
)

// newMessage finds out whether the text can be handed on.
func newMessage(stanza *element.Element) MessageReceived {
	m := MessageReceived{From: stanza.Attr("from"), To: stanza.Attr("to"), Type: stanza.Attr("type"), ID: stanza.Attr("id")}
	switch text, err := stanza.XML(MaxText); err {
	case nil:
		m.XML = text
	case element.ErrTooLong:
		m.Omitted = OmittedTooLong
	default:
		m.Omitted = OmittedUnreadable
	}
	return m
}

// Origin says what changed the list.
type Origin string

// The origins of a change. PAM does not name the other device.
const (
	OriginThisDevice  Origin = "this-device"  // matches an own request under way
	OriginOtherDevice Origin = "other-device" // a live notify
	OriginResync      Origin = "resync"       // found by comparing lists
)

func (Changed) event()            {}
func (ProvisionalChanged) event() {}
func (StateChanged) event()       {}
func (MessageReceived) event()    {}
func (Stored) event()             {}
func (Warning) event()            {}
