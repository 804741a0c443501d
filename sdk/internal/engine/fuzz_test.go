package engine

import (
	"bytes"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// FuzzRecords checks that decoding inverts encoding, and that arbitrary records are
// decoded or rejected at a cost proportional to their size.
func FuzzRecords(f *testing.F) {
	full := jid.MustParse("francisco@denmark.lit/barracks")
	f.Add(encodeSession(sessionRecord{stream: stream.Resumption{ID: "i", JID: full, H: 7, Unacked: []string{"<a/>", ""}}, caps: "c", saved: time.UnixMilli(1)}),
		"francisco@denmark.lit/barracks", "pubsub.lit", "princely_musings", "", uint64(1)<<40)
	rows := []pam.Subscription{{Key: pam.Key{Service: "s", Node: "n"}, State: "subscribed"}, {Key: pam.Key{Service: "t", Node: "n"}, State: "pending"}}
	chunk := encodeChunk(rows)
	f.Add(chunk, "@", "", "\x00", "\xff", uint64(0))
	f.Add(listMeta{stamp: listsync.Stamp{Epoch: 3, Version: "v"}, chunks: []chunkRecord{describe(chunkKey(0), chunk, 2)}, dropped: rows[1:]}.encode(), "a@b", "", "", "", uint64(0))
	f.Add(encodeSync(syncRecord{sessions: 3, lastSynced: time.UnixMilli(1 << 40), mechanism: "PLAIN"}), "a@b", "\x1f", "\x1e", "", uint64(0))
	f.Add([]byte("2\x1f1\x1fv\x1fpam\x1f2147483647\x1f2147483647\x1f2147483647\x1f\x1e"), "a@b", "", "", "", uint64(0))
	f.Add([]byte{oldFormat, 0xff, 0xff, 0xff, 0xff, 0x0f}, "a@b", "x", "y", "z", ^uint64(0))
	f.Fuzz(func(t *testing.T, value []byte, account, service, node, subid string, n uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, okSession := decodeSession(value)
		meta, bad := decodeMeta(value)
		list, okChunk := describe("", value, bytes.Count(value, []byte{rowEnd})).decode(value)
		old := append([]byte{oldFormat}, value...)
		_, _ = decodeOldList(old, []store.Record{{Key: "list/07", Value: old}})
		decodeSync(value)
		decodeSync(old)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+200*uint64(len(value)) {
			t.Errorf("%d bytes cost %d", len(value), grown)
		}
		if okSession && stable(s.stream.JID) {
			sameSession(t, s)
		}
		if okChunk {
			sameChunk(t, list)
		}
		if bad == nil {
			if again, err := decodeMeta(meta.encode()); err != nil || !reflect.DeepEqual(again, meta) {
				t.Fatalf("%+v became %+v, %v", meta, again, err)
			}
		}
		if j, err := jid.Parse(account); err == nil && stable(j) {
			sameSession(t, sessionRecord{saved: time.UnixMilli(int64(n >> 20)), caps: account,
				stream: stream.Resumption{ID: service, Location: node, JID: j, H: uint32(n), Acked: uint32(n >> 7), Unacked: []string{subid, node, ""}, Stored: true}})
		}
		key := pam.Key{Service: service, Node: node, SubID: subid}
		if !strings.ContainsAny(account+service+node+subid, "\x1e\x1f") {
			sameChunk(t, []pam.Subscription{{Key: key, JID: account, State: pam.State(node)}, {Key: pam.Key{Service: node}}})
		}
	})
}

// stable reports whether package jid can parse its own output for j. It parses ".."
// as the domain ".", which is invalid.
func stable(j jid.JID) bool {
	again, err := jid.Parse(j.String())
	return err == nil && again.Equal(j)
}

func sameSession(t *testing.T, s sessionRecord) {
	t.Helper()
	again, ok := decodeSession(encodeSession(s))
	if !ok || !again.stream.JID.Equal(s.stream.JID) || !again.saved.Equal(s.saved) {
		t.Fatalf("%+v became %+v, %v", s, again, ok)
	}
	again.stream.JID, again.saved = s.stream.JID, s.saved
	if !reflect.DeepEqual(again, s) {
		t.Fatalf("%+v became %+v", s, again)
	}
}

func sameChunk(t *testing.T, rows []pam.Subscription) {
	t.Helper()
	value := encodeChunk(rows)
	again, ok := describe("", value, len(rows)).decode(value)
	if !ok || !slices.Equal(again, rows) {
		t.Fatalf("%+v became %+v, %v", rows, again, ok)
	}
}
