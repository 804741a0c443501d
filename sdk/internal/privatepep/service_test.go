package privatepep

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

const testAccount = "alice@example.org"

// A variant is how a server's PEP service behaves.
type variant struct {
	name string

	whitelist  bool // the access model exists
	ignores    bool // it accepts a configuration and does not apply it when a node is created
	pretends   bool // nor later
	word       int  // what max_items=max means; 0 if it is refused
	most       int  // the largest number for max_items; 0 if the field is unknown
	shows      string
	usual      int  // max_items by default
	noRetract  bool // the field notify_retract is unknown
	onlyNeeded bool // all fields but persist_items and access_model are unknown
	ranges     bool // its form says what max means
	unreadable bool // the configuration cannot be read
	noOptions  bool // publish-options are not announced
	badOptions bool // publish-options are refused

	list    string // what disco#items of the account does: "", nothing, error
	rejects bool   // a full node refuses items instead of dropping the oldest

	muteRetract bool // retractions are not notified, nor are deletions and purges
	copies      bool // each notification is sent twice
	shuffles    bool // it changes the order of attributes
	overtakes   bool // answers overtake notifications, and the other way round
}

var variants = []variant{
	{name: "Prosody 0.12", whitelist: true, word: 256, most: 256, shows: "word", ranges: true, usual: 1, shuffles: true},
	{name: "Prosody 0.11", whitelist: true, word: 256, most: 256, shows: "none", usual: 1, shuffles: true},
	{name: "Prosody with pep_max_items 12", whitelist: true, word: 12, most: 12, shows: "word", ranges: true, usual: 1, shuffles: true},
	{name: "ejabberd 23.01", whitelist: true, word: 1000, most: 1000, shows: "word", usual: 1, muteRetract: true, copies: true},
	{name: "ejabberd 24.12", whitelist: true, word: 1000, most: 1000, shows: "word", usual: 1, overtakes: true},
	{name: "ejabberd before 21.12", whitelist: true, most: 1000, shows: "number", usual: 10, muteRetract: true, copies: true},
	{name: "Openfire", whitelist: true, most: 100000, shows: "number", usual: 1},
	{name: "Metronome", whitelist: true, word: 20, most: 20, shows: "number", usual: 20},
	{name: "numbers up to 256", whitelist: true, most: 256, shows: "number", usual: 1},
	{name: "without max_items", whitelist: true, word: 300, usual: 300},
	{name: "without notify_retract", whitelist: true, word: 300, usual: 300, noRetract: true, muteRetract: true},
	{name: "with two fields", whitelist: true, word: 300, usual: 300, onlyNeeded: true, list: "nothing"},
	{name: "configures only later", whitelist: true, ignores: true, word: 256, most: 256, shows: "number", usual: 1, list: "error"},
	{name: "full nodes refuse items", whitelist: true, word: 12, most: 12, shows: "word", usual: 12, rejects: true},
	{name: "MongooseIM", word: 256, most: 256, shows: "number", usual: 1},
	{name: "pretends", whitelist: true, ignores: true, pretends: true, word: 256, most: 256, shows: "number", usual: 1},
	{name: "unreadable", whitelist: true, word: 256, most: 256, usual: 1, unreadable: true},
	{name: "without publish-options", whitelist: true, word: 256, most: 256, usual: 1, noOptions: true},
	{name: "refuses publish-options", whitelist: true, word: 256, most: 256, usual: 1, badOptions: true},
}

// A pepNode is a node of the service.
type pepNode struct {
	access, writers string
	persist         bool
	max             int
	items           []pepItem
}

type pepItem struct {
	id      string
	payload *element.Element
}

// A service is the PEP service of the account. push sends a notification to all devices.
type service struct {
	variant
	nodes   map[string]*pepNode
	push    func(n Notification)
	leaks   []string // publications in nodes that are not private
	taken   int      // publications with publish-options
	dropped int      // items that the service has dropped
	served  []string // what was requested
}

func newService(v variant) *service {
	return &service{variant: v, nodes: map[string]*pepNode{}, push: func(Notification) {}}
}

func (s *service) session() SessionStarted {
	in := SessionStarted{Account: testAccount, PEP: true, PublishOptions: !s.noOptions}
	if s.word > 0 && s.word < assumedLimit && !s.ranges { // the caller knows this server
		in.MaxItems = s.word
	}
	return in
}

func (s *service) create(name string) *pepNode {
	n := &pepNode{access: "presence", writers: "publishers", persist: true, max: s.usual}
	s.nodes[name] = n
	return n
}

func (n *pepNode) find(id string) int {
	return slices.IndexFunc(n.items, func(it pepItem) bool { return it.id == id })
}

// fields returns the fields of the form in e.
func fields(e *element.Element) map[string]string {
	found := map[string]string{}
	for f := range e.Child(ns.DataForms, "x").Elements() {
		if name := f.Attr("var"); name != "FORM_TYPE" {
			found[name] = f.Child(ns.DataForms, "value").Text()
		}
	}
	return found
}

// configure applies a form, or returns why the service refuses it.
func (s *service) configure(n *pepNode, form map[string]string) string {
	changed := *n
	for _, name := range slices.Sorted(maps.Keys(form)) { // The first unknown field decides which error it is.
		value := form[name]
		switch name {
		case "pubsub#access_model":
			if value == "whitelist" && !s.whitelist {
				return "modify not-acceptable"
			}
			changed.access = value
		case "pubsub#persist_items":
			changed.persist = value == "true" || value == "1"
		case "pubsub#publish_model":
			changed.writers = value
		case "pubsub#max_items":
			number, err := strconv.Atoi(value)
			switch {
			case s.onlyNeeded:
				return "wait resource-constraint" // as ejabberd for unknown fields
			case s.most == 0:
				return "modify bad-request"
			case value == "max" && s.word > 0:
				changed.max = s.word
			case err != nil:
				return "cancel internal-server-error" // as Openfire
			case number > s.most:
				return "modify not-acceptable"
			default:
				changed.max = number
			}
		case "pubsub#notify_retract":
			if s.noRetract || s.onlyNeeded {
				return "modify bad-request"
			}
		default:
			if s.onlyNeeded {
				return "modify bad-request"
			}
		}
	}
	*n = changed
	return ""
}

func (s *service) form(n *pepNode) *element.Element {
	x := element.New(ns.DataForms, "x").Set("type", "form")
	add := func(name, kind, value string) {
		field := element.New(ns.DataForms, "field").Set("var", name).Set("type", kind).Add(element.New(ns.DataForms, "value").AddText(value))
		if name == "pubsub#max_items" && s.ranges {
			field.Add(element.New(ns.Validate, "validate").Add(element.New(ns.Validate, "range").Set("min", "1").Set("max", strconv.Itoa(s.word))))
		}
		x.Add(field)
	}
	add("FORM_TYPE", "hidden", "http://jabber.org/protocol/pubsub#node_config")
	add("pubsub#access_model", "list-single", n.access)
	add("pubsub#persist_items", "boolean", map[bool]string{true: "1", false: "0"}[n.persist])
	if !s.onlyNeeded {
		add("pubsub#publish_model", "list-single", n.writers)
	}
	switch {
	case s.shows == "word" && n.max == s.word:
		add("pubsub#max_items", "text-single", "max")
	case s.shows == "word" || s.shows == "number":
		add("pubsub#max_items", "text-single", strconv.Itoa(n.max))
	}
	return x
}

// serve handles a request. It returns the payload of the result, or the error as its type
// and conditions.
func (s *service) serve(r Request) (*element.Element, string) {
	body := r.Payload
	if body.Is(ns.DiscoItems, "query") {
		s.served = append(s.served, "nodes")
		return s.nodeList()
	}
	e := body.First()
	name := e.Attr("node")
	n := s.nodes[name]
	line := e.Name.Local
	if e.Name.Local == "configure" && !r.Set {
		line = "check"
	}
	if e.Is(ns.Pubsub, "create") || line == "configure" {
		f := fields(body.Child(ns.Pubsub, "configure"))
		if line == "configure" {
			f = fields(e)
		}
		if value, ok := f["pubsub#max_items"]; ok {
			line += " " + value
		}
		line += " " + strconv.Itoa(len(f))
	}
	s.served = append(s.served, line)
	switch {
	case e.Is(ns.Pubsub, "create") && n != nil:
		return nil, "cancel conflict"
	case e.Is(ns.Pubsub, "create"):
		n = s.create(name)
		if s.ignores {
			return nil, ""
		}
		if err := s.configure(n, fields(body.Child(ns.Pubsub, "configure"))); err != "" {
			delete(s.nodes, name)
			return nil, err
		}
		return nil, ""
	case e.Is(ns.Pubsub, "publish"):
		return s.publish(name, e.First(), fields(body.Child(ns.Pubsub, "publish-options")))
	case n == nil:
		return nil, "cancel item-not-found"
	case e.Is(ns.Pubsub, "items"):
		list := element.New(ns.Pubsub, "items").Set("node", name)
		for _, it := range n.items {
			list.Add(element.New(ns.Pubsub, "item").Set("id", it.id).Add(s.copy(it.payload)))
		}
		return element.New(ns.Pubsub, "pubsub").Add(list), ""
	case e.Is(ns.Pubsub, "retract"):
		return s.retract(name, e.First().Attr("id"))
	case s.unreadable:
		return nil, "auth forbidden"
	case !r.Set:
		return element.New(ns.PubsubOwner, "pubsub").Add(element.New(ns.PubsubOwner, "configure").Set("node", name).Add(s.form(n))), ""
	case s.pretends:
		return nil, ""
	}
	return nil, s.configure(n, fields(e))
}

func (s *service) nodeList() (*element.Element, string) {
	query := element.New(ns.DiscoItems, "query")
	if s.list == "error" {
		return nil, "cancel service-unavailable"
	}
	if s.list == "" {
		query.Add(element.New(ns.DiscoItems, "item").Set("jid", testAccount).Set("node", "urn:xmpp:omemo:2:devices"))
		for name := range s.nodes {
			query.Add(element.New(ns.DiscoItems, "item").Set("jid", testAccount).Set("node", name))
		}
	}
	return query, ""
}

func (s *service) publish(name string, item *element.Element, options map[string]string) (*element.Element, string) {
	n := s.nodes[name]
	if s.badOptions {
		return nil, "cancel conflict precondition-not-met"
	}
	for field := range options {
		if field != "pubsub#access_model" && field != "pubsub#persist_items" {
			return nil, "wait resource-constraint"
		}
	}
	if n == nil {
		n = s.create(name)
		if err := s.configure(n, options); err != "" {
			delete(s.nodes, name)
			return nil, err
		}
	}
	if want := options["pubsub#access_model"]; want != "" && want != n.access || options["pubsub#persist_items"] == "true" && !n.persist {
		return nil, "cancel conflict precondition-not-met"
	}
	if options != nil {
		s.taken++
	}
	id, payload := item.Attr("id"), item.First()
	if n.access != "whitelist" && options != nil {
		s.leaks = append(s.leaks, fmt.Sprintf("%s in %s (%s)", id, name, n.access))
	}
	i := n.find(id)
	if i < 0 && s.rejects && len(n.items) >= n.max {
		return nil, "cancel conflict node-full"
	}
	if i >= 0 {
		n.items = slices.Delete(n.items, i, i+1)
	}
	n.items = append(n.items, pepItem{id, payload})
	for len(n.items) > n.max {
		n.items = n.items[1:]
		s.dropped++
	}
	s.push(published(name, id, s.copy(payload)))
	return nil, ""
}

func (s *service) retract(name, id string) (*element.Element, string) {
	n := s.nodes[name]
	i := n.find(id)
	if i < 0 {
		return nil, "cancel item-not-found"
	}
	n.items = slices.Delete(n.items, i, i+1)
	if !s.muteRetract {
		s.push(retracted(name, id))
	}
	return nil, ""
}

// copy returns a payload as the service sends it.
func (s *service) copy(e *element.Element) *element.Element {
	if e == nil {
		return nil
	}
	c := *e
	if s.shuffles {
		c.Attrs = slices.Clone(e.Attrs)
		slices.Reverse(c.Attrs)
	}
	return &c
}

// content returns the items of all nodes, as key=value.
func (s *service) content() map[string]string {
	found := map[string]string{}
	for name, n := range s.nodes {
		for _, it := range n.items {
			if Node("base", it.id) == name && it.payload.Attr("n") != "" {
				found[it.id] = it.payload.Attr("n")
			}
		}
	}
	return found
}

func (s *service) history() string { return strings.Join(s.served, ", ") }
