// Command memserver runs the in-memory server on a loopback address, for peers that are not Go programs. It prints one line,
// "listening ws://…/xmpp-websocket", and serves until its standard input is closed or it gets SIGINT or SIGTERM.
//
//	memserver -addr localhost:5290 -account alice:secret -node news -dir js
//
// With -dir it also serves the files of a folder, so that a page and its server have
// the same origin. A line "publish NODE TITLE" on standard input publishes an Atom
// entry with that title to a node of the pubsub service, regardless of its owner.
package main

import (
	"bufio"
	"context"
	"encoding/xml"
	"flag"
	"fmt"
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
	dir := flag.String("dir", "", "folder whose files are served at /")
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
	if *dir != "" {
		mux.Handle("/", http.FileServer(http.Dir(*dir)))
	}
	web := &http.Server{Handler: mux}
	go web.Serve(listener)
	defer web.Close()
	fmt.Printf("listening ws://%s/xmpp-websocket\n", listener.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			if err := publish(server, lines.Text()); err != nil {
				fmt.Fprintln(os.Stderr, "memserver:", err)
			}
		}
	}()
	select {
	case <-ctx.Done():
	case <-ended:
		fmt.Fprintln(os.Stderr, "memserver: standard input was closed, so the server exits")
	}
	return nil
}

// publish executes one line of standard input, "publish NODE TITLE".
func publish(server *mem.Server, line string) error {
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 || words[0] != "publish" {
		return fmt.Errorf("the line %q is unknown; write: publish NODE TITLE", line)
	}
	var title strings.Builder
	if err := xml.EscapeText(&title, []byte(words[2])); err != nil {
		return err
	}
	return server.Publish(words[1], "", "<entry xmlns='http://www.w3.org/2005/Atom'><title>"+title.String()+"</title></entry>")
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
