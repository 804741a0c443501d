package listsync

import (
	"errors"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

func reader() *Reader { return NewReader(jid.MustParse("francisco@denmark.lit/barracks")) }

func parse(t testing.TB, xml string) *element.Element {
	t.Helper()
	e, err := element.Parse(xml, nil)
	if err != nil {
		t.Fatalf("%s: %v", xml, err)
	}
	return e
}

// TestRequests compares the requests sent with XEP-0376 listings 1 and 5, whose
// errors are corrected.
func TestRequests(t *testing.T) {
	tests := []struct {
		got  *element.Element
		want string
	}{
		{ListRequest(""), `<subscriptions xmlns='urn:xmpp:pam:0'/>`},
		{ListRequest("v 1"), `<subscriptions xmlns='urn:xmpp:pam:0' ver='v 1'/>`},
		{SubscribeRequest("pubsub.shakespeare.lit", "princely_musings", testAccount),
			`<pam xmlns='urn:xmpp:pam:0' jid='pubsub.shakespeare.lit'><subscribe xmlns='http://jabber.org/protocol/pubsub' node='princely_musings' jid='francisco@denmark.lit'/></pam>`},
		{UnsubscribeRequest("pubsub.shakespeare.lit", "princely_musings", testAccount, ""),
			`<pam xmlns='urn:xmpp:pam:0' jid='pubsub.shakespeare.lit'><unsubscribe xmlns='http://jabber.org/protocol/pubsub' node='princely_musings' jid='francisco@denmark.lit'/></pam>`},
		{UnsubscribeRequest("pubsub.shakespeare.lit", "n<1>", testAccount, "123-abc"),
			`<pam xmlns='urn:xmpp:pam:0' jid='pubsub.shakespeare.lit'><unsubscribe xmlns='http://jabber.org/protocol/pubsub' node='n&lt;1&gt;' jid='francisco@denmark.lit' subid='123-abc'/></pam>`},
	}
	for _, tt := range tests {
		want := parse(t, tt.want)
		if got := parse(t, tt.got.String()); got.String() != want.String() {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestNotifySenders checks which senders are accepted: each from, on each type of
// message.
func TestNotifySenders(t *testing.T) {
	froms := []struct {
		attr string
		ok   bool
	}{
		{``, true},
		{`from='francisco@denmark.lit'`, true},
		{`from='denmark.lit'`, true},
		{`from='Francisco@Denmark.LIT'`, true}, // the same after normalisation
		{`from='DENMARK.lit'`, true},
		{`from='DENMARK.lit.'`, false},                   // RFC 7622 §3.2: without a trailing dot
		{`from='francisco@denmark.lit/barracks'`, false}, // this session, to which another device can send
		{`from='francisco@denmark.lit/tablet'`, false},
		{`from='denmark.lit/x'`, false},
		{`from='bernardo@denmark.lit'`, false},
		{`from='francisco@denmark.lit.evil.example'`, false},
		{`from='xfrancisco@denmark.lit'`, false},
		{`from='pubsub.denmark.lit'`, false},
		{`from='pubsub.shakespeare.lit'`, false},
		{`from='evil@shakespeare.lit/r'`, false},
		{`from=''`, false},
		{`from='@denmark.lit'`, false},
		{`from='francisco@'`, false},
		{`from=' francisco@denmark.lit'`, false},
		{`from='francisco@denmark.lit '`, false},
		{`from='francіsco@denmark.lit'`, false}, // a Cyrillic і
		{`xmlns:x='jabber:client' x:from='evil@shakespeare.lit'`, true},
		{`from='evil@shakespeare.lit' xmlns:x='jabber:client' x:from='francisco@denmark.lit'`, false},
		{`from='evil@shakespeare.lit' to='francisco@denmark.lit'`, false},
	}
	types := []string{"", "normal", "headline", "chat", "groupchat", "whatever", "error"}
	n := 0
	for _, from := range froms {
		for _, typ := range types {
			n++
			attrs := from.attr
			if typ != "" {
				attrs += " type='" + typ + "'"
			}
			received, err := reader().ParseNotify(parse(t, `<message xmlns='jabber:client' `+attrs+`><notify xmlns='urn:xmpp:pam:0' ver='v1' service='a.lit'><subscription xmlns='http://jabber.org/protocol/pubsub' node='n' subscription='subscribed'/></notify></message>`))
			ok := from.ok && typ != "error"
			if ok != (err == nil) || ok != (len(received) == 1) || !ok && !errors.Is(err, ErrForged) {
				t.Errorf("%s: received %v, error %v; want accepted: %v", attrs, received, err, ok)
			}
		}
	}
	t.Logf("%d senders", n)
}

// TestParseNotify checks the content of accepted messages. Entries are written as in
// transcripts.
func TestParseNotify(t *testing.T) {
	const row = `<subscription xmlns='http://jabber.org/protocol/pubsub' node='n' jid='francisco@denmark.lit' subscription='subscribed'/>`
	notify := func(attrs, rows string) string {
		return `<notify xmlns='urn:xmpp:pam:0' ` + attrs + `>` + rows + `</notify>`
	}
	in := func(xml string) string {
		return `<notify xmlns='urn:xmpp:pam:0' ver='v1' service='a.lit'>` + xml + `</notify>`
	}
	tests := []struct{ name, body, want string }{
		{"XEP-0376 listing 2", `<notify ver='aocolb' service='pubsub.shakespeare.lit' xmlns='urn:xmpp:pam:0'><subscription xmlns='http://jabber.org/protocol/pubsub' node='princely_musings' jid='francisco@denmark.lit' subscription='subscribed'/></notify>`,
			"aocolb: pubsub.shakespeare.lit/princely_musings"},
		{"removal", in(`<subscription xmlns='http://jabber.org/protocol/pubsub' node='n' subscription='none' subid='123-abc'/>`), "v1: -a.lit/n#123-abc"},
		{"Libervia", `<store xmlns='urn:xmpp:hints'/><notify service='a.lit' xmlns='urn:xmpp:pam:0'>` + row + `</notify><stanza-id by='francisco@denmark.lit' xmlns='urn:xmpp:sid:0' id='SXO9'/>`, ".: a.lit/n"},
		{"nothing", `<body>hi</body>`, ""},
		{"a pubsub event", `<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event>`, ""},
		{"A10: namespace of the list", in(`<subscription node='n'/>`), "v1: a.lit/n"},
		{"A10: namespace of events", in(`<subscription xmlns='http://jabber.org/protocol/pubsub#event' node='n'/>`), "v1: a.lit/n"},
		{"A10: namespace of owners", in(`<subscription xmlns='http://jabber.org/protocol/pubsub#owner' node='n'/>`), "v1: a.lit/n"},
		{"A10: namespace of stanzas", in(`<subscription xmlns='jabber:client' node='n'/>`), "v1: a.lit/n"},
		{"A10: no namespace", in(`<subscription xmlns='' node='n'/>`), "v1: a.lit/n"},
		{"another namespace", in(`<subscription xmlns='urn:example' node='n'/>`), "v1:"},
		{"A3: xml= for xmlns=", `<notify xml='urn:xmpp:pam:0' ver='v1' service='a.lit'><subscription node='n'/></notify>`, "v1: a.lit/n"},
		{"echo of the request", in(`<unsubscribe xmlns='http://jabber.org/protocol/pubsub' node='n'/>`), "v1: -a.lit/n"},
		{"echo in another namespace", in(`<unsubscribe xmlns='urn:example' node='n'/>`), "v1:"},
		{"unsubscribed", in(`<subscription xmlns='http://jabber.org/protocol/pubsub' node='n' subscription='unsubscribed'/>`), "v1: -a.lit/n"},
		{"remove", in(`<subscription xmlns='http://jabber.org/protocol/pubsub' node='n' subscription='remove'/>`), "v1: -a.lit/n"},
		{"removed", in(`<subscription xmlns='http://jabber.org/protocol/pubsub' node='n' subscription='removed'/>`), "v1: -a.lit/n"},
		{"pending", in(`<subscription xmlns='http://jabber.org/protocol/pubsub' node='n' subscription='pending'/>`), "v1: a.lit/n=pending"},
		{"unconfigured", in(`<subscription xmlns='http://jabber.org/protocol/pubsub' node='n' subscription='unconfigured'><subscribe-options><required/></subscribe-options></subscription>`), "v1: a.lit/n=unconfigured"},
		{"an unknown state is kept", in(`<subscription xmlns='http://jabber.org/protocol/pubsub' node='n' subscription='Confusing'/>`), "v1: a.lit/n=Confusing"},
		{"service on the entry", notify(`ver='v1'`, `<subscription service='b.lit' node='n'/>`), "v1: b.lit/n"},
		{"A1: service as jid", notify(`ver='v1' jid='b.lit'`, row), "v1: b.lit/n"},
		{"A1: both", notify(`ver='v1' service='a.lit' jid='b.lit'`, row), "v1: a.lit/n"},
		{"A1: jid is the subscriber", notify(`ver='v1' jid='francisco@denmark.lit'`, `<subscription service='b.lit' node='n'/>`), "v1: b.lit/n"},
		{"own PEP", notify(`ver='v1' service='francisco@denmark.lit'`, row), "v1: francisco@denmark.lit/n"},
		{"a service is normalised", notify(`ver='v1' service='PubSub.Shakespeare.LIT'`, row), "v1: pubsub.shakespeare.lit/n"},
		{"a node is not", in(`<subscription node='N  é'/>`), "v1: a.lit/N  é"},
		{"own full JID", in(`<subscription node='n' jid='francisco@denmark.lit/barracks'/>`), "v1: a.lit/n"},
		{"somebody else", in(`<subscription node='n' jid='bernardo@denmark.lit'/>` + row), "v1: a.lit/n"},
		{"order", in(`<subscription node='n2'/><subscription node='n1'/><subscription node='n2' subscription='none'/>`), "v1: a.lit/n2 a.lit/n1 -a.lit/n2"},
		{"two notifies", in(row) + notify(`ver='v2' service='b.lit'`, row), "v1: a.lit/n; v2: b.lit/n"},
		{"no entry", in(``), "v1:"},
		{"an unknown sibling", in(`<thing xmlns='urn:example'/>` + row), "v1: a.lit/n"},
		{"delayed", in(row) + `<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>`, "delayed v1: a.lit/n"},
		{"delayed, the old way", in(row) + `<x xmlns='jabber:x:delay' stamp='20260101T00:00:00'/>`, "delayed v1: a.lit/n"},
		{"no service", notify(`ver='v1'`, row), ".: error"},
		{"a bad service", notify(`ver='v1' service='@'`, row+row), ".: error"},
		{"a bad subscriber", in(`<subscription node='n' jid='@@'/>` + row), ".: a.lit/n error"},
		{"no node", in(`<subscription/>` + row), ".: a.lit/n error"},
		{"in a carbon", `<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>` + in(row) + `</message></forwarded></received>`, ""},
		{"in an archive result", `<result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>` + in(row) + `</message></forwarded></result>`, ""},
		{"in something", `<x xmlns='urn:example'>` + in(row) + `</x>`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := element.Parse(`<message xmlns='jabber:client'>`+tt.body+`</message>`, nil)
			if err != nil {
				t.Fatal(err)
			}
			received, err := reader().ParseNotify(e)
			var parts []string
			for _, h := range received {
				s := formatVersion(h.Version) + ":" + formatRows(h.Items)
				if h.Delayed {
					s = "delayed " + s
				}
				parts = append(parts, s)
			}
			got := strings.Join(parts, "; ")
			if err != nil {
				if got += " error"; !errors.Is(err, ErrRow) {
					t.Errorf("error %v", err)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q (%v)", got, tt.want, err)
			}
			for _, h := range received {
				for _, s := range h.Items {
					if s.JID != testAccount {
						t.Errorf("subscriber %q", s.JID)
					}
				}
			}
		})
	}
}

func TestParseListResult(t *testing.T) {
	tests := []struct{ name, iq, want string }{
		{"XEP-0376 listing 6, mended", `<iq xmlns='jabber:client' type='result' id='subscriptions1'><subscriptions xmlns='urn:xmpp:pam:0' ver='kjlsadhfsd'>
			<subscription service='pubsub.shakespeare.lit' node='node1' jid='francisco@denmark.lit' subscription='subscribed'/>
			<subscription service='pubsub.marlowe.lit' node='node2' jid='francisco@denmark.lit' subscription='subscribed'/>
			<subscription service='pubsub.marlowe.lit' node='node5' jid='francisco@denmark.lit' subscription='unconfigured'/>
			<subscription service='pubsub.shakespeare.lit' node='node6' jid='francisco@denmark.lit' subscription='subscribed' subid='123-abc'/>
			<subscription service='pubsub.shakespeare.lit' node='node6' jid='francisco@denmark.lit' subscription='subscribed' subid='004-yyy'/>
			</subscriptions></iq>`,
			"full kjlsadhfsd: pubsub.marlowe.lit/node2 pubsub.marlowe.lit/node5=unconfigured pubsub.shakespeare.lit/node1 pubsub.shakespeare.lit/node6#004-yyy pubsub.shakespeare.lit/node6#123-abc"},
		{"A3: as the listing is typed", `<iq xmlns='jabber:client' type='result'><subscriptions xml='urn:xmpp:pam:0' ver='v1'><subscription service='a.lit' node='n'/></subscriptions></iq>`, "full v1: a.lit/n"},
		{"A3: and in no namespace", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='' xml='urn:xmpp:pam:0' ver='v1'><subscription service='a.lit' node='n'/></subscriptions></iq>`, "full v1: a.lit/n"},
		{"an empty result", `<iq xmlns='jabber:client' type='result' id='l'/>`, "empty"},
		{"an empty result with white space", "<iq xmlns='jabber:client' type='result'>\n</iq>", "empty"},
		{"an empty list", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0' ver='v1'/></iq>`, "full v1:"},
		{"Libervia's empty list", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0'/></iq>`, "full .:"},
		{"duplicates: the last one counts", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0'><subscription service='a.lit' node='n'/><subscription service='A.lit' node='n' subscription='pending'/></subscriptions></iq>`, "full .: a.lit/n=pending"},
		{"none is no entry", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0'><subscription service='a.lit' node='n' subscription='none'/></subscriptions></iq>`, "full .:"},
		{"own full JID", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0'><subscription service='a.lit' node='n' jid='Francisco@denmark.lit/x'/></subscriptions></iq>`, "full .: a.lit/n"},
		{"somebody else", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0'><subscription service='a.lit' node='n' jid='evil@denmark.lit'/></subscriptions></iq>`, "full .:"},
		{"pubsub namespace", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0'><subscription xmlns='http://jabber.org/protocol/pubsub' service='a.lit' node='n'/></subscriptions></iq>`, "full .: a.lit/n"},
		{"an entry without service", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0' ver='v1'><subscription node='n'/><subscription service='a.lit' node='n'/></subscriptions></iq>`, "full v1: a.lit/n; left out"},
		{"an error", `<iq xmlns='jabber:client' type='error'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`, "no list"},
		{"an error that echoes", `<iq xmlns='jabber:client' type='error'><subscriptions xmlns='urn:xmpp:pam:0'/><error type='cancel'/></iq>`, "no list"},
		{"a request", `<iq xmlns='jabber:client' type='get'><subscriptions xmlns='urn:xmpp:pam:0'/></iq>`, "no list"},
		{"something else", `<iq xmlns='jabber:client' type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions/></pubsub></iq>`, "no list"},
		{"the right name elsewhere", `<iq xmlns='jabber:client' type='result'><subscriptions xmlns='http://jabber.org/protocol/pubsub'/></iq>`, "no list"},
		{"a message", `<message xmlns='jabber:client' type='result'><subscriptions xmlns='urn:xmpp:pam:0'/></message>`, "no list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, err := reader().ParseListResult(parse(t, tt.iq))
			got := "empty"
			if res.Full {
				got = "full " + formatVersion(res.Version) + ":" + formatRows(res.List)
			}
			switch {
			case errors.Is(err, ErrNoList):
				got = "no list"
			case errors.Is(err, ErrRow):
				got += "; left out"
			case err != nil:
				t.Errorf("error %v", err)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q (%v)", got, tt.want, err)
			}
		})
	}
	if _, err := reader().ParseListResult(nil); !errors.Is(err, ErrNoList) {
		t.Errorf("nil: %v", err)
	}
}

// synced returns a machine whose list is d and equals the server's.
func synced(d Durable) *Machine {
	m := NewMachine()
	m.Step(start, Stored{d})
	for _, out := range m.Step(start, SessionStarted{}) {
		if r, ok := out.(RequestList); ok {
			m.Step(start, ListResult{Round: r.Round, Full: d.Version == "", List: d.list().Rows()})
		}
	}
	return m
}

// TestLongVersion checks that a version of more than 1 KiB, as encoded in a request,
// counts as absent.
func TestLongVersion(t *testing.T) {
	for version, kept := range map[string]bool{
		strings.Repeat("v", 1024): true,
		strings.Repeat("v", 1025): false,
		strings.Repeat("'", 170):  true, // &apos; is six bytes long
		strings.Repeat("'", 171):  false,
		strings.Repeat("&", 204):  true,
		strings.Repeat("&", 205):  false,
		strings.Repeat("é", 512):  true,
		strings.Repeat("é", 513):  false,
	} {
		r := reader()
		row := element.New(ns.Pubsub, "subscription").Set("node", "n").Set("jid", testAccount).Set("service", "pubsub.shakespeare.lit")
		list := element.New(ns.Client, "iq").Set("type", "result").Add(element.New(ns.PAM, "subscriptions").Set("ver", version).Add(row))
		result, err := r.ParseListResult(list)
		if (result.Version != "") != kept || errors.Is(err, ErrVersion) == kept || !result.Full || len(result.List) != 1 {
			t.Errorf("a list at a version of %d bytes: %d rows, %d bytes kept, %v", len(version), len(result.List), len(result.Version), err)
		}
		notify := element.New(ns.Client, "message").Add(element.New(ns.PAM, "notify").Set("ver", version).Add(row))
		received, err := r.ParseNotify(notify)
		if len(received) != 1 || (received[0].Version != "") != kept || errors.Is(err, ErrVersion) == kept || len(received[0].Items) != 1 {
			t.Errorf("a notify with a version of %d bytes: %+v, %v", len(version), received, err)
		}
		if len(ListRequest(result.Version).String()) > 1024+100 {
			t.Errorf("a version of %d bytes is encoded in more than 1 KiB", len(version))
		}
	}
}
