//go:build !js

package client_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/store"
)

// A heapRow is what others send in large numbers to a device of alice, who follows the
// node news of evil.localhost and the node feed of good.localhost.
type heapRow struct {
	name  string
	count int
	make  func(i int) string
}

func heapRows() []heapRow {
	event := func(format string) func(int) string {
		return func(i int) string { return eventOf("evil.localhost", "news", fmt.Sprintf(format, i)) }
	}
	change := func(format string) func(int) string {
		return func(i int) string {
			return "<message xmlns='jabber:client' from='evil.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>" + fmt.Sprintf(format, i) + "</event></message>"
		}
	}
	long := strings.Repeat("y", 270<<10) // longer than what is kept of a payload
	return []heapRow{
		{"events of services that are not followed", 50_000, func(i int) string {
			return eventOf(fmt.Sprintf("s%d.example", i), fmt.Sprint("n", i), itemOf(fmt.Sprint("i", i)))
		}},
		{"events of nodes that are not followed", 50_000, func(i int) string { return eventOf("evil.localhost", fmt.Sprint("n", i), itemOf("i")) }},
		{"items", 10_000, event("<item id='i%d'><x xmlns='urn:x'/></item>")},
		{"items without payload", 5000, event("<item id='i%d'/>")},
		{"namespaces", 5000, event("<item id='i'><x xmlns='urn:x:%[1]d'/></item>")},
		{"payloads that are too long", 300, event("<item id='i%d'><x xmlns='urn:x'>" + long + "</x></item>")},
		{"long text around items", 300, event("<item id='i%d'/><x>" + long + "</x>")},
		{"retractions of unknown items", 10_000, event("<retract id='i%d'/>")},
		{"purges", 10_000, change("<purge node='news' i='%d'/>")},
		{"deletions", 10_000, change("<delete node='news'><redirect uri='xmpp:evil.localhost?;node=n%d'/></delete>")},
		{"results of unknown queries", 20_000, func(i int) string {
			return resultOf("alice@localhost", fmt.Sprint("catch-up-", i), fmt.Sprint("a", i), "2000-01-01T00:00:00Z", eventOf("evil.localhost", "news", itemOf("forged")))
		}},
		{"other sessions of the account", 10_000, func(i int) string {
			return fmt.Sprintf("<presence xmlns='jabber:client' from='alice@localhost/r%d'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='v%d'/></presence>", i, i)
		}},
		{"private items that cannot be read", 10_000, func(i int) string {
			return eventOf("alice@localhost", fmt.Sprint(ns.Seen, ":", i%64), fmt.Sprintf("<item id='k%d'><seen xmlns='urn:xmpp-pam:seen:0'/></item>", i))
		}},
	}
}

// maxHeapGrowth is the maximum number of bytes by which a row may make the live heap
// grow, apart from what is stored. An inbox of 500 events takes about one megabyte.
const maxHeapGrowth = 3 << 20

// TestHostileHeap measures the live heap after others have sent very much.
func TestHostileHeap(t *testing.T) {
	needsMem(t)
	if raceEnabled {
		t.Skip("the heap is not measured")
	}
	for _, row := range heapRows() {
		bubble(t, row.name, func(t *testing.T) { row.test(t) })
	}
}

func (row *heapRow) test(t *testing.T) {
	f := newScripted()
	f.handle = func(s *socket, e *element.Element) bool {
		if !isList(e) {
			return false
		}
		rows := ""
		for service, node := range map[string]string{"evil.localhost": "news", "good.localhost": "feed"} {
			rows += fmt.Sprintf("<subscription service='%s' node='%s' jid='alice@localhost' subscription='subscribed'/>", service, node)
		}
		s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'>"+rows+"</subscriptions>")
		return true
	}
	kept := store.NewMemory()
	d := f.device(t, func(o *client.Options) { o.Store = keep(kept) }).connect()
	d.caughtUp(t)
	size := func() (bytes int) {
		records, err := kept.Scan(t.Context(), store.Range{})
		check(t, err)
		for _, r := range records {
			bytes += len(r.Key) + len(r.Value)
		}
		return bytes
	}
	before, stored := liveHeap(), size()
	for i := 0; i < row.count; {
		var stanzas []string
		for ; i < row.count && len(stanzas) < 200; i++ {
			stanzas = append(stanzas, row.make(i))
		}
		f.socket().push(stanzas...)
		time.Sleep(100 * time.Millisecond)
	}
	f.socket().push(eventOf("good.localhost", "feed", itemOf("last")))
	until(t, "the event of another service", func() bool { return slices.Contains(d.added(), "feed published last") })
	time.Sleep(time.Minute)
	t.Logf("%d KiB of the heap", d.heapGrowth(t, before, size()-stored)>>10)
	if len(f.dialed()) != 1 {
		t.Errorf("%d dials", len(f.dialed()))
	}
}

// liveHeap returns the bytes of the heap that are in use.
func liveHeap() int {
	var m runtime.MemStats
	for range 2 { // the first collection may only queue what is released in the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// heapGrowth returns how much the live heap has grown, apart from what is stored in memory
// and from what the test has recorded, which it discards. It checks the bound, except with
// the race detector, which takes memory of its own.
func (d *device) heapGrowth(t *testing.T, before, stored int) int {
	t.Helper()
	d.mu.Lock()
	d.events, d.frames = nil, nil
	d.mu.Unlock()
	grown := liveHeap() - before - stored
	if grown > maxHeapGrowth && !raceEnabled {
		t.Errorf("the live heap has grown by %d MiB, at most %d", grown>>20, maxHeapGrowth>>20)
	}
	return grown
}
