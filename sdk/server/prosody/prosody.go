// Package prosody starts a real Prosody as a child process, with a server module for XEP-0376 (Pubsub
// Account Management) that this package carries, for tests and development.
//
// The server listens on one free port of 127.0.0.1, has one domain, "localhost", and a publish-subscribe
// service, "pubsub.localhost". It accepts XMPP over WebSocket (RFC 7395) without TLS from this machine
// only, and connects to no other server. It writes to one temporary folder only, which Close removes.
package prosody

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	domain  = "localhost"
	service = "pubsub.localhost"

	startTimeout = 20 * time.Second
	callTimeout  = 10 * time.Second
)

// Config describes what the server contains when Start returns. The zero value is a server without
// accounts and nodes.
type Config struct {
	Accounts map[string]string // localpart → password
	Nodes    []string          // nodes of pubsub.localhost with open access; "name:whitelist" makes a closed one
	Hash     string            // "SHA-256" (default) or "SHA-1": the hash of stored passwords, which decides the offered SCRAM mechanism
	Admins   []string          // localparts of accounts that may create nodes at pubsub.localhost

	NoArchive bool // accounts have no archive (XEP-0313)
}

// Server is a running Prosody. Its methods may be called from any goroutine.
type Server struct {
	dir     string
	port    int
	secret  string
	version string
	http    *http.Client

	lifecycle sync.Mutex // held by Restart and Close
	child     *child
	closed    bool
	closeErr  error
	lastLog   atomic.Value // string: what Log returns after the folder was removed
}

// Start runs Prosody in a new temporary folder and returns when it accepts connections and has the
// accounts and nodes of cfg. The context limits the start only; the server runs until Close, or until this process
// ends (on Linux; on other systems Prosody keeps running if this process is killed).
//
// If this process runs as root, so does Prosody: do not let untrusted programs reach its port.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	dir, err := os.MkdirTemp("", "xmpp-pam-prosody-")
	if err != nil {
		return nil, fmt.Errorf("prosody: no temporary folder: %w", err)
	}
	s, err := startIn(ctx, dir, cfg)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// URL is the WebSocket endpoint, ws://127.0.0.1:PORT/xmpp-websocket.
func (s *Server) URL() string {
	return fmt.Sprintf("ws://127.0.0.1:%d/xmpp-websocket", s.port)
}

// Domain is the domain of the accounts, "localhost". The publish-subscribe service is "pubsub." and the
// domain.
func (s *Server) Domain() string { return domain }

// Version is the name and version of the server, such as "Prosody 0.12.3".
func (s *Server) Version() string { return s.version }

// AddAccount registers an account, or sets the password of an existing one.
func (s *Server) AddAccount(localpart, password string) error {
	return s.call(context.Background(), "account", map[string]string{"localpart": localpart, "password": password})
}

// CreateNode creates a node at the publish-subscribe service. The access model is "open" (the default if
// access is empty) or "whitelist".
func (s *Server) CreateNode(node, accessModel string) error {
	if accessModel == "" {
		accessModel = "open"
	}
	return s.call(context.Background(), "node", map[string]string{"node": node, "access_model": accessModel})
}

// Publish publishes an item, in the name of the service, to an existing node. The payload is one XML
// element.
func (s *Server) Publish(node, itemID, payloadXML string) error {
	return s.call(context.Background(), "publish", map[string]string{"node": node, "item": itemID, "payload": payloadXML})
}

// EndSession ends the session with this full JID, if there is one, as if its time for resumption
// (XEP-0198) had passed. It closes the connection of the session.
func (s *Server) EndSession(fullJID string) error {
	return s.call(context.Background(), "end_session", map[string]string{"jid": fullJID})
}

// Log returns the end of Prosody's log, for the messages of failed tests. It may be called after Close.
func (s *Server) Log() string {
	if text := readLog(s.dir); text != "" {
		return text
	}
	text, _ := s.lastLog.Load().(string)
	return text
}

func (s *Server) populate(ctx context.Context, cfg Config) error {
	for localpart, password := range cfg.Accounts {
		if err := s.call(ctx, "account", map[string]string{"localpart": localpart, "password": password}); err != nil {
			return err
		}
	}
	for _, spec := range cfg.Nodes {
		node, access := spec, "open"
		if name, ok := strings.CutSuffix(spec, ":whitelist"); ok {
			node, access = name, "whitelist"
		} else if name, ok := strings.CutSuffix(spec, ":open"); ok {
			node = name
		}
		if err := s.call(ctx, "node", map[string]string{"node": node, "access_model": access}); err != nil {
			return err
		}
	}
	return nil
}

// call runs a command of mod_pam_control.
func (s *Server) call(ctx context.Context, command string, arguments map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := json.Marshal(arguments)
	if err != nil {
		return fmt.Errorf("prosody: %s: %w", command, err)
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/pam-control/%s", s.port, command)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("prosody: %s: %w", command, err)
	}
	request.Host = service
	request.Header.Set("Authorization", "Bearer "+s.secret)
	response, err := s.http.Do(request)
	if err != nil {
		return fmt.Errorf("prosody: %s: the server does not answer: %w", command, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return nil
	}
	reason, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	return fmt.Errorf("prosody: %s %v is refused: %s: %s", command, arguments, response.Status, reason)
}

// readLog returns the end of the log and of what Prosody printed, at most 16 KiB each.
func readLog(dir string) string {
	var text strings.Builder
	for _, name := range []string{"console.log", "prosody.log"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if limit := 16 << 10; len(content) > limit {
			content = content[len(content)-limit:]
		}
		text.Write(content)
	}
	return text.String()
}
