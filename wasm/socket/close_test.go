//go:build js && wasm

package socket

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/transporttest"
	"xmpp-pam/wasm/internal/hosttest"
)

func TestSendFailsWhenTooMuchWaits(t *testing.T) {
	c := dial(t, peer(t, "unresponsive", nil))
	message := strings.Repeat("x", 1<<20)
	for i := range 200 {
		if err := c.Send(message); err != nil {
			if i < 8 || !strings.Contains(err.Error(), "wait to be sent") {
				t.Fatalf("after %d MiB: %v", i, err)
			}
			return
		}
	}
	t.Fatal("Send accepted 200 MiB for a peer that does not read")
}

func TestSendOnAFakeSocket(t *testing.T) {
	f := fakeSockets(t)
	c := f.dial(t)
	for _, v := range []struct {
		buffered int
		want     string
	}{{0, ""}, {transport.MaxQueued, ""}, {transport.MaxQueued + 1, "wait to be sent"}, {0, ""}} {
		f.do("buffered", v.buffered)
		err := c.Send("x")
		if (err == nil) != (v.want == "") || err != nil && !strings.Contains(err.Error(), v.want) {
			t.Errorf("with %d bytes waiting: %v, want %q", v.buffered, err, v.want)
		}
	}
	if sent := text(f.do("sent")); sent != "x\nx\nx" {
		t.Errorf("sent %q, want three messages", sent)
	}
	f.do("errorEvent", 2) // closing
	if err := c.Send("y"); err == nil || !strings.Contains(err.Error(), "closing") {
		t.Errorf("while closing: %v", err)
	}
	f.do("closeEvent", 1006, "")
	if err := c.Send("y"); err == nil || text(f.do("sent")) != "x\nx\nx" {
		t.Errorf("after the close: %v", err)
	}
	f.isOver(t, "")
}

// TestErrorEvents checks that an error event without a close event ends the connection
// once, and that a close event that follows provides the code.
func TestErrorEvents(t *testing.T) {
	for _, v := range []struct {
		name   string
		events func(f fakes)
		code   int
	}{
		{"error", func(f fakes) { f.do("errorEvent", 3) }, 1006},
		{"error, close", func(f fakes) { f.do("errorEvent", 3); f.do("closeEvent", 1011, "why") }, 1011},
		{"error, still open", func(f fakes) {
			f.do("errorEvent", 1)
			time.Sleep(150 * time.Millisecond)
			f.do("message", "last")
			f.do("closeEvent", 1001, "")
		}, 1001},
	} {
		t.Run(v.name, func(t *testing.T) {
			f := fakeSockets(t)
			c := f.dial(t)
			f.do("message", "first")
			v.events(f)
			got, err := receiveAll(t, c)
			var closed *transport.CloseError
			if !errors.As(err, &closed) || closed.Code != v.code || len(got) == 0 || got[0] != "first" || v.code == 1001 && got[1] != "last" {
				t.Fatalf("received %q, %v; want close code %d", got, err, v.code)
			}
			time.Sleep(150 * time.Millisecond)
			f.isOver(t, "")
		})
	}
}

func TestCloseWhileMessagesArrive(t *testing.T) {
	for i := range 30 {
		c := dial(t, peer(t, "send", url.Values{"m": {"x"}, "n": {"1000"}}))
		time.Sleep(time.Duration(i) * time.Millisecond / 5)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		for { // messages that Go has received, then the error
			if _, err := c.Wait(t.Context()); err != nil {
				break
			}
		}
		if err := c.Send("x"); err == nil {
			t.Fatal("Send succeeded after Close")
		}
	}
	eventuallyOpen(t, 0)
}

func TestCloseReleasesValues(t *testing.T) {
	address := peer(t, "send", url.Values{"m": {"x"}})
	work := func() int {
		for range 30 {
			c, err := transporttest.Dial(t.Context(), New(hosttest.Host(t)), address) // dial would retain it
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		return hosttest.Values(t)
	}
	before := work()
	if after := work(); after > before+20 {
		t.Fatalf("Go references %d JavaScript values, %d before 30 connections", after, before)
	}
}
