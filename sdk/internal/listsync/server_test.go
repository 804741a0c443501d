package listsync

import (
	"fmt"
	"slices"
	"strconv"

	"xmpp-pam/sdk/pam"
)

// A server is a model of an account's server: all states of the list so far, and the
// forms in which XEP-0376 allows a server to send them.
type server struct {
	*choices
	delta         int // the form of a delta: a delta constant
	stamps        int // the versions in its notifies: a stamp constant
	after         bool
	reorders      bool // list replies overtake live notifies
	omitsVersions bool // some live notifies have no version
	noVersion     bool // no stanza has a version
	hashed        bool // equal lists have equal versions
	rejects       int  // answers with an error: 1 to unknown versions, 2 to any version
	notifies      bool // answers even a request without a version with a delta
	hides         int  // omits subids: 1 in the list, 2 in notifies
	stamping      bool // stanzas replayed by a resumption have a delay stamp

	narrow int                  // 1 if all changes concern one service
	states [][]pam.Subscription // states[i] is the list after i changes
	log    []logged             // log[i] is the change from states[i] to states[i+1]
	floor  int                  // no deltas are available from states before this one
	index  map[pam.Version]int  // the last state of each version
}

type logged struct {
	version pam.Version
	items   []pam.Subscription // as sent in the notify
	touched []pam.Key
}

// The forms of a delta.
const (
	deltaSteps     = iota // every change since
	deltaCollapsed        // every key touched since, with its final state
	deltaNet              // the differences between the two states
	deltaNever            // always the full list
)

// The versions in the notifies of a delta.
const (
	stampOwn   = iota // the version of the change itself
	stampFinal        // the version of the state after the delta
	stampLast         // only the last notify has a version, that of the state after the delta
)

func newServer(c *choices) server {
	s := server{choices: c, states: [][]pam.Subscription{nil}, index: map[pam.Version]int{}}
	s.narrow = c.next(2)
	s.delta = c.next(4)
	s.stamps = c.next(3)
	switch c.next(16) {
	case 0:
		s.reorders = true
	case 1, 2:
		s.omitsVersions = true
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
	return fmt.Sprintf("delta %d, stamps %d, after %v, reorders %v, omitsVersions %v, noVersion %v, hashed %v, rejects %d, notifies %v, hides %d, stamping %v, list %v",
		s.delta, s.stamps, s.after, s.reorders, s.omitsVersions, s.noVersion, s.hashed, s.rejects, s.notifies, s.hides, s.stamping, s.now())
}

func (s *server) now() []pam.Subscription { return s.states[len(s.states)-1] }

// exact reports whether a stored list always equals the list of the stored version. A
// delta sent after the result looks like live notifies: the machine commits it in
// parts, and it may repeat changes that the list already contains.
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

// mutate changes the list as a subscribe or unsubscribe of any device would. The
// service assigns no subid at node n1, one on confirmation at n2, and two at n3.
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
	if s.hides > 0 { // If subids are omitted, the client could not distinguish two rows of a node.
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
	if s.omitsVersions && s.next(4) == 0 {
		h.Version = ""
	}
	return h, true
}

// notify returns the notify in which this server sends changes.
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

// list returns the answer to a list request: the notifies of a delta and the result,
// in order.
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
	}
	known = known && from >= s.floor
	switch {
	case s.rejects == 2, s.rejects == 1 && !known:
		return []Input{ListFailed{req.Round}}
	case !known, s.delta == deltaNever:
		return full
	}
	inputs := s.changesSince(from)
	for i := range inputs {
		h := inputs[i].(Notify)
		switch {
		case s.stamps == stampFinal, s.stamps == stampLast && i == len(inputs)-1:
			h.Version = s.version(now)
		case s.stamps == stampLast:
			h.Version = ""
		}
		inputs[i] = h
	}
	empty := ListResult{Round: req.Round}
	if s.after {
		return append([]Input{empty}, inputs...)
	}
	return append(inputs, empty)
}

func (s *server) changesSince(from int) (inputs []Input) {
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
			inputs = append(inputs, s.notify(l.version, l.items...))
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
			if s.after { // a live notify contains all changes of its version
				if items != nil {
					inputs = append(inputs, s.notify(l.version, items...))
				}
				continue
			}
			for _, item := range items {
				inputs = append(inputs, s.notify(l.version, item))
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
		inputs = append(gone, here...)
	}
	return inputs
}
