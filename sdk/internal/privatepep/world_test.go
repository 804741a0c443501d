package privatepep

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

var (
	flagSchedules = flag.Int("privatepep.schedules", 1000, "number of random schedules")
	flagSeed      = flag.Uint64("privatepep.seed", 1, "first seed")
)

// A world is a service and three devices of one account, with lost connections, lost and
// repeated answers, and another client that deletes, opens and fills the nodes. It checks:
//
//   - nothing is published to a node that is not private
//   - at most MaxRequests are pending, none without a connection
//   - if no other client interferes, the service never drops an item
//   - at rest, all devices know the same as the service, and no seen number is lost or
//     smaller than one that was put, except in a full node
type world struct {
	*service
	random   *rand.Rand
	trace    *strings.Builder
	devices  []*device
	now      time.Time
	timers   map[*device]time.Time
	keys     []string
	calm     bool // no other client
	faults   bool // answers are lost
	draining bool
	requests int
	counter  int
	old      []Notification
}

type violation string

func (w *world) fail(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

func (w *world) note(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "  "+format+"\n", args...)
	}
}

func (w *world) choose(n int) int { return w.random.IntN(n) }

func newWorld(seed uint64, trace *strings.Builder) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 7)), trace: trace, now: start, timers: map[*device]time.Time{}}
	w.service = newService(variants[w.choose(len(variants))])
	w.service.push = w.notify
	w.keys = slices.Concat(crowded, rowKeys, others)
	w.calm, w.faults = w.choose(2) == 0, w.choose(3) > 0
	for _, name := range []string{"A", "B", "C"} {
		d := newDevice(name)
		d.slow = w.choose(4) == 0
		w.devices = append(w.devices, d)
	}
	w.note("%s; calm %v, faults %v", w.name, w.calm, w.faults)
	return w
}

// notify queues a notification for all devices with a session.
func (w *world) notify(n Notification) {
	w.old = append(w.old, n)
	for _, d := range w.devices {
		if d.session {
			d.queue = append(d.queue, n)
			if w.copies {
				d.queue = append(d.queue, n)
			}
		}
	}
}

func (w *world) step() {
	d := w.devices[w.choose(len(w.devices))]
	switch e := w.choose(60); {
	case e < 12:
		w.change(d)
	case e < 24:
		w.answer(d)
	case e < 40:
		w.deliver(d)
	case e < 44:
		for range 12 {
			w.answer(d)
			w.deliver(d)
		}
	case e < 47:
		w.connect(d)
	case e == 47 && d.connected:
		d.connected = false
		w.input(d, Lost{})
	case e == 48 && w.choose(3) == 0:
		w.end(d)
		d.restart()
	case e < 51:
		w.handle(d)
	case e < 54:
		w.pass(time.Duration(w.choose(20)) * time.Second)
	case e == 54:
		w.pass(time.Duration(w.choose(20)) * time.Minute)
	case e == 55 && len(w.old) > 0:
		n := w.old[w.choose(len(w.old))]
		if n.Delayed = true; w.choose(2) == 0 {
			n.Delayed, n.Payload = false, nil
		}
		if d.session && n.Type == pam.EventPublished {
			d.queue = append(d.queue, n)
		}
	case e > 55 && !w.calm:
		w.interfere()
	}
}

// change lets the user of a device do something.
func (w *world) change(d *device) {
	key := w.keys[w.choose(len(w.keys))]
	switch {
	case isRow(key) && w.choose(3) == 0:
		w.remove(d, key)
	case isRow(key):
		w.counter++
		w.put(d, key, w.counter)
	default:
		d.own[key] += 1 + w.choose(3)
		w.put(d, key, d.own[key])
	}
}

// answer serves a request of a device.
func (w *world) answer(d *device) {
	if !d.connected || len(d.requests) == 0 {
		return
	}
	r := d.requests[0]
	d.requests = d.requests[1:]
	fault := 100
	if w.faults && !w.draining {
		fault = w.choose(30)
	}
	var in Input = Failed{ID: r.ID}
	switch fault {
	case 0: // the request is lost
	case 1: // the answer is lost
		w.serve(r)
	case 2:
		in = answer(r.ID, nil, "wait internal-server-error")
	default:
		payload, err := w.serve(r)
		in = answer(r.ID, payload, err)
	}
	w.note("%s", w.state())
	at := len(d.queue)
	if w.overtakes {
		at -= w.choose(min(at, 2) + 1)
	}
	d.queue = slices.Insert(d.queue, at, in)
	if fault == 3 {
		d.queue = append(d.queue, in)
	}
}

func (w *world) deliver(d *device) {
	if !d.connected || len(d.queue) == 0 {
		return
	}
	in := d.queue[0]
	d.queue = d.queue[1:]
	w.input(d, in)
}

// connect resumes the session of a device, or starts one.
func (w *world) connect(d *device) {
	if d.session && !d.connected && w.choose(2) == 0 {
		d.connected = true
		w.input(d, Resumed{})
		return
	}
	w.end(d)
	d.session, d.connected = true, true
	w.input(d, w.service.session())
}

// end ends the session of a device. The service may still receive its requests.
func (w *world) end(d *device) {
	for _, r := range d.requests {
		if w.choose(2) == 0 {
			break
		}
		w.serve(r)
	}
	d.session, d.connected, d.queue, d.requests = false, false, nil, nil
}

func (w *world) pass(t time.Duration) {
	w.now = w.now.Add(t)
	for _, d := range w.devices {
		if d.timer && !w.now.Before(w.timers[d]) {
			d.timer = false
			w.input(d, TimerFired{})
		}
	}
}

// interfere lets another client do something.
func (w *world) interfere() {
	names := slices.Sorted(maps.Keys(w.nodes))
	if len(names) == 0 || w.choose(8) == 0 {
		names = []string{Node("base", w.keys[w.choose(len(w.keys))])}
	}
	name := names[w.choose(len(names))]
	n := w.nodes[name]
	e := w.choose(7)
	w.note("other client: %d at %s", e, name)
	tell := func(kind pam.EventType) {
		if !w.muteRetract {
			w.notify(about(name, kind))
		}
	}
	switch {
	case e == 0 && n != nil:
		delete(w.nodes, name)
		tell(pam.EventDeleted)
	case e == 1 && n != nil: // deleted, and created again with the default configuration
		delete(w.nodes, name)
		tell(pam.EventDeleted)
		w.create(name)
	case e == 2 && n != nil:
		n.access = "open"
		if w.choose(2) == 0 {
			tell(pam.EventConfigured)
		}
	case e == 3 && n != nil:
		n.writers = "open"
	case e == 4 && n != nil:
		n.items = nil
		tell(pam.EventPurged)
	case e == 5 && n != nil && len(n.items) > 0:
		w.retract(name, n.items[0].id)
	case e == 6: // without publish-options
		payloads := []*element.Element{value(1), nil, element.New("urn:test", "v").AddText(strings.Repeat("x", MaxPayload))}
		w.publish(name, element.New(ns.Pubsub, "item").Set("id", w.keys[w.choose(len(w.keys))]).Add(payloads[w.choose(3)]), nil)
	}
}

// drain runs until nothing is pending.
func (w *world) drain() {
	for range 3000 {
		busy := false
		for _, d := range w.devices {
			busy = busy || len(d.queue)+len(d.requests)+len(d.outs) > 0
			w.handle(d)
			w.answer(d)
			w.deliver(d)
		}
		if busy {
			continue
		}
		for _, d := range w.devices {
			busy = busy || d.timer
		}
		if !busy {
			return
		}
		w.pass(time.Minute)
	}
	w.fail("it does not come to rest")
}

// quiesce ends the faults and compares the devices.
func (w *world) quiesce() {
	w.note("quiesce")
	w.draining = true
	for range 3 {
		for _, d := range w.devices {
			w.end(d)
			d.session, d.connected = true, true
			w.input(d, w.service.session())
		}
		w.drain()
	}
	if len(w.leaks) > 0 {
		w.fail("leaks: %q", w.leaks)
	}
	if !w.usable() && w.taken > 0 {
		w.fail("%d publications to a service that keeps nothing private", w.taken)
	}
	content := w.content()
	for _, d := range w.devices {
		switch {
		case !w.usable():
			continue
		case d.denied:
			w.fail("%s: unsupported", d.name)
		case !d.ready || d.m.Pending() > 0:
			w.fail("%s: ready %v, %d pending", d.name, d.ready, d.m.Pending())
		case !maps.Equal(d.view, content):
			w.fail("%s knows %v\n the service has %v", d.name, d.view, content)
		}
		for _, key := range others {
			if n := d.own[key]; n > 0 && fmt.Sprint(n) != content[key] {
				w.fail("%s has %s=%d, the service %q", d.name, key, n, content[key])
			}
		}
	}
	if w.calm && w.dropped > 0 {
		w.fail("the service has dropped %d items", w.dropped)
	}
}

// usable reports whether the service can keep private items.
func (w *world) usable() bool {
	return w.whitelist && !w.pretends && !w.unreadable && !w.noOptions && !w.badOptions
}

func (w *world) state() string {
	s := ""
	for _, name := range slices.Sorted(maps.Keys(w.nodes)) {
		n := w.nodes[name]
		s += fmt.Sprintf(" [%s %s max %d:", name, n.access, n.max)
		for _, it := range n.items {
			s += " " + it.id + "=" + it.payload.Attr("n")
		}
		s += "]"
	}
	return s
}

// run runs one schedule and returns the violation, if there is one.
func run(seed uint64, trace *strings.Builder) (err string) {
	defer func() {
		if v, ok := recover().(violation); ok {
			err = string(v)
		} else if v != "" {
			panic(v)
		}
	}()
	w := newWorld(seed, trace)
	for _, d := range w.devices {
		if w.choose(3) > 0 {
			w.connect(d)
		}
	}
	for range 20 + w.choose(400) {
		w.step()
		if len(w.leaks) > 0 {
			w.fail("leaks: %q", w.leaks)
		}
	}
	w.quiesce()
	return ""
}

func TestSchedules(t *testing.T) {
	for seed := *flagSeed; seed < *flagSeed+uint64(*flagSchedules); seed++ {
		if err := run(seed, nil); err != "" {
			var trace strings.Builder
			run(seed, &trace)
			text := trace.String()
			if len(text) > 12000 {
				text = "…" + text[len(text)-12000:]
			}
			t.Fatalf("seed %d: %s\n%s", seed, err, text)
		}
	}
}
