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
	"sync/atomic"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// A stage is a server, a store and the tabs that share it, on which a schedule
// is played.
type stage struct {
	s       schedule
	server  *mem.Server
	disk    *disk
	tabs    []*tab
	release []func()
	ids     int // names the tabs' programs
	marks   []mark
	crashes atomic.Int64 // commits that a crash hit
	deaf    bool         // notifies go to another session

	spoil       func(*handle) store.Store // makes the store of one tab's first program fail
	victim      int                       // that tab
	sawDegraded bool

	mu     sync.Mutex
	faults []string
	frames []string
}

// A mark is what must be equal natively and in a browser.
type mark struct {
	Stored markedList   `json:"stored"` // what is in the store
	Tabs   []markedList `json:"tabs"`   // what each tab shows
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

// A tab is a program and its network.
type tab struct {
	*stage
	i      int
	n      *network
	front  *http.Server
	c      *client.Client
	name   string
	disk   *handle
	store  store.Store     // disk, or what makes it fail
	wishes map[string]bool // by node: whether it shall be subscribed to
	asked  sync.WaitGroup
	open   map[string]map[*asking]bool // what is asked for, by node

	view  map[pam.Key]pam.Subscription // what was announced
	began bool                         // view is complete
	seen  map[string][2]int            // by node: when it was last in the list, and when it was last not
	steps int                          // of the view
}

// An asking is a request under way.
type asking struct{ crossed bool } // with another one for the same node

// A disk is the store that the tabs share. It checks after each commit that
// list and version belong together.
type disk struct {
	*store.Memory
	stage *stage
	mu    sync.Mutex
}

// A handle is a program's way to the disk.
type handle struct {
	*disk
	delay  time.Duration
	dead   atomic.Bool // the program is
	late   atomic.Bool // what it was writing when it died is stored
	inside atomic.Int32
}

func (h *handle) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	if h.dead.Load() {
		return nil, store.ErrClosed
	}
	return h.Memory.Get(ctx, keys...)
}

func (h *handle) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	if h.dead.Load() {
		return nil, store.ErrClosed
	}
	return h.Memory.Scan(ctx, r)
}

func (h *handle) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	h.inside.Add(1)
	defer h.inside.Add(-1)
	alive := !h.dead.Load()
	time.Sleep(h.delay)
	if died := h.dead.Load(); died && !(alive && h.late.Load()) {
		return store.ErrClosed
	}
	h.mu.Lock()
	err := h.Memory.Commit(ctx, expect, ops)
	if err == nil {
		h.check()
	}
	h.mu.Unlock()
	if h.dead.Load() {
		return store.ErrClosed
	}
	return err
}

func (h *handle) Close() error { return nil }

// check is I1 to I3: what is stored is a list that the server really had, with
// the version that it had then.
func (d *disk) check() {
	now, ok := client.StoredList(d.Memory)
	if !ok {
		d.stage.faultf("I3: what is stored does not fit together")
		return
	}
	if now.Version == "" {
		return
	}
	list, known := d.stage.server.SubscriptionsAt("alice", string(now.Version))
	if !known {
		d.stage.faultf("I2: the version %q was never issued", now.Version)
		return
	}
	// After a result that comes first, a delta looks like live notifies, and is
	// stored in parts.
	if !personality(d.stage.s.Server).ResultFirst && !slices.Equal(d.stage.rows(now.List.Rows()), d.stage.rowsOf(list)) {
		d.stage.faultf("I1: stored as %s: %q, but that is %q", now.Version, d.stage.rows(now.List.Rows()), d.stage.rowsOf(list))
	}
}

func (g *stage) faultf(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, fmt.Sprintf(format, args...))
}

// rows are a list as text. What this server hides from its lists is left out.
func (g *stage) rows(list []pam.Subscription) []string {
	var out []string
	for _, s := range list {
		out = append(out, g.row(s.Service, s.Node, s.SubID, string(s.State)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (g *stage) rowsOf(list []mem.Subscription) []string {
	var out []string
	for _, s := range list {
		out = append(out, g.row(s.Service, s.Node, s.SubID, s.State))
	}
	slices.Sort(out)
	return out
}

func (g *stage) row(service, node, subid, state string) string {
	if personality(g.s.Server).NoSubIDs {
		subid = ""
	}
	return strings.TrimSpace(service + " " + node + " " + state + " " + subid)
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
		t := &tab{stage: g, i: i, n: newNetwork(), wishes: map[string]bool{}, open: map[string]map[*asking]bool{}}
		t.front = t.n.serve(w.Server)
		g.tabs = append(g.tabs, t)
		t.boot("")
	}
	return g
}

// boot starts a tab's program, which goes on with the session of resume.
func (t *tab) boot(resume string) {
	t.ids++
	t.disk = &handle{disk: t.stage.disk, delay: time.Duration(t.s.Disk) * time.Millisecond}
	t.store = t.disk
	if t.spoil != nil && t.i == t.victim {
		t.store, t.spoil = t.spoil(t.disk), nil
	}
	t.mu.Lock()
	t.name = fmt.Sprint("tab", t.ids)
	t.view, t.seen, t.began = map[pam.Key]pam.Subscription{}, map[string][2]int{}, false
	t.mu.Unlock()
	name := t.name
	c, err := client.New(&client.Options{
		Account: "alice@localhost", URL: "ws://localhost/xmpp-websocket", Dialer: t.n,
		Mechanisms: []string{"PLAIN"},
		Credentials: func(context.Context, client.CredentialRequest) (client.Credentials, error) {
			return client.Credentials{Password: "secret-a"}, nil
		},
		Store: t.store, Tab: name, Resume: resume,
		Reconnect: &client.Reconnect{Base: 100 * time.Millisecond, Max: 500 * time.Millisecond},
		OnEvent:   func(e client.Event) { t.happened(name, e) },
		OnFrame: func(f client.Frame) {
			t.mu.Lock()
			defer t.mu.Unlock()
			arrow := "S: "
			if f.Out {
				arrow = "C: "
			}
			t.frames = append(t.frames, f.At.Format("05.000 ")+name+" "+arrow+f.XML)
		},
	})
	if err != nil {
		panic(err)
	}
	t.mu.Lock()
	t.c = c
	t.mu.Unlock()
	first, _ := c.Load(context.Background())
	t.mu.Lock()
	for _, s := range first.List {
		t.view[s.Key] = s
	}
	t.began = true
	t.mu.Unlock()
}

// program is the client that runs now, for other goroutines.
func (t *tab) program() *client.Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.c
}

// happened is I11: what is announced adds up to the list.
func (t *tab) happened(name string, e client.Event) {
	switch e := e.(type) {
	case client.Stored:
		if t.s.Hints {
			for _, other := range t.tabs {
				if other != t {
					go other.program().Reload()
				}
			}
		}
	case client.Changed:
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.name != name || !t.began {
			return
		}
		if e.From != "" && e.To == "" { // No server of a schedule stops to send versions.
			t.faults = append(t.faults, fmt.Sprintf("I2: %s lost the version %q, with %d changes", name, e.From, len(e.Changes)))
		}
		if e.Origin == pam.OriginResync && t.s.Tabs == 1 { // Other tabs may have had older lists.
			t.noFalseChange(name, e.Changes)
		}
		for _, c := range e.Changes {
			key := changed(c).Key
			old, had := t.view[key]
			if (c.Before != nil) != had || had && old != *c.Before {
				t.faults = append(t.faults, fmt.Sprintf("I11: %s announced %+v over %+v", name, c, old))
			}
			t.steps++
			if c.After != nil {
				t.view[key] = *c.After
			} else {
				delete(t.view, key)
			}
			seen := t.seen[key.Node]
			seen[has(c.After != nil)] = t.steps
			t.seen[key.Node] = seen
		}
	}
}

// noFalseChange fails if a list that names no subid where a notify did is told as
// the end of one subscription and the begin of another, although the first still
// stands. Of several subids of one node nobody can tell which one the list means:
// a server that does not notify ends leaves them behind. t.mu is held.
func (t *tab) noFalseChange(name string, changes []pam.Change) {
	stands := func(s pam.Subscription) bool {
		list, _ := t.server.Subscriptions("alice")
		return slices.ContainsFunc(list, func(is mem.Subscription) bool { return is.Node == s.Node && is.SubID == s.SubID })
	}
	known := map[string]int{}
	for _, s := range t.view {
		known[s.Service+" "+s.Node]++
	}
	for _, added := range changes {
		for _, gone := range changes {
			if added.Before == nil && gone.After == nil && added.After.SubID == "" && gone.Before.SubID != "" &&
				added.After.Service == gone.Before.Service && added.After.Node == gone.Before.Node &&
				known[gone.Before.Service+" "+gone.Before.Node] == 1 && stands(*gone.Before) {
				t.faults = append(t.faults, fmt.Sprintf("%s announced %+v for %+v", name, *added.After, *gone.Before))
			}
		}
	}
}

func changed(c pam.Change) pam.Subscription {
	if c.After != nil {
		return *c.After
	}
	return *c.Before
}

func has(yes bool) int {
	if yes {
		return 0
	}
	return 1
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

// check is I7 at every moment: a tab that says it is live, and that nothing is
// under way to, is equal to the server, whatever the others do.
func (g *stage) check() {
	synctest.Wait() // What takes no time has happened.
	if like := personality(g.s.Server); g.deaf || len(g.release) > 0 || like.Races || like.SilentUnsubscribe {
		return
	}
	for _, t := range g.tabs {
		if t.n.isDown() || !client.Settled(t.c) || t.c.State().Phase != pam.PhaseLive {
			continue
		}
		list, _ := g.server.Subscriptions("alice")
		if got := t.c.Snapshot(); !slices.Equal(t.rows(got.List), t.rowsOf(list)) {
			t.faultf("I7: tab %d (%s) is live, and nothing is under way; it has %q, the server %q", t.i, t.name, t.rows(got.List), t.rowsOf(list))
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
		t.wishes[st.Node] = st.Do == "subscribe"
		t.ask(t.c, st.Node, st.Do == "subscribe")
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

// ask asks for a change, and checks how that ends (I8, I12).
func (t *tab) ask(c *client.Client, node string, want bool) {
	mine := &asking{}
	t.mu.Lock()
	since := t.steps
	name := t.name
	for other := range t.open[node] {
		mine.crossed, other.crossed = true, true
	}
	if t.open[node] == nil {
		t.open[node] = map[*asking]bool{}
	}
	t.open[node][mine] = true
	t.mu.Unlock()
	t.asked.Go(func() {
		code := request(c, node, want)
		t.mu.Lock()
		delete(t.open[node], mine)
		t.mu.Unlock()
		switch code {
		case pam.CodeOffline, pam.CodeOutcomeUnknown, pam.CodeTimeout, pam.CodeClosed:
		case "":
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.name != name || mine.crossed {
				return
			}
			there := slices.Contains(nodesOf(c.Snapshot().List), node)
			if there != want && t.seen[node][has(want)] <= since {
				t.faults = append(t.faults, fmt.Sprintf("I12: %s: %s was accepted, but the list never showed it", name, node))
			}
		default:
			t.faultf("I8: %s: %s ended with %s", name, node, code)
		}
	})
}

func request(c *client.Client, node string, want bool) pam.Code {
	target := pam.Target{Service: "pubsub.localhost", Node: node}
	var err error
	if want {
		_, err = c.Subscribe(context.Background(), target)
	} else {
		err = c.Unsubscribe(context.Background(), target)
	}
	var e *pam.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// crash ends the program in the midst of whatever it does, and starts it again.
func (t *tab) crash(st step) {
	if t.disk.inside.Load() > 0 {
		t.crashes.Add(1)
	}
	t.disk.late.Store(strings.Contains(st.State, "stored"))
	t.disk.dead.Store(true)
	wasDown := t.n.isDown()
	t.n.cutNow(true)
	old := t.c
	time.Sleep(t.disk.delay)
	_ = old.Close()
	if !wasDown {
		t.n.up()
	}
	resume := ""
	if strings.Contains(st.State, "resume") {
		resume = t.name
	}
	t.boot(resume)
	go func(c *client.Client) { _, _ = c.Connect(context.Background()) }(t.c)
}

// outrank lets the account have another session with a higher priority, or not.
func (g *stage) outrank(higher bool) {
	if higher {
		g.deaf = true
		g.server.Outrank("alice", 5)
	} else if g.deaf {
		g.server.Outrank("alice", 0)
		g.deaf = false
	}
}

func (g *stage) releaseAll() {
	g.outrank(false)
	for _, release := range g.release {
		release()
	}
	g.release = nil
}

// settle is I7: with the network up and nothing more to come, everything is
// equal.
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
		for node, want := range t.wishes {
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
	g.refreshDeaf()
	for _, t := range g.tabs {
		t.until("the server's list", t.equal)
	}
	g.mark()
}

// refreshDeaf has tabs ask for the list where the server does not tell them of
// every change.
func (g *stage) refreshDeaf() {
	if !personality(g.s.Server).SilentUnsubscribe {
		return
	}
	for _, t := range g.tabs {
		_ = t.c.Refresh(context.Background(), false)
	}
}

// mark takes down what everybody has.
func (g *stage) mark() {
	g.releaseAll()
	for _, t := range g.tabs {
		if t.connected() {
			t.until("the server's list", t.equal)
		}
	}
	time.Sleep(time.Second) // for what may come late
	m := mark{}
	list, _ := g.server.Subscriptions("alice")
	now, _ := client.StoredList(g.disk.Memory)
	anybody := slices.ContainsFunc(g.tabs, func(t *tab) bool { return t.connected() && !t.c.State().Storage.Degraded })
	if anybody && !slices.Equal(g.rows(now.List.Rows()), g.rowsOf(list)) {
		g.faultf("I7: the server has %q, the store %q", g.rowsOf(list), g.rows(now.List.Rows()))
	}
	m.Stored = marked(now.Version, now.List.Rows())
	for _, t := range g.tabs {
		t.checkStorage()
		got := t.c.Snapshot()
		alone := t.c.State().Storage.Degraded || g.unheard() // it does not see the store
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

func (t *tab) until(what string, ok func() bool) {
	for end := time.Now().Add(cutPatience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			list, _ := t.server.Subscriptions("alice")
			t.faultf("I7: tab %d (%s) waited in vain for %s, in %+v with %s; it has %q, the server %q", t.i, t.name, what, t.c.State(), client.Waiting(t.c), t.rows(t.c.Snapshot().List), t.rowsOf(list))
			return
		}
	}
}

func (t *tab) live() bool { return t.c.State().Phase == pam.PhaseLive }

// connected tells whether the tab is, or will be soon.
func (t *tab) connected() bool {
	return t.c.State().Phase != pam.PhaseOffline && !t.n.isDown()
}

func (t *tab) equal() bool {
	list, version := t.server.Subscriptions("alice")
	got := t.c.Snapshot()
	switch like := personality(t.s.Server); {
	case like.NoVersions:
		version = ""
	case like.Net: // Changes that undid each other are an empty delta.
		if then, ok := t.server.SubscriptionsAt("alice", string(got.Version)); ok && slices.Equal(t.rowsOf(then), t.rowsOf(list)) {
			version = string(got.Version)
		}
	}
	return t.live() && string(got.Version) == version && slices.Equal(t.rows(got.List), t.rowsOf(list)) &&
		len(got.Provisional) == 0 && t.c.State().Pending == 0 && client.Waiting(t.c) == ""
}

// end closes everything and looks for what is left.
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

func (n *network) isDown() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.down
}
