package engine

import (
	"context"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
)

// A Config is what an Engine works with. The options of package client say what
// each means; here they are checked, and none that is needed is missing.
type Config struct {
	Account jid.JID // bare

	Endpoint hostmeta.Endpoint // zero if it is to be looked up with Fetcher
	Fetcher  transport.Fetcher
	FollowTo []string // hosts, in lower case
	Dialer   transport.Dialer
	Policy   Policy

	Resource    string
	Mechanisms  []string
	Credentials func(ctx context.Context, reason string, mechanisms []string) (password string, err error)
	Derive      func(ctx context.Context, d sasl.Derivation) (key []byte, err error)
	Software    string

	Store       store.Store
	Tab, Resume string

	OnEvent func(pam.ClientEvent)
	OnFrame func(pam.Frame) // nil if nobody looks
}

// A Policy says how to come back after a lost connection.
type Policy struct {
	Base        time.Duration
	Max         time.Duration
	NoJitter    bool
	MaxAttempts int
	Off         bool
}
