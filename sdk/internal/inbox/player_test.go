package inbox

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// start is the time of the first step of each test.
var start = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// A player reads the inputs of a transcript and writes outputs. It has a store, to which
// "ok" applies the last commit.
type player struct {
	t     *testing.T
	m     *Machine
	now   time.Time
	store *store.Memory
	last  Commit
	first uint64 // the id of the first event
}

func newPlayer(t *testing.T, opts Options) *player {
	return &player{t: t, m: New(opts), now: start, store: store.NewMemory(), first: uint64(start.UnixMilli())}
}

// records returns what the machine reads from the store.
func (p *player) records() []store.Record {
	records, err := p.store.Scan(context.Background(), Range)
	if err != nil {
		p.t.Fatal(err)
	}
	return records
}

// commit applies the last commit to the store.
func (p *player) commit() {
	if err := p.store.Commit(context.Background(), p.last.Expect, p.last.Ops); err != nil {
		p.t.Fatal(err)
	}
}

// step passes an input to the machine and returns its outputs.
func (p *player) step(in Input) []Output {
	outs := p.m.Step(p.now, in)
	for _, out := range outs {
		if c, ok := out.(Commit); ok {
			p.last = c
		}
	}
	return outs
}

func (p *player) read(line string) Input {
	f := strings.Fields(line)
	arg := func(i int) string {
		if i < len(f) {
			return f[i]
		}
		return ""
	}
	service, node, _ := strings.Cut(arg(1), "/")
	switch f[0] {
	case "stored":
		return Stored{p.records()}
	case "ok":
		p.commit()
		return Committed{p.last.Seq}
	case "conflict":
		return Conflict{p.last.Seq, p.records()}
	case "reload": // another run of the program
		p.m = New(p.m.opts)
		return Stored{p.records()}
	case "replaced":
		p.store = store.NewMemory()
		return StoreReplaced{}
	case "live", "resumed", "catchup":
		seq, _ := strconv.ParseUint(f[1], 10, 64)
		return Arrived{seq, p.incoming(f[0], f[2], f[3:])}
	case "fetched":
		return ItemFetched{Service: service, Node: node, ItemID: arg(2), Events: p.incoming("catchup", f[1], f[3:])}
	case "nofetch":
		return ItemFetched{Service: service, Node: node, ItemID: arg(2), Failed: true}
	case "seen":
		in := MarkSeen{}
		for _, id := range f[1:] {
			if id, ok := strings.CutPrefix(id, "upto:"); ok {
				in.UpTo = p.id(id)
			} else {
				in.IDs = append(in.IDs, p.id(id))
			}
		}
		return in
	case "marker", "published", "unpublished":
		item, at, _ := strings.Cut(f[2], "@")
		k := pam.Marker{Service: service, Node: node, ItemID: item}
		k.At, k.TimeSource = p.at(at)
		if f[0] == "marker" {
			return RemoteMarkers{Markers: []pam.Marker{k}}
		}
		return MarkerPublished{k, f[0] == "unpublished"}
	case "markersread":
		return MarkersRead{}
	case "caughtup":
		return CatchUpEnded{}
	case "elsewhere":
		from, _ := p.at(f[1])
		to, _ := p.at(f[2])
		return LiveElsewhere{from, to}
	case "interest":
		return SetInterest{filters(f[1:])}
	case "session":
		return SessionStarted{Resumed: arg(1) == "resumed", Number: p.m.Session()}
	case "ended":
		return SessionEnded{}
	case "reached":
		in := Reached{Service: f[1], Nodes: strings.Split(f[2], ","), Current: f[len(f)-1] == "current"}
		if id, at, ok := strings.Cut(f[3], "@"); ok {
			in.Cursor.By, in.Cursor.ID = "archive", id
			in.Cursor.At, _ = p.at(at)
		}
		return in
	case "unfollowed":
		return Unfollowed{service, node}
	case "asked":
		return Asked{service, node, p.now}
	case "looked":
		return Looked{}
	case "list":
		in := ListChanged{}
		for _, s := range f[1:] {
			if s == "initial" {
				in.Initial = true
				continue
			}
			service, node, _ := strings.Cut(s[1:], "/")
			row := &pam.Subscription{Key: pam.Key{Service: service, Node: node}, JID: "me@x", State: pam.StateSubscribed}
			if s[0] == '+' {
				in.Changes = append(in.Changes, pam.Change{After: row})
			} else {
				in.Changes = append(in.Changes, pam.Change{Before: row})
			}
		}
		return in
	case "timer":
		return TimerFired{map[string]Timer{"publish": TimerPublish, "flush": TimerFlush}[f[1]]}
	}
	p.t.Fatalf("bad input %q", line)
	return nil
}

// incoming reads events: item=payload, item (without payload), -item, !purged, !deleted
// or !configured=form; each with @time, which is hh:mm:ss and a code of sources, and
// with #archive id.
func (p *player) incoming(delivery, where string, f []string) (events []Incoming) {
	service, node, _ := strings.Cut(where, "/")
	for _, s := range f {
		in := Incoming{Notification: pubsub.Notification{Service: service, Node: node, Type: pam.EventPublished}}
		in.Delivery = map[string]pam.Delivery{"live": pam.DeliveryLive, "resumed": pam.DeliveryResumed, "catchup": pam.DeliveryCatchUp}[delivery]
		s, in.ArchiveID, _ = strings.Cut(s, "#")
		s, at, timed := strings.Cut(s, "@")
		if timed {
			in.At, in.Source = p.at(at)
		}
		s, text, has := strings.Cut(s, "=")
		if has {
			in.Payload = payload(text)
		}
		switch {
		case strings.HasPrefix(s, "-"):
			in.Type, in.ItemID = pam.EventRetracted, s[1:]
		case strings.HasPrefix(s, "!"):
			in.Type = pam.EventType(s[1:])
		default:
			in.ItemID = s
		}
		events = append(events, in)
	}
	return events
}

// payload returns an element; space:text is in the namespace space, and atom:hh:mm:ss is
// an Atom entry.
func payload(text string) *element.Element {
	space, text, ok := strings.Cut(text, ":")
	if !ok {
		space, text = "ns", space
	}
	if space == "atom" {
		const atom = "http://www.w3.org/2005/Atom"
		return element.New(atom, "entry").Add(element.New(atom, "title").AddText(text), element.New(atom, "updated").AddText("2026-11-29T"+text+"Z"))
	}
	return element.New(space, "p").AddText(text)
}

// at reads a time of the first day, or of another one after a day of the month and a
// slash, with a code of sources; "." is the zero time.
func (p *player) at(text string) (time.Time, pam.TimeSource) {
	if text == "." || text == "" {
		return time.Time{}, ""
	}
	source := pam.TimeDelay
	if i := strings.IndexByte(sourceCodes, text[len(text)-1]); i >= 0 {
		source, text = sources[i], text[:len(text)-1]
	}
	day, clock, ok := strings.Cut(text, "/")
	if !ok {
		day, clock = "29", day
	}
	at, err := time.Parse("2006-01-02T15:04:05", "2026-11-"+day+"T"+clock)
	if err != nil {
		p.t.Fatal(err)
	}
	return at, source
}

func filters(f []string) []Filter {
	if len(f) == 1 && f[0] == "all" {
		return nil
	}
	list := []Filter{}
	for _, s := range f {
		var filter Filter
		s, filter.Namespace, _ = strings.Cut(s, "#")
		filter.Service, filter.Node, _ = strings.Cut(s, "/")
		filter.Node, filter.Prefix = strings.CutSuffix(filter.Node, "*")
		list = append(list, filter)
	}
	return list
}

// id returns the ID of the event named e1, e2 and so on in order of arrival.
func (p *player) id(name string) string {
	n, err := strconv.ParseUint(strings.TrimPrefix(name, "e"), 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return formatID(p.first + n - 1)
}

func (p *player) name(id string) string {
	n, _ := parseID(id)
	return fmt.Sprint("e", n-p.first+1)
}

func (p *player) format(out Output) string {
	switch out := out.(type) {
	case Commit:
		var keys []string
		for _, op := range out.Ops {
			key := strings.TrimPrefix(op.Key, keyInbox)
			switch op.Kind {
			case store.OpDelete:
				key = "-" + key
			case store.OpDeleteRange:
				key = "-" + key + ".."
			}
			keys = append(keys, key)
		}
		return "commit " + strings.Join(keys, " ")
	case Handled:
		return fmt.Sprint("handled ", out.Seq)
	case Changed:
		s := "changed"
		if out.Reset {
			s += " reset"
		}
		for _, e := range out.Added {
			s += " +" + p.event(e)
		}
		for _, e := range out.Adopted.entries {
			s += " adopted:" + p.event(e.info)
		}
		for _, id := range out.Removed {
			s += " -" + p.name(id)
		}
		for _, id := range out.Updated {
			s += " *" + p.name(id)
		}
		for _, n := range out.Nodes {
			s += fmt.Sprintf(" %s/%s=%d", n.Service, n.Node, n.Unseen)
			if n.Dropped > 0 {
				s += fmt.Sprintf("(%d)", n.Dropped)
			}
		}
		return s + fmt.Sprintf("; %d", out.Unseen)
	case FetchItem:
		return fmt.Sprintf("fetch %s/%s %s", out.Service, out.Node, out.ItemID)
	case PublishMarker:
		return fmt.Sprintf("publish %s", p.marker(out.Marker))
	case Missed:
		s := "missed"
		for _, n := range out.Nodes {
			s += " " + n.Service + "/" + n.Node
		}
		return s
	case SetTimer:
		name := [...]string{"publish", "flush"}[out.Timer]
		if out.At.IsZero() {
			return "timer " + name + " off"
		}
		return fmt.Sprintf("timer %s %s", name, out.At.Sub(p.now))
	case Warning:
		return "warning " + out.Err.Error()
	}
	return fmt.Sprintf("%T", out)
}

func (p *player) marker(k pam.Marker) string {
	return fmt.Sprintf("%s/%s %s@%s", k.Service, k.Node, k.ItemID, p.clock(k.At, k.TimeSource))
}

func (p *player) clock(at time.Time, source pam.TimeSource) string {
	s := at.Format("15:04:05") + sourceCodes[slices.Index(sources[:], source):][:1]
	if at.Day() != 29 {
		s = at.Format("02/") + s
	}
	return s
}

// event formats an event as in incoming.
func (p *player) event(e pam.Event) string {
	s := e.ItemID
	switch e.Type {
	case pam.EventPublished:
	case pam.EventRetracted:
		s = "-" + s
	default:
		s = "!" + string(e.Type)
	}
	if _, text, ok := strings.Cut(strings.TrimSuffix(e.XML, "</p>"), ">"); ok && e.Entry == nil {
		s += "=" + text
	} else if e.Entry != nil {
		s += "=atom:" + e.Entry.Title
	}
	if e.Omitted != "" {
		s += "=" + string(e.Omitted)
	}
	s = fmt.Sprintf("%s:%s@%s", p.name(e.ID), s, p.clock(e.OccurredAt, e.TimeSource))
	switch e.Seen.Basis {
	case pam.BasisThisDevice:
		s += "/here"
		if e.Seen.At.IsZero() {
			s += "@never"
		}
	case pam.BasisDisplayedSync:
		s += "/displayed"
	case pam.BasisLiveElsewhere:
		s += "/elsewhere"
	case pam.BasisNone:
		if e.Seen.State == pam.SeenUnknown {
			s += "/unknown"
		}
	}
	return s
}

// list formats the events of a query, newest first.
func (p *player) list(q Query) string {
	page, ok := p.m.List(q)
	if !ok {
		return "no cursor"
	}
	values, err := p.store.Get(context.Background(), page.Keys...)
	if err != nil {
		p.t.Fatal(err)
	}
	var s []string
	for _, e := range page.Events(values) {
		s = append(s, p.event(e))
	}
	return strings.Join(s, " ")
}
