package pubsub

import (
	"errors"
	"fmt"
	"strings"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// A Notification is one item or one change of a node, from an <event/> (XEP-0060
// §7.1.2, §7.2.2, §8) or from the items or an archive of a node.
type Notification struct {
	// Service is the sender as a normalised JID: the domain of a service, or the bare
	// JID of an account (XEP-0163 §4.3.1). It is empty if the stanza has no from, and
	// was therefore sent by the client's own account (RFC 6120 §8.1.2.1).
	Service string
	Node    string
	// Type is empty if the notification is about a subscription, see State.
	Type pam.EventType
	// ItemID is empty if Type concerns the whole node, and for an item without an id,
	// as transient nodes send them.
	ItemID    string
	Publisher string // as the service reports it, or empty
	// Payload is the first child of an item, or the form of a configuration. It is nil
	// if there is none: the payload of an item may then be requested from the service.
	Payload  *element.Element
	Redirect string   // the XMPP URI of the node that replaces a deleted one, as received, or empty
	SubIDs   []string // the subscriptions that the service names (§7.1.2.4)
	// State is the new state of a subscription (§8.8.4), and Subscriber its JID as
	// received; SubIDs then holds the subid of that subscription, if it has one. State is
	// empty for all other notifications.
	State      pam.State
	Subscriber string
}

// The errors of ParseEvent and of the parsers of results. They are wrapped in errors with details.
var (
	// ErrSender means that a message contained an <event/> but its sender is not an
	// entity that may send one: from is not a JID, or is the full JID of an account,
	// from which any client of it, or any occupant of a room, can send. The message was
	// ignored; do not answer it.
	ErrSender = errors.New("pubsub: an event from an entity that is not a service was ignored")
	// ErrLeftOut means that parts were left out because they are invalid or exceed a
	// limit. What was returned is valid.
	ErrLeftOut = errors.New("pubsub: parts were left out")
)

const (
	// maxEntries is the maximum number of notifications of one message. Services send
	// few items in one message; one that sends more than the inbox keeps of a node has
	// its items fetched.
	maxEntries = 1024
	// maxID is the maximum length of the name of a node, an item or a subscription, in
	// bytes: that of a JID, which some profiles use as an item id (XEP-0402, XEP-0490).
	// XEP-0060 has no limit, but recommends for nodes what RFC 7622 allows in a
	// resourcepart (§4.6.2), which is shorter.
	maxID = 3071
	// maxURI is the maximum length of a redirect: a JID and a node, percent-encoded.
	maxURI = 6*maxID + 64
	// maxSubIDs is the maximum number of subids in the headers of one message.
	maxSubIDs = 64
)

// ParseEvent parses the events (XEP-0060, namespace pubsub#event) of a message, in
// document order. message is an outermost stanza, or a forwarded one whose archive the
// caller has checked; whether the sender is followed is the caller's check, too. Unknown
// children of <event/> are ignored, and so is a message of type error, which contains an
// event that the client itself has sent. It also accepts the elements <deleted/> and
// <purged/> of Metronome.
//
// If the error is ErrLeftOut, the returned notifications are valid.
func ParseEvent(message *element.Element) ([]Notification, error) {
	if !message.Is(ns.Client, "message") || message.Attr("type") == "error" ||
		message.Child(ns.PubsubEvent, "event") == nil {
		return nil, nil
	}
	service, err := sender(message)
	if err != nil {
		return nil, err
	}
	p := eventParser{space: ns.PubsubEvent, base: Notification{Service: service}}
	p.base.SubIDs = p.headers(message)
	for event := range message.Elements() {
		if !event.Is(ns.PubsubEvent, "event") {
			continue
		}
		for e := range event.Elements() {
			if e.Name.Space == ns.PubsubEvent {
				p.change(e)
			}
		}
	}
	return p.found, p.left.err()
}

// sender returns the sender of a stanza, normalised, as Notification.Service.
func sender(stanza *element.Element) (string, error) {
	from, ok := stanza.Lookup("from")
	if !ok {
		return "", nil
	}
	j, err := address.Parse(from)
	if err != nil {
		return "", fmt.Errorf("%w: from %q: %v", ErrSender, clip(from), err)
	}
	if j.Localpart() != "" && j.Resourcepart() != "" {
		return "", fmt.Errorf("%w: from %q, which is a full JID", ErrSender, clip(from))
	}
	return j.String(), nil
}

// An eventParser collects notifications.
type eventParser struct {
	space string       // the namespace of <item/>
	base  Notification // what all have in common
	found []Notification
	left  leftOut
}

// change parses one child of <event/>.
func (p *eventParser) change(e *element.Element) {
	n := p.base
	switch e.Name.Local {
	case "items":
		p.items(e)
		return
	case "purge", "purged":
		n.Type = pam.EventPurged
	case "delete", "deleted":
		n.Type = pam.EventDeleted
		n.Redirect = p.redirect(e.Child(ns.PubsubEvent, "redirect"))
	case "configuration":
		n.Type = pam.EventConfigured
		n.Payload = e.Child(ns.DataForms, "x")
	case "subscription":
		if n.State = ParseState(e.Attr("subscription")); len(n.State) > maxID {
			p.left.out("a subscription whose state is longer than allowed")
			return
		}
		n.Subscriber = p.text(e, "jid", maxID)
		n.SubIDs = nil
		if subid := p.text(e, "subid", maxID); subid != "" {
			n.SubIDs = []string{subid}
		}
	default:
		return
	}
	if n.Node = p.node(e); n.Node != "" {
		p.add(n)
	}
}

// items parses the children of <items/>. An event without any is that of a node which
// sends no items (§1.2, "A Transient Notification").
func (p *eventParser) items(list *element.Element) {
	base := p.base
	if base.Node = p.node(list); base.Node == "" {
		return
	}
	if list.First() == nil {
		base.Type = pam.EventPublished
		p.add(base)
		return
	}
	for e := range list.Elements() {
		if !p.item(base, e) {
			return
		}
	}
}

// item parses an <item/> or <retract/>. It reports whether there is room for more.
func (p *eventParser) item(n Notification, e *element.Element) bool {
	switch {
	case e.Is(p.space, "item"):
		n.Type = pam.EventPublished
		n.Publisher = p.text(e, "publisher", maxID)
		n.Payload = e.First()
	case e.Is(ns.PubsubEvent, "retract"):
		n.Type = pam.EventRetracted
		if e.Attr("id") == "" {
			p.left.out("a retraction without an item id")
			return true
		}
	default:
		return true
	}
	if n.ItemID = e.Attr("id"); len(n.ItemID) > maxID {
		p.left.out("an item whose id is longer than allowed")
		return true
	}
	return p.add(n)
}

// headers returns the SubID headers of a message (XEP-0131, XEP-0060 §13.16).
func (p *eventParser) headers(message *element.Element) (ids []string) {
	for e := range message.Child(ns.SHIM, "headers").Elements() {
		if !e.Is(ns.SHIM, "header") || !strings.EqualFold(e.Attr("name"), "SubID") {
			continue
		}
		id := strings.TrimSpace(e.Text())
		if len(id) > maxID || len(ids) == maxSubIDs {
			p.left.out("a SubID header")
		} else if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// node returns the node that an element names, or "" if it is left out.
func (p *eventParser) node(e *element.Element) string {
	node := e.Attr("node")
	if node == "" || len(node) > maxID {
		p.left.out("<" + clip(e.Name.Local) + "/> whose node is missing or longer than allowed")
		return ""
	}
	return node
}

// text returns an attribute, or "" if it is longer than allowed.
func (p *eventParser) text(e *element.Element, local string, most int) string {
	value := e.Attr(local)
	if len(value) > most {
		p.left.out("the attribute " + local + ", which is longer than allowed")
		return ""
	}
	return value
}

// redirect returns the URI in a <redirect/>, or "" if it is left out. A page may show it as
// a link, so that it must not be of a scheme that runs a program.
func (p *eventParser) redirect(e *element.Element) string {
	uri := p.text(e, "uri", maxURI)
	if uri != "" && !isXMPP(uri) {
		p.left.out("a redirect that is not an XMPP URI")
		return ""
	}
	return uri
}

// add reports whether there was room for n.
func (p *eventParser) add(n Notification) bool {
	if len(p.found) == maxEntries {
		p.left.out("all after the first " + fmt.Sprint(maxEntries))
		return false
	}
	p.found = append(p.found, n)
	return true
}

// A leftOut counts what a parser leaves out. It keeps only the first reason, because a
// message can have very many.
type leftOut struct {
	count int
	first string
}

func (l *leftOut) out(why string) {
	if l.count++; l.count == 1 {
		l.first = why
	}
}

func (l *leftOut) err() error {
	switch l.count {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%w: %s", ErrLeftOut, l.first)
	}
	return fmt.Errorf("%w: %s, and %d more", ErrLeftOut, l.first, l.count-1)
}

// clip shortens text for an error.
func clip(text string) string { return shorten(text, 100) }
