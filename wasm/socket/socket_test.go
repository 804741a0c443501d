//go:build js && wasm

package socket

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/transporttest"
	"xmpp-pam/wasm/internal/hosttest"
)

var (
	flagSeed = flag.Uint64("seed", 0, "repeats TestRandomSockets")
	flagRuns = flag.Int("runs", 60, "how many runs TestRandomSockets makes")
)

func TestConformance(t *testing.T) {
	address := os.Getenv("TRANSPORT_TEST_URL")
	if address == "" {
		t.Fatal("TRANSPORT_TEST_URL is not set: run this test with wasm/browsertest")
	}
	transporttest.Run(t, func() transport.Dialer { return New(hosttest.Host(t)) }, address)
}

// TestRandomSockets plays random sequences of messages, receives and ends. It checks
// that the messages before the end are received, complete and in order, that none is
// received after it, and that every resource is released.
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
			held, goroutines = hosttest.Values(t), runtime.NumGoroutine()
		}
	}
	if after := hosttest.Values(t); after > held+10 || runtime.NumGoroutine() > goroutines {
		t.Errorf("%d sockets raised the referenced JavaScript values from %d to %d, the goroutines from %d to %d", *flagRuns-21, held, after, goroutines, runtime.NumGoroutine())
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
	case 5: // as 4, during a receive
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
	case closes == "1000": // messages that had not entered Go are discarded
		if !errors.Is(err, errClosed) || len(got) > len(sent)+1 || !slices.Equal(got[:min(len(got), len(sent))], sent[:min(len(got), len(sent))]) {
			t.Errorf("after Close: %v, received %.300q, sent %.300q", err, got, sent)
		}
	case code == 1006: // the close event that the socket waits for may be the late one
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
