package mem

import (
	"slices"
	"time"
)

// A Personality describes how a server interprets XEP-0376 where the text is
// ambiguous, how it violates it, and how real servers handle a notify and events. The zero value
// is the server that the specification describes: versions in all notifies and lists,
// the notifies of a delta before its empty result, errors that name their generator.
type Personality struct {
	ResultFirst       bool // the empty result comes before the notifies of its delta, as the roster's does (RFC 6121 §2.6.3)
	Net               bool // a delta is the difference of two lists, and all of its notifies have the last version
	NoVersions        bool // no stanza has a version, and every list is complete
	NoSubIDs          bool // the list omits subids
	NoBy              bool // errors do not name their generator
	Plain             bool // a notify is a message of type normal without to, with a hint to store it, and is routed like such a message: to the session with the highest priority
	Silent            bool // a request that the service refuses is never answered
	SilentUnsubscribe bool // an unsubscribe is not answered either, and no session is notified, as if the service had answered with an empty result
	Typos             bool // Listings 5 and 6 of XEP-0376 as printed: rows without a namespace of their own, results with a payload
	Strict            bool // an unknown version is an error
	Forges            bool // before each notify the server sends forged ones
	Races             bool // a full list is as old as the request, and arrives after later notifies

	Stamped    bool // stanzas that a resumption sends again have a delay stamp of the account, as at Prosody
	NoArchive  bool // Config.Archive does not count for the account
	Unarchived bool // the account's archive does not contain events, as at Prosody without mod_pam

	// Public means that personal nodes cannot be private: the server knows neither the
	// access model whitelist for them nor publish options, as MongooseIM.
	Public bool

	// Ejabberd makes events arrive as at ejabberd 23.01: the last item of every
	// subscribed node at the first presence of a session, to the full JID, from the pubsub
	// domain, without a delay stamp; the last item, with one, at a subscription; events of
	// personal nodes to all sessions of the owner, and again to those with +notify;
	// messages of type normal without a type; no bodies; no retraction of items of
	// personal nodes. Events are not archived. Pages of items have time stamps as places.
	// Only two publish options are known. A resumption adds delay stamps of the domain.
	Ejabberd bool
}

// Personalities are the ones that a client must support. Libervia is the only server
// with XEP-0376; it behaves differently with ejabberd's pubsub service than with
// Prosody's.
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
	"prosody":           {Stamped: true},
	"prosody-stock":     {Stamped: true, Unarchived: true},
	"ejabberd":          {Ejabberd: true},
	"archive-off":       {NoArchive: true},
	"public":            {Public: true},
}

// raceDelay is the delay of a list if the server Races.
const raceDelay = 20 * time.Millisecond

// unanswered means that no answer is sent.
var unanswered = &stanzaError{}

// SetPersonality changes the personality that the server has for an account. Accounts
// start with Config.Personality.
func (s *Server) SetPersonality(account string, p Personality) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(account); a != nil {
		a.like = p
	}
}

// audience returns the sessions that receive a notify.
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

// notifyElem returns the message that notifies a session of a change.
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

// forge sends notifies that a client must not accept: from other entities, from a
// device of the account, as a carbon copy, and from an archive. The last one is
// genuine but delayed: a client may only use it as a hint.
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

// net returns a delta as the difference between the lists at two positions, removals
// first, in the order of the newer list.
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
