package engine

import (
	"encoding/binary"
	"math"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/stream"
)

// A syncRecord stores when the list was last requested without a version, and the
// mechanism of the last login.
type syncRecord struct {
	sessions             uint64 // since lastFull
	lastFull, lastSynced time.Time
	mechanism            string // of SASL; empty if none is known
}

// A sessionRecord is a session as stored for the next run of the program in the same
// tab.
type sessionRecord struct {
	stream stream.Resumption
	caps   string // the hash of the capabilities that the session sent (XEP-0115)
	inbox  int    // the number of the session in the inbox, 0 if it is not known
	saved  time.Time
}

// sessionLife is the age at which any client deletes a session's record. Servers keep
// sessions for minutes only; this removes the records of tabs that no longer exist.
const sessionLife = 24 * time.Hour

const sessionFormat = 1 // first byte of the record

func sessionKey(tab string) string { return keySessions + tab }

func encodeSync(s syncRecord) []byte {
	out := appendNumber(nil, format)
	out = appendNumber(out, s.sessions)
	out = appendMoment(out, s.lastFull)
	out = appendMoment(out, s.lastSynced)
	return append(appendField(out, s.mechanism), rowEnd)
}

// decodeSync returns an empty record if value is invalid.
func decodeSync(value []byte) syncRecord {
	if len(value) > 0 && value[0] == oldFormat {
		return decodeOldSync(value)
	}
	r := textReader{data: string(value)}
	known := r.number() == format
	s := syncRecord{sessions: r.number(), lastFull: r.moment(), lastSynced: r.moment(), mechanism: r.field()}
	r.endRow()
	if !known || r.bad || r.data != "" {
		return syncRecord{}
	}
	return s
}

func encodeSession(s sessionRecord) []byte {
	out := []byte{sessionFormat}
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
	return binary.AppendUvarint(out, uint64(s.inbox))
}

func decodeSession(value []byte) (sessionRecord, bool) {
	r := reader{data: string(value)}
	if value == nil || r.byte() != sessionFormat {
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
	if len(r.data) > 0 { // else an earlier version has written it
		s.inbox = int(min(r.uint(), math.MaxInt32))
	}
	return s, err == nil && !r.bad && len(r.data) == 0
}

// A reader decodes the output of the append functions. After an error bad is set, and
// all further values are zero.
type reader struct {
	data string // decoded strings are slices of it
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
