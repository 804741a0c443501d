package pubsub

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// draw returns a random text of characters that XML treats specially.
func draw(random *rand.Rand) string {
	alphabet := []rune("ab<>&'\"\n\t \u00a0é日😀;=/@")
	var b strings.Builder
	for range 1 + random.IntN(8) {
		b.WriteRune(alphabet[random.IntN(len(alphabet))])
	}
	return b.String()
}

// TestEvents checks that random notifications, written as a service would, are parsed to
// the same.
func TestEvents(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		event := element.New(ns.PubsubEvent, "event")
		headers := element.New(ns.SHIM, "headers")
		var subids []string
		for range random.IntN(3) {
			id := "s" + strings.TrimSpace(draw(random)) + "s"
			subids = append(subids, id)
			headers.Add(element.New(ns.SHIM, "header").Set("name", "SubID").AddText(id))
		}
		var want []string
		expect := func(n Notification) { want = append(want, describe(n)) }
		for range 1 + random.IntN(4) {
			node := draw(random)
			n := Notification{Service: "s.example", Node: node, SubIDs: subids}
			switch random.IntN(6) {
			case 0:
				n.Type = pam.EventPurged
				event.Add(element.New(ns.PubsubEvent, "purge").Set("node", node))
				expect(n)
			case 1:
				n.Type, n.Redirect = pam.EventDeleted, "XMPP:"+draw(random)
				event.Add(element.New(ns.PubsubEvent, "delete").Set("node", node).Add(element.New(ns.PubsubEvent, "redirect").Set("uri", n.Redirect)))
				expect(n)
			case 2:
				n.Type = pam.EventConfigured
				event.Add(element.New(ns.PubsubEvent, "configuration").Set("node", node))
				expect(n)
			case 3:
				n.State, n.Subscriber, n.SubIDs = pam.State(draw(random)), draw(random), []string{draw(random)}
				event.Add(element.New(ns.PubsubEvent, "subscription").Set("node", node).Set("jid", n.Subscriber).Set("subid", n.SubIDs[0]).Set("subscription", string(n.State)))
				expect(n)
			default:
				items := element.New(ns.PubsubEvent, "items").Set("node", node)
				for range 1 + random.IntN(3) {
					n.ItemID = draw(random)
					if n.Type, n.Publisher, n.Payload = pam.EventRetracted, "", nil; random.IntN(2) == 0 {
						items.Add(element.New(ns.PubsubEvent, "retract").Set("id", n.ItemID))
					} else {
						n.Type, n.Publisher, n.Payload = pam.EventPublished, draw(random), element.New("urn:example", "p")
						items.Add(element.New(ns.PubsubEvent, "item").Set("id", n.ItemID).Set("publisher", n.Publisher).Add(n.Payload))
					}
					expect(n)
				}
				event.Add(items)
			}
		}
		sent := element.New(ns.Client, "message").Set("from", "S.example").Add(event, headers).String()
		found, err := ParseEvent(parse(t, sent))
		var got []string
		for _, n := range found {
			got = append(got, describe(n))
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\ngot  %q\nwant %q, error %v", sent, got, want, err)
		}
	}
}

// TestForms checks that random forms are parsed as they were submitted.
func TestForms(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		form := pam.Form{{Name: "FORM_TYPE", Type: pam.FieldHidden, Values: []string{"t"}}}
		for i := range random.IntN(5) {
			form = append(form, pam.FormField{Name: fmt.Sprint(i, draw(random)), Type: pam.FieldText, Values: []string{draw(random)}})
		}
		sent := SubmitForm("t", form[1:]).String()
		if got, err := ParseForm(parse(t, sent)); err != nil || !reflect.DeepEqual(got, form) {
			t.Fatalf("%s\ngot  %+v\nwant %+v, error %v", sent, got, form, err)
		}
	}
}
