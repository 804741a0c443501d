//go:build !js

package client_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/ws"
)

// A direction is the direction of a message.
type direction int

const (
	toServer direction = iota
	toClient
)

// serverNotices is the time after which a server notices a cut that it did not notice
// at once. A client must detect such a cut by itself.
const serverNotices = 20 * time.Second

// A cut is a place at which the network breaks: in message number after of one
// direction, counted from the previous cut over all connections, when it has forwarded
// bytes of that message: none (the message is lost), or all (it arrives) if bytes is -1.
// A message that is shorter loses its last byte. The HTTP heads of the WebSocket
// handshake count as messages.
type cut struct {
	way    direction
	after  int
	bytes  int
	late   [2]bool // whether the server, and the client, do not notice at once
	ending ending  // what the server does with the session before the next connection
}

// An ending is the server's answer to the next attempt to resume.
type ending string

const (
	resumes ending = "resumed"
	expires ending = "refused with h"
	forgets ending = "lost"
)

// A network carries the connections of one client to a server and makes the cuts of
// its plan.
type network struct {
	accepting chan net.Conn
	closed    chan struct{}
	transport *http.Transport
	onCut     func(cut)

	mu     sync.Mutex
	plan   []cut
	passed [2]int // messages that began since the last cut
	sizes  [2][]int
	links  []*link
	down   bool // every dial fails
	tally
}

// A tally is what a network counts.
type tally struct {
	dials    int
	open     int // connections of the client that are not closed
	sockets  int // open WebSockets of the client
	most     int // the highest value of sockets
	cuts     int // cuts that were made
	sinceCut int // dials since the last of them
}

// counts returns the counts so far.
func (n *network) counts() tally {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.tally
}

// skipped reports whether a message passed at which the connection was to be cut.
func (n *network) skipped() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.plan) > 0 && n.passed[n.plan[0].way] > n.plan[0].after
}

func newNetwork(plan ...cut) *network {
	n := &network{accepting: make(chan net.Conn), closed: make(chan struct{}), plan: plan}
	// Without keep-alives, the pool keeps no unused connection.
	n.transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return n.dial(ctx) }}
	return n
}

// client makes a client of alice that connects over the network.
func (n *network) client(edit ...func(*client.Options)) *client.Client {
	opts := &client.Options{
		Account: "alice@localhost", URL: "ws://localhost/xmpp-websocket", Dialer: n,
		Mechanisms: []string{"PLAIN"}, Credentials: password("secret-a"),
	}
	for _, e := range edit {
		e(opts)
	}
	c, err := client.New(opts)
	if err != nil {
		panic(err)
	}
	return c
}

// serve runs the server behind the network.
func (n *network) serve(h http.Handler) *http.Server {
	s := &http.Server{Handler: h}
	go func() { _ = s.Serve(n) }()
	return s
}

// Accept, Close and Addr implement net.Listener.
func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accepting:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	select {
	case <-n.closed:
	default:
		close(n.closed)
	}
	return nil
}

func (n *network) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// Dial implements transport.Dialer.
func (n *network) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	c, err := (&ws.Dialer{HTTPClient: &http.Client{Transport: n.transport}}).Dial(ctx, url, arrived)
	if err != nil {
		return nil, err
	}
	time.Sleep(time.Nanosecond) // The client closes the socket of a connection that it ended on another goroutine.
	held := ctx.Err() == nil    // otherwise it is closed as soon as it is returned
	if held {
		n.mu.Lock()
		n.sockets++
		n.most = max(n.most, n.sockets)
		n.mu.Unlock()
	}
	return &lateConn{Conn: c, n: n, held: held}, nil
}

func (n *network) dial(ctx context.Context) (net.Conn, error) {
	mine, near := net.Pipe()
	far, theirs := net.Pipe()
	l := &link{n: n, ends: [2]net.Conn{near, far}}
	n.mu.Lock()
	n.dials++
	n.sinceCut++
	if n.down {
		n.mu.Unlock()
		return nil, net.ErrClosed
	}
	n.open++
	n.links = append(n.links, l)
	n.mu.Unlock()
	select {
	case n.accepting <- theirs:
	case <-ctx.Done():
		_ = near.Close()
	case <-n.closed:
		_ = near.Close()
	}
	go l.carry(toServer)
	go l.carry(toClient)
	return &counted{Conn: mine, n: n}, nil
}

// cutNow breaks every connection at both ends. If down, dials fail until up.
func (n *network) cutNow(down bool) {
	n.mu.Lock()
	n.down = down
	links := n.links
	n.links = nil
	for _, l := range links {
		l.broken = true
	}
	n.mu.Unlock()
	for _, l := range links {
		_ = l.ends[0].Close()
		_ = l.ends[1].Close()
	}
}

func (n *network) up() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = false
}

func (n *network) isDown() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.down
}

// A lateConn delivers a message after the client closed it, which the client must
// ignore.
type lateConn struct {
	transport.Conn
	n      *network
	held   bool // n counts it
	mu     sync.Mutex
	closed bool
	sent   bool
}

func (h *lateConn) Receive() ([]string, error) {
	messages, err := h.Conn.Receive()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil && h.closed && !h.sent {
		h.sent = true
		return []string{lateMessage}, nil
	}
	return messages, err
}

func (h *lateConn) Close() error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		if h.held {
			h.n.mu.Lock()
			h.n.sockets--
			h.n.mu.Unlock()
		}
	}
	h.mu.Unlock()
	return h.Conn.Close()
}

// lateMessage is a message of a closed connection.
const lateMessage = "<message xmlns='jabber:client' from='alice@localhost'><late xmlns='urn:late'/></message>"
