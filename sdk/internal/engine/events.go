package engine

import (
	"errors"
	"slices"
	"time"

	"xmpp-pam/sdk/internal/catchup"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/inbox"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// An events part keeps what was published at the followed nodes, with the machine of
// package inbox, and finds what was missed, with that of package catchup. A node is
// followed if the account's list contains it. Events of other nodes are not kept, because
// any entity can send them.
type events struct {
	*loop
	cfg     *Config
	view    *view
	session *session
	account *account
	storage *storage
	seen    *seen

	report func(message)

	interests []pam.Interest // nil means all

	machine  *inbox.Machine
	inputs   []inbox.Input // queued while the outputs of another input are carried out
	stepping bool
	timers   map[inbox.Timer]*timer

	stored int // the number of the session that an earlier run has stored

	catchUp  *catchup.Machine
	started  bool   // the catch-up of this session has begun
	timer    *timer // of the catch-up
	services discovery
	progress pam.CatchUpState
	ended    *pam.CatchUpState // the progress of a catch-up that has ended, until it is announced
}

func newEvents(l *loop, cfg *Config, v *view, s *session, a *account, st *storage, sn *seen, report func(message)) *events {
	e := &events{loop: l, cfg: cfg, view: v, session: s, account: a, storage: st, seen: sn, report: report, interests: cfg.Interests}
	e.clear()
	return e
}

// clear sets the state of a first start.
func (e *events) clear() {
	e.machine, e.timers = inbox.New(inbox.Options{Epoch: randomUint64()}), map[inbox.Timer]*timer{}
	e.machine.Step(time.Now(), inbox.SetInterest{Filters: filters(e.interests)})
	e.catchUp = catchup.NewMachine(inbox.Digest)
	e.services = discovery{known: map[string]catchup.Support{}, held: map[string][]pam.Target{}}
	e.progress, e.ended = e.catchUp.State(), nil
}

// step passes an input to the inbox and carries out its outputs, like account.step.
func (e *events) step(in inbox.Input) {
	e.inputs = append(e.inputs, in)
	if e.stepping {
		return
	}
	e.stepping = true
	for len(e.inputs) > 0 {
		next := e.inputs[0]
		e.inputs = e.inputs[1:]
		for _, out := range e.machine.Step(time.Now(), next) {
			e.perform(out)
		}
	}
	e.stepping = false
	if e.ended != nil {
		e.setProgress(*e.ended)
	}
}

func (e *events) perform(out inbox.Output) {
	switch out := out.(type) {
	case inbox.Commit:
		e.storage.commitInbox(out, e.whileMachine())
	case inbox.ReadBodies:
		answer := e.whileMachine()
		e.storage.readInbox(out.Keys, func(values [][]byte) { answer(inbox.BodiesRead{Keys: out.Keys, Values: values}) })
	case inbox.Handled:
		e.session.acknowledgeEvents(out.Seq)
	case inbox.Changed:
		e.announce(out)
	case inbox.FetchItem:
		e.fetch(out)
	case inbox.PublishMarker:
		e.seen.publish(out.Marker, out.Merged)
	case inbox.Missed:
		e.refetch(out.Nodes)
	case inbox.SetTimer:
		e.timers[out.Timer].stop()
		delete(e.timers, out.Timer)
		if !out.At.IsZero() {
			e.timers[out.Timer] = e.after(time.Until(out.At), func() { e.step(inbox.TimerFired{Timer: out.Timer}) })
		}
	case inbox.Warning:
		if errors.Is(out.Err, inbox.ErrNewer) && !e.storage.inMemory() {
			e.report(storeFailed{errNewer})
			return
		}
		e.view.warn(&pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: out.Err, Text: "The stored events: " + out.Err.Error()})
	}
}

// whileMachine returns a function that passes an input to the machine, unless another one
// has replaced it.
func (e *events) whileMachine() func(inbox.Input) {
	m := e.machine
	return func(in inbox.Input) {
		if e.machine == m {
			e.step(in)
		}
	}
}

// announce reports what was stored.
func (e *events) announce(c inbox.Changed) {
	before := e.progress.Received
	for _, added := range c.Added {
		if added.Delivery == pam.DeliveryCatchUp {
			e.progress.Received++
			if added.Seen.State == pam.LikelySeenElsewhere {
				e.progress.LikelySeenElsewhere++
			}
		}
	}
	e.view.emit(pam.EventsChanged{Added: c.Added, Removed: c.Removed, Updated: c.Updated,
		Nodes: c.Nodes, Unseen: c.Unseen, Dropped: c.Dropped, Reset: c.Reset})
	if e.progress.Received != before {
		e.view.emit(pam.CatchUpChanged{State: e.progress})
	}
}

// takeStanza handles the events of a stanza. The inbox takes its number last, because the
// stanza is handled when all that it caused is stored.
func (e *events) takeStanza(m stanzaHandled) {
	if m.archived != nil {
		e.takeArchived(m)
	}
	in := inbox.Arrived{Seq: m.seq}
	for _, n := range m.published {
		if n.State == "" && e.follows(&n, m.direct) {
			in.Events = append(in.Events, inbox.Incoming{Notification: n, At: m.at, Source: pam.TimeDelay, Delivery: m.delivery, ArchiveID: m.archiveID})
			if e.begun() && m.delivery == pam.DeliveryLive { // else what came before it is not read yet
				e.catch(catchup.Live{Service: n.Service, Node: n.Node, Cursor: catchup.Cursor{By: e.cfg.Account.String(), ID: m.archiveID, At: m.at}})
			}
		}
	}
	e.step(in)
}

// fetch requests an item, because its notification had no payload.
func (e *events) fetch(f inbox.FetchItem) {
	payload := pubsub.ItemsRequest{Node: f.Node, IDs: []string{f.ItemID}}.Element()
	e.session.ask("get", f.Service, payload, func(iq *element.Element, err *pam.Error) {
		in := inbox.ItemFetched{Service: f.Service, Node: f.Node, ItemID: f.ItemID, Failed: err != nil && err.Condition != "item-not-found"}
		if err == nil {
			found, _, _ := pubsub.ParseItems(iq, f.Service, f.Node)
			for _, n := range found {
				if n.ItemID == f.ItemID {
					in.Events = append(in.Events, inbox.Incoming{Notification: n, Delivery: pam.DeliveryCatchUp})
				}
			}
		}
		e.step(in)
	})
}

// loaded handles the first read of the records, and a later one.
func (e *events) loaded(m inboxLoaded) {
	e.step(inbox.Stored{Records: m.records})
	e.proceed()
}

// reload reads the records again if another Client has changed them.
func (e *events) reload() { e.storage.reloadInbox(e.machine.Meta()) }

// storeReplaced handles the failure of the store, which memory has replaced.
func (e *events) storeReplaced() {
	e.step(inbox.StoreReplaced{})
	e.proceed()
}

// proceed begins the catch-up that waited until the inbox was read.
func (e *events) proceed() {
	if e.services.waits {
		e.live()
	}
}

// busy reports whether a commit is pending.
func (e *events) busy() bool { return e.machine.Busy() }

// suspend stops the timers: what they would store comes before the store is emptied.
func (e *events) suspend() {
	for _, t := range e.timers {
		t.stop()
	}
}

// resumeDelay is how long the inbox does not store anything after the store could not be
// emptied. It would probably fail again, and then the client would use memory instead.
const resumeDelay = 5 * time.Second

// resume starts the timers again.
func (e *events) resume() {
	for id := range e.timers {
		e.timers[id] = e.after(resumeDelay, func() { e.step(inbox.TimerFired{Timer: id}) })
	}
}

// reset restores the state of a first start, after the store was emptied.
func (e *events) reset() {
	for _, t := range e.timers {
		t.stop()
	}
	e.timer.stop()
	e.clear()
	e.step(inbox.Stored{})
}

// listChanged handles a commit of the list.
func (e *events) listChanged(m listCommitted) {
	e.step(inbox.ListChanged{Changes: m.changes, Initial: m.initial})
	if !e.begun() {
		return
	}
	var added []pam.Target
	for _, c := range m.changes {
		switch {
		case c.Before == nil:
			added = append(added, pam.Target{Service: c.After.Service, Node: c.After.Node})
		case c.After != nil || e.account.follows(c.Before.Service, c.Before.Node):
		case e.machine.CatchUp(c.Before.Service, c.Before.Node).Current:
			e.unfollow(pam.Target{Service: c.Before.Service, Node: c.Before.Node})
		default: // The next catch-up reads what is missing.
			e.catch(catchup.Removed{Service: c.Before.Service, Node: c.Before.Node})
		}
	}
	if len(added) > 0 {
		e.follow(added)
	}
}

// markersChanged handles markers that other devices have published.
func (e *events) markersChanged(m markersChanged) {
	e.step(inbox.RemoteMarkers{Markers: m.markers, Revision: m.revision})
}

func (e *events) markersRead() { e.step(inbox.MarkersRead{}) }

func (e *events) markerPublished(m markerPublished) {
	e.step(inbox.MarkerPublished{Marker: m.marker, Failed: m.failed})
}

// liveElsewhere handles that another device was connected.
func (e *events) liveElsewhere(m liveElsewhere) {
	e.step(inbox.LiveElsewhere{From: m.from, To: m.to})
}

// markSeen marks events as seen on this device: those with the ids, and those of the node
// of the event upTo that are not newer than it.
func (e *events) markSeen(ids []string, upTo string) {
	e.step(inbox.MarkSeen{IDs: slices.Clone(ids), UpTo: upTo})
}

// looked begins InboxState.Away anew.
func (e *events) looked() { e.step(inbox.Looked{}) }

// list reads a page of the inbox.
func (e *events) list(q pam.EventQuery, done func(*pam.EventPage, error)) {
	page, ok := e.machine.List(inbox.Query{Service: q.Service, Node: q.Node, UnseenOnly: q.UnseenOnly, Before: q.Before, Limit: q.Limit})
	if !ok {
		done(nil, ClientError(pam.CodeBadOptions, "The cursor "+quote(q.Before)+" is not one of the inbox."))
		return
	}
	e.storage.readInbox(page.Keys, func(values [][]byte) {
		done(&pam.EventPage{Events: page.Events(values), Cursor: page.Cursor}, nil)
	})
}

// state returns what was announced of the inbox, with the progress of the catch-up.
func (e *events) state() *pam.InboxState {
	s := e.machine.State()
	s.CatchUp, s.SeenScope = e.progress, e.seen.scope
	return &s
}
