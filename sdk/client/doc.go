// Package client keeps the list of an account's publish-subscribe subscriptions
// equal to the list at the account's server, as XEP-0376 (Pubsub Account
// Management, PAM) describes. It connects, authenticates, stores the list, and
// reconnects when the connection is lost.
//
// # Installation
//
// The module has no published version. In go.mod, write
//
//	require xmpp-pam v0.0.0
//	replace xmpp-pam => path/to/xmpp-pam
//
// and run go mod tidy. A native program uses the Dialer of package transport/ws, and the
// Store of package store/file if it keeps the list between runs.
// If it does not know the server's endpoint, it leaves Options.URL empty and sets
// Options.Fetcher to a Fetcher of package transport/web, which looks the endpoint
// up in the host metadata of the account's domain (XEP-0156).
//
// # What to know before use
//
// The account appears online while a Client is connected, because servers deliver
// nothing to a session that sends no presence. A server may deliver chat messages
// to this session; they are reported as MessageReceived, like pubsub events.
//
// The subscriber is always the account's bare JID. Full JIDs are rejected.
//
// # Events
//
// The Client keeps what is published at the nodes of the list: Client.Events reads it,
// newest events first, and EventsChanged reports what was added. After each new session it
// fetches what was published in the meantime; pam.CatchUpState says whether that is all.
// An event also comes as MessageReceived, and one of a node that is not in the list comes
// only as that, because any entity can send one.
//
// If the account's server does not support XEP-0376, pam.SyncState.Missing
// contains "pam" and the stored list stays readable.
//
// PAM does not identify the device that made a change: pam.Origin only
// distinguishes this Client from others. The operator of the account's server can
// falsify the list.
//
// # Errors
//
// Every error is a *pam.Error with a stable code. The errors that a server sends
// also have the address of the entity that made them and the error condition.
//
// # Round trips
//
// From the opened socket to the synchronised list, with Prosody 0.12:
//
//	new device                        6  open, authentication (2), open, bind, list
//	stored version, nothing changed   6  the same; the reply to the list is empty
//	stored version, changes           7  the same, and a second list request that confirms them
//	resumed after a lost connection   5  open, authentication (2), open, resume
//	resumed by the next run           6  the same, and the list; its reply is empty
//
// After binding, stream management, presence, service discovery and the list
// request are sent without waiting for replies. The server sends the stanzas that
// were missed together with its answer to a resumption.
//
// # Implementation
//
// Only one goroutine reads and writes the state. It passes inputs to the pure state
// machines of packages stream, listsync, inbox and catchup, and carries out their outputs.
package client
