//go:build !js

package mem

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// queryIQ is a query of an archive; to may be empty, more is put into the element.
func queryIQ(to, attrs, fields, more string) string {
	x := ""
	if fields != "" {
		x = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>" + fields + "</x>"
	}
	iq := "<iq xmlns='jabber:client' type='set' id='m' to='" + to + "'><query xmlns='urn:xmpp:mam:2' queryid='q' " + attrs + ">" + x + more + "</query></iq>"
	return strings.Replace(iq, " to=''", "", 1)
}

func mamField(name string, value ...string) string {
	return "<field var='" + name + "'><value>" + strings.Join(value, "</value><value>") + "</value></field>"
}

func rsm(set string) string { return "<set xmlns='http://jabber.org/protocol/rsm'>" + set + "</set>" }

var (
	resultForm = regexp.MustCompile(`^<message xmlns='jabber:client'( from='[^']+')? to='[^']+'><result xmlns='urn:xmpp:mam:2' queryid='q' id='([^']+)'>` +
		`<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'/><message xmlns='jabber:client'.*</message></forwarded></result></message>$`)
	itemID = regexp.MustCompile(`<(?:item|retract) id='([^']*)'`)
)

// query sends a query and returns the ids of the items in the results, their archive
// ids, and the end of the result.
func (p *peer) query(query string) (items, ids []string, fin string) {
	p.t.Helper()
	p.send(query)
	for {
		got := p.next()
		if strings.HasPrefix(got, "<iq") {
			return items, ids, got
		}
		m := resultForm.FindStringSubmatch(got)
		if m == nil {
			p.t.Fatalf("%s: got %s", p.full, got)
		}
		ids = append(ids, m[2])
		if item := itemID.FindStringSubmatch(got); item != nil {
			items = append(items, item[1])
		} else {
			items = append(items, "?")
		}
	}
}

// archived returns the items of the whole archive of an account.
func (p *peer) archived(fields string) []string {
	p.t.Helper()
	items, _, _ := p.query(queryIQ("", "", fields, rsm("<max>50</max>")))
	return items
}

// TestArchive checks that events of every kind are archived, with the ids that live
// ones bear, and how they are queried (XEP-0313 §4).
func TestArchive(t *testing.T) {
	r := newRig(t, Config{Archive: true, Services: []string{"feeds"}})
	for _, n := range []string{"n", "normal"} {
		if err := r.CreateNode(n, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Configure("", "normal", map[string]string{"pubsub#notification_type": "normal"}); err != nil {
		t.Fatal(err)
	}
	if err := r.CreateNodeAt("feeds.localhost", "n", nil); err != nil {
		t.Fatal(err)
	}
	bob := r.session(t, "bob", "b", available)
	for i, n := range [][2]string{{"pubsub.localhost", "n"}, {"pubsub.localhost", "normal"}, {"feeds.localhost", "n"}} {
		bob.send(subscribePAM(fmt.Sprint(i), n[0], n[1]))
		bob.want("type='result'")
	}
	publish := func(service, node, item string) {
		t.Helper()
		if err := r.PublishAt(service, node, item, ""); err != nil {
			t.Fatal(err)
		}
	}
	publish("", "n", "1")
	got := bob.next()
	id := regexp.MustCompile(`^<message xmlns='jabber:client' type='headline' .*</event><stanza-id xmlns='urn:xmpp:sid:0' by='bob@localhost' id='([^']+)'/></message>$`).FindStringSubmatch(got)
	if id == nil {
		t.Fatal(got)
	}
	bob.send("<presence xmlns='jabber:client' type='unavailable'/>")
	bob.quiet()
	publish("", "normal", "2")
	publish("feeds.localhost", "n", "3")
	publish("", "n", "4")
	if err := r.Retract("", "n", "4"); err != nil {
		t.Fatal(err)
	}
	if err := r.DeleteNode("feeds.localhost", "n", ""); err != nil {
		t.Fatal(err)
	}
	bob.quiet()

	items, ids, fin := bob.query(queryIQ("bob@localhost", "", "", ""))
	if want := []string{"1", "2", "3", "4", "4", "?"}; !slices.Equal(items, want) || ids[0] != id[1] {
		t.Errorf("archived %q, want %q; first id %s, live %s", items, want, ids[0], id[1])
	}
	if want := fmt.Sprintf("<iq xmlns='jabber:client' type='result' id='m' from='bob@localhost' to='bob@localhost/b'><fin xmlns='urn:xmpp:mam:2' complete='true'>"+
		"<set xmlns='http://jabber.org/protocol/rsm'><first>%s</first><last>%s</last><count>6</count></set></fin></iq>", ids[0], ids[5]); fin != want {
		t.Errorf("got  %s\nwant %s", fin, want)
	}
	hour := func(n int) string { return time.Now().Add(time.Duration(n) * time.Hour).UTC().Format(time.RFC3339) }
	pages := func(first, last int, count int, complete bool) string {
		text := "<fin xmlns='urn:xmpp:mam:2'"
		if complete {
			text += " complete='true'"
		}
		text += "><set xmlns='http://jabber.org/protocol/rsm'>"
		if first >= 0 {
			text += "<first>" + ids[first] + "</first><last>" + ids[last] + "</last>"
		}
		return text + fmt.Sprintf("<count>%d</count></set>", count)
	}
	for _, c := range []struct{ name, query, want, fin string }{
		{"a service", queryIQ("", "", mamField("with", "Feeds.localhost"), ""), "3 ?", pages(2, 5, 2, true)},
		{"a contact without messages", queryIQ("", "", mamField("with", "carol@localhost"), ""), "", pages(-1, 0, 0, true)},
		{"since", queryIQ("", "", mamField("start", hour(-1)), ""), "1 2 3 4 4 ?", pages(0, 5, 6, true)},
		{"in the future", queryIQ("", "", mamField("start", hour(1)), ""), "", pages(-1, 0, 0, true)},
		{"until", queryIQ("", "", mamField("end", hour(-1)), ""), "", pages(-1, 0, 0, true)},
		{"first page", queryIQ("", "", "", rsm("<max>2</max>")), "1 2", pages(0, 1, 6, false)},
		{"second page", queryIQ("", "", "", rsm("<max>2</max><after>"+ids[1]+"</after>")), "3 4", pages(2, 3, 6, false)},
		{"last page", queryIQ("", "", "", rsm("<max>2</max><after>"+ids[3]+"</after>")), "4 ?", pages(4, 5, 6, true)},
		{"after the end", queryIQ("", "", "", rsm("<after>"+ids[5]+"</after>")), "", pages(-1, 0, 6, true)},
		{"newest page", queryIQ("", "", "", rsm("<max>2</max><before/>")), "4 ?", pages(4, 5, 6, false)},
		{"page before", queryIQ("", "", "", rsm("<max>4</max><before>"+ids[4]+"</before>")), "1 2 3 4", pages(0, 3, 6, true)},
		{"flipped", queryIQ("", "", "", rsm("<max>2</max><before/>")+"<flip-page/>"), "? 4", pages(4, 5, 6, false)},
		{"count only", queryIQ("", "", "", rsm("<max>0</max>")), "", pages(-1, 0, 6, false)},
		{"between ids", queryIQ("", "", mamField("after-id", ids[1])+mamField("before-id", ids[4]), ""), "3 4", pages(2, 3, 6, true)},
		{"with a service after an id of another", queryIQ("", "", mamField("with", "pubsub.localhost")+mamField("after-id", ids[2]), rsm("<max>1</max>")), "4", pages(3, 3, 4, false)},
		{"ids", queryIQ("", "", mamField("ids", ids[1], ids[4]), ""), "2 4", pages(1, 4, 2, true)},
	} {
		t.Run(c.name, func(t *testing.T) {
			bob.t = t
			items, _, fin := bob.query(c.query)
			if got := strings.Join(items, " "); got != c.want || !strings.Contains(fin, c.fin) {
				t.Errorf("got %q, %s\nwant %q, %s", got, fin, c.want, c.fin)
			}
		})
	}
	bob.t = t
	notFound := "<iq type='error' id='m' <item-not-found"
	for query, want := range map[string]string{
		queryIQ("", "", "", rsm("<after>unknown</after>")):            notFound,
		queryIQ("", "", "", rsm("<before>unknown</before>")):          notFound,
		queryIQ("", "", mamField("after-id", "unknown"), ""):          notFound,
		queryIQ("", "", mamField("ids", ids[0], "unknown"), ""):       notFound,
		queryIQ("", "", mamField("start", "yesterday"), ""):           "<bad-request",
		queryIQ("", "", mamField("with", "@"), ""):                    "<bad-request",
		queryIQ("", "", mamField("{urn:x}other", "1"), ""):            "<feature-not-implemented",
		queryIQ("", "", "", rsm("<max>many</max>")):                   "<bad-request",
		queryIQ("alice@localhost", "", "", ""):                        "<service-unavailable",
		queryIQ("pubsub.localhost", "node='n'", "", ""):               "from='pubsub.localhost' <service-unavailable",
		queryIQ("localhost", "", "", ""):                              "<service-unavailable",
		strings.Replace(queryIQ("", "", "", ""), "'set'", "'get'", 1): "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='form'> var='with' var='after-id'",
	} {
		bob.send(query)
		bob.want(want)
	}
	bob.send("<iq xmlns='jabber:client' type='get' id='m'><metadata xmlns='urn:xmpp:mam:2'/></iq>")
	bob.want("<metadata xmlns='urn:xmpp:mam:2'><start id='" + ids[0] + "' timestamp= /><end id='" + ids[5] + "' timestamp=")

	r.ExpireArchive("bob", 2)
	bob.send(queryIQ("", "", mamField("after-id", ids[1]), ""))
	bob.want(notFound)
	if got := bob.archived(""); !slices.Equal(got, []string{"4", "?"}) {
		t.Errorf("after expiry %q", got)
	}
}

// TestArchiveBounds checks the sizes of an archive and of a page.
func TestArchiveBounds(t *testing.T) {
	r := newRig(t, Config{Archive: true, ArchiveSize: 200, ArchivePage: 3})
	if err := r.CreateNode("n", ""); err != nil {
		t.Fatal(err)
	}
	if err := r.SetSubscription("bob", "n", "subscribed"); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if n := len(r.accounts["bob@localhost"].archive.entries); i == 200 && n != 200 {
			t.Errorf("%d entries of 200", n)
		}
		if err := r.Publish("n", fmt.Sprint(i), ""); err != nil {
			t.Fatal(err)
		}
	}
	a := r.accounts["bob@localhost"].archive
	if n := len(a.entries); n > 200 || n < 198 || len(a.index) != n || a.entries[n-1].stanza.child(nsPubsubEvent, "event") == nil {
		t.Errorf("%d entries, %d ids", n, len(a.index))
	}
	bob := r.session(t, "bob", "b")
	if got := bob.archived(""); len(got) != 3 || got[0] != fmt.Sprint(300-len(a.entries)) {
		t.Errorf("first page %q", got)
	}
	if err := r.ExpireNodeArchive("", "n", 0); err != nil {
		t.Error(err)
	}
}
