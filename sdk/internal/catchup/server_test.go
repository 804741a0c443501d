package catchup

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// A kind is a kind of service, as reference interop.md §4 describes them.
type kind uint8

const (
	prosody  kind = iota // an item that is published again moves to the end; pages are ignored
	ejabberd             // it keeps its place; pages, whose ids are the times of the first publication
	libervia             // the node has an archive of its items
)

// A truth is what happened at a node.
type truth struct {
	service, node string
	what          byte // + published, - retracted, ^ purged, ~ deleted, x removed because the node was full
	item, payload string
	at            time.Time
	archived      bool
}

// A simItem is an item that a service keeps.
type simItem struct {
	id, payload string
	created     time.Time
}

// A simNode is a node.
type simNode struct {
	service, name string
	kind          kind
	keeps         int // items
	headline      bool
	gone          bool
	items         []simItem
	archive       []archivedMessage // of libervia
	subscribed    bool
	since         time.Time // it was subscribed to
	left          bool      // it was unsubscribed from; it stays so
	forbidden     bool
}

type archivedMessage struct {
	id, with string
	at       time.Time
	event    string // XML
}

// A server is the account's server with the services behind it.
type server struct {
	*choices
	now     time.Time
	support ArchiveSupport // what the account announces
	holds   func(n *simNode) bool
	pageMax int
	archive []archivedMessage
	expired bool
	nodes   []*simNode
	log     []truth
	count   int

	online bool
	queue  []message // to the client
	waits  []Request
	faulty bool // requests may fail
}

// A message is what the server sends: an input of the machine, or a live event.
type message struct {
	in   Input
	live *truth
	id   string // stanza-id of the live event
	from string // of a result of an archive
	sent time.Time
}

func (s *server) tick() { s.now = s.now.Add(time.Duration(1+s.next(60)) * time.Second) }

// publish lets something happen at a node.
func (s *server) publish(n *simNode) {
	if n.gone {
		return
	}
	s.tick()
	what := s.next(20)
	switch {
	case what < 11 || len(n.items) == 0:
		s.count++
		n.items = append(n.items, simItem{"i" + strconv.Itoa(s.count), "1", s.now})
		s.announce(n, truth{what: '+', item: n.items[len(n.items)-1].id, payload: "1"})
		if len(n.items) > n.keeps {
			s.happened(n, truth{what: 'x', item: n.items[0].id})
			n.items = n.items[1:]
		}
	case what < 14:
		i := s.next(len(n.items))
		s.count++
		item := n.items[i]
		item.payload = strconv.Itoa(s.count)
		if n.kind == ejabberd {
			n.items[i] = item
		} else {
			n.items = append(slices.Delete(n.items, i, i+1), item)
		}
		s.announce(n, truth{what: '+', item: item.id, payload: item.payload})
	case what < 18:
		i := s.next(len(n.items))
		id := n.items[i].id
		n.items = slices.Delete(n.items, i, i+1)
		s.announce(n, truth{what: '-', item: id})
	case what < 19 && s.next(3) == 0:
		n.items = nil
		s.announce(n, truth{what: '^'})
	case s.next(10) == 0:
		n.items, n.gone = nil, true
		s.announce(n, truth{what: '~'})
	}
}

func (s *server) happened(n *simNode, e truth) *truth {
	e.service, e.node, e.at = n.service, n.name, s.now
	s.log = append(s.log, e)
	return &s.log[len(s.log)-1]
}

// announce sends an event to the account.
func (s *server) announce(n *simNode, e truth) {
	t := s.happened(n, e)
	m := archivedMessage{with: n.service, at: s.now, event: e.xml(n.name)}
	if n.kind == libervia && e.what == '+' {
		m.id = "n" + strconv.Itoa(len(n.archive)+1)
		n.archive = append(n.archive, m)
	}
	if !n.subscribed {
		return
	}
	m.id = ""
	if s.holds(n) {
		m.id = "a" + strconv.Itoa(len(s.log))
		s.archive = append(s.archive, m)
		t.archived = true
	}
	if s.online {
		copied := *t
		s.push(message{live: &copied, id: m.id})
	}
}

func (e truth) xml(node string) string {
	switch e.what {
	case '+':
		return "<items node='" + node + "'>" + simItem{id: e.item, payload: e.payload}.xml() + "</items>"
	case '-':
		return "<items node='" + node + "'><retract id='" + e.item + "'/></items>"
	case '^':
		return "<purge node='" + node + "'/>"
	}
	return "<delete node='" + node + "'/>"
}

func (i simItem) xml() string {
	return "<item id='" + i.id + "'><entry xmlns='x'>" + i.payload + "</entry></item>"
}

// answer answers the oldest request.
func (s *server) answer() {
	if len(s.waits) == 0 {
		return
	}
	r := s.waits[0]
	s.waits = s.waits[1:]
	s.now = s.now.Add(50 * time.Millisecond)
	if s.faulty && s.next(12) == 0 {
		conditions := []string{"timeout", "resource-constraint", "remote-server-timeout", "internal-server-error", "service-unavailable"}
		s.fail(r, conditions[s.next(len(conditions))])
		return
	}
	if r.Payload.Is(ns.MAM, "query") {
		s.answerQuery(r)
	} else {
		s.answerItems(r)
	}
}

func (s *server) find(service, node string) *simNode {
	for _, n := range s.nodes {
		if n.service == service && n.name == node {
			return n
		}
	}
	return nil
}

// answerQuery answers a query of an archive, as mod_mam of Prosody does.
func (s *server) answerQuery(r Request) {
	archive := s.archive
	if node := r.Payload.Attr("node"); node != "" {
		n := s.find(r.To, node)
		switch {
		case n == nil || n.gone:
			s.fail(r, "item-not-found")
			return
		case n.kind != libervia:
			s.fail(r, "service-unavailable")
			return
		}
		archive = n.archive
	}
	fields := map[string]string{}
	for f := range r.Payload.Child(ns.DataForms, "x").Elements() {
		fields[f.Attr("var")] = f.Child(ns.DataForms, "value").Text()
	}
	start, _ := time.Parse(time.RFC3339, fields["start"])
	var found []archivedMessage
	for _, m := range archive {
		if (fields["with"] == "" || fields["with"] == m.with) && !m.at.Before(start) {
			found = append(found, m)
		}
	}
	set := r.Payload.Child(ns.RSM, "set")
	most, _ := strconv.Atoi(set.Child(ns.RSM, "max").Text())
	most = min(most, s.pageMax)
	if after := set.Child(ns.RSM, "after").Text(); after != "" {
		i := slices.IndexFunc(found, func(m archivedMessage) bool { return m.id == after })
		if i < 0 {
			s.fail(r, "item-not-found")
			return
		}
		found = found[i+1:]
	}
	complete := len(found) <= most
	switch {
	case complete:
	case set.Child(ns.RSM, "before") != nil:
		found = found[len(found)-most:]
	default:
		found = found[:most]
	}
	last := ""
	for _, m := range found {
		xml := fmt.Sprintf("<message xmlns='jabber:client' from='%s' to='%s'><result xmlns='%s' queryid='%s' id='%s'><forwarded xmlns='%s'><delay xmlns='%s' stamp='%s'/>"+
			"<message xmlns='jabber:client' from='%s'><event xmlns='%s'>%s</event></message></forwarded></result></message>",
			r.To, account, ns.MAM, r.Payload.Attr("queryid"), m.id, ns.Forward, ns.Delay, m.at.UTC().Format(time.RFC3339), m.with, ns.PubsubEvent, m.event)
		s.push(message{in: ArchiveResult{Result: archiveResult(xml)}, from: r.To})
		last = "<last>" + m.id + "</last>"
	}
	attr := ""
	if complete {
		attr = " complete='true'"
	}
	s.reply(r, "<fin xmlns='"+ns.MAM+"'"+attr+"><set xmlns='"+ns.RSM+"'>"+last+"</set></fin>")
}

// answerItems answers a request for items.
func (s *server) answerItems(r Request) {
	request := r.Payload.Child(ns.Pubsub, "items")
	n := s.find(r.To, request.Attr("node"))
	switch {
	case n == nil || n.gone:
		s.fail(r, "item-not-found")
		return
	case n.forbidden:
		s.fail(r, "forbidden")
		return
	}
	items, set := n.items, ""
	if most, err := strconv.Atoi(request.Attr("max_items")); err == nil {
		items = items[max(0, len(items)-most):]
	}
	if page := r.Payload.Child(ns.RSM, "set"); page != nil && n.kind == ejabberd {
		if before, err := time.Parse(time.RFC3339Nano, page.Child(ns.RSM, "before").Text()); err == nil {
			items = items[:slices.IndexFunc(append(slices.Clone(items), simItem{created: before}), func(i simItem) bool { return !i.created.Before(before) })]
		}
		most, _ := strconv.Atoi(page.Child(ns.RSM, "max").Text())
		items = items[max(0, len(items)-most):]
	}
	if n.kind == ejabberd {
		set = fmt.Sprintf("<count>%d</count>", len(n.items))
		if len(items) > 0 {
			set += "<first>" + items[0].created.Format(time.RFC3339Nano) + "</first><last>" + items[len(items)-1].created.Format(time.RFC3339Nano) + "</last>"
		}
		set = "<set xmlns='" + ns.RSM + "'>" + set + "</set>"
	}
	text := ""
	for _, i := range items {
		text += i.xml()
	}
	s.reply(r, "<pubsub xmlns='"+ns.Pubsub+"'><items node='"+n.name+"'>"+text+"</items>"+set+"</pubsub>")
}

func (s *server) push(m message) {
	m.sent = s.now
	s.queue = append(s.queue, m)
}

func (s *server) reply(r Request, payload string) {
	s.push(message{in: Result{ID: r.ID, IQ: mustParse("<iq xmlns='jabber:client' type='result'>" + payload + "</iq>")}})
}

func mustParse(xml string) *element.Element {
	e, err := element.Parse(xml, &element.DefaultLimits)
	if err != nil {
		panic(err)
	}
	return e
}
