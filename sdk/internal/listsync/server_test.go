package listsync

import (
	"fmt"
	"slices"
	"strconv"

	"xmpp-pam/sdk/pam"
)

// A server is the model of an account's server: every state of the list it
// ever had, and the many ways in which XEP-0376 lets it tell them.
type server struct {
	*choices
	delta     int // how a delta is told
	stamps    int // which versions its notifies bear
	after     bool
	sloppy    bool // list replies overtake live notifies
	mute      bool // some live notifies bear no version
	noVersion bool // nothing ever bears one
	hashed    bool // equal lists have equal versions
	rejects   int  // answers an error to: 1 unknown versions, 2 any version
	notifies  bool // answers even a request without a version by a delta
	hides     int  // subids: 1 in the list, 2 in notifies
	stamping  bool // what comes again after a resumption bears a delay stamp

	narrow int                  // 1: all changes are at one service
	states [][]pam.Subscription // states[i] is the list after i changes
	log    []logged             // log[i] leads from states[i] to states[i+1]
	floor  int                  // deltas from states before this are not known
	index  map[pam.Version]int  // the last state of each version
}

type logged struct {
	version pam.Version
	items   []pam.Subscription // as notified
	touched []pam.Key
}

// How a delta is told.
const (
	deltaSteps     = iota // every change since
	deltaCollapsed        // every key touched since, with its final state
	deltaNet              // what differs
	deltaNever            // always the full list
)

// Which versions the notifies of a delta bear.
const (
	stampOwn   = iota // that of their own change
	stampFinal        // that of the state after the delta
	stampLast         // only the last one, that of the state after the delta
)

func newServer(c *choices) server {
	s := server{choices: c, states: [][]pam.Subscription{nil}, index: map[pam.Version]int{}}
	s.narrow = c.next(2)
	s.delta = c.next(4)
	s.stamps = c.next(3)
	switch c.next(16) {
	case 0:
		s.sloppy = true
	case 1, 2:
		s.mute = true
	case 3, 15:
		s.noVersion = true
	case 4:
		s.hashed = true
	case 5:
		s.rejects = 1
	case 6:
		s.rejects = 2
	case 7:
		s.notifies = true
	case 9:
		s.hides = 1 + c.next(2)
		s.noVersion = s.hides == 1
	case 8:
		s.after, s.delta, s.stamps = true, c.next(2), stampOwn
	}
	s.stamping = c.next(3) == 0
	if s.delta == deltaNet && s.stamps == stampOwn {
		s.stamps = stampFinal
	}
	s.index[s.version(0)] = 0
	for range c.next(4) {
		s.mutate()
	}
	return s
}

func (s *server) String() string {
	return fmt.Sprintf("delta %d, stamps %d, after %v, sloppy %v, mute %v, noVersion %v, hashed %v, rejects %d, notifies %v, hides %d, stamping %v, list %v",
		s.delta, s.stamps, s.after, s.sloppy, s.mute, s.noVersion, s.hashed, s.rejects, s.notifies, s.hides, s.stamping, s.now())
}

func (s *server) now() []pam.Subscription { return s.states[len(s.states)-1] }

// exact tells that a stored list is always that of the stored version. A delta
// after the result looks like live notifies: it is committed in parts, and may
// repeat what the list held already.
func (s *server) exact() bool { return !s.after }

func (s *server) version(i int) pam.Version {
	switch {
	case s.noVersion:
		return ""
	case !s.hashed:
		return pam.Version("v" + strconv.Itoa(i))
	}
	v := "h"
	for _, row := range s.states[i] {
		v += row.Service + row.Node + row.SubID + string(row.State)
	}
	return pam.Version(v)
}

const testAccount = "francisco@denmark.lit"

func sub(service, node, subid string, state pam.State) pam.Subscription {
	return pam.Subscription{Key: pam.Key{Service: service, Node: node, SubID: subid}, JID: testAccount, State: state}
}

// mutate is some device subscribing or unsubscribing. At node n1 the service
// gives no subid; at n2 it gives one when it confirms; at n3 there are two.
func (s *server) mutate() (Notify, bool) {
	service := []string{"a.lit", "b.lit"}[s.next(2-s.narrow)]
	var item pam.Subscription
	switch s.next(10) {
	case 0, 1:
		item = sub(service, "n1", "", []pam.State{pam.StateSubscribed, pam.StatePending}[s.next(2)])
	case 2:
		item = sub(service, "n1", "", pam.StateNone)
	case 3, 15:
		item = sub(service, "n2", "", pam.StatePending)
	case 4:
		item = sub(service, "n2", "x", pam.StateSubscribed)
	case 5:
		item = sub(service, "n2", "", pam.StateNone)
	case 6, 7:
		item = sub(service, "n3", []string{"x", "y"}[s.next(2)], pam.StateSubscribed)
	case 8:
		item = sub(service, "n3", []string{"x", "y"}[s.next(2)], pam.StateNone)
	case 9:
		item = sub(service, "n3", "", pam.StateNone)
	}
	old := newRows(s.now())
	if item.State == pam.StatePending && item.Node == "n2" {
		if _, confirmed := old[pam.Key{Service: service, Node: "n2", SubID: "x"}]; confirmed {
			return Notify{}, false
		}
	}
	list := newRows(s.now())
	list.apply([]pam.Subscription{item})
	next := list.sorted()
	if slices.Equal(next, s.now()) {
		return Notify{}, false
	}
	if s.hides > 0 { // Where subids are hidden, nobody could tell two rows of a node apart.
		at := map[string]bool{}
		for _, row := range next {
			if at[row.Service+" "+row.Node] {
				return Notify{}, false
			}
			at[row.Service+" "+row.Node] = true
		}
	}
	var touched []pam.Key
	for k, before := range old {
		if after, ok := list[k]; !ok || after != before {
			touched = append(touched, k)
		}
	}
	for k := range list {
		if _, ok := old[k]; !ok {
			touched = append(touched, k)
		}
	}
	slices.SortFunc(touched, byKey)
	s.states = append(s.states, next)
	v := s.version(len(s.states) - 1)
	s.index[v] = len(s.states) - 1
	s.log = append(s.log, logged{v, []pam.Subscription{item}, touched})
	h := s.notify(v, item)
	if s.mute && s.next(4) == 0 {
		h.Version = ""
	}
	return h, true
}

// notify is a notify of changes as this server words it.
func (s *server) notify(v pam.Version, items ...pam.Subscription) Notify {
	if s.hides == 2 {
		items = slices.Clone(items)
		for i := range items {
			items[i].SubID = ""
		}
	}
	return Notify{Version: v, Items: items}
}

func (s *server) loseHistory() { s.floor = len(s.states) - 1 }

// list answers a list request: the notifies of a delta and the result, in
// order.
func (s *server) list(req RequestList, mayFail bool) []Input {
	now := len(s.states) - 1
	rows := slices.Clone(s.now())
	for i := range rows {
		if s.hides == 1 {
			rows[i].SubID = ""
		}
	}
	full := []Input{ListResult{Round: req.Round, Full: true, List: rows, Version: s.version(now)}}
	if mayFail && s.next(20) == 0 {
		return []Input{ListFailed{req.Round}}
	}
	from, known := s.index[req.Version]
	switch {
	case req.Version == "" && s.notifies:
		from, known = 0, true
	case req.Version == "" || s.noVersion:
		return full
	case s.rejects == 2:
		return []Input{ListFailed{req.Round}}
	}
	if !known || from < s.floor {
		if s.rejects == 1 {
			return []Input{ListFailed{req.Round}}
		}
		return full
	}
	if s.delta == deltaNever {
		return full
	}
	heards := s.changesSince(from)
	for i := range heards {
		h := heards[i].(Notify)
		switch {
		case s.stamps == stampFinal, s.stamps == stampLast && i == len(heards)-1:
			h.Version = s.version(now)
		case s.stamps == stampLast:
			h.Version = ""
		}
		heards[i] = h
	}
	empty := ListResult{Round: req.Round}
	if s.after {
		return append([]Input{empty}, heards...)
	}
	return append(heards, empty)
}

func (s *server) changesSince(from int) (heards []Input) {
	rows := newRows(s.now())
	final := func(k pam.Key) pam.Subscription {
		if row, ok := rows[k]; ok {
			return row
		}
		return pam.Subscription{Key: k, JID: testAccount, State: pam.StateNone}
	}
	switch s.delta {
	case deltaSteps:
		for _, l := range s.log[from:] {
			heards = append(heards, s.notify(l.version, l.items...))
		}
	case deltaCollapsed:
		last := map[pam.Key]int{}
		for i, l := range s.log[from:] {
			for _, k := range l.touched {
				last[k] = i
			}
		}
		for i, l := range s.log[from:] {
			var items []pam.Subscription
			for _, k := range l.touched {
				if last[k] == i {
					items = append(items, final(k))
				}
			}
			if s.after { // a live notify tells all of its version
				if items != nil {
					heards = append(heards, s.notify(l.version, items...))
				}
				continue
			}
			for _, item := range items {
				heards = append(heards, s.notify(l.version, item))
			}
		}
	case deltaNet:
		var gone, here []Input
		before := newRows(s.states[from])
		for _, s0 := range before.sorted() {
			if _, still := rows[s0.Key]; !still {
				gone = append(gone, s.notify("", final(s0.Key)))
			}
		}
		for _, s1 := range rows.sorted() {
			if before[s1.Key] != s1 {
				here = append(here, s.notify("", s1))
			}
		}
		heards = append(gone, here...)
	}
	return heards
}
