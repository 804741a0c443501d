//go:build !js

// Package ws implements transport.Dialer natively with coder/websocket. Programs in
// a browser use the browser's WebSocket instead.
package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"

	"xmpp-pam/sdk/transport"
)

// subprotocol is the WebSocket subprotocol of XMPP (RFC 7395 §3.1).
const subprotocol = "xmpp"

// A Dialer opens connections over TCP or TLS. Like a browser, it does not follow
// redirects.
type Dialer struct {
	// HTTPClient makes the opening handshake; nil means http.DefaultClient. Set it
	// to trust other certificates or to use a proxy.
	HTTPClient *http.Client
}

var _ transport.Dialer = (*Dialer)(nil)

// Dial implements transport.Dialer. The caller must close the connection: its two
// goroutines run until then, or until the other side closes it.
func (d *Dialer) Dial(ctx context.Context, address string, arrived func()) (transport.Conn, error) {
	if !strings.HasPrefix(address, "ws:") && !strings.HasPrefix(address, "wss:") {
		return nil, errors.New("ws: the scheme of the address must be ws or wss")
	}
	client := http.DefaultClient
	if d.HTTPClient != nil {
		client = d.HTTPClient
	}
	direct := *client
	direct.Transport = noEOFTransport{client.Transport}
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	conn, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient:   &direct,
		Subprotocols: []string{subprotocol},
	})
	switch {
	case ctx.Err() != nil:
		if conn != nil {
			conn.CloseNow()
		}
		return nil, fmt.Errorf("ws: gave up connecting: %w", ctx.Err())
	case err != nil && response != nil:
		err = withoutURL(err)
		return nil, fmt.Errorf("ws: the server answered with HTTP status %s, so there is no XMPP over WebSocket at this address; check it: %w", response.Status, err)
	case err != nil:
		return nil, fmt.Errorf("ws: cannot connect: %w", withoutURL(err))
	case conn.Subprotocol() != subprotocol:
		conn.CloseNow()
		return nil, fmt.Errorf("ws: the server speaks WebSocket at this address, but does not agree to the subprotocol %q; check the address", subprotocol)
	}
	conn.SetReadLimit(transport.MaxMessage)
	return newConn(conn, arrived), nil
}

// withoutURL returns the cause of an error of net/http or net/url. The text of the
// error itself contains the whole URL, which may contain a secret.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// noEOFTransport makes connections that report io.EOF as io.ErrUnexpectedEOF. The
// WebSocket library takes an io.EOF inside a message for the end of that message,
// and would deliver the incomplete message.
type noEOFTransport struct{ http.RoundTripper }

func (w noEOFTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	inner := w.RoundTripper
	if inner == nil {
		inner = http.DefaultTransport
	}
	response, err := inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if body, ok := response.Body.(io.ReadWriteCloser); ok && response.StatusCode == http.StatusSwitchingProtocols {
		response.Body = noEOFStream{body}
	}
	return response, nil
}

// A noEOFStream reports its end as io.ErrUnexpectedEOF.
type noEOFStream struct{ io.ReadWriteCloser }

func (e noEOFStream) Read(p []byte) (int, error) {
	n, err := e.ReadWriteCloser.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
