package listsync

import (
	"fmt"
	"slices"
	"strings"
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
