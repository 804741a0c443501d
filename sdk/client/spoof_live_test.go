//go:build !js

package client_test

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"xmpp-pam/sdk/client"
)

// TestSpoofLive has other users and another session of the account send the matrix
// through a real server, to the session and to the account. The server may stamp or
// refuse stanzas; those that arrive must have no effect.
func TestSpoofLive(t *testing.T) {
	p := newPeer(t)
	if p.Server != nil {
		t.Skip("needs a real server between two users: PAM_SERVER=prosody")
	}
	v := newVictim(t, p)
	const unreadable = "\u1100" // A resource by RFC 6122, none by RFC 7622: even a marker from it is dropped (F4).
	for _, sender := range []struct {
		user, password, resource string
		rows                     []attack
	}{
		{"bob", "secret-b", "x", spoofs()},
		{"bob", "secret-b", unreadable, iqRows()},
		{"alice", testPassword, "other", append(append(fromRows(), typeRows()...), notifyRows()...)},
	} {
		var raw *rawSession
		sent, arrived, refused, thrown := 0, 0, 0, 0
		for _, to := range []string{v.full, "alice@" + p.domain} {
			for _, row := range sender.rows {
				if strings.HasPrefix(row.name, "lone ") {
					continue // Only a server sends it.
				}
				if raw == nil || raw.gone() {
					raw = rawLogin(t, p, v.device, sender.user, sender.password, sender.resource)
				}
				before, errors := v.mark(), raw.errors()
				id, mark := v.nextMark()
				raw.send(row.text(v.full, to))
				raw.send(mark)
				v.wait(row.name, func() bool {
					return v.passed(id) || raw.gone() || sender.resource == unreadable && v.arrived(id)
				})
				v.mu.Lock()
				got, came := v.seen(before), 0
				for _, f := range v.frames[before.frames:] {
					if !f.Out && !strings.Contains(f.XML, "'mark") && !strings.HasPrefix(f.XML, "<r ") && !strings.HasPrefix(f.XML, "<a ") {
						came++
					}
				}
				v.mu.Unlock()
				sent++
				if came > 0 {
					arrived++
				}
				if raw.errors() > errors {
					refused++
				}
				if raw.gone() {
					thrown++
				}
				for _, bad := range []string{"changed", "provisional", "list", "nonsense"} {
					if strings.Contains(got, bad) {
						t.Errorf("%s to %s: got %q\n", row.name, to, got)
					}
				}
				v.unharmed(row.name)
			}
		}
		t.Logf("%s/%s: %d rows sent, %d arrived at the client, %d answered with an error, %d ended the sender's stream", sender.user, sender.resource, sent, arrived, refused, thrown)
		if arrived < sent/4 {
			t.Error("too few stanzas arrived")
		}
	}
	v.stillServed("weather")

	// The count of handled stanzas is correct although the client has dropped many: it
	// can resume the session.
	v.Drop()
	v.wait("the loss", func() bool { return v.gate.count() == 2 && v.State().Resumed })
	if err := v.other.Unsubscribe(t.Context(), news); err != nil {
		t.Fatal(err)
	}
	v.waitNodes("weather")
}

// arrived reports whether a marker has arrived. The caller holds v.mu.
func (v *victim) arrived(id string) bool {
	return slices.ContainsFunc(v.frames[max(0, len(v.frames)-20):], func(f client.Frame) bool {
		return !f.Out && strings.Contains(f.XML, "'"+id+"'")
	})
}

// A rawSession is a logged-in user who sends arbitrary stanzas.
type rawSession struct {
	t    *testing.T
	conn *websocket.Conn

	mu       sync.Mutex
	ended    bool
	received int // errors
}

func rawLogin(t *testing.T, p *peer, watcher *device, user, password, resource string) *rawSession {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, p.url, &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	r := &rawSession{t: t, conn: conn}
	open := "<open xmlns='" + nsFraming + "' to='" + p.domain + "' version='1.0'/>"
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	for _, step := range []struct{ say, until string }{
		{open, "features"},
		{"<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>" + plain + "</auth>", "<success"},
		{open, "features"},
		{"<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='" + nsBind + "'><resource>" + resource + "</resource></bind></iq>", "<jid>"},
	} {
		r.send(step.say)
		for {
			_, message, err := conn.Read(ctx)
			if err != nil {
				t.Fatalf("%s: %v", step.say, err)
			}
			if strings.Contains(string(message), step.until) {
				break
			}
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, message, err := conn.Read(context.Background())
			r.mu.Lock()
			r.ended = r.ended || err != nil || strings.HasPrefix(string(message), "<close")
			if strings.Contains(string(message), "type='error'") || strings.Contains(string(message), "type=\"error\"") {
				r.received++
			}
			r.mu.Unlock()
			watcher.mu.Lock()
			watcher.changed.Broadcast()
			watcher.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		conn.CloseNow()
		<-done
	})
	return r
}

// send writes a message, unless the server has ended the stream.
func (r *rawSession) send(message string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = r.conn.Write(ctx, websocket.MessageText, []byte(message))
}

func (r *rawSession) gone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

func (r *rawSession) errors() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.received
}
