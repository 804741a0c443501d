package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// The list is stored in a meta record and a fixed number of buckets, chosen by
// a hash of the key. One change then rewrites one bucket, and a list of any
// length is few records, which IndexedDB writes much faster than many.
const (
	keyMeta     = "list/meta"
	keySync     = "sync"
	keySessions = "session/" // and the name of a tab
	bucketCount = 64
	format      = 1 // first byte of every record
)

const commitTries = 3 // while the store contradicts itself

var (
	errUnreadable = errors.New("what is stored cannot be read")
	errUnsteady   = errors.New("what is read from the store is not what it says it holds")
)

// durable keeps a pam.Durable in a store. It remembers what is stored, so that
// a commit writes only what differs. One goroutine at a time uses it; only store,
// which stays the same, may be read by others meanwhile.
type durable struct {
	store store.Store
	remembered
}

// remembered is what a durable knows of the store.
type remembered struct {
	meta    []byte         // as stored; nil if absent
	stamp   listsync.Stamp // of the list that is remembered
	digest  uint64
	buckets [bucketCount]bucket
	stale   bool // buckets are stored that belong to no list: rewrite all
}

// A bucket is a part of the list and a hash of its encoding.
type bucket struct {
	list *listsync.List
	hash uint64
}

// load reads what is stored. A record that cannot be read, or a list that does
// not match its digest, counts as absent: a version without its list is never
// used.
func (d *durable) load(ctx context.Context) (listsync.Durable, syncRecord, error) {
	values, err := d.read(ctx)
	if err != nil {
		return d.fresh(), syncRecord{}, err
	}
	out, _ := d.take(values)
	return out, decodeSync(values[1]), nil
}

// loadAnew is load for a store that another client may have changed. If that
// has emptied it, found is false. What is remembered stays then, and also if what
// is stored cannot be read.
func (d *durable) loadAnew(ctx context.Context) (out listsync.Durable, found bool, err error) {
	values, err := d.read(ctx)
	if err != nil || values[0] == nil {
		return listsync.Durable{}, false, err
	}
	next := durable{store: d.store}
	if out, found = next.take(values); !found {
		return listsync.Durable{}, false, errUnreadable
	}
	d.remembered = next.remembered
	return out, true, nil
}

// read returns the meta record, the sync record and the buckets.
func (d *durable) read(ctx context.Context) ([][]byte, error) {
	keys := []string{keyMeta, keySync}
	for i := range d.buckets {
		keys = append(keys, bucketKey(i))
	}
	values, err := d.store.Get(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return values, nil
}

// take remembers what was read.
func (d *durable) take(values [][]byte) (out listsync.Durable, ok bool) {
	d.meta = values[0]
	if out, ok = d.decode(values[0], values[2:]); !ok {
		// The bad meta record stays what the next commit expects, and is
		// replaced by it together with every bucket.
		d.clear()
		out = d.fresh()
	}
	d.stale, d.stamp = !ok, out.Stamp
	return out, ok
}

func (d *durable) decode(meta []byte, values [][]byte) (listsync.Durable, bool) {
	r := reader{data: string(meta)}
	d.clear()
	if meta == nil || r.byte() != format {
		return listsync.Durable{}, false
	}
	out := listsync.Durable{Stamp: listsync.Stamp{Epoch: r.uint(), Version: pam.Version(r.string())}}
	r.byte() // was the mode
	count, digest := r.uint(), r.uint()
	if len(r.data) > 0 {
		out.Dropped = r.rows()
		r.bad = r.bad || len(out.Dropped) == 0
	}
	for i, value := range values {
		if value == nil {
			continue
		}
		list, ok := decodeBucket(value)
		if !ok {
			return listsync.Durable{}, false
		}
		d.buckets[i] = bucket{list, hashBucket(i, value)}
		d.digest ^= d.buckets[i].hash
		out.List = append(out.List, list.Rows()...)
	}
	if r.bad || len(r.data) > 0 || uint64(len(out.List)) != count || d.digest != digest {
		return listsync.Durable{}, false
	}
	listsync.Sort(out.List)
	return out, true
}

// commit stores c in one transaction, with the sync record if c is a whole
// list. If the store holds something else than what c was built
// on, or did when it was read last, it returns that and ErrConflict. If nothing
// that can be read is stored any more, all is stored again: memory is right while
// the program runs.
func (d *durable) commit(ctx context.Context, c listsync.Commit, s syncRecord) (stored *listsync.Durable, err error) {
	conflict := c.Expect != d.stamp
	for range commitTries {
		if !conflict {
			if err := d.write(ctx, c, s); !errors.Is(err, store.ErrConflict) {
				return nil, err
			}
		}
		values, err := d.read(ctx)
		if err != nil {
			return nil, err
		}
		if !conflict && bytes.Equal(values[0], d.meta) {
			continue // It is what the commit expects.
		}
		next := durable{store: d.store}
		out, ok := next.take(values)
		switch {
		case ok:
			d.remembered = next.remembered
			return &out, store.ErrConflict
		case !conflict:
			d.meta, d.stale = values[0], true
		}
	}
	return nil, errUnsteady
}

func (d *durable) write(ctx context.Context, c listsync.Commit, s syncRecord) error {
	next := d.buckets
	var changes [bucketCount][]pam.Change
	if c.Replace {
		fill(&next, c.List)
	} else {
		for _, change := range c.Changes {
			i := bucketOf(changeKey(change))
			changes[i] = append(changes[i], change)
		}
	}

	var ops []store.Op
	count, digest := 0, d.digest
	for i := range next {
		if len(changes[i]) > 0 {
			next[i].list = next[i].list.Apply(changes[i])
		}
		count += next[i].list.Len()
		if !c.Replace && !d.stale && len(changes[i]) == 0 {
			continue
		}
		digest ^= next[i].hash
		next[i].hash = 0
		if next[i].list.Len() == 0 {
			ops = append(ops, store.Delete(bucketKey(i)))
			continue
		}
		value := encodeBucket(next[i].list.Rows())
		next[i].hash = hashBucket(i, value)
		digest ^= next[i].hash
		ops = append(ops, store.Put(bucketKey(i), value))
	}
	meta := []byte{format}
	meta = binary.AppendUvarint(meta, c.Next.Epoch)
	meta = appendString(meta, string(c.Next.Version))
	meta = append(meta, 0)
	meta = binary.AppendUvarint(meta, uint64(count))
	meta = binary.AppendUvarint(meta, digest)
	if len(c.Dropped) > 0 {
		meta = appendRows(meta, c.Dropped)
	}
	ops = append(ops, store.Put(keyMeta, meta))
	if c.Replace || d.stale {
		ops = append(ops, store.Put(keySync, encodeSync(s)))
	}

	if err := d.store.Commit(ctx, []store.Record{{Key: keyMeta, Value: d.meta}}, ops); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	d.meta, d.stamp, d.digest, d.buckets, d.stale = meta, c.Next, digest, next, false
	return nil
}

// saveSync stores the sync record. Losing it costs no more than one full list.
func (d *durable) saveSync(ctx context.Context, s syncRecord) error {
	return d.store.Commit(ctx, nil, []store.Op{store.Put(keySync, encodeSync(s))})
}

// inMemory returns a durable that keeps now in memory.
func inMemory(now listsync.Durable) *durable {
	d := &durable{store: store.NewMemory(), remembered: remembered{stamp: now.Stamp, stale: true}}
	fill(&d.buckets, now.List)
	return d
}

// empty is what is stored after everything was removed.
func (d *durable) empty() listsync.Durable {
	d.meta, d.stale = nil, false
	d.clear()
	now := d.fresh()
	d.stamp = now.Stamp
	return now
}

func (d *durable) clear() {
	d.digest = 0
	d.buckets = [bucketCount]bucket{}
	fill(&d.buckets, nil)
}

// fresh is an empty list whose epoch nobody else has.
func (d *durable) fresh() listsync.Durable {
	return listsync.Durable{Stamp: listsync.Stamp{Epoch: randomUint64()}}
}

// fill puts a list, which is in key order, into the buckets.
func fill(buckets *[bucketCount]bucket, list []pam.Subscription) {
	var parts [bucketCount][]pam.Subscription
	for _, row := range list {
		i := bucketOf(row.Key)
		parts[i] = append(parts[i], row)
	}
	for i, rows := range parts {
		buckets[i].list = listsync.NewList(rows)
	}
}

func changeKey(c pam.Change) pam.Key {
	if c.After != nil {
		return c.After.Key
	}
	return c.Before.Key
}
