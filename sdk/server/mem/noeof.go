package mem

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// noEOFResponse wraps connections so that their end is an error other than io.EOF. The
// WebSocket library interprets an io.EOF inside a message as the end of that message,
// so a message of a lost client would seem complete.
type noEOFResponse struct{ http.ResponseWriter }

func (w noEOFResponse) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return noEOFConn{conn}, buffers, nil
}

type noEOFConn struct{ net.Conn }

func (e noEOFConn) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
