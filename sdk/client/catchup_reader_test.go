//go:build !js

package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// A reader is a device whose answers are meddled with, a second Client of the same store
// that has no connection, and another device of the account, which only changes what the
// account follows.
type reader struct {
	*rand.Rand
	*mem.Server
	*meddler
	n        *network
	front    *http.Server
	store    store.Store
	device   *client.Client
	tab      *client.Client
	other    *client.Client
	otherNet *network
	otherEnd *http.Server
	otherJID string
	serial   int
	limited  bool // not all is of interest
	logs     *sync.Mutex
	log      []string

	published []*post
	best      map[string]int // by event: how certain it was that it was seen
	marked    map[string]bool
}

// A post is an item that was published.
type post struct {
	pam.Target
	item     string
	at       time.Time
	followed bool // when it was published, and since
	away     bool // the device had no session
	live     bool // the device was connected, and nothing of the node has changed since
}

const readerPosts = 18 // of a node: of a new node, 20 items are read

func newReader(random *rand.Rand) *reader {
	r := &reader{Rand: random, best: map[string]int{}, marked: map[string]bool{}, logs: new(sync.Mutex)}
	archive := random.IntN(2) == 0 // of the account
	config := mem.Config{
		Accounts: map[string]string{"alice": "secret-a", "bob": "secret-b"}, ResumeFor: 3 * time.Minute,
		Services: []string{"s1", "s2", "s3", "s4", "s5"}, Archive: archive, ArchivePage: 5,
		NodeArchive: !archive && random.IntN(3) == 0, RSM: random.IntN(2) == 0,
	}
	var err error
	if r.Server, err = mem.New(config); err != nil {
		panic(err)
	}
	open := map[string]string{"pubsub#access_model": "open", "pubsub#max_items": "200"}
	for _, at := range readerNodes {
		service := at.Service
		if service == "bob@localhost" {
			service = "bob"
		}
		if err := r.CreateNodeAt(service, at.Node, open); err != nil {
			panic(err)
		}
	}
	r.n, r.otherNet, r.store = newNetwork(), newNetwork(), store.NewMemory()
	r.front, r.otherEnd = r.n.serve(r.Server), r.otherNet.serve(r.Server)
	r.meddler = &meddler{Dialer: r.n, server: r.Server, archive: archive, random: rand.New(rand.NewPCG(random.Uint64(), 1)), mild: []int{8, 12, 16, 20}[random.IntN(4)],
		asked: map[string]*meddled{}, quiet: map[pam.Target]time.Time{}, read: map[pam.Target]bool{}, erred: map[pam.Target]time.Time{}, stats: map[string]int{}}
	r.other = r.otherNet.client()
	_, _ = r.other.Connect(context.Background())
	r.otherJID = r.Sessions("alice")[0]
	for _, at := range readerNodes[:4] {
		r.follow(at, true)
	}
	r.boot()
	return r
}

var readerNodes = []pam.Target{
	{Service: "pubsub.localhost", Node: "n0"}, {Service: "s1.localhost", Node: "n1"}, {Service: "bob@localhost", Node: "blog"},
	{Service: "s2.localhost", Node: "n2"}, {Service: "pubsub.localhost", Node: "n3"}, {Service: "s3.localhost", Node: "n4"},
	{Service: "s4.localhost", Node: "n5"}, {Service: "s5.localhost", Node: "n6"}, {Service: "s1.localhost", Node: "n7"},
}

func (r *reader) note(format string, args ...any) {
	r.logs.Lock()
	defer r.logs.Unlock()
	r.log = append(r.log, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (r *reader) faultf(format string, args ...any) {
	r.note("FAULT "+format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *reader) failures() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.faults
}

// boot starts the device and the tab.
func (r *reader) boot() {
	r.device = r.n.client(func(o *client.Options) {
		if *flagCatchUpOnly >= 0 {
			o.OnFrame = func(f client.Frame) { r.note("%s", line(f)) }
			o.OnEvent = func(e client.Event) { r.note("   %T %.600s", e, fmt.Sprintf("%+v", e)) }
		}
		o.Dialer, o.Store = r.meddler, keep(r.store)
		o.Reconnect = &client.Reconnect{Base: 100 * time.Millisecond, Max: time.Second}
		if r.limited {
			o.Interests = someInterest
		}
	})
	go func(c *client.Client) { _, _ = c.Connect(context.Background()) }(r.device)
	r.tab = r.n.client(func(o *client.Options) {
		o.Store = keep(r.store)
		if r.limited {
			o.Interests = someInterest
		}
	})
	_, _ = r.tab.Inbox(context.Background())
}

// someInterest leaves out some nodes, and payloads of others.
var someInterest = []pam.Interest{{Service: "s1.localhost"}, {Node: "n0"}, {Service: "s2.localhost", Payload: "urn:e"}, {Node: "blog"}}

func (r *reader) close() {
	for _, c := range []*client.Client{r.device, r.tab, r.other} {
		_ = c.Close()
		if k := client.Timers(c); k != 0 {
			r.faultf("%d timers are left", k)
		}
	}
	for _, n := range []*network{r.n, r.otherNet} {
		n.transport.CloseIdleConnections()
		_ = n.Close()
	}
	_, _ = r.front.Close(), r.otherEnd.Close()
	_ = r.Server.Close()
	synctest.Wait()
}

// follow has the other device change what the account follows.
func (r *reader) follow(at pam.Target, on bool) {
	if r.follows(at) == on {
		return
	}
	synctest.Wait()
	r.changed(false)
	if on {
		_, _ = r.other.Subscribe(context.Background(), at)
	} else {
		_ = r.other.Unsubscribe(context.Background(), at)
	}
	r.nodeChanged(at)
}

// nodeChanged takes note that the account follows a node, or does not, since now.
func (r *reader) nodeChanged(at pam.Target) {
	synctest.Wait()
	r.mu.Lock()
	delete(r.read, at)
	delete(r.erred, at)
	r.mu.Unlock()
	for _, p := range r.published {
		if p.Target == at {
			p.live = false
			if !r.follows(at) {
				p.followed = false
			}
		}
	}
	r.changed(false)
}

func (r *reader) follows(at pam.Target) bool {
	list, _ := r.Subscriptions("alice")
	return slices.ContainsFunc(list, func(s mem.Subscription) bool {
		return s.Service == at.Service && s.Node == at.Node && s.State == "subscribed"
	})
}

func (r *reader) publish(at pam.Target) {
	count := 0
	for _, p := range r.published {
		if p.Target == at {
			count++
		}
	}
	if count >= readerPosts {
		return
	}
	r.serial++
	synctest.Wait()
	p := &post{Target: at, item: fmt.Sprint("i", r.serial), at: time.Now(), followed: r.follows(at)}
	p.away = len(r.mine()) == 0
	p.live = client.Settled(r.device) && !r.limited && !r.n.isDown()
	service := at.Service
	if service == "bob@localhost" {
		service = "bob"
	}
	space := []string{"urn:e", "urn:f"}[r.IntN(2)]
	r.note("- %v %s is published, away %v live %v followed %v", at, p.item, p.away, p.live, p.followed)
	_ = r.PublishAt(service, at.Node, p.item, fmt.Sprintf("<e xmlns='%s'>%d</e>", space, r.serial))
	r.published = append(r.published, p)
	if p.live {
		synctest.Wait()
	}
}

// mine returns the sessions of the device.
func (r *reader) mine() []string {
	return slices.DeleteFunc(r.Sessions("alice"), func(s string) bool { return s == r.otherJID })
}
