package pubsub

import (
	"fmt"
	"strconv"
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// An ItemsRequest requests items of a node (XEP-0060 §6.5). Without a limit the service
// chooses how many it returns. Services that do not support a limit ignore it.
type ItemsRequest struct {
	Node  string
	SubID string   // if the account has several subscriptions to the node
	IDs   []string // these items only (§6.5.8); those that do not exist are left out
	Max   int      // the newest ones only (§6.5.7), if it is not 0
	Page  *Page    // for a service that announces pubsub#rsm (§6.5.4)
}

// Element returns the <pubsub/>, for an iq of type get.
func (r ItemsRequest) Element() *element.Element {
	items := element.New(ns.Pubsub, "items").Set("node", r.Node)
	if r.SubID != "" {
		items.Set("subid", r.SubID)
	}
	if r.Max > 0 {
		items.Set("max_items", strconv.Itoa(r.Max))
	}
	for _, id := range r.IDs {
		items.Add(element.New(ns.Pubsub, "item").Set("id", id))
	}
	return wrap(ns.Pubsub, items, r.Page.Element())
}

// ParseItems parses the iq that answers an ItemsRequest to service for node. The items
// are in the order of the service, which says nothing of their age. The page is nil if
// the service does not support paging.
//
// If the error is ErrLeftOut, the returned items are valid, but others are missing: those
// that are invalid, and the first ones if there are more than the limit. ErrResult means
// that the stanza is not an answer; it is not the same as no items.
func ParseItems(iq *element.Element, service, node string) ([]Notification, *PageInfo, error) {
	body, err := payload(iq, ns.Pubsub, "pubsub")
	if err != nil {
		return nil, nil, err
	}
	list := body.Child(ns.Pubsub, "items")
	if named, ok := list.Lookup("node"); list == nil || ok && named != node {
		return nil, nil, fmt.Errorf("%w: it has no items of the node", ErrResult)
	}
	count := 0
	for e := range list.Elements() {
		if e.Is(ns.Pubsub, "item") {
			count++
		}
	}
	p := eventParser{space: ns.Pubsub, base: Notification{Service: service, Node: node}}
	for e := range list.Elements() {
		if e.Is(ns.Pubsub, "item") {
			if count--; count >= maxEntries {
				p.left.out("all but the last " + strconv.Itoa(maxEntries))
				continue
			}
			p.item(p.base, e)
		}
	}
	return p.found, ParsePage(body), p.left.err()
}

// Publish returns the <pubsub/> that publishes an item (XEP-0060 §7.1). The service
// assigns the id if it is empty. Without id and payload it is an event of a node that has
// no items. The fields of options are preconditions on the configuration of the node
// (§7.1.5), with which the service creates a node that does not exist; nil if there are
// none.
func Publish(node, id string, payload *element.Element, options pam.Form) *element.Element {
	publish := element.New(ns.Pubsub, "publish").Set("node", node)
	if id != "" || payload != nil {
		item := element.New(ns.Pubsub, "item").Add(payload)
		if id != "" {
			item.Set("id", id)
		}
		publish.Add(item)
	}
	body := wrap(ns.Pubsub, publish)
	if options != nil {
		body.Add(element.New(ns.Pubsub, "publish-options").Add(SubmitForm(formPublishOptions, options)))
	}
	return body
}

// ParsePublished parses the iq that answers Publish. It returns the id of the item, or ""
// if the service does not say: it is then that of the request.
func ParsePublished(iq *element.Element) string {
	id := iq.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "publish").Child(ns.Pubsub, "item").Attr("id")
	return short(id)
}

// Retract returns the <pubsub/> that deletes an item (XEP-0060 §7.2). notify requests
// that the service notifies the subscribers.
func Retract(node, id string, notify bool) *element.Element {
	retract := element.New(ns.Pubsub, "retract").Set("node", node)
	if notify {
		retract.Set("notify", "true")
	}
	return wrap(ns.Pubsub, retract.Add(element.New(ns.Pubsub, "item").Set("id", id)))
}

// wrap returns a <pubsub/> with the children.
func wrap(space string, children ...*element.Element) *element.Element {
	return element.New(space, "pubsub").Add(children...)
}

// short returns a copy of an id, or "" if it is longer than allowed.
func short(id string) string {
	if len(id) > maxID {
		return ""
	}
	return strings.Clone(id)
}
