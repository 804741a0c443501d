//go:build !js

package ws_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/transporttest"
	"xmpp-pam/sdk/transport/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newServer also makes sure that idle HTTP connections do not outlive a test.
func newServer(t *testing.T) (*transporttest.Server, *http.Client) {
	s := transporttest.NewServer()
	idle := &http.Transport{}
	t.Cleanup(func() {
		idle.CloseIdleConnections()
		s.Close()
	})
	return s, &http.Client{Transport: idle}
}

func TestConformance(t *testing.T) {
	s, client := newServer(t)
	transporttest.Run(t, func() transport.Dialer { return &ws.Dialer{HTTPClient: client} }, s.URL)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	s, client := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for url, want := range map[string]string{
		s.URL + "/refuse":                     "404",
		s.URL + "/plain":                      "no XMPP over WebSocket at this address",
		s.URL + "/redirect":                   "302",
		s.URL + "/nosub":                      `subprotocol "xmpp"`,
		"https://example.invalid/":            "must start with ws: or wss:",
		"ws://" + l.Addr().String() + "/gone": "cannot connect",
	} {
		d := ws.Dialer{HTTPClient: client}
		c, err := d.Dial(t.Context(), url)
		if err == nil {
			c.Close()
			t.Errorf("Dial(%q) gave a connection", url)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Dial(%q): %v, want %q in it", url, err, want)
		}
	}
}

func TestNoClient(t *testing.T) {
	s, _ := newServer(t)
	defer http.DefaultClient.CloseIdleConnections()
	c, err := new(ws.Dialer).Dial(t.Context(), s.URL+"/burst?n=1")
	if err != nil {
		t.Fatal(err)
	}
	if messages, err := c.Receive(t.Context()); err != nil || len(messages) != 1 {
		t.Errorf("Receive = %q, %v", messages, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
