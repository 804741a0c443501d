// Command memserver runs the in-memory server on a loopback address, for peers that are not Go programs. It prints one line,
// "listening ws://…/xmpp-websocket", and serves until its standard input ends or it gets SIGINT or SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"xmpp-pam/sdk/server/mem"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "memserver:", err)
		os.Exit(1)
	}
}

func run() error {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	domain := flag.String("domain", "localhost", "XMPP domain")
	accounts := map[string]string{}
	flag.Func("account", "user:password of an account (repeatable)", func(v string) error {
		user, password, ok := strings.Cut(v, ":")
		if !ok {
			return fmt.Errorf("want user:password, got %q", v)
		}
		accounts[user] = password
		return nil
	})
	var nodes []string
	flag.Func("node", "name[:access model] of a node at the pubsub service (repeatable)", func(v string) error {
		nodes = append(nodes, v)
		return nil
	})
	flag.Parse()

	server, err := mem.New(mem.Config{Domain: *domain, Accounts: accounts})
	if err != nil {
		return err
	}
	defer server.Close()
	for _, n := range nodes {
		name, access := splitNode(n)
		if err := server.CreateNode(name, access); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/xmpp-websocket", server)
	web := &http.Server{Handler: mux}
	go web.Serve(listener)
	defer web.Close()
	fmt.Printf("listening ws://%s/xmpp-websocket\n", listener.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case <-ctx.Done():
	case <-ended:
		fmt.Fprintln(os.Stderr, "memserver: standard input ended, and so does the server")
	}
	return nil
}

// splitNode cuts an access model off at the last colon; names such as urn:xmpp:microblog:0 have colons too.
func splitNode(v string) (name, access string) {
	if i := strings.LastIndex(v, ":"); i > 0 {
		switch v[i+1:] {
		case "open", "whitelist", "presence", "authorize":
			return v[:i], v[i+1:]
		}
	}
	return v, ""
}
