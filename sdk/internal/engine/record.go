package engine

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// A syncRecord remembers when the list was last asked for without a version, and
// how the account last logged in.
type syncRecord struct {
	sessions             uint64 // since lastFull
	lastFull, lastSynced time.Time
	mechanism            string // of SASL; empty if none is known
}

// A sessionRecord is a session as it was stored for the next run of the program
// in the same tab.
type sessionRecord struct {
	stream stream.Resumption
	caps   string // the hash of the capabilities that the session sent (XEP-0115)
	saved  time.Time
}

// sessionLife is how long a session's record may be of use. Servers forget
// sessions after minutes; this only clears what tabs left behind.
const sessionLife = 24 * time.Hour

func sessionKey(tab string) string { return keySessions + tab }

func bucketOf(k pam.Key) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(k.Service + "\x00" + k.Node))
	return int(h.Sum32() % bucketCount)
}

func bucketKey(i int) string { return fmt.Sprintf("list/%02d", i) }

func hashBucket(i int, value []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{byte(i)})
	_, _ = h.Write(value)
	return h.Sum64()
}

func encodeBucket(rows []pam.Subscription) []byte {
	return appendRows(append(make([]byte, 0, 64*len(rows)), format), rows)
}

func appendRows(out []byte, rows []pam.Subscription) []byte {
	out = binary.AppendUvarint(out, uint64(len(rows)))
	for _, row := range rows {
		for _, s := range []string{row.Service, row.Node, row.SubID, row.JID, string(row.State)} {
			out = appendString(out, s)
		}
	}
	return out
}

func decodeBucket(value []byte) (*listsync.List, bool) {
	r := reader{data: string(value)}
	if r.byte() != format {
		return nil, false
	}
	rows := r.rows()
	list := listsync.NewList(rows)
	return list, !r.bad && len(r.data) == 0 && list.Len() == len(rows)
}

// rows reads what appendRows wrote.
func (r *reader) rows() []pam.Subscription {
	n := r.uint()
	if n > uint64(len(r.data))/5 { // A row is five texts.
		r.bad = true
		return nil
	}
	if n == 0 {
		return nil
	}
	rows := make([]pam.Subscription, 0, n)
	for range n {
		row := pam.Subscription{Key: pam.Key{Service: r.string(), Node: r.string(), SubID: r.string()}}
		row.JID, row.State = r.string(), pam.State(r.string())
		rows = append(rows, row)
	}
	return rows
}

func encodeSync(s syncRecord) []byte {
	value := []byte{format}
	value = binary.AppendUvarint(value, s.sessions)
	value = binary.AppendUvarint(value, uint64(s.lastFull.UnixMilli()))
	value = binary.AppendUvarint(value, uint64(s.lastSynced.UnixMilli()))
	return appendString(value, s.mechanism)
}

func decodeSync(value []byte) syncRecord {
	r := reader{data: string(value)}
	if value == nil || r.byte() != format {
		return syncRecord{}
	}
	s := syncRecord{sessions: r.uint()}
	s.lastFull, s.lastSynced = time.UnixMilli(int64(r.uint())), time.UnixMilli(int64(r.uint()))
	if len(r.data) > 0 { // Records of older versions end here.
		s.mechanism = r.string()
	}
	if r.bad {
		return syncRecord{}
	}
	return s
}

func encodeSession(s sessionRecord) []byte {
	out := []byte{format}
	out = binary.AppendUvarint(out, uint64(s.saved.UnixMilli()))
	for _, text := range []string{s.caps, s.stream.ID, s.stream.Location, s.stream.JID.String()} {
		out = appendString(out, text)
	}
	out = binary.AppendUvarint(out, uint64(s.stream.H))
	out = binary.AppendUvarint(out, uint64(s.stream.Acked))
	out = binary.AppendUvarint(out, uint64(len(s.stream.Unacked)))
	for _, text := range s.stream.Unacked {
		out = appendString(out, text)
	}
	return out
}

func decodeSession(value []byte) (sessionRecord, bool) {
	r := reader{data: string(value)}
	if value == nil || r.byte() != format {
		return sessionRecord{}, false
	}
	s := sessionRecord{saved: time.UnixMilli(int64(r.uint())), caps: r.string()}
	s.stream.ID, s.stream.Location = r.string(), r.string()
	full, err := jid.Parse(r.string())
	s.stream.JID, s.stream.Stored = full, true
	s.stream.H, s.stream.Acked = uint32(r.uint()), uint32(r.uint())
	for range min(r.uint(), uint64(len(value))) {
		s.stream.Unacked = append(s.stream.Unacked, r.string())
	}
	return s, err == nil && !r.bad && len(r.data) == 0
}

// A reader reads what the append functions wrote. After a mistake bad is set
// and every value is zero.
type reader struct {
	data string // texts that are read are parts of it
	bad  bool
}

func (r *reader) byte() byte {
	if len(r.data) == 0 {
		r.bad = true
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) uint() uint64 {
	head := make([]byte, binary.MaxVarintLen64)
	v, n := binary.Uvarint(head[:copy(head, r.data)])
	if n <= 0 {
		r.bad, r.data = true, ""
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) string() string {
	n := r.uint()
	if n > uint64(len(r.data)) {
		r.bad, r.data = true, ""
		return ""
	}
	s := r.data[:n]
	r.data = r.data[n:]
	return s
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
