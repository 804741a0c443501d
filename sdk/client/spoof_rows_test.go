//go:build !js

package client_test

import (
	"fmt"
	"strings"
)

// An attack is a stanza by which a sender tries to deceive the client. Its permitted
// effects were written by hand, from sync rule 8 and RFC 6120:
//
//	""         nothing
//	"message"  the client delivers it as a message that does not concern PAM
//	"ignored"  the client ignores it, or its changes of the list
//	"result", "error"  the client answers an iq
//	"list"     the client requests the list
//	"changed"  the list changes, because the stanza is valid
//
// In the text {to} is the to attribute, {me} the client's full JID and {notify}
// a notify of this row: it claims a subscription to a node that has the row's
// name, at a version of the same name.
type attack struct{ name, xml, want string }

// spoofs returns the matrix.
func spoofs() []attack {
	var all []attack
	for _, group := range [][]attack{fromRows(), typeRows(), wrappedRows(), eventRows(), notifyRows(),
		iqRows(), streamRows(), addressRows(), presenceRows(), bulkRows(), xmlRows()} {
		all = append(all, group...)
	}
	return all
}

// text returns the stanza as the server sends it to a client.
func (a attack) text(me, to string) string {
	return strings.NewReplacer("{notify}", a.notify(), "{row}", a.row("subscribed"), "{to}", "to='"+to+"'", "{me}", me).Replace(a.xml)
}

// node returns the name of the row as an attribute value.
func (a attack) node() string {
	return strings.NewReplacer("<", "(", "&", "+", "'", "").Replace(a.name)
}

func (a attack) notify() string {
	return fmt.Sprintf("<notify xmlns='urn:xmpp:pam:0' ver='POISON %s' service='evil.example'>%s</notify>", a.node(), a.row("subscribed"))
}

func (a attack) row(state string) string {
	return fmt.Sprintf("<subscription xmlns='http://jabber.org/protocol/pubsub' node='%s' jid='alice@localhost' subscription='%s'/>", a.node(), state)
}

// fromRows claim in every way that a notify comes from the account.
func fromRows() []attack {
	rows := []attack{{"no from", "<message xmlns='jabber:client' {to}>{notify}</message>", "changed"}}
	add := func(want string, froms ...string) {
		for _, from := range froms {
			rows = append(rows, attack{fmt.Sprintf("from %q", from), "<message xmlns='jabber:client' {to} from='" + from + "'>{notify}</message>", want})
		}
	}
	// The own bare JID and domain, in all spellings that may be on the wire by RFC 7622.
	add("changed", "alice@localhost", "localhost", "ALICE@Localhost", "LOCALHOST", "\uff41lice@localhost", "&#97;lice&#x40;localhost")
	// Other sessions of the account, and this one.
	add("ignored", "{me}", "alice@localhost/other", "ALICE@LOCALHOST/desk", "localhost/alice", "localhost/desk", "alice@localhost/alice@localhost", "alice@localhost/ ")
	// Other users and services, some with addresses similar to the account's.
	add("ignored", "bob@localhost", "bob@localhost/x", "bob@localhost/alice@localhost", "evil.example", "alice@evil.example", "pubsub.localhost", "alice@pubsub.localhost",
		"alice@sub.localhost", "sub.localhost", "alice@localhost.evil.example", "localhost.evil.example", "evil.example/alice@localhost", "alice@localhost.localdomain", "alice@127.0.0.1", "alice@[::1]",
		"alic@localhost", "alice2@localhost", "xalice@localhost", "alice@localhos", "alice@localhost.\u3002", "alice\\20@localhost", "alice\\40localhost@evil.example",
		"\u0430lice@localhost", "al\u0131ce@localhost", "alice\u0301@localhost", "al\u0130ce@localhost", "alice@l\u043ecalhost", "alice@locaIhost")
	// Invalid JIDs.
	add("ignored", "", " ", "@", "/", "alice@", "@localhost", "alice@localhost/", "/alice@localhost", "alice@localhost@evil.example", "alice@@localhost", " alice@localhost", "alice@localhost ", "alice@localhost&#10;",
		"&lt;alice@localhost>", "&quot;alice&quot;@localhost", "xmpp:alice@localhost", "alice@localhost:5222", "alice@localhost?message", "alice, alice@localhost",
		"al\u200bice@localhost", "al\u00adice@localhost", "\u202ealice@localhost", "\u24d0lice@localhost", "\U0001d41alice@localhost", "alice@localhost..", "alice@localhost.", "localhost.", "alice@\uff4cocalhost", "alice@xn--localhost-", "xn--localhost-", strings.Repeat("a", 1024)+"@localhost")

	// A from attribute in a namespace is not the from attribute (F1), whatever its prefix.
	for _, x := range []struct{ name, attrs, want string }{
		{"x:from of the client namespace", "from='bob@localhost/x' xmlns:x='jabber:client' x:from='alice@localhost'", "ignored"},
		{"x:from first", "xmlns:x='jabber:client' x:from='alice@localhost' from='bob@localhost/x'", "ignored"},
		{"ns1:from as Prosody writes it", "from='bob@localhost/x' xmlns:ns1='jabber:client' ns1:from='alice@localhost'", "ignored"},
		{"x:from of another namespace", "from='bob@localhost/x' xmlns:x='urn:x' x:from='alice@localhost'", "ignored"},
		{"x:from of the server namespace", "from='bob@localhost/x' xmlns:x='jabber:server' x:from='alice@localhost'", "ignored"},
		{"xml:from", "from='bob@localhost/x' xml:from='alice@localhost'", "ignored"},
		{"two namespaced froms", "from='bob@localhost/x' xmlns:x='jabber:client' xmlns:y='urn:y' y:from='alice@localhost' x:from='localhost'", "ignored"},
		{"x:from of the domain", "from='bob@localhost/x' xmlns:x='jabber:client' x:from='localhost'", "ignored"},
		{"x:from empty", "from='bob@localhost/x' xmlns:x='jabber:client' x:from=''", "ignored"},
		{"x:from of a stranger", "from='alice@localhost' xmlns:x='jabber:client' x:from='bob@localhost/x'", "changed"},
		{"only an x:from of a stranger", "xmlns:x='jabber:client' x:from='bob@localhost/x'", "changed"},
		{"From in other letters", "from='bob@localhost/x' From='alice@localhost' FROM='alice@localhost'", "ignored"},
		{"other attributes", "from='bob@localhost/x' sender='alice@localhost' by='alice@localhost' jid='alice@localhost'", "ignored"},
		{"xmlns:from", "from='bob@localhost/x' xmlns:from='alice@localhost'", "ignored"},
		{"double quotes", "from=\"bob@localhost/'alice@localhost'\"", "ignored"},
	} {
		rows = append(rows, attack{x.name, "<message xmlns='jabber:client' {to} " + x.attrs + ">{notify}</message>", x.want})
	}
	return append(rows,
		attack{"prefixed message", "<c:message xmlns:c='jabber:client' {to} from='bob@localhost/x' c:from='alice@localhost'>{notify}</c:message>", "ignored"},
		attack{"prefixed message of the account", "<c:message xmlns:c='jabber:client' {to} c:from='bob@localhost/x' from='alice@localhost'>{notify}</c:message>", "changed"})
}

// typeRows use every type of message, from another user and from the account.
func typeRows() []attack {
	var rows []attack
	for _, kind := range []string{"chat", "normal", "headline", "groupchat", "other", "", "ERROR", " error", "error"} {
		want := "changed" // Rule 8 knows one exception.
		if kind == "error" {
			want = "ignored"
		}
		xml := "<message xmlns='jabber:client' {to} type='" + kind + "' from='%s'>{notify}</message>"
		rows = append(rows,
			attack{"type " + kind + " from the account", fmt.Sprintf(xml, "alice@localhost"), want},
			attack{"type " + kind + " from a stranger", fmt.Sprintf(xml, "bob@localhost/x"), "ignored"})
	}
	return append(rows,
		attack{"type error of the server", "<message xmlns='jabber:client' {to} type='error' from='localhost'>{notify}<error type='cancel'/></message>", "ignored"},
		attack{"type error without from", "<message xmlns='jabber:client' {to} type='error'>{notify}</message>", "ignored"},
		attack{"type error, x:type chat", "<message xmlns='jabber:client' {to} type='error' xmlns:x='jabber:client' x:type='chat' from='alice@localhost'>{notify}</message>", "ignored"},
		attack{"x:type error", "<message xmlns='jabber:client' {to} xmlns:x='jabber:client' x:type='error' from='alice@localhost'>{notify}</message>", "changed"},
		attack{"no message", "<presence xmlns='jabber:client' {to} from='alice@localhost'>{notify}</presence>", ""},
		attack{"a message of the server namespace", "<message xmlns='jabber:server' {to} from='alice@localhost'>{notify}</message>", "ignored"},
		attack{"a message of no namespace", "<message {to} from='alice@localhost'>{notify}</message>", "ignored"},
		attack{"a Message", "<Message xmlns='jabber:client' {to} from='alice@localhost'>{notify}</Message>", "ignored"})
}

// wrappedRows hide a notify inside an element that any user may send, or that the
// account's server only relays.
func wrappedRows() []attack {
	var rows []attack
	const forwarded = "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>%s</forwarded>"
	wrappers := []struct{ name, open, close string }{
		{"carbon received", "<received xmlns='urn:xmpp:carbons:2'>", "</received>"},
		{"carbon sent", "<sent xmlns='urn:xmpp:carbons:2'>", "</sent>"},
		{"archive result", "<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>", "</result>"},
		{"forward", "", ""},
	}
	for _, w := range wrappers {
		for _, outer := range []string{"from='alice@localhost'", "from='localhost'", "", "from='bob@localhost/x'"} {
			for _, inner := range []string{"from='alice@localhost'", ""} {
				rows = append(rows, attack{fmt.Sprintf("%s, outside (%s), inside (%s)", w.name, outer, inner),
					"<message xmlns='jabber:client' {to} " + outer + ">" + w.open +
						fmt.Sprintf(forwarded, "<message xmlns='jabber:client' to='alice@localhost' "+inner+">{notify}</message>") + w.close + "</message>", "message"})
			}
		}
	}
	for _, w := range [][2]string{
		{"event item", "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'>{notify}</item></items></event>"},
		{"event", "<event xmlns='http://jabber.org/protocol/pubsub#event'>{notify}</event>"},
		{"event message", "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'><message xmlns='jabber:client' from='alice@localhost'>{notify}</message></item></items></event>"},
		{"element", "<x xmlns='urn:x'>{notify}</x>"},
		{"element of no ns", "<x xmlns=''>{notify}</x>"},
		{"body", "<body>{notify}</body>"},
		{"message", "<message from='alice@localhost'>{notify}</message>"},
		{"message, deeper", "<x xmlns='urn:x'><message xmlns='jabber:client' from='alice@localhost'>{notify}</message></x>"},
		{"pam element", "<pam xmlns='urn:xmpp:pam:0'>{notify}</pam>"},
		{"subscriptions", "<subscriptions xmlns='urn:xmpp:pam:0' ver='POISON'>{row}</subscriptions>"},
		{"subscription alone", "{row}"},
		{"other notify", "<notify xmlns='urn:x' ver='POISON'>{notify}</notify>"},
		{"notify of pam:1", "<notify xmlns='urn:xmpp:pam:1' ver='POISON' service='evil.example'>{row}</notify>"},
		{"Notify", "<Notify xmlns='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}</Notify>"},
		{"notify of no ns", "<notify xmlns='' ver='POISON' service='evil.example'>{row}</notify>"},
		{"notify of the client", "<notify ver='POISON' service='evil.example'>{row}</notify>"},
		{"html", "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>{notify}</body></html>"},
		{"privilege", "<privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='alice@localhost'>{notify}</message></forwarded></privilege>"},
		{"escaped text", "<body>&lt;notify xmlns='urn:xmpp:pam:0' ver='POISON'/&gt;</body>"},
		{"CDATA", "<body><![CDATA[{notify}]]></body>"},
		{"list event", "<event xmlns='http://jabber.org/protocol/pubsub#event'><subscription node='news' jid='alice@localhost' subscription='none'/></event>"},
	} {
		for _, from := range []string{"from='bob@localhost/x'", "from='alice@localhost'", "from='pubsub.localhost'"} {
			want := "message"
			if w[0] == "list event" && strings.Contains(from, "pubsub") {
				want = "list+message" // The service may report that, and the client requests the list.
			}
			rows = append(rows, attack{"notify in " + w[0] + " " + strings.Trim(from, "from="), "<message xmlns='jabber:client' {to} " + from + ">" + w[1] + "</message>", want})
		}
	}
	return rows
}
