package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

const (
	keyList     = "list/" // followed by the number of a chunk
	keyMeta     = keyList + "meta"
	keySync     = "sync"
	keySessions = "session/" // followed by the name of a tab
)

const commitTries = 3 // if the store's conflicts contradict its content

var errUnsteady = errors.New("the store reports conflicts that its content does not explain")

// durable keeps a listsync.Durable in a store. It remembers which chunks of the list
// are stored, so that a commit writes only those that differ. Only one goroutine may
// use it at a time, except that any goroutine may read the field store, which does
// not change.
type durable struct {
	store store.Store
	remembered
}

// remembered is what a durable knows of the store's content.
type remembered struct {
	meta   []byte                            // as stored; nil if absent
	now    listsync.Durable                  // the list read or written last
	chunks map[*pam.Subscription]chunkRecord // of the stored list, by their first rows
	keys   []string                          // of all records with the prefix keyList, except the meta record
	stale  bool                              // the store contains no list of this format, so the next commit writes all chunks
}

// A listRead holds the records read: the list's and the sync record.
type listRead struct {
	meta, sync []byte
	records    []store.Record // the other records of the list
}

// load reads the stored list and sync record. A record that cannot be decoded, or a
// list that does not match its digests, counts as absent: a version without its list
// is never used. Records of a newer format are an error.
func (d *durable) load(ctx context.Context) (listsync.Durable, syncRecord, error) {
	stored, err := d.read(ctx)
	if err != nil {
		return d.fresh(), syncRecord{}, err
	}
	out, err := d.take(stored)
	if errors.Is(err, errNewer) {
		return out, syncRecord{}, err
	}
	return out, decodeSync(stored.sync), nil
}

// loadAnew is like load, for a store that another client may have changed. found
// reports whether the store contains a list. If it does not, or if the list cannot be
// read, the remembered state stays as it was.
func (d *durable) loadAnew(ctx context.Context) (out listsync.Durable, found bool, err error) {
	stored, err := d.read(ctx)
	if err != nil || stored.meta == nil {
		return listsync.Durable{}, false, err
	}
	next := durable{store: d.store}
	if out, err = next.take(stored); err != nil {
		return listsync.Durable{}, false, err
	}
	d.remembered = next.remembered
	return out, true, nil
}

// read reads the list's records in one transaction, and the sync record.
func (d *durable) read(ctx context.Context) (listRead, error) {
	values, err := d.store.Get(ctx, keySync)
	if err != nil {
		return listRead{}, fmt.Errorf("reading: %w", err)
	}
	records, err := d.store.Scan(ctx, store.Range{From: keyList, To: keyList + "\xff"})
	if err != nil {
		return listRead{}, fmt.Errorf("reading: %w", err)
	}
	out := listRead{sync: values[0]}
	for _, record := range records {
		if record.Key == keyMeta {
			out.meta = record.Value
		} else {
			out.records = append(out.records, record)
		}
	}
	return out, nil
}

// take decodes and remembers what was read. If it returns an error, the list is empty
// and the next commit replaces the stored one, unless that is of a newer format.
func (d *durable) take(stored listRead) (listsync.Durable, error) {
	d.remembered = remembered{meta: stored.meta}
	for _, record := range stored.records {
		d.keys = append(d.keys, record.Key)
	}
	out, err := d.decode(stored)
	if err != nil {
		d.chunks = nil
		out = d.fresh()
	}
	d.now, d.stale = out, d.chunks == nil
	return out, err
}

// decode decodes the list and remembers its chunks.
func (d *durable) decode(stored listRead) (listsync.Durable, error) {
	if stored.meta == nil {
		return listsync.Durable{}, errAbsent
	}
	if len(stored.meta) > 0 && stored.meta[0] == oldFormat {
		if out, ok := decodeOldList(stored.meta, stored.records); ok {
			return out, nil
		}
		return listsync.Durable{}, errUnreadable
	}
	meta, err := decodeMeta(stored.meta)
	if err != nil {
		return listsync.Durable{}, err
	}
	values := make(map[string][]byte, len(stored.records))
	for _, record := range stored.records {
		values[record.Key] = record.Value
	}
	d.chunks = make(map[*pam.Subscription]chunkRecord, len(meta.chunks))
	chunks := make([][]pam.Subscription, len(meta.chunks))
	for i, c := range meta.chunks {
		rows, ok := c.decode(values[c.key])
		if !ok || len(rows) == 0 {
			return listsync.Durable{}, errUnreadable
		}
		chunks[i], d.chunks[&rows[0]] = rows, c
	}
	list, ok := listsync.Join(chunks)
	if !ok {
		return listsync.Durable{}, errUnreadable
	}
	return listsync.Durable{Stamp: meta.stamp, List: list, Dropped: meta.dropped}, nil
}

// commit stores c in one transaction, with the sync record if c replaces the whole
// list. If the store contains, or contained when it was last read, a list other than
// the one that c was built on, commit returns that list and ErrConflict. If the store
// no longer contains a readable list, the one read or written last counts, and the
// next write writes all chunks again.
func (d *durable) commit(ctx context.Context, c listsync.Commit, s syncRecord) (now *listsync.Durable, err error) {
	conflict := c.Expect != d.now.Stamp
	for range commitTries {
		if !conflict {
			if err := d.write(ctx, c, s); !errors.Is(err, store.ErrConflict) {
				return nil, err
			}
		}
		stored, err := d.read(ctx)
		if err != nil {
			return nil, err
		}
		if !conflict && bytes.Equal(stored.meta, d.meta) {
			continue // The store contains what the commit expects.
		}
		next := durable{store: d.store}
		out, err := next.take(stored)
		if errors.Is(err, errNewer) {
			return nil, err
		}
		if err != nil {
			out = d.now
		}
		d.remembered = next.remembered
		d.now = out
		if err == nil || conflict {
			return &out, store.ErrConflict
		}
	}
	return nil, errUnsteady
}

func (d *durable) write(ctx context.Context, c listsync.Commit, s syncRecord) error {
	next := remembered{now: listsync.Durable{Stamp: c.Next, List: c.List, Dropped: c.Dropped}, chunks: make(map[*pam.Subscription]chunkRecord, len(d.chunks))}
	chunks := c.List.Chunks()
	used := map[string]bool{}
	for _, rows := range chunks {
		if known, ok := d.chunks[&rows[0]]; ok && known.rows == len(rows) {
			next.chunks[&rows[0]], used[known.key] = known, true
		}
	}
	var ops []store.Op
	meta := listMeta{stamp: c.Next, dropped: c.Dropped}
	number := 0 // of the next free key
	for _, rows := range chunks {
		record, known := next.chunks[&rows[0]]
		if !known {
			for used[chunkKey(number)] {
				number++
			}
			value := encodeChunk(rows)
			record = describe(chunkKey(number), value, len(rows))
			next.chunks[&rows[0]], used[record.key] = record, true
			ops = append(ops, store.Put(record.key, value))
		}
		meta.chunks = append(meta.chunks, record)
		next.keys = append(next.keys, record.key)
	}
	for _, key := range d.keys {
		if !used[key] {
			ops = append(ops, store.Delete(key))
		}
	}
	next.meta = meta.encode()
	ops = append(ops, store.Put(keyMeta, next.meta))
	if c.Replace || d.stale {
		ops = append(ops, store.Put(keySync, encodeSync(s)))
	}
	if err := d.store.Commit(ctx, []store.Record{{Key: keyMeta, Value: d.meta}}, ops); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	d.remembered = next
	return nil
}

// chunkKey returns the key of a chunk, with at least three digits. Package fmt would
// take 4 ms for the first long list.
func chunkKey(n int) string {
	digits := strconv.Itoa(n)
	return keyList + "000"[min(len(digits), 3):] + digits
}

// saveSync stores the sync record. If it is lost, the only cost is one additional
// full list.
func (d *durable) saveSync(ctx context.Context, s syncRecord) error {
	return d.store.Commit(ctx, nil, []store.Op{store.Put(keySync, encodeSync(s))})
}

// inMemory returns a durable with a memory store, for commits built on now.
func inMemory(now listsync.Durable) *durable {
	return &durable{store: store.NewMemory(), remembered: remembered{now: now, stale: true}}
}

// empty returns the content of the store after all records were deleted.
func (d *durable) empty() listsync.Durable {
	now := d.fresh()
	d.remembered = remembered{now: now}
	return now
}

// fresh returns an empty list with a new random epoch.
func (d *durable) fresh() listsync.Durable {
	return listsync.Durable{Stamp: listsync.Stamp{Epoch: randomUint64()}, List: listsync.NewList(nil)}
}
