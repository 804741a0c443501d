//go:build !js

package mem

import (
	"context"
	"encoding/xml"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"mellium.im/sasl"
	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"
	xws "mellium.im/xmpp/websocket"
)

// melliumConn adapts coder/websocket to mellium's session. It sends one message per Write, which is one stanza below 4096 bytes, and sends
// <close/> in place of mellium's </stream:stream>.
type melliumConn struct{ net.Conn }

func (c melliumConn) Write(p []byte) (int, error) {
	if strings.TrimSpace(string(p)) == "</stream:stream>" {
		_, err := io.WriteString(c.Conn, "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
		return len(p), err
	}
	return c.Conn.Write(p)
}

// mellium logs in with mellium's own session and client SASL. Incoming message stanzas, as XML, go to the channel.
func (r *rig) mellium(t *testing.T, user, password string, mech sasl.Mechanism) (*xmpp.Session, <-chan string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	ws, _, err := websocket.Dial(ctx, r.url, &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	j := jid.MustParse(user + "@localhost")
	s, err := xmpp.NewSession(ctx, j.Domain(), j, melliumConn{websocket.NetConn(ctx, ws, websocket.MessageText)}, xmpp.Secure,
		xws.Negotiator(func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
			return xmpp.StreamConfig{Features: []xmpp.StreamFeature{xmpp.SASL("", password, mech), xmpp.BindResource()}}
		}))
	if err != nil {
		ws.CloseNow()
		cancel()
		t.Fatalf("%s: %v", mech.Name, err)
	}
	if s.State()&xmpp.Authn == 0 || s.LocalAddr().Resourcepart() == "" {
		t.Errorf("%s: state %v, address %s", mech.Name, s.State(), s.LocalAddr())
	}
	messages := make(chan string, 100)
	served := make(chan struct{})
	go func() {
		defer close(served)
		s.Serve(xmpp.HandlerFunc(func(tr xmlstream.TokenReadEncoder, start *xml.StartElement) error {
			if start.Name.Local == "close" {
				return io.EOF
			}
			var b strings.Builder
			enc := xml.NewEncoder(&b)
			if _, err := xmlstream.Copy(enc, xmlstream.MultiReader(xmlstream.Token(*start), tr)); err != nil {
				return err
			}
			enc.Flush()
			if start.Name.Local == "message" {
				messages <- b.String()
			}
			return nil
		}))
	}()
	t.Cleanup(func() {
		s.Close()
		<-served
		ws.CloseNow()
		cancel()
	})
	return s, messages
}

// iqSet sends payload and expects an empty or any result, and no error.
func iqSet(t *testing.T, s *xmpp.Session, to jid.JID, payload string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	resp, err := s.SendIQElement(ctx, xml.NewDecoder(strings.NewReader(payload)), stanza.IQ{Type: stanza.SetIQ, To: to})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	tok, err := resp.Token()
	if err != nil {
		t.Fatal(err)
	}
	start := tok.(xml.StartElement)
	if iq, err := stanza.NewIQ(start); err != nil || iq.Type != stanza.ResultIQ {
		t.Fatalf("%s: %+v, %v", payload, iq, err)
	}
}

// TestMellium has an independent client log in with every mechanism, subscribe through PAM and without it, and receive both notifies.
func TestMellium(t *testing.T) {
	r := newRig(t, Config{})
	for _, n := range []string{"n1", "n2"} {
		if err := r.CreateNode(n, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, mech := range []sasl.Mechanism{sasl.ScramSha256, sasl.ScramSha1, sasl.Plain} {
		t.Run(mech.Name, func(t *testing.T) {
			s, messages := r.mellium(t, "bob", "bob", mech)
			receives := func(parts ...string) {
				t.Helper()
				select {
				case m := <-messages:
					for _, part := range parts {
						if !strings.Contains(m, part) {
							t.Errorf("%s\nhas no %s", m, part)
						}
					}
				case <-time.After(10 * time.Second):
					t.Fatalf("nothing came, want %q", parts)
				}
			}
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := s.Send(ctx, stanza.Presence{}.Wrap(nil)); err != nil {
				t.Fatal(err)
			}
			list, err := s.SendIQElement(ctx, xml.NewDecoder(strings.NewReader("<subscriptions xmlns='urn:xmpp:pam:0'/>")), stanza.IQ{Type: stanza.GetIQ})
			if err != nil {
				t.Fatal(err)
			}
			list.Close()

			pubsub := jid.MustParse("pubsub.localhost")
			iqSet(t, s, jid.JID{}, "<pam xmlns='urn:xmpp:pam:0' jid='pubsub.localhost'><subscribe xmlns='http://jabber.org/protocol/pubsub' node='n1' jid='bob@localhost'/></pam>")
			receives("urn:xmpp:pam:0", "n1", "subscribed")
			iqSet(t, s, pubsub, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='n2' jid='bob@localhost'/></pubsub>")
			receives("urn:xmpp:pam:0", "n2", "subscribed")
			for _, n := range []string{"n1", "n2"} {
				if err := r.Publish(n, "i", "<e xmlns='urn:e'>"+n+"</e>"); err != nil {
					t.Fatal(err)
				}
				receives("pubsub#event", "urn:e", n)
			}
			iqSet(t, s, jid.JID{}, "<pam xmlns='urn:xmpp:pam:0' jid='pubsub.localhost'><unsubscribe xmlns='http://jabber.org/protocol/pubsub' node='n1' jid='bob@localhost'/></pam>")
			receives("urn:xmpp:pam:0", "n1", "none")
			iqSet(t, s, pubsub, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><unsubscribe node='n2' jid='bob@localhost'/></pubsub>")
			receives("urn:xmpp:pam:0", "n2", "none")
		})
	}
}
