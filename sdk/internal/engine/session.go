package engine

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// capsNode identifies the software in entity capabilities. XEP-0115 §4 recommends the
// URL of the software's web page. There is none yet, so it is a UUID (RFC 9562).
const capsNode = "urn:uuid:1f0cb6b2-6f0a-4b7e-9a53-0c8f3d2e7a41"

// A session is an authenticated and bound XMPP session. It outlives a connection
// if the server can resume it (XEP-0198). It sends presence and requests, matches
// answers to requests, answers the requests of other entities, and reads messages. It
// does not apply them to the list.
type session struct {
	*loop
	account jid.JID
	view    *view
	link    *link
	report  func(message)
	self    *disco.Info // the capabilities of this client
	reader  *listsync.Reader

	open     bool                            // the session exists, with or without a connection
	fullJID  string                          // the full JID of the session
	caps     string                          // the hash of the announced capabilities (XEP-0115)
	began    time.Time                       // start of the session in this run of the program, by this device's clock
	replay   bool                            // it was resumed, and missed stanzas may still arrive
	outrank  bool                            // the account has, or had, a session with a higher priority
	features *disco.Info                     // of the account, once it has answered a query
	asking   []func(*disco.Info, *pam.Error) // wait for features
	listed   uint64                          // the number of the last stanza that is handled for the list
	kept     uint64                          // the same for the events
	requests map[string]*request
	outbox   []*element.Element // stanzas to send once the session is resumed
}

func newSession(l *loop, cfg *Config, v *view, lnk *link, report func(message)) *session {
	kind := "pc" // https://xmpp.org/registrar/disco-categories.html#client
	if runtime.GOOS == "js" {
		kind = "web"
	}
	s := &session{loop: l, account: cfg.Account, view: v, link: lnk, report: report,
		self:   disco.NewInfo(kind, cfg.Software, features(cfg.Interests)...),
		reader: listsync.NewReader(cfg.Account), requests: map[string]*request{}}
	s.caps = s.self.Ver()
	return s
}

// restore sets what an earlier run stored of the session to resume.
func (s *session) restore(r *sessionRecord) { s.caps = r.caps }

// up handles a bound session. It sends presence with capabilities, because servers
// deliver nothing to a session without presence. A session of this run of the program
// that is resumed continues with its pending requests.
func (s *session) up(m sessionUp) {
	s.view.setResumed(m.resumed)
	if m.resumed && !m.earlierRun {
		s.replay = true
		s.view.setPhase(pam.PhaseSyncing, nil)
		for _, r := range s.requests {
			s.expect(r)
		}
		waiting := s.outbox
		s.outbox = nil
		for _, stanza := range waiting {
			s.send(stanza)
		}
		return
	}
	s.open, s.fullJID, s.began = true, m.jid.String(), time.Now()
	s.view.setPhase(pam.PhaseSyncing, nil)
	if !m.resumed || s.caps != s.self.Ver() {
		s.sendPresence()
	}
}

// suspend pauses the timeouts of all requests, because no answer can arrive while the
// session waits to be resumed.
func (s *session) suspend() {
	for _, r := range s.requests {
		r.time.pause()
	}
}

// end discards a session that cannot be resumed, and its requests.
func (s *session) end() {
	s.open, s.replay, s.outrank, s.outbox = false, false, false, nil
	s.listed, s.kept, s.features, s.asking = 0, 0, nil, nil
	s.view.setResumed(false)
	for _, r := range s.requests {
		if r.lasting {
			s.reply(r, nil, outcomeUnknown())
		} else {
			s.withdraw(r)
		}
	}
}

// usable reports whether requests can be sent now.
func (s *session) usable() bool { return s.link.usable() }

// waits reports whether the session exists but has no connection.
func (s *session) waits() bool { return s.open && !s.link.bound() }

// send sends a stanza, or queues it until the session is resumed.
func (s *session) send(stanza *element.Element) {
	if !s.link.step(stream.Send{Stanza: stanza}) {
		s.outbox = append(s.outbox, stanza)
	}
}

// acknowledge reports that the stanzas of the session up to number seq are handled, as far
// as the list is concerned.
func (s *session) acknowledge(seq uint64) {
	s.listed = seq
	s.acknowledgeBoth()
}

// acknowledgeEvents is like acknowledge, for the events.
func (s *session) acknowledgeEvents(seq uint64) {
	s.kept = seq
	s.acknowledgeBoth()
}

// acknowledgeBoth reports to the stream that stanzas are handled and need not be sent
// again.
func (s *session) acknowledgeBoth() { s.link.step(stream.Handled{Seq: min(s.listed, s.kept)}) }

// record returns what has to be stored of the session, or nil if it cannot be resumed.
func (s *session) record() *sessionRecord {
	r := s.link.resumption()
	if r == nil {
		return nil
	}
	return &sessionRecord{stream: *r, caps: s.caps, saved: time.Now()}
}

// receive handles a stanza of the server.
func (s *session) receive(m stanzaReceived) {
	stanza, handled := m.stanza, stanzaHandled{seq: m.seq}
	switch stanza.Name.Local {
	case "iq":
		if t := stanza.Attr("type"); t == "result" || t == "error" {
			s.answered(stanza)
		} else {
			s.serve(stanza)
		}
	case "message":
		s.receiveMessage(stanza, &handled)
	case "presence":
		s.otherSession(stanza)
	}
	s.report(handled)
}

// clockSkew is the maximum difference between the clocks of device and server with
// which replayed stanzas are recognised.
const clockSkew = 10 * time.Minute

// receiveMessage adds to handled the notifies in a message from a verified sender, and the
// events and archived messages in it, and passes any other message on.
//
// A delayed notify was missed by this run of the program and is replayed in order (sync
// rule 8) if it arrives directly after a resumption and its delay stamp is later than
// the start of the session. Any other delayed notify comes from offline storage. If the
// clocks differ too much, every delayed notify counts as such, which causes a list
// request.
func (s *session) receiveMessage(stanza *element.Element, handled *stanzaHandled) {
	received, err := s.reader.ParseNotify(stanza)
	if err != nil {
		s.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Err: err, Text: "A notify was ignored, wholly or in part: " + err.Error()})
	}
	delayed := listsync.Delayed(stanza)
	replayed := s.replay && pubsub.DelayStamp(stanza).After(s.began.Add(-clockSkew))
	s.replay = s.replay && delayed
	if len(received) == 0 && err == nil {
		s.receiveEvents(stanza, delayed, replayed, handled)
	}
	for _, h := range received {
		handled.notifies = append(handled.notifies, notify{h, replayed})
	}
}

// receiveEvents adds to handled the events or the archived message in a message.
func (s *session) receiveEvents(stanza *element.Element, delayed, replayed bool, handled *stanzaHandled) {
	if result, err := pubsub.ParseArchiveResult(stanza); err == nil && result != nil {
		handled.archived, handled.message = result, stanza
		return
	}
	var err error
	if handled.published, err = pubsub.ParseEvent(stanza); err != nil && !errors.Is(err, pubsub.ErrSender) {
		s.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Err: err, Text: "An event was ignored, wholly or in part: " + err.Error()})
	}
	if s.takePrivate(delayed && !replayed, handled) {
		return
	}
	if len(handled.published) > 0 {
		switch {
		case replayed:
			handled.delivery = pam.DeliveryResumed
		case delayed:
			handled.delivery = pam.DeliveryCatchUp // from offline storage
		default:
			handled.delivery = pam.DeliveryLive
		}
		handled.at, handled.direct = pubsub.DelayStamp(stanza), stanza.Attr("to") == s.fullJID
		for e := range stanza.Elements() {
			if e.Is(ns.StanzaID, "stanza-id") && address.Equal(e.Attr("by"), s.account.String()) {
				handled.archiveID = strings.Clone(e.Attr("id"))
			}
		}
		s.serviceEvent(stanza)
	}
	s.showMessage(stanza)
}

// isArchive reports whether a result from the address may come from the archive at
// archive; an empty address is that of the account.
func (s *session) isArchive(address, archive string) bool {
	return address == archive || s.isOwnServer(address) && archive == s.account.String()
}

// ignoreResult counts a result of an archive that is not used.
func (s *session) ignoreResult(r *pubsub.ArchiveResult) {
	s.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Text: "A message of " + quote(r.Archive) + " was ignored, because it looks like the result of a query that is not under way."})
}

// showMessage delivers a message to the program.
func (s *session) showMessage(stanza *element.Element) {
	m := newMessage(stanza)
	s.view.emit(m)
	switch m.Omitted {
	case pam.OmittedTooLong:
		s.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Text: "A message was delivered without its text, which is longer than " + strconv.Itoa(pam.MaxText) + " bytes."})
	case pam.OmittedUnreadable:
		s.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Text: "A message was delivered without its text, which contains an element in the XML namespace. Other parsers reject it."})
	}
}

// serviceEvent looks for a change of a subscription that its service reports directly:
// an approval or a removal (XEP-0060 §8.8.4), or the deletion of its node (§8.4.2).
func (s *session) serviceEvent(message *element.Element) {
	event := message.Child(ns.PubsubEvent, "event")
	if event == nil || message.Attr("type") == "error" {
		return
	}
	self := s.account.String()
	var nodes []string
	for e := range event.Elements() {
		if e.Is(ns.PubsubEvent, "delete") || e.Is(ns.PubsubEvent, "subscription") && address.Equal(e.Attr("jid"), self) {
			nodes = append(nodes, e.Attr("node"))
		}
	}
	if len(nodes) == 0 { // Most events are items, and parsing an address costs a tenth of an event.
		return
	}
	if from, err := address.Parse(message.Attr("from")); err == nil {
		s.report(serviceEvent{from.String(), nodes})
	}
}
