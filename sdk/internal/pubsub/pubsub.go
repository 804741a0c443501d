// Package pubsub builds the requests of XEP-0060 and parses its events, results and
// errors, with what they need of other protocols: data forms (XEP-0004), pages of results
// (XEP-0059), archives (XEP-0313, XEP-0442), and Atom entries (RFC 4287). It does no I/O
// and keeps no state. What it parses can come from anybody: everything is bounded, and
// what is left out is reported with an error beside the rest.
package pubsub

import (
	"strings"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// Subscribe returns the <subscribe/> of XEP-0060 §6.1. It goes into a
// <pubsub/> for the service itself, or into XEP-0376's <pam/>. The subscriber
// is a bare JID.
func Subscribe(node, subscriber string) *element.Element {
	return element.New(ns.Pubsub, "subscribe").Set("node", node).Set("jid", subscriber)
}

// Unsubscribe returns the <unsubscribe/> of XEP-0060 §6.2. An empty subid is
// left out.
func Unsubscribe(node, subscriber, subid string) *element.Element {
	e := element.New(ns.Pubsub, "unsubscribe").Set("node", node).Set("jid", subscriber)
	if subid != "" {
		e.Set("subid", subid)
	}
	return e
}

// Subscriptions returns the <pubsub/> that requests from a service the subscriptions of
// the sender to node (XEP-0060 §5.6).
func Subscriptions(node string) *element.Element {
	return element.New(ns.Pubsub, "pubsub").Add(element.New(ns.Pubsub, "subscriptions").Set("node", node))
}

// Subscribed reports whether the answer to Subscriptions contains a subscription of
// account to node, with the given subid unless subid is empty. A row without a node or
// subid matches, because some services leave them out. An answer without a list counts
// as true, because there may be a subscription.
func Subscribed(iq *element.Element, node, subid string, account jid.JID) bool {
	list := iq.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "subscriptions")
	if list == nil {
		return true
	}
	for row := range list.Elements() {
		who, _ := jid.Parse(row.Attr("jid")) // zero if it is no JID, and then not the account's
		n, ok := row.Lookup("node")
		id := row.Attr("subid")
		if row.Is(ns.Pubsub, "subscription") && row.Attr("subscription") != string(pam.StateNone) &&
			who.Bare().Equal(account.Bare()) &&
			(!ok || n == node) && (subid == "" || id == "" || id == subid) {
			return true
		}
	}
	return false
}

// ParseState parses a subscription attribute. An absent attribute means subscribed, as in
// older versions of XEP-0060 §6.1.2. Unknown states are kept.
func ParseState(raw string) pam.State {
	switch raw {
	case "", string(pam.StateSubscribed):
		return pam.StateSubscribed
	case string(pam.StateNone), "unsubscribed", "remove", "removed":
		return pam.StateNone
	case string(pam.StatePending):
		return pam.StatePending
	case string(pam.StateUnconfigured):
		return pam.StateUnconfigured
	}
	return pam.State(strings.Clone(raw))
}
