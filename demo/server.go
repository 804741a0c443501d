package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/server/prosody"
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

// A memServer is the in-memory server of this repository. Unlike the others, it lets
// tests inspect its state and delay its messages.
type memServer struct {
	*mem.Server
	catalogue
}

func newMemServer(accounts []account) (*memServer, error) {
	s, err := mem.New(mem.Config{Domain: domain, Accounts: passwords(accounts), Archive: true, RSM: true})
	if err != nil {
		return nil, err
	}
	return &memServer{Server: s, catalogue: catalogue{accounts: accounts}}, nil
}

func (s *memServer) About() serverInfo {
	return serverInfo{Kind: "mem", Name: "in-memory server", PAM: "built in"}
}

func (s *memServer) AddAccount(name, password string) error {
	return s.account(account{name, password}, s.Server.AddAccount(name, password))
}

func (s *memServer) CreateNode(name, access string) error {
	return s.node(newNode(name, access), s.Server.CreateNode(name, access))
}

func (s *memServer) Gone() <-chan error { return nil }

// A prosodyServer is a Prosody process with a temporary folder, which runs as long
// as the demo.
type prosodyServer struct {
	*prosody.Server
	catalogue
	proxy http.Handler
	gone  chan error
	done  chan struct{}
	watch sync.WaitGroup
}

func newProsodyServer(ctx context.Context, accounts []account) (*prosodyServer, error) {
	if err := prosody.Available(); err != nil {
		return nil, err
	}
	p, err := prosody.Start(ctx, prosody.Config{Accounts: passwords(accounts)})
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(p.URL())
	if err != nil {
		p.Close()
		return nil, err
	}
	target.Scheme = strings.Replace(target.Scheme, "ws", "http", 1)
	s := &prosodyServer{
		Server:    p,
		catalogue: catalogue{accounts: accounts},
		gone:      make(chan error, 1),
		done:      make(chan struct{}),
	}
	s.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL = target
			r.Out.Host = target.Host
			r.Out.Header.Del("Origin") // the device has checked it, and Prosody does not accept it
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "Prosody does not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
	s.watch.Go(func() { s.waitUntilGone(target.Host) })
	return s, nil
}

// waitUntilGone connects to Prosody's port repeatedly, and reports that Prosody has
// ended when two consecutive attempts fail.
func (s *prosodyServer) waitUntilGone(addr string) {
	for failed := 0; ; {
		select {
		case <-s.done:
			return
		case <-time.After(2 * time.Second):
		}
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			conn.Close()
			failed = 0
		} else if failed++; failed == 2 {
			lines := strings.Split(strings.TrimSpace(s.Server.Log()), "\n")
			s.gone <- fmt.Errorf("the Prosody process has ended; start the demo again. The end of its log:\n%s", strings.Join(lines[max(0, len(lines)-8):], "\n"))
			return
		}
	}
}

func (s *prosodyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.proxy.ServeHTTP(w, r) }

func (s *prosodyServer) About() serverInfo {
	return serverInfo{Kind: "prosody", Name: s.Version(), PAM: "by our mod_pam"}
}

func (s *prosodyServer) AddAccount(name, password string) error {
	return s.account(account{name, password}, s.Server.AddAccount(name, password))
}

func (s *prosodyServer) CreateNode(name, access string) error {
	return s.node(newNode(name, access), s.Server.CreateNode(name, access))
}

func (s *prosodyServer) Log() any           { return s.Server.Log() }
func (s *prosodyServer) Gone() <-chan error { return s.gone }

func (s *prosodyServer) Close() error {
	close(s.done)
	s.watch.Wait()
	return s.Server.Close()
}
