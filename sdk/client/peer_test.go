//go:build !js

package client_test

import (
	"cmp"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/server/prosody"
)

// A peer is the server of a test: the one in memory, or a real Prosody if
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
		t.Skip("the test starts its own server, independent of PAM_SERVER")
	}
}

// newPeer starts a server with the accounts alice and bob, the open nodes news
// and weather, and the node club, which refuses subscribers. edit is for the one in
// memory.
func newPeer(t *testing.T, edit ...func(*mem.Config)) *peer {
	t.Helper()
	accounts := map[string]string{"alice": testPassword, "bob": "secret-b"}
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
		makePersonalNode(server)
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

// makePersonalNode gives alice a personal node, as most accounts have one. A server that
// lists none may just not list them, and the client then reads all that it may have.
func makePersonalNode(server *mem.Server) {
	_ = server.CreateNodeAt("alice", "urn:xmpp:bookmarks:1", map[string]string{"pubsub#access_model": "whitelist"})
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

// onlyMem skips a test that inspects or controls the server in memory.
func (p *peer) onlyMem(t *testing.T) {
	t.Helper()
	if p.Server == nil {
		t.Skip("needs the server in memory")
	}
}

// refreshIfSilent has a device request the list if the server does not notify the end
// of a subscription.
func (p *peer) refreshIfSilent(d *device) {
	d.t.Helper()
	if p.like.SilentUnsubscribe {
		if err := d.Refresh(d.t.Context(), false); err != nil {
			d.t.Fatal(err)
		}
	}
}
