package inbox

import (
	"errors"
	"slices"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

const (
	// maxName is the maximum length in bytes of the name of a node or an item. Package
	// pubsub accepts less.
	maxName = 4096
	// maxPayload is the maximum length in bytes of the text of a payload. Events with a
	// longer one are kept without it.
	maxPayload = 256 << 10
	// maxDeclared is the maximum number of bytes by which that text may be longer than the
	// payload was, because of namespaces that were declared outside of it: a stanza can
	// declare one once for a thousand items.
	maxDeclared = 4 << 10
	// maxNamespace is the maximum length in bytes of the namespace of a payload. A longer
	// one is left out.
	maxNamespace = 1 << 10
)

// An arrival is a notification with what the machine computes from it.
type arrival struct {
	*event
	in    *Incoming
	entry *pam.AtomEntry // if it is decoded
}

// arrive handles one notification.
func (m *Machine) arrive(in *Incoming, received int64) {
	switch {
	case in.Type == "": // about a subscription
		return
	case slices.Index(kinds[:], in.Type) < 0, len(in.Node) > maxName, len(in.ItemID) > maxName,
		strings.ContainsAny(in.Service+in.Node+in.ItemID, separators):
		m.refused++
		return
	}
	a := m.newArrival(in, received)
	n := a.node
	if !m.interest.selects(a.event, len(n.events) > 0) {
		m.register(n)
		m.skip(a.event, false)
		m.discardIncomplete(a)
		return
	}
	if bears := in.ArchiveID != ""; a.immediate() && n.archived != bears {
		n.archived = bears
		m.later(n)
	}
	if a.item != "" && m.isCopy(a) {
		return
	}
	a.decode()
	switch {
	case n.gone.holds(a.event):
		m.discardIncomplete(a)
	case a.item == "" && m.isCopy(a), m.completes(a), m.lacksPayload(a):
	default:
		m.admit(a)
	}
}

func (m *Machine) newArrival(in *Incoming, received int64) arrival {
	n := m.nodes[nodeKey{in.Service, in.Node}]
	if n == nil {
		n = &node{service: in.Service, name: in.Node}
	}
	e := &event{
		node: n, kind: uint8(slices.Index(kinds[:], in.Type)), item: in.ItemID, hash: hashElement(in.Payload),
		at: received, received: received, source: byClock, delivery: uint8(max(slices.Index(deliveries[:], in.Delivery), 0)),
	}
	if in.Payload != nil {
		e.space = m.intern(spaceOf(in.Payload))
	}
	if in.Redirect != "" {
		e.hash = hashText(fnvOffset, in.Redirect)
	}
	e.print = fingerprint(e.kind, e.item, e.hash)
	if source := slices.Index(sources[:], in.Source); !in.At.IsZero() && source >= 0 {
		e.at, e.source = millis(in.At), uint8(source)
	}
	return arrival{event: e, in: in}
}

// spaceOf returns the namespace of a payload.
func spaceOf(payload *element.Element) string {
	if len(payload.Name.Space) > maxNamespace {
		return ""
	}
	return payload.Name.Space
}

// decode decodes the payload, which tells the time if the stanza does not. Copies of items
// need not be decoded, because they tell the same.
func (a *arrival) decode() {
	if a.kind == published {
		a.entry = pubsub.ParseAtom(a.in.Payload)
	}
	if at := entryTime(a.entry); a.source == byClock && !at.IsZero() {
		a.at, a.source = millis(at), byPayload
	}
}

func entryTime(entry *pam.AtomEntry) time.Time {
	switch {
	case entry == nil:
		return time.Time{}
	case entry.Updated.IsZero():
		return entry.Published
	}
	return entry.Updated
}

// admit adds a new event.
func (m *Machine) admit(a arrival) {
	e := a.event
	m.register(e.node)
	e.item = strings.Clone(e.item) // not the stanza that contains it
	e.id, e.fresh = m.next, true
	m.next++
	e.awaited = e.kind == published && e.item != "" && e.hash == 0
	m.setBody(a)
	m.eventTable.add(e)
	m.index(e)
	m.cameLive(e, e.id)
	e.node.newest = max(e.node.newest, e.place().at)
	if e.delivery != live && m.wasElsewhere(e) {
		e.elsewhere = true
	}
	m.touch(e.node)
	m.added = append(m.added, e)
	if e.awaited {
		m.want(e)
	}
}

// incomplete returns the event of which a has the payload that it lacks, or nil.
func (m *Machine) incomplete(a arrival) *event {
	if a.kind != published || a.item == "" || a.hash == 0 {
		return nil
	}
	e := m.prints[printKey{a.node, fingerprint(published, a.item, 0)}]
	if e != nil {
		if between := e.node.superseding(e); between != nil && m.follows(a.event, between) {
			return nil
		}
	}
	return e
}

// discardIncomplete removes the event of which a has the payload, because with that it is
// not kept.
func (m *Machine) discardIncomplete(a arrival) {
	if e := m.incomplete(a); e != nil {
		m.remove(e)
	}
}

// completes reports whether a has the payload of an event that lacks it, and if so adds
// it.
func (m *Machine) completes(a arrival) bool {
	e := m.incomplete(a)
	if e == nil {
		return false
	}
	m.improve(e, a.at, a.source)
	m.bytes -= e.cost()
	delete(m.prints, printKey{e.node, e.print})
	e.hash, e.print, e.space, e.awaited = a.hash, a.print, a.space, false
	m.prints[printKey{e.node, e.print}] = e
	m.bytes += e.cost()
	a.event = e
	m.setBody(a)
	m.update(e)
	return true
}

// lacksPayload reports whether a is a notification without payload about an item with a
// known one. Whether that has changed shows when it is fetched.
func (m *Machine) lacksPayload(a arrival) bool {
	if a.kind != published || a.item == "" || a.hash != 0 {
		return false
	}
	var known *event // the last one
	for _, e := range a.node.events {
		if e.kind == published && e.item == a.item && e.hash != 0 && !e.removed && (known == nil || e.id > known.id) {
			known = e
		}
	}
	if known == nil {
		return false
	}
	if between := a.node.superseding(known); between != nil {
		return !m.follows(a.event, between)
	}
	known.awaited = true
	m.cameLive(a.event, known.id)
	m.update(known)
	m.want(known)
	return true
}

// setBody encodes what is not kept in memory, to be stored in a record of a body.
func (m *Machine) setBody(a arrival) {
	limit := maxPayload
	if size := a.in.Payload.Size(); size > 0 {
		limit = min(limit, size+maxDeclared)
	}
	text, err := a.in.Payload.XML(limit)
	omitted := pam.Omitted("")
	switch {
	case err == nil:
	case errors.Is(err, element.ErrTooLong):
		omitted = pam.OmittedTooLong
	default:
		omitted = pam.OmittedUnreadable
	}
	m.release(a.event)
	m.text = appendBody(m.text[:0], a.in, text, omitted, a.entry)
	a.row = string(m.text)
	a.full = true
	m.bodies = append(m.bodies, a.event)
	m.spare = append(m.spare, a.event)
}
