//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"strings"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/store/file"
	"xmpp-pam/sdk/transport/web"
	"xmpp-pam/sdk/transport/ws"
)

// A Client can read the list before any server answers, if it gets the Store of an
// earlier Client.
func ExampleClient_Load() {
	url, stop := exampleServer()
	defer stop()
	dir, err := os.MkdirTemp("", "example") // A real program uses a directory that stays.
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	openStore := func() store.Store {
		s, err := file.Open(dir, "alice@localhost")
		if err != nil {
			log.Fatal(err)
		}
		return s
	}
	ctx := context.Background()

	before := exampleClient(&client.Options{URL: url, Store: openStore()})
	if _, err := before.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	if _, err := before.Subscribe(ctx, pam.Target{Service: "pubsub.localhost", Node: "news"}); err != nil {
		log.Fatal(err)
	}
	_ = before.Close()

	after := exampleClient(&client.Options{URL: url, Store: openStore()})
	defer after.Close()
	snapshot, err := after.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(snapshot.List), "subscription from the", snapshot.Source)
	// Output:
	// 1 subscription from the cache
}

// Events reads what was published at the nodes of the list, also in an earlier run of the
// program or while it did not run. EventsChanged says when to read it again.
func ExampleClient_Events() {
	server, url, stop := exampleMem()
	defer stop()
	stored := make(chan struct{}, 1)
	c := exampleClient(&client.Options{URL: url, OnEvent: func(e client.Event) {
		if changed, ok := e.(client.EventsChanged); ok && len(changed.Added) > 0 {
			stored <- struct{}{}
		}
	}})
	defer c.Close()
	ctx := context.Background()
	if _, err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	if _, err := c.Subscribe(ctx, pam.Target{Service: "pubsub.localhost", Node: "news"}); err != nil {
		log.Fatal(err)
	}
	if err := server.Publish("news", "1", "<entry xmlns='http://www.w3.org/2005/Atom'><title>It rains</title></entry>"); err != nil {
		log.Fatal(err)
	}
	<-stored
	events, _, err := c.Events(ctx, pam.EventQuery{UnseenOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range events {
		fmt.Println(e.Node, e.Type, e.Entry.Title)
	}
	// Output:
	// news published It rains
}

// An error names the entity that made it, and the condition.
func ExampleClient_Subscribe() {
	url, stop := exampleServer()
	defer stop()
	c := exampleClient(&client.Options{URL: url})
	defer c.Close()
	ctx := context.Background()
	if _, err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	_, err := c.Subscribe(ctx, pam.Target{Service: "pubsub.localhost", Node: "private"})
	var failure *pam.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Code, failure.Origin, failure.By, failure.PubsubCondition)
	}
	// Output:
	// stanza remote-service pubsub.localhost closed-node
}

// Events arrive one at a time and in order. A function that takes long passes them to
// another goroutine.
func ExampleOptions_onEvent() {
	url, stop := exampleServer()
	defer stop()
	states := make(chan pam.SyncState, 100)
	c := exampleClient(&client.Options{URL: url, OnEvent: func(e client.Event) {
		if changed, ok := e.(client.StateChanged); ok {
			states <- changed.State
		}
	}})
	defer c.Close()
	if _, err := c.Connect(context.Background()); err != nil {
		log.Fatal(err)
	}
	for state := range states {
		if state.Phase == pam.PhaseLive {
			fmt.Println(state.Phase)
			break
		}
	}
	// Output:
	// live
}

// Without a URL, the Client looks the endpoint up in the host metadata of the
// account's domain (XEP-0156).
func ExampleOptions_fetcher() {
	c, err := client.New(&client.Options{
		Account: "alice@example.org",
		Fetcher: &web.Fetcher{},
		Dialer:  &ws.Dialer{},
		Credentials: func(context.Context, client.CredentialRequest) (client.Credentials, error) {
			return client.Credentials{Password: "secret"}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
}

// exampleServer starts a server in this process that has the account
// alice@localhost, the node "news" and the node "private", which is closed.
func exampleServer() (url string, stop func()) {
	_, url, stop = exampleMem()
	return url, stop
}

// exampleMem is exampleServer, and returns the server too.
func exampleMem() (server *mem.Server, url string, stop func()) {
	server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": "secret"}})
	if err != nil {
		log.Fatal(err)
	}
	for node, access := range map[string]string{"news": "open", "private": "whitelist"} {
		if err := server.CreateNode(node, access); err != nil {
			log.Fatal(err)
		}
	}
	endpoint := httptest.NewServer(server)
	return server, "ws" + strings.TrimPrefix(endpoint.URL, "http"), func() {
		endpoint.Close()
		_ = server.Close()
	}
}

// exampleClient returns a Client of alice@localhost.
func exampleClient(opts *client.Options) *client.Client {
	opts.Account, opts.Dialer = "alice@localhost", &ws.Dialer{}
	opts.Credentials = func(context.Context, client.CredentialRequest) (client.Credentials, error) {
		return client.Credentials{Password: "secret"}, nil
	}
	c, err := client.New(opts)
	if err != nil {
		log.Fatal(err)
	}
	return c
}
