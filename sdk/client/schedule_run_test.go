//go:build !js

package client_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// A stage is a server, a store and the tabs that share it. It runs a schedule.
type stage struct {
	s         schedule
	server    *mem.Server
	disk      *disk
	tabs      []*tab
	release   []func()
	ids       int // numbers the programs of all tabs
	marks     []mark
	crashes   atomic.Int64 // crashes during a commit
	outranked bool         // the server notifies a session of higher priority only

	spoil       func(*handle) store.Store // returns a failing store for the first program of one tab
	victim      int                       // the number of that tab
	sawDegraded bool

	mu     sync.Mutex
	faults []string
	frames []string
}

// A mark is a state that must be equal natively and in a browser.
type mark struct {
	Stored markedList   `json:"stored"` // the list in the store
	Tabs   []markedList `json:"tabs"`   // the list that each tab shows
}

// A markedList is a list in its own order.
type markedList struct {
	Version string      `json:"ver"`
	Rows    [][5]string `json:"rows"` // service, node, subid, jid, state
}

func marked(version pam.Version, list []pam.Subscription) markedList {
	m := markedList{Version: string(version), Rows: [][5]string{}}
	for _, s := range list {
		m.Rows = append(m.Rows, [5]string{s.Service, s.Node, s.SubID, s.JID, string(s.State)})
	}
	return m
}

func (g *stage) faultf(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, fmt.Sprintf(format, args...))
}

func newStage(w *world, s schedule, spoil ...func(*handle) store.Store) *stage {
	w.reset()
	_ = w.SetSubscription("alice", "feed", "none")
	w.SetPersonality("alice", personality(s.Server))
	g := &stage{s: s, server: w.Server}
	for _, f := range spoil {
		g.spoil, g.victim = f, len(s.Steps)%s.Tabs
	}
	g.disk = &disk{Memory: store.NewMemory(), stage: g}
	for i := range s.Tabs {
		t := &tab{stage: g, i: i, n: newNetwork(), wanted: map[string]bool{}, open: map[string]map[*asking]bool{}}
		t.front = t.n.serve(w.Server)
		g.tabs = append(g.tabs, t)
		t.boot("")
	}
	return g
}

// play runs the schedule.
func (g *stage) play() {
	defer g.end()
	for i, st := range g.s.Steps {
		g.mu.Lock()
		g.frames = append(g.frames, fmt.Sprintf("%s -- %d %+v", time.Now().Format("05.000"), i, st))
		failed := len(g.faults) > 0
		g.mu.Unlock()
		if failed {
			return
		}
		g.tabs[st.Tab].do(st)
		if st.Ms > 0 { // or the next step happens in the same instant
			time.Sleep(time.Duration(st.Ms) * time.Millisecond)
			g.check()
		}
	}
}

// check checks I7 between two steps: a tab that is live and has no pending work has the
// server's list, independent of the other tabs.
func (g *stage) check() {
	synctest.Wait()
	if like := personality(g.s.Server); g.outranked || len(g.release) > 0 || like.Races || like.SilentUnsubscribe {
		return
	}
	for _, t := range g.tabs {
		if t.n.isDown() || !client.Settled(t.c) || t.c.State().Phase != pam.PhaseLive {
			continue
		}
		list, _ := g.server.Subscriptions("alice")
		if got := t.c.Snapshot(); !slices.Equal(t.rows(got.List), t.rowsOf(list)) {
			t.faultf("I7: tab %d (%s) is live and has no pending work; it has %q, the server %q", t.i, t.name, t.rows(got.List), t.rowsOf(list))
		}
	}
}

func (t *tab) do(st step) {
	ctx := context.Background()
	switch st.Do {
	case "change":
		_ = t.server.SetSubscription("alice", st.Node, st.State)
	case "outdate":
		t.server.ForgetHistory("alice")
	case "subscribe", "unsubscribe":
		t.wanted[st.Node] = st.Do == "subscribe"
		t.checkRequest(t.c, st.Node, st.Do == "subscribe")
	case "refresh":
		c := t.c
		go func() { _ = c.Refresh(ctx, st.State == "full") }()
	case "connect":
		c := t.c
		go func() { _, _ = c.Connect(ctx) }()
	case "disconnect":
		_ = t.c.Disconnect(ctx)
	case "down":
		t.n.cutNow(true)
	case "up":
		t.n.up()
		t.c.Wake()
	case "cut":
		t.n.cutNow(false)
	case "expire":
		for _, s := range t.server.Hibernating("alice") {
			t.server.ExpireSession(s)
		}
	case "forget":
		for _, s := range t.server.Hibernating("alice") {
			t.server.ForgetSession(s)
		}
	case "crash":
		t.crash(st)
	case "outrank":
		t.outrank(st.State == "5")
	case "send":
		for _, s := range t.server.Sessions("alice") {
			bare, _, _ := strings.Cut(s, "/")
			_ = t.server.Send(s, strings.NewReplacer("{bare}", bare, "{full}", s).Replace(st.XML))
		}
	case "hold":
		t.release = append(t.release, t.server.Hold(func(session, xml string) bool {
			return strings.HasPrefix(session, "alice@") && strings.Contains(xml, st.XML)
		}))
	case "release":
		t.releaseAll()
	case "settle":
		t.settle()
	case "mark":
		t.mark()
	default:
		panic("no step " + st.Do)
	}
}

// outrank adds a session of the account with a higher priority, or removes it.
func (g *stage) outrank(higher bool) {
	if higher {
		g.outranked = true
		g.server.Outrank("alice", 5)
	} else if g.outranked {
		g.server.Outrank("alice", 0)
		g.outranked = false
	}
}

func (g *stage) releaseAll() {
	g.outrank(false)
	for _, release := range g.release {
		release()
	}
	g.release = nil
}

// settle checks I7: with the network up and no pending stanzas, the server, the store
// and the tabs have the same list.
func (g *stage) settle() {
	g.releaseAll()
	for _, t := range g.tabs {
		t.n.up()
		t.c.Wake()
		go func() { _, _ = t.c.Connect(context.Background()) }()
	}
	for _, t := range g.tabs {
		t.until("live", t.live)
		t.asked.Wait()
		for node, want := range t.wanted {
			for range 20 {
				list, _ := g.server.Subscriptions("alice")
				there := slices.ContainsFunc(list, func(s mem.Subscription) bool { return s.Node == node })
				if there == want {
					break
				}
				t.until("live", t.live)
				request(t.c, node, want)
			}
		}
	}
	g.refreshOutranked()
	for _, t := range g.tabs {
		t.until("the server's list", t.equal)
	}
	g.mark()
}

// refreshOutranked has the tabs request the list if the server does not notify every
// change.
func (g *stage) refreshOutranked() {
	if !personality(g.s.Server).SilentUnsubscribe {
		return
	}
	for _, t := range g.tabs {
		_ = t.c.Refresh(context.Background(), false)
	}
}

// mark records the lists of the store and of all tabs.
func (g *stage) mark() {
	g.releaseAll()
	for _, t := range g.tabs {
		if t.connected() {
			t.until("the server's list", t.equal)
		}
	}
	time.Sleep(time.Second) // for late stanzas
	m := mark{}
	list, _ := g.server.Subscriptions("alice")
	now, _ := client.StoredList(g.disk.Memory)
	online := slices.ContainsFunc(g.tabs, func(t *tab) bool { return t.connected() && !t.c.State().Storage.Degraded })
	if online && !slices.Equal(g.rows(now.List.Rows()), g.rowsOf(list)) {
		g.faultf("I7: the server has %q, the store %q", g.rowsOf(list), g.rows(now.List.Rows()))
	}
	m.Stored = marked(now.Version, now.List.Rows())
	for _, t := range g.tabs {
		t.checkStorage()
		got := t.c.Snapshot()
		alone := t.c.State().Storage.Degraded || g.faultOccurred() // it does not use the store
		if !alone && !t.connected() && g.s.Hints && !slices.Equal(g.rows(got.List), g.rows(now.List.Rows())) {
			g.faultf("tab %d is offline and shows %q, the store has %q", t.i, g.rows(got.List), g.rows(now.List.Rows()))
		}
		t.mu.Lock()
		var view []pam.Subscription
		for _, s := range t.view {
			view = append(view, s)
		}
		t.mu.Unlock()
		if !slices.Equal(rowsOf(view), rowsOf(got.List)) {
			g.faultf("I11: tab %d announced %q, and shows %q", t.i, rowsOf(view), rowsOf(got.List))
		}
		m.Tabs = append(m.Tabs, marked(got.Version, got.List))
	}
	g.marks = append(g.marks, m)
}

// end closes everything and checks that no timer and no socket is left.
func (g *stage) end() {
	g.releaseAll()
	for _, t := range g.tabs {
		t.n.up()
		_ = t.c.Close()
		t.asked.Wait()
		if k := client.Timers(t.c); k != 0 {
			g.faultf("tab %d has %d timers left", t.i, k)
		}
	}
	time.Sleep(time.Minute)
	for _, t := range g.tabs {
		t.n.transport.CloseIdleConnections()
		if k := t.n.counts(); k.open != 0 || k.most > 1 {
			g.faultf("tab %d had %d sockets at once, and has %d left", t.i, k.most, k.open)
		}
		_ = t.front.Close()
		_ = t.n.Close()
	}
}
