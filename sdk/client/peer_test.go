//go:build !js

package client_test

import (
	"cmp"
	"context"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/server/prosody"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport/ws"
)

// A peer is a server to test against: the one in memory, or a real Prosody if
// PAM_SERVER=prosody. The same tests run against both, and with PAM_SERVER=mem:name
// against the one in memory as it behaves with that personality.
type peer struct {
	url         string
	domain      string
	publish     func(node, itemID, payloadXML string) error
	like        mem.Personality
	*mem.Server // nil with Prosody
}

// needsMem skips a test that starts a server of its own.
func needsMem(t *testing.T) {
	t.Helper()
	if name := os.Getenv("PAM_SERVER"); name != "" && name != "mem" {
		t.Skip("has a server of its own, whatever PAM_SERVER is")
	}
}

// newPeer starts a server with the accounts alice and bob, the open nodes news
// and weather, and the node club, which lets nobody in. edit is for the one in
// memory.
func newPeer(t *testing.T, edit ...func(*mem.Config)) *peer {
	t.Helper()
	accounts := map[string]string{"alice": canary, "bob": "secret-b"}
	name, like, _ := strings.Cut(os.Getenv("PAM_SERVER"), ":")
	switch name {
	case "", "mem":
		config := mem.Config{Accounts: accounts, Personality: personality(cmp.Or(like, "spec"))}
		for _, e := range edit {
			e(&config)
		}
		server, err := mem.New(config)
		if err != nil {
			t.Fatal(err)
		}
		for node, access := range map[string]string{"news": "open", "weather": "open", "club": "whitelist"} {
			if err := server.CreateNode(node, access); err != nil {
				t.Fatal(err)
			}
		}
		front := httptest.NewServer(server)
		t.Cleanup(func() {
			_ = server.Close()
			front.Close()
		})
		return &peer{url: "ws" + strings.TrimPrefix(front.URL, "http") + "/xmpp-websocket", domain: "localhost", publish: server.Publish, Server: server, like: config.Personality}
	case "prosody":
		return newProsody(t, prosody.Config{Accounts: accounts, Nodes: []string{"news", "weather", "club:whitelist"}})
	default:
		t.Fatalf("PAM_SERVER=%s: use mem, mem: and a personality, or prosody", name)
		return nil
	}
}

func newProsody(t *testing.T, cfg prosody.Config) *peer {
	t.Helper()
	server, err := prosody.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(server.Log())
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &peer{url: server.URL(), domain: server.Domain(), publish: server.Publish}
}

// onlyMem skips a test that needs to look into the server.
func (p *peer) onlyMem(t *testing.T) {
	t.Helper()
	if p.Server == nil {
		t.Skip("needs the server in memory")
	}
}

// tell has a device ask for the list if the server does not tell it of the end of a
// subscription.
func (p *peer) tell(d *device) {
	d.t.Helper()
	if p.like.SilentUnsubscribe {
		if err := d.Refresh(d.t.Context(), false); err != nil {
			d.t.Fatal(err)
		}
	}
}

// A device is a client of a test and what it has seen.
type device struct {
	*client.Client
	t *testing.T

	mu       sync.Mutex
	changed  *sync.Cond
	events   []client.Event
	frames   []client.Frame
	password string
	reasons  []string     // why credentials were asked for
	first    pam.Snapshot // what was stored, where a test asked for it
}

// newDevice makes a client of alice with the given store, or of the account
// that edit sets.
func newDevice(t *testing.T, p *peer, s store.Store, edit ...func(*client.Options)) *device {
	t.Helper()
	d := &device{t: t, password: canary}
	d.changed = sync.NewCond(&d.mu)
	opts := &client.Options{
		Account: "alice@" + p.domain,
		URL:     p.url,
		Credentials: func(_ context.Context, r client.CredentialRequest) (client.Credentials, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.reasons = append(d.reasons, r.Reason)
			return client.Credentials{Password: d.password}, nil
		},
		Dialer: &ws.Dialer{},
		Store:  s,
		OnEvent: func(e client.Event) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.events = append(d.events, e)
			d.changed.Broadcast()
		},
		OnFrame: func(f client.Frame) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.frames = append(d.frames, f)
			d.changed.Broadcast()
		},
	}
	for _, e := range edit {
		e(opts)
	}
	c, err := client.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	d.Client = c
	t.Cleanup(func() {
		d.sweep(s)
		_ = c.Close()
	})
	return d
}

func (d *device) connect() *device {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	if _, err := d.Connect(ctx); err != nil {
		d.t.Fatalf("connect: %v\n%s", err, d.log())
	}
	return d
}

// wait waits until ok holds, looking again after every event and frame.
func (d *device) wait(what string, ok func() bool) {
	d.t.Helper()
	d.waitFor(10*time.Second, what, ok)
}

func (d *device) waitFor(limit time.Duration, what string, ok func() bool) {
	d.t.Helper()
	expired := time.AfterFunc(limit, d.changed.Broadcast)
	defer expired.Stop()
	deadline := time.Now().Add(limit)
	d.mu.Lock()
	defer d.mu.Unlock()
	for !ok() {
		if time.Now().After(deadline) {
			d.t.Fatalf("waited in vain for %s\n%s", what, d.logLocked())
		}
		d.changed.Wait()
	}
}

// waitNodes waits until the committed list holds exactly these nodes.
func (d *device) waitNodes(nodes ...string) {
	d.t.Helper()
	d.wait("the list "+strings.Join(nodes, ","), func() bool { return slices.Equal(nodesOf(d.Snapshot().List), nodes) })
}

// wire returns the frames of one direction, joined.
func (d *device) wire(out bool) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for _, f := range d.frames {
		if f.Out == out {
			b.WriteString(f.XML + "\n")
		}
	}
	return b.String()
}

func (d *device) log() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logLocked()
}

func (d *device) logLocked() string {
	var b strings.Builder
	for _, f := range d.frames {
		arrow := "S: "
		if f.Out {
			arrow = "C: "
		}
		b.WriteString(arrow + f.XML + "\n")
	}
	return b.String()
}

func nodesOf(list []pam.Subscription) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, s.Node)
	}
	return out
}

// parsed is the stanza of a message.
func parsed(m client.MessageReceived) *element.Element {
	e, _ := element.Parse(m.XML, nil)
	return e
}
