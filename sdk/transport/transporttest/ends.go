package transporttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"xmpp-pam/sdk/transport"
)

func closeSendsQueue(ctx context.Context, d transport.Dialer, url string) error {
	box := rand.Text()
	c, err := Dial(ctx, d, url+"/keep?box="+box)
	if err != nil {
		return err
	}
	var want []string
	for i := range 100 {
		want = append(want, burstMessage(i))
		if err := c.Send(burstMessage(i)); err != nil {
			return err
		}
	}
	if err := c.Close(); err != nil {
		return err
	}
	return with(ctx, d, url+"/kept?box="+box, func(c *Conn) error {
		return wantMessages(ctx, c, append(want, "closed 1000")...)
	})
}

func closeSilent(ctx context.Context, d transport.Dialer, url string) error {
	c, err := Dial(ctx, d, url+"/silent")
	if err != nil {
		return err
	}
	if err := c.Send("<a/>"); err != nil {
		return err
	}
	return closeSoon(c)
}

// closeAtOnce expects Close to wait neither for messages that the server does not
// read nor for the closing handshake, because the client's only goroutine calls it.
// The fastest of several attempts counts, because the machine may be busy.
func closeAtOnce(ctx context.Context, d transport.Dialer, url string) error {
	best := time.Hour
	for range 5 {
		c, err := Dial(ctx, d, url+"/silent")
		if err != nil {
			return err
		}
		if err := c.Send("<a>" + strings.Repeat("x", transport.MaxQueued/2) + "</a>"); err != nil {
			return err
		}
		start := time.Now()
		if err := c.Close(); err != nil {
			return err
		}
		best = min(best, time.Since(start))
	}
	if best > 100*time.Millisecond {
		return fmt.Errorf("the fastest Close took %v", best)
	}
	return nil
}

// closeWakesReceiver expects that Close wakes a goroutine that waits for messages.
func closeWakesReceiver(ctx context.Context, d transport.Dialer, url string) error {
	c, err := Dial(ctx, d, url+"/silent")
	if err != nil {
		return err
	}
	result := make(chan error, 1)
	go func() {
		_, err := c.Wait(ctx)
		result <- err
	}()
	time.Sleep(10 * time.Millisecond)
	if err := closeSoon(c); err != nil {
		return err
	}
	select {
	case err := <-result:
		if err == nil {
			return errors.New("no error from Receive after Close")
		}
		return nil
	case <-time.After(time.Second):
		return errors.New("arrived was not called after Close")
	}
}

func closeTwice(ctx context.Context, d transport.Dialer, url string) error {
	c, err := Dial(ctx, d, url+"/echo")
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { c.Close() })
	}
	wg.Wait()
	return closeSoon(c)
}

func sendAfterClose(ctx context.Context, d transport.Dialer, url string) error {
	c, err := Dial(ctx, d, url+"/echo")
	if err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	if c.Send("<a/>") == nil {
		return errors.New("a message was accepted by Send after Close")
	}
	if messages, err := c.Receive(); err == nil {
		return fmt.Errorf("no error from Receive after Close, but %q", messages)
	}
	return nil
}

func sendTooMuch(ctx context.Context, d transport.Dialer, url string) error {
	c, err := Dial(ctx, d, url+"/silent")
	if err != nil {
		return err
	}
	message := strings.Repeat("x", 1<<20)
	for range 256 {
		if err := c.Send(message); err != nil {
			return closeSoon(c)
		}
	}
	c.Close()
	return errors.New("all of 256 MiB that the peer does not read were accepted by Send")
}

func notXMPP(ctx context.Context, d transport.Dialer, url string) error {
	for _, target := range []string{
		url + "/nosub", url + "/refuse", url + "/plain", url + "/redirect",
		"", "ws", "ws:", "ws://", "://", "ws://[::", "http" + strings.TrimPrefix(url, "ws") + "/echo", "mailto:a@b.example",
	} {
		c, err := Dial(ctx, d, target)
		if err == nil {
			c.Close()
			return fmt.Errorf("a connection was returned by Dial(%q)", target)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("Dial(%q) did not return: %w", target, err)
		}
	}
	return nil
}

func dialGivesUp(ctx context.Context, d transport.Dialer, url string) error {
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	c, err := Dial(short, d, url+"/hang")
	if err == nil {
		c.Close()
		return errors.New("a connection to a server that does not answer was returned by Dial")
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("a Dial past its deadline: %w, want context.DeadlineExceeded", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		return fmt.Errorf("a Dial past its deadline took %v", took)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if c, err := Dial(ended, d, url+"/echo"); err == nil {
		c.Close()
		return errors.New("a connection was returned by Dial with a cancelled context")
	}
	return nil
}
