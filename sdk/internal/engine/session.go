package engine

import (
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
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// capsNode names the software in entity capabilities. XEP-0115 §4 recommends the
// address of a page about it; as long as there is none, it is a UUID (RFC 9562),
// which is unique and promises no page.
const capsNode = "urn:uuid:1f0cb6b2-6f0a-4b7e-9a53-0c8f3d2e7a41"

// A session is what the server knows this client by. It outlives a connection
// if the server can resume it (XEP-0198). It sends presence and requests, finds
// the request that an answer belongs to, answers the requests of others, and
// reads messages. What they mean for the list is no matter to it.
type session struct {
	*loop
	account jid.JID
	view    *view
	link    *link
	tell    func(message)
	info    *disco.Info // what this client can do
	reader  *listsync.Reader

	open     bool      // there is one, with or without a connection
	fullJID  string    // of it
	caps     string    // the hash of the capabilities that it was told (XEP-0115)
	began    time.Time // in this run of the program, by this device's clock
	replay   bool      // it was resumed, and what it missed may still be coming
	outrank  bool      // the account had a session of higher priority
	requests map[string]*request
	outbox   []*element.Element // stanzas to send once it is resumed
}

func newSession(l *loop, cfg *Config, v *view, lnk *link, tell func(message)) *session {
	kind := "pc" // https://xmpp.org/registrar/disco-categories.html#client
	if runtime.GOOS == "js" {
		kind = "web"
	}
	s := &session{loop: l, account: cfg.Account, view: v, link: lnk, tell: tell,
		info:   disco.NewInfo(kind, cfg.Software, ns.PAM, ns.Ping),
		reader: listsync.NewReader(cfg.Account), requests: map[string]*request{}}
	s.caps = s.info.Ver()
	return s
}

// restore takes what an earlier run stored of a session that is to be resumed.
func (s *session) restore(r *sessionRecord) { s.caps = r.caps }

// up begins with a session that is bound: presence with caps, because nothing is
// delivered without. One that this run of the program resumes goes on with all
// that was under way.
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
	if caps := s.info.Ver(); !m.resumed || s.caps != caps {
		s.caps = caps
		s.send(element.New(ns.Client, "presence").
			Add(element.New(ns.Client, "priority").AddText("0"), s.info.Caps(capsNode)))
	}
}

// suspend stops the time of all requests: while the session waits to be resumed
// nobody can answer.
func (s *session) suspend() {
	for _, r := range s.requests {
		r.time.pause()
	}
}

// end forgets a session that is gone for good, and its requests.
func (s *session) end() {
	s.open, s.replay, s.outrank, s.outbox = false, false, false, nil
	s.view.setResumed(false)
	for _, r := range s.requests {
		s.withdraw(r)
	}
}

// usable reports whether requests can be sent now.
func (s *session) usable() bool { return s.link.usable() }

// waits reports whether there is a session that no connection carries.
func (s *session) waits() bool { return s.open && !s.link.bound() }

// send sends a stanza, or keeps it until the session is resumed.
func (s *session) send(stanza *element.Element) {
	if !s.link.step(stream.Send{Stanza: stanza}) {
		s.outbox = append(s.outbox, stanza)
	}
}

// acknowledge tells the stream that the stanzas of the session up to number seq
// need not come again.
func (s *session) acknowledge(seq uint64) { s.link.step(stream.Handled{Seq: seq}) }

// record is what is to be stored of the session, nil if it cannot be resumed.
func (s *session) record() *sessionRecord {
	r := s.link.resumption()
	if r == nil {
		return nil
	}
	return &sessionRecord{stream: *r, caps: s.caps, saved: time.Now()}
}

// receive takes a stanza of the server.
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
		handled.notifies = s.receiveMessage(stanza)
	case "presence":
		s.otherSession(stanza)
	}
	s.tell(handled)
}

// clockSkew is how far the clocks of device and server may be apart for replay.
const clockSkew = 10 * time.Minute

// receiveMessage returns the notifies in a message that may be believed, and hands
// any other message on.
//
// One that is delayed was missed by this run of the program and is sent again, in
// order (sync rule 8), if it comes at once after a resumption, and was received
// first after the session began. Anything else that is delayed was stored
// somewhere. Where clocks are wrong all is taken for that, which costs a list.
func (s *session) receiveMessage(stanza *element.Element) []notify {
	heard, err := s.reader.ParseNotify(stanza)
	if err != nil {
		s.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Err: err, Text: "A notify was ignored, wholly or in part: " + err.Error()})
	}
	replayed := s.replay && listsync.DelayStamp(stanza).After(s.began.Add(-clockSkew))
	s.replay = s.replay && listsync.Delayed(stanza)
	if len(heard) == 0 && err == nil {
		s.serviceEvent(stanza)
		s.showMessage(stanza)
	}
	notifies := make([]notify, len(heard))
	for i, h := range heard {
		notifies[i] = notify{h, replayed}
	}
	return notifies
}

// showMessage hands a message on to the program.
func (s *session) showMessage(stanza *element.Element) {
	m := newMessage(stanza)
	s.view.emit(m)
	switch m.Omitted {
	case pam.OmittedTooLong:
		s.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Text: "A message was handed on without its text, which is longer than " + strconv.Itoa(pam.MaxText) + " bytes."})
	case pam.OmittedUnreadable:
		s.view.ignore(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromNetwork, Text: "A message was handed on without its text, which holds an element in the namespace of XML: other parsers refuse it."})
	}
}

// serviceEvent looks for news of a subscription that its service tells directly:
// an approval or a removal (XEP-0060 §8.8.4), or the end of its node (§8.4.2).
func (s *session) serviceEvent(message *element.Element) {
	event := message.Child(ns.PubsubEvent, "event")
	if event == nil || message.Attr("type") == "error" {
		return
	}
	from, err := address.Parse(message.Attr("from"))
	if err != nil {
		return
	}
	var nodes []string
	for e := range event.Elements() {
		if e.Is(ns.PubsubEvent, "delete") || e.Is(ns.PubsubEvent, "subscription") && address.Equal(e.Attr("jid"), s.account.String()) {
			nodes = append(nodes, e.Attr("node"))
		}
	}
	if len(nodes) > 0 {
		s.tell(serviceEvent{from.String(), nodes})
	}
}

// otherSession looks for a session of the account that has, or had, a higher
// priority than this one, whose priority is 0.
func (s *session) otherSession(presence *element.Element) {
	from, err := address.Parse(presence.Attr("from"))
	if err != nil || !from.Bare().Equal(s.account) || from.String() == s.fullJID {
		return
	}
	switch presence.Attr("type") {
	case "":
		priority, _ := strconv.Atoi(strings.TrimSpace(presence.Child(ns.Client, "priority").Text()))
		s.outrank = s.outrank || priority > 0
	case "unavailable":
	default:
		return
	}
	if s.outrank {
		s.tell(outranked{})
	}
}
