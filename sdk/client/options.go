package client

import (
	"context"
	"time"

	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
)

// Options configure a Client. Account, URL or Fetcher, Credentials and
// Dialer are required.
type Options struct {
	// Account is the bare JID to log in as. New rejects a full JID, because the
	// subscriber is always the bare JID (XEP-0376 §3.2).
	Account string

	// URL is the WebSocket endpoint, with the scheme wss:, or ws: on a loopback
	// host. If it is empty, the Client looks the endpoint up with Fetcher.
	URL string

	// Fetcher fetches the host metadata of the account's domain (XEP-0156), in
	// which the Client looks the endpoint up: before the first connection attempt
	// and again after every failed one. If a lookup fails, the Client uses the
	// endpoint that it found last. Fetcher is not used if URL is set. Native
	// programs use transport/web.
	Fetcher transport.Fetcher

	// FollowTo lists the hosts, besides that of the endpoint itself, to which
	// the server may redirect the Client (RFC 7395 §3.6.1, see-other-uri), such
	// as node2.example.org. The Client follows a redirect at once, before
	// authentication and in a session, but at most three times in a row, and never
	// from wss: to ws:. Any other redirect is an error with pam.CodeStream.
	FollowTo []string

	// Credentials is called for every authentication, on its own goroutine.
	Credentials func(ctx context.Context, request CredentialRequest) (Credentials, error)

	// Mechanisms lists the allowed SASL mechanisms. Nil allows every mechanism that
	// is not weaker than the one last used with the account, which the Client
	// stores. If the server offers only weaker ones, authentication fails with
	// pam.CodeWeaker.
	Mechanisms []string

	// Derive computes the key for SCRAM, which takes seconds on a slow device. It is
	// called on its own goroutine. It must return soon after ctx ends, and after a
	// minute at the latest. If it is nil, the Client computes the key in Go.
	Derive func(ctx context.Context, d Derivation) ([]byte, error)

	// Resource is the resource to request when binding. If it is empty, the server
	// chooses one.
	Resource string

	// Software is the name of the client in service discovery (XEP-0030). The
	// default is "xmpp-pam".
	Software string

	// Dialer opens connections.
	Dialer transport.Dialer

	// Store keeps the list, for example in files: see package store/file. It must be
	// used for this account only. The Client owns
	// it and closes it, unless New fails. If a call to it does not return within 10
	// seconds, the Client continues in memory. If it is nil, the Client keeps the
	// list in memory.
	Store store.Store

	// Tab names the record that holds the state of the stream. The next Client with
	// the same Tab and store resumes the session (XEP-0198) instead of starting a
	// new one, for example when a page is reloaded. No two running Clients may use
	// the same Tab. If Tab is empty, the session is not stored.
	Tab string

	// Resume is the Tab of an earlier Client whose session this one resumes, if
	// that differs from Tab. If several Clients have the same Resume, exactly one
	// of them gets the session and stores it under its own Tab.
	Resume string

	// Interests are the interests at the start; see Client.SetInterests.
	Interests []pam.Interest

	// Reconnect is the policy for reconnecting after a lost connection. Nil means
	// the default policy.
	Reconnect *Reconnect

	// OnEvent is called with every event, in order, one at a time. It must
	// return quickly. The only methods of the Client that it may call are Snapshot
	// and State; the others wait for the goroutine that OnEvent runs on.
	OnEvent func(Event)

	// OnFrame is called with every message sent and received, with credentials
	// removed. It must return quickly. It may be nil.
	OnFrame func(Frame)
}

// Reconnect is the policy for reconnecting. The Client waits for a random time
// between zero and a limit that doubles from Base to Max (full jitter). It never
// retries after refused credentials or a conflict. After any other error that is
// not Retryable, such as a server that does not serve the domain, it retries only if
// one of its sessions has been live, and waits for at least half of Max, because a
// server that is starting or misconfigured may report such errors temporarily.
type Reconnect struct {
	Base        time.Duration // default 500 ms
	Max         time.Duration // default 60 s
	NoJitter    bool          // always wait for the full limit
	MaxAttempts int           // maximum number of attempts in a row; 0 means no limit
	Off         bool          // never reconnect
}

// Credentials authenticate the account.
type Credentials struct{ Password string }

// A CredentialRequest describes why Credentials are requested and for what.
type CredentialRequest struct {
	Reason     string   // "initial", "reconnect", or "rejected" if the server refused the last ones
	Mechanisms []string // the mechanisms that both sides support, strongest first
}

// A Derivation describes the expensive computation of SCRAM: SaltedPassword =
// Hi(password, salt, i) of RFC 5802 §2.2, which is PBKDF2 (RFC 8018 §5.2) with HMAC
// and a key as long as the hash.
type Derivation struct {
	Hash       string // "SHA-1", "SHA-256" or "SHA-512", as in Web Cryptography
	Password   string // normalised as SASLprep requires, in UTF-8
	Salt       []byte
	Iterations int
	Size       int // size of the key in bytes
}

// Key computes the key in Go. It calls pause every 4096 iterations, which take
// about 2 ms natively and 10 ms in WebAssembly, so that other code can run in
// between. If pause returns an error, Key stops and returns it.
func (d Derivation) Key(pause func() error) ([]byte, error) { return sasl.Derivation(d).Key(pause) }
