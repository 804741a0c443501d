//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/ws"
)

// An outcome is what becomes of the session when the client comes back.
type outcome int

const (
	resumed outcome = iota // the server kept it
	expired                // <failed h=…/>: the server knows what it had handled
	lost                   // <failed/>: the server knows nothing of it
	outcomes
)

func (o outcome) String() string { return [...]string{"resumed", "expired", "lost"}[o] }

// A cut ends a connection: at a message or at a byte, counted from the start of
// the run over all connections and in both directions.
type cut struct {
	at      int
	byte    bool // at is a byte
	through bool // the message still gets through
	late    bool // the server notices seconds later, and may be resumed before
	outcome outcome
}

func (c cut) String() string {
	s := fmt.Sprintf("message %d lost", c.at)
	switch {
	case c.byte:
		s = fmt.Sprintf("byte %d", c.at)
	case c.through:
		s = fmt.Sprintf("after message %d", c.at)
	}
	if c.late {
		s += ", noticed late"
	}
	return s + ", " + c.outcome.String()
}

// A cutWorld is a server, a device that is never cut and makes changes, and a
// network that cuts the lines of the device under test. It lives in a bubble of
// testing/synctest.
type cutWorld struct {
	t        *testing.T
	server   *mem.Server
	listener *pipeListener
	web      *http.Server
	other    *client.Client

	mu       sync.Mutex
	plan     []cut // what is still to come
	messages int   // that passed
	bytes    int
	pending  *outcome // to happen before the next dial
	dials    int      // since the last cut
	open     int      // lines that the client has not closed
	fault    string   // a rule that was broken
}

func newCutWorld(t *testing.T) *cutWorld {
	server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": canary}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		for _, name := range []string{"news", fmt.Sprintf("theirs%d", i), fmt.Sprintf("ours%d", i)} {
			_ = server.CreateNode(name, "open")
		}
	}
	w := &cutWorld{t: t, server: server, listener: newPipeListener()}
	w.web = &http.Server{Handler: server}
	go func() { _ = w.web.Serve(w.listener) }()
	w.other = w.client(&ws.Dialer{HTTPClient: w.http(nil)}, nil, func(o *client.Options) { o.Resource = "other" })
	ctx := t.Context()
	if _, err := w.other.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.other.Subscribe(ctx, client.Target{Service: "pubsub.localhost", Node: "news"}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *cutWorld) close() {
	_ = w.other.Close()
	_ = w.server.Close()
	_ = w.web.Close()
}

func (w *cutWorld) client(d transport.Dialer, s store.Store, edit func(*client.Options)) *client.Client {
	opts := &client.Options{
		Account: "alice@localhost", URL: "ws://localhost/xmpp-websocket", Dialer: d, Store: s,
		Credentials: password(canary),
	}
	if edit != nil {
		edit(opts)
	}
	c, err := client.New(opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// http makes connections through pipes, which watch may wrap.
func (w *cutWorld) http(watch func(net.Conn) net.Conn) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		if err := w.listener.hand(far); err != nil {
			return nil, err
		}
		if watch != nil {
			return watch(near), nil
		}
		return near, nil
	}}}
}

// Sessions are the full JIDs of the device under test.
func (w *cutWorld) sessions() []string {
	return slices.DeleteFunc(w.server.Sessions("alice"), func(name string) bool { return strings.HasSuffix(name, "/other") })
}

// Dial opens a line of the device under test.
func (w *cutWorld) Dial(ctx context.Context, url string) (transport.Conn, error) {
	w.mu.Lock()
	happens := w.pending
	w.pending = nil
	w.dials++
	if w.open++; w.open > 1 {
		w.fault = "two sockets at once"
	}
	w.mu.Unlock()
	if happens != nil {
		for _, name := range w.sessions() {
			switch *happens {
			case expired:
				w.server.ExpireSession(name)
			case lost:
				w.server.ForgetSession(name)
			}
		}
	}
	l := &line{w: w}
	inner, err := (&ws.Dialer{HTTPClient: w.http(func(c net.Conn) net.Conn {
		l.wire = &wire{Conn: c, w: w}
		return l.wire
	})}).Dial(ctx, url)
	if err != nil {
		w.closed()
		return nil, err
	}
	l.Conn, l.gone = inner, make(chan struct{})
	return l, nil
}

func (w *cutWorld) closed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open--
}

// next counts a message, and tells whether the line is cut at it.
func (w *cutWorld) next() (cut, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages++
	if len(w.plan) == 0 || w.plan[0].byte || w.messages < w.plan[0].at {
		return cut{}, false
	}
	return w.happens(), true
}

// allow counts n bytes and tells how many of them pass before a cut.
func (w *cutWorld) allow(n int) (passing int, isCut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes += n
	if len(w.plan) == 0 || !w.plan[0].byte || w.bytes < w.plan[0].at {
		return n, false
	}
	c := w.happens()
	return max(0, n-(w.bytes-c.at)-1), true
}

// happens takes the next cut off the plan.
func (w *cutWorld) happens() cut {
	c := w.plan[0]
	w.plan = w.plan[1:]
	w.pending, w.dials = &c.outcome, 0
	return c
}

// A line is one connection of the device under test.
type line struct {
	transport.Conn
	w    *cutWorld
	wire *wire
	gone chan struct{} // closed by the cut

	mu   sync.Mutex
	late bool
	dead bool
	once sync.Once
}

var errCut = errors.New("the line was cut")

func (l *line) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// Send loses what is sent on a dead line without a word, as a socket does whose
// peer is out of reach.
func (l *line) Send(message string) error {
	if l.isDead() {
		return nil
	}
	c, isCut := l.w.next()
	if !isCut {
		return l.Conn.Send(message)
	}
	if c.through {
		_ = l.Conn.Send(message)
		time.Sleep(time.Millisecond) // it arrives, and is answered in vain
	}
	l.cut(c)
	return nil
}

func (l *line) Receive(ctx context.Context) ([]string, error) {
	for !l.isDead() {
		messages, err := l.receive(ctx)
		if err != nil {
			return nil, err
		}
		if l.isDead() {
			break
		}
		for i := range messages {
			if c, isCut := l.w.next(); isCut {
				l.cut(c)
				if c.through {
					i++
				}
				if i > 0 {
					return messages[:i], nil
				}
				break
			}
			if i == len(messages)-1 {
				return messages, nil
			}
		}
	}
	return nil, errCut
}

// receive also ends when the line is cut.
func (l *line) receive(ctx context.Context) ([]string, error) {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-l.gone:
			stop()
		case <-ended:
		}
	}()
	messages, err := l.Conn.Receive(inner)
	if err != nil && l.isDead() {
		err = errCut
	}
	return messages, err
}

func (l *line) cut(c cut) {
	l.mu.Lock()
	already := l.dead
	l.dead, l.late = true, c.late
	l.mu.Unlock()
	if already {
		return
	}
	close(l.gone)
	if !c.late {
		_ = l.wire.Conn.Close()
	}
}

func (l *line) Close() error {
	l.once.Do(func() {
		l.w.closed()
		l.mu.Lock()
		late := l.late
		l.mu.Unlock()
		if !late {
			_ = l.Conn.Close()
			return
		}
		time.AfterFunc(3*time.Second, func() {
			_ = l.wire.Conn.Close()
			_ = l.Conn.Close()
		})
	})
	return nil
}

// A wire counts bytes.
type wire struct {
	net.Conn
	w *cutWorld
}

func (x *wire) Read(p []byte) (int, error) {
	n, err := x.Conn.Read(p)
	passing, isCut := x.w.allow(n)
	if isCut {
		_ = x.Conn.Close()
		if err == nil {
			err = errCut
		}
	}
	return passing, err
}

func (x *wire) Write(p []byte) (int, error) {
	passing, isCut := x.w.allow(len(p))
	if !isCut {
		return x.Conn.Write(p)
	}
	n, _ := x.Conn.Write(p[:passing])
	_ = x.Conn.Close()
	return n, errCut
}

// A pipeListener accepts the far ends of pipes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) hand(c net.Conn) error {
	select {
	case l.conns <- c:
		return nil
	case <-l.closed:
		return net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// anyOutcome draws one.
func anyOutcome(r *rand.Rand) outcome { return outcome(r.IntN(int(outcomes))) }
