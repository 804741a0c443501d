//go:build !js

package client_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/transport"
)

const (
	nsFraming = "urn:ietf:params:xml:ns:xmpp-framing"
	nsStreams = "urn:ietf:params:xml:ns:xmpp-streams"
	nsSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	nsClient  = "jabber:client"
	nsInfo    = "http://jabber.org/protocol/disco#info"
	nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
)

// A scripted server runs in memory, so that a test can run it in a bubble of
// testing/synctest. It accepts every login, and its list is empty at version v0,
// unless the test handles an element itself.
type scripted struct {
	start time.Time

	mu     sync.Mutex
	dials  []time.Duration // times since start
	urls   []string        // dialed addresses
	lists  []string        // versions of the list requests
	open   int             // open sockets
	most   int             // the highest value of open
	last   *socket
	sent   map[string]int // elements received, by name
	refuse error          // why a dial fails
	down   string         // an address at which dials fail

	delay time.Duration // of every message of the server

	script sync.Mutex // held while handle runs

	// dial, if set, runs at every attempt to connect.
	dial func(ctx context.Context) error
	// handle, if set, sees every element first and reports whether it handled it. It
	// must not wait.
	handle func(s *socket, e *element.Element) bool
}

func newScripted() *scripted { return &scripted{start: time.Now(), sent: map[string]int{}} }

func (f *scripted) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	f.mu.Lock()
	f.dials = append(f.dials, time.Since(f.start))
	f.urls = append(f.urls, url)
	dial, refuse := f.dial, f.refuse
	if url == f.down {
		refuse = errors.New("connection refused")
	}
	f.mu.Unlock()
	if dial != nil {
		refuse = dial(ctx)
	}
	if refuse != nil {
		return nil, refuse
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	f.most = max(f.most, f.open)
	f.last = &socket{server: f, url: url, arrived: arrived}
	return f.last, nil
}

// socket returns the last connection.
func (f *scripted) socket() *socket { return read(f, &f.last) }

// dialed returns the times of all dials since start.
func (f *scripted) dialed() []time.Duration { return slices.Clone(read(f, &f.dials)) }

// addresses returns the dialed addresses.
func (f *scripted) addresses() []string { return slices.Clone(read(f, &f.urls)) }

// listed returns the versions of all list requests.
func (f *scripted) listed() []string { return slices.Clone(read(f, &f.lists)) }

// received returns the number of elements of this name.
func (f *scripted) received(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[name]
}

// atOnce returns the highest number of sockets that were open.
func (f *scripted) atOnce() int { return read(f, &f.most) }

// read reads what the server recorded.
func read[T any](f *scripted, field *T) T {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *field
}

// set changes the script, and the variables of handle, while clients run.
func (f *scripted) set(edit func()) {
	f.script.Lock()
	defer f.script.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	edit()
}

// device creates a client of alice that connects only to this server.
func (f *scripted) device(t *testing.T, edit ...func(*client.Options)) *device {
	t.Helper()
	edit = append([]func(*client.Options){func(o *client.Options) {
		o.Dialer = f
		o.Mechanisms = []string{"PLAIN"}
	}}, edit...)
	return newDevice(t, &peer{url: "wss://localhost/", domain: "localhost"}, nil, edit...)
}

func isList(e *element.Element) bool { return e.Child(ns.PAM, "subscriptions") != nil }

func isPAM(e *element.Element) bool { return e.Child(ns.PAM, "pam") != nil }

func isDisco(e *element.Element) bool {
	return e.Child(nsInfo, "query") != nil && e.Attr("type") == "get"
}

// isCatchUp reports whether e is a request of the catch-up to a service: its features, or
// items of a node.
func isCatchUp(e *element.Element) bool {
	query := e.Child(nsInfo, "query")
	return e.Attr("type") == "get" && strings.Contains(e.Attr("to"), ".") && !strings.Contains(e.Attr("to"), "@") &&
		(query != nil && query.Attr("node") == "" || e.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items") != nil)
}

// isSharing reports whether e is a request of the part that shares what was seen: the
// features of the account, its nodes, or the items of a private node.
func isSharing(e *element.Element) bool {
	items := e.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items")
	return e.Attr("type") == "get" && strings.Contains(e.Attr("to"), "@") &&
		(isDisco(e) || e.Child(ns.DiscoItems, "query") != nil || strings.HasPrefix(items.Attr("node"), ns.Seen+":"))
}

// count returns the number of open sockets.
func (f *scripted) count() int { return read(f, &f.open) }
