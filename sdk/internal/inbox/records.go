package inbox

import (
	"errors"
	"strconv"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// The inbox is stored as text (see text.go), so that another program can show its newest
// page and all counts without this one. For that it reads from inbox/meta to inbox/x: a
// node's counts are in its row, unless it never had an event and has no time; and the
// rows of the page, sorted by their first field, are the newest events of all, oldest
// first. The page has 50 to 66 rows, if there are as many events; it has fewer while the
// program reads bodies for it.
//
//	inbox/meta        format, epoch, number of events, unseen in all, dropped in all, number of
//	                  nodes, number of rows of the page, when the user last looked,
//	                  events since then, next event, next body, session, when it was
//	                  last known to exist, digest of the interest, number of past
//	                  sessions
//	                  of each past session: number, end
//	inbox/node/N      of each node: service, node, unseen, dropped, time of its newest
//	                  event; then for the program: see node.encode
//	inbox/page/N      of each event: sort key, id, service, node, item, type, when it
//	                  happened, source of that time, when it arrived, delivery, state and
//	                  basis of Seen, when it was seen, key of the body's record if the
//	                  body is not in this row; then the body: publisher, redirect,
//	                  namespace, why the XML is omitted, XML, "1" if there is an Atom
//	                  entry, and its id, title, summary, content, link, image, author,
//	                  published, updated
//	inbox/since       what of the list has changed since the user looked: service, node,
//	                  subid, jid before, state before, jid after, state after
//	inbox/position/N  for the program: see position.encode
//	inbox/event/N     for the program: see event.encode
//	inbox/xml/N       of up to 64 events: id, and the body as in the page
//
// N is a number of base 36; which row is in which record has no meaning. The sort key is
// two numbers of 16 hexadecimal digits, the time in milliseconds plus 2^63, and the id.
// It is also the cursor of List. The format in the meta record applies to all records.
// All records that a change concerns are written in one transaction that compares the
// meta record.
const (
	keyInbox     = "inbox/"
	keyEvents    = keyInbox + "event/"
	keyNodes     = keyInbox + "node/"
	keyPage      = keyInbox + "page/"
	keyPositions = keyInbox + "position/"
	keySince     = keyInbox + "since"
	keyBodies    = keyInbox + "xml/"

	format = 1
)

// MetaKey is the key of the meta record, which each commit changes.
const MetaKey = keyInbox + "meta"

// Range is the range of the records that the machine reads: all except the bodies.
var Range = store.Range{From: keyInbox, To: keyBodies}

// The errors of Warning.
var (
	ErrDamaged = errors.New("inbox: stored records were damaged")
	ErrNewer   = errors.New("inbox: the records were written by a newer version of this program")
	ErrRefused = errors.New("inbox: an event was refused")
)

func bodyKey(number int) string { return keyBodies + strconv.FormatUint(uint64(number), 36) }

// encodeMeta encodes the meta record.
func (m *Machine) encodeMeta() []byte {
	out := appendNumber(nil, format)
	out = appendID(out, m.epoch)
	pageRows := len(m.pageTable.all())
	for _, n := range []int{len(m.events), m.unseen, m.dropped, len(m.nodes), pageRows} {
		out = appendNumber(out, n)
	}
	out = appendMillis(out, m.away.since)
	out = appendNumber(out, m.away.events)
	out = appendID(out, m.next)
	out = appendNumber(out, m.bodyNo)
	out = appendNumber(out, m.session.number)
	out = appendMillis(out, m.session.alive)
	out = appendID(out, m.stored)
	out = append(appendNumber(out, len(m.session.past)), rowEnd)
	for _, s := range m.session.past {
		out = append(appendMillis(appendNumber(out, s.number), s.end), rowEnd)
	}
	return seal(out)
}

// encode encodes the row of an event: id, number of the node, type, item, namespace,
// hash of the payload, when it happened, source of that time, when it arrived, delivery,
// when it was marked as seen, whether another device was connected, whether the payload
// is awaited, whether a marker has reached it, number and size of the body.
func (e *event) encode(out []byte) []byte {
	out = appendID(out, e.id)
	out = appendNumber(out, e.node.number)
	out = append(out, kindCodes[e.kind], fieldEnd)
	out = appendField(out, e.item)
	out = appendField(out, e.space)
	out = appendID(out, e.hash)
	out = appendMillis(out, e.at)
	out = append(out, sourceCodes[e.source], fieldEnd)
	out = appendMillis(out, e.received)
	out = append(out, deliveryCodes[e.delivery], fieldEnd)
	out = appendMillis(out, e.seenAt)
	out = appendFlag(out, e.elsewhere)
	out = appendFlag(out, e.awaited)
	out = appendFlag(out, e.synced)
	out = appendNumber(appendNumber(out, e.body.number), e.body.size)
	return append(out, rowEnd)
}

// decodeEvent decodes a row of event.encode. The number of the node and the body, which
// others may share, are returned.
func decodeEvent(r *reader) (e *event, node int, b body) {
	e = &event{id: r.id()}
	node = r.number()
	e.kind = r.code(kindCodes)
	e.item, e.space, e.hash = r.field(), r.field(), r.id()
	e.at, e.source = r.millis(), r.code(sourceCodes)
	e.received, e.delivery = r.millis(), r.code(deliveryCodes)
	e.seenAt, e.elsewhere, e.awaited, e.synced = r.millis(), r.flag(), r.flag(), r.flag()
	b = body{number: r.number(), size: r.number()}
	r.endRow()
	e.print = fingerprint(e.kind, e.item, e.hash)
	return e, node, b
}

// encode encodes the row of a node: service, node, unseen, dropped, newest; number,
// number of the position, when it was asked, whether its events have a stanza-id, the
// earliest event left out; the memory of dropped events (horizon, and of both
// generations fingerprints and newest time); three markers (item, time, source, time and
// id of the event, first id after it): that of other devices, a later one that is not
// resolved, and the last published one.
func (n *node) encode(out []byte) []byte {
	out = appendField(appendField(out, n.service), n.name)
	out = appendNumber(appendNumber(out, n.unseen), n.dropped)
	out = appendMillis(out, n.newest)
	out = appendNumber(out, n.number)
	if n.position != nil {
		out = strconv.AppendInt(out, int64(n.position.number), 10)
	}
	out = append(out, fieldEnd)
	out = appendFlag(appendMillis(out, n.asked), n.archived)
	out = appendMillis(appendMillis(out, n.skipped), n.gone.horizon)
	out = appendMillis(appendField(out, packPrints(n.gone.recent)), n.gone.newestRecent)
	out = appendMillis(appendField(out, packPrints(n.gone.older)), n.gone.newestOlder)
	for _, k := range [...]marker{n.remote, n.open, n.own} {
		out = appendField(out, k.item)
		if k.item != "" {
			out = append(appendMillis(out, k.at), sourceCodes[k.source], fieldEnd)
			out = appendID(appendMillis(out, k.place.at), k.place.id)
			out = appendID(out, k.before)
		}
	}
	return append(out, rowEnd)
}

// decodeNode decodes a row of node.encode. The number of the position is returned, or -1.
func decodeNode(r *reader) (n *node, position int) {
	n = &node{service: r.field(), name: r.field(), unseen: r.number(), dropped: r.number(), newest: r.millis(), number: r.number()}
	position = -1
	if text := r.field(); text != "" {
		p, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			r.fail()
		}
		position = int(p)
	}
	n.asked, n.archived, n.skipped = r.millis(), r.flag(), r.millis()
	g := &n.gone
	g.horizon = r.millis()
	var ok [2]bool
	g.recent, ok[0] = unpackPrints(r.field())
	g.newestRecent = r.millis()
	g.older, ok[1] = unpackPrints(r.field())
	g.newestOlder = r.millis()
	for _, k := range [...]*marker{&n.remote, &n.open, &n.own} {
		if k.item = r.field(); k.item != "" {
			k.at, k.source = r.millis(), r.code(sourceCodes)
			k.place = place{r.millis(), r.id()}
			k.before = r.id()
		}
	}
	r.endRow()
	if !ok[0] || !ok[1] {
		r.fail()
	}
	return n, position
}

// encode encodes the row of a position: number, address of the archive, id and time of
// the cursor, session, end.
func (p *position) encode(out []byte) []byte {
	out = appendNumber(out, p.number)
	out = appendField(appendField(out, p.by), p.id)
	out = appendNumber(appendMillis(out, p.at), p.session)
	return append(appendMillis(out, p.until), rowEnd)
}

func decodePosition(r *reader) *position {
	p := &position{number: r.number(), by: r.field(), id: r.field(), at: r.millis(), session: r.number(), until: r.millis()}
	r.endRow()
	return p
}

// encode encodes the record of what has changed since the user looked.
func (a *away) encode() []byte {
	var out []byte
	for _, c := range a.sorted() {
		key := keyOf(c)
		out = appendField(appendField(appendField(out, key.Service), key.Node), key.SubID)
		for _, s := range [...]*pam.Subscription{c.Before, c.After} {
			if s == nil {
				s = &pam.Subscription{}
			}
			out = appendField(appendField(out, s.JID), string(s.State))
		}
		out = append(out, rowEnd)
	}
	return seal(out)
}

// decode decodes the record of what has changed since the user looked.
func (a *away) decode(value []byte) bool {
	r, _ := unseal(value)
	changes := map[pam.Key]pam.Change{}
	for r.data != "" {
		key := pam.Key{Service: r.field(), Node: r.field(), SubID: r.field()}
		var c pam.Change
		for _, s := range [...]**pam.Subscription{&c.Before, &c.After} {
			if jid, state := r.field(), pam.State(r.field()); state != "" {
				*s = &pam.Subscription{Key: key, JID: jid, State: state}
			}
		}
		r.endRow()
		if !r.bad && (c.Before != nil || c.After != nil) {
			changes[key] = c
		}
	}
	if !r.bad {
		a.changes = changes
	}
	return !r.bad
}
