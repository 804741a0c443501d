//go:build !js

package client_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// forgedRows answer a pending request with its id: {id}. Only the account's server may
// answer, in the spellings of RFC 6120 §8.1.2.1 and RFC 7622; the effect is then
// "answered". Besides the words of an attack, {ID} is the id in upper case and {answer}
// the content of the correct answer.
func forgedRows() []attack {
	var rows []attack
	both := func(want, name, attrs string) {
		rows = append(rows,
			attack{"result " + name, "<iq xmlns='jabber:client' {to} type='result' id='{id}' " + attrs + ">{answer}</iq>", want},
			attack{"error " + name, "<iq xmlns='jabber:client' {to} type='error' id='{id}' " + attrs + "><error type='cancel'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", want})
	}
	from := func(want string, froms ...string) {
		for _, f := range froms {
			both(want, fmt.Sprintf("from %q", f), "from='"+f+"'")
		}
	}
	both("answered", "without from", "")
	from("answered", "alice@localhost", "ALICE@Localhost", "localhost", "LOCALHOST", "{me}", "ALICE@LOCALHOST/desk")
	// Other users, services and other sessions, some with addresses similar to the account's.
	from("", "bob@localhost", "bob@localhost/x", "bob@localhost/desk", "evil.example", "evil.example/alice@localhost", "pubsub.localhost", "alice@pubsub.localhost", "sub.localhost", "alice@sub.localhost",
		"localhost.evil.example", "alice@localhost.evil.example", "alice@localhost/other", "alice@localhost/DESK", "alice@localhost/ ", "localhost/desk", "localhost/alice@localhost",
		"alic@localhost", "alice2@localhost", "\u0430lice@localhost", "al\u0131ce@localhost", "alice@l\u043ecalhost/desk", "alice\\40localhost@evil.example", "alice@127.0.0.1")
	// Invalid JIDs. An empty from is one of them.
	from("ignored", "", " ", "@", "@localhost", "alice@", "alice@localhost/", "a@b@c", "alice@localhost ", "&lt;alice@localhost>", "xmpp:alice@localhost@", "\u24d0lice@localhost",
		"localhost.", "xn--localhost-", "alice@xn--localhost-", "alice@l\u00adocalhost")
	// A from attribute in a namespace is not the from attribute (F1).
	both("", "with x:from of the account", "from='bob@localhost/x' xmlns:x='jabber:client' x:from='alice@localhost'")
	both("", "with x:from of the domain first", "xmlns:x='jabber:server' x:from='localhost' from='bob@localhost/x'")
	both("", "with From of the account", "from='bob@localhost/x' From='alice@localhost'")
	both("answered", "with only x:from of a stranger", "xmlns:x='jabber:client' x:from='bob@localhost/x'")

	const account, stranger = "{to} from='alice@localhost' ", "{to} from='bob@localhost/x' "
	return append(rows, []attack{
		// Another id belongs to another request, whatever the sender.
		{"id in upper case", "<iq xmlns='jabber:client' " + account + "type='result' id='{ID}'>{answer}</iq>", ""},
		{"id and more", "<iq xmlns='jabber:client' " + account + "type='result' id='{id}0'>{answer}</iq>", ""},
		{"id within blanks", "<iq xmlns='jabber:client' " + account + "type='result' id=' {id} '>{answer}</iq>", ""},
		{"x:id", "<iq xmlns='jabber:client' " + account + "type='result' xmlns:x='jabber:client' x:id='{id}' id='1'>{answer}</iq>", ""},
		{"only an x:id", "<iq xmlns='jabber:client' " + account + "type='result' xmlns:x='jabber:client' x:id='{id}'>{answer}</iq>", "ignored"},
		{"ID", "<iq xmlns='jabber:client' " + account + "type='result' ID='{id}' id='1'>{answer}</iq>", ""},
		{"id of a child", "<iq xmlns='jabber:client' " + account + "type='result' id='1'><x xmlns='urn:x' id='{id}'/>{answer}</iq>", ""},
		// Stanzas that are not answers.
		{"message with the id", "<message xmlns='jabber:client' " + account + "type='result' id='{id}'>{answer}</message>", "message"},
		{"error message with the id", "<message xmlns='jabber:client' " + account + "type='error' id='{id}'>{answer}<error type='cancel'/></message>", "message"},
		{"presence with the id", "<presence xmlns='jabber:client' " + account + "type='result' id='{id}'>{answer}</presence>", ""},
		{"error presence with the id", "<presence xmlns='jabber:client' " + account + "type='error' id='{id}'><error type='cancel'/></presence>", ""},
		{"iq in a message", "<message xmlns='jabber:client' " + stranger + "><iq type='result' id='{id}' from='alice@localhost'>{answer}</iq></message>", "message"},
		{"iq in a message of the account", "<message xmlns='jabber:client' " + account + "><iq type='result' id='{id}'>{answer}</iq></message>", "message"},
		{"iq in an iq", "<iq xmlns='jabber:client' " + stranger + "type='result' id='{id}'><iq type='result' id='{id}' from='alice@localhost'>{answer}</iq></iq>", ""},
		{"iq forwarded", "<message xmlns='jabber:client' " + stranger + "><forwarded xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client' type='result' id='{id}' from='alice@localhost'>{answer}</iq></forwarded></message>", "message"},
		{"iq of the server namespace", "<iq xmlns='jabber:server' " + account + "type='result' id='{id}'>{answer}</iq>", "ignored"},
		{"iq of no namespace", "<iq " + account + "type='result' id='{id}'>{answer}</iq>", "ignored"},
		{"IQ", "<IQ xmlns='jabber:client' " + account + "type='result' id='{id}'>{answer}</IQ>", "ignored"},
		{"get of a stranger", "<iq xmlns='jabber:client' " + stranger + "type='get' id='{id}'><subscriptions xmlns='urn:xmpp:pam:0' ver='POISON'/></iq>", "error"},
		{"set of a stranger", "<iq xmlns='jabber:client' " + stranger + "type='set' id='{id}'><subscriptions xmlns='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}</subscriptions></iq>", "error"},
		{"set of the account", "<iq xmlns='jabber:client' " + account + "type='set' id='{id}'><subscriptions xmlns='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}</subscriptions></iq>", "error"},
		{"set of two children", "<iq xmlns='jabber:client' " + account + "type='set' id='{id}'>{notify}{notify}</iq>", "error+ignored"},
		{"RESULT of the account", "<iq xmlns='jabber:client' " + account + "type='RESULT' id='{id}'>{answer}</iq>", "error+ignored"},
		{"x:type result of the account", "<iq xmlns='jabber:client' " + account + "xmlns:x='jabber:client' x:type='result' id='{id}'>{answer}</iq>", "error+ignored"},
		{"no type", "<iq xmlns='jabber:client' " + account + "id='{id}'>{answer}</iq>", "error+ignored"},
		// A forgery inside an answer of the account's own server (F2).
		{"tainted result", "<iq xmlns='jabber:client' " + account + "type='result' id='{id}'>{answer}<error xmlns='http://etherx.jabber.org/streams'/></iq>", "ignored"},
		{"tainted error", "<iq xmlns='jabber:client' {to} type='error' id='{id}'><error type='cancel'><a xmlns='urn:x'><close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/></a></error></iq>", "ignored"},
		{"result of a stranger, tainted", "<iq xmlns='jabber:client' " + stranger + "type='result' id='{id}'>{answer}<e xmlns='http://etherx.jabber.org/streams'/></iq>", "ignored"},
		// More or less content than an answer has.
		{"two children", "<iq xmlns='jabber:client' " + stranger + "type='result' id='{id}'><x xmlns='urn:x'/>{answer}</iq>", ""},
		{"no child", "<iq xmlns='jabber:client' " + stranger + "type='result' id='{id}'/>", ""},
		{"result and notify", "<iq xmlns='jabber:client' " + stranger + "type='result' id='{id}'>{answer}{notify}</iq>", ""},
		{"an empty list", "<iq xmlns='jabber:client' " + stranger + "type='result' id='{id}'><subscriptions xmlns='urn:xmpp:pam:0' ver='POISON'/></iq>", ""},
		{"a list of another session", "<iq xmlns='jabber:client' {to} from='alice@localhost/other' type='result' id='{id}'><subscriptions xmlns='urn:xmpp:pam:0' ver='POISON'>{row}</subscriptions></iq>", ""},
		{"two children of the account", "<iq xmlns='jabber:client' " + account + "type='result' id='{id}'><x xmlns='urn:x'/>{answer}</iq>", "answered"},
	}...)
}

// A held request is pending, because the gate holds the server's answer.
type held struct {
	id   string
	done <-chan error // nil if no call waits for its end
}

// An opening is a kind of request to which the test forges answers.
type opening struct {
	name   string
	answer string
	open   func(v *victim) held
	// shows reports whether the client has accepted a forged answer, for requests without
	// a call that waits for them. v.mu is held.
	shows func(v *victim, since moment) bool
	after func(v *victim) // undoes the effect of the true answer
}

func openings() []opening {
	weather := pam.Target{Service: "pubsub.localhost", Node: "weather"}
	leave := func(v *victim) {
		if err := v.peer.SetSubscription("alice", weather.Node, "none"); err != nil { // Not every server answers an unsubscribe.
			v.t.Fatal(err)
		}
		v.waitNodes("news")
	}
	return []opening{
		{name: "list", answer: "<subscriptions xmlns='urn:xmpp:pam:0' ver='POISON' service='evil.example'>{row}</subscriptions>",
			open: func(v *victim) held {
				return v.hold(1, "<subscriptions ", func(ctx context.Context) error { return v.Refresh(ctx, false) })
			},
			after: func(*victim) {}},
		{name: "subscribe", // The notify waits at the gate too.
			open: func(v *victim) held {
				return v.hold(2, "<pam ", func(ctx context.Context) error {
					_, err := v.Subscribe(ctx, weather)
					return err
				})
			},
			after: leave},
		{name: "disco", answer: "<query xmlns='" + nsInfo + "'/>",
			open: func(v *victim) held { // The client requests it only when a session begins.
				if err := v.Disconnect(v.t.Context()); err != nil {
					v.t.Fatal(err)
				}
				h := v.hold(1, nsInfo, func(ctx context.Context) error {
					_, err := v.Connect(ctx)
					return err
				})
				if err := <-h.done; err != nil {
					v.t.Fatal(err)
				}
				v.dials, h.done, v.catching = v.gate.count(), nil, true
				return h
			},
			// A client that accepts an answer without PAM from the account queries the domain.
			shows: func(v *victim, since moment) bool {
				return slices.ContainsFunc(v.frames[since.frames:], func(f client.Frame) bool {
					return f.Out && strings.Contains(f.XML, nsInfo) && strings.Contains(f.XML, " to='localhost'")
				})
			},
			after: func(*victim) {}},
	}
}

// TestSpoofAnswers sends every forged answer to a request of every kind while
// it is open. None but the server's own may end it; the true answer does.
func TestSpoofAnswers(t *testing.T) {
	for _, kind := range openings() {
		t.Run(kind.name, func(t *testing.T) {
			p := newPeer(t)
			p.onlyMem(t)
			if p.like.Forges {
				t.Skip("this server sends forged stanzas as well, whose effects cannot be distinguished")
			}
			v := newVictim(t, p)
			v.prefix = "list/" // A new session stores its time.
			v.stored = v.records()
			h := kind.open(v)
			v.before = v.Snapshot() // The overlay shows the requested change.
			answered, ignored := 0, 0
			for _, row := range forgedRows() {
				if row.want == "answered" {
					continue
				}
				before := v.mark()
				v.forge(kind, h, row)
				v.expect(row, before)
				select {
				case err := <-h.done:
					t.Fatalf("%s: the request ended (%v)", row.name, err)
				default:
				}
				v.unharmed(row.name)
				ignored++
			}
			v.end(h)
			kind.after(v)
			v.restore()

			for _, row := range forgedRows() {
				if row.want != "answered" {
					continue
				}
				h := kind.open(v)
				before := v.mark()
				v.forge(kind, h, row)
				if h.done != nil {
					<-h.done // Or the test runs out of time.
				} else {
					v.wait(row.name, func() bool { return kind.shows(v, before) })
				}
				v.end(held{}) // The true answer matches no request now.
				kind.after(v)
				v.restore()
				v.unharmed(row.name)
				answered++
			}
			v.stillServed("weather")
			t.Logf("%d rows ignored, %d taken", ignored, answered)
		})
	}
}

// hold makes a request, and returns when the gate has n stanzas of the server's answer.
// It finds the request's id by the text request.
func (v *victim) hold(n int, request string, ask func(context.Context) error) held {
	v.t.Helper()
	before, full := v.mark(), make(chan struct{})
	v.gate.shut(func(message string) bool {
		// Later requests of the same kind pass.
		if n == 0 || !strings.Contains(message, "<notify ") && !(strings.HasPrefix(message, "<iq") && v.answers(message, request, before)) {
			return false
		}
		if n--; n == 0 {
			close(full)
		}
		return true
	})
	done := begin(func() error { return ask(v.t.Context()) })
	<-full
	v.mu.Lock()
	defer v.mu.Unlock()
	return held{id: v.asked(request, before), done: done}
}

// answers reports whether a message answers the first such request since that moment.
func (v *victim) answers(message, request string, since moment) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := v.asked(request, since)
	return id != "" && strings.Contains(message, id)
}

// asked returns the id of the first iq that holds request. v.mu is held.
func (v *victim) asked(request string, since moment) string {
	for _, f := range v.frames[since.frames:] {
		if e, err := element.Parse(f.XML, nil); err == nil && f.Out && e.Name.Local == "iq" && strings.Contains(f.XML, request) {
			return e.Attr("id")
		}
	}
	return ""
}

// forge sends a row as an answer to a request.
func (v *victim) forge(kind opening, h held, row attack) {
	v.t.Helper()
	row.xml = strings.NewReplacer("{id}", h.id, "{ID}", strings.ToUpper(h.id), "{answer}", kind.answer).Replace(row.xml)
	v.attack(row)
}

// end lets the true answer pass, which ends the request without an error.
func (v *victim) end(h held) {
	v.t.Helper()
	v.gate.release()
	v.pass()
	if h.done == nil {
		return
	}
	if err := <-h.done; err != nil {
		v.t.Errorf("the true answer: %v", err)
	}
}
