package main

import (
	"bytes"
	"net"
	"regexp"
	"sync"
	"time"
)

type lineConn struct {
	net.Conn
	line   *line
	closed chan struct{}
	once   sync.Once

	read, written time.Time // when data has last passed while the line was slow
}

// together is the time within which data follows other data.
const together = 5 * time.Millisecond

func (c *lineConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil {
		c.pause(&c.read)
	}
	return n, err
}

var (
	boundJID  = regexp.MustCompile(`<jid(?: [^>]*)?>([^<]+)</jid>`)
	enabledID = regexp.MustCompile(`<enabled [^>]*\bid=['"]([^'"]+)`)
	resumedID = regexp.MustCompile(`<resumed [^>]*\bprevid=['"]([^'"]+)`)
)

func (c *lineConn) Write(p []byte) (int, error) {
	c.line.observe(c, p)
	c.pause(&c.written)
	return c.Conn.Write(p)
}

// pause delays data of a socket on a slow line, until the socket is closed. Data that
// follows other data at once arrives together with it, so that the line is long and not
// narrow.
func (c *lineConn) pause(last *time.Time) {
	delay := time.Duration(c.line.slow.Load())
	if delay == 0 || !c.line.isSocket(c) {
		*last = time.Time{}
		return
	}
	if time.Since(*last) > min(together, delay/2) {
		select {
		case <-time.After(delay):
		case <-c.closed:
		}
	}
	*last = time.Now()
}

// observe records which session a socket serves: the server assigns the full JID when it
// binds (RFC 6120 §7.6), and the id for resumption when stream management starts
// (XEP-0198 §3).
func (l *line) observe(c *lineConn, p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	session, ok := l.sockets[c]
	if !ok {
		return
	}
	managed := bytes.Contains(p, []byte("urn:xmpp:sm:3"))
	switch {
	case session == "" && managed:
		if m := resumedID.FindSubmatch(p); m != nil {
			for _, s := range l.resumable {
				if s.id == string(m[1]) {
					l.sockets[c] = s.jid
				}
			}
		}
	case session == "":
		if m := boundJID.FindSubmatch(p); m != nil {
			l.sockets[c] = string(m[1])
		}
	case managed:
		if m := enabledID.FindSubmatch(p); m != nil {
			l.resumable = append(l.resumable, lineSession{string(m[1]), session})
			l.resumable = l.resumable[max(0, len(l.resumable)-maxResumable):]
		}
	}
}

func (c *lineConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	c.line.mu.Lock()
	delete(c.line.sockets, c)
	c.line.mu.Unlock()
	return c.Conn.Close()
}
