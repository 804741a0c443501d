//go:build js && wasm

package socket

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/transport"
)

func TestNothingIsLostBeforeAClose(t *testing.T) {
	address := peer(t, "send", url.Values{"m": {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, "code": {"4001"}, "reason": {"over"}})
	for trial := range 60 {
		c := dial(t, address)
		if trial%3 == 0 {
			time.Sleep(5 * time.Millisecond) // the close event precedes the first Receive
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

// TestMessagesBeforeARefusedOne checks that the messages before a refused one are
// received.
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

func TestUnreceivedMessagesAreBounded(t *testing.T) {
	c := dial(t, peer(t, "send", url.Values{"m": {"x"}, "times": {"1000000"}, "n": {"200"}}))
	eventuallyOpen(t, 0) // the connection ends without a Receive
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

// TestReceiveFreesTheQueue checks that received messages do not count towards
// maxWaiting: the server can fill the queue repeatedly, and only more than maxWaiting
// at once ends the connection.
func TestReceiveFreesTheQueue(t *testing.T) {
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
