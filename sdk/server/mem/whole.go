package mem

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// noEOF wraps connections so that their end is an error other than io.EOF. The
// WebSocket library interprets an io.EOF inside a message as the end of that message,
// so a message of a lost client would seem complete.
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
