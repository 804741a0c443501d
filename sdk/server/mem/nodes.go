package mem

import (
	"maps"
	"slices"
	"time"

	"mellium.im/xmpp/jid"
)

// service is an entity with nodes: a pubsub service, or the personal service of an
// account (XEP-0163).
type service struct {
	jid      string
	owner    string // the account's bare JID, empty for a pubsub service
	defaults values // configuration of new nodes
	nodes    map[string]*node
	moved    map[string]string // deleted node → URI of its successor
}

type node struct {
	service *service
	name    string
	owner   string            // bare JID; empty if the program that runs the server created it
	affils  map[string]string // bare JID → publisher, member or outcast
	config  values            // what was configured
	created time.Time
	options bool     // subscribers must submit options before they receive events
	items   []item   // the one that was published last is last
	archive *archive // published items, if Config.NodeArchive is set
	subs    []subscriber
}

type item struct {
	id, publisher string
	payload       *elem     // nil if there is none
	created       time.Time // when an item with this id was first published; no two are the same
}

// subscriber is a subscription of a bare JID, which has at most one per node.
type subscriber struct {
	jid, subid, state string // state: subscribed, pending or unconfigured
	options           values
}

const maxMoved = 100 // successors of deleted nodes that a service remembers

func newService(jid, owner string, most int) *service {
	return &service{jid: jid, owner: owner, defaults: defaults(owner != "", most), nodes: map[string]*node{}, moved: map[string]string{}}
}

// create creates a node. The configuration may be nil.
func (s *Server) create(svc *service, name, owner string, config values) (*node, *stanzaError) {
	if svc.nodes[name] != nil {
		return nil, &stanzaError{typ: "cancel", cond: "conflict"}
	}
	if config == nil {
		config = values{}
	}
	n := &node{service: svc, name: name, owner: owner, affils: map[string]string{}, config: config, created: time.Now()}
	if s.cfg.NodeArchive {
		n.archive = newArchive(s.cfg.ArchiveSize)
	}
	svc.nodes[name] = n
	delete(svc.moved, name)
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

// find returns the node that an operation names.
func (svc *service) find(op *elem) (*node, *stanzaError) {
	name := op.get("node")
	switch n := svc.nodes[name]; {
	case name == "":
		return nil, pubsubError("modify", "bad-request", "nodeid-required")
	case n != nil:
		return n, nil
	case svc.moved[name] != "":
		return nil, &stanzaError{typ: "modify", cond: "gone", uri: svc.moved[name]}
	}
	return nil, itemNotFound()
}

// admits reports whether an entity may subscribe.
func (s *Server) admits(n *node, who jid.JID) *stanzaError {
	bare := who.Bare().String()
	affiliation, access := n.affils[bare], n.option(optAccess)
	switch {
	case n.owner == bare, affiliation == "member", affiliation == "publisher":
		return nil
	case affiliation == "outcast":
		return forbidden()
	case access == "whitelist":
		return pubsubError("cancel", "not-allowed", "closed-node")
	case access == "presence" && !s.contact(n.owner, bare):
		return pubsubError("auth", "not-authorized", "presence-subscription-required")
	}
	return nil
}

// mayRead reports whether an entity may retrieve the items.
func (s *Server) mayRead(n *node, who jid.JID) *stanzaError {
	if err := s.admits(n, who); err != nil {
		return err
	}
	if sub := n.sub(who.Bare().String()); n.approves(who.Bare().String()) && (sub == nil || sub.state != "subscribed") {
		return pubsubError("auth", "not-authorized", "not-subscribed")
	}
	return nil
}

// approves reports whether an owner must approve the subscription of an account.
func (n *node) approves(bare string) bool {
	return n.option(optAccess) == "authorize" && n.owner != bare && n.affils[bare] == ""
}

// mayPublish reports whether an account may publish (XEP-0060 §4.5, publish model).
func (n *node) mayPublish(bare string) bool {
	switch sub := n.sub(bare); {
	case n.owner == bare, n.affils[bare] == "publisher":
		return true
	case n.affils[bare] == "outcast":
		return false
	case n.option(optPublish) == "subscribers":
		return sub != nil && sub.state == "subscribed"
	}
	return n.option(optPublish) == "open"
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
func (s *Server) publish(n *node, it item) {
	now := s.tick()
	it.created = now
	if n.option(optPersist) == "1" {
		if i := slices.IndexFunc(n.items, func(old item) bool { return old.id == it.id }); i >= 0 {
			it.created = n.items[i].created
			n.items = slices.Delete(n.items, i, i+1)
		}
		n.items = append(n.items, it)
		n.trim(s.cfg.MaxItems)
	}
	if n.archive != nil {
		n.archive.add(archived{id: s.newID("a"), at: now, stanza: el(nsClient, "message").with(event(s.publication(n, it)))})
	}
	s.notifyPublished(n, it)
}

// tick returns the current time, later than all that it returned before.
func (s *Server) tick() time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(s.ticked) {
		now = s.ticked.Add(time.Microsecond)
	}
	s.ticked = now
	return now
}

// trim removes the oldest items above the node's limit, without notification.
func (n *node) trim(most int) {
	if extra := len(n.items) - n.limit(most); extra > 0 {
		n.items = slices.Delete(n.items, 0, extra)
	}
}

// retract removes an item (XEP-0060 §7.2). It reports whether the item existed.
func (s *Server) retract(n *node, id string, notify bool) bool {
	before := len(n.items)
	n.items = slices.DeleteFunc(n.items, func(it item) bool { return it.id == id })
	if len(n.items) == before {
		return false
	}
	if notify && n.option(optRetract) == "1" {
		s.notify(n, retracted, el(nsPubsubEvent, "items", "node", n.name).with(el(nsPubsubEvent, "retract", "id", id)))
	}
	return true
}

// purge removes all items and notifies the subscribers (XEP-0060 §8.5).
func (s *Server) purge(n *node) {
	n.items = nil
	s.notify(n, purged, el(nsPubsubEvent, "purge", "node", n.name))
}

// deleteNode removes a node, notifies the subscribers, and updates their accounts'
// lists (XEP-0060 §8.4). The URI of a successor is optional.
func (s *Server) deleteNode(n *node, redirect string) {
	svc := n.service
	delete(svc.nodes, n.name)
	gone := el(nsPubsubEvent, "delete", "node", n.name)
	if redirect != "" {
		gone.with(el(nsPubsubEvent, "redirect", "uri", redirect))
		if len(svc.moved) < maxMoved {
			svc.moved[n.name] = redirect
		}
	}
	if n.option(optDelete) == "1" {
		s.notify(n, deleted, gone)
	}
	for _, sub := range n.subs {
		sub.state = "none"
		s.subscriptionChanged(svc, n, sub)
	}
}

// configure changes the configuration of a node. Subscriptions that the new one does
// not allow end.
func (s *Server) configure(n *node, config values) {
	maps.Copy(n.config, config)
	if n.option(optPersist) != "1" {
		n.items = nil
	}
	n.trim(s.cfg.MaxItems)
	if n.option(optConfig) == "1" {
		change := el(nsPubsubEvent, "configuration", "node", n.name)
		if n.option(optPayloads) == "1" {
			change.with(nodeConfig.elem("result", n.all()))
		}
		s.notify(n, configured, change)
	}
	for _, sub := range slices.Clone(n.subs) {
		if who, err := parseJID(sub.jid); err != nil || s.admits(n, who) != nil {
			s.setState(n, sub.jid, "none")
		}
	}
}

// setState sets the state of a subscription, or removes it if the state is "none",
// and updates the list of the subscriber's account. It returns the resulting
// subscription.
func (s *Server) setState(n *node, jid, state string) subscriber {
	sub := n.sub(jid)
	if sub == nil {
		fresh := subscriber{jid: jid}
		if n.service.owner == "" { // a pubsub service assigns subids, personal services do not
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
		s.subscriptionChanged(n.service, n, now)
	}
	return now
}
