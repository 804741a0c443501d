package mem

import (
	"maps"
	"slices"

	"mellium.im/xmpp/jid"
)

// contact reports whether an account shows its presence to another one.
func (s *Server) contact(owner, other string) bool {
	a := s.accounts[owner]
	return a != nil && (a.contacts[other] || owner == other)
}

// interested returns the sessions that get the events of a personal node because
// their capabilities contain the node with +notify (XEP-0163 §4): those of the owner
// and of contacts, if they may subscribe.
func (s *Server) interested(n *node) []*session {
	var out []*session
	owner := s.accounts[n.service.owner]
	for _, bare := range append([]string{owner.bare}, slices.Sorted(maps.Keys(owner.contacts))...) {
		for _, c := range s.accounts[bare].ordered() {
			if c.available && c.interest[n.name] && s.admits(n, c.jid()) == nil {
				out = append(out, c)
			}
		}
	}
	return out
}

// setInterest records the nodes with +notify of the session's capabilities, and sends
// the last items of those that are new.
func (c *session) setInterest(nodes []string) {
	fresh := map[string]bool{}
	for _, name := range nodes {
		fresh[name] = true
	}
	before := c.interest
	c.interest = fresh
	for _, name := range slices.Sorted(maps.Keys(fresh)) {
		if before[name] {
			continue
		}
		for _, bare := range append([]string{c.account.bare}, slices.Sorted(maps.Keys(c.account.contacts))...) {
			c.srv.sendLastPersonal(bare, name, c)
		}
	}
}

// sendLastPersonal sends a session the last item of a personal node, without a delay
// stamp, as Prosody and ejabberd do.
func (s *Server) sendLastPersonal(owner, node string, c *session) {
	n := s.services[owner].nodes[node]
	if n != nil && n.option(optSendLast) == "on_sub_and_presence" && s.admits(n, c.jid()) == nil {
		s.sendLast(n, c.name)
	}
}

// sendLastOf sends the sessions of an account the last items of another one's nodes.
func (s *Server) sendLastOf(owner, other *account) {
	for _, c := range other.ordered() {
		for _, n := range s.services[owner.bare].sorted() {
			if c.available && c.interest[n.name] {
				s.sendLastPersonal(owner.bare, n.name, c)
			}
		}
	}
}

// sendLastOfAll sends a session the last item of every node to which the account is
// subscribed, as ejabberd 23.01 does at the first presence of a session: to the full
// JID, without a delay stamp, and from the pubsub service, even if the node is a
// personal one of a contact.
func (c *session) sendLastOfAll() {
	s := c.srv
	for _, name := range slices.Sorted(maps.Keys(s.services)) {
		for _, n := range s.services[name].sorted() {
			sub := n.sub(c.account.bare)
			if _, set := n.config[optSendLast]; sub == nil || sub.state != "subscribed" || set && n.option(optSendLast) != "on_sub_and_presence" {
				continue
			}
			disguised := *n
			if n.service.owner != "" {
				disguised.service = s.services[s.pubsubJID()]
			}
			s.sendLast(&disguised, c.name)
		}
	}
}

func (c *session) jid() jid.JID {
	j, _ := parseJID(c.name) // it was parsed before
	return j
}
