package pam

import "time"

// MaxFrame is the maximum length in bytes of Frame.XML.
const MaxFrame = 64 << 10

// A Frame describes one WebSocket message that the client sent or received.
type Frame struct {
	Seq int64 // counts the frames of a Client from 1
	At  time.Time
	Out bool
	// XML is the message, or its first MaxFrame bytes. Of a SASL element it shows
	// only the name, the mechanism, and the condition of a failure. It is empty for
	// a malformed message received before authentication, because such a message
	// may contain credentials.
	XML string
	// Bytes is the length of the message, which is greater than that of XML if XML
	// is truncated. For a SASL element it is the length of XML.
	Bytes int

	// Kind is "iq", "message" or "presence" for a stanza, "sasl" for a SASL
	// element, "sm" for a stream management element (XEP-0198), and "stream" for
	// any other element and for a rejected message.
	Kind string
	// Layer names the extension that the message belongs to: "pam", "pubsub",
	// "mam", "disco" or "caps". It is empty for any other. A result without a
	// payload has the Layer of its request.
	Layer string
	// ID is the id attribute of the element. An id of more than 256 bytes is left
	// out.
	ID string
	// ReplyTo is the Seq of the request that an iq of type result or error answers,
	// and RTT is the time between the two. ReplyTo is 0 if there is no request.
	ReplyTo int64
	RTT     time.Duration
}
