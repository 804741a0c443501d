package privatepep

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// TestNode checks that a key is looked for in the same node for ever.
func TestNode(t *testing.T) {
	for key, want := range map[string]string{
		"": "base:5", "princely_musings": "base:30", "b0cb772aa31cb789e707e17c33cbe977fa58a1f2": "base:45", "ünïcödé": "base:18",
	} {
		if got := Node("base", key); got != want {
			t.Errorf("%q is in %s, want %s", key, got, want)
		}
		h := fnv.New32a()
		h.Write([]byte(key))
		if want := fmt.Sprint("base:", h.Sum32()%Nodes); Node("base", key) != want {
			t.Errorf("%q is in %s, want %s", key, Node("base", key), want)
		}
	}
}

// TestSpread checks that 10,000 keys fit, and that even 12,000 do.
func TestSpread(t *testing.T) {
	kinds := map[string]func(i int) string{
		"hashes": func(i int) string {
			sum := sha1.Sum([]byte(fmt.Sprint("pubsub.example.org<node", i)))
			return hex.EncodeToString(sum[:])
		},
		"addresses": func(i int) string { return fmt.Sprintf("pubsub.example.org/node-%d", i) },
		"numbers":   func(i int) string { return fmt.Sprint(i) },
	}
	for name, key := range kinds {
		var count [Nodes]int
		for i := range 12000 {
			count[place(key(i))]++
		}
		if most := slices.Max(count[:]); most > usable(assumedLimit) {
			t.Errorf("%s: a node has %d of 12,000 keys", name, most)
		}
	}
}

func TestIndex(t *testing.T) {
	for name, want := range map[string]int{
		"base:0": 0, "base:63": 63, "base:64": -1, "base:-1": -1, "base:+3": -1, "base:03": -1, "base:": -1, "base": -1,
		"base:3 ": -1, "other:3": -1, "": -1, "base:base:3": -1, "base:99999999999999999999": -1,
	} {
		got, ok := index("base", name)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %v", name, got, ok)
		}
	}
}

// TestFeatures checks what the features cost.
func TestFeatures(t *testing.T) {
	with := Features("urn:xmpp:pam:0:seen")
	if len(with) != Nodes || !slices.IsSorted(with) || with[0] != "urn:xmpp:pam:0:seen:0+notify" {
		t.Fatalf("%q", with)
	}
	size := func(features ...string) int {
		info := disco.NewInfo("web", "test", features...)
		return len(info.Answer(disco.Query(), "urn:example").String())
	}
	if cost := size(with...) - size(); cost > 3100 {
		t.Errorf("the answer to disco#info is %d bytes longer", cost)
	}
}

func TestUsable(t *testing.T) {
	for limit, want := range map[int]int{1: 1, 2: 1, 3: 2, 4: 3, 10: 7, 12: 9, 20: 15, 24: 18, 256: 250, 1000: 994} {
		if got := usable(limit); got != want {
			t.Errorf("of %d, %d are used, want %d", limit, got, want)
		}
	}
	for text, want := range map[string]int{"max": 256, "": 256, "0": 256, "-5": 256, "1": 1, " 20 ": 20, "1000": 1000, "5000": maxKept, "999999999999999999999": 256, "1e3": 256} {
		if got := parseLimit(text, 256); got != want {
			t.Errorf("%q means %d, want %d", text, got, want)
		}
	}
}

func TestMeasure(t *testing.T) {
	parse := func(text string) *element.Element {
		e, err := element.Parse(text, &element.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	same := []string{
		`<a xmlns='u' b='1' c='2'>t<d/>v</a>`, `<a c='2' b='1' xmlns='u'>t<d></d>v</a>`, `<x:a xmlns:x='u' b='1' c='2'>t<x:d/>v</x:a>`, `<a xmlns='u' b='1' c='2'>&#116;<d/><![CDATA[v]]></a>`,
	}
	want, size := measure(parse(same[0]))
	if size != 8+2+8+2+8+2+8+2+1+1 {
		t.Errorf("the size is %d", size)
	}
	for _, text := range same {
		if got, _ := measure(parse(text)); got != want {
			t.Errorf("%s differs", text)
		}
	}
	split := element.New("u", "a").Set("b", "1").Set("c", "2").AddText("").AddText("t").Add(element.New("u", "d")).AddText("v").AddText("")
	if got, _ := measure(split); got != want {
		t.Error("divided text differs")
	}
	for _, text := range []string{
		`<a xmlns='u' b='2' c='1'>t<d/>v</a>`, `<a xmlns='w' b='1' c='2'>t<d xmlns='u'/>v</a>`, `<a xmlns='u' b='1' c='2'>tv<d/></a>`, `<a xmlns='u' b='1' c='2'>t<d>v</d></a>`,
		`<a xmlns='u' b='1' c='2'>t<d/><d/>v</a>`, `<a xmlns='u' bc='12'>t<d/>v</a>`, `<a xmlns='u' b='1'>t<d/>v</a>`, `<a xmlns='u' b='1' c='2'>t<d c='2'/>v</a>`,
	} {
		if got, _ := measure(parse(text)); got == want {
			t.Errorf("%s is the same", text)
		}
	}
	if got, size := measure(nil); got != 0 || size != 0 {
		t.Error("no payload has a fingerprint")
	}
}

// TestPending checks what is pending before a session.
func TestPending(t *testing.T) {
	p := play(t, variants[0])
	for i := range 3 {
		p.put("k0", i)
	}
	if p.m.Pending() != 1 {
		t.Errorf("%d are pending, want 1", p.m.Pending())
	}
	big := func(size int) *element.Element { return element.New("", "").AddText(strings.Repeat("x", size-8)) }
	p.in(Put{Key: "", Payload: value(1)})
	p.in(Put{Key: strings.Repeat("k", MaxKey+1), Payload: value(1)})
	p.in(Put{Key: "k1"})
	p.in(Put{Key: "k0", Payload: big(MaxPayload + 1)}) // the earlier one is not kept
	p.in(Put{Key: strings.Repeat("k", MaxKey), Payload: big(MaxPayload)})
	p.want("", "dropped  invalid, dropped "+strings.Repeat("k", MaxKey+1)+" invalid, dropped k1 invalid, dropped k0 invalid")
	if p.m.Pending() != 1 {
		t.Errorf("%d are pending, want 1", p.m.Pending())
	}
	for i := range MaxPending + 10 {
		p.put(fmt.Sprint("k", i), i)
	}
	if n := p.m.Pending(); n != MaxPending || len(p.heard) != 11 || p.heard[0] != fmt.Sprintf("dropped k%d too many", MaxPending-1) {
		t.Errorf("%d are pending; %q", n, p.heard)
	}
	p = play(t, variants[0])
	for i := range 2000 {
		p.in(Put{Key: fmt.Sprint("k", i), Payload: big(MaxPayload)})
	}
	if n := p.m.Pending(); n > MaxPendingBytes/MaxPayload || n < MaxPendingBytes/MaxPayload-10 {
		t.Errorf("%d large ones are pending", n)
	}
	p.in(Remove{Key: "k5"})
	if p.m.pendingBytes < 0 || p.m.pendingBytes > MaxPendingBytes {
		t.Errorf("%d bytes are pending", p.m.pendingBytes)
	}
}

// TestRequests checks the requests that write items, to the byte.
func TestRequests(t *testing.T) {
	p := play(t, variants[0]).session()
	var sent []string
	p.silent = func(r Request) bool {
		sent = append(sent, r.Payload.String())
		return false
	}
	p.put("k0", 1).run()
	want := `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='` + Node("base", "k0") + `'><item id='k0'><v xmlns='urn:test' n='1' a='b'/></item></publish>` +
		`<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>` + ns.Pubsub + `#publish-options</value></field>` +
		`<field var='pubsub#persist_items'><value>true</value></field><field var='pubsub#access_model'><value>whitelist</value></field></x></publish-options></pubsub>`
	p.in(Remove{Key: "k0"})
	p.run()
	retract := `<pubsub xmlns='http://jabber.org/protocol/pubsub'><retract node='` + Node("base", "k0") + `' notify='true'><item id='k0'/></retract></pubsub>`
	if len(sent) != 4 || sent[2] != want || sent[3] != retract {
		t.Errorf("sent %q", sent)
	}
}

// TestConfigurations checks what is submitted, in order.
func TestConfigurations(t *testing.T) {
	want := []string{"max never true", "1000 never true", "256 never true", " never true", " never ", "  "}
	for i, form := range configurations {
		got := form.Value("pubsub#max_items") + " " + form.Value("pubsub#send_last_published_item") + " " + form.Value("pubsub#notify_retract")
		if got != want[i] || form.Value("pubsub#persist_items") != "true" || form.Value("pubsub#access_model") != "whitelist" || len(form) != 2+len(strings.Fields(got)) {
			t.Errorf("%d: %v", i, form)
		}
	}
	if len(configurations) != len(want) {
		t.Errorf("there are %d", len(configurations))
	}
}

// TestLimits checks the limits of items and of what is pending, exactly.
func TestLimits(t *testing.T) {
	big := func(size int) *element.Element { return element.New("", "").AddText(strings.Repeat("x", size-8)) }
	p := play(t, variants[0])
	p.in(Put{Key: "k0", Payload: big(16384)})
	p.in(Put{Key: "k1", Payload: big(16385)})
	p.want("", "dropped k1 invalid")
	keys := keysOf(3, 1025)
	var items []*element.Element
	for _, key := range keys {
		items = append(items, itemOf(key, big(16384)))
	}
	items[7] = itemOf(keys[7], big(16385))
	p = play(t, variants[0])
	readNode(p, items...)
	n := &p.m.nodes[3]
	if len(n.items) != 1024 || n.count() != 1025 || n.items[keys[8]].sum == 0 || n.items[keys[7]].sum != 0 {
		t.Errorf("%d items are kept of %d", len(n.items), n.count())
	}
	p.in(published("base:3", keysOf(3, 1026)[1025], value(1)))
	if len(n.items) != 1024 || n.count() != 1026 {
		t.Errorf("%d items are kept of %d", len(n.items), n.count())
	}
	for range 3 { // the first two are of those that are not kept
		p.in(retracted("base:3", "unknown"))
	}
	if n.count() != 1024 {
		t.Errorf("there are %d items", n.count())
	}

	p = play(t, variants[0])
	for i := range 20001 {
		p.put(fmt.Sprint("k", i), i)
	}
	p.want("", "dropped k20000 too many")
	p = play(t, variants[0])
	for i := range 1023 {
		p.in(Put{Key: fmt.Sprint("k", 1000+i), Payload: big(16384 - 5)})
	}
	p.in(Put{Key: "a", Payload: big(16384 - 1)})
	p.in(Put{Key: "b", Payload: big(8)})
	p.want("", "dropped b too many")
	if p.m.Pending() != 1024 || p.m.pendingBytes != 16<<20 {
		t.Errorf("%d are pending, %d bytes", p.m.Pending(), p.m.pendingBytes)
	}
}

// TestCheckedConfigurations checks which submitted configurations make a node private, and
// that the machine then repairs the next change of it, but no limit of the same low number.
func TestCheckedConfigurations(t *testing.T) {
	f := func(name, value string) string {
		return "<field var='pubsub#" + name + "'><value>" + value + "</value></field>"
	}
	const owner = "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure><x xmlns='jabber:x:data' type='form'>"
	closed := f("access_model", "whitelist")
	for form, private := range map[string]bool{
		closed:                                  true, // persist_items is true by default
		closed + f("persist_items", "true"):     true,
		closed + f("persist_items", "0"):        false,
		closed + f("publish_model", "open"):     false,
		f("access_model", "presence"):           false,
		closed + f("publish_model", publishers): true,
	} {
		p := play(t, variants[0])
		n := &p.m.nodes[3]
		n.submitted, n.sized = true, true
		iq, err := element.Parse("<iq xmlns='jabber:client' type='result'>"+owner+form+f("max_items", "5")+"</x></configure></pubsub></iq>", nil)
		if err != nil {
			t.Fatal(err)
		}
		p.m.checkedConfig(&request{node: n}, iq)
		if n.private != private {
			t.Errorf("%s: private %v", form, n.private)
		}
		if private && (n.submitted || n.sized || n.low != 5) {
			t.Errorf("%s: submitted %v, sized %v, low %d", form, n.submitted, n.sized, n.low)
		}
	}
}
