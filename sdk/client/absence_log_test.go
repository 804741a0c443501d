//go:build !js

package client_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
)

// A publication is an entry of the publisher's log. The event happened between from and to.
type publication struct {
	target     pam.Target
	kind       pam.EventType
	item, text string
	from, to   time.Time
}

func (p publication) key() string {
	return fmt.Sprintf("%s %s %s %s %s", p.target.Service, p.target.Node, p.kind, p.item, p.text)
}

var payloadText = regexp.MustCompile(`>(text \d+)<`)

// keyOf returns the key of the publication that an event reports.
func keyOf(e pam.Event) string {
	p := publication{target: pam.Target{Service: e.Service, Node: e.Node}, kind: e.Type, item: e.ItemID}
	if found := payloadText.FindStringSubmatch(e.XML); found != nil {
		p.text = found[1]
	}
	return p.key()
}

// A publisher publishes as bob, or by means of the server in memory, and keeps a log and
// the items of each node.
type publisher struct {
	t     *testing.T
	bob   *device // nil with the server in memory
	mem   *mem.Server
	pause func()
	log   []publication
	items map[pam.Target][]string
	most  map[pam.Target]int
	texts map[string]string // item → text, of the items that a node keeps
	next  int
}

func newPublisher(t *testing.T, p *peer) *publisher {
	out := &publisher{t: t, mem: p.Server, pause: func() {}, items: map[pam.Target][]string{}, most: map[pam.Target]int{}, texts: map[string]string{}}
	if p.Server == nil {
		out.bob = newDevice(t, p, nil, func(o *client.Options) { o.Account = "bob@" + p.domain })
		out.bob.password = "secret-b"
		out.bob.connect()
	}
	return out
}

// create creates an open node that keeps most items, with the type of its messages.
func (p *publisher) create(n pam.Target, messages string, most int) {
	p.t.Helper()
	p.most[n] = most
	config := map[string]string{"pubsub#access_model": "open", "pubsub#max_items": fmt.Sprint(most), "pubsub#notification_type": messages}
	if p.mem != nil {
		check(p.t, p.mem.CreateNodeAt(n.Service, n.Node, config))
		return
	}
	var form pam.Form
	for name, value := range config {
		form = append(form, pam.FormField{Name: name, Values: []string{value}})
	}
	_, err := p.bob.CreateNode(p.t.Context(), n, form)
	check(p.t, err)
}

// note logs what one of the functions does. Subscribers hear it if heard is set.
func (p *publisher) note(heard bool, e publication, onMem, byBob func() error) {
	p.t.Helper()
	e.from = time.Now()
	if p.mem != nil {
		check(p.t, onMem())
	} else {
		check(p.t, byBob())
	}
	e.to = time.Now()
	if heard {
		p.log = append(p.log, e)
	}
	p.pause()
}

// put publishes a new item, or an old one again. Atom entries tell when they were
// published, other payloads do not.
func (p *publisher) put(n pam.Target, item string, atom, heard bool) {
	p.t.Helper()
	p.next++
	text := fmt.Sprint("text ", p.next)
	payload := "<x xmlns='urn:x'>" + text + "</x>"
	if atom {
		payload = "<entry xmlns='http://www.w3.org/2005/Atom'><title>A title</title><summary>" + text + "</summary><updated>" + time.Now().UTC().Format(time.RFC3339Nano) + "</updated></entry>"
	}
	if item == "" {
		item = fmt.Sprint("item", p.next)
	}
	p.note(heard, publication{target: n, kind: pam.EventPublished, item: item, text: text}, func() error { return p.mem.PublishAt(n.Service, n.Node, item, payload) }, func() error {
		_, err := p.bob.Publish(p.t.Context(), n, item, payload)
		return err
	})
	kept := append(slices.DeleteFunc(p.items[n], func(x string) bool { return x == item }), item)
	p.items[n] = kept[max(0, len(kept)-p.most[n]):]
	p.texts[item] = text
}

// retract retracts an item that the node keeps.
func (p *publisher) retract(n pam.Target, item string) {
	p.t.Helper()
	p.note(true, publication{target: n, kind: pam.EventRetracted, item: item},
		func() error { return p.mem.Retract(n.Service, n.Node, item) }, func() error { return p.bob.Retract(p.t.Context(), n, item) })
	p.items[n] = slices.DeleteFunc(p.items[n], func(x string) bool { return x == item })
}

// remove deletes a node.
func (p *publisher) remove(n pam.Target) {
	p.t.Helper()
	p.note(true, publication{target: n, kind: pam.EventDeleted},
		func() error { return p.mem.DeleteNode(n.Service, n.Node, "") }, func() error { return p.bob.DeleteNode(p.t.Context(), n, "") })
	delete(p.items, n)
}

// An absence is what happens while a device of alice is away: at five nodes of two
// services events are published (2,000) and items are retracted (50), and one node is deleted.
// Another device of alice subscribes to two nodes, and ends one subscription.
type absence struct {
	headlines, normals, bodies, blog, doomed, left pam.Target
	come                                           [2]pam.Target
}

func newAbsence(domain string) *absence {
	at := func(name string) pam.Target { return pam.Target{Service: "pubsub." + domain, Node: name} }
	return &absence{
		headlines: at("headlines"), normals: at("normals"), bodies: at("bodies"), doomed: at("doomed"), left: at("left"),
		come: [2]pam.Target{at("come 0"), at("come 1")},
		blog: pam.Target{Service: "bob@" + domain, Node: "urn:xmpp:microblog:0"},
	}
}

// followed returns the nodes that alice follows when she leaves.
func (w *absence) followed() []pam.Target {
	return []pam.Target{w.headlines, w.normals, w.bodies, w.blog, w.doomed, w.left}
}

// lasting returns those of the five nodes that are not deleted.
func (w *absence) lasting() []pam.Target { return w.followed()[:4] }

// create creates all nodes.
func (w *absence) create(p *publisher) {
	p.t.Helper()
	p.create(w.headlines, "headline", 50)
	p.create(w.blog, "headline", 256)
	for _, n := range []pam.Target{w.normals, w.bodies} {
		p.create(n, "normal", 1000)
	}
	for _, n := range []pam.Target{w.doomed, w.left, w.come[0], w.come[1]} {
		p.create(n, "headline", 1000)
	}
}

// happen has everything happen, in a random order. other calls a function with another
// device of alice.
func (w *absence) happen(r *rand.Rand, p *publisher, events int, other func(func(*device))) {
	p.t.Helper()
	var order []pam.Target
	for _, part := range []struct{ lasting, doomed int }{{events * 11 / 80, events / 5}, {events / 16, 0}} {
		var some []pam.Target
		for _, n := range w.lasting() {
			some = append(some, slices.Repeat([]pam.Target{n}, part.lasting)...)
		}
		some = append(some, slices.Repeat([]pam.Target{w.doomed}, part.doomed)...)
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		order = append(order, some...)
	}
	retracted, step := 0, events/20
	for i, n := range order {
		switch {
		case i == 6*step:
			other(func(d *device) { subscribe(p.t, d, w.come[0].Service, w.come[0].Node) })
		case i == 8*step:
			other(func(d *device) { subscribe(p.t, d, w.come[1].Service, w.come[1].Node) })
		case i == 10*step:
			other(func(d *device) { check(p.t, d.Unsubscribe(p.t.Context(), w.left)) })
		case i == 15*step:
			p.remove(w.doomed)
		case i%step == step/2 && i < 16*step:
			p.put(w.left, "", true, i < 10*step)
		case i%step == step/3 && i > 10*step:
			p.put(w.come[i/step%2], "", true, true)
		}
		item := ""
		if kept := p.items[n]; i%20 == 7 && len(kept) > 0 {
			item = kept[r.IntN(len(kept))]
		}
		p.put(n, item, n != w.normals, true)
		if i%40 == 39 {
			from := w.lasting()[retracted%4]
			retracted++
			if kept := p.items[from]; retracted <= 12 { // one that alice knows, if the node keeps it
				p.retract(from, kept[0])
			} else {
				p.retract(from, kept[r.IntN(len(kept))])
			}
		}
	}
}

// addedEvents returns the events that were announced.
func (d *device) addedEvents() (events []pam.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if c, ok := e.(client.EventsChanged); ok {
			events = append(events, c.Added...)
		}
	}
	return events
}

// all returns all events of the inbox.
func (d *device) all(t *testing.T) (events []pam.Event) {
	t.Helper()
	for before := ""; ; {
		page, next, err := d.Events(t.Context(), pam.EventQuery{Before: before, Limit: 500})
		check(t, err)
		events = append(events, page...)
		if before = next; next == "" {
			return events
		}
	}
}
