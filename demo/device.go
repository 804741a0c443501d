package main

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
)

// A device is a port on localhost. To a browser it is a separate origin with
// separate storage, and so behaves like another computer. It serves its page, the
// package, and the WebSocket endpoint of the XMPP server.
type device struct {
	ID, Name, URL string

	// refuse answers new sockets with 503. Files are still served.
	refuse atomic.Bool

	line   *line
	http   *http.Server
	served sync.WaitGroup
}

// deviceStatus describes a device to the page and to tests.
type deviceStatus struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	URL     string `json:"url"`
	Refuse  bool   `json:"refuse"`
	Sockets int    `json:"sockets"` // number of open sockets
}

// deviceConfig is the configuration of the page of a device.
type deviceConfig struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Shell    string     `json:"shell"` // origin of the enclosing page
	Domain   string     `json:"domain"`
	Service  string     `json:"service"` // path of the WebSocket endpoint
	Accounts []account  `json:"accounts"`
	Pubsub   string     `json:"pubsub"`
	Nodes    []nodeInfo `json:"nodes"`
}

const socketPath = "/xmpp-websocket"

func newDevice(id, name string, d *demo) (*device, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	dev := &device{ID: id, Name: name, URL: originOf(l) + "/"}
	dev.line = &line{Listener: l, sockets: make(map[*lineConn]string)}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", webPage("device.html"))
	mux.Handle("GET /web/", webFiles())
	mux.Handle("GET /pkg/", http.StripPrefix("/pkg/", d.files))
	mux.HandleFunc("GET /config.json", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, deviceConfig{
			ID: id, Name: name, Shell: d.origin, Domain: domain, Service: socketPath,
			Accounts: d.server.Accounts(), Pubsub: pubsubService, Nodes: d.server.Nodes(),
		})
	})
	mux.HandleFunc("GET "+socketPath, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case dev.refuse.Load():
			http.Error(w, "This device is off the network.", http.StatusServiceUnavailable)
		case !localOrigin(r.Header.Get("Origin")):
			http.Error(w, "Only pages of this demo may connect.", http.StatusForbidden)
		default:
			d.server.ServeHTTP(w, r)
		}
	})
	dev.http = newHTTPServer(guard(l, "http://localhost:*", mux))
	dev.http.ConnState = dev.line.connState
	dev.served.Go(func() { dev.http.Serve(dev.line) })
	return dev, nil
}

// Close drops all connections and frees the port.
func (dev *device) Close() error {
	err := dev.http.Close()
	dev.cut()
	dev.served.Wait()
	return err
}

// cut drops the open sockets without closing the streams, as a lost network does,
// and returns their number.
func (dev *device) cut() int { return dev.line.cut() }

func (dev *device) status() deviceStatus {
	return deviceStatus{dev.ID, dev.Name, dev.URL, dev.refuse.Load(), dev.line.open()}
}

// A line is a listener that records which of its connections became sockets,
// because the HTTP server does not track hijacked connections.
type line struct {
	net.Listener
	mu      sync.Mutex
	sockets map[*lineConn]string // the session's full JID, once it has one
}

func (l *line) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lineConn{Conn: c, line: l}, nil
}

func (l *line) connState(c net.Conn, state http.ConnState) {
	if state == http.StateHijacked {
		l.mu.Lock()
		l.sockets[c.(*lineConn)] = ""
		l.mu.Unlock()
	}
}

func (l *line) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sockets)
}

// has reports whether the session with this full JID uses this line.
func (l *line) has(session string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.sockets {
		if s == session {
			return true
		}
	}
	return false
}

// sessions returns the full JIDs of the sessions that use this line.
func (l *line) sessions() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Collect(maps.Values(l.sockets)), func(s string) bool { return s == "" })
}

func (l *line) cut() int {
	l.mu.Lock()
	conns := slices.Collect(maps.Keys(l.sockets))
	l.mu.Unlock()
	for _, c := range conns {
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			tcp.SetLinger(0) // a reset: data in transit is lost
		}
		c.Close()
	}
	return len(conns)
}

type lineConn struct {
	net.Conn
	line *line
}

var boundJID = regexp.MustCompile(`<jid(?: [^>]*)?>([^<]+)</jid>`)

// Write records the full JID that the server assigns to the session when it binds
// (RFC 6120 §7.6), which identifies the session.
func (c *lineConn) Write(p []byte) (int, error) {
	c.line.mu.Lock()
	if session, ok := c.line.sockets[c]; ok && session == "" {
		if m := boundJID.FindSubmatch(p); m != nil {
			c.line.sockets[c] = string(m[1])
		}
	}
	c.line.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *lineConn) Close() error {
	c.line.mu.Lock()
	delete(c.line.sockets, c)
	c.line.mu.Unlock()
	return c.Conn.Close()
}

// localOrigin accepts pages of localhost and programs, which send no origin.
func localOrigin(origin string) bool {
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Scheme == "http" && isLocal(u.Hostname())
}
