// Package stream is the client's side of an XMPP stream over WebSocket
// (RFC 6120, RFC 7395) as a pure state machine: open, features, SASL, resource
// binding, stanzas, close and errors.
//
// It does no I/O, reads no clock and draws no random numbers. The caller owns
// the socket, the time and the randomness, feeds Inputs to Step and carries
// out the Outputs in order. A stream that was hung up stays so; a new
// connection gets a new Stream.
package stream

import (
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/sasl"
)

// Config says who logs in, and how.
type Config struct {
	// Account is the bare JID to log in as.
	Account jid.JID
	// Resource is asked for when binding; the server may assign another. Empty
	// leaves the choice to the server.
	Resource string
	// Encrypted tells that nobody can listen: the socket is wss:, or it ends at
	// a loopback address. PLAIN is used only then.
	Encrypted bool
	// Mechanisms lists the allowed SASL mechanisms. Nil allows all that package
	// sasl supports. The strongest one that the server offers is used; PLAIN is
	// used only when nothing stronger is offered and allowed.
	Mechanisms []string
	// Used is the mechanism that Authenticated told of at an earlier log-in to the
	// account. A weaker one is not used, unless Mechanisms is set; nothing is sent
	// to a server that offers no other, and the error is CodeWeaker.
	Used string
	// Nonce returns a fresh, unpredictable SCRAM nonce of printable ASCII
	// without commas at every call.
	Nonce func() string
	// ID returns a fresh, unpredictable stanza id at every call.
	ID func() string
	// Resume is the session to go on with, as Resumption exported it; nil
	// or one that is Stuck begins a new one. If the server has lost it, a new one is begun too, and
	// Bound instead of Resumed tells so.
	Resume *Resumption
	// NoPersistence tells that no Resumption is ever stored: what is handled counts as
	// saved.
	NoPersistence bool
	// Inspect asks for a Read of every message.
	Inspect bool
}

// A Resumption is what is needed to go on with a session on a new connection
// (XEP-0198 §5), even in another run of the program.
type Resumption struct {
	ID       string  // the server's name for the session: a secret
	Location string  // where the server would like to be reached again, if anywhere
	JID      jid.JID // the full JID of the session
	// H counts the stanzas of the server that were handled, modulo 2³².
	H uint32
	// Seen counts those after H that have arrived, and Waiting names those of them
	// that were delivered. The server sends them again, and this run of the
	// program is not given them again. Another run has not seen them.
	Seen    uint32
	Waiting []uint32
	// Seq is the number of the last one that was delivered to this run of the
	// program; see Deliver.
	Seq uint64
	// Early counts the stanzas that were delivered before the counting began,
	// and are not handled. Unsaved counts those up to H of which Saved has not
	// told: the server keeps them for another run of the program, and sends them
	// again too. For another run none of these is set.
	Early   int
	Unsaved uint32
	// Acked counts the own stanzas that the server has acknowledged, modulo
	// 2³². Unacked are those after them, as they were sent.
	Acked   uint32
	Unacked []string
	// Replays counts the resumptions in a row that sent Unacked again without any
	// of it being acknowledged since. See Stuck.
	Replays int
	// Stored tells that an earlier run of the program stored this, and may have
	// sent more before it ended. Nobody waits for what came of that.
	Stored bool
}

// An Input is something that happened: Opened, Message, Closed, Tick,
// Credentials, Derived, Send, Handled, Saved, Probe, Sleep or Close.
type Input interface{ input() }

type (
	// Opened says that the socket is open.
	Opened struct{}
	// Message is one message that arrived.
	Message struct{ Text string }
	// Closed says that the socket has ended. A nil Err is a clean end.
	Closed struct{ Err error }
	// Tick says that the time asked for by SetTimer has come.
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
	// Send sends a stanza. It is ignored unless the stream is bound. One of more
	// than MaxStanza bytes is Dropped, as is an answer to a stranger while too
	// many stanzas are not acknowledged.
	Send struct{ Stanza *element.Element }
	// Handled says that the stanzas that were delivered up to the one numbered Seq
	// need not be delivered again. Without it they are never acknowledged.
	Handled struct{ Seq uint64 }
	// Saved says that a Resumption with this H is stored. Only then the server
	// is told that it may forget the stanzas up to H: a program that starts
	// anew must not ask for less than was acknowledged.
	Saved struct{ H uint32 }
	// Probe asks whether the other side is still there: it has 5 seconds to
	// answer, or to go on with the negotiation. It is for the moment after a
	// sleep, when sockets are often dead.
	Probe struct{}
	// Sleep says that the program may be stopped soon: what is saved is
	// acknowledged at once.
	Sleep struct{}
	// Close ends the stream in order: a last acknowledgement, <close/> out, <close/> in or two
	// seconds, then Hangup.
	Close struct{}
)

// An Output is something to do: Read, Write, NeedCredentials, Derive, Authenticated, Bound, Resumed, Deliver,
// Dropped, SetTimer or Hangup.
type Output interface{ output() }

type (
	// Read shows a message that arrived, before whatever comes of it. Element is
	// nil if it was refused: it is no XML, or is beyond the limits of the moment.
	Read struct {
		Text    string
		Element *element.Element
	}
	// Write sends one message. Secret tells that it holds credentials and must
	// not be shown.
	Write struct {
		Text   string
		Secret bool
	}
	// NeedCredentials asks for Credentials. Mechanisms are the ones that both
	// sides know, strongest first.
	NeedCredentials struct{ Mechanisms []string }
	// Derive asks for the key of a derivation, which may take seconds, and so has
	// no deadline here. Derived answers it.
	Derive struct{ sasl.Derivation }
	// Authenticated says that the log-in succeeded with this mechanism.
	Authenticated struct{ Mechanism string }
	// Bound says that a new session has begun with the given full JID. Whatever
	// an earlier one had under way is lost.
	Bound struct{ JID jid.JID }
	// Resumed says that the session of Config.Resume goes on: what was under way
	// still is. Own stanzas that the server had not received are sent again
	// after it.
	Resumed struct{ JID jid.JID }
	// Deliver hands on a stanza: an iq, message or presence in ns.Client. Its
	// from and to, if any, are parsable JIDs. Seq counts those of the session that
	// this run of the program was given, from 1; see Handled.
	Deliver struct {
		Seq    uint64
		Stanza *element.Element
	}
	// Dropped says that a message was ignored, and why. The stream goes on.
	Dropped struct{ Err error }
	// SetTimer asks for a Tick at the given time, instead of any earlier
	// demand. A zero time asks for none.
	SetTimer struct{ At time.Time }
	// Hangup ends the stream: close the socket. Err is nil after Close.
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

// Code says what kind of failure ended a stream.
type Code string

// The codes, as JavaScript sees them.
const (
	CodeTransport   Code = "transport"    // the socket failed
	CodeTimeout     Code = "timeout"      // no answer during negotiation
	CodeProtocol    Code = "protocol"     // the peer does not speak RFC 7395
	CodeAuth        Code = "auth"         // credentials refused, or the server's proof wrong
	CodeWeaker      Code = "weaker-login" // only mechanisms weaker than one used before are offered
	CodeTLSRequired Code = "tls-required" // only PLAIN is offered and somebody could listen
	CodeConflict    Code = "conflict"     // another session took the resource
	CodeStream      Code = "stream"       // the server ended the stream with an error
	CodeAborted     Code = "aborted"      // the caller gave no credentials
)

// An Error says why a stream ended.
type Error struct {
	Code Code
	// Condition is the RFC 6120 condition sent by the server, if any: a stream
	// error (§4.9.3) or a SASL failure (§6.5).
	Condition string
	// Text is one sentence for a person.
	Text string
	// Retry tells whether a new connection may well succeed.
	Retry bool
	// SeeOther is the address that the server wants to be reached at instead
	// (RFC 7395 §3.6.1: see-other-uri), as it sent it. The caller decides
	// whether to follow.
	SeeOther string
	// Err is the cause, if another error is.
	Err error
}
