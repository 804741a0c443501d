// Command memserver runs the in-memory server on a loopback address, for peers that are not Go programs. It prints one line,
// "listening ws://…/xmpp-websocket", and serves until its standard input is closed or it gets SIGINT or SIGTERM.
//
//	memserver -addr localhost:5290 -account alice:secret -node news -dir js
//
// With -dir it also serves the files of a folder, so that a page and its server have
// the same origin. With -publish-every 5s it publishes an Atom entry at each node every
// five seconds. The flags -archive, -node-archive, -offline, -rsm and -personality make
// it like other servers; see the documentation of the package mem.
//
// These lines on standard input change the nodes, regardless of their owners:
//
//	publish NODE TITLE     publish an Atom entry with that title
//	retract NODE [ITEM]    remove the item with that id, or the newest one
//	delete NODE [URI]      delete the node; the URI names its successor
//
// NODE is a node of the pubsub service, or ACCOUNT/NODE for a personal node; a personal
// node that does not exist is created.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/server/sample"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "memserver:", err)
		os.Exit(1)
	}
}

// run serves until the context ends, or the commands do.
func run(ctx context.Context, args []string, commands io.Reader, out io.Writer) error {
	config := mem.Config{Accounts: map[string]string{}}
	flags := flag.NewFlagSet("memserver", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:0", "address to listen on")
	flags.StringVar(&config.Domain, "domain", "localhost", "XMPP domain")
	flags.Func("account", "user:password of an account (repeatable)", func(v string) error {
		user, password, ok := strings.Cut(v, ":")
		if !ok {
			return fmt.Errorf("want user:password, got %q", v)
		}
		config.Accounts[user] = password
		return nil
	})
	var nodes []string
	flags.Func("node", "name[:access model] of a node at the pubsub service (repeatable)", func(v string) error {
		nodes = append(nodes, v)
		return nil
	})
	dir := flags.String("dir", "", "folder whose files are served at /")
	every := flags.Duration("publish-every", 0, "publish an Atom entry at each node that often")
	flags.BoolVar(&config.Archive, "archive", false, "archive the events of each account (XEP-0313)")
	flags.BoolVar(&config.NodeArchive, "node-archive", false, "archive what is published at nodes (XEP-0442)")
	flags.BoolVar(&config.Offline, "offline", false, "keep messages for accounts without a session (XEP-0160)")
	flags.BoolVar(&config.RSM, "rsm", false, "return pages of items and nodes (XEP-0059)")
	personalities := slices.Sorted(maps.Keys(mem.Personalities))
	flags.Func("personality", "behave like another server: "+strings.Join(personalities, ", "), func(v string) error {
		like, ok := mem.Personalities[v]
		if !ok {
			return fmt.Errorf("want one of %s", strings.Join(personalities, ", "))
		}
		config.Personality = like
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}

	server, err := mem.New(config)
	if err != nil {
		return err
	}
	defer server.Close()
	var names []string
	for _, n := range nodes {
		name, access := splitNode(n)
		if err := server.CreateNode(name, access); err != nil {
			return err
		}
		names = append(names, name)
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
	addresses := fmt.Sprintf("listening ws://%s/xmpp-websocket\n", listener.Addr())
	if *dir != "" {
		addresses += fmt.Sprintf("serving http://%s/\n", listener.Addr())
	}
	fmt.Fprint(out, addresses)

	if *every > 0 {
		go publishEvery(ctx, server, *every, names)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(commands)
		for lines.Scan() {
			if err := execute(server, lines.Text()); err != nil {
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

// publishEvery publishes an entry at each node in turn, until the context ends. A node
// that was deleted is left out.
func publishEvery(ctx context.Context, server *mem.Server, every time.Duration, nodes []string) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for number := 0; ; number++ {
		select {
		case <-ctx.Done():
			return
		case at := <-ticks.C:
			for _, node := range nodes {
				_ = server.Publish(node, fmt.Sprint("entry-", number+1), sample.Entry(node, number, at))
			}
		}
	}
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
