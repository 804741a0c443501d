//go:build !js

package client_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/transport"
)

// A delayed message arrives at a time.
type delayed struct {
	at   time.Time
	text string
}

// A socket is the client's end of a connection to a scripted server.
type socket struct {
	server  *scripted
	url     string
	mu      sync.Mutex
	queue   []delayed
	err     error // why Receive fails
	sendErr error // the error of every send, or nil
	arrived func()
	freed   bool
	twice   bool // closed more than once
	authed  bool
}

func (s *socket) Receive() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ready []string
	for len(s.queue) > 0 && !s.queue[0].at.After(time.Now()) {
		ready = append(ready, s.queue[0].text)
		s.queue = s.queue[1:]
	}
	s.queue = slices.Clone(s.queue) // without what was read, so that the heap can be measured
	if len(ready) > 0 || len(s.queue) > 0 {
		return ready, nil
	}
	return nil, s.err
}

func (s *socket) Send(message string) error {
	s.mu.Lock()
	sendErr := s.sendErr
	s.mu.Unlock()
	if sendErr != nil {
		return sendErr
	}
	e, err := element.Parse(message, &element.DefaultLimits)
	if err != nil {
		return err
	}
	f := s.server
	f.mu.Lock()
	handle := f.handle
	f.sent[e.Name.Local]++
	if e.Child(ns.PAM, "subscriptions") != nil {
		f.lists = append(f.lists, e.Child(ns.PAM, "subscriptions").Attr("ver"))
	}
	f.mu.Unlock()
	f.script.Lock()
	defer f.script.Unlock()
	if handle == nil || !handle(s, e) {
		s.answer(e)
	}
	return nil
}

func (s *socket) Close() error {
	s.fail(errors.New("closed on this side"))
	s.mu.Lock()
	was := s.freed
	s.freed, s.twice = true, was
	s.mu.Unlock()
	if !was {
		s.server.mu.Lock()
		s.server.open--
		s.server.mu.Unlock()
	}
	return nil
}

// answer answers an element as a correct server does.
func (s *socket) answer(e *element.Element) {
	switch {
	case e.Is(nsFraming, "open"):
		features := "<mechanisms xmlns='" + nsSASL + "'><mechanism>PLAIN</mechanism></mechanisms>"
		if s.authed {
			features = "<bind xmlns='" + nsBind + "'/>"
		}
		s.open(features)
	case e.Is(nsSASL, "auth"):
		s.authed = true
		s.push("<success xmlns='" + nsSASL + "'/>")
	case e.Is(nsFraming, "close"):
		s.push("<close xmlns='" + nsFraming + "'/>")
	case e.Child(nsBind, "bind") != nil:
		s.result(e, "<bind xmlns='"+nsBind+"'><jid>alice@localhost/x</jid></bind>")
	case e.Child(nsInfo, "query") != nil && e.Attr("type") == "get":
		s.result(e, "<query xmlns='"+nsInfo+"'><feature var='"+ns.PAM+"'/></query>")
	case e.Child(ns.PAM, "subscriptions") != nil:
		if e.Child(ns.PAM, "subscriptions").Attr("ver") == "v0" {
			s.result(e, "")
		} else {
			s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v0'/>")
		}
	case e.Child(ns.PAM, "pam") != nil, e.Child("urn:xmpp:ping", "ping") != nil:
		s.result(e, "")
	case isCatchUp(e):
		items := e.First().First()
		s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='"+items.Attr("node")+"'/></pubsub>")
	}
}

// open opens a stream that offers features.
func (s *socket) open(features string) {
	s.push("<open xmlns='"+nsFraming+"' from='localhost' id='s' version='1.0'/>",
		"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"+features+"</stream:features>")
}

// result answers a request.
func (s *socket) result(e *element.Element, payload string) {
	s.push(fmt.Sprintf("<iq xmlns='jabber:client' type='result' id='%s' from='%s'>%s</iq>", e.Attr("id"), e.Attr("to"), payload))
}

// failure answers a request with an error that is not temporary.
func (s *socket) failure(e *element.Element, condition string) {
	s.refuse(e, "<error type='cancel'><"+condition+" xmlns='"+nsStanzas+"'/></error>")
}

// refuse answers a request with an error.
func (s *socket) refuse(e *element.Element, failure string) {
	s.push(fmt.Sprintf("<iq xmlns='jabber:client' type='error' id='%s' from='%s'>%s</iq>", e.Attr("id"), e.Attr("to"), failure))
}

// notify sends the state of a subscription to node.
func (s *socket) notify(ver, node, state string) {
	s.push(fmt.Sprintf("<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='%s' ver='%s' service='pubsub.localhost'>"+
		"<subscription xmlns='%s' node='%s' jid='alice@localhost' subscription='%s'/></notify></message>", ns.PAM, ver, ns.Pubsub, node, state))
}

func (s *socket) push(messages ...string) {
	delay := s.server.delay
	s.mu.Lock()
	for _, m := range messages {
		s.queue = append(s.queue, delayed{time.Now().Add(delay), m})
	}
	s.mu.Unlock()
	if delay > 0 {
		time.AfterFunc(delay, s.arrived)
	} else {
		s.arrived()
	}
}

// fail ends the connection from the server's side.
func (s *socket) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.arrived()
}

// failSending has every later send fail.
func (s *socket) failSending(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendErr = err
}

// gone is the error of a socket that the server closed normally.
var gone = &transport.CloseError{Code: 1000}
