// Command prosodyserver runs a Prosody with XEP-0376 on a free port of 127.0.0.1, until its standard
// input is closed or it gets SIGINT or SIGTERM. It prints one line, "listening" and the WebSocket address,
// when the server is ready.
//
//	prosodyserver -account alice:secret -account bob:secret -node news -node closed:whitelist
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"xmpp-pam/sdk/server/prosody"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	config := prosody.Config{Accounts: map[string]string{}}
	flag.Func("account", "an account, as `user:password` (repeatable)", func(value string) error {
		user, password, ok := strings.Cut(value, ":")
		if !ok || user == "" || password == "" {
			return errors.New("it must be user:password")
		}
		config.Accounts[user] = password
		return nil
	})
	flag.Func("node", "a node of the publish-subscribe service, as `name[:access]`, access is open or whitelist (repeatable)", func(value string) error {
		if value == "" {
			return errors.New("it must have a name")
		}
		config.Nodes = append(config.Nodes, value)
		return nil
	})
	flag.StringVar(&config.Hash, "hash", "SHA-256", "the hash of stored passwords, SHA-256 or SHA-1, which decides the offered SCRAM mechanism")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := prosody.Start(ctx, config)
	if err != nil {
		return err
	}
	fmt.Println("listening", server.URL())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	<-ctx.Done()
	return server.Close()
}
