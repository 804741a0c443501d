package pubsub

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"xmpp-pam/sdk/pam"
)

func TestNodeRequests(t *testing.T) {
	const form = submit + `pubsub#node_config</value></field><field var='pubsub#access_model'><value>whitelist</value></field></x>`
	fields := config("pubsub#access_model", "whitelist")
	requests{
		{"§8.1.2", Create("princely_musings", nil), body + `<create node='princely_musings'/></pubsub>`},
		{"§8.1.1 an instant node", Create("", nil), body + `<create/></pubsub>`},
		{"§8.1.3", Create("princely_musings", fields), body + `<create node='princely_musings'/><configure>` + form + `</configure></pubsub>`},
		{"§8.2.1", NodeConfig("princely_musings"), ownerBody + `<configure node='princely_musings'/></pubsub>`},
		{"§8.2.4", SetNodeConfig("princely_musings", fields), ownerBody + `<configure node='princely_musings'>` + form + `</configure></pubsub>`},
		{"§8.4.1", Delete("princely_musings", ""), ownerBody + `<delete node='princely_musings'/></pubsub>`},
		{"§8.4.1 moved", Delete("princely_musings", "xmpp:hamlet@denmark.lit?;node=blog"), ownerBody + `<delete node='princely_musings'><redirect uri='xmpp:hamlet@denmark.lit?;node=blog'/></delete></pubsub>`},
		{"§8.5.1", Purge("princely_musings"), ownerBody + `<purge node='princely_musings'/></pubsub>`},
		{"§5.2", Nodes(nil), `<query xmlns='http://jabber.org/protocol/disco#items'/>`},
		{"§5.2 a page", Nodes(&Page{Max: 10, After: "a"}), `<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>10</max><after>a</after></set></query>`},
		{"§5.4", NodeInfo("princely_musings"), `<query xmlns='http://jabber.org/protocol/disco#info' node='princely_musings'/>`},
	}.run(t)
}

func TestParseCreated(t *testing.T) {
	for content, want := range map[string]string{
		body + `<create node='25e3d37dabbab9541f7523321421edc5bfeb2dae'/></pubsub>`: "25e3d37dabbab9541f7523321421edc5bfeb2dae",
		body + `<create node='` + strings.Repeat("x", maxID+1) + `'/></pubsub>`:     "",
		``: "",
	} {
		if got := ParseCreated(iq(t, content)); got != want {
			t.Errorf("%.100s: got %q", content, got)
		}
	}
}

func TestParseNodeConfig(t *testing.T) {
	got, err := ParseNodeConfig(iq(t, ownerBody+`<configure node='princely_musings'><x xmlns='jabber:x:data' type='form'><field var='pubsub#persist_items' type='boolean'><value>1</value></field><field var='pubsub#max_items' type='text-single'><value>max</value></field></x></configure></pubsub>`))
	if err != nil || got.Value("pubsub#persist_items") != "true" || got.Value("pubsub#max_items") != "max" || got.Value("pubsub#title") != "" {
		t.Errorf("got %v, error %v", got, err)
	}
	for _, bad := range []string{``, ownerBody + `<configure/></pubsub>`, body + `<configure><x xmlns='jabber:x:data'/></configure></pubsub>`} {
		if _, err := ParseNodeConfig(iq(t, bad)); !errors.Is(err, ErrResult) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

func TestParseNodes(t *testing.T) {
	const items = `<query xmlns='http://jabber.org/protocol/disco#items'>`
	nodes, page, err := ParseNodes(iq(t, items+`<item node='Romeoance' name='Letters to my Beloved' jid='pubsub.shakespeare.lit'/>`+
		`<item node='Julliennui' jid='PubSub.shakespeare.lit'/><item jid='pubsub.shakespeare.lit' name='368866411b877c30064a5f62b917cffe'/>`+
		`<item node='elsewhere' jid='other.lit'/><item node='nowhere'/><item xmlns='urn:example' node='x' jid='pubsub.shakespeare.lit'/>`+
		`<set xmlns='http://jabber.org/protocol/rsm'><first>a</first><last>b</last></set></query>`), "pubsub.shakespeare.lit")
	want := []pam.NodeInfo{
		{Service: "pubsub.shakespeare.lit", Node: "Romeoance", Title: "Letters to my Beloved"},
		{Service: "pubsub.shakespeare.lit", Node: "Julliennui"},
	}
	if err != nil || !reflect.DeepEqual(nodes, want) || page == nil || page.Last != "b" {
		t.Errorf("got %v and %v, error %v", nodes, page, err)
	}

	item := `<item node='n' jid='s'/>`
	nodes, page, err = ParseNodes(iq(t, items+strings.Repeat(item, maxNodes)+`</query>`), "s")
	if len(nodes) != maxNodes || err != nil || page != nil {
		t.Errorf("%d nodes, page %v, error %v", len(nodes), page, err)
	}
	nodes, _, err = ParseNodes(iq(t, items+`<item node='`+strings.Repeat("x", maxID+1)+`' jid='s'/>`+strings.Repeat(item, maxNodes+1)+`</query>`), "s")
	if len(nodes) != maxNodes || !errors.Is(err, ErrLeftOut) || nodes[0].Node != "n" {
		t.Errorf("%d nodes, error %v", len(nodes), err)
	}
	nodes, _, err = ParseNodes(iq(t, items+`<item node='n' jid='s' name='`+strings.Repeat("ä", maxLabel)+`'/></query>`), "s")
	if err != nil || len(nodes) != 1 || len(nodes[0].Title) > maxLabel || !strings.HasSuffix(nodes[0].Title, "ä…") {
		t.Errorf("%v, error %v", nodes, err)
	}
	if _, _, err := ParseNodes(iq(t, ``), "s"); !errors.Is(err, ErrResult) {
		t.Errorf("error %v", err)
	}
}

func TestParseNodeInfo(t *testing.T) {
	const (
		query = `<query xmlns='http://jabber.org/protocol/disco#info' node='princely_musings'>`
		form  = `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#meta-data</value></field>`
	)
	base := pam.NodeInfo{Service: "s", Node: "princely_musings"}
	full := base
	full.Kind, full.PayloadType, full.AccessModel, full.Subscribers = pam.NodeLeaf, "http://www.w3.org/2005/Atom", "open", 1066
	full.Title, full.Description = "Princely Musings (Atom)", "Updates for Hamlet's Princely Musings weblog."
	full.Created = date("2003-07-29T22:56:10Z")
	kind := base
	kind.Kind = pam.NodeCollection
	for _, tt := range []struct {
		name, xml string
		want      pam.NodeInfo
		err       error
	}{
		{"§5.4", query + `<identity category='pubsub' type='leaf'/><feature var='http://jabber.org/protocol/pubsub'/>` + form +
			`<field var='pubsub#type' label='Payload type' type='text-single'><value>http://www.w3.org/2005/Atom</value></field>` +
			`<field var='pubsub#creator' type='jid-single'><value>hamlet@denmark.lit</value></field>` +
			`<field var='pubsub#creation_date' type='text-single'><value>2003-07-29T22:56:10Z</value></field>` +
			`<field var='pubsub#title' type='text-single'><value>Princely Musings (Atom)</value></field>` +
			`<field var='pubsub#description' type='text-single'><value>Updates for Hamlet&apos;s Princely Musings weblog.</value></field>` +
			`<field var='pubsub#access_model' type='list-single'><value>open</value></field>` +
			`<field var='pubsub#num_subscribers' type='text-single'><value>1066</value></field></x></query>`, full, nil},
		{"§5.3 a collection", query + `<identity category='pubsub' type='collection'/><identity category='client' type='leaf'/><identity category='pubsub' type='service'/><feature category='pubsub' type='leaf'/></query>`, kind, nil},
		{"another form", query + `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>urn:example</value></field><field var='pubsub#title'><value>x</value></field></x></query>`, base, nil},
		{"nonsense", query + form + `<field var='pubsub#num_subscribers'><value>-3</value></field><field var='pubsub#creation_date'><value>once</value></field></x></query>`, base, nil},
		{"the node is not named", `<query xmlns='http://jabber.org/protocol/disco#info'/>`, base, nil},
		{"another node", `<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>`, base, ErrResult},
		{"no query", ``, base, ErrResult},
	} {
		got, err := ParseNodeInfo(iq(t, tt.xml), "s", "princely_musings")
		if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || got != tt.want {
			t.Errorf("%s: got %+v, error %v", tt.name, got, err)
		}
	}
	exact := strings.Repeat("x", maxLabel)
	if got, err := ParseNodeInfo(iq(t, query+form+`<field var='pubsub#title'><value>`+exact+`</value></field></x></query>`), "s", "princely_musings"); err != nil || got.Title != exact {
		t.Errorf("a title of %d bytes became %d, error %v", len(exact), len(got.Title), err)
	}
	long, err := ParseNodeInfo(iq(t, query+form+`<field var='pubsub#title'><value>`+strings.Repeat("x", maxLabel+1)+`</value></field><field var='pubsub#description'><value>`+strings.Repeat("x", maxDescription+1)+`</value></field></x></query>`), "s", "princely_musings")
	if err != nil || len(long.Title) != maxLabel || len(long.Description) != maxDescription {
		t.Errorf("lengths %d and %d, error %v", len(long.Title), len(long.Description), err)
	}
}
