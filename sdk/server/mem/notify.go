package mem

import "slices"

const (
	nsAtom  = "http://www.w3.org/2005/Atom"
	nsDelay = "urn:xmpp:delay"
)

// An occasion is what subscribers are notified of.
type occasion int

const (
	published occasion = iota
	retracted
	purged
	deleted
	configured
)

// notifyPublished notifies of a new item, if the node is configured to do so.
func (s *Server) notifyPublished(n *node, it item) {
	if n.option(optNotifyItems) == "1" {
		s.notify(n, published, s.publication(n, it), bodies(it)...)
	}
}

// publication returns an item as an event contains it. Events of personal nodes name
// the publisher, as Prosody's do.
func (s *Server) publication(n *node, it item) *elem {
	e := el(nsPubsubEvent, "item", "id", it.id)
	if s.cfg.Publishers || n.service.owner != "" {
		e.set("publisher", it.publisher)
	}
	if n.option(optPayloads) == "1" {
		e.with(it.payload)
	}
	return el(nsPubsubEvent, "items", "node", n.name).with(e)
}

// bodies returns the text of an item for subscribers who want one: the summary of an
// Atom entry, or its author and title, as Prosody composes it.
func bodies(it item) []*elem {
	if !it.payload.is(nsAtom, "entry") {
		return nil
	}
	text := it.payload.child(nsAtom, "summary").text()
	if text == "" {
		text = it.payload.child(nsAtom, "title").text()
		if name := it.payload.child(nsAtom, "author").child(nsAtom, "name").text(); name != "" {
			text = name + " posted " + text
		}
	}
	return []*elem{el(nsClient, "body").with(text)}
}

// event wraps changes of nodes.
func event(payload *elem) *elem { return el(nsPubsubEvent, "event").with(payload) }

// notify sends an event to the bare JID of every subscriber, and one of a personal
// node to all sessions that are interested in it. Subscribers that have asked for a
// body get one.
func (s *Server) notify(n *node, what occasion, payload *elem, body ...*elem) {
	owner := s.accounts[n.service.owner]
	silent := owner != nil && owner.like.Ejabberd && what != published
	if owner != nil && owner.like.Ejabberd && what == published && n.sub(owner.bare) == nil {
		s.sendEvent(n, owner.bare, event(payload))
	}
	for _, sub := range slices.Clone(n.subs) {
		if sub.state != "subscribed" || silent && what == retracted || !s.wanted(sub) {
			continue
		}
		kids := []*elem{event(payload)}
		if a := s.accounts[sub.jid]; sub.option(optBody) == "1" && (a == nil || !a.like.Ejabberd) {
			kids = append(kids, body...)
		}
		s.sendEvent(n, sub.jid, kids...)
	}
	if owner == nil || silent {
		return
	}
	for _, c := range s.interested(n) {
		s.sendEvent(n, c.name, event(payload))
	}
}

// wanted reports whether the options of a subscription allow an event now.
func (s *Server) wanted(sub subscriber) bool {
	if sub.option(optDeliver) != "1" {
		return false
	}
	shows, limited := sub.options[optShow]
	a := s.accounts[sub.jid]
	if !limited || len(shows) == len(presenceStates) || a == nil { // The form offers all states, and is submitted unchanged.
		return true
	}
	for _, c := range a.sessions {
		if c.available && slices.Contains(shows, c.show) {
			return true
		}
	}
	return false
}

// sendEvent sends an event to a bare or full JID. Its type is that of the node's
// configuration; ejabberd leaves the type normal out. An event to a bare JID is
// archived.
func (s *Server) sendEvent(n *node, to string, kids ...*elem) {
	j, err := parseJID(to)
	if err != nil {
		return
	}
	typ := n.option(optType)
	if a := s.accounts[j.Bare().String()]; typ == "normal" && a != nil && a.like.Ejabberd {
		typ = ""
	}
	st := el(nsClient, "message", "type", typ, "id", s.newID("m"), "from", n.service.jid, "to", to)
	for _, k := range kids {
		st.with(k)
	}
	if j.Resourcepart() == "" {
		st = s.archive(s.accounts[to], st)
	}
	s.deliver(st, j)
}

// sendLast sends the item that was published last to a subscriber.
func (s *Server) sendLast(n *node, to string, kids ...*elem) {
	if len(n.items) > 0 {
		s.sendEvent(n, to, append([]*elem{event(s.publication(n, n.items[len(n.items)-1]))}, kids...)...)
	}
}

// sendLastOnSubscription sends a new subscriber the last item, after the reply to the
// request, if the node is configured to do so (XEP-0060 §6.1.7). ejabberd's nodes are,
// by default, and it adds a delay stamp.
func (s *Server) sendLastOnSubscription(n *node, bare string) {
	a, when := s.accounts[bare], n.option(optSendLast)
	if a != nil && a.like.Ejabberd && n.service.owner == "" {
		if _, set := n.config[optSendLast]; (!set || when != "never") && len(n.items) > 0 {
			stamp := delayElem("", n.items[len(n.items)-1].created.Format(stampMicros), "")
			s.after(func() { s.sendLast(n, bare, stamp) })
		}
		return
	}
	if when != "never" {
		s.after(func() { s.sendLast(n, bare) })
	}
}

// Layouts of time stamps (XEP-0082): Prosody's and ejabberd's.
const (
	stampSeconds = "2006-01-02T15:04:05Z"
	stampMicros  = "2006-01-02T15:04:05.000000Z"
)

func delayElem(from, stamp, text string) *elem {
	e := el(nsDelay, "delay", "from", from, "stamp", stamp)
	if text != "" {
		e.with(text)
	}
	return e
}
