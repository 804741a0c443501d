package transporttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"xmpp-pam/sdk/transport"
)

func echoes(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/echo", func(c *Conn) error {
		for _, m := range []string{"<a/>", "", "<é名\U0001F600/>", "\x00\x01\x7f", "<a>\r\n\t</a>", strings.Repeat("<b/>", 1000)} {
			if err := c.Send(m); err != nil {
				return err
			}
			if err := wantMessages(ctx, c, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func order(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/echo", func(c *Conn) error {
		var want []string
		for i := range 1000 {
			want = append(want, burstMessage(i))
			if err := c.Send(burstMessage(i)); err != nil {
				return err
			}
		}
		return wantMessages(ctx, c, want...)
	})
}

func large(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/echo", func(c *Conn) error {
		// In sum they exceed transport.MaxQueued, which limits what waits at one time.
		for _, size := range []int{125, 126, 4096, 65535, 65536, 1 << 20, 6 << 20, 6 << 20} {
			m := strings.Repeat("0123456789abcdefghijklmnopqrstuvw", size/33+1)[:size]
			if err := c.Send(m); err != nil {
				return err
			}
			if err := wantMessages(ctx, c, m); err != nil {
				return fmt.Errorf("%d bytes: %w", size, err)
			}
		}
		return nil
	})
}

func receiveAtOnce(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/echo", func(c *Conn) error {
		if messages, err := c.Receive(); len(messages) > 0 || err != nil {
			return fmt.Errorf("got %q, %v before anything was sent", messages, err)
		}
		if err := c.Send("<a/>"); err != nil {
			return err
		}
		if err := wantMessages(ctx, c, "<a/>"); err != nil {
			return err
		}
		if messages, err := c.Receive(); len(messages) > 0 || err != nil {
			return fmt.Errorf("got %q, %v after all was received", messages, err)
		}
		return nil
	})
}

func sendWhileReceiving(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/echo", func(c *Conn) error {
		result := make(chan error, 1)
		go func() { result <- wantMessages(ctx, c, "<a/>", "<b/>") }()
		time.Sleep(10 * time.Millisecond)
		if err := errors.Join(c.Send("<a/>"), c.Send("<b/>")); err != nil {
			return err
		}
		return <-result
	})
}

func dialContextEnds(ctx context.Context, d transport.Dialer, url string) error {
	dialing, cancel := context.WithCancel(ctx)
	c, err := Dial(dialing, d, url+"/echo")
	cancel()
	if err != nil {
		return err
	}
	defer c.Close()
	time.Sleep(10 * time.Millisecond)
	if err := c.Send("<a/>"); err != nil {
		return err
	}
	return wantMessages(ctx, c, "<a/>")
}

func burstThenClose(ctx context.Context, d transport.Dialer, url string) error {
	for round := range 30 {
		n := []int{1, 10, 100}[round%3]
		var want []string
		for i := range n {
			want = append(want, burstMessage(i))
		}
		err := with(ctx, d, fmt.Sprintf("%s/burst?n=%d", url, n), func(c *Conn) error {
			time.Sleep(time.Duration(round/3) * 2 * time.Millisecond)
			if err := wantMessages(ctx, c, want...); err != nil {
				return err
			}
			return wantClose(ctx, c, 4001, "done")
		})
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return nil
}

func emptyBurst(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/burst?n=0", func(c *Conn) error { return wantClose(ctx, c, 4001, "done") })
}

func endStays(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/burst?n=1", func(c *Conn) error {
		if err := wantMessages(ctx, c, burstMessage(0)); err != nil {
			return err
		}
		for range 3 {
			if err := wantClose(ctx, c, 4001, "done"); err != nil {
				return err
			}
		}
		if c.Send("<a/>") == nil {
			return errors.New("a message was accepted by Send after the peer had closed")
		}
		return nil
	})
}

func lostConnection(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/cut", func(c *Conn) error {
		if err := wantMessages(ctx, c, "<before/>"); err != nil {
			return err
		}
		return wantClose(ctx, c, 1006, "")
	})
}

func binaryMessage(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, url+"/binary", func(c *Conn) error {
		if err := wantMessages(ctx, c, "<before/>"); err != nil {
			return err
		}
		return wantClose(ctx, c, 1003, "")
	})
}

func largestMessage(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, fmt.Sprintf("%s/big?n=%d", url, transport.MaxMessage), func(c *Conn) error {
		return wantMessages(ctx, c, "<before/>", strings.Repeat("x", transport.MaxMessage), "<after/>")
	})
}

func tooLarge(ctx context.Context, d transport.Dialer, url string) error {
	return with(ctx, d, fmt.Sprintf("%s/big?n=%d", url, transport.MaxMessage+1), func(c *Conn) error {
		if err := wantMessages(ctx, c, "<before/>"); err != nil {
			return err
		}
		return wantClose(ctx, c, 1009, transport.ReasonTooLarge)
	})
}
