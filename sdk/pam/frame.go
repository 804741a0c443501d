package pam

import "time"

// MaxFrame is how many bytes of a message a Frame shows.
const MaxFrame = 64 << 10

// A Frame is one message on the wire.
type Frame struct {
	Seq int64 // counts the frames of a Client from 1
	At  time.Time
	Out bool
	// XML is the message, or its first MaxFrame bytes. Of an element of a log-in
	// (SASL) only the name is shown, the mechanism, and the condition of a
	// failure. A message of the server that cannot be read is not shown before
	// the log-in: what it holds is not known.
	XML string
	// Bytes is the length of the message. It is more than that of XML if not all
	// is shown. Of an element of a log-in it is the length of what is shown.
	Bytes int

	// Kind is "iq", "message" or "presence" for a stanza, "sasl" for an element of
	// the log-in, "sm" for one of XEP-0198, and "stream" for any other and for a
	// message that was refused.
	Kind string
	// Layer names the extension that the message is about: "pam", "pubsub", "mam",
	// "disco" or "caps"; it is empty for any other. A result without a payload is
	// about what its request is about.
	Layer string
	// ID is that of the element. One of more than 256 bytes is left out.
	ID string
	// ReplyTo is the Seq of the request that an iq of type result or error answers,
	// and RTT the time between the two. ReplyTo is 0 if there is none.
	ReplyTo int64
	RTT     time.Duration
}
