package pubsub

import (
	"testing"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

func TestParseError(t *testing.T) {
	const conditions = ` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'`
	tests := []struct {
		name, xml string
		want      *Error
		origin    Origin
	}{
		{"XEP-0376 listing 3", `<error type='modify' by='francisco@denmark.lit'><bad-request` + conditions + `/><invalid-jid xmlns='http://jabber.org/protocol/pubsub#errors'/></error>`,
			&Error{Type: "modify", Condition: "bad-request", PubsubCondition: "invalid-jid", By: "francisco@denmark.lit"}, Local},
		{"XEP-0376 listing 4", `<error type='auth' by='pubsub.shakespeare.lit'><not-authorized` + conditions + `/><presence-subscription-required xmlns='http://jabber.org/protocol/pubsub#errors'/></error>`,
			&Error{Type: "auth", Condition: "not-authorized", PubsubCondition: "presence-subscription-required", By: "pubsub.shakespeare.lit"}, Remote},
		{"no by", `<error type='cancel'><service-unavailable` + conditions + `/></error>`,
			&Error{Type: "cancel", Condition: "service-unavailable"}, Local},
		{"no by, invalid-jid", `<error type='modify'><bad-request` + conditions + `/><invalid-jid xmlns='http://jabber.org/protocol/pubsub#errors'/></error>`,
			&Error{Type: "modify", Condition: "bad-request", PubsubCondition: "invalid-jid"}, Local},
		{"no by, but a condition of a service", `<error type='auth'><not-authorized` + conditions + `/><not-in-roster-group xmlns='http://jabber.org/protocol/pubsub#errors'/></error>`,
			&Error{Type: "auth", Condition: "not-authorized", PubsubCondition: "not-in-roster-group"}, Unknown},
		{"by is normalised", `<error type='wait' by='DENMARK.lit'><internal-server-error` + conditions + `/></error>`,
			&Error{Type: "wait", Condition: "internal-server-error", By: "denmark.lit"}, Local},
		{"by is no JID", `<error by='@'><conflict` + conditions + `/></error>`,
			&Error{Condition: "conflict", By: "@"}, Remote},
		{"by our own full JID", `<error by='francisco@denmark.lit/tablet'><conflict` + conditions + `/></error>`,
			&Error{Condition: "conflict", By: "francisco@denmark.lit/tablet"}, Remote},
		{"gone", `<error type='cancel' by='pubsub.shakespeare.lit'><gone` + conditions + `>xmpp:pubsub.shakespeare.lit?;node=some-other-node</gone><text` + conditions + `>moved</text></error>`,
			&Error{Type: "cancel", Condition: "gone", Text: "moved", URI: "xmpp:pubsub.shakespeare.lit?;node=some-other-node", By: "pubsub.shakespeare.lit"}, Remote},
		{"the first text counts", `<error><text` + conditions + ` xml:lang='en'>one</text><text` + conditions + ` xml:lang='da'>to</text></error>`,
			&Error{Condition: "undefined-condition", Text: "one"}, Local},
		{"an echo before it", `<pam xmlns='urn:xmpp:pam:0'><error/></pam><error type='cancel'><item-not-found` + conditions + `/></error>`,
			&Error{Type: "cancel", Condition: "item-not-found"}, Local},
		{"a condition with a text that is no URI", `<error><conflict` + conditions + `>xmpp:a.lit</conflict></error>`, &Error{Condition: "conflict"}, Local},
		{"redirect", `<error><redirect` + conditions + `> xmpp:a.lit </redirect></error>`, &Error{Condition: "redirect", URI: "xmpp:a.lit"}, Local},
		{"elements of other namespaces", `<error><conflict` + conditions + `/><text xmlns='urn:example'>t</text><invalid-jid xmlns='urn:example'/></error><query/>`, &Error{Condition: "conflict"}, Local},
		{"empty", `<error/>`, &Error{Condition: "undefined-condition"}, Local},
		{"none", ``, nil, Unknown},
		{"in another namespace", `<error xmlns='urn:example'/>`, nil, Unknown},
	}
	account := jid.MustParse("francisco@denmark.lit/barracks")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			iq, err := element.Parse(`<iq xmlns='jabber:client' type='error' id='s'>`+tt.xml+`</iq>`, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ParseError(iq)
			if got == nil || tt.want == nil {
				if got != tt.want {
					t.Fatalf("got %v, want %v", got, tt.want)
				}
				return
			}
			if *got != *tt.want {
				t.Errorf("got %+v, want %+v", *got, *tt.want)
			}
			if o := got.Origin(account); o != tt.origin {
				t.Errorf("origin %v, want %v", o, tt.origin)
			}
		})
	}
	if ParseError(nil) != nil {
		t.Error("an error of nothing")
	}
}

func TestErrorText(t *testing.T) {
	for want, e := range map[string]Error{
		"pubsub: not-authorized (not-in-roster-group) from a.lit: go away": {Condition: "not-authorized", PubsubCondition: "not-in-roster-group", By: "a.lit", Text: "go away"},
		"pubsub: not-authorized": {Condition: "not-authorized"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRequests(t *testing.T) {
	tests := []struct {
		got  *element.Element
		want string
	}{
		{Subscribe("n", "a@b.lit"), `<subscribe xmlns='http://jabber.org/protocol/pubsub' node='n' jid='a@b.lit'/>`},
		{Unsubscribe("n", "a@b.lit", ""), `<unsubscribe xmlns='http://jabber.org/protocol/pubsub' node='n' jid='a@b.lit'/>`},
		{Unsubscribe("n", "a@b.lit", "x"), `<unsubscribe xmlns='http://jabber.org/protocol/pubsub' node='n' jid='a@b.lit' subid='x'/>`},
	}
	for _, tt := range tests {
		want, err := element.Parse(tt.want, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.got.String() != want.String() {
			t.Errorf("got %s, want %s", tt.got, want)
		}
	}
}

func TestSubscribed(t *testing.T) {
	account := jid.MustParse("alice@example.org")
	for rows, want := range map[string]bool{
		"": false,
		"<subscription node='n' jid='alice@example.org' subscription='subscribed'/>":               true,
		"<subscription node='n' jid='Alice@example.org/phone' subscription='pending'/>":            true,
		"<subscription jid='alice@example.org' subscription='subscribed'/>":                        true,
		"<subscription node='n' jid='alice@example.org' subscription='subscribed' subid='s'/>":     true,
		"<subscription node='n' jid='alice@example.org' subscription='subscribed' subid='other'/>": false,
		"<subscription node='n' jid='alice@example.org' subscription='none'/>":                     false,
		"<subscription node='m' jid='alice@example.org' subscription='subscribed'/>":               false,
		"<subscription node='n' jid='bob@example.org' subscription='subscribed'/>":                 false,
		"<subscription node='n' jid='@' subscription='subscribed'/>":                               false,
		"<affiliation node='n' jid='alice@example.org' subscription='subscribed'/>":                false,
	} {
		for _, wrapped := range []string{"<pubsub xmlns='" + ns.Pubsub + "'><subscriptions node='n'>" + rows + "</subscriptions></pubsub>"} {
			iq, err := element.Parse("<iq xmlns='jabber:client' type='result'>"+wrapped+"</iq>", &element.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			if got := Subscribed(iq, "n", "s", account); got != want {
				t.Errorf("%s: got %v", rows, got)
			}
		}
	}
	for subid, want := range map[string]bool{"": true, "s": false} {
		iq, _ := element.Parse("<iq xmlns='jabber:client' type='result'><pubsub xmlns='"+ns.Pubsub+"'><subscriptions><subscription node='n' jid='alice@example.org' subid='other'/></subscriptions></pubsub></iq>", &element.DefaultLimits)
		if got := Subscribed(iq, "n", subid, account); got != want {
			t.Errorf("subid %q: got %v", subid, got)
		}
	}
	iq, _ := element.Parse("<iq xmlns='jabber:client' type='result'/>", &element.DefaultLimits)
	if !Subscribed(iq, "n", "", account) {
		t.Error("an answer without a list counts as one without a subscription")
	}
}
