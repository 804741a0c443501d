//go:build !js

package client_test

import (
	"net"
	"sync"
	"time"
)

// A framing finds the messages in one direction of a WebSocket: first an HTTP head,
// then frames (RFC 6455 §5.2). A control frame counts as a message: it can be cut too.
type framing struct {
	headDone bool
	tail     uint32
	header   []byte
	need     int // bytes of the payload still to come
	inside   bool
	offset   int // bytes of the message so far
}

// starts reports whether the next byte begins a message.
func (f *framing) starts() bool { return !f.inside && f.offset == 0 }

// take takes a byte and reports whether it ends a message.
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

// A counted connection is counted as open until it is closed.
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

// A link is one connection through the network: one end to the client and one end to
// the server.
type link struct {
	n      *network
	ends   [2]net.Conn
	frames [2]framing
	broken bool // guarded by n.mu
}

// carry forwards bytes in one direction. Bytes after a cut are lost.
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

// pass returns how many of the bytes to forward, and the cut after them.
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

// sever closes the connection at the ends that notice the cut.
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
