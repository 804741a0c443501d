package client

import (
	"context"
	"time"

	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
)

// Options configure a Client. Account, URL or Fetcher, Credentials and
// Dialer are required.
type Options struct {
	// Account is the bare JID to log in as. A full JID is refused: XEP-0376
	// §3.2 makes the bare JID the subscriber, always.
	Account string

	// URL is the WebSocket endpoint, wss:, or ws: on a loopback host. If it is
	// empty it is looked up with Fetcher.
	URL string

	// Fetcher looks the endpoint up in the host metadata of the account's domain
	// (XEP-0156), before the first attempt to connect and again after every one
	// that failed; while the lookup fails, the address that was found last is
	// good enough. It is not used if there is a URL. Natively use
	// transport/web.
	Fetcher transport.Fetcher

	// FollowTo lists the hosts, besides that of the endpoint itself, to which
	// the server may send the client on (RFC 7395 §3.6.1, see-other-uri), such
	// as node2.example.org. It is followed at once, before the log-in and in a
	// session, but at most three times in a row, and never from wss: to ws:.
	// Whatever else the server names is an error with pam.CodeStream.
	FollowTo []string

	// Credentials is called at every log-in, on a goroutine of its own.
	Credentials func(ctx context.Context, request CredentialRequest) (Credentials, error)

	// Mechanisms lists the allowed SASL mechanisms. Nil allows all, but none that
	// is weaker than the one of the last log-in to the account, which is stored: a
	// server that offers no other is an error with pam.CodeWeaker.
	Mechanisms []string

	// Derive computes the key of a SCRAM log-in, which takes seconds on a slow
	// device, on a goroutine of its own. It must end soon after
	// ctx, at the latest after a minute. Nil computes it in Go.
	Derive func(ctx context.Context, d Derivation) ([]byte, error)

	// Resource is asked for when binding; empty leaves it to the server.
	Resource string

	// Software is the name that service discovery shows (XEP-0030). The
	// default is "xmpp-pam".
	Software string

	// Dialer opens connections.
	Dialer transport.Dialer

	// Store keeps the list. It belongs to this account at this server alone,
	// and to the Client, which closes it, but not if New fails. If a call to it is
	// not answered within 10 seconds the Client goes on in memory. Nil keeps the
	// list in memory.
	Store store.Store

	// Tab names the record in which the stream's state is kept, so that the next
	// Client that is given the same Tab and store goes on with this one's session
	// instead of beginning a new one (XEP-0198): a page that is loaded again.
	// Never may two Clients that run at the same time have the same Tab. Empty
	// keeps nothing.
	Tab string

	// Resume is the Tab of an earlier Client whose session this one goes on with,
	// if it is not Tab itself. However many Clients are given the same Resume,
	// one of them gets the session, and keeps it under its own Tab.
	Resume string

	// Reconnect says how to come back after a lost connection. Nil is the
	// default policy.
	Reconnect *Reconnect

	// OnEvent is called with every event, in order, one at a time. It must
	// return quickly and may call no methods of the Client but Snapshot and
	// State: the others wait for the goroutine that OnEvent runs on.
	OnEvent func(Event)

	// OnFrame is called with every message sent and received, credentials
	// removed. It must return quickly. Nil turns the inspector off.
	OnFrame func(Frame)
}

// Reconnect is the policy of reconnecting: full jitter between zero and a limit
// that doubles from Base to Max. Refused credentials and a conflict are never
// retried. What else cannot heal by itself, such as a server that does not know
// the domain, is not retried before a session of the Client was live; afterwards
// it is, after half of Max or more, because a server that starts or is out of
// order says such things too.
type Reconnect struct {
	Base        time.Duration // default 500 ms
	Max         time.Duration // default 60 s
	NoJitter    bool          // always wait for the whole limit
	MaxAttempts int           // attempts in a row; 0 is without limit
	Off         bool          // never reconnect
}

// Credentials prove who the account is.
type Credentials struct{ Password string }

// CredentialRequest says what Credentials are asked for.
type CredentialRequest struct {
	Reason     string   // "initial", "reconnect", or "rejected" if the last ones were refused
	Mechanisms []string // the ones both sides know, strongest first
}

// A Derivation is the slow part of SCRAM: SaltedPassword = Hi(password, salt, i)
// of RFC 5802 §2.2, which is PBKDF2 (RFC 8018 §5.2) with HMAC and a key as long
// as the hash.
type Derivation struct {
	Hash       string // "SHA-1", "SHA-256" or "SHA-512", as in Web Cryptography
	Password   string // prepared, UTF-8
	Salt       []byte
	Iterations int
	Size       int // of the key, in bytes
}

// Key computes the key in Go. It calls pause every 4096 iterations, which take
// about 2 ms natively and 10 ms in WebAssembly, so that something else can run
// meanwhile, and ends with the error that pause returns.
func (d Derivation) Key(pause func() error) ([]byte, error) { return sasl.Derivation(d).Key(pause) }
