// Package pam defines the data types of a client for XEP-0376 (Pubsub Account
// Management): subscriptions, states, changes, events and errors. It contains no
// logic; see package client.
package pam

import "strings"

// A Version is the opaque token by which the server identifies one state of the
// list, the `ver` attribute (XEP-0376 §3.4). Compare versions with == only. The
// empty Version means that no version is known; the client never sends it.
type Version string

// A State is the state of a subscription (XEP-0060 §4.2). The client keeps states
// that are not listed here unchanged.
type State string

// The states of XEP-0060 §4.2.
const (
	StateNone         State = "none"
	StatePending      State = "pending"
	StateUnconfigured State = "unconfigured"
	StateSubscribed   State = "subscribed"
)

// A Key identifies a subscription of the account. Service is a normalised JID; Node
// and SubID are compared bytewise. SubID is empty if the service assigned none.
type Key struct{ Service, Node, SubID string }

// Compare returns a negative number, zero or a positive number if k sorts before
// other, equals it or sorts after it. Keys are ordered by service, node and subid.
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

// Kind returns KindPEP for a service that is an account (XEP-0163), else KindPubsub.
func (k Key) Kind() Kind {
	bare, _, _ := strings.Cut(k.Service, "/")
	if strings.Contains(bare, "@") {
		return KindPEP
	}
	return KindPubsub
}

// A Kind says what the service of a subscription is.
type Kind string

// The kinds of services.
const (
	KindPubsub Kind = "pubsub"
	KindPEP    Kind = "pep"
)

// A Change describes what happened to the subscription with one key. Before is nil
// if it was added, After is nil if it was removed; both are set if only the state
// or JID changed.
type Change struct{ Before, After *Subscription }
