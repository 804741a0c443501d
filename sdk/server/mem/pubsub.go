package mem

import (
	"slices"
	"strconv"

	"mellium.im/xmpp/jid"
)

const (
	nsPubsub       = "http://jabber.org/protocol/pubsub"
	nsPubsubEvent  = nsPubsub + "#event"
	nsPubsubOwner  = nsPubsub + "#owner"
	nsPubsubErrors = nsPubsub + "#errors"
	nsNodeConfig   = nsPubsub + "#node_config"
	nsData         = "jabber:x:data"
)

// pubsub answers a request in the pubsub namespace: at the pubsub service, or at an account's bare JID for its personal nodes.
func (s *Server) pubsub(svc *service, r request) (*elem, *stanzaError) {
	kids := r.payload.elems()
	if len(kids) == 0 {
		return nil, badRequest()
	}
	op := kids[0]
	if op.space != nsPubsub {
		return nil, badRequest()
	}
	for _, other := range kids[1:] {
		if other.is(nsPubsub, "options") {
			return nil, unsupported("subscription-options")
		}
	}
	if r.set {
		switch op.local {
		case "create":
			return s.createNode(svc, r, op)
		case "publish":
			return s.publishItem(svc, r, op)
		case "retract":
			return s.retractItem(svc, r, op)
		case "subscribe":
			return s.subscribe(svc, r, op)
		case "unsubscribe":
			return s.unsubscribe(svc, r, op)
		case "options":
			return nil, unsupported("subscription-options")
		}
		return nil, badRequest()
	}
	switch op.local {
	case "items":
		return s.items(svc, r, op)
	case "subscriptions":
		return s.subscriptions(svc, r, op), nil
	case "affiliations":
		return nil, unsupported("retrieve-affiliations")
	case "options":
		return nil, unsupported("subscription-options")
	case "default":
		return nil, unsupported("retrieve-default-sub")
	}
	return nil, badRequest()
}

// subscribe implements XEP-0060 §6.1. The subscriber must be the bare JID of the
// sender. Subscribing again succeeds and changes nothing.
func (s *Server) subscribe(svc *service, r request, op *elem) (*elem, *stanzaError) {
	if !isBare(op.get("jid"), r.from) {
		return nil, pubsubError("modify", "bad-request", "invalid-jid")
	}
	n, err := svc.find(op)
	if err != nil {
		return nil, err
	}
	if err := n.admits(r.from); err != nil {
		return nil, err
	}
	bare := r.from.Bare().String()
	if n.sub(bare) == nil {
		state := "subscribed"
		if n.access == "authorize" && n.owner != bare {
			state = "pending"
		}
		s.setState(svc, n, bare, state)
	}
	return wrap(subscriptionElem(n, *n.sub(bare))), nil
}

// unsubscribe implements XEP-0060 §6.2. The subid is optional.
func (s *Server) unsubscribe(svc *service, r request, op *elem) (*elem, *stanzaError) {
	if !isBare(op.get("jid"), r.from) {
		if op.get("jid") == "" {
			return nil, pubsubError("modify", "bad-request", "jid-required")
		}
		return nil, forbidden()
	}
	n, err := svc.find(op)
	if err != nil {
		return nil, err
	}
	bare := r.from.Bare().String()
	sub := n.sub(bare)
	if sub == nil {
		return nil, pubsubError("cancel", "unexpected-request", "not-subscribed")
	}
	if subid := op.get("subid"); subid != "" && subid != sub.subid {
		return nil, pubsubError("modify", "not-acceptable", "invalid-subid")
	}
	return wrap(subscriptionElem(n, s.setState(svc, n, bare, "none"))), nil
}

// subscriptions lists the subscriptions of the sender (XEP-0060 §5.6), at one node if
// the request names it.
func (s *Server) subscriptions(svc *service, r request, op *elem) *elem {
	list := el(nsPubsub, "subscriptions", "node", op.get("node"))
	for _, n := range svc.sorted() {
		if sub := n.sub(r.from.Bare().String()); sub != nil && (op.get("node") == "" || op.get("node") == n.name) {
			list.with(subscriptionElem(n, *sub))
		}
	}
	return wrap(list)
}

// items returns items, oldest first: all of them, those named, or the newest max_items (XEP-0060 §6.5).
func (s *Server) items(svc *service, r request, op *elem) (*elem, *stanzaError) {
	n, err := svc.find(op)
	if err != nil {
		return nil, err
	}
	bare := r.from.Bare().String()
	if err := n.admits(r.from); err != nil {
		return nil, err
	}
	if sub := n.sub(bare); n.access == "authorize" && n.owner != bare && (sub == nil || sub.state != "subscribed") {
		return nil, pubsubError("auth", "not-authorized", "not-subscribed")
	}
	chosen := n.items
	if wanted := op.elems(); len(wanted) > 0 {
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(it item) bool {
			return !slices.ContainsFunc(wanted, func(w *elem) bool { return w.is(nsPubsub, "item") && w.get("id") == it.id })
		})
	} else if max := op.get("max_items"); max != "" {
		count, err := strconv.Atoi(max)
		if err != nil || count < 1 {
			return nil, badRequest()
		}
		chosen = chosen[len(chosen)-min(count, len(chosen)):]
	}
	list := el(nsPubsub, "items", "node", n.name)
	for _, it := range chosen {
		list.with(el(nsPubsub, "item", "id", it.id).with(it.payload))
	}
	return wrap(list), nil
}

// publishItem implements XEP-0060 §7.1 for one item of the node's owner. It creates a
// personal node that does not exist (XEP-0163 §3), with the access model of the
// publish options.
func (s *Server) publishItem(svc *service, r request, op *elem) (*elem, *stanzaError) {
	bare := r.from.Bare().String()
	n, err := svc.find(op)
	if err != nil && op.get("node") != "" && svc.owner == bare {
		n, err = svc.create(op.get("node"), bare, accessModel(r.payload.child(nsPubsub, "publish-options")))
	}
	if err != nil {
		return nil, err
	}
	items := op.elems()
	switch {
	case n.owner != bare:
		return nil, forbidden()
	case len(items) != 1 || !items[0].is(nsPubsub, "item"):
		return nil, pubsubError("modify", "bad-request", "item-required")
	case len(items[0].elems()) > 1:
		return nil, pubsubError("modify", "bad-request", "invalid-payload")
	}
	it := item{id: items[0].get("id")}
	if it.id == "" {
		it.id = s.newID("i")
	}
	if payload := items[0].elems(); len(payload) == 1 {
		it.payload = payload[0]
	}
	s.publish(svc, n, it)
	return wrap(el(nsPubsub, "publish", "node", n.name).with(el(nsPubsub, "item", "id", it.id))), nil
}

// retractItem implements XEP-0060 §7.2. It always notifies the subscribers.
func (s *Server) retractItem(svc *service, r request, op *elem) (*elem, *stanzaError) {
	n, err := svc.find(op)
	if err != nil {
		return nil, err
	}
	item := op.child(nsPubsub, "item")
	switch {
	case n.owner != r.from.Bare().String():
		return nil, forbidden()
	case item == nil || item.get("id") == "":
		return nil, pubsubError("modify", "bad-request", "item-required")
	case !s.retract(svc, n, item.get("id")):
		return nil, itemNotFound()
	}
	return nil, nil
}

// createNode implements XEP-0060 §8.1. It reads only the option pubsub#access_model.
// Without a name it generates one.
func (s *Server) createNode(svc *service, r request, op *elem) (*elem, *stanzaError) {
	bare := r.from.Bare().String()
	if svc.owner != "" && svc.owner != bare {
		return nil, forbidden()
	}
	name := op.get("node")
	if name == "" {
		name = s.newID("n")
	}
	if _, err := svc.create(name, bare, accessModel(r.payload.child(nsPubsub, "configure"))); err != nil {
		return nil, err
	}
	return wrap(el(nsPubsub, "create", "node", name)), nil
}

// find returns the node that an operation names.
func (svc *service) find(op *elem) (*node, *stanzaError) {
	if op.get("node") == "" {
		return nil, pubsubError("modify", "bad-request", "nodeid-required")
	}
	if n := svc.nodes[op.get("node")]; n != nil {
		return n, nil
	}
	return nil, itemNotFound()
}

// accessModel reads pubsub#access_model from a form, the child of e.
func accessModel(e *elem) string {
	form := e.child(nsData, "x")
	if form == nil {
		return ""
	}
	for _, f := range form.elems() {
		if value := f.child(nsData, "value"); f.get("var") == "pubsub#access_model" && value != nil {
			return value.text()
		}
	}
	return ""
}

func subscriptionElem(n *node, sub subscriber) *elem {
	return el(nsPubsub, "subscription", "node", n.name, "jid", sub.jid, "subscription", sub.state, "subid", sub.subid)
}

func wrap(e *elem) *elem { return el(nsPubsub, "pubsub").with(e) }

func unsupported(feature string) *stanzaError {
	e := &stanzaError{typ: "cancel", cond: "feature-not-implemented"}
	if feature != "" {
		e.app, e.feature = "unsupported", feature
	}
	return e
}

// forward sends a request of an account to a service, from the bare JID, as that
// account's server would.
func (s *Server) forward(service, from jid.JID, op *elem, rest []*elem) (*elem, *stanzaError) {
	payload := wrap(op)
	for _, e := range rest {
		payload.with(e)
	}
	return s.answer(request{from: from, set: true, payload: payload}, service)
}
