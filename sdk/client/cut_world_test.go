//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// The reference transcript: log-in, list, then this, then close.
const (
	cutNotifies = 20
	cutNodes    = 7 // that the notifies are about
	cutPause    = 200 * time.Millisecond
	cutPatience = 10 * time.Minute // of the bubble's time, until a client counts as stuck
)

// A world is a server in memory that runs reference transcripts, one after the
// other.
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
	return &world{Server: server, stats: stats}
}

// reset makes the list what every transcript begins with, and forgets sessions.
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
	sessions int            // that began
	resumed  int            // that went on
	got      map[string]int // events, by item
}

func (w *world) start(n *network, edit ...func(*client.Options)) *run {
	r := &run{w: w, n: n, front: n.serve(w.Server), got: map[string]int{}}
	n.onCut = r.cut
	r.c = r.client(edit...)
	return r
}

// client makes a client whose events the run counts.
func (r *run) client(edit ...func(*client.Options)) *client.Client {
	opts := &client.Options{
		Account: "alice@localhost", URL: "ws://localhost/xmpp-websocket", Dialer: r.n,
		Mechanisms: []string{"PLAIN"},
		Credentials: func(context.Context, client.CredentialRequest) (client.Credentials, error) {
			return client.Credentials{Password: "secret-a"}, nil
		},
		Store:     store.NewMemory(),
		Reconnect: &client.Reconnect{Base: 500 * time.Millisecond, Max: time.Second, NoJitter: true},
		OnEvent: func(e client.Event) {
			if m, ok := e.(client.MessageReceived); ok {
				r.mu.Lock()
				defer r.mu.Unlock()
				item := parsed(m).Child("http://jabber.org/protocol/pubsub#event", "event").
					Child("http://jabber.org/protocol/pubsub#event", "items").
					Child("http://jabber.org/protocol/pubsub#event", "item").Attr("id")
				r.got[item]++ // A ghost has no id.
			}
		},
		OnFrame: func(f client.Frame) {
			r.mu.Lock()
			defer r.mu.Unlock()
			arrow := "S: "
			if f.Out {
				arrow = "C: "
			}
			r.frames = append(r.frames, f.At.Format("05.000 ")+arrow+f.XML)
			if !f.Out && strings.HasPrefix(f.XML, "<enabled") {
				r.sessions++
			}
			if !f.Out && strings.HasPrefix(f.XML, "<resumed") {
				r.resumed++
			}
		},
	}
	for _, e := range edit {
		e(opts)
	}
	c, err := client.New(opts)
	if err != nil {
		panic(err)
	}
	return c
}

// cut brings about what becomes of the session. The client has not come back by
// then.
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

// until waits for something.
func (r *run) until(what string, ok func() bool) bool {
	for end := time.Now().Add(cutPatience); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			r.faultf("waited in vain for %s, in %+v with %s", what, r.c.State(), client.Waiting(r.c))
			return false
		}
	}
	return true
}

func (r *run) live() bool { return r.c.State().Phase == pam.PhaseLive }

// equal tells whether the client holds the server's list and is idle.
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

// transcript runs it all and returns what went wrong.
func (w *world) transcript(n *network) *run {
	w.reset()
	plan := slices.Clone(n.plan)
	r := w.start(n)
	defer r.end()
	_, _ = r.c.Connect(context.Background())
	if !r.until("the first list", r.live) {
		return r
	}
	before, _ := r.began()
	codes := make(chan []pam.Code, 1)
	go func() { codes <- r.requests() }()
	var items []string
	for i := range cutNotifies {
		time.Sleep(cutPause)
		items = append(items, r.change(i))
	}
	given := <-codes
	if !r.until("the server's list", r.equal) {
		return r
	}
	time.Sleep(time.Second) // for a cut at what was said last
	quiet := func() bool { return r.equal() && client.Waiting(r.c) == "" }
	if !r.until("the end of all requests", quiet) {
		return r
	}
	sessions, resumed := r.began()
	r.checkEvents(items, sessions == before)
	r.checkRequests(given, sessions == before, slices.ContainsFunc(plan, func(c cut) bool { return c.late[1] }))
	if all := len(plan) > 0 && !slices.ContainsFunc(plan, func(c cut) bool { return c.ending != resumes }); all && sessions != before {
		r.faultf("%d sessions began, though all could be resumed", sessions-before)
	}
	if k := n.counts(); k.cuts > 0 && k.sinceCut > 2 {
		r.faultf("%d reconnects since the last cut", k.sinceCut)
	}
	w.stats["resumed"] += resumed
	w.stats["new sessions"] += sessions

	made := n.counts().cuts
	_ = r.c.Disconnect(context.Background())
	if n.counts().cuts > made { // It was cut while it said goodbye.
		_, _ = r.c.Connect(context.Background())
		r.until("the server's list again", r.equal)
	}
	cuts := n.counts().cuts
	w.stats["cuts"] += cuts
	w.stats[fmt.Sprint("runs with ", cuts, " cuts")]++
	return r
}

// requests are what a person does, who tries again what was refused or is not
// in the list. It returns how each attempt ended.
func (r *run) requests() (codes []pam.Code) {
	const service = "pubsub.localhost"
	has := func(node string) bool { return slices.Contains(nodesOf(r.c.Snapshot().List), node) }
	for _, step := range []struct {
		node string
		want bool
	}{{"r0", true}, {"r1", true}, {"r0", false}, {"", false}, {"r2", true}} {
		time.Sleep(4*cutPause + cutPause/2)
		for range 20 {
			var err error
			switch ctx := context.Background(); {
			case step.node == "":
				err = r.c.Refresh(ctx, false)
			case step.want:
				_, err = r.c.Subscribe(ctx, pam.Target{Service: service, Node: step.node})
			default:
				err = r.c.Unsubscribe(ctx, pam.Target{Service: service, Node: step.node})
			}
			code := pam.Code("")
			var e *pam.Error
			if errors.As(err, &e) {
				code = e.Code
			}
			codes = append(codes, code)
			if err == nil {
				break
			}
			if !r.until("the connection", r.live) || step.node != "" && has(step.node) == step.want {
				break
			}
		}
	}
	return codes
}

// change has another device change the list, and somebody publish.
func (r *run) change(i int) (item string) {
	node := fmt.Sprint("n", i%cutNodes)
	state := "subscribed"
	if i/cutNodes%2 == 1 {
		state = "none"
	}
	_ = r.w.SetSubscription("alice", node, state)
	r.w.serial++
	item = fmt.Sprint("item", r.w.serial)
	_ = r.w.Publish("feed", item, "")
	return item
}

// checkEvents: every event once where the session went on, and never twice.
func (r *run) checkEvents(items []string, same bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, item := range items {
		if n := r.got[item]; n > 1 || same && n == 0 {
			r.faults = append(r.faults, fmt.Sprintf("%s was delivered %d times", item, n))
		}
	}
	if r.got[""] > 0 {
		r.faults = append(r.faults, "a message of a connection that was over was delivered")
	}
}

// checkRequests: a request that was under way when its session was lost has an
// unknown outcome; otherwise it has one, or was never sent. In silence it may time
// out, too, or end while the session waits to be resumed: the outcome is unknown then.
func (r *run) checkRequests(codes []pam.Code, same, silence bool) {
	for _, code := range codes {
		switch {
		case code == "", code == pam.CodeOffline:
		case code == pam.CodeOutcomeUnknown && (silence || !same), code == pam.CodeTimeout && silence:
		default:
			r.faultf("a request ended with %s, session lost: %v", code, !same)
		}
	}
	if len(codes) < 5 {
		r.faultf("%d requests ended", len(codes))
	}
}

// end closes the client and looks for what is left of it.
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
