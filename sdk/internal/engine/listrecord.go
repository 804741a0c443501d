package engine

import (
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// The list is stored as one record per chunk and a meta record that names the chunks.
// The records are UTF-8 text, so that another program can show the list without this
// one (js/src/stored-list.ts): a field ends in U+001F, a row in U+001E, neither of
// which XML can contain.
//
//	list/meta  format, epoch, version, mode, number of rows, of chunks and of dropped rows
//	           of each chunk: key, number of rows, length in bytes, digest
//	           the dropped rows
//	           digest of all that is before it
//	list/NNN   service, node, subid, jid, state, kind
//	sync       format, sessions, last full list, last sync, mechanism
//
// Numbers are decimal, digests hexadecimal. The format given in the meta record
// applies to all records of the list.
const (
	fieldEnd, rowEnd = '\x1f', '\x1e'

	format  = 2
	modePAM = "pam" // the list is maintained by XEP-0376
)

var (
	errAbsent     = errors.New("nothing is stored")
	errUnreadable = errors.New("the stored data is invalid")
	errNewer      = errors.New("the stored data was written by a newer version of this program")
)

// A listMeta is the content of the meta record.
type listMeta struct {
	stamp   listsync.Stamp
	chunks  []chunkRecord
	dropped []pam.Subscription
}

// A chunkRecord is the description of a chunk in the meta record.
type chunkRecord struct {
	key         string
	rows, bytes int
	digest      uint32
}

// describe returns the description of an encoded chunk of n rows.
func describe(key string, value []byte, n int) chunkRecord {
	return chunkRecord{key: key, rows: n, bytes: len(value), digest: digest(value)}
}

// digest returns the FNV-1a hash.
func digest(value []byte) uint32 {
	h := fnv.New32a()
	h.Write(value)
	return h.Sum32()
}

func (m listMeta) encode() []byte {
	rows := 0
	for _, c := range m.chunks {
		rows += c.rows
	}
	out := appendNumber(nil, format)
	out = appendNumber(out, m.stamp.Epoch)
	out = appendField(out, string(m.stamp.Version))
	out = appendField(out, modePAM)
	for _, n := range []int{rows, len(m.chunks), len(m.dropped)} {
		out = appendNumber(out, uint64(n))
	}
	out = append(out, rowEnd)
	for _, c := range m.chunks {
		out = appendField(out, c.key)
		out = appendNumber(out, uint64(c.rows))
		out = appendNumber(out, uint64(c.bytes))
		out = append(appendField(out, hexDigest(c.digest)), rowEnd)
	}
	out = appendRows(out, m.dropped)
	return append(appendField(out, hexDigest(digest(out))), rowEnd)
}

// decodeMeta returns errUnreadable if value is corrupt, and errNewer if its format is
// higher.
func decodeMeta(value []byte) (listMeta, error) {
	r := textReader{data: string(value)}
	if f := r.number(); r.bad || f <= oldFormat {
		return listMeta{}, errUnreadable
	} else if f > format {
		return listMeta{}, errNewer
	}
	m := listMeta{stamp: listsync.Stamp{Epoch: r.number(), Version: pam.Version(r.field())}}
	known := r.field() == modePAM
	rows, chunks, dropped := r.count(), r.count(), r.count()
	r.endRow()
	for range chunks {
		c := chunkRecord{key: r.field(), rows: r.count(), bytes: r.count()}
		c.digest = r.hexDigest()
		r.endRow()
		if r.bad {
			break
		}
		m.chunks = append(m.chunks, c)
		rows -= c.rows
	}
	m.dropped = r.rows(dropped)
	before := value[:len(value)-len(r.data)]
	sum := r.hexDigest()
	r.endRow()
	if !known || r.bad || r.data != "" || rows != 0 || sum != digest(before) {
		return listMeta{}, errUnreadable
	}
	return m, nil
}

func encodeChunk(rows []pam.Subscription) []byte {
	return appendRows(make([]byte, 0, 80*len(rows)), rows)
}

// decode returns the rows of a chunk. It reports whether value matches the
// description.
func (c chunkRecord) decode(value []byte) ([]pam.Subscription, bool) {
	if len(value) != c.bytes || digest(value) != c.digest {
		return nil, false
	}
	r := textReader{data: string(value)}
	rows := r.rows(c.rows)
	return rows, !r.bad && r.data == ""
}

func appendRows(out []byte, rows []pam.Subscription) []byte {
	for _, row := range rows {
		for _, s := range [...]string{row.Service, row.Node, row.SubID, row.JID, string(row.State), string(row.Kind())} {
			out = append(append(out, s...), fieldEnd)
		}
		out = append(out, rowEnd)
	}
	return out
}

func appendField(out []byte, s string) []byte { return append(append(out, s...), fieldEnd) }

func appendNumber(out []byte, n uint64) []byte {
	return append(strconv.AppendUint(out, n, 10), fieldEnd)
}

// appendMoment appends milliseconds since 1970, or an empty field for the zero time.
func appendMoment(out []byte, t time.Time) []byte {
	if t.IsZero() {
		return appendField(out, "")
	}
	return appendNumber(out, uint64(max(t.UnixMilli(), 0)))
}

func hexDigest(n uint32) string { return strconv.FormatUint(uint64(n), 16) }

// A textReader decodes rows of fields. After an error bad is set, and all further
// values are zero.
type textReader struct {
	data string // decoded fields are slices of it
	bad  bool
}

func (r *textReader) field() string {
	n := strings.IndexByte(r.data, fieldEnd)
	if n < 0 || strings.IndexByte(r.data[:n], rowEnd) >= 0 {
		r.bad, r.data = true, ""
		return ""
	}
	s := r.data[:n]
	r.data = r.data[n+1:]
	return s
}

func (r *textReader) endRow() {
	if r.data == "" || r.data[0] != rowEnd {
		r.bad, r.data = true, ""
		return
	}
	r.data = r.data[1:]
}

func (r *textReader) parse(base, bits int) uint64 {
	n, err := strconv.ParseUint(r.field(), base, bits)
	if err != nil {
		r.bad, r.data = true, ""
		return 0
	}
	return n
}

func (r *textReader) number() uint64 { return r.parse(10, 64) }

func (r *textReader) hexDigest() uint32 { return uint32(r.parse(16, 32)) }

// count reads a number that fits in an int.
func (r *textReader) count() int { return int(r.parse(10, 31)) }

func (r *textReader) moment() time.Time {
	if strings.HasPrefix(r.data, string(fieldEnd)) {
		r.data = r.data[1:]
		return time.Time{}
	}
	return time.UnixMilli(int64(r.number()))
}

// rows decodes n rows written by appendRows.
func (r *textReader) rows(n int) []pam.Subscription {
	const least = 7 // minimum length of a row in bytes
	if n > len(r.data)/least {
		r.bad, r.data = true, ""
		return nil
	}
	if n == 0 {
		return nil
	}
	rows := make([]pam.Subscription, n)
	for i := range rows {
		row := &rows[i]
		row.Service, row.Node, row.SubID = r.field(), r.field(), r.field()
		row.JID, row.State = r.field(), pam.State(r.field())
		_ = r.field() // the kind
		r.endRow()
	}
	return rows
}
