package listsync

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

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
