//go:build !js

package ws

import (
	"errors"
	"io"
	"net/http"
)

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
