//go:build !js

package client_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport/ws"
)

// Connect, subscribe to a node, and show the list, which is the same on every
// device of the account.
func Example() {
	c, err := client.New(&client.Options{
		Account: "alice@example.org",
		URL:     "wss://example.org/xmpp-websocket",
		Dialer:  &ws.Dialer{},
		Credentials: func(context.Context, client.CredentialRequest) (client.Credentials, error) {
			return client.Credentials{Password: os.Getenv("XMPP_PASSWORD")}, nil
		},
		OnEvent: func(e client.Event) {
			if changed, ok := e.(client.Changed); ok {
				fmt.Println(len(changed.Changes), "changes by", changed.Origin)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := c.Connect(ctx); err != nil {
		log.Print(err)
		return
	}
	got, err := c.Subscribe(ctx, pam.Target{Service: "pubsub.example.org", Node: "news"})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(got.Node, "is", got.State)
	for _, s := range c.Snapshot().List {
		fmt.Println(s.Service, s.Node, s.State)
	}
}
