//go:build js && wasm

package socket

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/transport/transporttest"
	"xmpp-pam/wasm/internal/hosttest"
)

func TestDialHonoursContext(t *testing.T) {
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := transporttest.Dial(ctx, New(hosttest.Host(t)), peer(t, "send", nil)); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
	})
	t.Run("no answer", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := transporttest.Dial(ctx, New(hosttest.Host(t)), peer(t, "hang", nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v, want context.DeadlineExceeded", err)
		}
		eventuallyOpen(t, 0)
	})
	t.Run("at any moment", func(t *testing.T) {
		for i := range 40 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond/4)
			c, err := transporttest.Dial(ctx, New(hosttest.Host(t)), peer(t, "send", nil))
			cancel()
			if err == nil {
				c.Close()
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error %v, want context.DeadlineExceeded", err)
			}
		}
		eventuallyOpen(t, 0)
	})
}

func TestDialErrors(t *testing.T) {
	for _, v := range []struct{ name, url, want string }{
		{"not an address", "hello", "wss://"},
		{"other scheme", "https://localhost/", "wss://"},
		{"relative", "/xmpp-websocket", "wss://"},
		{"fragment", "ws://127.0.0.1:1/#x", "does not accept this"},
		{"no host", "ws://", "does not accept this"},
		{"bad port", "ws://127.0.0.1:99999/", "does not accept this"},
		{"refused", "ws://127.0.0.1:1/", "Content-Security-Policy"},
		{"not WebSocket", peer(t, "open", nil), "speaks XMPP over WebSocket"},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, err := transporttest.Dial(t.Context(), New(hosttest.Host(t)), v.url)
			if err == nil || !strings.Contains(err.Error(), v.want) {
				t.Fatalf("error %v, want one with %q", err, v.want)
			}
		})
	}
	t.Run("errors contain no secret", func(t *testing.T) {
		for _, address := range []string{
			"ws://127.0.0.1:1/?token=hunter2", "ws://127.0.0.1:99999/?hunter2", "ws://127.0.0.1:1/#hunter2", "ws://?hunter2", "ws://[::1/?hunter2",
			"ws://al:hunter2@127.0.0.1:1/", "ws://hunter2@127.0.0.1:99999/", "https://localhost/?hunter2", "wss://exa mple/?hunter2", "ws://%zz/?hunter2",
			peer(t, "open", nil) + "?hunter2",
		} {
			_, err := transporttest.Dial(t.Context(), New(hosttest.Host(t)), address)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: error %v, want one without the secret", address, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err = transporttest.Dial(ctx, New(hosttest.Host(t)), address); err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s, cancelled: error %v, want one without the secret", address, err)
			}
		}
	})
	t.Run("no host function", func(t *testing.T) {
		_, err := transporttest.Dial(t.Context(), New(safejs.Global()), peer(t, "send", nil))
		if err == nil || !strings.Contains(err.Error(), "openSocket") {
			t.Fatalf("error %v, want one that names openSocket", err)
		}
	})
}

// TestNoCloseEvent has the browser send no close event, as Chromium does for a socket
// that the page's policy forbids. Dial fails immediately.
func TestNoCloseEvent(t *testing.T) {
	for _, v := range []struct {
		name  string
		state int // right after construction
		want  []string
	}{
		{"closed from the start", 3, []string{"blocked", "connect-src", "mixed content"}},
		{"only an error event", 0, []string{"does not say why", "connect-src", "mixed content"}},
	} {
		t.Run(v.name, func(t *testing.T) {
			global := safejs.Global()
			fake := hosttest.Must(hosttest.Must(global.Get("Object")).New())
			for name, value := range map[string]any{"readyState": v.state, "CLOSED": 3} {
				if err := fake.Set(name, value); err != nil {
					t.Fatal(err)
				}
			}
			made := make(chan struct{}, 1)
			constructor := hosttest.Must(safejs.FuncOf(func(safejs.Value, []safejs.Value) any {
				made <- struct{}{}
				return fake
			}))
			defer constructor.Release()
			real := hosttest.Must(global.Get("WebSocket"))
			defer global.Set("WebSocket", real)
			if err := global.Set("WebSocket", constructor); err != nil {
				t.Fatal(err)
			}
			if v.state == 0 {
				go func() {
					<-made
					time.Sleep(10 * time.Millisecond)
					_ = fake.Set("readyState", 3)
					_, _ = fake.Call("onerror")
				}()
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := transporttest.Dial(ctx, New(hosttest.Host(t)), "ws://127.0.0.1:1/")
			for _, want := range v.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
		})
	}
}

func TestFailedDialClosesTheSocket(t *testing.T) {
	t.Run("another subprotocol", func(t *testing.T) {
		f := fakeSockets(t)
		go f.opens(t, "mqtt")
		if _, err := transporttest.Dial(t.Context(), New(f.host(t)), "ws://localhost/"); err == nil || !strings.Contains(err.Error(), "subprotocol") {
			t.Fatalf("error %v, want one about the subprotocol", err)
		}
		f.isOver(t, "1000")
	})
	t.Run("context", func(t *testing.T) {
		f := fakeSockets(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := transporttest.Dial(ctx, New(f.host(t)), "ws://localhost/"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v, want context.DeadlineExceeded", err)
		}
		f.isOver(t, "1000")
	})
	t.Run("end of the program", func(t *testing.T) {
		f := fakeSockets(t)
		f.dial(t)
		f.do("endProgram")
		f.isOver(t, "1000")
	})
}
