package mem

import (
	"maps"
	"slices"
)

// pubsubOwner answers the owner of a node (XEP-0060 §8): delete or purge it, read or
// change its configuration, its subscriptions and its affiliations.
func (s *Server) pubsubOwner(svc *service, r request) (*elem, *stanzaError) {
	kids := r.payload.elems()
	if len(kids) != 1 || kids[0].space != nsPubsubOwner {
		return nil, badRequest()
	}
	op := kids[0]
	if op.local == "default" && !r.set {
		return el(nsPubsubOwner, "pubsub").with(el(nsPubsubOwner, "default").with(nodeConfig.elem("form", svc.defaults))), nil
	}
	n, err := svc.find(op)
	switch {
	case err != nil:
		return nil, err
	case n.owner != r.from.Bare().String():
		return nil, forbidden()
	case r.set:
		return nil, s.change(n, op)
	}
	out := el(nsPubsubOwner, op.local, "node", n.name)
	switch op.local {
	case "configure":
		out.with(nodeConfig.elem("form", n.all()))
	case "subscriptions":
		for _, sub := range n.subs {
			out.with(el(nsPubsubOwner, "subscription", "jid", sub.jid, "subscription", sub.state, "subid", sub.subid))
		}
	case "affiliations":
		out.with(el(nsPubsubOwner, "affiliation", "jid", n.owner, "affiliation", "owner"))
		for _, bare := range slices.Sorted(maps.Keys(n.affils)) {
			out.with(el(nsPubsubOwner, "affiliation", "jid", bare, "affiliation", n.affils[bare]))
		}
	default:
		return nil, badRequest()
	}
	return el(nsPubsubOwner, "pubsub").with(out), nil
}

// change carries out the change of a node that its owner requests.
func (s *Server) change(n *node, op *elem) *stanzaError {
	switch op.local {
	case "delete":
		s.deleteNode(n, op.child(nsPubsubOwner, "redirect").get("uri"))
	case "purge":
		s.purge(n)
	case "subscriptions":
		return s.changeSubscriptions(n, op)
	case "affiliations":
		return n.changeAffiliations(op)
	case "configure":
		x := op.child(nsData, "x")
		if x == nil {
			return badRequest()
		}
		if x.get("type") == "cancel" {
			return nil
		}
		config, err := s.readConfig(nodeConfig, x)
		if err != nil {
			return err
		}
		s.configure(n, config)
	default:
		return badRequest()
	}
	return nil
}

// changeSubscriptions sets existing subscriptions to subscribed or none; each
// subscriber is notified (XEP-0060 §8.8.2, §8.8.4).
func (s *Server) changeSubscriptions(n *node, op *elem) *stanzaError {
	for _, c := range op.elems() {
		j, err := parseJID(c.get("jid"))
		if state := c.get("subscription"); err != nil || n.sub(j.String()) == nil || state != "subscribed" && state != "none" {
			return badRequest()
		}
	}
	for _, c := range op.elems() {
		j, _ := parseJID(c.get("jid"))
		if n.sub(j.String()) != nil { // or it is listed twice
			s.announce(n, s.setState(n, j.String(), c.get("subscription")))
		}
	}
	return nil
}

// changeAffiliations makes accounts publishers, members or outcasts, or takes that from
// them (XEP-0060 §8.9.2). Subscriptions stay.
func (n *node) changeAffiliations(op *elem) *stanzaError {
	for _, c := range op.elems() {
		j, err := parseJID(c.get("jid"))
		switch c.get("affiliation") {
		case "publisher", "member", "outcast", "none":
		default:
			return badRequest()
		}
		if err != nil || j.String() == n.owner {
			return badRequest()
		}
	}
	for _, c := range op.elems() {
		j, _ := parseJID(c.get("jid"))
		n.affils[j.Bare().String()] = c.get("affiliation")
		if c.get("affiliation") == "none" {
			delete(n.affils, j.Bare().String())
		}
	}
	return nil
}
