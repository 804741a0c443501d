package main

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// A line is a listener that records which of its connections became sockets,
// because the HTTP server does not track hijacked connections.
type line struct {
	net.Listener

	// refuse makes the device answer new sockets with 503.
	refuse atomic.Bool

	// slow is the delay of everything that a socket reads and writes, a time.Duration.
	slow atomic.Int64

	mu      sync.Mutex
	sockets map[*lineConn]string // the session's full JID, once it has one

	// resumable has the last sessions that a client could resume, also those that
	// have no socket now.
	resumable []lineSession
}

// A lineSession is a session with stream management.
type lineSession struct{ id, jid string }

// maxResumable is the number of sessions that a line remembers.
const maxResumable = 32

func newLine(l net.Listener) *line { return &line{Listener: l, sockets: make(map[*lineConn]string)} }

func (l *line) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lineConn{Conn: c, line: l, closed: make(chan struct{})}, nil
}

func (l *line) connState(c net.Conn, state http.ConnState) {
	if state != http.StateHijacked {
		return
	}
	l.mu.Lock()
	l.sockets[c.(*lineConn)] = ""
	l.mu.Unlock()
	if l.refuse.Load() { // The request came before the refusal, and the socket after the cut.
		c.Close()
	}
}

func (l *line) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sockets)
}

func (l *line) isSocket(c *lineConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.sockets[c]
	return ok
}

// has reports whether the session with this full JID uses this line.
func (l *line) has(session string) bool {
	return slices.Contains(l.sessions(), session)
}

// sessions returns the full JIDs of the sessions that use this line.
func (l *line) sessions() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Collect(maps.Values(l.sockets)), func(s string) bool { return s == "" })
}

// takeResumable returns the full JIDs of the resumable sessions, and forgets them.
func (l *line) takeResumable() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var jids []string
	for _, s := range l.resumable {
		jids = append(jids, s.jid)
	}
	l.resumable = nil
	return jids
}

func (l *line) cut() int {
	l.mu.Lock()
	conns := slices.Collect(maps.Keys(l.sockets))
	l.mu.Unlock()
	for _, c := range conns {
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			tcp.SetLinger(0) // a reset: data in transit is lost
		}
		c.Close()
	}
	return len(conns)
}
