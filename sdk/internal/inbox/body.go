package inbox

import (
	"strconv"

	"xmpp-pam/sdk/pam"
)

// appendBody encodes what the machine does not keep in memory of an event. It does not
// end the row.
func appendBody(out []byte, in *Incoming, text string, omitted pam.Omitted, entry *pam.AtomEntry) []byte {
	space := ""
	if in.Payload != nil {
		space = spaceOf(in.Payload)
	}
	out = appendField(appendField(out, in.Publisher), in.Redirect)
	out = appendField(appendField(appendField(out, space), string(omitted)), text)
	out = appendFlag(out, entry != nil)
	if entry == nil {
		entry = &pam.AtomEntry{}
	}
	for _, s := range [...]string{entry.ID, entry.Title, entry.Summary, entry.Content, entry.Link, entry.Image, entry.Author} {
		out = appendField(out, s)
	}
	return appendMillis(appendMillis(out, millis(entry.Published)), millis(entry.Updated))
}

// emptyBody is the body of an event that has none in the page.
var emptyBody = string(appendBody(nil, &Incoming{}, "", "", nil))

// decodeBody adds a body to an event.
func decodeBody(r *reader, e *pam.Event) {
	e.Publisher, e.Redirect, e.Namespace = r.field(), r.field(), r.field()
	e.Omitted, e.XML = pam.Omitted(r.field()), r.field()
	has := r.flag()
	entry := &pam.AtomEntry{
		ID: r.field(), Title: r.field(), Summary: r.field(), Content: r.field(), Link: r.field(), Image: r.field(), Author: r.field(),
		Published: moment(r.millis()), Updated: moment(r.millis()),
	}
	if has {
		e.Entry = entry
	}
}

// encode encodes the record of the body.
func (b *body) encode() []byte {
	out := make([]byte, 0, b.size+16*len(b.rows))
	for _, e := range b.rows {
		if e.body == b {
			out = append(append(appendID(out, e.id), e.row...), rowEnd)
		}
	}
	return seal(out)
}

// decodeRows adds the rows of the record of a body, by the id of the event. If the record
// is damaged, there are none.
func decodeRows(rows map[uint64]string, value []byte) {
	r, _ := unseal(value)
	for r.data != "" {
		id := r.id()
		rows[id] = r.row()
	}
}

// sortKey returns the text of a place, of which the order as text is that of places.
func (p place) sortKey() string {
	hex := func(n uint64) string {
		digits := strconv.FormatUint(n, 16)
		return "0000000000000000"[len(digits):] + digits
	}
	return hex(uint64(p.at)+1<<63) + hex(p.id)
}

func parsePlace(text string) (p place, ok bool) {
	if len(text) != 32 {
		return p, false
	}
	at, err := strconv.ParseUint(text[:16], 16, 64)
	id, err2 := strconv.ParseUint(text[16:], 16, 64)
	return place{int64(at - 1<<63), id}, err == nil && err2 == nil
}

// encode encodes the row of an event in the newest page.
func (p *pageRow) encode(out []byte) []byte {
	e := p.event
	out = appendField(out, e.place().sortKey())
	out = appendID(out, e.id)
	out = appendField(appendField(appendField(out, e.node.service), e.node.name), e.item)
	out = appendMillis(appendField(out, string(kinds[e.kind])), e.at)
	out = appendMillis(appendField(out, string(sources[e.source])), e.received)
	out = appendField(out, string(deliveries[e.delivery]))
	out = appendField(appendField(out, string(e.seen.State)), string(e.seen.Basis))
	out = appendMillis(out, millis(e.seen.At))
	key, row := "", e.row
	if !e.full || len(row) > maxInline {
		key, row = bodyKey(e.body.number), emptyBody
	}
	return append(append(appendField(out, key), row...), rowEnd)
}

// decodePageRow returns the id and the body of a row of the page. full reports whether
// the body is in the row.
func decodePageRow(r *reader) (id uint64, row string, full bool) {
	_ = r.field()
	id = r.id()
	for range 11 {
		_ = r.field()
	}
	full = r.field() == ""
	return id, r.row(), full
}
