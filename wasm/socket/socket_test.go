//go:build js && wasm

package socket

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/transporttest"
)

func TestConformance(t *testing.T) {
	address := os.Getenv("TRANSPORT_TEST_URL")
	if address == "" {
		t.Fatal("TRANSPORT_TEST_URL is not set: run this test with wasm/browsertest")
	}
	transporttest.Run(t, func() transport.Dialer { return New(host(t)) }, address)
}

func TestNothingIsLostBeforeAClose(t *testing.T) {
	address := peer(t, "send", url.Values{"m": {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, "code": {"4001"}, "reason": {"over"}})
	for trial := range 60 {
		c := dial(t, address)
		if trial%3 == 0 {
			time.Sleep(5 * time.Millisecond) // the close is there before the first Receive
		}
		var got []string
		var err error
		for err == nil {
			var messages []string
			messages, err = c.Wait(t.Context())
			got = append(got, messages...)
			if trial%3 == 1 {
				time.Sleep(2 * time.Millisecond)
			}
		}
		if s := strings.Join(got, ""); s != "0123456789" {
			t.Fatalf("trial %d: received %q, want all ten digits", trial, s)
		}
		var closed *transport.CloseError
		if !errors.As(err, &closed) || closed.Code != 4001 || closed.Reason != "over" {
			t.Fatalf("trial %d: %v, want close code 4001, over", trial, err)
		}
	}
}

func TestManyMessagesStayInOrder(t *testing.T) {
	const n = 20000
	c := dial(t, peer(t, "send", url.Values{"m": {"a", "b" + strings.Repeat("é", 230)}, "n": {strconv.Itoa(n / 2)}, "code": {"1000"}}))
	start := time.Now()
	count, batches := 0, 0
	for {
		messages, err := c.Wait(t.Context())
		if err != nil {
			break
		}
		batches++
		for _, m := range messages {
			if want := "ab"[count%2 : count%2+1]; m[:1] != want || len(m) != 1+count%2*460 {
				t.Fatalf("message %d is %.10q (%d bytes), want one with %s", count, m, len(m), want)
			}
			count++
		}
	}
	if count != n {
		t.Fatalf("%d messages, want %d", count, n)
	}
	t.Logf("%d messages in %d batches, %.0f messages/s", n, batches, n/time.Since(start).Seconds())
}

func TestMessagesWithNULStayWhole(t *testing.T) {
	want := []string{"first", "a\x00b", "", "\x00", "\x00\x00", "last"}
	c := dial(t, peer(t, "send", url.Values{"m": want, "code": {"1000"}}))
	var got []string
	for {
		messages, err := c.Wait(t.Context())
		if err != nil {
			break
		}
		got = append(got, messages...)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("received %q, want %q", got, want)
	}
}

func TestSizeIsInBytes(t *testing.T) {
	// 36 MB, but only 12 million UTF-16 units.
	c := dial(t, peer(t, "send", url.Values{"m": {"名"}, "times": {"12000000"}}))
	_, err := c.Wait(t.Context())
	var closed *transport.CloseError
	if !errors.As(err, &closed) || closed.Code != 1009 {
		t.Fatalf("error %v, want close code 1009", err)
	}
	eventuallyOpen(t, 0)
}

func TestWhatNobodyReceivesIsBounded(t *testing.T) {
	c := dial(t, peer(t, "send", url.Values{"m": {"x"}, "times": {"1000000"}, "n": {"200"}}))
	eventuallyOpen(t, 0) // ended without a Receive
	size := 0
	for {
		messages, err := c.Wait(t.Context())
		if err != nil {
			if !strings.Contains(err.Error(), "wait to be received") {
				t.Fatal(err)
			}
			break
		}
		for _, m := range messages {
			size += len(m)
		}
	}
	if size < maxWaiting || size > maxWaiting+4_000_000 {
		t.Fatalf("%d bytes waited, want a little over %d", size, maxWaiting)
	}
}

func TestSendFailsWhenTooMuchWaits(t *testing.T) {
	c := dial(t, peer(t, "deaf", nil))
	message := strings.Repeat("x", 1<<20)
	for i := range 200 {
		if err := c.Send(message); err != nil {
			if i < 8 || !strings.Contains(err.Error(), "wait to be sent") {
				t.Fatalf("after %d MiB: %v", i, err)
			}
			return
		}
	}
	t.Fatal("200 MiB were taken for a peer that does not read")
}

func TestDialHonoursContext(t *testing.T) {
	t.Run("over before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := transporttest.Dial(ctx, New(host(t)), peer(t, "send", nil)); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
	})
	t.Run("no answer", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := transporttest.Dial(ctx, New(host(t)), peer(t, "hang", nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v, want context.DeadlineExceeded", err)
		}
		eventuallyOpen(t, 0)
	})
	t.Run("at any moment", func(t *testing.T) {
		for i := range 40 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond/4)
			c, err := transporttest.Dial(ctx, New(host(t)), peer(t, "send", nil))
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
			_, err := transporttest.Dial(t.Context(), New(host(t)), v.url)
			if err == nil || !strings.Contains(err.Error(), v.want) {
				t.Fatalf("error %v, want one with %q", err, v.want)
			}
		})
	}
	t.Run("secrets are not repeated", func(t *testing.T) {
		for _, address := range []string{
			"ws://127.0.0.1:1/?token=hunter2", "ws://127.0.0.1:99999/?hunter2", "ws://127.0.0.1:1/#hunter2", "ws://?hunter2", "ws://[::1/?hunter2",
			"ws://al:hunter2@127.0.0.1:1/", "ws://hunter2@127.0.0.1:99999/", "https://localhost/?hunter2", "wss://exa mple/?hunter2", "ws://%zz/?hunter2",
			peer(t, "open", nil) + "?hunter2",
		} {
			_, err := transporttest.Dial(t.Context(), New(host(t)), address)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: error %v, want one without the secret", address, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err = transporttest.Dial(ctx, New(host(t)), address); err == nil || strings.Contains(err.Error(), "hunter2") {
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

// Chromium sends no close event for a socket that the page's policy forbids.
func TestASocketWithoutCloseEventFailsAtOnce(t *testing.T) {
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
			fake := must(must(global.Get("Object")).New())
			for name, value := range map[string]any{"readyState": v.state, "CLOSED": 3} {
				if err := fake.Set(name, value); err != nil {
					t.Fatal(err)
				}
			}
			made := make(chan struct{}, 1)
			constructor := must(safejs.FuncOf(func(safejs.Value, []safejs.Value) any {
				made <- struct{}{}
				return fake
			}))
			defer constructor.Release()
			real := must(global.Get("WebSocket"))
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
			_, err := transporttest.Dial(ctx, New(host(t)), "ws://127.0.0.1:1/")
			for _, want := range v.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
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
		for { // what had been taken in, and then the error
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

func TestCloseTellsOfTheEnd(t *testing.T) {
	c := dial(t, peer(t, "send", nil))
	ended := make(chan error)
	go func() {
		_, err := c.Wait(context.Background())
		ended <- err
	}()
	time.Sleep(10 * time.Millisecond)
	c.Close()
	if err := <-ended; err == nil {
		t.Fatal("Receive succeeded after Close")
	}
}

func TestNothingIsHeldAfterClose(t *testing.T) {
	address := peer(t, "send", url.Values{"m": {"x"}})
	work := func() int {
		for range 30 {
			c, err := transporttest.Dial(t.Context(), New(host(t)), address) // dial keeps it
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		for range 2 { // finalizers let go of JavaScript's values
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
		count, err := must(host(t).Call("countValues")).Int()
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	before := work()
	if after := work(); after > before+20 {
		t.Fatalf("Go holds %d JavaScript values, %d before 30 connections", after, before)
	}
}

// Helpers.

func host(t testing.TB) safejs.Value {
	t.Helper()
	h, err := safejs.Global().Get("testHost")
	if err != nil || h.IsUndefined() {
		t.Fatal("there is no globalThis.testHost: run this test with wasm/browsertest")
	}
	return h
}

// peer returns the address of one of the runner's own servers.
func peer(t testing.TB, path string, query url.Values) string {
	t.Helper()
	location := must(safejs.Global().Get("location"))
	return fmt.Sprintf("ws://%s/peer/%s?%s", must(must(location.Get("host")).String()), path, query.Encode())
}

func dial(t testing.TB, address string) *transporttest.Conn {
	t.Helper()
	c, err := transporttest.Dial(context.Background(), New(host(t)), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// eventuallyOpen waits until the runner's servers have n connections.
func eventuallyOpen(t testing.TB, n int) {
	t.Helper()
	answers := make(chan string, 1)
	done := must(safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		answers <- text(args[1])
		return nil
	}))
	defer done.Release()
	var got string
	for range 100 {
		must(host(t).Call("fetchText", "/peer/open", done))
		if got = <-answers; got == strconv.Itoa(n) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the server still has %s connections after 2 s, want %d", got, n)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
