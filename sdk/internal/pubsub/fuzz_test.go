package pubsub

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// seeds are the contents of stanzas from which the fuzzers begin.
var seeds = []string{
	eventStart + princely + `<item id='ae89' publisher='hamlet@denmark.lit'>` + soliloquy + `</item><retract id='b'/></items></event>`,
	eventStart + `<delete node='n'><redirect uri='xmpp:a@b.lit?;node=c'/></delete><purge node='n'/><configuration node='n'>` + offeredOptions + `</configuration></event>`,
	eventStart + `<subscription node='n' jid='a@b.lit' subid='s' subscription='pending'/></event><headers xmlns='http://jabber.org/protocol/shim'><header name='SubID'>1</header></headers>`,
	`<result xmlns='urn:xmpp:mam:2' queryid='q' id='i'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-11-26T03:53:49Z'/><message xmlns='jabber:client' from='a.lit'/></forwarded></result>`,
	body + princely + `<item id='a'/></items><set xmlns='http://jabber.org/protocol/rsm'><first index='0'>a</first><last>b</last><count>3</count></set></pubsub>`,
	body + `<subscriptions><subscription node='n' jid='a@b.lit' subscription='subscribed'/></subscriptions></pubsub>`,
	`<query xmlns='http://jabber.org/protocol/disco#items'><item node='n' jid='s' name='N'/></query>`,
	`<fin xmlns='urn:xmpp:mam:2' complete='true'/>`,
	offeredOptions,
	`<entry xmlns='http://www.w3.org/2005/Atom'><title type='html'>&lt;b&gt;a&amp;amp;</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>a</p>b<br/></div></content><link href='https://a.example/'/><updated>2003-12-13T18:30:02Z</updated></entry>`,
}

func withinLimits(texts ...string) bool {
	for _, text := range texts {
		if len(text) > maxID || !utf8.ValidString(text) {
			return false
		}
	}
	return true
}

// FuzzParse checks that no parser fails in another way than with its errors, that what
// they return keeps the limits, and that a notification says what it must.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, content string) {
		for _, stanza := range []string{"message", "iq"} {
			e, err := element.Parse(`<`+stanza+` xmlns='jabber:client' type='result' from='s'>`+content+`</`+stanza+`>`, nil)
			if err != nil {
				return
			}
			found, err := ParseEvent(e)
			checkNotifications(t, found, err)
			if r, err := ParseArchiveResult(e); r != nil {
				if err != nil || !withinLimits(r.Archive, r.QueryID, r.ID) {
					t.Errorf("result %v, error %v", r, err)
				}
				found, err := ParseEvent(r.Message)
				checkNotifications(t, found, err)
			}
			items, _, err := ParseItems(e, "s", "princely_musings")
			checkNotifications(t, items, err)
			rows, err := ParseSubscriptions(e, "s")
			checkError(t, err)
			for _, row := range rows {
				if row.Node == "" || row.State == "" || row.JID == "" || !withinLimits(row.Node, row.SubID) {
					t.Errorf("row %+v", row)
				}
			}
			nodes, _, err := ParseNodes(e, "s")
			checkError(t, err)
			if len(nodes) > maxNodes {
				t.Errorf("%d nodes", len(nodes))
			}
			_, err = ParseNodeInfo(e, "s", "n")
			checkError(t, err)
			_, err = ParseArchiveEnd(e)
			checkError(t, err)
			for _, parse := range []func(*element.Element) string{ParsePublished, ParseCreated} {
				if !withinLimits(parse(e)) {
					t.Error("a long id")
				}
			}
			fuzzForm(t, e.First())
			fuzzAtom(t, e.First())
		}
	})
}

func checkError(t *testing.T, err error) {
	if err != nil && !errors.Is(err, ErrLeftOut) && !errors.Is(err, ErrResult) && !errors.Is(err, ErrSender) {
		t.Errorf("error %v", err)
	}
	if err != nil && len(err.Error()) > 1000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func checkNotifications(t *testing.T, found []Notification, err error) {
	checkError(t, err)
	if len(found) > maxEntries || found != nil && (errors.Is(err, ErrSender) || errors.Is(err, ErrResult)) {
		t.Errorf("%d notifications, error %v", len(found), err)
	}
	for _, n := range found {
		if n.Node == "" || (n.Type == "") != (n.State != "") || len(n.SubIDs) > maxSubIDs ||
			!withinLimits(append(n.SubIDs, n.Node, n.ItemID, n.Publisher, n.Subscriber, string(n.State))...) || len(n.Redirect) > maxURI {
			t.Errorf("%+v", n)
		}
	}
}

// fuzzForm checks that a form that a service offers can be submitted unchanged, or a field
// is named.
func fuzzForm(t *testing.T, e *element.Element) {
	form, err := ParseForm(e)
	checkError(t, err)
	filled, err := Fill(form, nil)
	if err != nil {
		return
	}
	sent := SubmitForm("t", filled)
	wide := element.DefaultLimits
	wide.AttrValue, wide.Bytes, wide.Tokens = 1<<30, 1<<30, 1<<30
	back, err := element.Parse(sent.String(), &wide)
	if err != nil {
		t.Fatalf("%v in %s", err, sent)
	}
	again, err := ParseForm(back)
	if err != nil && len(form) < maxFields {
		t.Fatalf("%v in %s", err, sent)
	}
	for _, f := range filled {
		got := again.Field(f.Name)
		if got == nil || strings.Join(got.Values, "\n") != strings.Join(f.Values, "\n") && f.Type != "" && isMulti(got.Type) == isMulti(f.Type) {
			t.Fatalf("%+v became %+v", f, got)
		}
	}
}

// fuzzAtom checks the limits of a decoded entry, and that it contains no tags that were
// escaped once.
func fuzzAtom(t *testing.T, e *element.Element) {
	a := ParseAtom(e)
	if a == nil {
		return
	}
	if len(a.Title) > maxTitle || len(a.Summary) > maxSummary || len(a.Content) > maxContent || len(a.Author) > maxTitle || len(a.ID) > maxID || len(a.Link) > maxURL || len(a.Image) > maxDataURL {
		t.Errorf("too long: %+v", a)
	}
	if strings.Contains(a.Title+a.Author, "\n") || !utf8.ValidString(a.Title+a.Summary+a.Content) {
		t.Errorf("%+v", a)
	}
	if _, err := json.Marshal(a); err != nil {
		t.Error(err)
	}
}

// FuzzHTML checks that HTML becomes text without failing, in linear time, and that text
// without markup stays as it is.
func FuzzHTML(f *testing.F) {
	for _, s := range []string{"<p>a&amp;b</p>", "<!-- a", "<script>a</script>", "<a b='c>d'>", "&#x41;&auml;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if !utf8.ValidString(in) {
			return
		}
		w := textWriter{most: maxContent, lines: true}
		w.html(in)
		out := w.String()
		if len(out) > max(len(in), 3)*3 || !utf8.ValidString(out) || strings.TrimSpace(out) != out || strings.Contains(out, "\n\n\n") {
			t.Errorf("%q became %q", in, out)
		}
		if !strings.ContainsAny(in, "<&") && len(in) < maxContent-3 {
			p := textWriter{most: maxContent}
			p.inline(in)
			if strings.Join(strings.Fields(out), " ") != p.String() {
				t.Errorf("%q became %q", in, out)
			}
		}
	})
}

// FuzzURI checks that an accepted URI is written and parsed again to the same.
func FuzzURI(f *testing.F) {
	f.Add("xmpp:pubsub.shakespeare.lit?pubsub;action=subscribe;node=princely_musings;item=a%20b")
	f.Add("xmpp://a@b/c@d?;node=x#f")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text)
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if again, err := ParseURI(u.String()); err != nil && len(u.String()) <= maxURI || err == nil && again != u {
			t.Errorf("%q is %+v, became %s and %+v, error %v", text, u, u, again, err)
		}
		request := ItemsRequest{Node: u.Node, IDs: []string{u.Item}}.Element()
		back, err := element.Parse(request.String(), nil)
		if err != nil || back.Child(ns.Pubsub, "items").Attr("node") != u.Node {
			t.Errorf("%q cannot be requested: %v", u.Node, err)
		}
	})
}
