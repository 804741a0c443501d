package mem

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// wholeMessages hands out connections whose end is an error. The WebSocket library takes an io.EOF inside a message for the end of that
// message, so that a client which is cut off would seem to have sent what it did not.
type wholeMessages struct{ http.ResponseWriter }

func (w wholeMessages) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return endless{conn}, buffers, nil
}

type endless struct{ net.Conn }

func (e endless) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
