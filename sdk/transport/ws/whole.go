//go:build !js

package ws

import (
	"errors"
	"io"
	"net/http"
)

// wholeMessages makes connections that report io.EOF as io.ErrUnexpectedEOF. The
// WebSocket library takes an io.EOF inside a message for the end of that message,
// and would deliver the incomplete message.
type wholeMessages struct{ http.RoundTripper }

func (w wholeMessages) RoundTrip(r *http.Request) (*http.Response, error) {
	inner := w.RoundTripper
	if inner == nil {
		inner = http.DefaultTransport
	}
	response, err := inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if body, ok := response.Body.(io.ReadWriteCloser); ok && response.StatusCode == http.StatusSwitchingProtocols {
		response.Body = endless{body}
	}
	return response, nil
}

// An endless stream reports its end as io.ErrUnexpectedEOF.
type endless struct{ io.ReadWriteCloser }

func (e endless) Read(p []byte) (int, error) {
	n, err := e.ReadWriteCloser.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
