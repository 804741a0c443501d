//go:build !js

package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/transport/ws"
)

// Connect to a server in this process, subscribe to a node, and print the list,
// which is the same on every device of the account.
func Example() {
	server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": "secret"}})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	if err := server.CreateNode("news", "open"); err != nil {
		log.Fatal(err)
	}
	web := httptest.NewServer(server)
	defer web.Close()

	c, err := client.New(&client.Options{
		Account: "alice@localhost",
		URL:     "ws" + strings.TrimPrefix(web.URL, "http"),
		Dialer:  &ws.Dialer{},
		Credentials: func(context.Context, client.CredentialRequest) (client.Credentials, error) {
			return client.Credentials{Password: "secret"}, nil
		},
		OnEvent: func(e client.Event) {
			if changed, ok := e.(client.Changed); ok && len(changed.Changes) > 0 {
				fmt.Println(len(changed.Changes), "change by", changed.Origin)
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
	got, err := c.Subscribe(ctx, pam.Target{Service: "pubsub.localhost", Node: "news"})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(got.Node, "is", got.State)
	for _, s := range c.Snapshot().List {
		fmt.Println(s.Service, s.Node, s.State)
	}
	// Output:
	// 1 change by this-device
	// news is subscribed
	// pubsub.localhost news subscribed
}
