//go:build js && wasm

package main

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
)

// A server accepts the login of alice, whose list is empty, and answers the requests to the
// service with answer. It is also its connection.
type server struct {
	mu       sync.Mutex
	answer   string // the payload
	arrived  func()
	queue    []string
	closed   bool
	authed   bool
	received []string // requests to the service
}

func (s *server) Dial(_ context.Context, _ string, arrived func()) (transport.Conn, error) {
	s.arrived = arrived
	return s, nil
}

func (s *server) Receive() (messages []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages, s.queue = s.queue, nil
	if len(messages) == 0 && s.closed {
		err = errors.New("closed")
	}
	return messages, err
}

func (s *server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.arrived()
	return nil
}

var attribute = map[string]*regexp.Regexp{"id": regexp.MustCompile(` id='([^']*)'`), "to": regexp.MustCompile(` to='([^']*)'`)}

func (s *server) Send(message string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	read := func(name string) string {
		if found := attribute[name].FindStringSubmatch(message); found != nil {
			return found[1]
		}
		return ""
	}
	result := func(payload string) {
		s.queue = append(s.queue, "<iq xmlns='jabber:client' type='result' id='"+read("id")+"' from='"+read("to")+"'>"+payload+"</iq>")
	}
	switch {
	case strings.HasPrefix(message, "<open "):
		features := "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
		if s.authed {
			features = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
		}
		s.queue = append(s.queue, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='localhost' id='s' version='1.0'/>",
			"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"+features+"</stream:features>")
	case strings.HasPrefix(message, "<auth "):
		s.authed = true
		s.queue = append(s.queue, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	case strings.HasPrefix(message, "<close "):
		s.queue = append(s.queue, message)
	case strings.Contains(message, "<bind "):
		result("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/x</jid></bind>")
	case read("to") == "pubsub.localhost":
		s.received = append(s.received, message)
		result(s.answer)
	case strings.Contains(message, "disco#info'"):
		result("<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:pam:0'/></query>")
	case strings.HasPrefix(message, "<iq "):
		result("<subscriptions xmlns='urn:xmpp:pam:0' ver='v0'/>")
	}
	s.arrived()
	return nil
}

// connected returns a bridge whose client is connected to the server.
func (s *server) connected(t *testing.T) *peer {
	t.Helper()
	p := newPeer(t)
	c, err := client.New(&client.Options{Account: "alice@localhost", URL: "wss://localhost/", Dialer: s, Mechanisms: []string{"PLAIN"}, Store: store.NewMemory(),
		Credentials: func(context.Context, client.CredentialRequest) (client.Credentials, error) {
			return client.Credentials{Password: "secret"}, nil
		}})
	if err == nil {
		_, err = c.Connect(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	p.client = c
	return p
}

// TestCatchUpPostsItsState checks that a page that continues the catch-up knows its state
// when it has the result.
func TestCatchUpPostsItsState(t *testing.T) {
	p := (&server{}).connected(t)
	p.ask(map[string]any{"id": 2, "op": "catchUp"})
	p.want(`"event":"inbox"`, `"catchUp":{"phase":"done"`)
	p.want(`"event":"scope"`)
	p.want(`{"id":2,"ok":null}`)
	p.ask(map[string]any{"id": 3, "op": "disconnect"})
	p.want(`"id":3`)
	p.ask(map[string]any{"id": 4, "op": "catchUp"})
	p.want(`{"id":4,"error"`, `"code":"offline"`)
	p.quiet()
}

// TestPubsubOperations checks what each operation requests, and the result that is posted.
func TestPubsubOperations(t *testing.T) {
	list := func(items ...any) safejs.Value {
		v, err := safejs.ValueOf(items)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const (
		pubsub = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
		owner  = "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"
		entry  = "<entry xmlns='http://www.w3.org/2005/Atom'><title>T</title><updated>1970-01-01T00:00:05Z</updated></entry>"
		form   = "<x xmlns='jabber:x:data' type='form'><field var='pubsub#deliver' type='boolean' label='L'><desc>D</desc><required/><value>1</value></field>" +
			"<field var='pubsub#digest' type='list-single'><option label='O'><value>a</value></option></field></x>"
	)
	s := &server{}
	p := s.connected(t)
	for _, tt := range []struct {
		op      string
		request map[string]any
		sent    string // in the last request
		answer  string
		posted  string
	}{
		{"publish", map[string]any{"item": "i", "xml": "<x xmlns='urn:x'/>"}, pubsub + "<publish node='n'><item id='i'><x xmlns='urn:x'/></item></publish>", "", `"i"`},
		{"publish", map[string]any{"xml": "<x xmlns='urn:x'/>"}, pubsub + "<publish node='n'><item><x ", pubsub + "<publish node='n'><item id='chosen'/></publish></pubsub>", `"chosen"`},
		{"retract", map[string]any{"item": "i"}, pubsub + "<retract node='n' notify='true'><item id='i'/></retract>", "", "null"},
		{"items", map[string]any{"max": 3}, pubsub + "<items node='n' max_items='3'/>", pubsub + "<items node='n'><item id='i' publisher='bob@localhost'>" + entry + "</item><item id='j'/></items></pubsub>",
			`[{"id":"i","publisher":"bob@localhost","occurredAt":5000,"namespace":"http://www.w3.org/2005/Atom","xml":"` + entry + `","entry":{"title":"T","published":null,"updated":5000}},{"id":"j","occurredAt":null}]`},
		{"items", map[string]any{"items": list("i", "j"), "subid": "s"}, pubsub + "<items node='n' subid='s'><item id='i'/><item id='j'/></items>", pubsub + "<items node='n'/></pubsub>", "[]"},
		{"createNode", map[string]any{"form": list([]any{"pubsub#title", "T"}, []any{})}, pubsub + "<create node='n'/><configure>", "", `"n"`},
		{"createNode", map[string]any{"node": ""}, pubsub + "<create/>", pubsub + "<create node='chosen'/></pubsub>", `"chosen"`},
		{"deleteNode", map[string]any{"redirect": "xmpp:r"}, owner + "<delete node='n'><redirect uri='xmpp:r'/></delete>", "", "null"},
		{"nodes", map[string]any{"max": 1, "after": "a"}, "<max>1</max><after>a</after>",
			"<query xmlns='http://jabber.org/protocol/disco#items'><item jid='pubsub.localhost' node='b' name='B'/><set xmlns='http://jabber.org/protocol/rsm'><last>b</last></set></query>",
			`{"nodes":[{"service":"pubsub.localhost","node":"b","title":"B","created":null,"subscribers":0}],"next":"b"}`},
		{"nodeInfo", nil, "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>", "<query xmlns='http://jabber.org/protocol/disco#info' node='n'><identity category='pubsub' type='leaf'/>" +
			"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#meta-data</value></field><field var='pubsub#num_subscribers'><value>7</value></field></x></query>",
			`{"service":"pubsub.localhost","node":"n","kind":"leaf","created":null,"subscribers":7}`},
		{"getOptions", map[string]any{"subid": "s"}, "<options node='n' jid='alice@localhost' subid='s'/>", pubsub + "<options node='n' jid='alice@localhost'>" + form + "</options></pubsub>",
			`[{"name":"pubsub#deliver","type":"boolean","label":"L","description":"D","required":true,"choices":[],"values":["true"]},{"name":"pubsub#digest","type":"list-single","required":false,"choices":[["a","O"]],"values":[]}]`},
		{"setOptions", map[string]any{"form": list([]any{"pubsub#deliver", "false"})}, "<field var='pubsub#deliver'><value>false</value></field>", pubsub + "<options node='n' jid='alice@localhost'>" + form + "</options></pubsub>", "null"},
		{"iq", map[string]any{"to": "pubsub.localhost", "type": "set", "xml": "<x xmlns='urn:x'/>"}, " type='set' ", "<y xmlns='urn:y'/>", `"<y xmlns='urn:y'/>"`},
		{"send", map[string]any{"to": "pubsub.localhost", "type": "chat", "xml": "<body>b</body>"}, "type='chat'><body>b</body></message>", "", "null"},
		{"parseURI", map[string]any{"uri": "xmpp:pubsub.localhost?;node=m"}, "", "", `{"service":"pubsub.localhost","node":"m"}`},
	} {
		t.Run(tt.op, func(t *testing.T) {
			s.mu.Lock()
			s.answer, s.received = tt.answer, nil
			s.mu.Unlock()
			request := map[string]any{"id": 2, "op": tt.op, "service": "pubsub.localhost", "node": "n"}
			maps.Copy(request, tt.request)
			p.ask(request)
			if got := p.want(); got != `{"id":2,"ok":`+tt.posted+`}` {
				t.Errorf("posted %s\nwant %s", got, tt.posted)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if last := strings.Join(s.received[max(len(s.received)-1, 0):], ""); !strings.Contains(last, tt.sent) || (tt.sent == "") != (last == "") {
				t.Errorf("sent %q, want %q", last, tt.sent)
			}
		})
	}
}
