package privatepep

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// listOf returns the answer to the request for the items of a node.
func listOf(id int, node string, items ...*element.Element) Result {
	list := element.New(ns.Pubsub, "items").Set("node", node)
	list.Add(items...)
	return Result{id, element.New(ns.Client, "iq").Set("type", "result").Add(element.New(ns.Pubsub, "pubsub").Add(list))}
}

func itemOf(id string, payload *element.Element) *element.Element {
	return element.New(ns.Pubsub, "item").Set("id", id).Add(payload)
}

// readNode starts a session and answers the request for the items of node 3.
func readNode(p *player, items ...*element.Element) {
	p.create("base:3").access = "whitelist"
	p.in(p.service.session())
	for len(p.pending) > 0 {
		r := p.pending[0]
		p.pending = p.pending[1:]
		if e := r.Payload.First(); e != nil && e.Attr("node") == "base:3" {
			p.in(listOf(r.ID, "base:3", items...))
			continue
		}
		payload, err := p.serve(r)
		p.in(answer(r.ID, payload, err))
	}
}

// TestManyItems checks that a node with 100,000 items is used without keeping, requesting
// or reporting more than a little.
func TestManyItems(t *testing.T) {
	p := play(t, variants[0])
	keys := keysOf(3, 3000)
	items := make([]*element.Element, 100_000)
	for i := range items {
		items[i] = itemOf(fmt.Sprint(keys[i%len(keys)], strings.Repeat("!", i/len(keys))), value(i))
	}
	began := time.Now()
	readNode(p, items...)
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
	n := &p.m.nodes[3]
	if len(n.items) > maxKept || n.count() < 90_000 {
		t.Errorf("%d are kept of %d", len(n.items), n.count())
	}
	if !slices.ContainsFunc(p.heard, func(s string) bool { return strings.HasSuffix(s, "left out") }) || p.heard[len(p.heard)-1] != "ready" {
		t.Errorf("output %d, %.200q", len(p.heard), p.heard)
	}
	p.served, p.heard = nil, nil
	p.put(keys[5], 1_000_000).run()
	if len(p.served) > 8 {
		t.Errorf("requested %s", p.history())
	}
	for i := range 100_000 { // and as many notifications
		p.in(published("base:3", fmt.Sprint(keys[i%len(keys)], "?", i), value(i)))
	}
	if len(n.items) > maxKept || len(p.pending) > 0 {
		t.Errorf("%d are kept, %d requests", len(n.items), len(p.pending))
	}
	if warnings := strings.Count(fmt.Sprint(p.heard), "left out"); warnings > 0 {
		t.Errorf("%d more warnings", warnings)
	}
}

// TestUnusableItems checks that what others cannot use is not reported, and is replaced.
func TestUnusableItems(t *testing.T) {
	p := play(t, variants[0])
	k := keysOf(3, 5)
	huge := element.New("urn:test", "v").AddText(strings.Repeat("x", MaxPayload))
	wide := element.New("urn:test", "v")
	for i := range 3000 {
		wide.Set(fmt.Sprint("a", i), "")
	}
	readNode(p, itemOf(k[0], huge), itemOf(k[1], wide), itemOf(k[2], nil), itemOf(k[3], value(3)), itemOf(k[3], value(4)),
		itemOf("k0", value(1)), itemOf("", value(1)), element.New(ns.Pubsub, "item"), element.New("urn:test", "item").Set("id", k[4]),
		itemOf(k[4], value(5)).Set("publisher", "mallory@example.org/x"))
	p.want("nodes", "warning base:3 left out, changed 3 "+k[3]+"=3, ready")
	for i, key := range k[:3] {
		p.put(key, i)
	}
	p.in(published("base:3", k[3], huge))
	p.in(published("base:3", "k0", value(7)))
	p.run()
	p.want("check, configure max 6, check, publish, publish, publish", fmt.Sprintf("changed 3 -%s(missing), stored %s, stored %s, stored %s", k[3], k[0], k[1], k[2]))
}

// TestListRace checks that a node whose first item is notified while the nodes are listed
// is not taken for absent.
func TestListRace(t *testing.T) {
	p := play(t, variants[0])
	key := keysOf(3, 1)[0]
	p.in(p.service.session())
	payload, _ := p.nodeList() // without the node
	p.create("base:3").access = "whitelist"
	p.nodes["base:3"].items = []pepItem{{key, value(1)}}
	p.in(published("base:3", key, value(1)))
	p.in(answer(p.next(), payload, ""))
	p.run()
	p.want("items", "changed 3 "+key+"=1, ready")
}

// TestPages checks that only a complete list of nodes, and of items, tells what is missing.
func TestPages(t *testing.T) {
	set := func(count int) *element.Element {
		return element.New(ns.RSM, "set").Add(element.New(ns.RSM, "count").AddText(fmt.Sprint(count)))
	}
	for count, want := range map[int]int{1: 1, 2: MaxRequests} {
		p := play(t, variants[0])
		p.in(p.service.session())
		query := element.New(ns.DiscoItems, "query").Add(element.New(ns.DiscoItems, "item").Set("jid", testAccount).Set("node", "base:3"), set(count))
		p.in(answer(p.next(), query, ""))
		if got := len(p.pending); got != want {
			t.Errorf("of %d nodes one is listed: %d requests, want %d", count, got, want)
		}
	}
	keys := keysOf(3, 2)
	for count, want := range map[int]string{1: "changed 3 -" + keys[1] + "(missing), ready", 2: "warning base:3 left out, ready"} {
		p := play(t, variants[0])
		readNode(p, itemOf(keys[0], value(1)), itemOf(keys[1], value(2)))
		p.served, p.heard = nil, nil
		p.in(p.service.session())
		payload, _ := p.nodeList()
		p.in(answer(p.next(), payload, ""))
		r := listOf(p.next(), "base:3", itemOf(keys[0], value(1)))
		r.IQ.First().Add(set(count))
		p.in(r)
		p.want("", want)
	}
}

// TestWrongAnswers answers every request with something that does not fit. Nothing must be
// published unless the last form of the node was private, and everything must end.
func TestWrongAnswers(t *testing.T) {
	text := func(s string) *element.Element {
		e, err := element.Parse(s, &element.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	form := func(content string) string {
		return "<pubsub xmlns='" + ns.PubsubOwner + "'><configure><x xmlns='jabber:x:data' type='form'>" + content + "</x></configure></pubsub>"
	}
	const private = "<field var='pubsub#access_model'><value>whitelist</value></field><field var='pubsub#persist_items'><value>1</value></field>"
	answers := []string{
		"", "<pubsub xmlns='" + ns.Pubsub + "'/>", "<pubsub xmlns='" + ns.PubsubOwner + "'/>", "<query xmlns='" + ns.DiscoItems + "'/>", "<x xmlns='urn:example'/>",
		"<pubsub xmlns='" + ns.Pubsub + "'><items node='other'><item id='a'><v xmlns='urn:test'/></item></items></pubsub>",
		"<pubsub xmlns='" + ns.Pubsub + "'><items><item/><item id=''/><retract id='x'/></items><set xmlns='http://jabber.org/protocol/rsm'><count>99</count></set></pubsub>",
		form(""), form("<field var='pubsub#access_model' type='list-single'><option><value>whitelist</value></option></field>"),
		form("<field var='pubsub#access_model'/>"), form("<field var='pubsub#access_model'><value>open</value><value>whitelist</value></field>"),
		form("<field var='pubsub#access_model'><value>open</value></field>" + private), form("<field var='access_model'><value>whitelist</value></field>"),
		form("<field var='pubsub#access_model'><value> whitelist </value></field>"), form("<field var='pubsub#access_model'><value>Whitelist</value></field>"),
		form("<item>" + private + "</item>"), form("<field var='pubsub#access_model' type='fixed'><value>whitelist</value></field>"),
	}
	goods := []string{form(private), form(private + "<field var='pubsub#max_items'><value>-7</value></field>"), form(private + "<field var='pubsub#max_items'><value>1</value></field>")}
	errors := []string{"cancel conflict", "cancel item-not-found", "auth forbidden", "wait resource-constraint", "cancel conflict precondition-not-met", "cancel conflict node-full", "modify bad-request", "cancel feature-not-implemented"}
	publications, most := 0, 0
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		p := play(t, variants[0])
		p.in(p.service.session())
		for i := range 6 {
			p.put(fmt.Sprint("k", i), i)
		}
		private := map[string]bool{}
		count := 0
		for len(p.pending) > 0 || !p.timer.IsZero() {
			if len(p.pending) == 0 {
				p.fire()
				continue
			}
			r := p.pending[0]
			p.pending = p.pending[1:]
			e := r.Payload.First()
			if count > 1000 {
				t.Fatalf("seed %d: it does not end: %s", seed, brief(r))
			}
			if count++; e != nil && e.Name.Local == "publish" {
				if publications++; !private[e.Attr("node")] {
					t.Fatalf("seed %d: published to %s", seed, e.Attr("node"))
				}
			}
			switch e := random.IntN(10); {
			case e == 0:
				p.in(Failed{ID: r.ID})
			case e < 4:
				p.in(answer(r.ID, nil, errors[random.IntN(len(errors))]))
			case e < 6 && r.Payload.Is(ns.DiscoItems, "query"):
				p.in(answer(r.ID, nil, "cancel service-unavailable"))
			case e < 8 && r.Payload.Is(ns.PubsubOwner, "pubsub") && !r.Set:
				private[r.Payload.First().Attr("node")] = true
				p.in(answer(r.ID, text(goods[random.IntN(len(goods))]), ""))
			default:
				s := answers[random.IntN(len(answers))]
				if e := r.Payload.First(); e != nil && e.Name.Local == "configure" {
					private[e.Attr("node")] = false
				}
				var payload *element.Element
				if s != "" {
					payload = text(s)
				}
				p.in(answer(r.ID, payload, ""))
			}
			if random.IntN(20) == 0 {
				node := fmt.Sprint("base:", random.IntN(Nodes))
				private[node] = false
				p.in(about(node, pam.EventConfigured))
			}
		}
		most = max(most, count)
	}
	if publications == 0 || most > 1000 {
		t.Errorf("%d publications, at most %d requests", publications, most)
	}
}
