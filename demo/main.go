// Command demo shows one account on several devices: a page with two devices
// side by side, each on its own port of localhost and so with its own storage,
// and an XMPP server between them.
//
//	go run ./demo [-server mem|prosody] [-port 8080] [-dist js/dist] [-control] [-password word]
//
// Everything listens on loopback only. The accounts are alice (password wonderland)
// and bob (password builder), and on demand reader, which follows up to 10,000 feeds and
// has a random password; -password replaces all passwords.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run is main without the process. It serves until ctx ends, and then returns nil,
// or until the XMPP server ends, and then returns an error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	kind := flags.String("server", "mem", "the XMPP server: mem (built in) or prosody (the installed one)")
	port := flags.Int("port", 8080, "port of the page; 0 takes a free one")
	dist := flags.String("dist", "js/dist", "folder with the built package")
	control := flags.Bool("control", false, "serve the control API for tests under /control/")
	password := flags.String("password", "", "password of all accounts, in place of their own")
	if err := flags.Parse(args); err != nil {
		return err
	}
	files, err := openPackage(*dist)
	if err != nil {
		return err
	}
	defer files.Close()
	listener, err := listen(*port, out)
	if err != nil {
		return err
	}
	accounts := slices.Clone(firstAccounts)
	if *password != "" {
		for i := range accounts {
			accounts[i].Password = *password
		}
	}
	server, err := startServer(ctx, *kind, accounts)
	if err != nil {
		listener.Close()
		return err
	}
	d, err := newDemo(listener, server, files, *control, *password)
	if err != nil {
		listener.Close()
		server.Close()
		return err
	}
	defer d.Close()
	fmt.Fprintf(out, "demo: %s\n", d.origin)
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "demo: stopped")
		return nil
	case err := <-server.Gone():
		return err
	}
}

// listen listens on the port, or on a free one if the port is in use.
func listen(port int, out io.Writer) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
			fmt.Fprintf(out, "demo: port %d is taken, so this is port %d\n", port, portOf(l))
		}
	}
	return l, err
}

// A demo is the page, its devices, and the XMPP server that they talk to.
type demo struct {
	origin string // of the page
	server xmppServer
	files  *packageFiles
	http   *http.Server
	served sync.WaitGroup

	mu      sync.Mutex
	devices []*device
	opened  int // number of devices opened so far
	holds   []heldBack

	restarting sync.Mutex // held during a restart of the server
	reader     reader

	published map[string]int // number of entries published so far, by node
}

// newDemo serves the page on the listener and opens the first two devices.
// Close closes the page, the devices and the server. The password is that of the
// account reader; without one it is random.
func newDemo(l net.Listener, server xmppServer, files *packageFiles, control bool, password string) (*demo, error) {
	d := &demo{origin: originOf(l), server: server, files: files, published: map[string]int{}}
	d.reader.account = account{"reader", cmp.Or(password, rand.Text())}
	for range 2 {
		if _, err := d.openDevice(""); err != nil {
			d.closeDevices()
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", webPage("index.html"))
	mux.Handle("GET /web/", webFiles())
	mux.HandleFunc("GET /docs/{name}", files.serveDoc)
	mux.HandleFunc("GET /info.json", d.serveInfo)
	mux.HandleFunc("GET /devices", d.serveDevices)
	mux.HandleFunc("POST /devices", d.serveOpenDevice)
	mux.HandleFunc("DELETE /devices/{id}", d.serveCloseDevice)
	mux.HandleFunc("POST /publish", d.servePublish)
	mux.HandleFunc("POST /restart", d.serveRestart)
	mux.HandleFunc("POST /scale", d.serveScale)
	mux.HandleFunc("POST /scale/change", d.serveScaleChange)
	mux.HandleFunc("POST /devices/{id}/cut", d.serveCut)
	mux.HandleFunc("POST /devices/{id}/unplug", d.serveUnplug)
	mux.HandleFunc("POST /devices/{id}/plug", d.servePlug)
	if control {
		mux.Handle("/control/", d.controlHandler())
	}
	// Another web site must not be able to open or unplug devices.
	sameOrigin := http.NewCrossOriginProtection()
	d.http = newHTTPServer(guard(l, "'none'", sameOrigin.Handler(mux)))
	d.served.Go(func() { d.http.Serve(l) })
	return d, nil
}

// Close ends the sessions, the devices, the page and the server.
func (d *demo) Close() error {
	d.release("")
	err := d.server.Close() // first, so that devices receive the end of the stream
	d.closeDevices()
	d.http.Close()
	d.served.Wait()
	return err
}

func (d *demo) serveInfo(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"server":   d.server.About(),
		"accounts": d.server.Accounts(),
		"nodes":    d.server.Nodes(),
		"wasm":     d.files.wasmInfo(),
		"maxFeeds": maxFeeds,
		"domain":   domain,
		"pubsub":   pubsubService,
		"socket":   socketPath,
	})
}

func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}
