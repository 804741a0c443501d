package privatepep

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"xmpp-pam/sdk/internal/element"
)

// A device is a program with a Machine and a session. Its seen keys have numbers that only
// grow, merged as the larger one; its rows have what was written last.
type device struct {
	name     string
	m        *Machine
	slow     bool // it handles outputs late
	handling bool

	session, connected bool
	queue              []Input   // from the service
	requests           []Request // to the service
	pending            map[int]bool
	outs               []Output // not handled yet
	timer              bool
	denied, ready      bool

	own  map[string]int    // the seen keys
	view map[string]string // what the service has, as far as Changed and Stored tell
	last map[string]string // what was put last, or "" if it was removed
	rev  uint64
}

func newDevice(name string) *device {
	d := &device{name: name, own: map[string]int{}}
	d.restart()
	return d
}

// restart begins a new run of the program, which has stored nothing but its own numbers.
func (d *device) restart() {
	d.m = NewMachine(Config{"base", rank})
	d.session, d.connected, d.timer, d.denied, d.ready, d.rev = false, false, false, false, false, 0
	d.queue, d.requests, d.outs, d.pending = nil, nil, nil, map[int]bool{}
	d.view, d.last = map[string]string{}, map[string]string{}
}

// input passes an input to the machine and carries out the requests.
func (w *world) input(d *device, in Input) {
	w.note("%s <- %s%s", d.name, strings.TrimPrefix(fmt.Sprintf("%T", in), "privatepep."), describe(in))
	switch in := in.(type) {
	case SessionStarted:
		d.denied, d.ready = false, false
		clear(d.pending)
	case Result:
		delete(d.pending, in.ID)
	case Failed:
		delete(d.pending, in.ID)
	}
	for _, out := range d.m.Step(w.now, in) {
		switch out := out.(type) {
		case Request:
			w.note("%s    -> request %d %s", d.name, out.ID, brief(out))
			if d.pending[out.ID] = true; len(d.pending) > MaxRequests {
				w.fail("%s has %d requests", d.name, len(d.pending))
			}
			if !d.connected {
				w.fail("%s requests without a connection", d.name)
			}
			if w.requests++; w.requests > 20000 {
				w.fail("too many requests")
			}
			d.requests = append(d.requests, out)
		case SetTimer:
			d.timer = !out.At.IsZero()
			w.timers[d] = out.At
		default:
			d.outs = append(d.outs, out)
		}
	}
	if d.m.Pending() > len(w.keys) {
		w.fail("%d are pending", d.m.Pending())
	}
	if !d.slow || w.draining {
		w.handle(d)
	}
}

// handle carries out the other outputs.
func (w *world) handle(d *device) {
	if d.handling {
		return
	}
	d.handling = true
	defer func() { d.handling = false }()
	for len(d.outs) > 0 {
		out := d.outs[0]
		d.outs = d.outs[1:]
		w.note("%s    => %s", d.name, format(out))
		switch out := out.(type) {
		case Changed:
			if out.Revision <= d.rev {
				w.fail("revision %d after %d", out.Revision, d.rev)
			}
			d.rev = out.Revision
			for _, it := range out.Items {
				w.changed(d, it)
			}
		case Stored:
			if out.Payload == nil {
				delete(d.view, out.Key)
			} else {
				d.view[out.Key] = out.Payload.Attr("n")
			}
		case Dropped:
			w.merge(d, out.Key, out.Reason)
		case Ready:
			if d.ready && !d.slow {
				w.fail("%s is ready twice", d.name)
			}
			d.ready = true
			for _, key := range w.keys {
				w.merge(d, key, 0)
			}
		case Unsupported:
			d.denied = true
		}
	}
}

func (w *world) changed(d *device, it Item) {
	if it.Payload == nil {
		if _, had := d.view[it.Key]; !had && !d.slow && d.last[it.Key] == "" {
			w.fail("%s: %s was removed, and not there", d.name, it.Key)
		}
		delete(d.view, it.Key)
		if it.Removal == Missing {
			w.merge(d, it.Key, 0)
		}
		return
	}
	text := it.Payload.Attr("n")
	d.view[it.Key] = text
	if n, _ := strconv.Atoi(text); !isRow(it.Key) && n > d.own[it.Key] {
		d.own[it.Key] = n
	}
	w.merge(d, it.Key, 0)
}

// merge puts a seen key again if the device has more than the service.
func (w *world) merge(d *device, key string, why Reason) {
	if n, _ := strconv.Atoi(d.view[key]); !isRow(key) && d.own[key] > n && why != Full && d.last[key] != "" || d.ready && why == 0 && d.own[key] > n {
		w.put(d, key, d.own[key])
	}
}

func (w *world) put(d *device, key string, n int) {
	d.last[key] = strconv.Itoa(n)
	w.input(d, Put{key, value(n), d.rev})
}

func (w *world) remove(d *device, key string) {
	d.last[key] = ""
	var tombstone *element.Element
	if w.choose(3) > 0 {
		w.counter++
		tombstone = value(w.counter).Set("gone", "1")
	}
	w.input(d, Remove{key, tombstone, d.rev})
}

// isRow reports whether a key is that of a row.
func isRow(key string) bool { return slices.Contains(rowKeys, key) }

var (
	crowded = keysOf(3, 15) // more than a node of 12 keeps
	rowKeys = keysOf(40, 3)
	others  = keysOf(63, 3)
)

func describe(in Input) string {
	switch in := in.(type) {
	case Put:
		return " " + in.Key + "=" + in.Payload.Attr("n")
	case Remove:
		return " " + in.Key
	case Result:
		return " " + strconv.Itoa(in.ID) + " " + in.IQ.String()
	case Failed:
		if in.Err == nil {
			return " " + strconv.Itoa(in.ID)
		}
		return " " + strconv.Itoa(in.ID) + " " + in.Err.Error()
	case Notification:
		s := " " + in.Node + " " + string(in.Type) + " " + in.ItemID
		if in.Payload != nil {
			s += "=" + in.Payload.Attr("n")
		}
		return s
	}
	return ""
}

// brief describes a request.
func brief(r Request) string {
	e := r.Payload.First()
	if e == nil {
		return "nodes"
	}
	s := e.Name.Local + " " + e.Attr("node")
	if e.Name.Local == "configure" && !r.Set {
		s = "check " + e.Attr("node")
	}
	if item := e.First(); item != nil {
		s += " " + item.Attr("id")
		if item.First() != nil {
			s += "=" + item.First().Attr("n")
		}
	}
	return s
}
