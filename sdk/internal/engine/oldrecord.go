package engine

import (
	"hash/fnv"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// oldFormat is the first byte of every record of the previous format. That format was
// binary, and divided a list into up to 64 buckets by a hash of the key. A list in
// that format is read, and the next commit replaces it.
const oldFormat = 1

// decodeOldList decodes the list from its meta record and the buckets among records.
func decodeOldList(meta []byte, records []store.Record) (listsync.Durable, bool) {
	r := reader{data: string(meta[1:])}
	out := listsync.Durable{Stamp: listsync.Stamp{Epoch: r.uint(), Version: pam.Version(r.string())}}
	r.byte() // the mode
	count, want := r.uint(), r.uint()
	if len(r.data) > 0 {
		out.Dropped = r.rows()
		r.bad = r.bad || len(out.Dropped) == 0
	}
	if r.bad || len(r.data) > 0 {
		return listsync.Durable{}, false
	}
	var all []pam.Subscription
	var digest uint64
	for _, record := range records {
		i, ok := bucketIndex(record.Key)
		if !ok {
			continue // not a bucket
		}
		b := reader{data: string(record.Value)}
		known := b.byte() == oldFormat
		rows := b.rows()
		if !known || b.bad || len(b.data) > 0 {
			return listsync.Durable{}, false
		}
		all = append(all, rows...)
		h := fnv.New64a()
		_, _ = h.Write([]byte{i})
		_, _ = h.Write(record.Value)
		digest ^= h.Sum64()
	}
	out.List = listsync.NewList(all)
	if uint64(len(all)) != count || uint64(out.List.Len()) != count || digest != want {
		return listsync.Durable{}, false
	}
	return out, true
}

// bucketIndex returns the number of a bucket, which is the two digits in its key.
func bucketIndex(key string) (byte, bool) {
	digits, ok := strings.CutPrefix(key, keyList)
	if !ok || len(digits) != 2 || digits[0] < '0' || digits[0] > '9' || digits[1] < '0' || digits[1] > '9' {
		return 0, false
	}
	return (digits[0]-'0')*10 + digits[1] - '0', true
}

// rows decodes the rows of a list in the old format.
func (r *reader) rows() []pam.Subscription {
	n := r.uint()
	if n > uint64(len(r.data))/5 { // A row is five strings of at least one byte.
		r.bad = true
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

func decodeOldSync(value []byte) syncRecord {
	r := reader{data: string(value[1:])}
	s := syncRecord{sessions: r.uint()}
	s.lastFull, s.lastSynced = time.UnixMilli(int64(r.uint())), time.UnixMilli(int64(r.uint()))
	if len(r.data) > 0 { // The first version of this record had no mechanism.
		s.mechanism = r.string()
	}
	if r.bad {
		return syncRecord{}
	}
	return s
}
