package pubsub

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// parse returns the element of a text.
func parse(t testing.TB, text string) *element.Element {
	t.Helper()
	e, err := element.Parse(text, nil)
	if err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
	return e
}

// message returns a message stanza of the pubsub service of the examples.
func message(t testing.TB, content string) *element.Element {
	t.Helper()
	return parse(t, `<message xmlns='jabber:client' from='pubsub.shakespeare.lit' to='francisco@denmark.lit' id='foo'>`+content+`</message>`)
}

const (
	eventStart = `<event xmlns='http://jabber.org/protocol/pubsub#event'>`
	princely   = `<items node='princely_musings'>`
	soliloquy  = `<entry xmlns='http://www.w3.org/2005/Atom'><title>Soliloquy</title></entry>`
)

// describe writes a notification in one line.
func describe(n Notification) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", n.Type, n.Service, n.Node)
	for _, f := range []struct{ name, value string }{
		{"item", n.ItemID}, {"by", n.Publisher}, {"payload", payloadName(n)}, {"to", n.Redirect},
		{"subids", strings.Join(n.SubIDs, ",")}, {"state", string(n.State)}, {"subscriber", n.Subscriber},
	} {
		if f.value != "" {
			b.WriteString(" " + f.name + "=" + f.value)
		}
	}
	return strings.TrimSpace(b.String())
}

func payloadName(n Notification) string {
	if n.Payload == nil {
		return ""
	}
	return n.Payload.Name.Local
}

func TestParseEvent(t *testing.T) {
	const from = " pubsub.shakespeare.lit princely_musings"
	tests := []struct {
		name, xml string
		want      []string
	}{
		{"§1.2 and §7.1.2.1 an item with its payload", eventStart + princely + `<item id='ae89'>` + soliloquy + `</item></items></event>`,
			[]string{"published" + from + " item=ae89 payload=entry"}},
		{"§1.2 a transient notification", eventStart + `<items node='elsinore/doorbell'/></event>`,
			[]string{"published pubsub.shakespeare.lit elsinore/doorbell"}},
		{"§6.1.7 the last item, with a delay", eventStart + princely + `<item id='ae89'>` + soliloquy + `</item></items></event><delay xmlns='urn:xmpp:delay' stamp='2003-12-13T23:58:37Z'/>`,
			[]string{"published" + from + " item=ae89 payload=entry"}},
		{"§7.1.2.2 notification only", eventStart + princely + `<item id='ae89'/></items></event>`,
			[]string{"published" + from + " item=ae89"}},
		{"an item without an id", eventStart + princely + `<item>` + soliloquy + `</item></items></event>`,
			[]string{"published" + from + " payload=entry"}},
		{"§7.1.2.3 the publisher", eventStart + princely + `<item id='ae89' publisher='hamlet@denmark.lit'>` + soliloquy + `</item></items></event>`,
			[]string{"published" + from + " item=ae89 by=hamlet@denmark.lit payload=entry"}},
		{"§7.1.2.4 subids", eventStart + princely + `<item id='ae89'/></items></event><headers xmlns='http://jabber.org/protocol/shim'><header name='SubID'>123-abc</header><header name='Collection'>all</header><header name='subid'> 004-yyy </header></headers>`,
			[]string{"published" + from + " item=ae89 subids=123-abc,004-yyy"}},
		{"§7.2.2.1 a retraction", eventStart + princely + `<retract id='ae89'/></items></event>`,
			[]string{"retracted" + from + " item=ae89"}},
		{"§7.2.2.2 a retraction with subids", eventStart + princely + `<retract id='ae89'/></items></event><headers xmlns='http://jabber.org/protocol/shim'><header name='SubID'>123-abc</header></headers>`,
			[]string{"retracted" + from + " item=ae89 subids=123-abc"}},
		{"§8.2.5.3 configuration", eventStart + `<configuration node='princely_musings'/></event>`,
			[]string{"configured" + from}},
		{"§8.2.5.3 configuration with its form", eventStart + `<configuration node='princely_musings'><x xmlns='jabber:x:data' type='result'><field var='pubsub#title'><value>Princely Musings (Atom)</value></field></x></configuration></event>`,
			[]string{"configured" + from + " payload=x"}},
		{"§8.4.2 deletion", eventStart + `<delete node='princely_musings'><redirect uri='xmpp:hamlet@denmark.lit?;node=blog'/></delete></event>`,
			[]string{"deleted" + from + " to=xmpp:hamlet@denmark.lit?;node=blog"}},
		{"§8.5.2 purge", eventStart + `<purge node='princely_musings'/></event>`,
			[]string{"purged" + from}},
		{"§8.6 approval", eventStart + `<subscription node='princely_musings' jid='horatio@denmark.lit' subscription='subscribed'/></event>`,
			[]string{from[1:] + " state=subscribed subscriber=horatio@denmark.lit"}},
		{"§8.8.4 a subscription ends", eventStart + `<subscription node='princely_musings' jid='polonius@denmark.lit' subid='s1' subscription='none'/></event>`,
			[]string{from[1:] + " subids=s1 state=none subscriber=polonius@denmark.lit"}},
		{"a subscription has its own subid only", eventStart + `<subscription node='princely_musings' jid='p@d.lit' subscription='pending'/></event>`,
			[]string{from[1:] + " state=pending subscriber=p@d.lit"}},
		{"a subscription without a subid, and headers", eventStart + `<subscription node='princely_musings' jid='p@d.lit'/></event><headers xmlns='http://jabber.org/protocol/shim'><header name='SubID'>s2</header></headers>`,
			[]string{from[1:] + " state=subscribed subscriber=p@d.lit"}},
		{"elements of other namespaces", `<other><purge xmlns='http://jabber.org/protocol/pubsub#event' node='n'/></other>` + eventStart + `<purge xmlns='urn:example' node='n'/></event>`,
			nil},
		{"headers that name no subscription", eventStart + princely + `<item id='a'/></items></event><headers xmlns='http://jabber.org/protocol/shim'><x xmlns='urn:example' name='SubID'>s1</x><header name='SubID'> </header><header name='SubID'>s2</header></headers>`,
			[]string{"published" + from + " item=a subids=s2"}},
		{"Metronome deletes and purges", eventStart + `<deleted node='princely_musings'/></event>` + eventStart + `<purged node='princely_musings'/></event>`,
			[]string{"deleted" + from, "purged" + from}},
		{"several of each", eventStart + princely + `<item id='a'/><retract id='b'/> text <item id='c'/></items><items node='n'><item id='a'/></items><purge node='m'/></event>`,
			[]string{"published" + from + " item=a", "retracted" + from + " item=b", "published" + from + " item=c", "published pubsub.shakespeare.lit n item=a", "purged pubsub.shakespeare.lit m"}},
		{"XEP-0248 and unknown elements", eventStart + `<collection node='c'><associate node='n'/></collection><items xmlns='urn:example' node='n'><item id='a'/></items><shrink node='n'/>` + princely + `<item xmlns='urn:example' id='x'/><vote id='y'/></items></event>`,
			nil},
		{"the first child is the payload", eventStart + princely + `<item id='a'> <one xmlns='urn:a'/><two xmlns='urn:b'/></item></items></event>`,
			[]string{"published" + from + " item=a payload=one"}},
		{"an event elsewhere", `<wrap xmlns='urn:example'>` + eventStart + princely + `<item id='a'/></items></event></wrap><event xmlns='http://jabber.org/protocol/pubsub'/>`, nil},
		{"chat", `<body>hello</body>`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := ParseEvent(message(t, tt.xml))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range found {
				got = append(got, describe(n))
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestLeftOut checks that what is invalid or too long is reported and takes nothing
// else with it.
func TestLeftOut(t *testing.T) {
	long := strings.Repeat("x", maxID+1)
	tests := []struct{ name, bad string }{
		{"no node", `<items><item id='a'/></items>`},
		{"an empty node", `<purge node=''/>`},
		{"no node to delete", `<delete/>`},
		{"a long node", `<items node='` + long + `'><item id='a'/></items>`},
		{"a long item id", `<items node='n'><item id='` + long + `'/></items>`},
		{"a long id to retract", `<items node='n'><retract id='` + long + `'/></items>`},
		{"no id to retract", `<items node='n'><retract/></items>`},
		{"a long state", `<subscription node='n' jid='a@b.lit' subscription='` + long + `'/>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := ParseEvent(message(t, eventStart+tt.bad+`<items node='good'><item id='a'/></items></event>`))
			if !errors.Is(err, ErrLeftOut) {
				t.Errorf("error %v, want ErrLeftOut", err)
			}
			if len(err.Error()) > 300 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if len(found) != 1 || found[0].Node != "good" {
				t.Errorf("got %v, want the good one alone", found)
			}
		})
	}

	t.Run("attributes", func(t *testing.T) {
		for _, bad := range []string{
			`<items node='n'><item id='a' publisher='` + long + `'/></items>`,
			`<delete node='n'><redirect uri='xmpp:` + strings.Repeat("x", maxURI) + `'/></delete>`,
			`<delete node='n'><redirect uri='javascript:alert(1)'/></delete>`,
			`<delete node='n'><redirect uri='xmp'/></delete>`,
			`<subscription node='n' jid='` + long + `' subscription='none'/>`,
			`<subscription node='n' subid='` + long + `' subscription='none'/>`,
		} {
			found, err := ParseEvent(message(t, eventStart+bad+`</event>`))
			if !errors.Is(err, ErrLeftOut) || len(found) != 1 {
				t.Fatalf("%d notifications, error %v", len(found), err)
			}
			if n := found[0]; n.Publisher+n.Redirect+n.Subscriber != "" || n.SubIDs != nil {
				t.Errorf("kept in %.100v", n)
			}
		}
	})

	t.Run("the longest allowed", func(t *testing.T) {
		id := long[1:]
		found, err := ParseEvent(message(t, eventStart+`<items node='`+id+`'><item id='`+id+`' publisher='`+id+`'/></items></event>`))
		if err != nil || len(found) != 1 || found[0].ItemID != id || found[0].Publisher != id {
			t.Errorf("%d notifications, error %v", len(found), err)
		}
	})

	t.Run("many", func(t *testing.T) {
		for _, list := range []string{
			`<items node='n'>` + strings.Repeat(`<item id='a'/>`, maxEntries+5) + `</items>`,
			strings.Repeat(`<purge node='n'/>`, maxEntries+5),
		} {
			found, err := ParseEvent(message(t, eventStart+list+`</event>`))
			if len(found) != maxEntries || !errors.Is(err, ErrLeftOut) {
				t.Errorf("%d notifications, error %v", len(found), err)
			}
		}
		found, err := ParseEvent(message(t, eventStart+strings.Repeat(`<purge node='n'/>`, maxEntries)+`</event>`))
		if len(found) != maxEntries || err != nil {
			t.Errorf("%d notifications, error %v", len(found), err)
		}
	})

	t.Run("among others", func(t *testing.T) {
		found, err := ParseEvent(message(t, eventStart+`<items node='n'><vote/><item id='`+long+`'/><item id='a'/><retract/><retract id='b'/></items></event>`))
		if len(found) != 2 || found[0].ItemID != "a" || found[1].ItemID != "b" {
			t.Errorf("got %v", found)
		}
		if want := ErrLeftOut.Error() + ": an item whose id is longer than allowed, and 1 more"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	})

	t.Run("many headers", func(t *testing.T) {
		found, err := ParseEvent(message(t, eventStart+`<purge node='n'/></event><headers xmlns='http://jabber.org/protocol/shim'>`+
			strings.Repeat(`<header name='SubID'>s</header>`, maxSubIDs+3)+`<header name='SubID'>`+long+`</header></headers>`))
		if !errors.Is(err, ErrLeftOut) || len(found) != 1 || len(found[0].SubIDs) != maxSubIDs {
			t.Errorf("got %d, error %v", len(found), err)
		}
		if !strings.HasSuffix(err.Error(), "and 3 more") {
			t.Errorf("error %v, want a count of 4", err)
		}
	})
}

func TestEventSender(t *testing.T) {
	tests := []struct {
		attrs, want string
		err         error
	}{
		{`from='pubsub.shakespeare.lit'`, "pubsub.shakespeare.lit", nil},
		{`from='PubSub.Shakespeare.LIT'`, "pubsub.shakespeare.lit", nil},
		{`from='Juliet@capulet.lit'`, "juliet@capulet.lit", nil},
		{`from='pubsub.shakespeare.lit/node'`, "pubsub.shakespeare.lit/node", nil},
		{``, "", nil},
		{`xmlns:x='urn:x' x:from='pubsub.shakespeare.lit'`, "", nil},
		{`from='juliet@capulet.lit/balcony'`, "", ErrSender},
		{`from='room@chat.lit/nick'`, "", ErrSender},
		{`from='xn--example-.org'`, "", ErrSender},
		{`from='@'`, "", ErrSender},
		{`from=''`, "", ErrSender},
	}
	for _, tt := range tests {
		found, err := ParseEvent(parse(t, `<message xmlns='jabber:client' `+tt.attrs+`>`+eventStart+`<purge node='n'/></event></message>`))
		if !errors.Is(err, tt.err) || (tt.err == nil) != (len(found) == 1) {
			t.Errorf("%s: %d notifications, error %v, want %v", tt.attrs, len(found), err, tt.err)
		}
		if len(found) == 1 && found[0].Service != tt.want {
			t.Errorf("%s: service %q, want %q", tt.attrs, found[0].Service, tt.want)
		}
	}
	for _, other := range []string{
		`<message xmlns='jabber:client' from='pubsub.shakespeare.lit' type='error'>` + eventStart + `<purge node='n'/></event></message>`,
		`<message xmlns='urn:example' from='pubsub.shakespeare.lit'>` + eventStart + `<purge node='n'/></event></message>`,
		`<iq xmlns='jabber:client' from='pubsub.shakespeare.lit'>` + eventStart + `<purge node='n'/></event></iq>`,
		`<message xmlns='jabber:client' from='a@b.lit/c'><body/></message>`,
	} {
		if found, err := ParseEvent(parse(t, other)); found != nil || err != nil {
			t.Errorf("%s: %v, error %v", other, found, err)
		}
	}
	if found, err := ParseEvent(nil); found != nil || err != nil {
		t.Errorf("nil: %v, error %v", found, err)
	}
}

func TestParseState(t *testing.T) {
	for raw, want := range map[string]pam.State{
		"": "subscribed", "subscribed": "subscribed", "none": "none", "pending": "pending", "unconfigured": "unconfigured",
		"unsubscribed": "none", "remove": "none", "removed": "none", "new-state": "new-state",
	} {
		if got := ParseState(raw); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}
