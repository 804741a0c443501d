package element

import "fmt"

// Limits limit what Parse accepts, so that a message from another entity cannot use
// excessive resources. Every field must be set: start from a copy of DefaultLimits.
type Limits struct {
	Bytes     int // length of the message
	Depth     int // elements inside one another, the root included
	Attrs     int // attributes of one element, declarations included; four times as many declarations may be in scope
	Tokens    int // start tags, end tags, attributes and runs of text
	Name      int // bytes of one name, prefix included
	AttrValue int // bytes of one attribute value, as written
}

// DefaultLimits are the limits of an authenticated session. They allow a full list of
// 100,000 subscriptions.
var DefaultLimits = Limits{
	Bytes:     32 << 20,
	Depth:     64,
	Attrs:     64,
	Tokens:    4_000_000,
	Name:      1 << 10,
	AttrValue: 64 << 10,
}

// PreAuthLimits limits messages before authentication.
var PreAuthLimits = Limits{
	Bytes:     64 << 10,
	Depth:     64,
	Attrs:     64,
	Tokens:    4_000_000,
	Name:      1 << 10,
	AttrValue: 64 << 10,
}

// Kind is the kind of rule that a message violates. Its String method returns the stream
// error condition of RFC 6120 §4.9.3.
type Kind uint8

const (
	// NotWellFormed is a message that is not well-formed XML, or not a single
	// element (RFC 6120 §4.9.3.13).
	NotWellFormed Kind = iota + 1

	// RestrictedXML is a comment, processing instruction, document type, XML
	// declaration, or a reference to an entity that is not predefined
	// (RFC 6120 §11.1).
	RestrictedXML

	// TooBig is a message that exceeds the Limits.
	TooBig

	// BadNamespaces is a message that is well-formed, but not
	// namespace-well-formed. RFC 6120 §11.3 allows either a stanza error or the end of
	// the stream. Ending it would let other entities terminate sessions: Prosody 0.12
	// relays <xml:a/> as <a xmlns='http://www.w3.org/XML/1998/namespace'/>, which
	// Namespaces in XML forbid.
	BadNamespaces
)

// Fatal reports whether the stream must be closed with the error. After a message that is
// only too big or misuses namespaces, the stream stays open and drops the message.
func (k Kind) Fatal() bool { return k != TooBig && k != BadNamespaces }

func (k Kind) String() string {
	switch k {
	case NotWellFormed, BadNamespaces:
		return "not-well-formed"
	case RestrictedXML:
		return "restricted-xml"
	case TooBig:
		return "policy-violation"
	}
	return "undefined-condition"
}

// A SyntaxError is the error of Parse. It quotes nothing from the message, so that it
// can be logged.
type SyntaxError struct {
	Kind   Kind
	Offset int // in bytes, where the offending part starts or was noticed
	Text   string
	Root   *Element // of BadNamespaces: the root without children, so that the caller can answer the sender
}

func (e *SyntaxError) Error() string {
	next := "close the stream"
	if !e.Kind.Fatal() {
		next = "drop the message"
	}
	return fmt.Sprintf("element: %s at byte %d: %s; %s", e.Kind, e.Offset, e.Text, next)
}
