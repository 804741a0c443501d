// Package stream implements the client side of an XMPP stream over WebSocket
// (RFC 6120, RFC 7395) as a pure state machine: open, features, SASL, resource
// binding, stanzas, close and errors.
//
// It does no I/O, reads no clock and generates no random numbers. The caller owns
// the socket, the clock and the source of randomness, passes Inputs to Step and carries
// out the Outputs in order. A Stream cannot be used again after Hangup; a new
// connection needs a new Stream.
package stream

import (
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/sasl"
)

// A Config configures a Stream.
type Config struct {
	// Account is the bare JID to log in as.
	Account jid.JID
	// Resource is the resource to request when binding; the server may assign
	// another. If it is empty, the server chooses one.
	Resource string
	// Encrypted reports whether the connection is protected against eavesdropping: its
	// scheme is wss:, or it ends at a loopback address. PLAIN is used only then.
	Encrypted bool
	// Mechanisms lists the allowed SASL mechanisms. Nil allows all that package
	// sasl supports. The strongest one that the server offers is used; PLAIN is
	// used only when nothing stronger is offered and allowed.
	Mechanisms []string
	// Used is the mechanism that Authenticated reported at an earlier authentication of
	// the account. The stream does not use a weaker one, unless Mechanisms is set. If
	// the server offers only weaker ones, the stream sends no credentials and ends with
	// CodeWeaker.
	Used string
	// Nonce returns a fresh, unpredictable SCRAM nonce of printable ASCII
	// without commas at every call.
	Nonce func() string
	// ID returns a fresh, unpredictable stanza id at every call.
	ID func() string
	// Resume is the session to resume, as returned by Resumption. If it is nil or
	// Stuck, the stream starts a new session. If the server no longer has the session,
	// the stream starts a new one too, and outputs Bound instead of Resumed.
	Resume *Resumption
	// NoPersistence means that the caller never stores a Resumption: handled stanzas
	// count as saved.
	NoPersistence bool
	// Inspect requests a Read for every message.
	Inspect bool
}

// A Resumption is the state that is needed to resume a session on a new connection
// (XEP-0198 §5), even in another run of the program.
type Resumption struct {
	ID       string  // the server's id of the session: a secret
	Location string  // where the server prefers the session to be resumed, if set
	JID      jid.JID // the full JID of the session
	// H counts the stanzas of the server that were handled, modulo 2³².
	H uint32
	// Seen counts the stanzas after H that have arrived. Waiting holds the numbers of
	// those that were delivered but not handled. The server sends all of them again;
	// the stream does not deliver them again in this run of the program, but it does
	// in another run.
	Seen    uint32
	Waiting []uint32
	// Seq is the number of the last stanza delivered in this run of the program; see
	// Deliver.
	Seq uint64
	// Early counts the stanzas that were delivered before <enabled/> and are not
	// handled. Unsaved counts the stanzas up to H that Saved has not reported: the
	// server keeps them for another run of the program and sends them again too. In
	// another run none of these fields is set.
	Early   int
	Unsaved uint32
	// Acked counts the sent stanzas that the server has acknowledged, modulo
	// 2³². Unacked holds the later ones, as they were sent.
	Acked   uint32
	Unacked []string
	// Replays counts the resumptions in a row that sent Unacked again without an
	// acknowledgement of any of it. See Stuck.
	Replays int
	// Stored reports whether an earlier run of the program stored the Resumption. That
	// run may have sent more stanzas before it ended, whose answers are ignored.
	Stored bool
}

// An Input is an event for the Stream: Opened, Message, Closed, Tick,
// Credentials, Derived, Send, Handled, Saved, Probe, Sleep or Close.
type Input interface{ input() }

type (
	// Opened reports that the socket is open.
	Opened struct{}
	// Message is one message that arrived.
	Message struct{ Text string }
	// Closed reports that the socket has closed. Err is nil after a clean close.
	Closed struct{ Err error }
	// Tick reports that the timer set by SetTimer has expired.
	Tick struct{}
	// Credentials answers NeedCredentials. An Err ends the stream.
	Credentials struct {
		Password string
		Err      error
	}
	// Derived answers Derive. An Err ends the stream.
	Derived struct {
		Key []byte
		Err error
	}
	// Send sends a stanza. It is ignored unless the stream is bound. A stanza of more
	// than MaxStanza bytes is Dropped, as is an answer to an entity other than the
	// account's server while too many stanzas are unacknowledged.
	Send struct{ Stanza *element.Element }
	// Handled reports that the delivered stanzas up to the one numbered Seq are handled
	// and need not be delivered again. Without it they are never acknowledged.
	Handled struct{ Seq uint64 }
	// Saved reports that a Resumption with this H is stored. Only then does the stream
	// acknowledge the stanzas up to H, because a new run of the program must not resume
	// with a lower count than was acknowledged.
	Saved struct{ H uint32 }
	// Probe checks whether the server responds: it has 5 seconds to answer, or to
	// continue the negotiation. It is meant for the time after the program was
	// suspended, when the connection may be lost.
	Probe struct{}
	// Sleep reports that the program may be suspended soon. The stream acknowledges what
	// is saved at once.
	Sleep struct{}
	// Close closes the stream: it sends a last acknowledgement and <close/>, waits up to
	// two seconds for the server's <close/>, and outputs Hangup.
	Close struct{}
)

// An Output is an action for the caller: Read, Write, NeedCredentials, Derive,
// Authenticated, Bound, Resumed, Deliver, Dropped, SetTimer or Hangup.
type Output interface{ output() }

type (
	// Read reports a received message, before the outputs that it causes. Element is
	// nil if the message was rejected because it is not valid XML or exceeds a limit.
	Read struct {
		Text    string
		Element *element.Element
	}
	// Write sends one message. Secret reports whether it contains credentials and must
	// not be shown.
	Write struct {
		Text   string
		Secret bool
	}
	// NeedCredentials requests Credentials. Mechanisms are the ones that both sides
	// support, strongest first.
	NeedCredentials struct{ Mechanisms []string }
	// Derive requests the key of a derivation. The stream sets no deadline, because the
	// computation may take seconds. Derived answers it.
	Derive struct{ sasl.Derivation }
	// Authenticated reports that authentication with this mechanism succeeded.
	Authenticated struct{ Mechanism string }
	// Bound reports that a new session has started with the given full JID. The pending
	// requests of an earlier session are lost.
	Bound struct{ JID jid.JID }
	// Resumed reports that the session of Config.Resume is resumed: its pending requests
	// continue. The stream then sends the stanzas again that the server had not
	// received.
	Resumed struct{ JID jid.JID }
	// Deliver delivers a stanza: an iq, message or presence in ns.Client. Its from and
	// to, if any, are valid JIDs. Seq numbers the stanzas of the session that were
	// delivered in this run of the program, from 1; see Handled.
	Deliver struct {
		Seq    uint64
		Stanza *element.Element
	}
	// Dropped reports that a message was ignored, and why. The stream stays open.
	Dropped struct{ Err error }
	// SetTimer requests a Tick at the given time, and replaces any earlier request. A
	// zero time cancels the timer.
	SetTimer struct{ At time.Time }
	// Hangup ends the stream: the caller must close the socket. Err is nil after Close.
	Hangup struct{ Err *Error }
)

func (Opened) input()      {}
func (Message) input()     {}
func (Closed) input()      {}
func (Tick) input()        {}
func (Credentials) input() {}
func (Derived) input()     {}
func (Send) input()        {}
func (Handled) input()     {}
func (Saved) input()       {}
func (Probe) input()       {}
func (Sleep) input()       {}
func (Close) input()       {}

func (Read) output()            {}
func (Write) output()           {}
func (NeedCredentials) output() {}
func (Derive) output()          {}
func (Authenticated) output()   {}
func (Bound) output()           {}
func (Resumed) output()         {}
func (Deliver) output()         {}
func (Dropped) output()         {}
func (SetTimer) output()        {}
func (Hangup) output()          {}

// Code is the kind of an Error.
type Code string

// The codes, which equal those of package pam.
const (
	CodeTransport   Code = "transport"    // the connection failed
	CodeTimeout     Code = "timeout"      // the server did not answer in time
	CodeProtocol    Code = "protocol"     // the server violated the protocol
	CodeAuth        Code = "auth"         // the server refused the credentials, or its proof is wrong
	CodeWeaker      Code = "weaker-login" // the server offers only mechanisms weaker than the last one used
	CodeTLSRequired Code = "tls-required" // the server offers only PLAIN and the connection is not encrypted
	CodeConflict    Code = "conflict"     // another session took over the resource
	CodeStream      Code = "stream"       // the server closed the stream with an error
	CodeAborted     Code = "aborted"      // the caller provided no credentials
)

// An Error describes why a stream ended.
type Error struct {
	Code Code
	// Condition is the RFC 6120 condition sent by the server, if any: a stream
	// error (§4.9.3) or a SASL failure (§6.5).
	Condition string
	// Text is one sentence for the user, in English.
	Text string
	// Retry reports whether a new connection may succeed.
	Retry bool
	// SeeOther is the URL to which the server redirects the client (RFC 7395 §3.6.1,
	// see-other-uri), as received. The caller decides whether to follow it.
	SeeOther string
	// Err is the underlying error, if any.
	Err error
}
