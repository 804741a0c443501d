//go:build !js

package mem

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a server with accounts alice, bob and carol (password: the name backwards), reachable over loopback.
type rig struct {
	*Server
	url string
}

func newRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	cfg.Accounts = map[string]string{"alice": "ecila", "bob": "bob", "carol": "lorac"}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		web.Close()
	})
	return &rig{s, "ws" + strings.TrimPrefix(web.URL, "http")}
}

// peer is a client that does not interpret the protocol: it sends text and reads text.
type peer struct {
	t    *testing.T
	ws   *websocket.Conn
	ctx  context.Context
	full string
}

func (r *rig) dial(t *testing.T) *peer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	ws, _, err := websocket.Dial(ctx, r.url, &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { ws.CloseNow(); cancel() })
	return &peer{t: t, ws: ws, ctx: ctx}
}

func (p *peer) sendf(format string, args ...any) {
	p.t.Helper()
	p.send(fmt.Sprintf(format, args...))
}

func (p *peer) send(text string) {
	p.t.Helper()
	if err := p.ws.Write(p.ctx, websocket.MessageText, []byte(text)); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// next returns the next message, or "closed <code>" when the server has closed the WebSocket.
func (p *peer) next() string {
	p.t.Helper()
	_, msg, err := p.ws.Read(p.ctx)
	if p.ctx.Err() != nil {
		p.t.Fatal("nothing came within the time limit")
	}
	if err != nil {
		return fmt.Sprintf("closed %d", websocket.CloseStatus(err))
	}
	return string(msg)
}

// want reads messages and checks that each contains the space-separated parts of its expectation, in this order.
func (p *peer) want(expected ...string) {
	p.t.Helper()
	for _, parts := range expected {
		got := p.next()
		rest := got
		for part := range strings.FieldsSeq(parts) {
			_, after, ok := strings.Cut(rest, part)
			if !ok {
				p.t.Fatalf("%s: got  %s\nwant %s (missing %s)", p.full, got, parts, part)
			}
			rest = after
		}
	}
}

// quiet checks that the server has sent nothing else: the next message must be the answer to a ping.
func (p *peer) quiet() {
	p.t.Helper()
	p.send("<iq xmlns='jabber:client' type='get' id='quiet' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
	p.want("type='result' id='quiet' from='localhost'")
}

const openMessage = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"

func (p *peer) open() {
	p.t.Helper()
	p.send(openMessage)
	p.want("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='localhost' id= version='1.0' xml:lang=", "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>")
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func (p *peer) login(user, password, resource string) *peer {
	p.t.Helper()
	p.authenticate(user, password)
	p.sendf("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>%s</resource></bind></iq>", resource)
	p.full = user + "@localhost/" + resource
	p.want("type='result' id='b' <jid>" + p.full + "</jid>")
	return p
}

func (p *peer) authenticate(user, password string) {
	p.t.Helper()
	p.open()
	p.sendf("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", b64("\x00"+user+"\x00"+password))
	p.want("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'")
	p.open()
}

// session logs in and then sends extra, such as presence.
func (r *rig) session(t *testing.T, user, resource string, extra ...string) *peer {
	t.Helper()
	passwords := map[string]string{"alice": "ecila", "bob": "bob", "carol": "lorac"}
	p := r.dial(t).login(user, passwords[user], resource)
	for _, x := range extra {
		p.send(x)
	}
	p.quiet()
	return p
}

const (
	available = "<presence xmlns='jabber:client'/>"
	listPAM   = "<iq xmlns='jabber:client' type='get' id='l'><subscriptions xmlns='urn:xmpp:pam:0'/></iq>"
)

// joined returns a session that has sent presence and requested the list.
func (r *rig) joined(t *testing.T, user, resource string) *peer {
	t.Helper()
	p := r.session(t, user, resource, available)
	p.send(listPAM)
	p.want("type='result' id='l' <subscriptions xmlns='urn:xmpp:pam:0' ver=")
	return p
}

func priority(n int) string {
	return fmt.Sprintf("<presence xmlns='jabber:client'><priority>%d</priority></presence>", n)
}

func TestLoginSCRAMByHand(t *testing.T) {
	r := newRig(t, Config{})
	for mech, h := range map[string]func() hash.Hash{"SCRAM-SHA-512": sha512.New, "SCRAM-SHA-256": sha256.New, "SCRAM-SHA-1": sha1.New} {
		t.Run(mech, func(t *testing.T) {
			p := r.dial(t)
			p.open()
			p.sendf("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='%s'>%s</auth>", mech, b64("n,,n=alice,r=abc"))
			first := saslText(t, p.next(), "challenge")
			fields := strings.Split(first, ",")
			if !strings.HasPrefix(first, "r=abc") || fields[2] != "i=4096" || len(fields[0]) < len("r=abc")+16 {
				t.Fatalf("challenge %q", first)
			}
			salt, _ := base64.StdEncoding.DecodeString(fields[1][2:])
			final, server := clientFinal(t, h, "ecila", salt, "n=alice,r=abc", first, "c=biws,"+fields[0])
			p.sendf("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</response>", b64(final))
			if got := saslText(t, p.next(), "success"); got != "v="+server {
				t.Errorf("server signature %q, want %q", got, server)
			}

			// Correct proofs for parameters that were not negotiated.
			x := &exchange{mech: mech, domain: "localhost", find: r.credentials}
			for _, without := range []string{"c=biws,r=abcdef", "c=eSws,r=NONCE", "c=biws,r=NONCEx"} {
				first, _, _ := x.step("n,,n=alice,r=abc")
				fields := strings.Split(first, ",")
				salt, _ := base64.StdEncoding.DecodeString(fields[1][2:])
				final, _ := clientFinal(t, h, "ecila", salt, "n=alice,r=abc", first, strings.Replace(without, "r=NONCE", fields[0], 1))
				if _, done, failure := x.step(final); done || failure != "not-authorized" {
					t.Errorf("%s: done %v, %q", without, done, failure)
				}
				x.final = false
			}
		})
	}
}

// clientFinal computes the client's final message of RFC 5802 §3.
func clientFinal(t *testing.T, h func() hash.Hash, password string, salt []byte, bare, first, without string) (msg, server string) {
	t.Helper()
	salted := hi(h, password, salt, 4096)
	key := mac(h, salted, "Client Key")
	sum := h()
	sum.Write(key)
	auth := bare + "," + first + "," + without
	proof := mac(h, sum.Sum(nil), auth)
	for i := range proof {
		proof[i] ^= key[i]
	}
	return without + ",p=" + base64.StdEncoding.EncodeToString(proof),
		base64.StdEncoding.EncodeToString(mac(h, mac(h, salted, "Server Key"), auth))
}

// hi is Hi() of RFC 5802 §2.2, implemented independently.
func hi(h func() hash.Hash, password string, salt []byte, n int) []byte {
	u := mac(h, []byte(password), string(salt)+"\x00\x00\x00\x01")
	out := append([]byte(nil), u...)
	for range n - 1 {
		u = mac(h, []byte(password), string(u))
		for i := range out {
			out[i] ^= u[i]
		}
	}
	return out
}

func saslText(t *testing.T, msg, name string) string {
	t.Helper()
	text, ok := strings.CutPrefix(msg, "<"+name+" xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>")
	if !ok {
		t.Fatalf("got %s, want <%s/>", msg, name)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(text, "</"+name+">"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
