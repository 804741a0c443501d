package mem

// wishedOptions reads the options that follow a subscribe request (XEP-0060 §6.3.7).
func wishedOptions(wish *elem) (values, *stanzaError) {
	if wish == nil {
		return nil, nil
	}
	if len(wish.attrs) > 0 {
		return nil, badRequest()
	}
	return readOptions(wish.child(nsData, "x"))
}

func readOptions(x *elem) (values, *stanzaError) {
	if x == nil {
		return nil, pubsubError("modify", "bad-request", "invalid-options")
	}
	options, fault := subscribeOptions.read(x, true)
	if fault != nil {
		err := pubsubError("modify", "bad-request", "invalid-options")
		err.text = fault.Error()
		return nil, err
	}
	return options, nil
}

// options returns the form of the options of the sender's subscription (XEP-0060
// §6.3.2).
func (s *Server) options(svc *service, r request, op *elem) (*elem, *stanzaError) {
	n, sub, err := svc.subscription(r, op)
	if err != nil {
		return nil, err
	}
	return wrap(el(nsPubsub, "options", "node", n.name, "jid", sub.jid, "subid", sub.subid).with(subscribeOptions.elem("form", sub.options))), nil
}

// setOptions changes them (XEP-0060 §6.3.5). A subscription that was unconfigured takes
// effect, and the subscriber is notified.
func (s *Server) setOptions(svc *service, r request, op *elem) (*elem, *stanzaError) {
	n, sub, err := svc.subscription(r, op)
	if err != nil {
		return nil, err
	}
	x := op.child(nsData, "x")
	if x != nil && x.get("type") == "cancel" {
		return nil, nil
	}
	options, err := readOptions(x)
	if err != nil {
		return nil, err
	}
	if sub.options == nil {
		sub.options = values{}
	}
	for name, v := range options {
		sub.options[name] = v
	}
	if sub.state == "unconfigured" {
		s.announce(n, s.setState(n, sub.jid, "subscribed"))
	}
	return nil, nil
}

// subscription returns the subscription of the sender that an operation names.
func (svc *service) subscription(r request, op *elem) (*node, *subscriber, *stanzaError) {
	n, err := svc.find(op)
	switch {
	case op.get("jid") == "":
		return nil, nil, pubsubError("modify", "bad-request", "jid-required")
	case !isBare(op.get("jid"), r.from):
		return nil, nil, forbidden()
	case err != nil:
		return nil, nil, err
	}
	sub := n.sub(r.from.Bare().String())
	switch {
	case sub == nil:
		return nil, nil, pubsubError("modify", "unexpected-request", "not-subscribed")
	case op.get("subid") != "" && op.get("subid") != sub.subid:
		return nil, nil, pubsubError("modify", "not-acceptable", "invalid-subid")
	}
	return n, sub, nil
}
