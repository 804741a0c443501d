//go:build !js

package transporttest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"xmpp-pam/sdk/transport"
)

// A Server is a running Handler. Pass its URL to Run.
type Server struct {
	URL string // starts with ws:

	http *httptest.Server
	stop context.CancelFunc
	busy sync.WaitGroup
}

// NewServer starts a server on a free port of the loopback interface.
func NewServer() *Server {
	s := new(Server)
	ctx, stop := context.WithCancel(context.Background())
	handler := Handler()
	s.stop = stop
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.busy.Add(1)
		defer s.busy.Done()
		handler.ServeHTTP(w, r)
	}))
	s.http.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	s.http.Start()
	s.URL = "ws" + strings.TrimPrefix(s.http.URL, "http")
	return s
}

// Close closes all connections and waits until they have ended.
func (s *Server) Close() {
	s.stop()
	s.http.Close()
	s.busy.Wait()
}

// Handler returns the server side of the suite, with one path for each behaviour:
//
//	/echo      sends back every message
//	/burst?n=  sends n messages "<m n='0'/>" and so on, then closes at once with 4001 "done"
//	/binary    sends a text message, a binary one, and another text message
//	/silent    never reads nor sends
//	/big?n=    sends a small message, one of n bytes, and another small one
//	/cut       sends one message, then drops the TCP connection
//	/keep?box= keeps what it reads, until the connection ends
//	/kept?box= sends what /keep kept in that box and "closed" with its close code
//	/nosub     agrees to no subprotocol
//	/refuse    answers 404
//	/plain     answers 200 and a text
//	/redirect  redirects to /echo
//	/hang      does not answer the handshake
func Handler() http.Handler {
	h := &handler{boxes: make(map[string]*box)}
	mux := http.NewServeMux()
	for path, serve := range map[string]func(context.Context, *websocket.Conn, *http.Request){
		"/echo": echo, "/burst": burst, "/binary": binary, "/silent": silent, "/big": big, "/cut": cut, "/keep": h.keep, "/kept": h.kept,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { accept(w, r, "xmpp", serve) })
	}
	mux.HandleFunc("/nosub", func(w http.ResponseWriter, r *http.Request) { accept(w, r, "", silent) })
	mux.HandleFunc("/refuse", http.NotFound)
	mux.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) })
	mux.Handle("/redirect", http.RedirectHandler("/echo", http.StatusFound))
	mux.HandleFunc("/hang", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	return mux
}

func accept(w http.ResponseWriter, r *http.Request, subprotocol string, serve func(context.Context, *websocket.Conn, *http.Request)) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // a page of a browser test has another origin
	})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	serve(r.Context(), c, r)
}

func echo(ctx context.Context, c *websocket.Conn, _ *http.Request) {
	for {
		kind, data, err := c.Read(ctx)
		if err != nil || c.Write(ctx, kind, data) != nil {
			return
		}
	}
}

func burst(ctx context.Context, c *websocket.Conn, r *http.Request) {
	for i := range number(r) {
		if c.Write(ctx, websocket.MessageText, []byte(burstMessage(i))) != nil {
			return
		}
	}
	c.Close(4001, "done")
}

func binary(ctx context.Context, c *websocket.Conn, _ *http.Request) {
	c.Write(ctx, websocket.MessageText, []byte("<before/>"))
	c.Write(ctx, websocket.MessageBinary, []byte("<binary/>"))
	c.Write(ctx, websocket.MessageText, []byte("<after/>"))
	c.Read(ctx)
}

func silent(ctx context.Context, _ *websocket.Conn, _ *http.Request) { <-ctx.Done() }

func big(ctx context.Context, c *websocket.Conn, r *http.Request) {
	c.Write(ctx, websocket.MessageText, []byte("<before/>"))
	c.Write(ctx, websocket.MessageText, []byte(strings.Repeat("x", number(r))))
	c.Write(ctx, websocket.MessageText, []byte("<after/>"))
	c.Read(ctx)
}

func cut(ctx context.Context, c *websocket.Conn, _ *http.Request) {
	c.Write(ctx, websocket.MessageText, []byte("<before/>"))
	c.CloseNow()
}

func number(r *http.Request) int {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	return min(max(n, 0), 2*transport.MaxMessage)
}

// A handler keeps what one connection received, so that another can request it.
type handler struct {
	mu    sync.Mutex
	boxes map[string]*box
}

type box struct {
	messages []string
	closed   chan struct{}
}

func (h *handler) box(r *http.Request) *box {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := r.URL.Query().Get("box")
	b := h.boxes[name]
	if b == nil {
		b = &box{closed: make(chan struct{})}
		h.boxes[name] = b
	}
	return b
}

// keep must be requested only once per box.
func (h *handler) keep(ctx context.Context, c *websocket.Conn, r *http.Request) {
	b := h.box(r)
	defer close(b.closed)
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			b.messages = append(b.messages, "closed "+strconv.Itoa(int(websocket.CloseStatus(err))))
			return
		}
		b.messages = append(b.messages, string(data))
	}
}

func (h *handler) kept(ctx context.Context, c *websocket.Conn, r *http.Request) {
	b := h.box(r)
	select {
	case <-b.closed:
	case <-ctx.Done():
		return
	}
	for _, m := range b.messages {
		if c.Write(ctx, websocket.MessageText, []byte(m)) != nil {
			return
		}
	}
	c.Close(websocket.StatusNormalClosure, "")
}
