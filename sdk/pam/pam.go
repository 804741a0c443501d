// Package pam is the vocabulary of XEP-0376 (Pubsub Account Management) for a
// client: what subscriptions, states, changes and errors are. It has no logic; see
// package client.
package pam

import "strings"

// A Version is the server's opaque name for one state of the list, `ver` on
// the wire (XEP-0376 §3.4). Versions are only ever compared with ==. The empty
// Version means that there is none; it is never sent.
type Version string

// A State is the state of a subscription (XEP-0060 §4.2). States that are not
// listed here are kept as they came.
type State string

// The states of XEP-0060 §4.2.
const (
	StateNone         State = "none"
	StatePending      State = "pending"
	StateUnconfigured State = "unconfigured"
	StateSubscribed   State = "subscribed"
)

// A Key names a subscription of the account. Service is a normalised JID; Node
// and SubID are compared bytewise. SubID is empty if the service gave none.
type Key struct{ Service, Node, SubID string }

// Compare orders keys by service, node and subid.
func (k Key) Compare(other Key) int {
	if c := strings.Compare(k.Service, other.Service); c != 0 {
		return c
	}
	if c := strings.Compare(k.Node, other.Node); c != 0 {
		return c
	}
	return strings.Compare(k.SubID, other.SubID)
}

// A Subscription is one entry of the list. JID is the subscriber, the account's
// bare JID.
type Subscription struct {
	Key
	JID   string
	State State
}

// A Change is what became of one key. Before or After is nil where the key was or
// is absent; both are set if only the state or JID changed.
type Change struct{ Before, After *Subscription }
