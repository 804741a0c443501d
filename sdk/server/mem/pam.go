package mem

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
)

const nsPAM = "urn:xmpp:pam:0"

// Subscription is an entry of an account's PAM list. In the list, State is subscribed or pending; in a change it may be none.
// SubID is empty for personal nodes.
type Subscription struct {
	Service, Node, JID, SubID, State string
}

// pamList is an account's list of subscriptions (XEP-0376 §3.4): all changes ever made to it, from which the list at every version follows.
// versions[i] names the list after the first i changes.
type pamList struct {
	seed     string
	changes  []Subscription
	versions []string
	index    map[string]int // version → position in versions
	floor    int            // versions before this position are forgotten
}

func newPAMList() *pamList {
	p := &pamList{seed: secret(), index: map[string]int{}}
	p.name()
	return p
}

// name gives the present state its version: opaque, and not a number.
func (p *pamList) name() {
	sum := sha256.Sum256([]byte(p.seed + strconv.Itoa(len(p.changes))))
	version := base64.RawURLEncoding.EncodeToString(sum[:9])
	p.index[version] = len(p.versions)
	p.versions = append(p.versions, version)
}

func (p *pamList) record(change Subscription) (version string) {
	p.changes = append(p.changes, change)
	p.name()
	return p.version()
}

func (p *pamList) version() string { return p.versions[len(p.versions)-1] }

// at is the list after the first n changes, in the order in which the subscriptions were made.
func (p *pamList) at(n int) []Subscription {
	position := map[Subscription]int{}
	var list []Subscription
	for _, c := range p.changes[:n] {
		if i, ok := position[c.key()]; ok {
			list[i] = c
		} else if c.State != "none" {
			position[c.key()] = len(list)
			list = append(list, c)
		}
		if c.State == "none" {
			delete(position, c.key())
		}
	}
	return slices.DeleteFunc(list, func(s Subscription) bool { return s.State == "none" })
}

// since is the position of a version, if a delta from it can be given.
func (p *pamList) since(version string, history int) (int, bool) {
	i, ok := p.index[version]
	return i, ok && i >= p.floor && len(p.changes)-i <= history
}

func (s Subscription) key() Subscription {
	return Subscription{Service: s.Service, Node: s.Node, SubID: s.SubID}
}

// subscriptionChanged keeps the subscriber's list, whoever made the change: its server, another client without PAM, or the node's owner.
func (s *Server) subscriptionChanged(svc *service, n *node, sub subscriber) {
	a := s.accounts[sub.jid]
	if a == nil {
		return
	}
	change := Subscription{Service: svc.jid, Node: n.name, JID: sub.jid, SubID: sub.subid, State: sub.state}
	version := a.pam.record(change)
	for _, c := range a.ordered() {
		if c.joined() && !s.cfg.DisablePAM {
			c.notify(change, version)
		}
	}
}

// joined tells whether the session gets notifies: it is available with a priority of 0 or more, and has asked for the list or
// advertised PAM.
func (c *session) joined() bool {
	return c.available && c.priority >= 0 && (c.listed || c.pamCaps)
}

func (c *session) notify(change Subscription, version string) {
	c.send(el(nsClient, "message", "type", "headline", "id", c.srv.newID("n"), "from", c.account.bare, "to", c.name).
		with(el(nsPAM, "notify", "ver", version, "service", change.Service).with(change.elem(nsPubsub))))
}

func (s Subscription) elem(space string) *elem {
	e := el(space, "subscription", "node", s.Node, "jid", s.JID, "subscription", s.State, "subid", s.SubID)
	if space == nsPAM {
		e.set("service", s.Service)
	}
	return e
}

// answerPAM handles a request of an account to itself (XEP-0376 §3.2 to §3.4). Every error says who made it.
func (s *Server) answerPAM(r request) (*elem, *stanzaError) {
	payload, err := (*elem)(nil), unavailable()
	switch {
	case r.payload.local == "pam" && r.set:
		payload, err = s.changePAM(r)
	case r.payload.local == "subscriptions" && !r.set:
		return s.listPAM(r), nil
	}
	if err != nil && err.by == "" {
		err.by = r.from.Bare().String()
	}
	return payload, err
}

// changePAM forwards a subscribe or unsubscribe to the service. The notifies are queued by subscriptionChanged, so before the result;
// there is none if nothing changed. The service is named by jid (the XEP's example) or service (its prose).
func (s *Server) changePAM(r request) (*elem, *stanzaError) {
	kids := r.payload.elems()
	if len(kids) == 0 || kids[0].space != nsPubsub || kids[0].local != "subscribe" && kids[0].local != "unsubscribe" {
		return nil, badRequest()
	}
	name := r.payload.get("jid")
	if name == "" {
		name = r.payload.get("service")
	}
	target, err := parseJID(name)
	if err != nil {
		return nil, malformedJID()
	}
	if !isBare(kids[0].get("jid"), r.from) {
		return nil, pubsubError("modify", "bad-request", "invalid-jid")
	}
	if _, refused := s.forward(target, r.from.Bare(), kids[0], kids[1:]); refused != nil {
		refused.by = target.String()
		return nil, refused
	}
	return nil, nil
}

// listPAM answers a list request: with the whole list, or, if the version is known, with one notify for every subscription that was
// touched since, in the order of the last touch, and an empty result. Each notify carries its final state and the version of that last change.
func (s *Server) listPAM(r request) *elem {
	p := r.sender.account.pam
	r.sender.listed = true
	from, known := p.since(r.payload.get("ver"), s.cfg.History)
	if !known {
		list := el(nsPAM, "subscriptions", "ver", p.version())
		for _, sub := range p.at(len(p.changes)) {
			list.with(sub.elem(nsPAM))
		}
		return list
	}
	last := map[Subscription]int{}
	for i := from; i < len(p.changes); i++ {
		last[p.changes[i].key()] = i
	}
	for i := from; i < len(p.changes); i++ {
		if last[p.changes[i].key()] == i {
			r.sender.notify(p.changes[i], p.versions[i+1])
		}
	}
	return nil
}
