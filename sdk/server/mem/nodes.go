package mem

import (
	"maps"
	"slices"

	"mellium.im/xmpp/jid"
)

// service is an entity with nodes: the pubsub service, or the personal service of an
// account (XEP-0163).
type service struct {
	jid   string
	owner string // the account's bare JID, empty for the pubsub service
	nodes map[string]*node
}

type node struct {
	name   string
	owner  string // bare JID; empty if the program that runs the server created it
	access string // open, whitelist, presence or authorize
	items  []item // oldest first
	subs   []subscriber
}

type item struct {
	id      string
	payload *elem // nil if there is none
}

// subscriber is a subscription of a bare JID, which has at most one per node.
type subscriber struct {
	jid, subid, state string // state: subscribed or pending
}

const maxItems = 1000 // per node; the oldest are removed without notification

var accessModels = []string{"open", "whitelist", "presence", "authorize"}

func newService(jid, owner string) *service {
	return &service{jid: jid, owner: owner, nodes: map[string]*node{}}
}

// create creates a node. An empty access model means open.
func (svc *service) create(name, owner, access string) (*node, *stanzaError) {
	if access == "" {
		access = "open"
	}
	if !slices.Contains(accessModels, access) {
		return nil, pubsubError("modify", "not-acceptable", "unsupported-access-model")
	}
	if svc.nodes[name] != nil {
		return nil, &stanzaError{typ: "cancel", cond: "conflict"}
	}
	n := &node{name: name, owner: owner, access: access}
	svc.nodes[name] = n
	return n, nil
}

// sorted returns the nodes ordered by name, so that answers are deterministic.
func (svc *service) sorted() []*node {
	var out []*node
	for _, name := range slices.Sorted(maps.Keys(svc.nodes)) {
		out = append(out, svc.nodes[name])
	}
	return out
}

// admits reports whether an entity may subscribe and read. This server has no
// rosters, and only the owner is on a whitelist.
func (n *node) admits(who jid.JID) *stanzaError {
	switch {
	case n.owner == who.Bare().String() || n.access == "open":
		return nil
	case n.access == "whitelist":
		return pubsubError("cancel", "not-allowed", "closed-node")
	case n.access == "presence":
		return pubsubError("auth", "not-authorized", "presence-subscription-required")
	}
	return nil
}

func (n *node) sub(jid string) *subscriber {
	for i := range n.subs {
		if n.subs[i].jid == jid {
			return &n.subs[i]
		}
	}
	return nil
}

// publish stores an item and notifies the subscribers. It replaces an item with the
// same id, which becomes the newest (XEP-0060 §7.1).
func (s *Server) publish(svc *service, n *node, it item) {
	n.items = slices.DeleteFunc(n.items, func(old item) bool { return old.id == it.id })
	n.items = append(n.items, it)
	if extra := len(n.items) - maxItems; extra > 0 {
		n.items = slices.Delete(n.items, 0, extra)
	}
	s.event(svc, n, el(nsPubsubEvent, "items", "node", n.name).
		with(el(nsPubsubEvent, "item", "id", it.id).with(it.payload)))
}

// retract removes an item and notifies the subscribers (XEP-0060 §7.2). It reports
// whether the item existed.
func (s *Server) retract(svc *service, n *node, id string) bool {
	before := len(n.items)
	n.items = slices.DeleteFunc(n.items, func(it item) bool { return it.id == id })
	if len(n.items) == before {
		return false
	}
	s.event(svc, n, el(nsPubsubEvent, "items", "node", n.name).with(el(nsPubsubEvent, "retract", "id", id)))
	return true
}

// deleteNode removes a node, notifies the subscribers, and updates their accounts'
// lists (XEP-0060 §8.4).
func (s *Server) deleteNode(svc *service, n *node) {
	delete(svc.nodes, n.name)
	s.event(svc, n, el(nsPubsubEvent, "delete", "node", n.name))
	for _, sub := range n.subs {
		sub.state = "none"
		s.subscriptionChanged(svc, n, sub)
	}
}

// setState sets the state of a subscription, or removes it if the state is "none",
// and updates the list of the subscriber's account. It returns the resulting
// subscription.
func (s *Server) setState(svc *service, n *node, jid, state string) subscriber {
	sub := n.sub(jid)
	if sub == nil {
		fresh := subscriber{jid: jid}
		if svc.owner == "" { // the pubsub service assigns subids, personal services do not
			fresh.subid = s.newID("")
		}
		n.subs = append(n.subs, fresh)
		sub = &n.subs[len(n.subs)-1]
	}
	changed := sub.state != state
	sub.state = state
	now := *sub
	if state == "none" {
		n.subs = slices.DeleteFunc(n.subs, func(x subscriber) bool { return x.jid == jid })
	}
	if changed {
		s.subscriptionChanged(svc, n, now)
	}
	return now
}

// event sends an event to the bare JID of every subscriber, as a headline from the service.
func (s *Server) event(svc *service, n *node, payload *elem) {
	for _, sub := range n.subs {
		if sub.state == "subscribed" {
			s.sendFrom(svc.jid, sub.jid, el(nsPubsubEvent, "event").with(payload))
		}
	}
}
