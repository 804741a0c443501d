//go:build unix

package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/coder/websocket"
)

// A peer is a server for tests that the conformance suite does not contain.
type peer struct {
	open atomic.Int64 // number of requests of send and hang in progress
}

func (p *peer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/peer/send", p.serve(send))
	mux.HandleFunc("/peer/unresponsive", neverRead) // does not detect that the client has disconnected
	mux.HandleFunc("/peer/hang", p.serve(hang))
	mux.HandleFunc("/peer/text", text)
	mux.HandleFunc("/peer/open", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, p.open.Load())
	})
	return mux
}

func (p *peer) serve(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.open.Add(1)
		defer p.open.Add(-1)
		handler(w, r)
	}
}

// send sends the messages m, each repeated times times, all of them n times, then a
// binary message if binary is given. It closes with code if that is given, else it
// waits for the other side to close.
func send(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	n, _ := strconv.Atoi(r.FormValue("n"))
	times, _ := strconv.Atoi(r.FormValue("times"))
	for range max(n, 1) {
		for _, m := range r.Form["m"] {
			if c.Write(r.Context(), websocket.MessageText, []byte(strings.Repeat(m, max(times, 1)))) != nil {
				return
			}
		}
	}
	if r.Form.Has("binary") && c.Write(r.Context(), websocket.MessageBinary, []byte("x")) != nil {
		return
	}
	if code, err := strconv.Atoi(r.FormValue("code")); err == nil {
		c.Close(websocket.StatusCode(code), r.FormValue("reason"))
		return
	}
	<-c.CloseRead(r.Context()).Done()
}

// neverRead accepts the connection and never reads from it.
func neverRead(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	<-r.Context().Done()
}

// hang never answers the request.
func hang(w http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
}

// text answers an HTTP request with a status and the body, repeated times times, or
// with a redirection to the address to. With wait it never answers.
func text(w http.ResponseWriter, r *http.Request) {
	status, err := strconv.Atoi(r.FormValue("status"))
	if err != nil {
		status = http.StatusOK
	}
	times, _ := strconv.Atoi(r.FormValue("times"))
	switch {
	case r.FormValue("wait") != "":
		<-r.Context().Done()
	case r.FormValue("to") != "":
		http.Redirect(w, r, r.FormValue("to"), http.StatusFound)
	default:
		w.WriteHeader(status)
		fmt.Fprint(w, r.Header.Get("Cookie")+r.Header.Get("Referer")+strings.Repeat(r.FormValue("body"), max(times, 1)))
	}
}
