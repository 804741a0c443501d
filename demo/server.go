package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

const (
	domain        = "localhost"
	pubsubService = "pubsub.localhost"
)

// An xmppServer is the server that the devices connect to.
type xmppServer interface {
	http.Handler // the WebSocket endpoint (RFC 7395)

	About() serverInfo
	Accounts() []account
	Nodes() []nodeInfo

	AddAccount(name, password string) error
	CreateNode(name, access string) error
	Publish(node, item, xml string) error
	// Register adds an account that Accounts does not list.
	Register(name, password string) error
	// Following returns the nodes that an account follows.
	Following(account string) ([]string, error)
	// Follow makes an account follow some nodes and no longer follow others. It creates
	// nodes that do not exist, which Nodes does not list.
	Follow(account string, follow, unfollow []string) error
	// EndSession ends the session with that full JID, if there is one, as if it had not
	// been resumed in time.
	EndSession(jid string) error
	// Restart ends all sessions, so that none can be resumed, and returns when the server
	// accepts connections again. The data stays.
	Restart() error
	// Log returns the server's log, in its own format.
	Log() any
	// Gone receives an error if the server ends unexpectedly.
	Gone() <-chan error
	Close() error
}

type serverInfo struct {
	Kind string `json:"kind"` // mem or prosody
	Name string `json:"name"`
	PAM  string `json:"pam"` // what implements XEP-0376
}

type account struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// A nodeInfo describes a node of the publish-subscribe service. The page shows Title, if
// there is one, as the name of a feed.
type nodeInfo struct {
	Name   string `json:"name"`
	Access string `json:"access"`
	Title  string `json:"title,omitempty"`
}

// The initial accounts and nodes of a demo.
var (
	firstAccounts = []account{{"alice", "wonderland"}, {"bob", "builder"}}
	firstNodes    = []nodeInfo{
		{"news", "open", "City news"}, {"weather", "open", "Weather"}, {"gallery", "open", "Photo gallery"},
		{"princely_musings", "open", "Princely musings"}, {"secret-club", "whitelist", "Secret club"},
	}
)

// startServer starts the server that -server names, with these accounts and
// the first nodes.
func startServer(ctx context.Context, kind string, accounts []account) (xmppServer, error) {
	var s xmppServer
	var err error
	switch kind {
	case "mem":
		s, err = newMemServer(accounts)
	case "prosody":
		s, err = newProsodyServer(ctx, accounts)
	default:
		return nil, fmt.Errorf("-server %s: there are mem and prosody", kind)
	}
	if err != nil {
		return nil, err
	}
	for _, n := range firstNodes {
		if err := s.CreateNode(n.Name, n.Access); err != nil {
			s.Close()
			return nil, fmt.Errorf("create node %s: %w", n.Name, err)
		}
	}
	return s, nil
}

// newNode returns the information on a node, with the title that it has if it is one of
// the first.
func newNode(name, access string) nodeInfo {
	for _, n := range firstNodes {
		if n.Name == name {
			return nodeInfo{name, access, n.Title}
		}
	}
	return nodeInfo{Name: name, Access: access}
}

func passwords(accounts []account) map[string]string {
	m := make(map[string]string, len(accounts))
	for _, a := range accounts {
		m[a.Name] = a.Password
	}
	return m
}

// A catalogue lists the accounts and nodes, so that the pages can show them.
type catalogue struct {
	mu       sync.Mutex
	accounts []account
	nodes    []nodeInfo
}

func (c *catalogue) Accounts() []account {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.accounts)
}

func (c *catalogue) Nodes() []nodeInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.nodes)
}

func (c *catalogue) account(a account, err error) error {
	if err == nil {
		c.mu.Lock()
		c.accounts = append(c.accounts, a)
		c.mu.Unlock()
	}
	return err
}

func (c *catalogue) node(n nodeInfo, err error) error {
	if err == nil {
		c.mu.Lock()
		c.nodes = append(c.nodes, n)
		c.mu.Unlock()
	}
	return err
}
