//go:build !js

package mem

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// TestInABubble serves net.Pipe connections in a bubble with simulated time: the session hibernates there, and its minute passes at once.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Accounts: map[string]string{"alice": "ecila"}, Mechanisms: []string{"PLAIN"}})
		if err != nil {
			t.Fatal(err)
		}
		pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		web := &http.Server{Handler: s}
		go web.Serve(pipes)
		transport := &http.Transport{DialContext: pipes.dial}
		ws, _, err := websocket.Dial(t.Context(), "ws://server/", &websocket.DialOptions{
			Subprotocols: []string{"xmpp"}, HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		p := (&peer{t: t, ws: ws, ctx: t.Context()}).login("alice", "ecila", "a")
		p.enable()
		p.ws.CloseNow()
		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		if got := s.Hibernating("alice"); len(got) != 1 {
			t.Errorf("hibernating %q", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := s.Sessions("alice"); len(got) != 0 {
			t.Errorf("sessions %q", got)
		}
		s.Close()
		web.Close()
		transport.CloseIdleConnections()
	})
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	l.conns <- server
	return client, nil
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

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
