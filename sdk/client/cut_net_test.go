//go:build !js

package client_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/ws"
)

// A direction is the way of a message.
type direction int

const (
	toServer direction = iota
	toClient
)

// serverNotices is how long a server that does not notice a cut at once goes on.
// A client that does not is never told, and has to find out.
const serverNotices = 20 * time.Second

// A cut is a place in a conversation at which the network breaks: in message
// number after of one direction, counted from the cut before over all
// connections, when bytes of it have passed: none (the message is lost), or all
// (it got through) if bytes is -1. A message that is shorter loses its last byte.
// The heads of the WebSocket's opening count as messages.
type cut struct {
	way    direction
	after  int
	bytes  int
	late   [2]bool // the server, the client do not notice at once
	ending ending  // what becomes of the session meanwhile
}

// An ending is what the server says to the next attempt to resume.
type ending string

const (
	resumes ending = "resumed"
	expires ending = "refused with h"
	forgets ending = "lost"
)

// A network carries the connections of one client to a server, and breaks them
// where it is told to.
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
	down   bool // nobody can connect
	tally
}

// A tally is what a network counts.
type tally struct {
	dials    int
	open     int // connections of the client that are not closed
	sockets  int // those that carry a WebSocket that the client holds
	most     int // of them at once
	cuts     int // that were made
	sinceCut int // dials since the last of them
}

// counts returns what was counted until now.
func (n *network) counts() tally {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.tally
}

func newNetwork(plan ...cut) *network {
	n := &network{accepting: make(chan net.Conn), closed: make(chan struct{}), plan: plan}
	// Without keep-alives no connection that was dialed for nobody stays in a pool.
	n.transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return n.dial(ctx) }}
	return n
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
func (n *network) Dial(ctx context.Context, url string) (transport.Conn, error) {
	c, err := (&ws.Dialer{HTTPClient: &http.Client{Transport: n.transport}}).Dial(ctx, url)
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
	return &haunted{Conn: c, n: n, held: held}, nil
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

// A counted connection knows how many are open.
type counted struct {
	net.Conn
	n    *network
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() {
		c.n.mu.Lock()
		c.n.open--
		c.n.mu.Unlock()
	})
	return c.Conn.Close()
}

// A link is one connection as the network sees it: an end towards the client
// and one towards the server.
type link struct {
	n      *network
	ends   [2]net.Conn
	frames [2]framing
	broken bool // guarded by n.mu
}

// carry moves bytes one way. What comes after a cut is lost.
func (l *link) carry(way direction) {
	from, to := l.ends[way], l.ends[1-way]
	buffer := make([]byte, 4<<10)
	for {
		k, err := from.Read(buffer)
		pass, cut := l.pass(way, buffer[:k])
		if pass > 0 {
			_, _ = to.Write(buffer[:pass])
		}
		if cut != nil {
			l.sever(*cut)
		}
		if err != nil {
			l.n.mu.Lock()
			broken := l.broken
			l.n.mu.Unlock()
			if !broken {
				_ = to.Close()
			}
			_ = from.Close()
			return
		}
	}
}

// pass tells how many of the bytes get through, and the cut that ends them.
func (l *link) pass(way direction, data []byte) (int, *cut) {
	n, f := l.n, &l.frames[way]
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.broken {
		return 0, nil
	}
	for i, b := range data {
		starts := f.starts()
		if starts {
			n.passed[way]++
			n.sizes[way] = append(n.sizes[way], 0)
		}
		var due *cut
		if len(n.plan) > 0 && n.plan[0].way == way && n.plan[0].after == n.passed[way]-1 {
			due = &n.plan[0]
		}
		if due != nil && due.bytes >= 0 && f.offset >= due.bytes {
			return i, l.breakAt()
		}
		ends := f.take(b)
		if due != nil && due.bytes > 0 && ends { // The message is shorter here: its last byte is lost.
			return i, l.breakAt()
		}
		n.sizes[way][len(n.sizes[way])-1]++
		if due != nil && due.bytes < 0 && ends {
			return i + 1, l.breakAt()
		}
	}
	return len(data), nil
}

func (l *link) breakAt() *cut {
	n := l.n
	c := n.plan[0]
	n.plan = n.plan[1:]
	l.broken = true
	n.cuts++
	n.sinceCut = 0
	n.passed = [2]int{}
	return &c
}

// sever ends the connection for those who notice.
func (l *link) sever(c cut) {
	if !c.late[0] {
		_ = l.ends[1].Close()
	} else {
		time.AfterFunc(serverNotices, func() { _ = l.ends[1].Close() })
	}
	if !c.late[1] {
		_ = l.ends[0].Close()
	}
	if l.n.onCut != nil {
		l.n.onCut(c)
	}
}

// cutNow breaks every connection, for both sides at once, and keeps the client
// away while down.
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

// A framing finds the messages in one direction of a WebSocket: first a head of
// HTTP, then frames (RFC 6455 §5.2). A control frame counts as a message: it can be cut too.
type framing struct {
	headDone bool
	tail     uint32
	header   []byte
	need     int // bytes of the payload still to come
	inside   bool
	offset   int // bytes of the message so far
}

// starts tells whether the next byte begins a message.
func (f *framing) starts() bool { return !f.inside && f.offset == 0 }

// take takes a byte and tells whether it ends a message.
func (f *framing) take(b byte) (ends bool) {
	f.offset++
	if !f.headDone {
		f.tail = f.tail<<8 | uint32(b)
		if f.tail == '\r'<<24|'\n'<<16|'\r'<<8|'\n' {
			f.headDone, f.offset = true, 0
			return true
		}
		return false
	}
	if f.need > 0 {
		f.need--
	} else {
		f.header = append(f.header, b)
		if len(f.header) < 2 {
			return false
		}
		extra, length := 0, int(f.header[1]&0x7f)
		switch length {
		case 126:
			extra = 2
		case 127:
			extra = 8
		}
		if len(f.header) < 2+extra {
			return false
		}
		if extra > 0 {
			length = 0
			for _, x := range f.header[2 : 2+extra] {
				length = length<<8 | int(x)
			}
		}
		if f.header[1]&0x80 != 0 {
			extra += 4
		}
		if len(f.header) < 2+extra {
			return false
		}
		f.need = length
	}
	if f.need > 0 {
		return false
	}
	final := f.header[0]&0x80 != 0
	f.header = f.header[:0]
	f.inside = !final
	if final {
		f.offset = 0
	}
	return final
}

// A haunted connection hands over messages after it was closed on this side,
// which nobody may listen to any more.
type haunted struct {
	transport.Conn
	n      *network
	held   bool // it is counted
	mu     sync.Mutex
	closed bool
	told   bool
}

func (h *haunted) Receive(ctx context.Context) ([]string, error) {
	messages, err := h.Conn.Receive(context.WithoutCancel(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil && h.closed && !h.told {
		h.told = true
		return []string{ghost}, nil
	}
	return messages, err
}

func (h *haunted) Close() error {
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

// A ghost is an event of a connection that is over.
const ghost = "<message xmlns='jabber:client' from='alice@localhost'><ghost xmlns='urn:ghost'/></message>"
