package inbox

import (
	"context"
	"strings"
	"time"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A device is a store with the tabs that share it, and what the model knows of it.
type device struct {
	w     *world
	name  string
	store *store.Memory
	tabs  []*tab

	got      map[string]*truth   // the events that it must have, by key
	times    map[string]copyTime // the best that the copies told
	added    map[string]bool     // the events that a tab has announced as added
	furthest map[string]place    // of the stored markers of other devices, by node
}

// A copyTime is the time of a copy of an event.
type copyTime struct {
	source  pam.TimeSource // empty if it has none
	at      time.Time
	arrived time.Time
}

// coming is an event on its way to the store.
type coming struct {
	event *truth
	time  copyTime
}

func (d *device) records() []store.Record {
	records, err := d.store.Scan(context.Background(), Range)
	if err != nil {
		panic(err)
	}
	return records
}

// receive notes that the device must have events from now on.
func (d *device) receive(events []coming) {
	for _, c := range events {
		key := c.event.key()
		if _, ok := d.got[key]; !ok {
			d.got[key] = c.event
		}
		best, ok := d.times[key]
		if !ok || best.source == "" && c.time.source != "" {
			d.times[key] = c.time
		}
	}
}

// A tab is a machine and what it waits for.
type tab struct {
	*device
	name string
	m    *Machine

	online  bool
	feed    []*truth // stanzas that are to be delivered
	replays int      // that many of these are replayed
	seq     uint64
	unacked []stanza

	pending *Commit
	told    map[string]bool // the events that this run knows from what was announced
	coming  []coming        // queued in the machine
	covered []coming        // by the pending commit

	timers    [2]time.Time
	fetches   []FetchItem
	reads     []string
	publishes []pam.Marker
	notes     []pam.Marker // markers that the server has sent
}

type stanza struct {
	seq   uint64
	event *truth
}

// input passes an input to a tab and carries out its outputs.
func (w *world) input(t *tab, in Input) {
	w.note("%s <- %T%v", t.name, in, brief(in))
	outs := t.m.Step(w.now, in)
	for _, out := range outs {
		if c, ok := out.(Commit); ok {
			if t.pending != nil {
				w.fail("a second commit is pending")
			}
			t.pending = &c
			t.covered, t.coming = t.coming, nil
		}
	}
	if t.pending == nil {
		t.receive(t.coming)
		t.coming = nil
	}
	for _, out := range outs {
		w.note("%s    -> %T%v", t.name, out, brief(out))
		switch out := out.(type) {
		case Handled:
			for len(t.unacked) > 0 && t.unacked[0].seq <= out.Seq {
				if key := t.unacked[0].event.key(); t.got[key] == nil {
					w.fail("J5: %s is acknowledged, but not stored", key)
				}
				t.unacked = t.unacked[1:]
			}
		case Changed:
			w.changed(t, out)
		case SetTimer:
			t.timers[out.Timer] = out.At
		case FetchItem:
			t.fetches = append(t.fetches, out)
		case ReadBodies:
			t.reads = out.Keys
		case PublishMarker:
			if len(t.publishes) == maxPublishing {
				w.fail("too many markers are pending")
			}
			t.publishes = append(t.publishes, out.Marker)
		case Warning:
			w.fail("warning: %v", out.Err)
		}
	}
}

func brief(v any) any {
	switch v := v.(type) {
	case Stored:
		return len(v.Records)
	case Conflict:
		return v.Seq
	case Commit:
		var keys []string
		for _, op := range v.Ops {
			keys = append(keys, op.Key)
		}
		return keys
	case Arrived:
		var s []string
		for _, e := range v.Events {
			s = append(s, string(e.Type)+" "+e.ItemID+"="+e.Payload.Text())
		}
		return s
	}
	return v
}

// changed checks what a tab announces.
func (w *world) changed(t *tab, c Changed) {
	for _, e := range c.Added {
		key := w.keyOf(e)
		if t.added[key] {
			w.fail("J2: %s is announced twice", key)
		}
		t.added[key] = true
	}
	for _, e := range append(t.read(c.Adopted), c.Added...) {
		key := w.keyOf(e)
		if t.told[key] {
			w.fail("J2: %s is announced twice to %s", key, t.name)
		}
		t.told[key] = true
	}
	state := t.m.State()
	if state.Unseen != c.Unseen || state.Dropped != c.Dropped {
		w.fail("J3: announced %d unseen and %d dropped, the state is %v", c.Unseen, c.Dropped, state)
	}
	unseen := 0
	for _, n := range state.Nodes {
		unseen += n.Unseen
	}
	if unseen != state.Unseen {
		w.fail("J3: %d unseen in all, %d in nodes", state.Unseen, unseen)
	}
}

// read returns the events of a page.
func (d *device) read(p Page) []pam.Event {
	values, err := d.store.Get(context.Background(), p.Keys...)
	if err != nil {
		panic(err)
	}
	return p.Events(values)
}

// keyOf returns the key of a stored event.
func (w *world) keyOf(e pam.Event) string {
	node := e.Service + "/" + e.Node
	if e.Type == pam.EventRetracted {
		return node + " -" + e.ItemID
	}
	_, text, _ := strings.Cut(strings.TrimSuffix(e.XML, "</p>"), ">")
	if w.isSilent(node) && text == "" {
		for _, known := range w.log {
			if known.node == node && known.item == e.ItemID && !known.retraction {
				text = known.text
			}
		}
	}
	return node + " " + e.ItemID + "=" + text
}

// answer answers a request of a tab, or gives it the next marker.
func (w *world) answer(t *tab) {
	if keys := t.reads; keys != nil {
		t.reads = nil
		values, err := t.store.Get(context.Background(), keys...)
		if err != nil {
			panic(err)
		}
		w.input(t, BodiesRead{keys, values})
	}
	if len(t.notes) > 0 {
		k := t.notes[0]
		t.notes = t.notes[1:]
		w.input(t, RemoteMarkers{Markers: []pam.Marker{k}})
	}
	if len(t.publishes) > 0 && w.next(2) == 0 {
		k := t.publishes[0]
		t.publishes = t.publishes[1:]
		w.pubMarker(t, k)
	}
	if len(t.fetches) > 0 {
		f := t.fetches[0]
		t.fetches = t.fetches[1:]
		in := ItemFetched{Service: f.Service, Node: f.Node, ItemID: f.ItemID, Failed: !w.calm && w.next(4) == 3}
		for _, e := range w.log {
			if !in.Failed && e.item == f.ItemID && e.node == f.Service+"/"+f.Node && !e.retraction {
				in.Events = []Incoming{w.incoming(e, pam.DeliveryCatchUp, "")}
			}
		}
		w.input(t, in)
	}
}

// pubMarker publishes a marker at the server, which sends it to all devices, and then the
// result.
func (w *world) pubMarker(t *tab, k pam.Marker) {
	if !w.calm && w.next(8) == 7 {
		w.input(t, MarkerPublished{k, true})
		return
	}
	k.At = k.At.Truncate(time.Second) // as some program may write it
	w.pep[k.Service+"/"+k.Node] = k
	w.published++
	w.note("server: marker %v", k)
	for _, d := range w.devices {
		for _, other := range d.tabs {
			if other.online {
				other.notes = append(other.notes, k)
			}
		}
	}
	w.input(t, MarkerPublished{k, false})
}

// fire fires a timer of a tab.
func (w *world) fire(t *tab) { w.fireTimer(t, Timer(w.next(2))) }

// fireTimer reports whether the timer was set.
func (w *world) fireTimer(t *tab, timer Timer) bool {
	at := t.timers[timer]
	if at.IsZero() {
		return false
	}
	if w.now.Before(at) {
		w.pass(at.Sub(w.now))
	}
	t.timers[timer] = time.Time{}
	w.input(t, TimerFired{timer})
	return true
}
