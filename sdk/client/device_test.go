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
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport/ws"
)

// A device is a client of a test with its events and frames.
type device struct {
	*client.Client
	t *testing.T

	mu       sync.Mutex
	changed  *sync.Cond
	events   []client.Event
	frames   []client.Frame
	password string
	reasons  []string     // of the requests for credentials
	first    pam.Snapshot // the stored list, if the test has called Load
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

// wait waits until ok returns true, which it calls after every event and frame.
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
			d.t.Fatalf("timed out waiting for %s\n%s", what, d.logLocked())
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
		b.WriteString(line(f) + "\n")
	}
	return b.String()
}

// newDevice creates a client of alice, or of the account that edit sets, with the store.
func newDevice(t *testing.T, p *peer, s store.Store, edit ...func(*client.Options)) *device {
	t.Helper()
	d := &device{t: t, password: testPassword}
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
		d.checkNoPassword(s)
		_ = c.Close()
	})
	return d
}

// line returns a frame as a line of a log.
func line(f client.Frame) string {
	if f.Out {
		return "C: " + f.XML
	}
	return "S: " + f.XML
}

func nodesOf(list []pam.Subscription) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, s.Node)
	}
	return out
}

// parsed returns the stanza of a message.
func parsed(m client.MessageReceived) *element.Element {
	e, _ := element.Parse(m.XML, nil)
	return e
}

func subscribe(t *testing.T, d *device, service, node string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := d.Subscribe(ctx, pam.Target{Service: service, Node: node}); err != nil {
		t.Fatalf("subscribe to %s: %v\n%s", node, err, d.log())
	}
}

func asError(t *testing.T, err error) *pam.Error {
	t.Helper()
	var e *pam.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *pam.Error", err)
	}
	if e.Text == "" {
		t.Errorf("%s has no text", e.Code)
	}
	return e
}

func asErrorOf(err error) *pam.Error {
	var e *pam.Error
	if errors.As(err, &e) {
		return e
	}
	return new(pam.Error)
}

// connecting calls Connect on another goroutine and returns a channel for its error.
func (d *device) connecting(ctx context.Context) <-chan error {
	return begin(func() error {
		_, err := d.Connect(ctx)
		return err
	})
}

// subscribing calls Subscribe on another goroutine and returns a channel for its error.
func (d *device) subscribing(target pam.Target) <-chan error {
	return begin(func() error {
		_, err := d.Subscribe(d.t.Context(), target)
		return err
	})
}

// begin runs a call on another goroutine and returns a channel for its error.
func begin(call func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	return done
}
