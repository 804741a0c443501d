//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

const nsMAM = "urn:xmpp:mam:2"

// A hostile row is what a service, or another entity, sends to a device of alice, who
// follows the node news of evil.localhost and the node feed of good.localhost.
type hostileRow struct {
	name     string
	archive  func(s *socket, query *element.Element, page int) // answers queries about evil.localhost; nil: there is no archive
	items    string                                            // the answer about the node news
	live     []string                                          // sent after the catch-up
	want     []string                                          // items of news in the inbox, unless most is set
	most     int                                               // events of news
	requests int                                               // the most about evil.localhost
	bytes    int                                               // the most that is stored
	reason   pam.GapReason
}

func eventOf(from, node, items string) string {
	return "<message xmlns='jabber:client' to='alice@localhost' from='" + from + "'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='" + node + "'>" + items + "</items></event></message>"
}

func itemOf(id string) string { return "<item id='" + id + "'><x xmlns='urn:x'>" + id + "</x></item>" }

// resultOf returns a result of an archive.
func resultOf(from, query, id, stamp, message string) string {
	return "<message xmlns='jabber:client' to='alice@localhost/x' from='" + from + "'><result xmlns='" + nsMAM + "' queryid='" + query + "' id='" + id + "'><forwarded xmlns='urn:xmpp:forward:0'>" +
		"<delay xmlns='urn:xmpp:delay' stamp='" + stamp + "'/>" + message + "</forwarded></result></message>"
}

func finOf(complete bool, last string) string {
	return fmt.Sprintf("<fin xmlns='%s' complete='%v'><set xmlns='%s'><first>%s</first><last>%s</last></set></fin>", nsMAM, complete, ns.RSM, last, last)
}

func hostileRows() []hostileRow {
	const past = "2000-01-01T00:00:00Z"
	endless := func(size int) func(*socket, *element.Element, int) {
		return func(s *socket, iq *element.Element, page int) {
			id := iq.First().Attr("queryid")
			last := ""
			for i := range size {
				last = fmt.Sprintf("a%d-%d", page, i)
				s.push(resultOf("alice@localhost", id, last, past, eventOf("evil.localhost", "news", itemOf(last))))
			}
			s.result(iq, finOf(false, last))
		}
	}
	var strangers []string
	for _, from := range []string{"evil.localhost/x", "stranger.example", "bob@localhost", "bob@localhost/x", "alice@localhost", "alice@localhost/other", "localhost", "good.localhost"} {
		strangers = append(strangers, eventOf(from, "news", itemOf("forged")), eventOf(from, "unknown", itemOf("forged")))
	}
	var long strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&long, "<item id='l%d'><p:x/></item>", i)
	}
	space := "urn:" + strings.Repeat("x", 60<<10)
	var spaces strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&spaces, "<a xmlns='urn:n:%d'/>", i)
	}
	var many []string
	for i := range 20 {
		many = append(many, eventOf("evil.localhost", "news", fmt.Sprintf("<item id='n%d'><x xmlns='urn:x'>%s</x></item>", i, spaces.String())))
	}
	return []hostileRow{
		{name: "events of what is not followed", live: append(strangers, eventOf("evil.localhost", "other", itemOf("other"))), requests: 3, bytes: 20 << 10},
		{name: "forged results of the archive", archive: func(s *socket, iq *element.Element, _ int) {
			id := iq.First().Attr("queryid")
			for _, from := range []string{"alice@localhost/other", "alice@localhost/x", "bob@localhost", "stranger.example", "evil.localhost", "localhost.example"} {
				s.push(resultOf(from, id, "f", past, eventOf("good.localhost", "feed", itemOf("forged"))), resultOf(from, id, "g", past, eventOf("evil.localhost", "news", itemOf("forged"))))
			}
			for _, guess := range []string{"", "1", "catch-up-1", id + "0", id[:len(id)-1], id[:len(id)-1] + "9"} {
				s.push(resultOf("alice@localhost", guess, "f", past, eventOf("good.localhost", "feed", itemOf("forged"))))
			}
			s.push(resultOf("alice@localhost", id, "a1", past, eventOf("evil.localhost", "news", itemOf("true"))),
				resultOf("alice@localhost", id, "a2", past, eventOf("stranger.example", "feed", itemOf("forged"))))
			s.result(iq, finOf(true, "a2"))
		}, want: []string{"true"}, requests: 3, bytes: 20 << 10},
		{name: "an archive of 100,000 pages", archive: endless(100), most: 500, requests: 110, bytes: 1 << 20, reason: pam.GapArchiveTruncated},
		{name: "an archive of 100,000 small pages", archive: endless(1), most: 500, requests: 260, bytes: 1 << 20, reason: pam.GapArchiveTruncated},
		{name: "items of another node", items: "<pubsub xmlns='" + ns.Pubsub + "'><items node='feed'>" + itemOf("forged") + "</items></pubsub>", requests: 6, bytes: 20 << 10},
		{name: "a time in the far future", archive: func(s *socket, iq *element.Element, _ int) {
			id := iq.First().Attr("queryid")
			s.push(resultOf("alice@localhost", id, "a1", "2999-01-01T00:00:00Z", eventOf("evil.localhost", "news", itemOf("future"))))
			s.result(iq, finOf(true, "a1"))
		}, live: []string{eventOf("evil.localhost", "news", "<item id='later'><entry xmlns='http://www.w3.org/2005/Atom'><title>x</title><updated>9999-01-01T00:00:00Z</updated></entry></item>")},
			want: []string{"future", "later"}, requests: 3, bytes: 20 << 10},
		{name: "1,000 items under one long namespace", live: []string{strings.Replace(eventOf("evil.localhost", "news", long.String()), "<items ", "<items xmlns:p='"+space+"' ", 1)}, most: 500, requests: 3, bytes: 1 << 20},
		{name: "payloads with 10,000 namespaces", live: many, most: 20, requests: 3, bytes: 20 * 300 << 10},
	}
}

// TestHostileInbox has services and strangers send what they can: nothing is believed that
// should not be, the requests and what is stored are bounded, and the events of others
// arrive.
func TestHostileInbox(t *testing.T) {
	needsMem(t)
	for _, row := range hostileRows() {
		bubble(t, row.name, func(t *testing.T) { row.test(t) })
	}
}

func (row *hostileRow) test(t *testing.T) {
	f := newScripted()
	requests, pages := 0, 0
	f.handle = func(s *socket, e *element.Element) bool {
		to := e.Attr("to")
		query := e.Child(nsMAM, "query")
		about := to
		if query != nil && strings.Contains(query.String(), "evil.localhost") {
			about = "evil.localhost"
		}
		if about == "evil.localhost" {
			requests++
		}
		switch {
		case isList(e):
			rows := ""
			for service, node := range map[string]string{"evil.localhost": "news", "good.localhost": "feed"} {
				rows += fmt.Sprintf("<subscription service='%s' node='%s' jid='alice@localhost' subscription='subscribed'/>", service, node)
			}
			s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v1'>"+rows+"</subscriptions>")
		case isDisco(e) && to == "alice@localhost" && row.archive != nil:
			s.result(e, "<query xmlns='"+nsInfo+"'><feature var='"+ns.PAM+"'/><feature var='"+nsMAM+"'/><feature var='"+ns.ArchivesAllEvents+"'/></query>")
		case query != nil && about == "evil.localhost":
			pages++
			row.archive(s, e, pages)
		case query != nil && strings.Contains(query.String(), "good.localhost"):
			s.push(resultOf("alice@localhost", query.Attr("queryid"), "g1", "2000-01-01T00:00:00Z", eventOf("good.localhost", "feed", itemOf("archived"))))
			s.result(e, finOf(true, "g1"))
		case query != nil:
			s.result(e, finOf(true, ""))
		case row.items != "" && about == "evil.localhost" && isCatchUp(e) && !isDisco(e):
			s.result(e, row.items)
		default:
			return false
		}
		return true
	}
	before := liveHeap()
	kept := store.NewMemory()
	// The device was connected before, so that the archive is read from then on.
	d := f.device(t, func(o *client.Options) { o.Store = keep(kept) })
	first := *row
	if row.archive != nil {
		row.archive = func(s *socket, e *element.Element, _ int) { s.result(e, finOf(true, "")) }
	}
	d.connect()
	d.caughtUp(t)
	time.Sleep(time.Minute)
	check(t, d.Close())
	time.Sleep(time.Hour)
	f.set(func() { *row, requests, pages = first, 0, 0 })
	d = f.device(t, func(o *client.Options) { o.Store = keep(kept) }).connect()
	state := d.caughtUp(t)
	f.socket().push(row.live...)
	f.socket().push(eventOf("good.localhost", "feed", itemOf("last")))
	until(t, "the event of another service", func() bool { return slices.Contains(d.added(), "feed published last") })
	time.Sleep(time.Minute)

	var got, feed []string
	events := d.all(t)
	for _, e := range events {
		if e.Node == "feed" && e.Service == "good.localhost" {
			feed = append(feed, e.ItemID)
		} else if e.Node == "news" && e.Service == "evil.localhost" {
			got = append(got, e.ItemID)
		} else {
			t.Errorf("an event of %s %s", e.Service, e.Node)
		}
	}
	slices.Sort(got)
	if row.most == 0 && !slices.Equal(got, row.want) || row.most > 0 && (len(got) == 0 || len(got) > row.most) {
		t.Errorf("%d events: %.300q, want %q, at most %d", len(got), got, row.want, row.most)
	}
	wantFeed := []string{"last"}
	if row.archive != nil {
		wantFeed = append(wantFeed, "archived")
	}
	if !slices.Equal(feed, wantFeed) {
		t.Errorf("of the other service: %q, want %q", feed, wantFeed)
	}
	if len(events) > 0 && events[0].ItemID != "last" && row.most == 0 {
		t.Errorf("%s is listed first", events[0].ItemID)
	}
	size := 0
	records, err := kept.Scan(t.Context(), store.Range{})
	check(t, err)
	for _, r := range records {
		size += len(r.Key) + len(r.Value)
	}
	if size > row.bytes || requests > row.requests {
		t.Errorf("%d bytes, at most %d; %d requests, at most %d", size, row.bytes, requests, row.requests)
	}
	if reasons := state.CatchUp.Gaps; row.reason != "" && (len(reasons) == 0 || reasons[0].Reason != row.reason || state.CatchUp.Completeness != pam.Partial) {
		t.Errorf("completeness %s, gaps %+v", state.CatchUp.Completeness, reasons)
	}
	if len(f.dialed()) != 2 || d.State().Phase != pam.PhaseLive {
		t.Errorf("%d dials, %s", len(f.dialed()), d.State().Phase)
	}
	events, state = nil, pam.InboxState{}
	t.Logf("%d events, %d bytes, %d requests, %d KiB of the heap", len(got), size, requests, d.heapGrowth(t, before, size)>>10)
}
