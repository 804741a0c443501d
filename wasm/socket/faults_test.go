//go:build js && wasm

package socket

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/transporttest"
)

var (
	flagSeed = flag.Uint64("seed", 0, "repeats TestRandomSockets")
	flagRuns = flag.Int("runs", 60, "how many runs TestRandomSockets makes")
)

// What came before a message that is refused is received.
func TestMessagesBeforeARefusedOne(t *testing.T) {
	large := strings.Repeat("x", transport.MaxMessage+1)
	for _, v := range []struct {
		name    string
		refused any
		code    int
	}{
		{"binary", 1, 1003},
		{"too large", large, 1009},
		{"too large in bytes", large[:transport.MaxMessage-1] + "é", 1009},
	} {
		t.Run(v.name, func(t *testing.T) {
			f := fakeSockets(t)
			c := f.dial(t)
			f.do("message", "1")
			f.do("message", "2")
			f.do("message", v.refused)
			f.do("message", "too late")
			got, err := receiveAll(t, c)
			var closed *transport.CloseError
			if !slices.Equal(got, []string{"1", "2"}) || !errors.As(err, &closed) || closed.Code != v.code {
				t.Fatalf("received %.100q, %v; want 1 and 2, close code %d", got, err, v.code)
			}
			f.isOver(t, "4008")
		})
	}
	t.Run("from a server", func(t *testing.T) {
		for range 20 {
			c := dial(t, peer(t, "send", url.Values{"m": {"1", "2"}, "binary": {""}}))
			got, err := receiveAll(t, c)
			var closed *transport.CloseError
			if !slices.Equal(got, []string{"1", "2"}) || !errors.As(err, &closed) || closed.Code != 1003 {
				t.Fatalf("received %q, %v; want 1 and 2, close code 1003", got, err)
			}
		}
		eventuallyOpen(t, 0)
	})
}

// A batch that ends the connection when Go gets to see it ends it once, and what
// made it be handed over is not heard.
func TestBatchThatEndsTheConnection(t *testing.T) {
	mib := strings.Repeat("x", 1<<20)
	for name, then := range map[string]func(f fakes){
		"a binary message":      func(f fakes) { f.do("message", 1) },
		"a message with U+0000": func(f fakes) { f.do("message", "a\x00b") },
		"a close":               func(f fakes) { f.do("closeEvent", 1000, "") },
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeSockets(t)
			reports := consoleErrors(t)
			c := f.dial(t)
			f.do("messages", mib, maxWaiting>>20) // as much as may wait
			f.do("message", "one more")
			then(f)
			got, err := receiveAll(t, c)
			if len(got) != maxWaiting>>20+1 || got[len(got)-1] != "one more" || err == nil || !strings.Contains(err.Error(), "wait to be received") {
				t.Errorf("received %d messages, %v; want %d, and that too much waits", len(got), err, maxWaiting>>20+1)
			}
			time.Sleep(20 * time.Millisecond)
			f.isOver(t, "4008")
			if *reports != 0 {
				t.Error("JavaScript called a function that was released")
			}
		})
	}
}

// What was received does not wait any more: as much as may wait comes again and
// again over one connection, and only when more than that waits at once is it over.
func TestOnlyWhatWaitsCounts(t *testing.T) {
	f := fakeSockets(t)
	c := f.dial(t)
	const most = maxWaiting >> 20
	mib := strings.Repeat("x", 1<<20)
	for _, n := range []int{most, 1, most, most / 2, most/2 + 1, most} {
		f.do("messages", mib, n)
		for n > 0 {
			messages, err := c.Wait(t.Context())
			if err != nil {
				t.Fatalf("%d of %d MiB are missing: %v", n, most, err)
			}
			n -= len(messages)
		}
	}
	f.do("messages", mib, most)
	f.isOpen(t)
	f.do("message", "one more")
	f.do("closeEvent", 1000, "")
	if got, err := receiveAll(t, c); len(got) != most+1 || !strings.Contains(err.Error(), "wait to be received") {
		t.Errorf("received %d messages, %v; want %d, and that too much waits", len(got), err, most+1)
	}
	f.isOver(t, "4008")
}

// The messages of one turn enter Go together, but for a MiB at a time, however
// much came before.
func TestEntriesIntoGo(t *testing.T) {
	f := fakeSockets(t)
	c := f.dial(t)
	entries := func(message string, n int) int {
		t.Helper()
		before := f.count("entered")
		f.do("messages", message, n)
		for n > 0 {
			messages, err := c.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n -= len(messages)
		}
		return f.count("entered") - before
	}
	for range 2 {
		if n := entries("short", 1000); n != 1 {
			t.Errorf("1000 messages of one turn entered Go %d times, want once", n)
		}
		if n := entries(strings.Repeat("x", 1<<18), 10); n != 3 {
			t.Errorf("10 messages of 256 KiB entered Go %d times, want 3 times", n)
		}
		if n := entries("a\x00b", 3); n != 3 {
			t.Errorf("3 messages with U+0000 entered Go %d times, want 3 times", n)
		}
	}
	if n := entries(strings.Repeat("x", 1<<20), 1); n != 1 {
		t.Errorf("a message of a MiB entered Go %d times", n)
	}
}

// A message that comes right after a batch is held back for what may follow, one
// that comes alone is not.
func TestMessagesAfterABatchAreCollected(t *testing.T) {
	f := fakeSockets(t)
	c := f.dial(t)
	receive := func(want ...string) {
		t.Helper()
		var got []string
		for len(got) < len(want) {
			messages, err := c.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, messages...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("received %q, want %q", got, want)
		}
	}
	collected := false
	for range 5 { // this thread may be kept from running for 4 ms
		time.Sleep(20 * time.Millisecond)
		before := f.count("timers")
		f.do("afterBatch", "second")
		f.do("message", "first")
		receive("first", "second")
		collected = collected || f.count("timers") == before+1
	}
	if !collected {
		t.Error("a message right after a batch entered Go by itself")
	}
	alone := false
	for range 5 {
		time.Sleep(20 * time.Millisecond)
		before := f.count("timers")
		f.do("message", "alone")
		receive("alone")
		alone = alone || f.count("timers") == before
	}
	if !alone {
		t.Error("a message that came alone was held back")
	}
}

// What is held back when the connection is closed does not enter Go any more.
func TestNothingEntersAfterClose(t *testing.T) {
	f := fakeSockets(t)
	reports := consoleErrors(t)
	for range 10 {
		c := f.dial(t)
		f.do("message", "first")
		if _, err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // until JavaScript goes on
		f.do("message", "second")
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		before := f.count("entered")
		time.Sleep(20 * time.Millisecond)
		if n := f.count("entered") - before; n != 0 {
			t.Errorf("messages entered Go %d times after Close", n)
		}
		f.isOver(t, "1000")
	}
	if *reports != 0 {
		t.Error("JavaScript called a function that was released")
	}
}

// Whoever keeps one message of a batch does not keep the batch.
func TestKeptMessageKeepsNoBatch(t *testing.T) {
	f := fakeSockets(t)
	c := f.dial(t)
	large := strings.Repeat("x", 1<<18)
	var kept []string
	heap := func() int64 {
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		return int64(memory.HeapAlloc)
	}
	before := heap()
	for range 20 {
		f.do("message", "short")
		f.do("messages", large, 3)
		for n := 0; n < 4; {
			messages, err := c.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				kept = append(kept, messages[0])
			}
			n += len(messages)
		}
	}
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("20 short messages, kept of batches of 768 KiB, keep %d bytes", grown)
	}
	runtime.KeepAlive(kept)
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

// An error event without a close event ends the connection, once, and a close
// event that follows says why.
func TestErrorEvents(t *testing.T) {
	for _, v := range []struct {
		name   string
		events func(f fakes)
		code   int
	}{
		{"error", func(f fakes) { f.do("errorEvent", 3) }, 1006},
		{"error, close", func(f fakes) { f.do("errorEvent", 3); f.do("closeEvent", 1011, "why") }, 1011},
		{"error, open still", func(f fakes) {
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

func TestDialClosesWhatItDoesNotWant(t *testing.T) {
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
		f.do("die")
		f.isOver(t, "1000")
	})
}

// TestRandomSockets has messages of all kinds and ends of all kinds come in any
// order. What came before the end is received, whole and in order; nothing is
// after it; and nothing is left.
func TestRandomSockets(t *testing.T) {
	seed := *flagSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d", seed)
	var held, goroutines int
	f := fakeSockets(t)
	for i := range *flagRuns {
		playRandom(t, f, rand.New(rand.NewPCG(seed, uint64(i))))
		if t.Failed() {
			t.Fatalf("run %d of -seed=%d", i, seed)
		}
		if i == 20 {
			held, goroutines = values(t), runtime.NumGoroutine()
		}
	}
	if after := values(t); after > held+10 || runtime.NumGoroutine() > goroutines {
		t.Errorf("%d sockets raised the JavaScript values held from %d to %d, the goroutines from %d to %d", *flagRuns-21, held, after, goroutines, runtime.NumGoroutine())
	}
}

func playRandom(t *testing.T, f fakes, random *rand.Rand) {
	c := f.dial(t)
	defer c.Close()
	var sent, got []string
	receive := func(limit time.Duration) error {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		messages, err := c.Wait(ctx)
		got = append(got, messages...)
		return err
	}
	for range random.IntN(12) {
		switch random.IntN(4) {
		case 0, 1:
			for range 1 + random.IntN(30) {
				kind := random.IntN(30)
				m := []string{"", "\x00", "a\x00b", strings.Repeat("é", 300_000), strings.Repeat("x", 1<<20)}[min(kind, 4)]
				if kind > 3 && (kind > 4 || random.IntN(4) > 0) {
					m = fmt.Sprint("message ", len(sent))
				}
				sent = append(sent, m)
				f.do("message", m)
			}
		case 2:
			time.Sleep(time.Duration(random.IntN(6)) * time.Millisecond)
		case 3:
			if err := receive(time.Duration(random.IntN(3)) * time.Millisecond); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("receive: %v", err)
			}
		}
	}
	code, closes := 0, ""
	switch random.IntN(6) {
	case 0:
		code = 1000 + random.IntN(15)
		f.do("closeEvent", code, "")
	case 1:
		code, closes = 1003, "4008"
		f.do("message", 5)
	case 2:
		code = 1006
		f.do("errorEvent", 3)
	case 3:
		code = 4001
		f.do("errorEvent", 3)
		f.do("closeEvent", code, "")
	case 4:
		closes = "1000"
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	case 5: // as 4, while somebody receives
		closes = "1000"
		go func() {
			time.Sleep(time.Millisecond)
			c.Close()
		}()
	}
	f.do("message", "late")
	if code != 0 || closes != "1000" {
		f.do("closeEvent", 1002, "late")
	}
	var err error
	for err == nil {
		err = receive(5 * time.Second)
	}
	var closed *transport.CloseError
	switch {
	case closes == "1000": // What Go had not taken in is gone.
		if !errors.Is(err, errClosed) || len(got) > len(sent)+1 || !slices.Equal(got[:min(len(got), len(sent))], sent[:min(len(got), len(sent))]) {
			t.Errorf("after Close: %v, received %.300q, sent %.300q", err, got, sent)
		}
	case code == 1006: // a late close event is the one that was waited for
		if !errors.As(err, &closed) || closed.Code != 1002 && closed.Code != 1006 {
			t.Errorf("error %v", err)
		}
		got = slices.DeleteFunc(got, func(m string) bool { return m == "late" })
		fallthrough
	default:
		if !errors.As(err, &closed) || code != 1006 && closed.Code != code || !slices.Equal(got, sent) {
			t.Errorf("%v, want code %d; received %d messages, want %d: %.300q, sent %.300q", err, code, len(got), len(sent), got, sent)
		}
	}
	f.isOver(t, closes)
	if err := c.Send("x"); err == nil {
		t.Error("sent after the end")
	}
}

// Helpers.

// fakes are what fakeSockets in faults.js returns.
type fakes struct{ safejs.Value }

func fakeSockets(t testing.TB) fakes {
	t.Helper()
	f := fakes{must(host(t).Call("fakeSockets"))}
	t.Cleanup(func() { f.Call("restore") })
	return f
}

func (f fakes) do(method string, args ...any) safejs.Value { return must(f.Call(method, args...)) }

func (f fakes) host(t testing.TB) safejs.Value { return must(f.Get("host")) }

func (f fakes) count(what string) int { return must(f.do("count", what).Int()) }

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

// isOver checks that nothing is left of a socket, which was closed here with
// these codes, and that what it does late is not heard.
func (f fakes) isOver(t testing.TB, codes string) {
	t.Helper()
	for _, what := range []string{"handlers", "ports", "listeners"} {
		for end := time.Now().Add(time.Second); f.count(what) != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("%d %s are left", f.count(what), what)
				break
			}
		}
	}
	if got := strings.TrimSpace(text(f.do("closed"))); got != codes {
		t.Errorf("the socket was closed with %q, want %q", got, codes)
	}
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

// consoleErrors counts what is reported on the console, as Go does when a
// function is called that was released.
func consoleErrors(t testing.TB) *int {
	t.Helper()
	reports := 0
	report := must(safejs.FuncOf(func(safejs.Value, []safejs.Value) any {
		reports++
		return nil
	}))
	console := must(must(safejs.Global().Get("Object")).New())
	if err := console.Set("error", report); err != nil {
		t.Fatal(err)
	}
	restore := must(host(t).Call("replaceGlobal", "console", console))
	t.Cleanup(func() {
		restore.Invoke()
		report.Release()
	})
	return &reports
}

// values is how many JavaScript values Go holds.
func values(t testing.TB) int {
	t.Helper()
	for range 2 { // finalizers let go of JavaScript's values
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return must(must(host(t).Call("countValues")).Int())
}
