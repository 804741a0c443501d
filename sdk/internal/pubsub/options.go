package pubsub

import (
	"fmt"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// SubscribeWith returns the <pubsub/> that subscribes with options (XEP-0060 §6.3.7).
func SubscribeWith(node, subscriber string, options pam.Form) *element.Element {
	return wrap(ns.Pubsub, Subscribe(node, subscriber),
		element.New(ns.Pubsub, "options").Add(SubmitForm(formSubscribeOptions, options)))
}

// Options returns the <pubsub/> that requests the options of a subscription (XEP-0060
// §6.3.2), for an iq of type get to the service.
func Options(node, subscriber, subid string) *element.Element {
	return wrap(ns.Pubsub, options(node, subscriber, subid))
}

// SetOptions returns the <pubsub/> that changes the options of a subscription (XEP-0060
// §6.3.5), for an iq of type set to the service.
func SetOptions(node, subscriber, subid string, form pam.Form) *element.Element {
	return wrap(ns.Pubsub, options(node, subscriber, subid).Add(SubmitForm(formSubscribeOptions, form)))
}

func options(node, subscriber, subid string) *element.Element {
	e := element.New(ns.Pubsub, "options").Set("node", node).Set("jid", subscriber)
	if subid != "" {
		e.Set("subid", subid)
	}
	return e
}

// ParseOptions parses the iq that answers Options.
func ParseOptions(iq *element.Element) (pam.Form, error) {
	body, err := payload(iq, ns.Pubsub, "pubsub")
	if err != nil {
		return nil, err
	}
	return ParseForm(body.Child(ns.Pubsub, "options").Child(ns.DataForms, "x"))
}

// ParseSubscription parses the iq that answers a subscribe or unsubscribe request to
// service (XEP-0060 §6.1.2). mustConfigure reports whether the service sends events only
// after the options have been set (§6.1.5). The error is ErrResult if the answer does not
// describe the subscription, as that of some services.
func ParseSubscription(iq *element.Element, service string) (s pam.Subscription, mustConfigure bool, err error) {
	body, err := payload(iq, ns.Pubsub, "pubsub")
	if err != nil {
		return s, false, err
	}
	e := body.Child(ns.Pubsub, "subscription")
	if e == nil {
		return s, false, fmt.Errorf("%w: it has no subscription", ErrResult)
	}
	mustConfigure = e.Child(ns.Pubsub, "subscribe-options").Child(ns.Pubsub, "required") != nil
	s, err = subscription(e, service, e.Attr("node"))
	return s, mustConfigure || s.State == pam.StateUnconfigured, err
}

// ParseSubscriptions parses the iq that answers Subscriptions to service (XEP-0060 §5.6).
// If the error is ErrLeftOut, the returned rows are valid.
func ParseSubscriptions(iq *element.Element, service string) ([]pam.Subscription, error) {
	body, err := payload(iq, ns.Pubsub, "pubsub")
	if err != nil {
		return nil, err
	}
	list := body.Child(ns.Pubsub, "subscriptions")
	if list == nil {
		return nil, fmt.Errorf("%w: it has no list of subscriptions", ErrResult)
	}
	var rows []pam.Subscription
	var left leftOut
	for e := range list.Elements() {
		if !e.Is(ns.Pubsub, "subscription") {
			continue
		}
		node, ok := e.Lookup("node")
		if !ok { // that of the whole list, if it is one of a node
			node = list.Attr("node")
		}
		if s, err := subscription(e, service, node); err != nil {
			left.out("a subscription without a node or a valid JID")
		} else {
			rows = append(rows, s)
		}
	}
	return rows, left.err()
}

// subscription parses a <subscription/>.
func subscription(e *element.Element, service, node string) (s pam.Subscription, err error) {
	j, err := address.Parse(e.Attr("jid"))
	if err != nil {
		return s, fmt.Errorf("%w: subscriber %q: %v", ErrResult, clip(e.Attr("jid")), err)
	}
	subid, state := e.Attr("subid"), e.Attr("subscription")
	if node == "" || max(len(node), len(subid), len(state)) > maxID {
		return s, fmt.Errorf("%w: a subscription without a node, or with an attribute that is longer than allowed", ErrResult)
	}
	return pam.Subscription{
		Key:   pam.Key{Service: service, Node: short(node), SubID: short(subid)},
		JID:   j.String(),
		State: ParseState(state),
	}, nil
}
