// Command flood is a server for benchmarks: it supports enough XMPP over
// WebSocket (RFC 7395) for clients to log in, with stream management, and on
// request sends pubsub events as fast as the connection accepts them.
//
// It prints one line, "listening 127.0.0.1:…", and serves until its standard
// input is closed:
//
//	/xmpp-websocket  a stream; any account and password are accepted
//	/flood?n=…       sends events to every open stream, and answers at once
//	/                the files of the folders given as arguments
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
}

func run(folders []string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &server{open: map[*stream]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/xmpp-websocket", s.serve)
	mux.HandleFunc("/flood", s.flood)
	for _, folder := range folders {
		name, dir, _ := strings.Cut(folder, "=")
		mux.Handle("/"+name+"/", http.StripPrefix("/"+name+"/", http.FileServer(http.Dir(dir))))
	}
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!doctype html><title>bench</title>")
	})
	go http.Serve(listener, mux)
	fmt.Printf("listening %s\n", listener.Addr())
	io.Copy(io.Discard, os.Stdin)
	return nil
}

type server struct {
	mu   sync.Mutex
	open map[*stream]bool
}

// A stream is one connection. The client sends first, so the server only sends
// answers during the login.
type stream struct {
	ws      *websocket.Conn
	secure  bool // logged in
	counted int  // stanzas of the client
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		return // Accept has answered the request
	}
	defer ws.CloseNow()
	c := &stream{ws: ws}
	s.mu.Lock()
	s.open[c] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
	for {
		_, message, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		for _, answer := range c.answer(message) {
			if ws.Write(context.Background(), websocket.MessageText, []byte(answer)) != nil {
				return
			}
		}
	}
}

var idOf = regexp.MustCompile(` id=['"]([^'"]*)`)

// answer returns the answers to the messages that the benchmark's clients send.
func (c *stream) answer(message []byte) []string {
	is := func(start string) bool { return bytes.HasPrefix(message, []byte(start)) }
	switch {
	case is("<open"):
		features := "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
		if c.secure {
			features = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>"
		}
		return []string{
			"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='localhost' id='s' version='1.0'/>",
			"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>" + features + "</stream:features>",
		}
	case is("<auth"):
		c.secure = true
		return []string{"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}
	case is("<resume"):
		return []string{"<failed xmlns='urn:xmpp:sm:3'/>"}
	case is("<enable"):
		return []string{"<enabled xmlns='urn:xmpp:sm:3' id='s' resume='true'/>"}
	case is("<r "):
		return []string{"<a xmlns='urn:xmpp:sm:3' h='" + strconv.Itoa(c.counted) + "'/>"}
	case is("<close"):
		return []string{"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"}
	case is("<iq"):
		return []string{c.reply(message)}
	case is("<presence"):
		c.counted++
	}
	return nil
}

func (c *stream) reply(iq []byte) string {
	has := func(part string) bool { return bytes.Contains(iq, []byte(part)) }
	kind, payload := "result", ""
	switch {
	case has("urn:ietf:params:xml:ns:xmpp-bind"):
		payload = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/bench</jid></bind>"
		c.counted = -1 // stream management begins after it
	case has("urn:xmpp:pam:0"):
		payload = "<subscriptions xmlns='urn:xmpp:pam:0' ver='1'/>"
	case has("urn:xmpp:ping"):
	default:
		kind, payload = "error", "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	}
	c.counted++
	id := idOf.FindSubmatch(iq)
	return "<iq xmlns='jabber:client' type='" + kind + "' id='" + string(id[1]) + "' to='alice@localhost/bench'>" + payload + "</iq>"
}

func (s *server) flood(_ http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.FormValue("n"))
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		go func() {
			for i := range n {
				if c.ws.Write(context.Background(), websocket.MessageText, event(i)) != nil {
					return
				}
			}
		}()
	}
}

// event is a pubsub event of 460 bytes, as a real server sends it.
func event(i int) []byte {
	return fmt.Appendf(nil, "<message xmlns='jabber:client' from='pubsub.localhost' to='alice@localhost/bench' type='headline' id='e%06[1]d'>"+
		"<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:microblog:0'><item id='i%06[1]d'>"+
		"<entry xmlns='http://www.w3.org/2005/Atom'><title>Fish &amp; chips %06[1]d</title><summary>The quick brown fox jumps over the very lazy dog, twice.</summary>"+
		"<published>2026-01-01T00:00:00Z</published></entry></item></items></event></message>", i)
}
