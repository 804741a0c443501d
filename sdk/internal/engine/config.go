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

// A Config configures an Engine. Package client documents the options. It has checked
// them, and all required ones are set.
type Config struct {
	Account jid.JID // bare

	Endpoint hostmeta.Endpoint // zero if Fetcher is to look it up
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

	Interests []pam.Interest // checked by CheckInterests

	OnEvent func(pam.ClientEvent)
	OnFrame func(pam.Frame) // nil if the program does not inspect messages
}

// A Policy is the policy for reconnecting after a lost connection.
type Policy struct {
	Base        time.Duration
	Max         time.Duration
	NoJitter    bool
	MaxAttempts int
	Off         bool
}
