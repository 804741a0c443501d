package pubsub

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

const (
	body      = `<pubsub xmlns='http://jabber.org/protocol/pubsub'>`
	ownerBody = `<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>`
	submit    = `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/`
)

// config is a form with one field.
func config(name string, values ...string) pam.Form {
	return pam.Form{{Name: name, Values: values}}
}

func TestItemsRequest(t *testing.T) {
	requests{
		{"§6.5.2 all", ItemsRequest{Node: "princely_musings"}.Element(), body + `<items node='princely_musings'/></pubsub>`},
		{"§6.5.2 of a subscription", ItemsRequest{Node: "princely_musings", SubID: "s1"}.Element(), body + `<items node='princely_musings' subid='s1'/></pubsub>`},
		{"§6.5.4 a page", ItemsRequest{Node: "princely_musings", Page: &Page{Max: 20, Last: true}}.Element(),
			body + `<items node='princely_musings'/><set xmlns='http://jabber.org/protocol/rsm'><max>20</max><before/></set></pubsub>`},
		{"§6.5.6 by id", ItemsRequest{Node: "princely_musings", IDs: []string{"3688", "4e30"}}.Element(),
			body + `<items node='princely_musings'><item id='3688'/><item id='4e30'/></items></pubsub>`},
		{"§6.5.7 the newest", ItemsRequest{Node: "princely_musings", Max: 2}.Element(), body + `<items node='princely_musings' max_items='2'/></pubsub>`},
	}.run(t)
}

func TestParseItems(t *testing.T) {
	items := func(content string) *element.Element { return iq(t, body+content+`</pubsub>`) }
	for _, tt := range []struct {
		name string
		iq   *element.Element
		want []string
		page *PageInfo
	}{
		{"§6.5.3", items(princely + `<item id='3688'>` + soliloquy + `</item><item id='4e30' publisher='hamlet@denmark.lit'>` + soliloquy + `</item></items>`),
			[]string{"published s princely_musings item=3688 payload=entry", "published s princely_musings item=4e30 by=hamlet@denmark.lit payload=entry"}, nil},
		{"§6.5.4 a page", items(princely + `<item id='3688'/></items><set xmlns='http://jabber.org/protocol/rsm'><first index='0'>3688</first><last>4e30</last><count>19</count></set>`),
			[]string{"published s princely_musings item=3688"}, &PageInfo{"3688", "4e30", 0, 19}},
		{"ejabberd: ids of pages are stamps", items(princely + `<item id='l1'/></items><set xmlns='http://jabber.org/protocol/rsm'><first index='0'>2026-11-26T03:55:26.626694Z</first><last>2026-11-26T03:55:26.626694Z</last><count>1</count></set>`),
			[]string{"published s princely_musings item=l1"}, &PageInfo{"2026-11-26T03:55:26.626694Z", "2026-11-26T03:55:26.626694Z", 0, 1}},
		{"§6.5.7 no items", items(`<items node='princely_musings'/>`), nil, nil},
		{"an empty page", items(`<items node='princely_musings'/><set xmlns='http://jabber.org/protocol/rsm'><count>2</count></set>`), nil, &PageInfo{"", "", -1, 2}},
		{"the node is not named", items(`<items><item id='a'/></items>`), []string{"published s princely_musings item=a"}, nil},
		{"no id", items(princely + `<item/></items>`), []string{"published s princely_musings"}, nil},
		{"others", items(princely + `<retract id='a'/><item xmlns='urn:example' id='b'/><retract xmlns='http://jabber.org/protocol/pubsub#event' id='c'/></items>`), nil, nil},
	} {
		found, page, err := ParseItems(tt.iq, "s", "princely_musings")
		var got []string
		for _, n := range found {
			got = append(got, describe(n))
		}
		if err != nil || !reflect.DeepEqual(got, tt.want) || !reflect.DeepEqual(page, tt.page) {
			t.Errorf("%s: got %q and %v, error %v", tt.name, got, page, err)
		}
	}

	t.Run("many", func(t *testing.T) {
		const more = 3
		found, _, err := ParseItems(items(princely+strings.Repeat(`<item id='old'/> `, more)+`<item id='first'/>`+strings.Repeat(`<item id='new'/>`, maxEntries-1)+`</items>`), "s", "princely_musings")
		if len(found) != maxEntries || !errors.Is(err, ErrLeftOut) || found[0].ItemID != "first" {
			t.Errorf("%d items, error %v", len(found), err)
		}
		found, _, err = ParseItems(items(princely+strings.Repeat(`<item id='a'/>`, maxEntries)+`<item xmlns='urn:example'/></items>`), "s", "princely_musings")
		if len(found) != maxEntries || err != nil {
			t.Errorf("%d items, error %v", len(found), err)
		}
	})
	t.Run("a long id", func(t *testing.T) {
		found, _, err := ParseItems(items(princely+`<item id='`+strings.Repeat("x", maxID+1)+`'/><item id='a'/></items>`), "s", "princely_musings")
		if len(found) != 1 || !errors.Is(err, ErrLeftOut) {
			t.Errorf("%d items, error %v", len(found), err)
		}
	})
	for _, bad := range []*element.Element{
		nil, iq(t, ``), items(``), items(`<items node='other'/>`), items(`<items xmlns='urn:example' node='princely_musings'/>`),
		iq(t, ownerBody+`<items node='princely_musings'/></pubsub>`),
		parse(t, `<iq xmlns='jabber:client' type='error'>`+body+`<items node='princely_musings'/></pubsub></iq>`),
	} {
		if found, _, err := ParseItems(bad, "s", "princely_musings"); found != nil || !errors.Is(err, ErrResult) {
			t.Errorf("%v: %v, error %v", bad, found, err)
		}
	}
}

func TestPublish(t *testing.T) {
	entry := func() *element.Element {
		return element.New(ns.Atom, "entry").Add(element.New(ns.Atom, "title").AddText("Soliloquy"))
	}
	requests{
		{"§7.1.1", Publish("princely_musings", "bnd81g37d61f49fgn581", entry(), nil),
			body + `<publish node='princely_musings'><item id='bnd81g37d61f49fgn581'>` + soliloquy + `</item></publish></pubsub>`},
		{"§7.1.3.6 without an id", Publish("princely_musings", "", entry(), nil), body + `<publish node='princely_musings'><item>` + soliloquy + `</item></publish></pubsub>`},
		{"without a payload", Publish("n", "a", nil, nil), body + `<publish node='n'><item id='a'/></publish></pubsub>`},
		{"§1.2 without an item", Publish("elsinore/doorbell", "", nil, nil), body + `<publish node='elsinore/doorbell'/></pubsub>`},
		{"§7.1.5 with preconditions", Publish("princely_musings", "ae89", entry(), config("pubsub#access_model", "presence")),
			body + `<publish node='princely_musings'><item id='ae89'>` + soliloquy + `</item></publish><publish-options>` + submit + `pubsub#publish-options</value></field><field var='pubsub#access_model'><value>presence</value></field></x></publish-options></pubsub>`},
		{"§7.2.1", Retract("princely_musings", "ae89", false), body + `<retract node='princely_musings'><item id='ae89'/></retract></pubsub>`},
		{"§7.2.2.1", Retract("princely_musings", "ae89", true), body + `<retract node='princely_musings' notify='true'><item id='ae89'/></retract></pubsub>`},
	}.run(t)

	long := strings.Repeat("x", maxID+1)
	for content, want := range map[string]string{
		body + `<publish node='princely_musings'><item id='ae89'/></publish></pubsub>`: "ae89",
		body + `<publish node='n'><item id='` + long + `'/></publish></pubsub>`:        "",
		body + `<publish node='n'/></pubsub>`:                                          "",
		``:                                                                             "",
	} {
		if got := ParsePublished(iq(t, content)); got != want {
			t.Errorf("%.100s: got %q", content, got)
		}
	}
}

func TestSubscriptionOptions(t *testing.T) {
	const form = submit + `pubsub#subscribe_options</value></field><field var='pubsub#show-values'><value>chat</value><value>online</value></field></x>`
	fields := config("pubsub#show-values", "chat", "online")
	requests{
		{"§6.3.2", Options("princely_musings", "francisco@denmark.lit", ""), body + `<options node='princely_musings' jid='francisco@denmark.lit'/></pubsub>`},
		{"§6.3.4.3", Options("princely_musings", "francisco@denmark.lit", "123-abc"), body + `<options node='princely_musings' jid='francisco@denmark.lit' subid='123-abc'/></pubsub>`},
		{"§6.3.5", SetOptions("princely_musings", "francisco@denmark.lit", "", fields), body + `<options node='princely_musings' jid='francisco@denmark.lit'>` + form + `</options></pubsub>`},
		{"§6.3.7", SubscribeWith("princely_musings", "francisco@denmark.lit", fields), body + `<subscribe node='princely_musings' jid='francisco@denmark.lit'/><options>` + form + `</options></pubsub>`},
	}.run(t)

	got, err := ParseOptions(iq(t, body+`<options node='princely_musings' jid='francisco@denmark.lit'>`+offeredOptions+`</options></pubsub>`))
	if err != nil || len(got) != 5 || got.Value("pubsub#deliver") != "true" {
		t.Errorf("got %v, error %v", got, err)
	}
	for _, bad := range []string{``, body + `</pubsub>`, body + `<options node='n'/></pubsub>`} {
		if _, err := ParseOptions(iq(t, bad)); !errors.Is(err, ErrResult) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

func TestParseSubscription(t *testing.T) {
	const jid = ` jid='Francisco@denmark.lit'`
	key := pam.Key{Service: "s", Node: "princely_musings", SubID: "ba49"}
	plain := pam.Key{Service: "s", Node: "princely_musings"}
	for _, tt := range []struct {
		name, xml string
		want      pam.Subscription
		must      bool
	}{
		{"§6.1.2", `<subscription node='princely_musings'` + jid + ` subid='ba49' subscription='subscribed'/>`, pam.Subscription{Key: key, JID: "francisco@denmark.lit", State: "subscribed"}, false},
		{"§6.1.4 pending", `<subscription node='princely_musings'` + jid + ` subscription='pending'/>`, pam.Subscription{Key: plain, JID: "francisco@denmark.lit", State: "pending"}, false},
		{"§6.1.5 unconfigured", `<subscription node='princely_musings'` + jid + ` subscription='unconfigured'><subscribe-options><required/></subscribe-options></subscription>`,
			pam.Subscription{Key: plain, JID: "francisco@denmark.lit", State: "unconfigured"}, true},
		{"unconfigured without more", `<subscription node='princely_musings'` + jid + ` subscription='unconfigured'/>`, pam.Subscription{Key: plain, JID: "francisco@denmark.lit", State: "unconfigured"}, true},
		{"subscribed, but must configure", `<subscription node='princely_musings'` + jid + ` subscription='subscribed'><subscribe-options><required/></subscribe-options></subscription>`,
			pam.Subscription{Key: plain, JID: "francisco@denmark.lit", State: "subscribed"}, true},
		{"§6.1.6 may configure", `<subscription node='princely_musings'` + jid + ` subscription='subscribed'><subscribe-options/></subscription>`,
			pam.Subscription{Key: plain, JID: "francisco@denmark.lit", State: "subscribed"}, false},
		{"Prosody: unsubscribed", `<subscription node='princely_musings'` + jid + ` subscription='none'/>`, pam.Subscription{Key: plain, JID: "francisco@denmark.lit", State: "none"}, false},
	} {
		got, must, err := ParseSubscription(iq(t, body+tt.xml+`</pubsub>`), "s")
		if err != nil || got != tt.want || must != tt.must {
			t.Errorf("%s: got %+v, %v, error %v", tt.name, got, must, err)
		}
	}
	long := strings.Repeat("x", maxID+1)
	for _, bad := range []string{
		``, body + `</pubsub>`, body + `<subscription` + jid + `/></pubsub>`, body + `<subscription node='n' jid='@'/></pubsub>`,
		body + `<subscription node='` + long + `'` + jid + `/></pubsub>`,
		body + `<subscription node='n'` + jid + ` subid='` + long + `'/></pubsub>`,
		body + `<subscription node='n'` + jid + ` subscription='` + long + `'/></pubsub>`,
	} {
		if got, _, err := ParseSubscription(iq(t, bad), "s"); !errors.Is(err, ErrResult) || got != (pam.Subscription{}) {
			t.Errorf("%.100s: got %v, error %v", bad, got, err)
		}
	}
}

func TestParseSubscriptions(t *testing.T) {
	row := func(node, state string) pam.Subscription {
		return pam.Subscription{Key: pam.Key{Service: "s", Node: node}, JID: "francisco@denmark.lit", State: pam.State(state)}
	}
	for _, tt := range []struct {
		name, xml string
		want      []pam.Subscription
		err       error
	}{
		{"§5.6", `<subscriptions><subscription node='node1' jid='francisco@denmark.lit' subscription='subscribed'/><subscription node='node2' jid='francisco@denmark.lit' subscription='unconfigured'/></subscriptions>`,
			[]pam.Subscription{row("node1", "subscribed"), row("node2", "unconfigured")}, nil},
		{"§5.6 of a node", `<subscriptions node='node6'><subscription jid='francisco@denmark.lit'/></subscriptions>`, []pam.Subscription{row("node6", "subscribed")}, nil},
		{"none", `<subscriptions/>`, nil, nil},
		{"others", `<subscriptions><affiliation node='n'/></subscriptions>`, nil, nil},
		{"invalid rows", `<subscriptions><subscription node='n' jid='@'/><subscription jid='francisco@denmark.lit'/><subscription node='m' jid='francisco@denmark.lit'/></subscriptions>`, []pam.Subscription{row("m", "subscribed")}, ErrLeftOut},
		{"no list", ``, nil, ErrResult},
	} {
		got, err := ParseSubscriptions(iq(t, body+tt.xml+`</pubsub>`), "s")
		if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %v, error %v", tt.name, got, err)
		}
	}
	if _, err := ParseSubscriptions(iq(t, ``), "s"); !errors.Is(err, ErrResult) {
		t.Errorf("empty: error %v", err)
	}
}
