package pubsub

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
)

// iq returns a result iq of the pubsub service of the examples.
func iq(t testing.TB, content string) *element.Element {
	t.Helper()
	return parse(t, `<iq xmlns='jabber:client' type='result' from='pubsub.shakespeare.lit' to='francisco@denmark.lit/barracks' id='i'>`+content+`</iq>`)
}

// requests compares requests with listings.
type requests []struct {
	name string
	got  *element.Element
	want string
}

func (tests requests) run(t *testing.T) {
	for _, tt := range tests {
		if want := parse(t, tt.want).String(); tt.got.String() != want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, tt.got, want)
		}
	}
}

func date(text string) time.Time { return parseTime(text) }

func TestPage(t *testing.T) {
	const set = `<set xmlns='http://jabber.org/protocol/rsm'>`
	requests{
		{"XEP-0059 §2.1 limit", (&Page{Max: 10}).Element(), set + `<max>10</max></set>`},
		{"§2.2 next page", (&Page{Max: 10, After: "peterpan@neverland.lit"}).Element(), set + `<max>10</max><after>peterpan@neverland.lit</after></set>`},
		{"§2.3 page before", (&Page{Max: 10, Before: "peter@pixyland.org"}).Element(), set + `<max>10</max><before>peter@pixyland.org</before></set>`},
		{"§2.5 last page", (&Page{Max: 10, Last: true}).Element(), set + `<max>10</max><before/></set>`},
		{"no limit", (&Page{}).Element(), set + `</set>`},
		{"after counts", (&Page{After: "a", Before: "b", Last: true}).Element(), set + `<after>a</after></set>`},
	}.run(t)
	if e := (*Page)(nil).Element(); e != nil {
		t.Errorf("no page: %s", e)
	}

	long := strings.Repeat("x", maxID+1)
	for _, tt := range []struct {
		xml  string
		want *PageInfo
	}{
		{set + `<first index='10'>peter@pixyland.org</first><last>peter@rabbit.lit</last><count>800</count></set>`, &PageInfo{"peter@pixyland.org", "peter@rabbit.lit", 10, 800}},
		{set + `<first>1</first><last>2</last></set>`, &PageInfo{"1", "2", -1, -1}},
		{set + `<count> 790 </count></set>`, &PageInfo{"", "", -1, 790}},
		{set + `<first index='-1'>1</first><last>2</last><count>many</count></set>`, &PageInfo{"1", "2", -1, -1}},
		{set + `<first index='0'>1</first><count>99999999999999</count></set>`, &PageInfo{"1", "", 0, -1}},
		{set + `<first>` + long + `</first><last>` + long[1:] + `</last></set>`, &PageInfo{"", long[1:], -1, -1}},
		{set + `</set>`, &PageInfo{"", "", -1, -1}},
		{`<set xmlns='urn:example'><first>1</first></set>`, nil},
		{``, nil},
	} {
		if got := ParsePage(parse(t, `<fin>`+tt.xml+`</fin>`)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%.100s: got %v, want %v", tt.xml, got, tt.want)
		}
	}
}

func TestDelayStamp(t *testing.T) {
	const delay = `<delay xmlns='urn:xmpp:delay' `
	tests := []struct{ name, xml, want string }{
		{"XEP-0203", delay + `from='capulet.com' stamp='2002-09-10T23:08:25Z'>Offline Storage</delay>`, "2002-09-10T23:08:25Z"},
		{"XEP-0091", `<x xmlns='jabber:x:delay' from='capulet.com' stamp='20020910T23:08:25'/>`, "2002-09-10T23:08:25Z"},
		{"a fraction of a second", delay + `from='one.test' stamp='2026-11-26T03:53:56.569417Z'>Resent</delay>`, "2026-11-26T03:53:56.569417Z"},
		{"a time zone", delay + `stamp='2026-11-26T05:53:56+02:00'/>`, "2026-11-26T03:53:56Z"},
		{"Prosody after hibernation: the first", delay + `stamp='2026-11-26T03:53:56Z' from='carol@one.test'/>` + delay + `stamp='2026-11-26T03:54:52Z' from='one.test'/>`, "2026-11-26T03:53:56Z"},
		{"the first of both kinds", `<x xmlns='jabber:x:delay' stamp='20020910T23:08:25'/>` + delay + `stamp='2026-11-26T03:54:52Z'/>`, "2002-09-10T23:08:25Z"},
		{"an invalid stamp is none", delay + `stamp='yesterday'/>` + delay + `stamp='2026-11-26T03:54:52Z'/>`, "2026-11-26T03:54:52Z"},
		{"without a time zone", delay + `stamp='2026-11-26T03:54:52'/>`, ""},
		{"without a stamp", delay + `/>`, ""},
		{"another namespace", `<delay xmlns='urn:example' stamp='2026-11-26T03:54:52Z'/><x xmlns='jabber:x:data' stamp='20020910T23:08:25'/>`, ""},
		{"deeper", `<event>` + delay + `stamp='2026-11-26T03:54:52Z'/></event>`, ""},
		{"none", ``, ""},
	}
	for _, tt := range tests {
		if got := DelayStamp(message(t, tt.xml)); !got.Equal(date(tt.want)) || got.Location() != time.UTC {
			t.Errorf("%s: got %v, want %s", tt.name, got, tt.want)
		}
	}
	if !DelayStamp(nil).IsZero() {
		t.Error("a stamp of nothing")
	}
}

func TestArchiveQuery(t *testing.T) {
	const (
		x     = `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>`
		query = `<query xmlns='urn:xmpp:mam:2'`
	)
	requests{
		{"all", ArchiveQuery{}.Element(), query + `/>`},
		{"§4.1.1 by JID", ArchiveQuery{With: "juliet@capulet.lit"}.Element(), query + `>` + x + `<field var='with'><value>juliet@capulet.lit</value></field></x></query>`},
		{"§4.1.2 by time", ArchiveQuery{Start: date("2010-06-07T00:00:00Z"), End: date("2010-07-07T13:23:54Z")}.Element(),
			query + `>` + x + `<field var='start'><value>2010-06-07T00:00:00Z</value></field><field var='end'><value>2010-07-07T13:23:54Z</value></field></x></query>`},
		{"whole seconds", ArchiveQuery{Start: date("2010-06-07T02:00:00.9+02:00"), End: date("2010-07-07T13:23:54.1Z")}.Element(),
			query + `>` + x + `<field var='start'><value>2010-06-07T00:00:00Z</value></field><field var='end'><value>2010-07-07T13:23:55Z</value></field></x></query>`},
		{"another time zone", ArchiveQuery{Start: date("2010-06-07T00:00:00Z").In(time.FixedZone("", 3600))}.Element(),
			query + `>` + x + `<field var='start'><value>2010-06-07T00:00:00Z</value></field></x></query>`},
		{"§4.1.3 by id", ArchiveQuery{AfterID: "28482-98726-73623", BeforeID: "09af3-cc343-b409f"}.Element(),
			query + `>` + x + `<field var='after-id'><value>28482-98726-73623</value></field><field var='before-id'><value>09af3-cc343-b409f</value></field></x></query>`},
		{"§4.3.2 a page", ArchiveQuery{Start: date("2010-08-07T00:00:00Z"), Page: &Page{Max: 10, After: "09af3-cc343-b409f"}}.Element(),
			query + `>` + x + `<field var='start'><value>2010-08-07T00:00:00Z</value></field></x><set xmlns='http://jabber.org/protocol/rsm'><max>10</max><after>09af3-cc343-b409f</after></set></query>`},
		{"XEP-0442 §2 a node", ArchiveQuery{QueryID: "f28", Node: "fdp/submitted/capulet.lit/sonnets"}.Element(),
			query + ` queryid='f28' node='fdp/submitted/capulet.lit/sonnets'/>`},
	}.run(t)
}

func TestArchiveResult(t *testing.T) {
	// Recorded from Prosody 0.12.3 with mod_pam.
	const recorded = `<message xmlns='jabber:client' to='carol@one.test/new'><result xmlns='urn:xmpp:mam:2' queryid='q' id='Rp1-T6UtNzFkZP5QjRiS2av9'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-11-26T03:53:49Z'/>` +
		`<message xmlns='jabber:client' to='carol@one.test' type='headline' from='pubsub.one.test'>` + eventStart + `<items node='h'><retract id='o1'/></items></event></message></forwarded></result></message>`
	r, err := ParseArchiveResult(parse(t, recorded))
	if err != nil || r == nil {
		t.Fatalf("got %v, error %v", r, err)
	}
	if r.Archive != "" || r.QueryID != "q" || r.ID != "Rp1-T6UtNzFkZP5QjRiS2av9" || !r.At.Equal(date("2026-11-26T03:53:49Z")) {
		t.Errorf("got %+v", r)
	}
	found, err := ParseEvent(r.Message)
	if err != nil || len(found) != 1 || describe(found[0]) != "retracted pubsub.one.test h item=o1" {
		t.Errorf("events %v, error %v", found, err)
	}

	// XEP-0442 §2, where the archived message has no from.
	r, err = ParseArchiveResult(parse(t, `<message xmlns='jabber:client' id='iasd208' to='juliet@capulet.lit/chamber' from='PubSub.shakespeare.lit'><result xmlns='urn:xmpp:mam:2' queryid='g28' id='28482-20987-73623'><forwarded xmlns='urn:xmpp:forward:0'>`+
		`<delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/><message xmlns='jabber:client'>`+eventStart+princely+`<item id='ae89'>`+soliloquy+`</item></items></event></message></forwarded></result></message>`))
	if err != nil || r.Archive != "pubsub.shakespeare.lit" {
		t.Errorf("got %+v, error %v", r, err)
	}
	if found, err := ParseEvent(r.Message); err != nil || len(found) != 1 || found[0].Service != "" || found[0].ItemID != "ae89" {
		t.Errorf("events %v, error %v", found, err)
	}

	// XEP-0313 §3.2: the archive keeps the id of a message that it has removed.
	if r, err := ParseArchiveResult(message(t, `<result xmlns='urn:xmpp:mam:2' id='a'/>`)); err != nil || r == nil || r.Message != nil || r.ID != "a" || !r.At.IsZero() {
		t.Errorf("removed: %+v, error %v", r, err)
	}

	long := strings.Repeat("x", maxID+1)
	for _, tt := range []struct {
		xml string
		err error
	}{
		{strings.Replace(recorded, "<message xmlns='jabber:client' to", "<message xmlns='jabber:client' from='eve@one.test/x' to", 1), ErrSender},
		{strings.Replace(recorded, "id='Rp1-T6UtNzFkZP5QjRiS2av9'", "id='"+long+"'", 1), ErrLeftOut},
		{strings.Replace(recorded, "queryid='q'", "queryid='"+long+"'", 1), ErrLeftOut},
		{strings.Replace(recorded, "to='carol@one.test/new'", "type='error'", 1), nil},
		{strings.Replace(recorded, "urn:xmpp:mam:2", "urn:xmpp:mam:1", 1), nil},
		{`<iq xmlns='jabber:client'><result xmlns='urn:xmpp:mam:2' id='a'/></iq>`, nil},
		{`<message xmlns='jabber:client'><body>hello</body></message>`, nil},
	} {
		if r, err := ParseArchiveResult(parse(t, tt.xml)); r != nil || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%.200s: got %v, error %v", tt.xml, r, err)
		}
	}
	if r, err := ParseArchiveResult(nil); r != nil || err != nil {
		t.Errorf("nil: %v, error %v", r, err)
	}
}

func TestArchiveEnd(t *testing.T) {
	const set = `<set xmlns='http://jabber.org/protocol/rsm'><first index='0'>23452-4534-1</first><last>390-2342-22</last><count>16</count></set>`
	page := &PageInfo{"23452-4534-1", "390-2342-22", 0, 16}
	for _, tt := range []struct {
		xml  string
		want ArchiveEnd
	}{
		{`<fin xmlns='urn:xmpp:mam:2' complete='true'>` + set + `</fin>`, ArchiveEnd{Complete: true, Page: page}},
		{`<fin xmlns='urn:xmpp:mam:2' complete='false' stable='true'>` + set + `</fin>`, ArchiveEnd{Page: page}},
		{`<fin xmlns='urn:xmpp:mam:2' complete='1' stable='0'/>`, ArchiveEnd{Complete: true, Unstable: true}},
		{`<fin xmlns='urn:xmpp:mam:2' complete=' true ' stable=' false '/>`, ArchiveEnd{Complete: true, Unstable: true}},
		{`<fin xmlns='urn:xmpp:mam:2' stable='false'/>`, ArchiveEnd{Unstable: true}},
	} {
		if got, err := ParseArchiveEnd(iq(t, tt.xml)); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, error %v", tt.xml, got, err)
		}
	}
	for _, bad := range []*element.Element{
		nil, iq(t, ``), iq(t, `<fin xmlns='urn:xmpp:mam:1'/>`),
		parse(t, `<iq xmlns='jabber:client' type='error'><fin xmlns='urn:xmpp:mam:2'/></iq>`),
		message(t, `<fin xmlns='urn:xmpp:mam:2'/>`), parse(t, `<message xmlns='jabber:client' type='result'><fin xmlns='urn:xmpp:mam:2'/></message>`),
	} {
		if _, err := ParseArchiveEnd(bad); !errors.Is(err, ErrResult) {
			t.Errorf("%v: error %v", bad, err)
		}
	}
}
