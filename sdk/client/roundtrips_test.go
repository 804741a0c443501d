//go:build !js

package client_test

import (
	"context"
	"fmt"
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

// TestRoundTrips counts the round trips from the open socket to pam.PhaseLive, for every
// way to get there. It uses a connection that is much slower than everything else: a
// message takes oneWay in each direction, so the number is the time divided by twice
// that. Other delays can only increase it, so the test uses the minimum of several tries.
func TestRoundTrips(t *testing.T) {
	p := newPeer(t)
	if p.like != (mem.Personality{}) {
		t.Skip("other servers need other numbers of round trips")
	}
	service := "pubsub." + p.domain
	kept := keep(store.NewMemory())
	other := newDevice(t, p, nil).connect()
	subscribe(t, other, service, "news")

	// Every way starts with the stored list at the current version.
	stale := func(*device) {
		if nodes := nodesOf(other.Snapshot().List); len(nodes) == 1 {
			subscribe(t, other, service, "weather")
		} else {
			if err := other.Unsubscribe(t.Context(), pam.Target{Service: service, Node: "weather"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	ways := []struct {
		name   string
		most   int
		store  func() store.Store
		before func(*device) // while the device is offline
		cut    bool          // a connection is cut first
		reload bool          // and the program ends: the next run resumes
		sent   string        // must be in the wire log
	}{
		{name: "new device", most: 6, store: func() store.Store { return store.NewMemory() }, sent: "<subscriptions xmlns='urn:xmpp:pam:0'/>"},
		{name: "stored version, nothing changed", most: 6, store: func() store.Store { return kept }, sent: " ver='"},
		{name: "stored version, changes", most: 7, store: func() store.Store { return kept }, before: stale, sent: " ver='"},
		{name: "resumed", most: 5, store: func() store.Store { return kept }, cut: true, sent: "<resume "},
		{name: "resumed, changes", most: 5, store: func() store.Store { return kept }, cut: true, before: stale, sent: "<resume "},
		{name: "reload, resumed", most: 6, store: func() store.Store { return kept }, cut: true, reload: true, sent: "<resume "},
	}
	keep := newDevice(t, p, kept).connect()
	_ = keep.Close()
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			least := 0
			for range 3 {
				line := &slowLine{}
				slowly := func(o *client.Options) {
					o.Dialer = line
					if way.reload {
						o.Tab = "tab"
					}
				}
				a := newDevice(t, p, way.store(), slowly)
				if way.cut {
					a.connect()
					a.wait("stream management", func() bool { return strings.Contains(a.logLocked(), "<enabled") })
					line.refuse(true)
					a.Drop()
					a.wait("the loss", func() bool { return a.State().Phase == pam.PhaseWaiting })
				}
				if way.reload {
					a.wait("the session's record", func() bool {
						records, err := kept.Scan(t.Context(), store.Range{From: "session/", To: "session/\xff"})
						return err == nil && len(records) == 1
					})
					line = &slowLine{} // The old program never gets a connection again.
					a = newDevice(t, p, way.store(), slowly)
				}
				if way.before != nil {
					way.before(a)
				}
				line.refuse(false)
				from := strings.Count(a.log(), "\n")
				if way.cut && !way.reload {
					a.Wake()
					a.wait("the session", func() bool { return a.State().Phase == pam.PhaseLive })
				} else {
					a.connect()
				}
				trips := int(time.Since(line.opened()) / (2 * oneWay))
				if a.State().Resumed != way.cut {
					t.Fatalf("resumed: %v\n%s", a.State().Resumed, a.log())
				}
				if said := strings.Join(strings.SplitAfter(a.log(), "\n")[from:], ""); !strings.Contains(said, way.sent) {
					t.Fatalf("%s was not sent:\n%s", way.sent, said)
				}
				_ = a.Close()
				if least == 0 || trips < least {
					least = trips
				}
				if least <= way.most {
					break
				}
			}
			t.Logf("%s: %d round trips", way.name, least)
			if least != way.most {
				t.Errorf("%d round trips, not %d", least, way.most)
			}
		})
	}
}

const oneWay = 150 * time.Millisecond

// A slowLine dials connections on which every message takes oneWay.
type slowLine struct {
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
	conn, err := transporttest.Dial(ctx, &ws.Dialer{}, url)
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
