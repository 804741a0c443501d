//go:build !js

package client_test

import (
	"context"
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

// A tab is a program and its network.
type tab struct {
	*stage
	i      int
	n      *network
	front  *http.Server
	c      *client.Client
	name   string
	disk   *handle
	store  store.Store     // disk, or a failing store over it
	wanted map[string]bool // by node: whether the last request was to subscribe
	asked  sync.WaitGroup
	open   map[string]map[*asking]bool // the pending requests, by node

	view  map[pam.Key]pam.Subscription // the list that the events add up to
	began bool                         // view holds the stored list
	early []client.Changed             // that came before view held it
	seen  map[string][2]int            // by node: the last steps at which it came into the list and left it
	steps int                          // changes of view
}

// An asking is a pending request.
type asking struct{ crossed bool } // with another one for the same node

// boot starts a tab's program, which resumes the session with the name resume.
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
	t.early = nil
	t.mu.Unlock()
	name := t.name
	c := t.n.client(func(o *client.Options) {
		o.Store, o.Tab, o.Resume = t.store, name, resume
		o.Reconnect = &client.Reconnect{Base: 100 * time.Millisecond, Max: 500 * time.Millisecond}
		o.OnEvent = func(e client.Event) { t.onEvent(name, e) }
		o.OnFrame = func(f client.Frame) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.frames = append(t.frames, f.At.Format("05.000 ")+name+" "+line(f))
		}
	})
	t.mu.Lock()
	t.c = c
	t.mu.Unlock()
	first, _ := c.Load(context.Background())
	t.mu.Lock()
	for _, s := range first.List {
		t.view[s.Key] = s
	}
	t.began = true
	for _, e := range t.early {
		contained := slices.ContainsFunc(e.Changes, func(c pam.Change) bool { // in first
			old, had := t.view[changed(c).Key]
			return had != (c.Before != nil) || had && old != *c.Before
		})
		if !contained {
			t.apply(name, e)
		}
	}
	t.mu.Unlock()
}

// program returns the current client, for other goroutines.
func (t *tab) program() *client.Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.c
}

// onEvent checks I11: the announced changes add up to the list.
func (t *tab) onEvent(name string, e client.Event) {
	switch e := e.(type) {
	case client.Changed:
		if e.Stored && t.s.Hints {
			for _, other := range t.tabs {
				if other != t {
					go other.program().Reload()
				}
			}
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		switch {
		case t.name != name:
		case t.began:
			t.apply(name, e)
		default:
			t.early = append(t.early, e)
		}
	}
}

// apply applies announced changes to view. t.mu is held.
func (t *tab) apply(name string, e client.Changed) {
	if e.From != "" && e.To == "" { // No server of a schedule stops sending versions.
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

// noFalseChange checks that a list without the subid that a notify had is not
// announced as the end of one subscription and the start of another while the first
// still exists. With several subids of one node the client cannot know which one
// such a list means, because a server that does not notify ends leaves them in the
// list. t.mu is held.
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

// checkRequest sends a request and checks its outcome (I8, I12).
func (t *tab) checkRequest(c *client.Client, node string, want bool) {
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
				t.faults = append(t.faults, fmt.Sprintf("I12: %s: %s the server accepted the request, but the list never showed it", name, node))
			}
		default:
			t.faultf("I8: %s: %s ended with %s", name, node, code)
		}
	})
}

// crash ends the program at an arbitrary point and starts it again.
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

func (t *tab) until(what string, ok func() bool) {
	for end := time.Now().Add(stuckAfter); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			list, _ := t.server.Subscriptions("alice")
			t.faultf("I7: tab %d (%s) timed out waiting for %s, in %+v with %s; it has %q, the server %q", t.i, t.name, what, t.c.State(), client.Waiting(t.c), t.rows(t.c.Snapshot().List), t.rowsOf(list))
			return
		}
	}
}

func (t *tab) live() bool { return t.c.State().Phase == pam.PhaseLive }

// connected reports whether the tab is connected or connecting.
func (t *tab) connected() bool {
	return t.c.State().Phase != pam.PhaseOffline && !t.n.isDown()
}

func (t *tab) equal() bool {
	list, version := t.server.Subscriptions("alice")
	got := t.c.Snapshot()
	switch like := personality(t.s.Server); {
	case like.NoVersions:
		version = ""
	case like.Net: // Changes that cancel out are an empty delta.
		if then, ok := t.server.SubscriptionsAt("alice", string(got.Version)); ok && slices.Equal(t.rowsOf(then), t.rowsOf(list)) {
			version = string(got.Version)
		}
	}
	return t.live() && string(got.Version) == version && slices.Equal(t.rows(got.List), t.rowsOf(list)) &&
		len(got.Provisional) == 0 && t.c.State().Pending == 0 && client.Waiting(t.c) == ""
}

// request subscribes to node, or unsubscribes from it, and returns the code of the
// error.
func request(c *client.Client, node string, want bool) pam.Code {
	target := pam.Target{Service: "pubsub.localhost", Node: node}
	var err error
	if want {
		_, err = c.Subscribe(context.Background(), target)
	} else {
		err = c.Unsubscribe(context.Background(), target)
	}
	return asErrorOf(err).Code
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
