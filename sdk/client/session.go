package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport"
)

// A list without version is asked for after this many sessions or this long,
// which heals whatever went wrong unseen (sync rule 1).
const (
	fullEverySessions = 20
	fullEvery         = 7 * 24 * time.Hour
)

// support is what service discovery said about PAM.
type support uint8

const (
	supportUnasked support = iota
	supportUnknown         // not answered yet
	supportNo
	supportYes
	supportSilent // will not be answered
)

// A session is what the server knows this client by. It outlives a connection
// if the server can resume it (XEP-0198).
type session struct {
	fullJID string
	began   time.Time // in this run of the program, by this device's clock
	replay  bool      // it was resumed while Synced, and what it missed is still coming
	outrank bool      // the account had a session of higher priority
	counted bool      // it counts as one of fullEverySessions, or shall not
	support support   // what disco said about PAM
	listed  bool      // the server gave a list
	refused bool      // the server refused to
}

// startSession runs once bound: presence with caps, because nothing is
// delivered without; then, in the same breath, the question whether the server
// knows PAM and the list itself.
func (o *owner) startSession(fullJID string) {
	o.endSession()
	o.session = &session{fullJID: fullJID, began: time.Now()}
	o.outdated = false
	o.setPhase(pam.PhaseSyncing, nil)
	o.sendPresence()
	o.discover()
	o.list()
}

func (o *owner) sendPresence() {
	o.send(element.New(ns.Client, "presence").
		Add(element.New(ns.Client, "priority").AddText("0"), o.info.Caps(capsNode)))
}

// list asks for the list in a session that this run of the program begins, or
// takes over (sync rule 1).
func (o *owner) list() {
	o.step(listsync.SessionStarted{Full: o.sync.sessions >= fullEverySessions || time.Since(o.sync.lastFull) > fullEvery})
}

// discover asks whether the server knows PAM: the account, or the domain.
func (o *owner) discover() {
	s := o.session
	s.support = supportUnknown
	supported := func(found support) {
		s.support = found
		if o.session == s {
			o.decideSupport()
		}
	}
	o.discoverAt(o.account.String(), func(account support) {
		if account == supportYes {
			supported(account)
			return
		}
		o.discoverAt(o.account.Domain().String(), func(domain support) {
			if domain == supportNo {
				domain = account // The domain cannot deny for an account that was silent.
			}
			supported(domain)
		})
	})
}

// discoverAt asks an entity of the account's server for its features.
func (o *owner) discoverAt(to string, found func(support)) {
	o.ask("get", to, disco.Query(), func(iq *element.Element, err *pam.Error) {
		switch {
		case err != nil && (err.Code != pam.CodeStanza || err.Type == "wait" || err.Condition == "internal-server-error"):
			found(supportSilent)
		case err == nil && disco.Parse(iq).Has(ns.PAM):
			found(supportYes)
		default:
			found(supportNo)
		}
	})
}

// requestList carries out the machine's wish.
func (o *owner) requestList(r listsync.RequestList) {
	s := o.session
	if s == nil {
		return // The machine hears of the end of the session soon.
	}
	o.ask("get", o.account.String(), listsync.ListRequest(r.Version), func(iq *element.Element, err *pam.Error) {
		if err == nil {
			result, bad := o.reader.ParseListResult(iq)
			if bad != nil && !errors.Is(bad, listsync.ErrNoList) {
				o.warn(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromServer, Err: bad,
					Text: "The server's list holds what cannot be read, and which is not shown: " + bad.Error()})
				bad = nil
			}
			if bad == nil {
				result.Round = r.Round
				s.listed, s.refused = true, false
				if r.Version == "" && result.Full {
					o.sync.sessions, o.sync.lastFull = 0, time.Now()
				}
				o.source = pam.SourceServer
				o.step(result)
				return
			}
			err = &pam.Error{Code: pam.CodeProtocol, Origin: pam.FromServer, Err: bad,
				Text: "The server's list of subscriptions cannot be read: " + bad.Error()}
		}
		o.listError = err
		o.step(listsync.ListFailed{Round: r.Round})
	})
}

// tooLarge says what is wrong when a message came that is larger than is taken.
func (o *owner) tooLarge() string {
	text := fmt.Sprintf("The server sent a message of more than %d MiB, the most that is taken.", transport.MaxMessage>>20)
	if o.machine.Busy() {
		text += " The list of subscriptions was due, so it is probably that long: unsubscribe with another client, or ask the server's operator."
	}
	return text
}

// listingFailed runs when the server gave no list, with or without a version.
func (o *owner) listingFailed() {
	if o.session == nil {
		return
	}
	o.session.refused = true
	o.endRefreshes(o.listError)
	for _, op := range slices.Clone(o.operations) {
		if op.replied {
			o.finish(op, pam.Subscription{}, op.failure)
		}
	}
	o.decideSupport()
}

// decideSupport settles a session whose list was refused: either the server
// does not know PAM at all, or it is out of order for now.
func (o *owner) decideSupport() {
	s := o.session
	if !o.conn.usable() || !s.refused {
		return
	}
	switch {
	case s.support == supportUnasked:
		o.discover()
	case s.support == supportNo && !s.listed:
		o.state.Missing = []string{"pam"}
		o.beLive()
	case s.support != supportUnknown:
		o.warn(o.listError)
		o.answerWaiters(o.listError)
		o.relist.stop()
		o.relist = o.after(relistAfter, func() {
			if o.session == s && o.conn.usable() {
				o.step(listsync.Refresh{})
			}
		})
	}
}

// phaseChanged follows the machine: Synced, dirty or not, is live.
func (o *owner) phaseChanged(p listsync.PhaseChanged) {
	if p.Phase != listsync.Synced || !o.conn.usable() {
		return
	}
	o.state.Missing = nil // There is a list, whatever service discovery says.
	o.beLive()
}

func (o *owner) beLive() {
	if o.state.Missing == nil {
		o.state.LastSynced = time.Now()
		if o.shown != o.source {
			_, stamp := o.machine.Committed()
			o.announce(listsync.Changed{From: stamp.Version, To: stamp.Version, Resync: true})
		}
	}
	if !o.session.counted {
		o.session.counted = true
		o.sync.sessions++
	}
	if o.state.Phase != pam.PhaseLive {
		o.saveSync()
	}
	o.wasLive = true
	o.state.Phase, o.state.Err = pam.PhaseLive, nil
	o.publish()
	o.answerWaiters(nil)
}

// saveSync stores the sync record beside the list.
func (o *owner) saveSync() {
	o.sync.lastSynced = o.state.LastSynced
	record := o.sync
	o.storage.do(func(ctx context.Context, d *durable) func() {
		err := d.saveSync(ctx, record)
		return func() {
			if err != nil {
				o.warn(&pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: err, Retryable: true,
					Text: "The time of this sync cannot be stored (" + err.Error() + "). The list is asked for in full sooner than needed."})
			}
		}
	}, func() {})
}

// endSession runs when the session is gone for good, or never was: what it had
// under way has an unknown outcome, and the next list tells.
func (o *owner) endSession() {
	o.session, o.suspended, o.restored = nil, nil, nil
	o.delivered, o.handled, o.outbox = 0, 0, nil
	o.state.Resumed = false
	o.failRequests()
	o.step(listsync.SessionEnded{})
	o.failOperations()
}

// deliver routes a stanza that arrived, and counts it. One with several notifies
// is counted with its last: the commit that covers that one covers all.
func (c *connection) deliver(stanza *element.Element) {
	o := c.o
	heard := c.route(stanza)
	for _, h := range heard[:max(0, len(heard)-1)] {
		o.step(h)
	}
	o.delivered++
	if len(heard) > 0 {
		o.step(heard[len(heard)-1])
	}
	o.acknowledge()
}

// route hands on a stanza, but for the notifies in it, which it returns.
func (c *connection) route(stanza *element.Element) []listsync.Heard {
	o := c.o
	switch stanza.Name.Local {
	case "iq":
		if t := stanza.Attr("type"); t == "result" || t == "error" {
			o.answered(stanza)
			return nil
		}
		c.serve(stanza)
	case "message":
		heard, err := o.reader.ParseNotify(stanza)
		if err != nil {
			o.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Err: err, Text: "A notify was ignored, wholly or in part: " + err.Error()})
		}
		for i := range heard {
			heard[i].Delayed = heard[i].Delayed && !o.session.replayed(stanza)
		}
		o.session.replay = o.session.replay && listsync.Delayed(stanza)
		if len(heard) == 0 && err == nil {
			o.serviceEvent(stanza)
			o.deliverMessage(stanza)
		}
		return heard
	case "presence":
		o.otherSession(stanza)
	}
	return nil
}

// deliverMessage hands a message on.
func (o *owner) deliverMessage(stanza *element.Element) {
	m := newMessage(stanza)
	o.emit(m)
	switch m.Omitted {
	case OmittedTooLong:
		o.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Text: "A message was handed on without its text, which is longer than " + strconv.Itoa(MaxText) + " bytes."})
	case OmittedUnreadable:
		o.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Text: "A message was handed on without its text, which holds an element in the namespace of XML: other parsers refuse it."})
	}
}

// clockSkew is how far the clocks of device and server may be apart for replayed.
const clockSkew = 10 * time.Minute

// replayed tells whether a delayed stanza was missed by this run of the program
// and is sent again, in order (sync rule 8): it comes at once after a resumption,
// and was received first after the session began. Anything else that is delayed
// was stored somewhere. Where clocks are wrong all is taken for that, which costs
// a list.
func (s *session) replayed(stanza *element.Element) bool {
	return s.replay && listsync.DelayStamp(stanza).After(s.began.Add(-clockSkew))
}

// serve answers a request of another entity.
func (c *connection) serve(iq *element.Element) {
	o := c.o
	reply := element.New(ns.Client, "iq").Set("type", "result").Set("id", iq.Attr("id"))
	if from, ok := iq.Lookup("from"); ok {
		reply.Set("to", from)
	}
	payload := iq.First()
	isGet := iq.Attr("type") == "get"
	switch {
	case isGet && payload.Is(ns.DiscoInfo, "query"):
		if answer := o.info.Answer(payload, capsNode); answer != nil {
			c.send(reply.Add(answer))
			if o.isOwnServer(iq.Attr("from")) && o.session.listed {
				// The server learns only now that this session speaks PAM, and
				// may have told it nothing until then.
				o.step(listsync.Refresh{})
			}
			return
		}
		c.send(stanzaError(reply, "cancel", "item-not-found"))
	case isGet && payload.Is(ns.Ping, "ping"):
		c.send(reply)
	default:
		c.send(stanzaError(reply, "cancel", "service-unavailable"))
	}
}

func stanzaError(reply *element.Element, kind, condition string) *element.Element {
	return reply.Set("type", "error").Add(element.New(ns.Client, "error").Set("type", kind).
		Add(element.New(ns.Stanzas, condition)))
}
