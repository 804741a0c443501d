package mem

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"time"
)

const nsPAM = "urn:xmpp:pam:0"

// Subscription is an entry of an account's PAM list. In the list, State is subscribed or pending; in a change it may be none.
// SubID is empty for personal nodes.
type Subscription struct {
	Service, Node, JID, SubID, State string
}

// pamList is an account's list of subscriptions (XEP-0376 §3.4): all changes ever
// made to it, from which the list at every version follows. versions[i] is the
// version of the list after the first i changes.
type pamList struct {
	seed     string
	changes  []Subscription
	versions []string
	index    map[string]int // version → position in versions
	floor    int            // versions before this position are unknown
}

func newPAMList() *pamList {
	p := &pamList{seed: secret(), index: map[string]int{}}
	p.name()
	return p
}

// name assigns a version to the current state. It is opaque, and not a number.
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

// at returns the list after the first n changes, in the order in which the
// subscriptions were created.
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

// since returns the position of a version, if the server can send a delta from it.
func (p *pamList) since(version string, history int) (int, bool) {
	i, ok := p.index[version]
	return i, ok && i >= p.floor && len(p.changes)-i <= history
}

func (s Subscription) key() Subscription {
	return Subscription{Service: s.Service, Node: s.Node, SubID: s.SubID}
}

// subscriptionChanged updates the subscriber's list after any change: of its server,
// of another client without PAM, or of the node's owner.
func (s *Server) subscriptionChanged(svc *service, n *node, sub subscriber) {
	a := s.accounts[sub.jid]
	if a == nil {
		return
	}
	change := Subscription{Service: svc.jid, Node: n.name, JID: sub.jid, SubID: sub.subid, State: sub.state}
	version := a.pam.record(change)
	if s.cfg.DisablePAM || a.quiet {
		return
	}
	for _, c := range a.audience() {
		if a.like.Forges {
			c.forge()
		}
		c.notify(change, version)
	}
}

// joined reports whether the session receives notifies: it is available with a
// priority of 0 or more, and has requested the list or advertises PAM.
func (c *session) joined() bool {
	return c.available && c.priority >= 0 && (c.listed || c.pamCaps)
}

func (c *session) notify(change Subscription, version string) {
	c.send(c.notifyElem(change, version))
}

func (s Subscription) elem(space string) *elem {
	e := el(space, "subscription", "node", s.Node, "jid", s.JID, "subscription", s.State, "subid", s.SubID)
	if space == nsPAM {
		e.set("service", s.Service)
	}
	return e
}

// answerPAM handles a request of an account to itself (XEP-0376 §3.2 to §3.4). Every
// error names its generator.
func (s *Server) answerPAM(r request) (*elem, *stanzaError) {
	payload, err := (*elem)(nil), unavailable()
	switch {
	case r.payload.local == "pam" && r.set:
		payload, err = s.changePAM(r)
	case r.payload.local == "subscriptions" && !r.set:
		return s.listPAM(r)
	}
	if err != nil && err != unanswered {
		if err.by == "" {
			err.by = r.from.Bare().String()
		}
		if r.sender.account.like.NoBy {
			err.by = ""
		}
	}
	return payload, err
}

// changePAM forwards a subscribe or unsubscribe to the service. The notifies are
// queued by subscriptionChanged, so before the result; there are none if nothing
// changed. The service is named by jid (the XEP's example) or service (its prose).
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
	a := r.sender.account
	silent := kids[0].local == "unsubscribe" && a.like.SilentUnsubscribe
	a.quiet = silent
	answer, refused := s.forward(target, r.from.Bare(), kids[0], kids[1:])
	a.quiet = false
	switch {
	case silent && refused == nil, refused != nil && a.like.Silent:
		return nil, unanswered
	case refused != nil:
		refused.by = target.String()
		return nil, refused
	case a.like.Typos && answer != nil && len(answer.elems()) > 0:
		return el(nsPAM, "pam", "jid", target.String()).with(answer.elems()[0]), nil
	}
	return nil, nil
}

// listPAM answers a list request: with the whole list, or, if the version is known, with a delta and an empty result. A delta is one notify for
// every subscription that was touched since, in the order of the last touch, with its final state and the version of that last change.
func (s *Server) listPAM(r request) (*elem, *stanzaError) {
	c := r.sender
	a := c.account
	p, like := a.pam, a.like
	c.listed = true
	ver := r.payload.get("ver")
	from, known := p.since(ver, s.cfg.History)
	switch {
	case like.Strict && ver != "" && !known:
		return nil, itemNotFound()
	case known && !like.NoVersions:
		if like.ResultFirst {
			c.send(c.reply(r.stanza, "result"))
			c.delta(from)
			return nil, unanswered
		}
		c.delta(from)
		return nil, nil
	case !like.Races:
		return a.listElem(), nil
	}
	reply, name := c.reply(r.stanza, "result").with(a.listElem()), c.name
	s.running.Go(func() {
		time.Sleep(raceDelay)
		s.mu.Lock()
		defer s.mu.Unlock()
		if now := s.bySession(name); now != nil { // It may continue on another connection.
			now.send(reply)
		}
	})
	return nil, unanswered
}

// listElem returns the whole list as an element.
func (a *account) listElem() *elem {
	like, version := a.like, a.pam.version()
	if like.NoVersions {
		version = ""
	}
	list, space := el(nsPAM, "subscriptions", "ver", version), nsPAM
	if like.Typos {
		list, space = el(nsClient, "subscriptions", "xml", nsPAM, "ver", version), nsClient
	}
	for _, sub := range a.pam.at(len(a.pam.changes)) {
		if like.NoSubIDs {
			sub.SubID = ""
		}
		row := sub.elem(space)
		row.set("service", sub.Service)
		list.with(row)
	}
	return list
}

// delta sends the notifies that lead from an older list to the current one.
func (c *session) delta(from int) {
	p := c.account.pam
	if c.account.like.Net {
		for _, change := range p.net(from) {
			c.notify(change, p.version())
		}
		return
	}
	last := map[Subscription]int{}
	for i := from; i < len(p.changes); i++ {
		last[p.changes[i].key()] = i
	}
	for i := from; i < len(p.changes); i++ {
		if last[p.changes[i].key()] == i {
			c.notify(p.changes[i], p.versions[i+1])
		}
	}
}
