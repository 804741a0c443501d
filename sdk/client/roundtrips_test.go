//go:build !js

package client_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/transporttest"
	"xmpp-pam/sdk/transport/ws"
)

// A way is a way to get to pam.PhaseLive. It starts with a stored list at the current
// version, unless the device is new.
type way struct {
	name   string
	most   int
	isNew  bool
	stale  bool   // the list changes while the device is offline
	cut    bool   // a connection is cut first
	reload bool   // and the program ends: the next run resumes
	sent   string // must be in the wire log
}

var ways = []way{
	{name: "new device", most: 6, isNew: true, sent: "<subscriptions xmlns='urn:xmpp:pam:0'/>"},
	{name: "stored version, nothing changed", most: 6, sent: " ver='"},
	{name: "stored version, changes", most: 7, stale: true, sent: " ver='"},
	{name: "resumed", most: 5, cut: true, sent: "<resume "},
	{name: "resumed, changes", most: 5, cut: true, stale: true, sent: "<resume "},
	{name: "reload, resumed", most: 6, cut: true, reload: true, sent: "<resume "},
}

// TestRoundTrips counts the round trips from the open socket to pam.PhaseLive, for every
// way to get there. It uses a connection that is much slower than everything else: a
// message takes oneWay in each direction, so the number is the time divided by twice
// that. At Prosody, where time is real, other delays can only increase it, so the test
// uses the minimum of several tries.
func TestRoundTrips(t *testing.T) {
	switch os.Getenv("PAM_SERVER") {
	case "", "mem":
	case "prosody":
		for _, w := range ways {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				w.count(t, newPeer(t), &ws.Dialer{}, 3)
			})
		}
		return
	default:
		t.Skip("other servers need other numbers of round trips")
	}
	for _, w := range ways {
		bubble(t, w.name, func(t *testing.T) {
			n := newNetwork()
			server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": testPassword}})
			check(t, err)
			for _, node := range []string{"news", "weather"} {
				check(t, server.CreateNode(node, "open"))
			}
			makePersonalNode(server)
			front := n.serve(server)
			t.Cleanup(func() {
				_ = server.Close()
				_ = front.Close()
			})
			w.count(t, &peer{url: "ws://localhost/xmpp-websocket", domain: "localhost", Server: server}, n, 1)
		})
	}
}

// count takes the way, at most tries times, and checks how many round trips it needs.
func (w way) count(t *testing.T, p *peer, dialer transport.Dialer, tries int) {
	fast := func(o *client.Options) { o.Dialer = dialer }
	service := "pubsub." + p.domain
	other := newDevice(t, p, nil, fast).connect()
	subscribe(t, other, service, "news")
	kept := keep(store.NewMemory())
	_ = newDevice(t, p, kept, fast).connect().Close()
	least := 0
	for range tries {
		line := &slowLine{dialer: dialer}
		slowly := func(o *client.Options) {
			o.Dialer = line
			if w.reload {
				o.Tab = "tab"
			}
		}
		stored := kept
		if w.isNew {
			stored = keep(store.NewMemory())
		}
		a := newDevice(t, p, stored, slowly)
		if w.cut {
			a.connect()
			a.wait("stream management", func() bool { return strings.Contains(a.logLocked(), "<enabled") })
			line.refuse(true)
			a.Drop()
			a.wait("the loss", func() bool { return a.State().Phase == pam.PhaseWaiting })
		}
		if w.reload {
			a.wait("the session's record", func() bool {
				records, err := kept.Scan(t.Context(), store.Range{From: "session/", To: "session/\xff"})
				return err == nil && len(records) == 1
			})
			line = &slowLine{dialer: dialer} // The old program never gets a connection again.
			a = newDevice(t, p, stored, slowly)
		}
		if w.stale {
			if nodes := nodesOf(other.Snapshot().List); len(nodes) == 1 {
				subscribe(t, other, service, "weather")
			} else {
				check(t, other.Unsubscribe(t.Context(), pam.Target{Service: service, Node: "weather"}))
			}
		}
		line.refuse(false)
		from := strings.Count(a.log(), "\n")
		if w.cut && !w.reload {
			a.Wake()
			a.wait("the session", func() bool { return a.State().Phase == pam.PhaseLive })
		} else {
			a.connect()
		}
		trips := int(time.Since(line.opened()) / (2 * oneWay))
		if a.State().Resumed != w.cut {
			t.Fatalf("resumed: %v\n%s", a.State().Resumed, a.log())
		}
		if said := strings.Join(strings.SplitAfter(a.log(), "\n")[from:], ""); !strings.Contains(said, w.sent) {
			t.Fatalf("%s was not sent:\n%s", w.sent, said)
		}
		_ = a.Close()
		if least == 0 || trips < least {
			least = trips
		}
		if least <= w.most {
			break
		}
	}
	t.Logf("%d round trips", least)
	if least != w.most {
		t.Errorf("%d round trips, not %d", least, w.most)
	}
}

const oneWay = 150 * time.Millisecond

// A slowLine dials connections on which every message takes oneWay.
type slowLine struct {
	dialer transport.Dialer // nil dials the network

	mu      sync.Mutex
	refused bool
	at      time.Time
}

func (l *slowLine) refuse(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = on
}

// opened is when the last connection was open.
func (l *slowLine) opened() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

func (l *slowLine) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	l.mu.Lock()
	refused := l.refused
	l.mu.Unlock()
	if refused {
		return nil, fmt.Errorf("no network")
	}
	conn, err := transporttest.Dial(ctx, cmp.Or[transport.Dialer](l.dialer, &ws.Dialer{}), url)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.at = time.Now()
	l.mu.Unlock()
	s := &slowConn{Conn: conn, out: make(chan late, 1000), in: make(chan late, 1000), gone: make(chan struct{}), arrived: arrived}
	go s.carryOut()
	go s.carryIn()
	go s.deliver()
	return s, nil
}

// A slowConn is one of its connections.
type slowConn struct {
	*transporttest.Conn
	out, in chan late
	gone    chan struct{}
	once    sync.Once
	arrived func()

	mu       sync.Mutex
	received []string
	err      error
}

// A late message is delivered at its time.
type late struct {
	at       time.Time
	messages []string
	err      error
}

func (s *slowConn) carryOut() {
	for {
		select {
		case l := <-s.out:
			time.Sleep(time.Until(l.at))
			_ = s.Conn.Send(l.messages[0])
		case <-s.gone:
			return
		}
	}
}

func (s *slowConn) carryIn() {
	for {
		messages, err := s.Conn.Wait(context.Background())
		select {
		case s.in <- late{time.Now().Add(oneWay), messages, err}:
		case <-s.gone:
			return
		}
		if err != nil {
			return
		}
	}
}

func (s *slowConn) Send(message string) error {
	select {
	case s.out <- late{at: time.Now().Add(oneWay), messages: []string{message}}:
		return nil
	case <-s.gone:
		return fmt.Errorf("closed")
	}
}

func (s *slowConn) deliver() {
	for {
		select {
		case l := <-s.in:
			time.Sleep(time.Until(l.at))
			s.mu.Lock()
			s.received, s.err = append(s.received, l.messages...), l.err
			s.mu.Unlock()
			s.arrived()
		case <-s.gone:
			return
		}
	}
}

func (s *slowConn) Receive() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if messages := s.received; len(messages) > 0 {
		s.received = nil
		return messages, nil
	}
	return nil, s.err
}

func (s *slowConn) Close() error {
	s.once.Do(func() { close(s.gone) })
	return s.Conn.Close()
}
