//go:build !js

package client_test

import (
	"fmt"
	"strings"
)

// notifyRows vary the notify itself.
func notifyRows() []attack {
	stranger := func(name, payload string) attack {
		return attack{name + " from a stranger", "<message xmlns='jabber:client' {to} from='bob@localhost/x'>" + payload + "</message>", "ignored"}
	}
	server := func(name, payload, want string) attack {
		return attack{name + " from the account", "<message xmlns='jabber:client' {to} from='alice@localhost'>" + payload + "</message>", want}
	}
	const gone = "<notify xmlns='urn:xmpp:pam:0' ver='POISON gone' service='pubsub.localhost'><subscription xmlns='http://jabber.org/protocol/pubsub' node='news' jid='alice@localhost' subscription='none'/></notify>"
	const delay = "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='2026-01-01T00:00:00Z'/>"
	const oldDelay = "<x xmlns='jabber:x:delay' stamp='20260101T00:00:00'/>"
	return []attack{
		stranger("removal of what is there", gone),
		stranger("several notifies", "{notify}"+gone+"{notify}"),
		stranger("delayed notify", "{notify}"+delay),
		stranger("notify delayed in the old way", "{notify}"+oldDelay),
		stranger("notify after a body", "<body>hello</body><x xmlns='urn:x'/>{notify}"),
		stranger("empty notify", "<notify xmlns='urn:xmpp:pam:0'/>"),
		stranger("only a version", "<notify xmlns='urn:xmpp:pam:0' ver='POISON version'/>"),
		stranger("long version", "<notify xmlns='urn:xmpp:pam:0' ver='"+strings.Repeat("POISON", 1000)+"'>{row}</notify>"),
		stranger("unknown state", strings.Replace(gone, "'none'", "'unheard-of'", 1)),
		stranger("foreign subscriber", strings.Replace(gone, "alice@localhost", "bob@localhost", 1)),
		stranger("xml= for xmlns=", "<notify xml='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}</notify>"),
		stranger("prefixed notify", "<p:notify xmlns:p='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}</p:notify>"),
		stranger("notify about the account itself", strings.Replace(gone, "pubsub.localhost", "alice@localhost", 1)),
		stranger("notify with an error", "{notify}<error type='cancel'/>"),
		stranger("notify and a carbon", "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='alice@localhost'/></forwarded></received>{notify}"),
		server("several notifies", "{notify}{notify}", "changed"),
		server("prefixed notify", "<p:notify xmlns:p='urn:xmpp:pam:0' ver='v' service='evil.example'>{row}</p:notify>", "changed"),
		server("unknown state", "<notify xmlns='urn:xmpp:pam:0' ver='v' service='evil.example'><subscription xmlns='http://jabber.org/protocol/pubsub' node='unheard-of' subscription='unheard-of'/></notify>", "changed"),
		server("delayed notify", "{notify}"+delay, "list"),
		server("notify delayed in the old way", "{notify}"+oldDelay, "list"),
		server("notify with a stream element", "{notify}<x xmlns='http://etherx.jabber.org/streams'/>", "ignored"),
		server("notify with one inside", "<notify xmlns='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/></notify>", "ignored"),
		server("message without any", "", "message"),
	}
}

// iqRows are unexpected or invalid requests, and answers without a request.
func iqRows() []attack {
	var rows []attack
	for _, from := range []string{"from='bob@localhost/x'", "from='pubsub.localhost'", "from='alice@localhost/other'", "from='alice@localhost'", ""} {
		for _, r := range [][2]string{
			{"set pam", "type='set' id='1'><pam xmlns='urn:xmpp:pam:0' jid='evil.example'><subscribe xmlns='http://jabber.org/protocol/pubsub' node='n' jid='alice@localhost'/></pam></iq>"},
			{"set subscriptions", "type='set' id='2'><subscriptions xmlns='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}</subscriptions></iq>"},
			{"get subscriptions", "type='get' id='3'><subscriptions xmlns='urn:xmpp:pam:0'/></iq>"},
			{"set notify", "type='set' id='4'>{notify}</iq>"},
			{"set roster", "type='set' id='5'><query xmlns='jabber:iq:roster' ver='POISON'><item jid='evil.example' subscription='both'/></query></iq>"},
			{"set ping", "type='set' id='6'><ping xmlns='urn:xmpp:ping'/></iq>"},
		} {
			rows = append(rows, attack{"iq " + r[0] + " (" + from + ")", "<iq xmlns='jabber:client' {to} " + from + " " + r[1], "error"})
		}
	}
	const stranger = "<iq xmlns='jabber:client' {to} from='bob@localhost/x' "
	return append(rows, []attack{
		{"ping", stranger + "type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "result"},
		{"ping with a long id", stranger + "type='get' id='" + strings.Repeat("i", 10000) + "'><ping xmlns='urn:xmpp:ping'/></iq>", "result"},
		{"ping with an id of markup", stranger + "type='get' id='&lt;&apos;>&amp;&#10;'><ping xmlns='urn:xmpp:ping'/></iq>", "result"},
		{"ping that is also a result", stranger + "type='get' xmlns:x='jabber:client' x:type='result' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "result"},
		{"disco", stranger + "type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "result"},
		{"disco of another session", "<iq xmlns='jabber:client' {to} from='alice@localhost/other' type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "result"},
		{"disco of the server", "<iq xmlns='jabber:client' {to} from='localhost' type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "list+result"},
		{"disco with x:from of the server", stranger + "xmlns:x='jabber:client' x:from='localhost' type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "result"},
		{"disco of a node", stranger + "type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info' node='?'/></iq>", "error"},
		{"disco items", stranger + "type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>", "error"},
		{"version", stranger + "type='get' id='1'><query xmlns='jabber:iq:version'/></iq>", "error"},
		{"command", stranger + "type='set' id='1'><command xmlns='http://jabber.org/protocol/commands' node='x' action='execute'/></iq>", "error"},
		{"get without a child", stranger + "type='get' id='1'/>", "error+ignored"},
		{"set without a child", stranger + "type='set' id='1'/>", "error+ignored"},
		{"get with text", stranger + "type='get' id='1'>text</iq>", "error+ignored"},
		{"get with two children", stranger + "type='get' id='1'><ping xmlns='urn:xmpp:ping'/><ping xmlns='urn:xmpp:ping'/></iq>", "error+ignored"},
		{"set with two children", stranger + "type='set' id='1'><a xmlns='urn:x'/>{notify}</iq>", "error+ignored"},
		{"result without a child", stranger + "type='result' id='1'/>", ""},
		{"error without a child", stranger + "type='error' id='1'/>", ""},
		{"result with two children", stranger + "type='result' id='1'><a xmlns='urn:x'/>{notify}</iq>", ""},
		{"error with a notify", stranger + "type='error' id='1'>{notify}<error type='cancel'/></iq>", ""},
		{"result without an id", stranger + "type='result'/>", "ignored"},
		{"get without an id", stranger + "type='get'><ping xmlns='urn:xmpp:ping'/></iq>", "ignored"},
		{"get with an empty id", stranger + "type='get' id=''><ping xmlns='urn:xmpp:ping'/></iq>", "ignored"},
		{"get with only an x:id", stranger + "type='get' xmlns:x='jabber:client' x:id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "ignored"},
		{"iq without a type", stranger + "id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "error+ignored"},
		{"iq of type RESULT", stranger + "type='RESULT' id='1'/>", "error+ignored"},
		{"iq with only an x:type", stranger + "xmlns:x='jabber:client' x:type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "error+ignored"},
		{"result of the server to nothing", "<iq xmlns='jabber:client' {to} type='result' id='1'><subscriptions xmlns='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}</subscriptions></iq>", ""},
	}...)
}

// streamRows nest elements of the stream itself (F2), or send them where they have no
// meaning.
func streamRows() []attack {
	var rows []attack
	for _, r := range [][2]string{
		{"stream error", "<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"},
		{"prefixed error", "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"},
		{"see-other-host", "<error xmlns='http://etherx.jabber.org/streams'><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>evil.example</see-other-host></error>"},
		{"stream", "<stream xmlns='http://etherx.jabber.org/streams'/>"},
		{"features", "<features xmlns='http://etherx.jabber.org/streams'/>"},
		{"any stream element", "<e xmlns='http://etherx.jabber.org/streams'/>"},
		{"close", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"},
		{"close and go", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://evil.example/'/>"},
		{"open", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"},
		{"deeper stream error", "<a xmlns='urn:x'><b><error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error></b></a>"},
		{"deeper close", "<a xmlns='urn:x'><b><c><close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/></c></b></a>"},
	} {
		rows = append(rows,
			attack{r[0] + " in a message", "<message xmlns='jabber:client' {to} from='bob@localhost/x'>" + r[1] + "</message>", "ignored"},
			attack{r[0] + " in a presence", "<presence xmlns='jabber:client' {to} from='bob@localhost/x'>" + r[1] + "</presence>", "ignored"},
			attack{r[0] + " in a get", "<iq xmlns='jabber:client' {to} from='bob@localhost/x' type='get' id='1'>" + r[1] + "</iq>", "error+ignored"},
			attack{r[0] + " in a result", "<iq xmlns='jabber:client' {to} from='bob@localhost/x' type='result' id='1'>" + r[1] + "</iq>", "ignored"})
	}
	for _, r := range [][2]string{
		{"a", "<a xmlns='urn:xmpp:sm:3' h='4000000000'/>"}, {"r", "<r xmlns='urn:xmpp:sm:3'/>"}, {"failed", "<failed xmlns='urn:xmpp:sm:3' h='0'/>"},
		{"resumed", "<resumed xmlns='urn:xmpp:sm:3' previd='x' h='0'/>"}, {"enabled", "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>"},
		{"success", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}, {"failure", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><account-disabled/></failure>"},
		{"bind", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>evil.example/x</jid></bind>"}, {"conflict", "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"},
	} {
		// At the top level it is the server's own element. It matches nothing.
		rows = append(rows,
			attack{"nested " + r[0], "<message xmlns='jabber:client' {to} from='bob@localhost/x'>" + r[1] + "</message>", "message"},
			attack{"lone " + r[0], r[1], "ignored"})
	}
	return rows
}

// eventRows claim that something was published at the node news, which the account
// follows.
func eventRows() []attack {
	const event = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='news'><item id='POISON'><x xmlns='urn:x'/></item></items></event>"
	row := func(from, content, want string) attack {
		return attack{fmt.Sprintf("event from %q in %.60q", from, content), "<message xmlns='jabber:client' {to} from='" + from + "' type='headline'>" + content + "</message>", want}
	}
	result := func(query, from string) string {
		return "<result xmlns='urn:xmpp:mam:2' queryid='" + query + "' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='" + from + "' type='headline'>" + event + "</message></forwarded></result>"
	}
	var rows []attack
	for _, from := range []string{"evil.example", "pubsub.evil.example", "bob@localhost", "bob@localhost/x", "pubsub.localhost/x", "alice@localhost", "localhost"} {
		rows = append(rows, row(from, event, "message"),
			row(from, "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='pubsub.localhost'>"+event+"</message></forwarded></sent>", "message"),
			row(from, result("mine", "pubsub.localhost"), "message"))
	}
	// The results of a catch-up that is over: its archive may still send them.
	for from, want := range map[string]string{"evil.example": "ignored", "bob@localhost": "ignored", "bob@localhost/x": "message", "alice@localhost": "", "localhost": ""} {
		rows = append(rows, row(from, result("catch-up-1", "pubsub.localhost"), want))
	}
	return rows
}

// addressRows contain invalid JIDs (F4).
func addressRows() []attack {
	var rows []attack
	for _, bad := range []string{"", "@", "a@b@c", "bob@localhost/", "bob@localhost/\u1100", "b\u265ab@localhost", "bob@-\u2f00-", "bob@local host", strings.Repeat("a", 4000)} {
		for _, kind := range []string{"message", "presence", "iq"} {
			rows = append(rows,
				attack{fmt.Sprintf("%s from %.20q, no JID", kind, bad), fmt.Sprintf("<%s xmlns='jabber:client' type='get' id='1' from='%s'><ping xmlns='urn:xmpp:ping'/></%s>", kind, bad, kind), "ignored"},
				attack{fmt.Sprintf("%s to %.20q, no JID", kind, bad), fmt.Sprintf("<%s xmlns='jabber:client' type='get' id='1' from='bob@localhost/x' to='%s'><ping xmlns='urn:xmpp:ping'/></%s>", kind, bad, kind), "ignored"})
		}
		event := "message"
		if len(bad) > 3071 { // Package pubsub leaves it out.
			event = "ignored+message"
		}
		rows = append(rows,
			attack{fmt.Sprintf("event for %.20q, no JID", bad), "<message xmlns='jabber:client' {to} from='pubsub.localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><subscription jid='" + bad + "' node='news' subscription='none'/></event><x xmlns='urn:x' by='" + bad + "' from='" + bad + "'/></message>", event},
			attack{fmt.Sprintf("notify for %.20q, no JID", bad), "<message xmlns='jabber:client' {to} from='bob@localhost/x'><notify xmlns='urn:xmpp:pam:0' service='" + bad + "' jid='" + bad + "'><subscription xmlns='http://jabber.org/protocol/pubsub' node='news' jid='" + bad + "' subscription='none'/></notify></message>", "ignored"})
	}
	return rows
}

// presenceRows are presence stanzas of all kinds. None of them concerns this client.
func presenceRows() []attack {
	var rows []attack
	for _, from := range []string{"from='bob@localhost/x'", "from='alice@localhost'", "from='{me}'", "from='alice@localhost/other'", "from='localhost'", ""} {
		for _, kind := range []string{"", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "unavailable", "probe", "error", "other"} {
			rows = append(rows, attack{"presence " + kind + " (" + from + ")",
				"<presence xmlns='jabber:client' {to} " + from + " type='" + kind + "'>{notify}<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/></presence>", ""})
		}
	}
	return rows
}

// bulkRows are large.
func bulkRows() []attack {
	from := func(name, attrs, payload, want string) attack {
		return attack{name, "<message xmlns='jabber:client' {to} from='bob@localhost/x'" + attrs + ">" + payload + "</message>", want}
	}
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	deep := func(n int, inside string) string {
		return strings.Repeat("<a xmlns='urn:x'>", n) + inside + strings.Repeat("</a>", n)
	}
	return []attack{
		from("200 KB of text", "", "<body>"+strings.Repeat("x", 200<<10)+"</body>", "message"),
		from("200 KB of references", "", "<body>"+strings.Repeat("&lt;", 50<<10)+"</body>", "message"),
		from("20000 children", "", strings.Repeat("<a/>", 20000), "message"),
		from("2000 notifies", "", "{notify}"+strings.Repeat("<notify xmlns='urn:xmpp:pam:0'/>", 2000), "ignored"),
		from("a notify 62 deep", "", deep(61, "{notify}"), "message"),
		from("100 deep", "", deep(100, ""), "ignored"),
		from("10000 deep", "", deep(10000, ""), "ignored"),
		from("100 deep with a notify", "", "{notify}"+deep(100, ""), "ignored"),
		from("100 attributes", many(100, " a%d=''"), "", "ignored"),
		from("100 attributes within", "", "<x xmlns='urn:x'"+many(100, " a%d=''")+"/>", "ignored"),
		from("100 prefixes", many(100, " xmlns:a%d='urn:x'"), "", "ignored"),
		from("an attribute of 70 KB", " a='"+strings.Repeat("x", 70<<10)+"'", "", "ignored"),
		from("an id of 60 KB", " id='"+strings.Repeat("x", 60<<10)+"'", "", "message"),
		from("a name of 2 KB", "", "<"+strings.Repeat("x", 2<<10)+"/>", "ignored"),
		from("1000 namespaces", "", many(1000, "<a xmlns='urn:x:%d'/>"), "message"),
		from("a type of 60 KB with a notify", " type='"+strings.Repeat("x", 60<<10)+"'", "{notify}", "ignored"),
	}
}

// xmlRows use unusual features of XML, as another user sends them and as a server may
// relay them.
func xmlRows() []attack {
	from := func(name, attrs, payload, want string) attack {
		return attack{name, "<message xmlns='jabber:client' {to} from='bob@localhost/x'" + attrs + ">" + payload + "</message>", want}
	}
	return []attack{
		from("CDATA", "", "<body><![CDATA[</body></message><stream:error/>]]></body>", "message"),
		from("escaped markup", "", "<body>&lt;/message&gt;&lt;close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/&gt;</body>", "message"),
		from("]]> in text", "", "<body>]]&gt;</body>", "message"),
		from("uncommon characters", "", "<body>&#x7f;&#x85;&#x9f;\u2028\ufffd\ufdd0&#x1fffe;&#x10ffff;\ufeff</body>", "message"),
		from("line ends", "", "<body>&#13;&#10;&#9; \n\t</body>", "message"),
		from("uncommon names", "", "<\u00c9t\u00e9 xmlns='urn:x' \u0e01='1'/><a\u00b7\u0300 xmlns='urn:x'/>", "message"),
		from("names of Object", "", "<__proto__ xmlns='urn:x' constructor='1'/><toString xmlns='urn:x'/>", "message"),
		from("xml:lang", " xml:lang='&lt;&quot;'", "<body xml:space='preserve' xml:base='urn:x' xml:id='1'>x</body>", "message"),
		from("xml:anything", " xml:anything='x'", "<body>x</body>", "message"),
		from("an element of the xml namespace", "", "<xml:e/>", "ignored+message"),
		from("the xml namespace declared again", " xmlns:xml='http://www.w3.org/XML/1998/namespace'", "", "message"),
		from("two namespaces but for a line end", "", "<e xmlns='urn:x' xmlns:p='a&#10;b' xmlns:q='a b' p:x='1' q:x='2'/>", "message"),
		from("one prefix, two namespaces", "", "<p:a xmlns:p='urn:x'><p:a xmlns:p='urn:y'/></p:a>", "message"),
		from("no namespace within one", "", "<a xmlns='urn:x'><b xmlns=''><c/></b></a>", "message"),
		from("a namespace of markup", "", "<a xmlns='&lt;a b=&quot;&apos;>' xmlns:p='&apos; from=&apos;alice@localhost' p:x='1'/>", "message"),
		from("prefixed children", "", "<p:body xmlns:p='jabber:client'>x</p:body>", "message"),
		// The four above that redeclare a namespace, as Prosody 0.12 relays them. The
		// client reads nothing of them, and its session continues.
		from("xml:anything, relayed", " xmlns:ns1='http://www.w3.org/XML/1998/namespace' ns1:anything='x'", "{notify}", "ignored"),
		from("an element of the xml namespace, relayed", "", "<e xmlns='http://www.w3.org/XML/1998/namespace'/>", "ignored"),
		from("two namespaces but for a line end, relayed", "", "<e xmlns='urn:x' xmlns:ns1='a\nb' ns1:x='1' xmlns:ns2='a b' ns2:x='2'/>", "ignored"),
		from("a prefix that was lost on the way", "", "<p:e/>", "ignored"),
		from("an attribute prefix that was lost", " p:from='alice@localhost'", "{notify}", "ignored"),
		from("a prefix without a namespace", " xmlns:p=''", "", "ignored"),
		from("the prefix xmlns", " xmlns:xmlns='urn:x'", "", "ignored"),
		from("the namespace of declarations", "", "<e xmlns='http://www.w3.org/2000/xmlns/'/>", "ignored"),
	}
}
