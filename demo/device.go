package main

import (
	"net"
	"net/http"
	"net/url"
	"sync"
)

// A device is a port on localhost. To a browser it is a separate origin with
// separate storage, and so behaves like another computer. It serves its page, the
// package, and the WebSocket endpoint of the XMPP server.
type device struct {
	ID, Name, URL string

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
	dev.line = newLine(l)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", ownServer(webPage("device.html")))
	mux.Handle("GET /measure", webPage("measure.html"))
	mux.Handle("GET /web/device-worker.js", ownServer(webFiles()))
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
		case dev.line.refuse.Load():
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
	return deviceStatus{dev.ID, dev.Name, dev.URL, dev.line.refuse.Load(), dev.line.open()}
}

// localOrigin accepts pages of localhost and programs, which send no origin.
func localOrigin(origin string) bool {
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Scheme == "http" && isLocal(u.Hostname())
}
