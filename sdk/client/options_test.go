//go:build !js

package client_test

import (
	"context"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/store"
)

// inTab has a client use a store and keep its session there under the name of a tab.
func inTab(s store.Store, tab string) func(*client.Options) {
	return func(o *client.Options) { o.Store, o.Tab = s, tab }
}

// waits sets the waits between attempts to connect; zero is the default.
func waits(base, most time.Duration) func(*client.Options) {
	return func(o *client.Options) { o.Reconnect = &client.Reconnect{Base: base, Max: most, NoJitter: true} }
}

func noReconnect(o *client.Options) { o.Reconnect = &client.Reconnect{Off: true} }

func quick(o *client.Options) {
	o.Reconnect = &client.Reconnect{Base: 10 * time.Millisecond, Max: 50 * time.Millisecond}
}

func password(p string) func(context.Context, client.CredentialRequest) (client.Credentials, error) {
	return func(context.Context, client.CredentialRequest) (client.Credentials, error) {
		return client.Credentials{Password: p}, nil
	}
}

// kept is a store that stays open when the client that uses it is closed, as one in a
// browser does.
type kept struct{ store.Store }

func keep(s store.Store) kept { return kept{s} }

func (kept) Close() error { return nil }
