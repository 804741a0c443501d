package pam

import "time"

// A Target identifies what to subscribe to or unsubscribe from. SubID is only used
// to unsubscribe from one of several subscriptions to the same node. Node may be
// empty only to remove an entry of the list that has no node.
type Target struct{ Service, Node, SubID string }

// A Snapshot is the client's view of the account's subscriptions at one moment.
type Snapshot struct {
	// List is the committed list, in key order: it is in the store, and equals the
	// server's list at Version. It must not be modified.
	List    []Subscription
	Version Version
	// Source is where List came from.
	Source Source
	// Provisional holds the entries to show instead of those in List until they are
	// committed, in key order: pending requests of this client, and notifies
	// received during a sync.
	Provisional []Provisional
	// Interests says which events this device can show. Nil means all.
	Interests []Interest
}

// Supports reports whether this device can show events of the subscription with the key,
// which is in the list in any case.
func (s Snapshot) Supports(k Key) bool {
	for _, i := range s.Interests {
		if i.SelectsNode(k.Service, k.Node) {
			return true
		}
	}
	return s.Interests == nil
}

// Source is where a list came from.
type Source string

// The sources of a list.
const (
	SourceUnread Source = "unread" // the store has not been read yet
	SourceEmpty  Source = "empty"  // the store has no list, and the client has not received one yet
	SourceCache  Source = "cache"  // read from the store
	SourceServer Source = "server" // equal to the server's list in this session
)

// A Provisional is the expected state of a subscription. Local is "subscribing" or
// "unsubscribing" for a pending request of this client, and empty for a notify that
// is not committed yet; in a notify, StateNone hides the entry.
type Provisional struct {
	Subscription
	Local string
}

// Phase is the phase of the connection.
type Phase string

// The phases of a connection.
const (
	PhaseOffline        Phase = "offline"    // Connect was not called, or Disconnect was
	PhaseConnecting     Phase = "connecting" // the client is opening the connection
	PhaseAuthenticating Phase = "authenticating"
	PhaseSyncing        Phase = "syncing" // the session is bound; the client is synchronising the list
	PhaseLive           Phase = "live"
	PhaseWaiting        Phase = "waiting" // the client will reconnect at NextAttempt; if that is zero, at Wake
	PhaseFailed         Phase = "failed"  // the client will not reconnect by itself
)

// SyncState is the state of the connection, the synchronisation and the store.
type SyncState struct {
	Phase Phase
	// Missing names the features that the server does not support: "pam". The
	// stored list stays readable; requests fail with CodeUnsupported.
	Missing []string
	// Resumed reports whether the session resumes an earlier one (XEP-0198).
	Resumed bool
	// LastSynced is the last time at which the list was known to equal the server's.
	// It is zero if it never was.
	LastSynced time.Time
	// Attempt counts the connection attempts since Connect, or since the last
	// connection that lasted a minute.
	Attempt     int
	NextAttempt time.Time
	// Pending counts the pending requests of this client.
	Pending int
	// Storage reports whether the list is stored persistently.
	Storage StorageState
	// Err is the reason for PhaseWaiting or PhaseFailed.
	Err *Error
}

// StorageState is the state of the store.
type StorageState struct {
	// Degraded reports whether the store has failed and the client keeps the list in
	// memory only.
	Degraded bool
	Err      error // why the store failed
}

// Origin is the cause of a change of the list.
type Origin string

// The origins of a change. PAM does not identify the other device.
const (
	OriginThisDevice  Origin = "this-device"  // a pending request of this client explains the change
	OriginOtherDevice Origin = "other-device" // a live notify that no pending request explains
	OriginResync      Origin = "resync"       // the difference between two lists
)
