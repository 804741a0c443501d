package listsync

import (
	"fmt"
	"slices"
	"strings"

	"xmpp-pam/sdk/pam"
)

// A world is a model server, a model store, and one or two tabs that share the
// store; each tab is a Machine with a session. It checks:
//
//	I1 at every commit the stored list is the one that the server had at the
//	   stored version (or becomes the server's list with the later changes)
//	I2 the stored version was issued by the server
//	I3 list and version change together, by compare and set, and an epoch is
//	   never spent on equal content
//	and that at most one round and one commit are pending, that announced
//	changes are stored and add up to the committed list, and that with the
//	connection up and no event pending, every tab is Synced and not dirty,
//	shows no overlay, and has the server's list.
type world struct {
	*choices
	trace *strings.Builder
	server
	store      Durable
	tabs       []*tab
	turn       int
	hints      bool // tabs notify each other of commits
	mismatched bool // the lists differed before the request without a version
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
	s       *session // nil if there is none
	cut     bool     // the connection is lost, and s may be resumed
	timers  [2]bool
	pending *Commit // pending
	answer  Input   // the store's answer to pending
	hinted  bool
	round   int // pending
	failed  bool
	view    map[pam.Key]pam.Subscription // the announced list
	offered Durable                      // the last Stored input
	known   []pam.Subscription           // the stored list as known to this tab
	overlay map[pam.Key]pam.Subscription
	phase   Phase
	dirty   bool
	witness witness

	run     int     // number of the run of the program in this tab
	handled int     // number of handled stanzas of s
	record  *record // survives a run

	drops      bool             // rows were dropped or restored
	restorable map[pam.Key]bool // keys that a notify mentions, or that were to be restored
	full       rows             // the last full result
}

// A session is the server's side of a session: all stanzas sent in it, in order, and
// the pending requests.
type session struct {
	sent     []stanza
	read     int // number of delivered stanzas
	replayed int // stanzas before this one are replayed, and may have a delay stamp
	requests []request
}

// A stanza is a notify, or the server's answer to a run of the program.
type stanza struct {
	in  Input
	run int
}

type request struct {
	RequestList
	run int
}

// A record is the session record stored for the next run. It may be outdated, or may
// never be stored.
type record struct {
	s       *session
	handled int // number of stanzas that need not be replayed
}

func (s *session) push(in Input) { s.sent = append(s.sent, stanza{in: in}) }

// idle reports whether no stanza or request is pending.
func (s *session) idle() bool { return s.read == len(s.sent) && len(s.requests) == 0 }

func newWorld(c *choices, trace *strings.Builder) *world {
	w := &world{choices: c, trace: trace, server: newServer(c)}
	w.hints = c.next(4) > 0
	w.store.Epoch = uint64(c.next(2)) * 1000
	for i := range 1 + c.next(3) {
		w.tabs = append(w.tabs, &tab{name: string(rune('A' + i))})
		w.boot(w.tabs[i])
	}
	w.note("%s; hints %v; %d tabs", w.server.String(), w.hints, len(w.tabs))
	return w
}

// step performs one event, usually in the same tab as before, so that the other tabs
// fall behind.
func (w *world) step() {
	if w.next(4) == 0 {
		w.turn = w.next(len(w.tabs))
	}
	t := w.tabs[w.turn]
	switch e := w.next(52); {
	case e < 7:
		w.change()
	case e < 11:
		w.serve(t, true)
	case e < 20:
		w.deliver(t)
	case e < 24:
		w.execute(t)
	case e < 28:
		w.reply(t)
	case e < 32:
		w.catchUp(t)
	case e < 34:
		w.connect(t, w.next(4) == 0)
	case e == 34:
		w.disconnect(t)
	case e < 38:
		w.crash(t)
	case e < 41:
		w.hint(t)
	case e == 41:
		w.fire(t)
	case e < 44:
		w.input(t, Refresh{Full: w.next(3) == 0})
	case e == 44:
		w.loseHistory()
	case e == 45 && t.s != nil && len(w.log) > 0:
		old := w.log[w.next(len(w.log))]
		t.s.push(Notify{Version: old.version, Items: old.items, Delayed: true})
	case e == 46:
		for range 3 {
			w.change()
		}
	case e < 51:
		w.save(t)
	case e == 51:
		w.drop(t)
	}
}

// drop drops a row from the list, or restores one.
func (w *world) drop(t *tab) {
	undo := w.next(3) == 0
	rows := rows(t.view).sorted()
	if undo {
		rows = t.m.Dropped()
	}
	if len(rows) > 0 {
		w.input(t, Drop{rows[w.next(len(rows))].Key, undo})
	}
}

// catchUp performs all pending events of a tab.
func (w *world) catchUp(t *tab) {
	for range 20 {
		w.deliver(t)
		w.serve(t, true)
		w.execute(t)
		w.reply(t)
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
			t.s.push(h)
		}
	}
}

func (w *world) serve(t *tab, mayFail bool) {
	if t.s == nil || t.cut || len(t.s.requests) == 0 {
		return
	}
	req := t.s.requests[0]
	t.s.requests = t.s.requests[1:]
	reply := w.list(req.RequestList, mayFail)
	w.note("server to %s: list(%q) -> %v", t.name, req.Version, reply)
	at := len(t.s.sent)
	if w.reorders {
		at = t.s.read
	}
	for _, in := range reply { // in order, but a server that reorders inserts them anywhere among the live notifies
		at += w.next(len(t.s.sent) - at + 1)
		t.s.sent = slices.Insert(t.s.sent, at, stanza{in, req.run})
		at++
	}
}

func (w *world) deliver(t *tab) {
	if t.s == nil || t.cut || t.s.read == len(t.s.sent) {
		return
	}
	got := t.s.sent[t.s.read]
	t.s.read++
	switch in := got.in.(type) {
	case ListResult:
		if got.run != t.run {
			return // The run that requested it has ended.
		}
		if t.round == in.Round {
			t.round = 0
		}
	case ListFailed:
		if got.run != t.run {
			return
		}
		if t.round == in.Round {
			t.round = 0
		}
	case Notify:
		if w.stamping && t.s.read <= t.s.replayed {
			in.Delayed = true
		}
		got.in = in
	}
	w.input(t, got.in)
	if t.m.Phase() == Synced && !t.m.Dirty() && !t.m.Busy() {
		t.handled = t.s.read
	}
}

// save stores the session record, which may happen later than the change of the
// session.
func (w *world) save(t *tab) {
	if t.s == nil {
		t.record = nil
		return
	}
	t.record = &record{t.s, t.handled}
}

// execute carries out a tab's commit in the store.
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
	list := newRows(w.store.list().Rows())
	for _, ch := range c.Changes {
		old, had := list[keyOf(ch)]
		if (ch.Before != nil) != had || had && old != *ch.Before {
			w.fail("I3: change %v does not fit the stored list %v", ch, w.store.list().Rows())
		}
		if ch.After != nil {
			list[ch.After.Key] = *ch.After
		} else {
			delete(list, ch.Before.Key)
		}
	}
	if !slices.Equal(c.List.Rows(), list.sorted()) {
		w.fail("I3: list and changes of a commit differ: %v, %v", c.List.Rows(), list.sorted())
	}
	next := Durable{c.Next, c.List, c.Dropped}
	if next.Version == w.store.Version && slices.Equal(next.List.Rows(), w.store.list().Rows()) && slices.Equal(next.Dropped, w.store.Dropped) {
		w.fail("I3: a commit of equal content")
	}
	w.checkDropped(t, next)
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

// check verifies I1 and I2.
func (w *world) check() {
	if w.store.Version == "" {
		return
	}
	at, ok := w.index[w.store.Version]
	if !ok {
		w.fail("I2: version %q was never issued", w.store.Version)
	}
	if w.reorders {
		return
	}
	if !w.exact() {
		list := newRows(w.store.all())
		for _, h := range w.log[at:] {
			list.apply(h.items)
		}
		if !w.alike(list.sorted(), w.now()) {
			w.fail("I1: the changes since %q do not lead from %v to %v", w.store.Version, w.store.list().Rows(), w.now())
		}
	} else if !w.alike(w.store.all(), w.states[at]) {
		w.fail("I1: stored %v and dropped %v as %q, which is %v", w.store.list().Rows(), w.store.Dropped, w.store.Version, w.states[at])
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
		t.known = in.Durable.list().Rows()
	}
	t.pending, t.answer = nil, nil
	w.input(t, in)
}

func (w *world) connect(t *tab, full bool) {
	switch {
	case t.s == nil:
		t.s, t.cut, t.handled, t.record = &session{}, false, 0, nil
		w.input(t, SessionStarted{Full: full})
	case t.cut && full: // the server has discarded the session
		t.s, t.cut, t.handled, t.record, t.round = &session{}, false, 0, nil, 0
		w.input(t, SessionEnded{})
		w.input(t, SessionStarted{})
	case t.cut:
		t.cut = false
	}
}

func (w *world) disconnect(t *tab) {
	if t.s == nil || t.cut {
		return
	}
	if w.next(2) == 0 { // The machine gets no input, because the session may be resumed.
		t.cut = true
		return
	}
	t.s, t.record, t.round = nil, nil, 0
	w.input(t, SessionEnded{})
}

// crash terminates a tab at any time, with a pending commit stored or not, and starts
// it again. The tab may resume the session of its stored record; the server then
// replays the stanzas that the record does not count.
func (w *world) crash(t *tab) {
	if w.next(2) == 0 {
		w.execute(t)
	}
	w.note("crash of %s", t.name)
	r := t.record
	w.boot(t)
	if r == nil || w.next(4) == 0 {
		return
	}
	t.s, t.record, t.handled = r.s, r, r.handled
	t.s.replayed, t.s.read = len(t.s.sent), r.handled
	t.s.requests = t.s.requests[:w.next(len(t.s.requests)+1)] // The last requests may be lost.
	w.note("%s resumes from %d of %d", t.name, r.handled, len(t.s.sent))
	w.input(t, SessionStarted{})
}

func (w *world) boot(t *tab) {
	*t = tab{name: t.name, run: t.run + 1, restorable: map[pam.Key]bool{}, m: NewMachine(), view: newRows(w.store.list().Rows()), known: w.store.list().Rows(), overlay: map[pam.Key]pam.Subscription{}}
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
