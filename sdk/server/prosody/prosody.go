// Package prosody starts a real Prosody as a child process, with a server module for XEP-0376 (Pubsub
// Account Management) that this package carries, for tests and development.
//
// The server listens on one free port of 127.0.0.1, has one domain, "localhost", and a publish-subscribe
// service, "pubsub.localhost". It accepts XMPP over WebSocket (RFC 7395) without TLS from this machine
// only, and connects to no other server. It writes to one temporary folder only, which Close removes.
package prosody

import (
	"context"
	"fmt"
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

	MaxSubscriptions int // of an account; 0 means the default of mod_pam, 1000

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

// Log returns the end of Prosody's log, for the messages of failed tests. It may be called after Close.
func (s *Server) Log() string {
	if text := readLog(s.dir); text != "" {
		return text
	}
	text, _ := s.lastLog.Load().(string)
	return text
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
