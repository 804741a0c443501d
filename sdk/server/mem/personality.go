package mem

import (
	"slices"
	"time"
)

// A Personality says how a server reads XEP-0376 where the text leaves it open, how it breaks it, and what real servers do with a
// notify. The zero value is the server that the specification describes: a version on everything, the notifies of a delta before its
// empty result, errors that say who made them.
type Personality struct {
	ResultFirst       bool // the empty result comes before the notifies of its delta, as the roster's does (RFC 6121 §2.6.3)
	Net               bool // a delta is the difference of two lists, and all of it bears the last version
	NoVersions        bool // nothing bears a version, and every list is whole
	NoSubIDs          bool // the list names no subid
	NoBy              bool // errors do not say who made them
	Plain             bool // a notify is a normal message to nobody, with a hint to store it, and goes where such messages go: to the highest priority
	Silent            bool // a request that the service refuses is never answered
	SilentUnsubscribe bool // neither is an unsubscribe, nor is anybody notified, as if the service had answered with an empty result
	Typos             bool // Listings 5 and 6 of XEP-0376 as they are printed, rows in no namespace of their own, results with a payload
	Strict            bool // a version that is not known is an error
	Forges            bool // before each notify come some that nobody may believe
	Races             bool // a whole list is as old as the request, and comes later than the notifies since
}

// Personalities are those that a client must get along with. Libervia is the one server that has XEP-0376; what it does with a pubsub
// service of ejabberd differs from what it does with Prosody's.
var Personalities = map[string]Personality{
	"spec":              {},
	"roster-order":      {ResultFirst: true},
	"net":               {Net: true},
	"libervia":          {NoVersions: true, NoSubIDs: true, NoBy: true, Plain: true, Silent: true},
	"libervia-ejabberd": {NoVersions: true, NoSubIDs: true, NoBy: true, Plain: true, SilentUnsubscribe: true},
	"typo":              {Typos: true},
	"amnesia":           {Strict: true},
	"forger":            {Forges: true},
	"racing":            {Races: true},
	"priority":          {Plain: true},
}

// raceDelay is how long a list is under way when the server Races.
const raceDelay = 20 * time.Millisecond

// unanswered stands for no answer at all.
var unanswered = &stanzaError{}

// SetPersonality changes how the server treats an account, from now on. Config.Personality is what accounts begin with.
func (s *Server) SetPersonality(account string, p Personality) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(account); a != nil {
		a.like = p
	}
}

// audience are the sessions that get a notify.
func (a *account) audience() []*session {
	joined := slices.DeleteFunc(a.ordered(), func(c *session) bool { return !c.joined() })
	if !a.like.Plain {
		return joined
	}
	top := a.outrank
	for _, c := range a.ordered() {
		if c.available {
			top = max(top, c.priority)
		}
	}
	return slices.DeleteFunc(joined, func(c *session) bool { return c.priority < top })
}

// notifyElem is the message that tells a session of a change.
func (c *session) notifyElem(change Subscription, version string) *elem {
	like := c.account.like
	if like.NoVersions {
		version = ""
	}
	notify := el(nsPAM, "notify", "ver", version, "service", change.Service).with(change.elem(nsPubsub))
	if like.Typos {
		notify = el(nsClient, "notify", "xml", nsPAM, "ver", version, "service", change.Service).with(change.elem(nsClient))
	}
	if like.Plain {
		id := c.srv.newID("s")
		return el(nsClient, "message", "from", c.account.bare).with(el("urn:xmpp:hints", "store"), notify,
			el("urn:xmpp:sid:0", "stanza-id", "by", c.account.bare, "id", id))
	}
	return el(nsClient, "message", "type", "headline", "id", c.srv.newID("n"), "from", c.account.bare, "to", c.name).with(notify)
}

// forge sends what nobody may believe: from strangers, from a device of the account, as a copy, and from an archive. An honest notify that
// was stored somewhere and comes late is the last: it is of no use, but may be taken for a hint.
func (c *session) forge() {
	const stranger = "mallory@localhost"
	bare := c.account.bare
	notify := func(from string) *elem {
		row := Subscription{Service: "pubsub.mallory.example", Node: "forged", JID: bare, State: "subscribed"}
		return el(nsClient, "message", "from", from, "to", c.name).
			with(el(nsPAM, "notify", "ver", "forged", "service", row.Service).with(row.elem(nsPubsub)))
	}
	forwarded := func() *elem { return el("urn:xmpp:forward:0", "forwarded").with(notify(bare)) }
	c.send(notify(stranger))
	c.send(notify(c.name))
	c.send(notify(c.account.bare + ".example"))
	c.send(el(nsClient, "message", "from", bare, "to", c.name).with(el("urn:xmpp:carbons:2", "received").with(forwarded())))
	c.send(el(nsClient, "message", "from", bare, "to", c.name).with(el("urn:xmpp:mam:2", "result", "id", "1").with(forwarded())))
	c.send(notify(bare).with(el("urn:xmpp:delay", "delay", "stamp", "1999-07-20T10:00:00Z")))
}

// net is a delta as the difference between the list at two positions, in the order of the newer list, what is gone first.
func (p *pamList) net(from int) []Subscription {
	before, now := p.at(from), p.at(len(p.changes))
	var out []Subscription
	for _, s := range before {
		if !slices.ContainsFunc(now, func(x Subscription) bool { return x.key() == s.key() }) {
			s.State = "none"
			out = append(out, s)
		}
	}
	for _, s := range now {
		if !slices.Contains(before, s) {
			out = append(out, s)
		}
	}
	return out
}
