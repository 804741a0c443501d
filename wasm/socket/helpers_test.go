//go:build js && wasm

package socket

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/transport/transporttest"
	"xmpp-pam/wasm/internal/hosttest"
)

// peer returns the address of one of the runner's own servers.
func peer(t testing.TB, path string, query url.Values) string {
	t.Helper()
	location := hosttest.Must(safejs.Global().Get("location"))
	return fmt.Sprintf("ws://%s/peer/%s?%s", hosttest.Must(hosttest.Must(location.Get("host")).String()), path, query.Encode())
}

func dial(t testing.TB, address string) *transporttest.Conn {
	t.Helper()
	c, err := transporttest.Dial(context.Background(), New(hosttest.Host(t)), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func receiveAll(t testing.TB, c *transporttest.Conn) (got []string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		messages, err := c.Wait(ctx)
		got = append(got, messages...)
		if err != nil {
			return got, err
		}
	}
}

// eventuallyOpen waits until the runner's servers have n connections.
func eventuallyOpen(t testing.TB, n int) {
	t.Helper()
	answers := make(chan string, 1)
	done := hosttest.Must(safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		answers <- text(args[1])
		return nil
	}))
	defer done.Release()
	var got string
	for range 100 {
		hosttest.Must(hosttest.Host(t).Call("fetchText", "/peer/open", done))
		if got = <-answers; got == strconv.Itoa(n) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the server still has %s connections after 2 s, want %d", got, n)
}

// fakes is the object that fakeSockets of faults.js returns.
type fakes struct{ safejs.Value }

func fakeSockets(t testing.TB) fakes {
	t.Helper()
	f := fakes{hosttest.Must(hosttest.Host(t).Call("fakeSockets"))}
	t.Cleanup(func() { f.Call("restore") })
	return f
}

func (f fakes) do(method string, args ...any) safejs.Value {
	return hosttest.Must(f.Call(method, args...))
}

func (f fakes) host(t testing.TB) safejs.Value { return hosttest.Must(f.Get("host")) }

func (f fakes) count(what string) int { return hosttest.Must(f.do("count", what).Int()) }

// dial opens a connection with the next socket.
func (f fakes) dial(t testing.TB) *transporttest.Conn {
	t.Helper()
	f.do("forget")
	go f.opens(t, subprotocol)
	c, err := transporttest.Dial(t.Context(), New(f.host(t)), "ws://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (f fakes) opens(t testing.TB, protocol string) {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if truth, _ := f.do("exists").Bool(); truth {
			f.do("open", protocol)
			return
		}
	}
	t.Error("no socket was opened within 5 s")
}

// isOpen checks that the socket is in use.
func (f fakes) isOpen(t testing.TB) {
	t.Helper()
	if got := text(f.do("closed")); got != "" || f.count("handlers") == 0 {
		t.Errorf("the socket was closed with %q", got)
	}
}

// isOver checks that the socket's handlers, ports and listeners are released, and that
// this side closed it with these codes.
func (f fakes) isOver(t testing.TB, codes string) {
	t.Helper()
	for _, what := range []string{"handlers", "ports", "listeners"} {
		for end := time.Now().Add(time.Second); f.count(what) != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("%d %s are not released", f.count(what), what)
				break
			}
		}
	}
	if got := strings.TrimSpace(text(f.do("closed"))); got != codes {
		t.Errorf("the socket was closed with %q, want %q", got, codes)
	}
}

// consoleErrors counts the errors on the console. Go logs one when JavaScript calls a
// function that was released.
func consoleErrors(t testing.TB) *int {
	t.Helper()
	reports := 0
	report := hosttest.Must(safejs.FuncOf(func(safejs.Value, []safejs.Value) any {
		reports++
		return nil
	}))
	console := hosttest.Must(hosttest.Must(safejs.Global().Get("Object")).New())
	if err := console.Set("error", report); err != nil {
		t.Fatal(err)
	}
	restore := hosttest.Must(hosttest.Host(t).Call("replaceGlobal", "console", console))
	t.Cleanup(func() {
		restore.Invoke()
		report.Release()
	})
	return &reports
}
