package mem

// pubsubOwner answers the owner of a node: delete it (XEP-0060 §8.4), list its subscriptions or change them (§8.8).
func (s *Server) pubsubOwner(svc *service, r request) (*elem, *stanzaError) {
	kids := r.payload.elems()
	if len(kids) != 1 || kids[0].space != nsPubsubOwner {
		return nil, badRequest()
	}
	op := kids[0]
	if op.local != "delete" && op.local != "subscriptions" {
		return nil, unsupported(map[string]string{
			"configure": "config-node", "purge": "purge-nodes", "affiliations": "modify-affiliations", "default": "retrieve-default",
		}[op.local])
	}
	n, err := svc.find(op)
	switch {
	case err != nil:
		return nil, err
	case n.owner != r.from.Bare().String():
		return nil, forbidden()
	case op.local == "delete" && r.set:
		s.deleteNode(svc, n)
		return nil, nil
	case op.local == "subscriptions" && r.set:
		return nil, s.changeSubscriptions(svc, n, op)
	case op.local == "subscriptions":
		list := el(nsPubsubOwner, "subscriptions", "node", n.name)
		for _, sub := range n.subs {
			list.with(el(nsPubsubOwner, "subscription", "jid", sub.jid, "subscription", sub.state, "subid", sub.subid))
		}
		return el(nsPubsubOwner, "pubsub").with(list), nil
	}
	return nil, badRequest()
}

// changeSubscriptions sets existing subscriptions to subscribed or none; each
// subscriber is notified (XEP-0060 §8.8.2, §8.8.4).
func (s *Server) changeSubscriptions(svc *service, n *node, op *elem) *stanzaError {
	for _, c := range op.elems() {
		j, err := parseJID(c.get("jid"))
		if state := c.get("subscription"); err != nil || n.sub(j.String()) == nil || state != "subscribed" && state != "none" {
			return badRequest()
		}
	}
	for _, c := range op.elems() {
		j, _ := parseJID(c.get("jid"))
		if n.sub(j.String()) == nil {
			continue // listed twice
		}
		now := s.setState(svc, n, j.String(), c.get("subscription"))
		s.sendFrom(svc.jid, now.jid, el(nsPubsubEvent, "event").with(
			el(nsPubsubEvent, "subscription", "node", n.name, "jid", now.jid, "subscription", now.state, "subid", now.subid)))
	}
	return nil
}
