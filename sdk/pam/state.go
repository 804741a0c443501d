package pam

import "time"

// A Target names a subscription to ask for. SubID is only used to unsubscribe
// one of several subscriptions to the same node. Node may be empty only to
// unsubscribe a row of the list that has none.
type Target struct{ Service, Node, SubID string }

// A Snapshot is what the client knows at one moment.
type Snapshot struct {
	// List is the committed list, in key order: it is in the store, and was
	// the server's at Version. It must not be modified.
	List    []Subscription
	Version Version
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
	Subscription
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

// Origin says what changed the list.
type Origin string

// The origins of a change. PAM does not name the other device.
const (
	OriginThisDevice  Origin = "this-device"  // matches an own request under way
	OriginOtherDevice Origin = "other-device" // a live notify
	OriginResync      Origin = "resync"       // found by comparing lists
)
