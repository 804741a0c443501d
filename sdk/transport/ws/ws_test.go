//go:build !js

package ws_test

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
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
		"https://example.invalid/":            "must be ws or wss",
		"ws://" + l.Addr().String() + "/gone": "cannot connect",
	} {
		d := ws.Dialer{HTTPClient: client}
		c, err := d.Dial(t.Context(), url, func() {})
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
	c, err := transporttest.Dial(t.Context(), new(ws.Dialer), s.URL+"/burst?n=1")
	if err != nil {
		t.Fatal(err)
	}
	if messages, err := c.Wait(t.Context()); err != nil || len(messages) != 1 {
		t.Errorf("Receive = %q, %v", messages, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestCutMessage: of a message that is cut off nothing is received.
func TestCutMessage(t *testing.T) {
	for _, sent := range []string{"", "<mess", strings.Repeat("x", 512), strings.Repeat("x", 4<<10)} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Sec-WebSocket-Protocol", "xmpp")
			sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
			w.Header().Set("Sec-WebSocket-Accept", base64.StdEncoding.EncodeToString(sum[:]))
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("\x81\x04<a/>\x81\x7e\x20\x00" + sent)) // a text message of 8 KiB
				_ = conn.Close()
			}
		}))
		idle := &http.Transport{}
		c, err := transporttest.Dial(t.Context(), &ws.Dialer{HTTPClient: &http.Client{Transport: idle}}, "ws"+strings.TrimPrefix(server.URL, "http"))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for err == nil {
			var messages []string
			messages, err = c.Wait(t.Context())
			got = append(got, messages...)
		}
		var closed *transport.CloseError
		if len(got) != 1 || got[0] != "<a/>" || !errors.As(err, &closed) || closed.Code != 1006 {
			t.Errorf("cut after %d bytes: %d messages, %v", len(sent), len(got), err)
		}
		_ = c.Close()
		idle.CloseIdleConnections()
		server.Close()
	}
}
