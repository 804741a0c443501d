package mem

import "mellium.im/xmpp/jid"

const (
	nsPubsub       = "http://jabber.org/protocol/pubsub"
	nsPubsubEvent  = nsPubsub + "#event"
	nsPubsubOwner  = nsPubsub + "#owner"
	nsPubsubErrors = nsPubsub + "#errors"
)

// pubsub answers a request in the pubsub namespace: at a pubsub service, or at an account's bare JID for its personal nodes.
func (s *Server) pubsub(svc *service, r request) (*elem, *stanzaError) {
	kids := r.payload.elems()
	if len(kids) == 0 {
		return nil, badRequest()
	}
	op := kids[0]
	if op.space != nsPubsub {
		return nil, badRequest()
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
			return s.setOptions(svc, r, op)
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
		return s.options(svc, r, op)
	case "default":
		return nil, unsupported("retrieve-default-sub")
	}
	return nil, badRequest()
}

// subscribe implements XEP-0060 §6.1 and §6.3.7. The subscriber must be the bare JID
// of the sender. Subscribing again succeeds and changes only the options.
func (s *Server) subscribe(svc *service, r request, op *elem) (*elem, *stanzaError) {
	if !isBare(op.get("jid"), r.from) {
		return nil, pubsubError("modify", "bad-request", "invalid-jid")
	}
	n, err := svc.find(op)
	if err != nil {
		return nil, err
	}
	if err := s.admits(n, r.from); err != nil {
		return nil, err
	}
	wish := r.payload.child(nsPubsub, "options")
	options, err := wishedOptions(wish)
	if err != nil {
		return nil, err
	}
	bare := r.from.Bare().String()
	if n.sub(bare) == nil {
		switch {
		case n.approves(bare):
			s.setState(n, bare, "pending")
			s.requestApproval(n, *n.sub(bare))
		case n.options && wish == nil:
			s.setState(n, bare, "unconfigured")
		default:
			s.setState(n, bare, "subscribed")
		}
	}
	sub := n.sub(bare)
	if wish != nil {
		sub.options = options
	}
	if sub.state == "subscribed" {
		s.sendLastOnSubscription(n, bare)
	}
	answer := subscriptionElem(n, *sub)
	if sub.state == "unconfigured" {
		answer.with(el(nsPubsub, "subscribe-options").with(el(nsPubsub, "required")))
	}
	out := wrap(answer)
	if wish != nil {
		out.with(el(nsPubsub, "options").with(subscribeOptions.elem("result", options)))
	}
	return out, nil
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
	return wrap(subscriptionElem(n, s.setState(n, bare, "none"))), nil
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
