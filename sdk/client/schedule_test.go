//go:build !js

package client_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"xmpp-pam/sdk/server/mem"
)

// A schedule describes a run with one account as data, which the page in Chromium runs
// as well (js/test/browser/schedules.test.mjs). All its tabs share a store.
type schedule struct {
	Server string `json:"server"` // a personality of package mem
	Tabs   int    `json:"tabs"`
	Hints  bool   `json:"hints"` // tabs send each other hints after a commit
	Disk   int    `json:"disk"`  // milliseconds that a commit takes
	Steps  []step `json:"steps"`
}

// A step is one action of a schedule. Do is
//
//	change      another device puts its subscription to Node into State
//	outdate     the server drops its history of the current list
//	subscribe, unsubscribe, refresh   a tab calls it, and the schedule does not wait
//	connect, disconnect               of a tab
//	down, up    a tab loses its network, and gets it back
//	cut         a tab's connection breaks; the tab may reconnect at once
//	expire      the server ends sessions that have no connection, and keeps their counts
//	forget      the same, but it keeps nothing
//	crash       a tab ends without warning and is started again; the pending commit is
//	            stored if State has "stored" in it; the session is resumed if it has "resume"
//	outrank     another session of the account has the priority State, and sends nothing else
//	send        every session of the account gets XML, in which {bare} and {full} are JIDs
//	hold        the server holds back its messages, from the next one that contains XML
//	release     it sends them
//	settle      all tabs are connected, all requests are done, all tabs are equal to the server
//	mark        tabs that are connected are equal to the server, others to the store
//
// Ms is how long to wait after it.
type step struct {
	Do    string `json:"do"`
	Tab   int    `json:"tab,omitempty"`
	Node  string `json:"node,omitempty"`
	State string `json:"state,omitempty"`
	XML   string `json:"xml,omitempty"`
	Ms    int    `json:"ms,omitempty"`
}

func (s schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "server %s, %d tabs, hints %v, disk %d ms", s.Server, s.Tabs, s.Hints, s.Disk)
	for i, step := range s.Steps {
		fmt.Fprintf(&b, "\n%d %+v", i, step)
	}
	return b.String()
}

// scheduleNodes are all nodes that schedules name.
func scheduleNodes() (nodes []string) {
	for i := range theirNodes {
		nodes = append(nodes, fmt.Sprintf("their%d", i))
	}
	for i := range 3 * tabNodes {
		nodes = append(nodes, fmt.Sprintf("own%d", i))
	}
	return nodes
}

const (
	theirNodes = 6 // changed by the other device alone
	tabNodes   = 2 // of each tab, which alone requests them, so that the outcome is certain
)

// drawSchedule draws a schedule.
func drawSchedule(r *rand.Rand) schedule {
	s := schedule{Server: "spec", Tabs: 1 + r.IntN(3), Hints: r.IntN(4) > 0, Disk: []int{0, 0, 2, 30}[r.IntN(4)]}
	if r.IntN(2) == 0 {
		s.Server = personalities[r.IntN(len(personalities))]
	}
	for tab := range s.Tabs {
		s.Steps = append(s.Steps, step{Do: "connect", Tab: tab, Ms: drawWait(r)})
	}
	if r.IntN(3) > 0 {
		s.Steps = append(s.Steps, step{Do: "settle"})
	}
	for range 6 + r.IntN(24) {
		s.Steps = append(s.Steps, s.draw(r)...)
	}
	s.Steps = append(s.Steps, step{Do: "settle"})
	if r.IntN(2) == 0 { // One tab is idle while the list changes.
		rests := step{Do: []string{"disconnect", "down"}[r.IntN(2)], Tab: r.IntN(s.Tabs), Ms: 50}
		s.Steps = append(s.Steps, rests)
		for range 1 + r.IntN(5) {
			s.Steps = append(s.Steps, drawChange(r))
		}
		s.Steps = append(s.Steps, step{Do: "mark"}, step{Do: "settle"})
	}
	return s
}

var personalities = []string{"net", "roster-order", "libervia", "libervia-ejabberd", "typo", "amnesia", "forger", "racing", "priority"}

func (s schedule) draw(r *rand.Rand) []step {
	tab := r.IntN(s.Tabs)
	one := func(st step) []step {
		st.Tab, st.Ms = tab, drawWait(r)
		return []step{st}
	}
	switch n := r.IntN(40); {
	case n < 12:
		return []step{drawChange(r)}
	case n < 18:
		do := []string{"subscribe", "unsubscribe"}[r.IntN(2)]
		return one(step{Do: do, Node: fmt.Sprintf("own%d", tab+s.Tabs*r.IntN(tabNodes))})
	case n < 20:
		return one(step{Do: "refresh", State: []string{"", "full"}[r.IntN(2)]})
	case n < 24:
		return one(step{Do: "cut"})
	case n < 27:
		away := one(step{Do: "down"})
		for range r.IntN(4) {
			away = append(away, drawChange(r))
		}
		away = append(away, [][]step{nil, {{Do: "expire"}}, {{Do: "forget"}}, {{Do: "outdate"}}}[r.IntN(4)]...)
		return append(away, one(step{Do: "up"})...)
	case n < 29:
		return append(one(step{Do: "disconnect"}), append(s.draw(r), one(step{Do: "connect"})...)...)
	case n < 30:
		return one(step{Do: "crash", State: crashes[r.IntN(len(crashes))]})
	case n < 31: // at any time in a round, and again in the next one
		var steps []step
		for _, st := range []step{
			{Do: "hold", XML: []string{"<notify", "<iq"}[r.IntN(2)]}, drawChange(r), drawChange(r),
			{Do: "refresh", Tab: tab, State: []string{"", "full"}[r.IntN(2)], Ms: reloads[r.IntN(len(reloads))]},
			{Do: "release"},
			{Do: "crash", Tab: tab, State: "resume", Ms: reloads[r.IntN(len(reloads))]},
			{Do: "crash", Tab: tab, State: crashes[r.IntN(len(crashes))], Ms: drawWait(r)},
		} {
			if hold := st.Do == "hold" || st.Do == "release"; !hold || r.IntN(2) == 0 {
				steps = append(steps, st)
			}
		}
		return steps
	case n < 32:
		return one(step{Do: "outdate"})
	case n < 33 && personality(s.Server).NoVersions:
		away := []step{{Do: "outrank", State: "5", Ms: drawWait(r)}}
		for range r.IntN(4) {
			away = append(away, drawChange(r))
		}
		return append(away, step{Do: "outrank", State: "0", Ms: drawWait(r)})
	case n < 35:
		return one(step{Do: "send", XML: forged[r.IntN(len(forged))]})
	case n < 38:
		held := []step{{Do: "hold", XML: []string{"<notify", "<iq", ""}[r.IntN(3)]}}
		for range 1 + r.IntN(3) {
			held = append(held, drawChange(r))
		}
		return append(held, one(step{Do: "release"})...)
	default:
		return []step{{Do: "settle"}}
	}
}

var (
	crashes = []string{"", "stored", "resume", "stored resume"}
	reloads = []int{0, 1, 5, 20, 50, 150, 240, 260} // a session's record is written every 250 ms
)

func drawChange(r *rand.Rand) step {
	state := []string{"subscribed", "subscribed", "pending", "none", "none"}[r.IntN(5)]
	return step{Do: "change", Node: fmt.Sprintf("their%d", r.IntN(theirNodes)), State: state, Ms: drawWait(r)}
}

func drawWait(r *rand.Rand) int { return []int{0, 0, 0, 1, 5, 40, 400}[r.IntN(7)] }

// forged are stanzas that a client must not accept.
var forged = []string{
	forgery("mallory@localhost/phone", ""),
	forgery("{full}", ""),
	forgery("{bare}", "type='error'"),
	forgery("pubsub.localhost", ""),
	forgery("localhost.example", ""),
	"<message xmlns='jabber:client' from='{bare}'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>" +
		forgery("{bare}", "") + "</forwarded></received></message>",
	"<message xmlns='jabber:client' from='{bare}'><result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'>" +
		forgery("{bare}", "") + "</forwarded></result></message>",
	"<message xmlns='jabber:client' xmlns:x='jabber:client' x:from='{bare}' from='mallory@localhost'>" + forgedNotify + "</message>",
	"<iq xmlns='jabber:client' type='result' id='list' from='mallory@localhost'><subscriptions xmlns='urn:xmpp:pam:0' ver='forged'/></iq>",
}

const forgedNotify = "<notify xmlns='urn:xmpp:pam:0' ver='forged' service='pubsub.localhost'>" +
	"<subscription xmlns='http://jabber.org/protocol/pubsub' node='forged' jid='{bare}' subscription='subscribed'/></notify>"

func forgery(from, more string) string {
	return "<message xmlns='jabber:client' from='" + from + "' " + more + ">" + forgedNotify + "</message>"
}

// personality returns the personality with that name.
func personality(name string) mem.Personality {
	p, ok := mem.Personalities[name]
	if !ok {
		panic("no personality " + name)
	}
	return p
}
