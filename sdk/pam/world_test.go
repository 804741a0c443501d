package pam

import (
	"fmt"
	"slices"
	"strings"
)

// A world is a model server, a model store, and one or two tabs that share the
// store; each tab is a Machine with a session. It checks:
//
//	I1 at every commit the stored list is the one that the server had at the
//	   stored version (or becomes the server's by the changes since)
//	I2 the stored version was issued by the server
//	I3 list and version change together, by compare and set, and an epoch is
//	   never spent on equal content
//	and that at most one round and one commit are under way, that what is
//	announced is stored and adds up to the committed list, and that with the
//	connection up and nothing left to do, every tab is Synced and not dirty,
//	shows no overlay, and has the server's list.
type world struct {
	*choices
	trace *strings.Builder
	server
	store Durable
	tabs  []*tab
	hints bool // tabs tell each other about commits
	early bool // a sloppy server was not met before the list without a version
}

type violation string

func (w *world) fail(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

func (w *world) note(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "  "+format+"\n", args...)
	}
}

type tab struct {
	name    string
	m       *Machine
	s       *session // nil: none
	cut     bool     // s may be resumed
	timers  [2]bool
	pending *Commit // under way
	answer  Input   // to pending, once the store has it
	hinted  bool
	round   int // under way
	failed  bool
	view    map[Key]Subscription // what was announced
	offered Durable              // the last Stored
	known   []Subscription       // what the store is known to hold
	overlay map[Key]Subscription
	phase   Phase
	dirty   bool
	witness witness
}

// A session is the server's side of one; stanzas and requests are under way
// in it.
type session struct {
	stanzas  []Input
	requests []RequestList
}

func newWorld(c *choices, trace *strings.Builder) *world {
	w := &world{choices: c, trace: trace, server: newServer(c)}
	w.hints = c.next(2) == 0
	w.store.Epoch = uint64(c.next(2)) * 1000
	for i := range 1 + c.next(2) {
		w.tabs = append(w.tabs, &tab{name: string(rune('A' + i))})
		w.boot(w.tabs[i])
	}
	w.note("%s; hints %v; %d tabs", w.server.String(), w.hints, len(w.tabs))
	return w
}

// step lets one thing happen.
func (w *world) step() {
	t := w.tabs[w.next(len(w.tabs))]
	switch e := w.next(40); {
	case e < 7:
		w.change()
	case e < 12:
		w.serve(t, true)
	case e < 21:
		w.deliver(t)
	case e < 25:
		w.execute(t)
	case e < 29:
		w.reply(t)
	case e < 31:
		w.connect(t, w.next(4) == 0)
	case e == 31:
		w.disconnect(t)
	case e == 32:
		w.crash(t)
	case e < 35:
		w.hint(t)
	case e == 35:
		w.fire(t)
	case e == 36:
		w.input(t, Refresh{Full: w.next(3) == 0})
	case e == 37:
		w.loseHistory()
	case e == 38 && t.s != nil && len(w.log) > 0:
		old := w.log[w.next(len(w.log))]
		t.s.stanzas = append(t.s.stanzas, Heard{Version: old.version, Items: old.items, Delayed: true})
	case e == 39:
		for range 3 {
			w.change()
		}
	}
}

func (w *world) change() {
	h, ok := w.mutate()
	if !ok {
		return
	}
	w.note("server: %v", h)
	for _, t := range w.tabs {
		if t.s != nil {
			t.s.stanzas = append(t.s.stanzas, h)
		}
	}
}

func (w *world) serve(t *tab, mayFail bool) {
	if t.s == nil || t.cut || len(t.s.requests) == 0 {
		return
	}
	req := t.s.requests[0]
	t.s.requests = t.s.requests[1:]
	reply := w.list(req, mayFail)
	w.note("server to %s: list(%q) -> %v", t.name, req.Version, reply)
	if !w.sloppy {
		t.s.stanzas = append(t.s.stanzas, reply...)
		return
	}
	at := 0
	for _, in := range reply { // in order, but anywhere among the live notifies
		at += w.next(len(t.s.stanzas) - at + 1)
		t.s.stanzas = slices.Insert(t.s.stanzas, at, in)
		at++
	}
}

func (w *world) deliver(t *tab) {
	if t.s == nil || t.cut || len(t.s.stanzas) == 0 {
		return
	}
	in := t.s.stanzas[0]
	t.s.stanzas = t.s.stanzas[1:]
	switch in := in.(type) {
	case ListResult:
		if t.round == in.Round {
			t.round = 0
		}
	case ListFailed:
		if t.round == in.Round {
			t.round = 0
		}
	}
	w.input(t, in)
}

// execute lets the store do a tab's commit.
func (w *world) execute(t *tab) {
	c := t.pending
	if c == nil || t.answer != nil {
		return
	}
	if w.store.Stamp != c.Expect {
		w.note("store: conflict for %s, holds %v", t.name, w.store)
		t.answer = Conflict{c.Seq, w.store}
		return
	}
	list := newRows(w.store.List)
	for _, ch := range c.Changes {
		old, had := list[ch.key()]
		if (ch.Before != nil) != had || had && old != *ch.Before {
			w.fail("I3: change %v does not fit the stored list %v", ch, w.store.List)
		}
		if ch.After != nil {
			list[ch.After.Key] = *ch.After
		} else {
			delete(list, ch.Before.Key)
		}
	}
	if c.Replace && !slices.Equal(c.List, list.sorted()) {
		w.fail("I3: list and changes of a commit differ: %v, %v", c.List, list.sorted())
	}
	next := Durable{c.Next, list.sorted(), c.Unversioned}
	if next.Version == w.store.Version && slices.Equal(next.List, w.store.List) && next.Unversioned == w.store.Unversioned {
		w.fail("I3: a commit of equal content")
	}
	if next.Epoch != w.store.Epoch+1 {
		w.fail("I3: epoch %d after %d", next.Epoch, w.store.Epoch)
	}
	w.store = next
	w.note("store: %v", w.store)
	w.check()
	t.answer = Committed{c.Seq}
	for _, other := range w.tabs {
		other.hinted = other.hinted || other != t && w.hints
	}
}

// check is I1 and I2.
func (w *world) check() {
	if w.store.Version == "" {
		return
	}
	at, ok := w.index[w.store.Version]
	if !ok {
		w.fail("I2: version %q was never issued", w.store.Version)
	}
	if w.sloppy {
		return
	}
	if !w.exact() {
		list := newRows(w.store.List)
		for _, h := range w.log[at:] {
			list.apply(h.items)
		}
		if !slices.Equal(list.sorted(), w.now()) {
			w.fail("I1: the changes since %q do not lead from %v to %v", w.store.Version, w.store.List, w.now())
		}
	} else if !slices.Equal(w.store.List, w.states[at]) {
		w.fail("I1: stored %v as %q, which is %v", w.store.List, w.store.Version, w.states[at])
	}
}

func (w *world) reply(t *tab) {
	if t.answer == nil {
		return
	}
	in := t.answer
	switch in := in.(type) {
	case Committed:
		list := newRows(t.known)
		for _, ch := range t.pending.Changes {
			if ch.After != nil {
				list[ch.After.Key] = *ch.After
			} else {
				delete(list, ch.Before.Key)
			}
		}
		t.known = list.sorted()
	case Conflict:
		t.known = in.Durable.List
	}
	t.pending, t.answer = nil, nil
	w.input(t, in)
}

func (w *world) connect(t *tab, full bool) {
	switch {
	case t.s == nil:
		t.s, t.cut = &session{}, false
		w.input(t, SessionStarted{Full: full})
	case t.cut && full: // the server gave the session up
		t.s, t.cut = &session{}, false
		w.input(t, SessionStarted{})
	case t.cut:
		t.cut = false
		w.input(t, Resumed{})
	}
}

func (w *world) disconnect(t *tab) {
	if t.s == nil || t.cut {
		return
	}
	t.round = 0
	if w.next(2) == 0 {
		t.s = nil
	} else {
		t.cut = true
	}
	w.input(t, SessionEnded{})
}

// crash ends a tab, a commit under way being stored or not, and starts it
// again. A session whose state was stored may go on.
func (w *world) crash(t *tab) {
	if w.next(2) == 0 {
		w.execute(t)
	}
	_, stamp := t.m.Committed()
	resume := t.s != nil && !t.cut && t.m.Phase() == Synced && !t.m.Dirty() && !t.m.Busy() && stamp == w.store.Stamp && w.next(2) == 0
	s := t.s
	w.note("crash of %s", t.name)
	w.boot(t)
	if resume {
		t.s = s
		w.input(t, Resumed{Synced: true})
	}
}

func (w *world) boot(t *tab) {
	*t = tab{name: t.name, m: NewMachine(), view: newRows(w.store.List), known: w.store.List, overlay: map[Key]Subscription{}}
	w.input(t, Stored{w.store})
}

func (w *world) hint(t *tab) {
	if t.hinted {
		t.hinted = false
		w.input(t, Stored{w.store})
	}
}

func (w *world) fire(t *tab) {
	for i := range t.timers {
		if t.timers[i] {
			t.timers[i] = false
			w.input(t, TimerFired{Timer(i)})
			return
		}
	}
}
