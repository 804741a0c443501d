// Package pubsub is the part of XEP-0060 that a subscriber needs: requests,
// subscription states and errors.
package pubsub

import (
	"xmpp-pam/sdk/element"
)

// The namespaces of XEP-0060.
const (
	NS       = "http://jabber.org/protocol/pubsub"
	NSEvent  = "http://jabber.org/protocol/pubsub#event"
	NSErrors = "http://jabber.org/protocol/pubsub#errors"
	NSOwner  = "http://jabber.org/protocol/pubsub#owner"
)

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

// Subscribe returns the <subscribe/> of XEP-0060 §6.1. It goes into a
// <pubsub/> for the service itself, or into XEP-0376's <pam/>. The subscriber
// is a bare JID.
func Subscribe(node, subscriber string) *element.Element {
	return element.New(NS, "subscribe").Set("node", node).Set("jid", subscriber)
}

// Unsubscribe returns the <unsubscribe/> of XEP-0060 §6.2. An empty subid is
// left out.
func Unsubscribe(node, subscriber, subid string) *element.Element {
	e := element.New(NS, "unsubscribe").Set("node", node).Set("jid", subscriber)
	if subid != "" {
		e.Set("subid", subid)
	}
	return e
}
