package prosody

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a server for one test. Without Prosody it skips the test, or fails it on CI.
func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	if err := Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("Prosody's log:\n%s", s.Log())
		}
	})
	return s
}

// device is a logged-in session that speaks raw XML.
type device struct {
	t    testing.TB
	conn *websocket.Conn
	user string
	jid  string
	ids  int
}

// online logs a device in and sends presence, as most tests need.
func online(t testing.TB, s *Server, user, resource string) *device {
	t.Helper()
	d := login(t, s, user, resource)
	d.send(`<presence xmlns='jabber:client'/>`)
	d.drain()
	return d
}

func login(t testing.TB, s *Server, user, resource string) *device {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, s.URL(), &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	d := &device{t: t, conn: conn, user: user + "@localhost", jid: user + "@localhost/" + resource}
	t.Cleanup(d.leave)
	open := `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>`
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + "pw-" + user))
	d.send(open)
	d.until("features")
	d.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>` + plain + `</auth>`)
	d.until("success")
	d.send(open)
	d.until("features")
	d.send(`<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>` + resource + `</resource></bind></iq>`)
	if got := d.until("iq"); got.at("bind", "jid").Text != d.jid {
		t.Fatalf("bound as %q, want %q", got.at("bind", "jid").Text, d.jid)
	}
	return d
}

// leave closes the stream and waits for the server to close the socket: a Prosody with open streams needs
// a second to exit.
func (d *device) leave() {
	defer d.conn.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := d.conn.Write(ctx, websocket.MessageText, []byte(`<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`))
	for err == nil {
		_, _, err = d.conn.Read(ctx)
	}
}

func (d *device) send(text string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	if err := d.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		d.t.Fatalf("%s: %v", d.jid, err)
	}
}

// read returns the next element.
func (d *device) read() node {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := d.conn.Read(ctx)
	if err != nil {
		d.t.Fatalf("%s: %v", d.jid, err)
	}
	var n node
	if err := xml.Unmarshal(data, &n); err != nil {
		d.t.Fatalf("%s: %v in %s", d.jid, err, data)
	}
	return n
}

// until reads elements up to the first one of that name and returns it.
func (d *device) until(name string) node {
	d.t.Helper()
	for {
		if n := d.read(); n.XMLName.Local == name {
			return n
		}
	}
}

// sendIQ sends an IQ to the own account and returns everything received up to its answer, the answer last.
// Presence is left out.
func (d *device) sendIQ(kind, payload string) []node {
	d.t.Helper()
	return d.sendIQTo("", kind, payload)
}

func (d *device) sendIQTo(to, kind, payload string) []node {
	d.t.Helper()
	d.ids++
	id := fmt.Sprintf("q%d", d.ids)
	if to != "" {
		to = " to='" + to + "'"
	}
	d.send(fmt.Sprintf("<iq xmlns='jabber:client' type='%s' id='%s'%s>%s</iq>", kind, id, to, payload))
	return d.answer(id)
}

// answer returns everything received up to the answer to an IQ.
func (d *device) answer(id string) []node {
	d.t.Helper()
	var received []node
	for {
		n := d.read()
		if n.XMLName.Local == "presence" {
			continue
		}
		received = append(received, n)
		if n.XMLName.Local == "iq" && n.attr("id") == id && n.attr("type") != "get" && n.attr("type") != "set" {
			return received
		}
	}
}

// drain returns everything that the server has sent until now: it answers drain's ping after that.
func (d *device) drain() []node {
	d.t.Helper()
	received := d.sendIQTo("localhost", "get", "<ping xmlns='urn:xmpp:ping'/>")
	return received[:len(received)-1]
}

// begin sends a request to the own account and returns its id, for answer.
func (d *device) begin(payload string) string {
	d.t.Helper()
	d.ids++
	id := fmt.Sprintf("q%d", d.ids)
	d.send("<iq xmlns='jabber:client' type='set' id='" + id + "'>" + payload + "</iq>")
	return id
}

func (d *device) subscribe(service, name string) []node {
	d.t.Helper()
	return d.sendIQ("set", pam(service, "subscribe", name, d.user))
}

func (d *device) unsubscribe(service, name string) []node {
	d.t.Helper()
	return d.sendIQ("set", pam(service, "unsubscribe", name, d.user))
}

// list requests the list, with a version unless ver is empty.
func (d *device) list(ver string) []node {
	d.t.Helper()
	if ver != "" {
		ver = " ver='" + ver + "'"
	}
	return d.sendIQ("get", "<subscriptions xmlns='urn:xmpp:pam:0'"+ver+"/>")
}

func pam(service, operation, name, subscriber string) string {
	return fmt.Sprintf("<pam xmlns='urn:xmpp:pam:0' jid='%s'><%s xmlns='http://jabber.org/protocol/pubsub' node='%s' jid='%s'/></pam>",
		service, operation, name, subscriber)
}

// version returns the version token of the last stanza that has one.
func version(t testing.TB, received []node) string {
	t.Helper()
	for i := len(received) - 1; i >= 0; i-- {
		for _, child := range []string{"notify", "subscriptions"} {
			if ver := received[i].at(child).attr("ver"); ver != "" {
				return ver
			}
		}
	}
	t.Fatalf("no version in %v", received)
	return ""
}

func expect(t testing.TB, received []node, want ...string) {
	t.Helper()
	got := make([]string, len(received))
	for i, n := range received {
		got[i] = n.String()
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("received:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
