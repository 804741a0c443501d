package catchup

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

func archiveResult(xml string) *pubsub.ArchiveResult {
	r, err := pubsub.ParseArchiveResult(mustParse(xml))
	if err != nil {
		panic(err)
	}
	return r
}

func (s *server) fail(r Request, condition string) {
	err := &pam.Error{Code: pam.CodeStanza, Condition: condition}
	switch condition {
	case "timeout":
		err = &pam.Error{Code: pam.CodeTimeout}
		s.now = s.now.Add(20 * time.Second)
	case "resource-constraint":
		err.Type = "wait"
	}
	s.push(message{in: Failed{r.ID, err}})
}

// A happening identifies an event in the inbox.
type happening struct {
	service, node string
	what          byte
	item, payload string
}

// A record is what the device stores of a node.
type record struct {
	cursor       Cursor
	currentUntil time.Time
	current      bool
	askedAt      time.Time
	archived     bool
	firstCurrent time.Time
}

// An arrival is an event that the inbox received.
type arrival struct {
	happening
	at       time.Time // received
	occurred time.Time
	archive  bool // occurred is by an archive
	late     bool
}

// A stored is what the device stores.
type stored struct {
	inbox  []arrival
	have   map[happening]bool
	nodes  map[key]record
	state  pam.CatchUpState
	active time.Time // when something was stored last
}

func (s *stored) clone() *stored {
	return &stored{slices.Clone(s.inbox), maps.Clone(s.have), maps.Clone(s.nodes), s.state, s.active}
}

// A device carries out what the machine asks for, as the engine does.
type device struct {
	*world
	m       *Machine
	stored  *stored
	commits []*stored // earlier ones: a terminated program finds one of them
	session bool
	paused  bool
	timer   time.Time
	asked   map[string]int // requests of this session
	added   int            // nodes that came in this session, whose requests may be equal
	open    map[string]Request
	done    pam.CatchUpState
	idle    bool
	runs    int
}

func newDevice(w *world) *device {
	d := &device{world: w, stored: &stored{have: map[happening]bool{}, nodes: map[key]record{}}}
	d.run()
	return d
}

// run starts the program.
func (d *device) run() {
	d.runs++
	d.m = NewMachine(digest)
	d.m.limits.items, d.m.limits.newItems = [3]int{3, 8, 20}, 2
	d.session, d.paused, d.timer = false, false, time.Time{}
}

// kill ends the program: what was not stored is lost.
func (d *device) kill() {
	d.commits = d.commits[:1+d.next(len(d.commits))]
	d.stored = d.commits[len(d.commits)-1].clone()
	d.end(d.stored.active)
	d.run()
}

// end ends the session.
func (d *device) end(at time.Time) {
	for _, e := range d.log {
		if d.session && e.at.After(d.began) && !e.at.After(at) {
			d.undelivered[e.happening()] = true
		}
	}
	d.session, d.server.online = false, false
	d.server.queue, d.server.waits = nil, nil
	for k, r := range d.stored.nodes {
		if r.current {
			r.current, r.currentUntil = false, at
			d.stored.nodes[k] = r
		}
	}
}

// begin starts a session that is not resumed.
func (d *device) begin() {
	d.session, d.paused, d.server.online = true, false, true
	d.asked, d.added, d.open = map[string]int{}, 0, map[string]Request{}
	in := Start{Account: account, Since: d.stored.active, Archive: d.server.support, Services: map[string]Support{}, Prefix: fmt.Sprintf("r%d.", d.runs)}
	if s := d.stored.state; s.Phase == pam.CatchUpRunning {
		in.Since, in.Gaps = s.Since, s.Gaps
	}
	for _, n := range d.server.nodes {
		switch n.kind {
		case ejabberd:
			in.Services[n.service] = Support{Paging: true}
		case libervia:
			in.Services[n.service] = Support{NodeArchive: true}
		}
		k := key{n.service, n.name}
		r, known := d.stored.nodes[k]
		switch {
		case !n.subscribed && !known:
			continue
		case !known && !in.Since.IsZero() && d.server.support == AllEvents: // subscribed to elsewhere
			r.firstCurrent = latest(in.Since, n.since)
		}
		d.stored.nodes[k] = r
		in.Nodes = append(in.Nodes, d.node(k, r, !n.subscribed))
	}
	d.idle, d.began = false, d.now
	d.notef("session begins, since %s", in.Since.Format("15:04:05"))
	d.step(in)
}

func (d *device) node(k key, r record, left bool) Node {
	return Node{
		Service: k.service, Node: k.node, CurrentUntil: r.currentUntil, Cursor: r.cursor, AskedAt: r.askedAt,
		Archived: r.archived, Left: left,
	}
}

// receive takes the next message of the server.
func (d *device) receive() {
	msg := d.server.queue[0]
	d.server.queue = d.server.queue[1:]
	switch {
	case msg.live != nil:
		d.live(msg)
	case msg.from != "":
		in := msg.in.(ArchiveResult)
		from, ok := d.m.Archive(in.Result.QueryID)
		if ok && from == msg.from {
			in.From = from
			d.step(in)
		}
	default:
		in := msg.in
		if result, ok := in.(Result); ok {
			if r := d.open[result.ID]; r.Compare != nil {
				result.Known = d.known(*r.Compare)
			}
			delete(d.open, result.ID)
			in = result
		} else if failed, ok := in.(Failed); ok {
			d.faults = d.faults || failed.Err.Condition != "item-not-found"
			if r, ok := d.open[failed.ID]; ok {
				d.asked[requestKey(r)]-- // it may be asked again
				delete(d.open, failed.ID)
			}
		}
		d.step(in)
	}
}

// live receives a live event.
func (d *device) live(msg message) {
	k := key{msg.live.service, msg.live.node}
	r, followed := d.stored.nodes[k]
	if !followed {
		return
	}
	d.now = d.now.Add(time.Millisecond)
	d.add(arrival{happening: happening{k.service, k.node, msg.live.what, msg.live.item, msg.live.payload}, at: d.now, occurred: d.now})
	r.archived = msg.id != ""
	d.stored.nodes[k] = r
	d.step(Live{k.service, k.node, Cursor{By: account, ID: msg.id, At: msg.live.at}})
}

func (d *device) add(a arrival) {
	if !d.stored.have[a.happening] {
		d.stored.have[a.happening] = true
		d.stored.inbox = append(d.stored.inbox, a)
	}
}

// known returns what the inbox knows of a node.
func (d *device) known(c Compare) (known []Known) {
	gone := map[string]bool{}
	for _, a := range slices.Backward(d.stored.inbox) {
		if a.service != c.Service || a.node != c.Node {
			continue
		}
		switch a.what {
		case '-':
			gone[a.item] = true
		case '^', '~':
			slices.Reverse(known)
			return known
		case '+':
			if !gone[a.item] {
				known = append(known, Known{a.item, "x " + a.payload, a.at, a.late})
			}
		}
	}
	slices.Reverse(known)
	return known
}

// step gives an input to the machine and carries out its outputs. Any of them may be the
// last that is stored before the program is terminated.
func (d *device) step(in Input) {
	p := player{}
	d.now = d.now.Add(time.Millisecond)
	for _, out := range d.m.Step(d.now, in) {
		if d.trace != nil {
			d.notef("< %s", p.format(out))
		}
		d.do(out)
	}
	d.stored.active = d.now
	if d.next(3) == 0 {
		d.commits = append(d.commits, d.stored.clone())
		d.commits = d.commits[max(0, len(d.commits)-3):]
	}
	if len(d.open) > d.m.limits.underWay {
		d.failf("%d requests at once", len(d.open))
	}
}

var letters = map[pam.EventType]byte{pam.EventPublished: '+', pam.EventRetracted: '-', pam.EventPurged: '^', pam.EventDeleted: '~'}

func (d *device) do(out Output) {
	switch out := out.(type) {
	case Request:
		d.request(out)
	case Withdraw:
		delete(d.open, out.ID)
		d.server.waits = slices.DeleteFunc(d.server.waits, func(r Request) bool { return r.ID == out.ID })
	case Found:
		for _, e := range out.Events {
			payload := ""
			if e.Payload != nil {
				payload = e.Payload.Text()
			}
			d.add(arrival{happening{e.Service, e.Node, letters[e.Type], e.ItemID, payload}, d.now, e.At, out.Means != Items, true})
		}
	case Reached:
		for _, name := range out.Nodes {
			k := key{out.Service, name}
			r := d.stored.nodes[k]
			r.cursor = out.Cursor
			if out.Current {
				if r.current = true; r.firstCurrent.IsZero() {
					r.firstCurrent = d.now
				}
			}
			d.stored.nodes[k] = r
		}
	case Asked:
		k := key{out.Service, out.Node}
		r := d.stored.nodes[k]
		r.askedAt = out.At
		d.stored.nodes[k] = r
	case SetTimer:
		d.timer = out.At
	case Done:
		d.idle, d.done = true, out.State
		d.gaps = append(d.gaps, out.State.Gaps...)
		d.checkDone(out.State)
	case Progress:
		d.stored.state = out.State
		if out.State.Phase == pam.CatchUpRunning {
			d.idle = false
		}
	}
}

func requestKey(r Request) string {
	p := *r.Payload
	p.Attrs = slices.DeleteFunc(slices.Clone(p.Attrs), func(a xmlAttr) bool { return a.Name.Local == "queryid" })
	return r.To + " " + p.String()
}

func (d *device) request(r Request) {
	k := requestKey(r)
	if d.asked[k]++; d.asked[k] > 1+d.added {
		d.failf("asked twice: %s", k)
	}
	d.open[r.ID] = r
	if d.paused {
		d.failf("a request while the connection is lost")
	}
	atTarget := 0
	for _, o := range d.open {
		if o.To == r.To {
			atTarget++
		}
	}
	if r.To != account && atTarget > d.m.limits.atService {
		d.failf("%d requests at once to %s", atTarget, r.To)
	}
	d.server.waits = append(d.server.waits, r)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
