//go:build js && wasm

package socket

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEntriesIntoGo checks that the messages of one turn enter Go together, at most
// about 1 MiB at a time, also after earlier turns.
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

// TestMessagesAfterABatchAreCollected checks that a message that arrives immediately
// after a batch waits for further ones, and that a single message does not.
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
	for range 5 { // the thread may be suspended for 4 ms
		time.Sleep(20 * time.Millisecond)
		before := f.count("timers")
		f.do("afterBatch", "second", 1)
		f.do("message", "first")
		receive("first", "second")
		collected = collected || f.count("timers") == before+1
	}
	if !collected {
		t.Error("a message immediately after a batch entered Go alone")
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
		t.Error("a single message was delayed")
	}
}

// TestEnoughMessagesDoNotWait checks that messages that arrive immediately after a batch
// wait for no timer if there are many.
func TestEnoughMessagesDoNotWait(t *testing.T) {
	f := fakeSockets(t)
	f.do("fireTimers", false)
	for _, n := range []int{32, 100} {
		c := f.dial(t)
		f.do("afterBatch", "later", n)
		f.do("message", "first")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		for got := 0; got < 1+n; {
			messages, err := c.Wait(ctx)
			if got += len(messages); err != nil {
				t.Fatalf("%d of %d messages entered Go without a timer", got, 1+n)
			}
		}
		cancel()
		_ = c.Close()
	}
}

// TestNothingEntersAfterClose checks that collected messages do not enter Go after the
// connection is closed.
func TestNothingEntersAfterClose(t *testing.T) {
	f := fakeSockets(t)
	reports := consoleErrors(t)
	for range 10 {
		c := f.dial(t)
		f.do("message", "first")
		if _, err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // until JavaScript continues
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

// TestBatchThatEndsTheConnection checks that a batch that exceeds maxWaiting ends the
// connection once, and that the event that passed the batch on is ignored.
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
			f.do("messages", mib, maxWaiting>>20) // the limit
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

// TestRetainedMessageDoesNotRetainItsBatch checks the memory use of a caller that
// retains one message of each batch.
func TestRetainedMessageDoesNotRetainItsBatch(t *testing.T) {
	f := fakeSockets(t)
	c := f.dial(t)
	large := strings.Repeat("x", 1<<18)
	var retained []string
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
				retained = append(retained, messages[0])
			}
			n += len(messages)
		}
	}
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("20 short messages of batches of 768 KiB retain %d bytes", grown)
	}
	runtime.KeepAlive(retained)
}
