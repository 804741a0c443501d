//go:build !js

package client_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// A world is a server in memory with which reference transcripts run one by one.
type world struct {
	*mem.Server
	serial int
	stats  map[string]int
}

func newWorld(stats map[string]int) *world {
	server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": "secret-a"}, ResumeFor: time.Hour})
	if err != nil {
		panic(err)
	}
	nodes := []string{"feed", "r0", "r1", "r2"}
	for i := range cutNodes {
		nodes = append(nodes, fmt.Sprint("n", i))
	}
	for _, node := range nodes {
		_ = server.CreateNode(node, "open")
	}
	makePersonalNode(server)
	return &world{Server: server, stats: stats}
}

// reset restores the initial list of every transcript and drops the sessions.
func (w *world) reset() {
	for _, s := range w.Sessions("alice") {
		w.ForgetSession(s)
	}
	list, _ := w.Subscriptions("alice")
	for _, s := range list {
		if s.Node != "feed" {
			_ = w.SetSubscription("alice", s.Node, "none")
		}
	}
	_ = w.SetSubscription("alice", "feed", "subscribed")
}

// A run is one transcript with one client.
type run struct {
	w      *world
	n      *network
	front  *http.Server
	c      *client.Client
	faults []string

	mu       sync.Mutex
	frames   []string
	sessions int            // sessions that began
	resumed  int            // resumptions
	got      map[string]int // events, by item
}

func (w *world) start(n *network, edit ...func(*client.Options)) *run {
	r := &run{w: w, n: n, front: n.serve(w.Server), got: map[string]int{}}
	n.onCut = r.cut
	r.c = r.client(edit...)
	return r
}

// client makes a client and counts its events and sessions.
func (r *run) client(edit ...func(*client.Options)) *client.Client {
	count := func(o *client.Options) {
		o.Store, o.Reconnect = store.NewMemory(), &client.Reconnect{Base: 500 * time.Millisecond, Max: time.Second, NoJitter: true}
		o.OnEvent = func(e client.Event) {
			if m, ok := e.(client.MessageReceived); ok {
				r.mu.Lock()
				defer r.mu.Unlock()
				item := parsed(m).Child(ns.PubsubEvent, "event").Child(ns.PubsubEvent, "items").Child(ns.PubsubEvent, "item").Attr("id")
				r.got[item]++ // The message lateMessage has no id.
			}
		}
		o.OnFrame = func(f client.Frame) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.frames = append(r.frames, f.At.Format("05.000 ")+line(f))
			if !f.Out && strings.HasPrefix(f.XML, "<enabled") {
				r.sessions++
			}
			if !f.Out && strings.HasPrefix(f.XML, "<resumed") {
				r.resumed++
			}
		}
	}
	return r.n.client(append([]func(*client.Options){count}, edit...)...)
}

// cut has the server end the session as the cut says, before the client reconnects.
func (r *run) cut(c cut) {
	if c.ending == resumes {
		return
	}
	time.AfterFunc(50*time.Millisecond, func() {
		for _, s := range r.w.Sessions("alice") {
			if c.ending == expires {
				r.w.ExpireSession(s)
			} else {
				r.w.ForgetSession(s)
			}
		}
	})
}

func (r *run) faultf(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// until waits until ok returns true, and reports whether it did in time.
func (r *run) until(what string, ok func() bool) bool {
	for end := time.Now().Add(stuckAfter); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			r.faultf("timed out waiting for %s, in %+v with %s", what, r.c.State(), client.Waiting(r.c))
			return false
		}
	}
	return true
}

func (r *run) live() bool { return r.c.State().Phase == pam.PhaseLive }

// equal reports whether the client has the server's list and is idle.
func (r *run) equal() bool {
	if !r.live() {
		return false
	}
	want, version := r.w.Subscriptions("alice")
	got := r.c.Snapshot()
	return string(got.Version) == version && slices.Equal(rowsOf(got.List), rowsOfServer(want)) &&
		len(got.Provisional) == 0 && r.c.State().Pending == 0
}

func (r *run) began() (sessions, resumed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions, r.resumed
}

// end closes the client and checks that no timer and no socket is left.
func (r *run) end() {
	_ = r.c.Close()
	dials := r.n.counts().dials
	if k := client.Timers(r.c); k != 0 {
		r.faultf("%d timers are left", k)
	}
	time.Sleep(5 * time.Minute)
	if k := r.n.counts(); k.most > 1 || k.open != 0 || k.dials != dials {
		r.faultf("%d sockets at once, %d left, %d dials after the end", k.most, k.open, k.dials-dials)
	}
	r.n.transport.CloseIdleConnections()
	_ = r.front.Close()
	_ = r.n.Close()
}
