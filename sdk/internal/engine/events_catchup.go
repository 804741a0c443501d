package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/catchup"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/inbox"
	"xmpp-pam/sdk/pam"
)

// requestPrefix begins the ids of all queries of catch-ups.
const requestPrefix = "catch-up-"

// restore takes over what an earlier run has stored with its session.
func (e *events) restore(r *sessionRecord) { e.stored = r.inbox }

// sessionUp handles a new or resumed session.
func (e *events) sessionUp(m sessionUp) {
	if m.resumed && !m.earlierRun {
		if e.begun() { // else it is that of an earlier session, of which nothing may be requested
			e.catch(catchup.Resumed{})
		}
		return
	}
	if e.progress.Phase != pam.CatchUpRunning { // What comes before the catch-up begins counts, too.
		e.progress = pam.CatchUpState{Phase: pam.CatchUpIdle, Completeness: pam.CompletenessUnknown}
	}
	e.step(inbox.SessionStarted{Resumed: m.resumed, Number: e.stored})
}

// connectionDown handles the loss of the connection.
func (e *events) connectionDown() { e.catch(catchup.Paused{}) }

// sessionEnded handles the end of a session that cannot be resumed.
func (e *events) sessionEnded() {
	e.started = false
	e.services.stop()
	e.step(inbox.SessionEnded{})
}

// live begins the catch-up of a session, when the list equals the server's and the inbox
// has been read.
func (e *events) live() {
	if e.services.waits = !e.machine.Loaded(); e.started || e.services.waits || !e.session.usable() {
		return
	}
	e.started = true
	self := e.cfg.Account.String()
	if e.session.features != nil {
		e.learn(self, e.session.features)
	} else if len(e.left()) > 0 || slices.ContainsFunc(e.account.nodes(), func(t pam.Target) bool { return e.supports(t) && !e.node(t).Current }) {
		e.services.held[self] = nil
		e.query(self)
		return
	}
	e.start()
}

// start begins the catch-up. One that was not finished in the last session is continued.
func (e *events) start() {
	in := catchup.Start{Account: e.cfg.Account.String(), Since: e.machine.LastSession(), Prefix: requestPrefix + randomID(), Archive: e.services.archive}
	if e.progress.Phase == pam.CatchUpRunning {
		in.Since, in.Gaps = e.progress.Since, e.progress.Gaps
	}
	nodes := e.account.nodes()
	if _, known := e.services.known[in.Account]; !known && slices.ContainsFunc(nodes, func(t pam.Target) bool { return e.node(t).Cursor.By == in.Account }) {
		in.Archive = catchup.SomeEvents // it was read before, and all nodes are current
	}
	in.Nodes = e.ready(nodes)
	for _, t := range e.left() {
		n := e.node(t)
		n.Left = true
		in.Nodes = append(in.Nodes, n)
		if _, known := e.services.known[in.Account]; known && in.Archive == catchup.NoArchive {
			e.step(inbox.Unfollowed{Service: t.Service, Node: t.Node}) // there is nothing else to read
		}
	}
	in.Services = maps.Clone(e.services.known)
	e.catch(in)
	e.queryNext()
}

// retry continues a catch-up that was canceled, or could not read all nodes.
func (e *events) retry() *pam.Error {
	if !e.session.usable() {
		return offlineError()
	}
	d := &e.services
	d.ended = false
	if !e.begun() || e.progress.Phase == pam.CatchUpRunning {
		return nil // it begins with the list, and what the account announces, or goes on
	}
	nodes := slices.DeleteFunc(e.account.nodes(), func(t pam.Target) bool { return e.node(t).Current })
	e.catch(catchup.Retry{Nodes: e.ready(nodes), Services: maps.Clone(d.known)})
	e.queryNext()
	return nil
}

// cancel ends the catch-up of this session. What was found stays.
func (e *events) cancel() {
	d := &e.services
	if e.progress.Phase != pam.CatchUpRunning {
		return
	}
	d.ended = true
	if _, begins := d.held[e.cfg.Account.String()]; begins {
		return // The catch-up begins, and ends, when the account has answered.
	}
	held := d.busy()
	d.waiting = nil
	clear(d.held)
	e.catch(catchup.Cancel{Held: held})
	if e.progress.Phase == pam.CatchUpRunning { // Only nodes were left that were held, after another Cancel.
		e.setProgress(e.catchUp.State())
	}
}

// left returns the nodes that the account does not follow any more, but did when they were
// current last: what was published until the subscription ended may be missing.
func (e *events) left() []pam.Target {
	return slices.DeleteFunc(e.machine.Read(), func(t pam.Target) bool {
		return e.account.follows(t.Service, t.Node) || !e.supports(t)
	})
}

// begun reports whether the catch-up of this session has taken its nodes from the list.
func (e *events) begun() bool {
	_, begins := e.services.held[e.cfg.Account.String()]
	return e.started && !begins
}

// follow adds nodes to the catch-up. One that has not begun yet takes them from the list.
func (e *events) follow(nodes []pam.Target) {
	if !e.begun() {
		return
	}
	if ready := e.ready(nodes); len(ready) > 0 {
		e.catch(catchup.Added{Services: maps.Clone(e.services.known), Nodes: ready})
	}
	e.queryNext()
}

// refetch asks nodes again, of which more is wanted now than before.
func (e *events) refetch(nodes []pam.Target) {
	if !e.begun() {
		return
	}
	for _, t := range nodes {
		e.catch(catchup.Removed{Service: t.Service, Node: t.Node})
	}
	e.follow(nodes)
}

// node returns what the catch-up needs to know of a node.
func (e *events) node(t pam.Target) catchup.Node {
	c := e.machine.CatchUp(t.Service, t.Node)
	return catchup.Node{Service: t.Service, Node: t.Node, LastActivity: c.LastActivity, CurrentUntil: c.CurrentUntil,
		Cursor: catchup.Cursor(c.Cursor), AskedAt: c.AskedAt, Current: c.Current, Archived: c.Archived}
}

// catch passes an input to the catch-up and carries out its outputs, all but the requests in
// order: the inbox must know what was found before it takes a node for current. What was reached is stored
// with the next commit.
func (e *events) catch(in catchup.Input) {
	done := false
	var left []pam.Target
	outputs := e.catchUp.Step(time.Now(), in)
	for _, out := range outputs { // first, so that the servers answer while the inbox works
		if r, ok := out.(catchup.Request); ok {
			e.request(r)
		}
	}
	for _, out := range outputs {
		switch out := out.(type) {
		case catchup.Found:
			found := inbox.Arrived{Events: make([]inbox.Incoming, len(out.Events))}
			for i, n := range out.Events {
				found.Events[i] = inbox.Incoming(n)
			}
			e.step(found)
		case catchup.Reached:
			e.step(inbox.Reached{Service: out.Service, Nodes: out.Nodes, Cursor: inbox.Cursor(out.Cursor), Current: out.Current})
			for _, name := range out.Nodes {
				if out.Current && !e.account.follows(out.Service, name) {
					left = append(left, pam.Target{Service: out.Service, Node: name})
				}
			}
		case catchup.Asked:
			e.step(inbox.Asked(out))
		case catchup.Progress:
			e.setProgress(out.State)
		case catchup.Done:
			done = true
		case catchup.SetTimer:
			e.timer.stop()
			if !out.At.IsZero() {
				e.timer = e.after(time.Until(out.At), func() { e.catch(catchup.TimerFired{}) })
			}
		}
	}
	for _, t := range left {
		e.unfollow(t)
	}
	if done {
		e.endCatchUp()
	}
}

// endCatchUp reports the end of the catch-up to the inbox, unless nodes are held or were
// asked too recently to be asked again.
func (e *events) endCatchUp() {
	if !e.services.busy() && !e.services.ended && e.catchUp.Deferred() == 0 {
		e.step(inbox.CatchUpEnded{})
	}
}

// unfollow ends the reading of a node of which nothing is missing.
func (e *events) unfollow(t pam.Target) {
	e.catch(catchup.Removed{Service: t.Service, Node: t.Node})
	e.step(inbox.Unfollowed{Service: t.Service, Node: t.Node})
}

// setProgress announces the progress of the catch-up. It is not done while nodes wait for
// what is learned of their services, or while what was found is being stored.
func (e *events) setProgress(s pam.CatchUpState) {
	if e.ended = nil; s.Phase != pam.CatchUpRunning && (e.stepping || e.machine.Busy()) {
		e.ended = &s
		return
	}
	if e.services.busy() {
		s.Phase, s.Err = pam.CatchUpRunning, nil
		if s.Completeness == pam.Complete {
			s.Completeness = pam.CompletenessUnknown
		}
		for _, held := range e.services.held {
			s.Nodes += len(held)
		}
	}
	s.Received, s.LikelySeenElsewhere = e.progress.Received, e.progress.LikelySeenElsewhere
	e.progress = s
	e.view.emit(pam.CatchUpChanged{State: s})
}

func (e *events) request(r catchup.Request) {
	e.session.ask(r.Type, r.To, r.Payload, func(iq *element.Element, err *pam.Error) {
		if err != nil {
			e.catch(catchup.Failed{ID: r.ID, Err: err})
			return
		}
		in := catchup.Result{ID: r.ID, IQ: iq}
		if c := r.Compare; c != nil {
			for _, k := range e.machine.Known(c.Service, c.Node) {
				in.Known = append(in.Known, catchup.Known(k))
			}
		}
		e.catch(in)
	})
}

// takeArchived handles a result of an archive. One that no catch-up has asked for is an
// ordinary message, because the program may have asked. One that an earlier catch-up has
// asked for means nothing: this one asks again. Any entity can send a message that looks
// like a result.
func (e *events) takeArchived(m stanzaHandled) {
	id := m.archived.QueryID
	address, ok := e.catchUp.Archive(id)
	switch {
	case ok && e.session.isArchive(m.archived.Archive, address):
		e.catch(catchup.ArchiveResult{From: address, Result: m.archived})
	case ok, !strings.HasPrefix(id, requestPrefix):
		e.session.showMessage(m.message)
	case !e.session.isArchive(m.archived.Archive, e.cfg.Account.String()):
		e.session.ignoreResult(m.archived)
	}
}
