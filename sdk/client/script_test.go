//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/transport"
)

const (
	nsFraming = "urn:ietf:params:xml:ns:xmpp-framing"
	nsStreams = "urn:ietf:params:xml:ns:xmpp-streams"
	nsSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	nsClient  = "jabber:client"
	nsInfo    = "http://jabber.org/protocol/disco#info"
	nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
)

// A scripted server lives in memory, so that a test may run it in a bubble of
// testing/synctest, and answers what it is asked: it grants every log-in, and
// its list is empty at version v0, unless the test handles an element itself.
type scripted struct {
	start time.Time

	mu     sync.Mutex
	dials  []time.Duration // when, since start
	urls   []string        // where to
	lists  []string        // the versions asked with
	open   int             // sockets that are not closed
	most   int             // the highest value of open
	last   *socket
	sent   map[string]int // elements received, by name
	refuse error          // why a dial fails
	down   string         // an address at which nobody is

	delay time.Duration // of everything that the server says

	script sync.Mutex // held while handle runs

	// dial, if set, runs at every attempt to connect.
	dial func(ctx context.Context) error
	// handle, if set, sees every element first; true means that it was dealt
	// with. It must not wait.
	handle func(s *socket, e *element.Element) bool
}

func newScripted() *scripted { return &scripted{start: time.Now(), sent: map[string]int{}} }

// A socket is the client's end of a connection to a scripted server.
type socket struct {
	server *scripted
	url    string
	mu     sync.Mutex
	queue  []delayed
	err    error // why nothing more comes
	deaf   error // why sending fails
	bell   chan struct{}
	freed  bool
	twice  bool // closed again
	authed bool
}

// A delayed message arrives at a time.
type delayed struct {
	at   time.Time
	text string
}

func (f *scripted) Dial(ctx context.Context, url string) (transport.Conn, error) {
	f.mu.Lock()
	f.dials = append(f.dials, time.Since(f.start))
	f.urls = append(f.urls, url)
	dial, refuse := f.dial, f.refuse
	if url == f.down {
		refuse = errors.New("nobody is there")
	}
	f.mu.Unlock()
	if dial != nil {
		refuse = dial(ctx)
	}
	if refuse != nil {
		return nil, refuse
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	f.most = max(f.most, f.open)
	f.last = &socket{server: f, url: url, bell: make(chan struct{}, 1)}
	return f.last, nil
}

func (s *socket) Receive(ctx context.Context) ([]string, error) {
	for {
		s.mu.Lock()
		var ready []string
		for len(s.queue) > 0 && !s.queue[0].at.After(time.Now()) {
			ready = append(ready, s.queue[0].text)
			s.queue = s.queue[1:]
		}
		var next <-chan time.Time
		if len(s.queue) > 0 {
			next = time.After(time.Until(s.queue[0].at))
		}
		err := s.err
		s.mu.Unlock()
		switch {
		case len(ready) > 0:
			return ready, nil
		case err != nil && next == nil:
			return nil, err
		}
		select {
		case <-next:
		case <-s.bell:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *socket) Send(message string) error {
	s.mu.Lock()
	deaf := s.deaf
	s.mu.Unlock()
	if deaf != nil {
		return deaf
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

// answer is what a well-behaved server does.
func (s *socket) answer(e *element.Element) {
	switch {
	case e.Is(nsFraming, "open"):
		features := "<mechanisms xmlns='" + nsSASL + "'><mechanism>PLAIN</mechanism></mechanisms>"
		if s.authed {
			features = "<bind xmlns='" + nsBind + "'/>"
		}
		s.push("<open xmlns='" + nsFraming + "' from='localhost' id='s' version='1.0'/>")
		s.push("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>" + features + "</stream:features>")
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
	}
}

func (s *socket) result(e *element.Element, payload string) {
	s.push(fmt.Sprintf("<iq xmlns='jabber:client' type='result' id='%s' from='%s'>%s</iq>", e.Attr("id"), e.Attr("to"), payload))
}

func (s *socket) failure(e *element.Element, condition string) {
	s.push(fmt.Sprintf("<iq xmlns='jabber:client' type='error' id='%s' from='%s'><error type='cancel'><%s xmlns='%s'/></error></iq>",
		e.Attr("id"), e.Attr("to"), condition, nsStanzas))
}

// notify tells the state of a subscription to node.
func (s *socket) notify(ver, node, state string) {
	s.push(fmt.Sprintf("<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='%s' ver='%s' service='pubsub.localhost'>"+
		"<subscription xmlns='%s' node='%s' jid='alice@localhost' subscription='%s'/></notify></message>", ns.PAM, ver, ns.Pubsub, node, state))
}

func (s *socket) push(messages ...string) {
	s.mu.Lock()
	for _, m := range messages {
		s.queue = append(s.queue, delayed{time.Now().Add(s.server.delay), m})
	}
	s.mu.Unlock()
	s.ring()
}

// fail ends the connection from the server's side.
func (s *socket) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.ring()
}

func (s *socket) ring() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

func (f *scripted) socket() *socket {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// dialed returns when it was dialed, since start.
func (f *scripted) dialed() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.dials)
}

// addresses returns where it was dialed.
func (f *scripted) addresses() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.urls)
}

// listed returns the versions that lists were asked for with.
func (f *scripted) listed() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lists)
}

// received returns how many elements of this name have come.
func (f *scripted) received(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[name]
}

// atOnce returns the highest number of sockets that were open.
func (f *scripted) atOnce() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

// set changes the script, and what handle uses, while clients use it.
func (f *scripted) set(edit func()) {
	f.script.Lock()
	defer f.script.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	edit()
}

// device makes a client of alice that knows only this server.
func (f *scripted) device(t *testing.T, edit ...func(*client.Options)) *device {
	t.Helper()
	edit = append([]func(*client.Options){func(o *client.Options) {
		o.Dialer = f
		o.Mechanisms = []string{"PLAIN"}
	}}, edit...)
	return newDevice(t, &peer{url: "wss://localhost/", domain: "localhost"}, nil, edit...)
}

func isList(e *element.Element) bool { return e.Child(ns.PAM, "subscriptions") != nil }
func isPAM(e *element.Element) bool  { return e.Child(ns.PAM, "pam") != nil }
func isDisco(e *element.Element) bool {
	return e.Child(nsInfo, "query") != nil && e.Attr("type") == "get"
}

// count returns the number of open sockets.
func (f *scripted) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

// gone is how a socket ends that the server closed in order.
var gone = &transport.CloseError{Code: 1000}
