package client

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
)

// config checks the options and fills in the defaults.
func config(opts *Options) (*engine.Config, error) {
	if opts == nil {
		opts = &Options{}
	}
	account, err := parseAccount(opts.Account)
	if err != nil {
		return nil, err
	}
	cfg := &engine.Config{Account: account, Dialer: opts.Dialer, Resource: opts.Resource, Mechanisms: opts.Mechanisms,
		Software: opts.Software, Store: opts.Store, Tab: opts.Tab, Resume: opts.Resume,
		OnEvent: opts.OnEvent, OnFrame: opts.OnFrame}
	if err := setEndpoint(cfg, opts); err != nil {
		return nil, err
	}
	if opts.Credentials == nil {
		return nil, engine.ClientError(pam.CodeBadOptions, "Credentials is missing: give a function that returns the password.")
	}
	if opts.Dialer == nil {
		return nil, engine.ClientError(pam.CodeBadOptions, "Dialer is missing: natively use transport/ws.")
	}
	if opts.Reconnect != nil {
		cfg.Policy = engine.Policy(*opts.Reconnect)
	}
	if cfg.Policy.Base <= 0 {
		cfg.Policy.Base = 500 * time.Millisecond
	}
	if cfg.Policy.Max <= 0 {
		cfg.Policy.Max = time.Minute
	}
	if cfg.Software == "" {
		cfg.Software = "xmpp-pam"
	}
	if cfg.Store == nil {
		cfg.Store = store.NewMemory()
	}
	credentials, derive := opts.Credentials, opts.Derive
	cfg.Credentials = func(ctx context.Context, reason string, mechanisms []string) (string, error) {
		got, err := credentials(ctx, CredentialRequest{Reason: reason, Mechanisms: mechanisms})
		return got.Password, err
	}
	cfg.Derive = func(ctx context.Context, d sasl.Derivation) ([]byte, error) { return d.Key(ctx.Err) }
	if derive != nil {
		cfg.Derive = func(ctx context.Context, d sasl.Derivation) ([]byte, error) { return derive(ctx, Derivation(d)) }
	}
	interests, problem := engine.CheckInterests(opts.Interests)
	if problem != nil {
		return nil, problem
	}
	cfg.Interests = interests
	return cfg, nil
}

// setEndpoint sets the server's endpoint, or the Fetcher to look it up with, and the
// hosts to which the server may redirect the client.
func setEndpoint(cfg *engine.Config, opts *Options) error {
	for _, host := range opts.FollowTo {
		at, err := hostmeta.ParseEndpoint("wss://" + host)
		if host = strings.ToLower(host); err != nil || at.Host != strings.Trim(host, "[]") {
			return engine.ClientError(pam.CodeBadOptions, "FollowTo holds "+strconv.Quote(transport.Show(host))+", which is no host: give names such as node2.example.org, without scheme, port and path.")
		}
		cfg.FollowTo = append(cfg.FollowTo, at.Host)
	}
	if opts.URL == "" && opts.Fetcher != nil {
		cfg.Fetcher = opts.Fetcher
		return nil
	}
	at, err := hostmeta.ParseEndpoint(opts.URL)
	switch {
	case opts.URL == "":
		return engine.ClientError(pam.CodeBadOptions, "URL is missing: give the server's WebSocket endpoint, such as wss://example.org/xmpp-websocket, or a Fetcher to look it up.")
	case errors.Is(err, hostmeta.ErrOpen):
		return engine.ClientError(pam.CodeTLSRequired, "The URL "+strconv.Quote(transport.Show(opts.URL))+" is not encrypted: use wss:. Only a loopback host may be reached by ws:.")
	case err != nil:
		return engine.ClientError(pam.CodeBadOptions, "The URL "+strconv.Quote(transport.Show(opts.URL))+" is no WebSocket endpoint: give one such as wss://example.org/xmpp-websocket.")
	}
	cfg.Endpoint = at
	return nil
}

func parseAccount(account string) (jid.JID, error) {
	if account == "" {
		return jid.JID{}, engine.ClientError(pam.CodeBadOptions, "Account is missing: give a bare JID such as alice@example.org.")
	}
	j, err := address.Parse(account)
	if err != nil {
		return jid.JID{}, &pam.Error{Code: pam.CodeBadJID, Origin: pam.FromClient, Err: err,
			Text: "The account " + strconv.Quote(account) + " is not a JID" + engine.DomainProblem(err) + "; use a JID such as alice@example.org."}
	}
	if j.Localpart() == "" || j.Resourcepart() != "" {
		return jid.JID{}, engine.ClientError(pam.CodeBadJID, "The account "+strconv.Quote(account)+" is no bare JID: give one such as alice@example.org, without a resource.")
	}
	return j, nil
}
