package pubsub

import (
	"strings"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// An Error is a stanza error (RFC 6120 §8.3), with what XEP-0060 adds.
type Error struct {
	// Type says what may help: auth, cancel, continue, modify or wait.
	Type string
	// Condition is the defined condition, undefined-condition if none came.
	Condition string
	// PubsubCondition refines it (XEP-0060, the conditions named in
	// pubsub#errors), as in presence-subscription-required; often empty.
	PubsubCondition string
	// Text is for people, in a language of the sender's choice.
	Text string
	// URI is where a gone or redirect condition points, if it says so. Do not
	// follow it without being asked to.
	URI string
	// By is who made the error, normalised if it is a JID; often empty.
	By string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("pubsub: " + e.Condition)
	if e.PubsubCondition != "" {
		b.WriteString(" (" + e.PubsubCondition + ")")
	}
	if e.By != "" {
		b.WriteString(" from " + e.By)
	}
	if e.Text != "" {
		b.WriteString(": " + e.Text)
	}
	return b.String()
}

// ParseError reads the error of an iq of type error. It returns nil if the
// stanza holds none.
func ParseError(iq *element.Element) *Error {
	var found *element.Element
	for c := range iq.Elements() {
		if c.Name.Local == "error" && c.Name.Space == iq.Name.Space {
			found = c
		}
	}
	if found == nil {
		return nil
	}
	e := &Error{Type: found.Attr("type"), Condition: "undefined-condition", By: found.Attr("by")}
	if j, err := address.Parse(e.By); err == nil {
		e.By = j.String()
	}
	for c := range found.Elements() {
		switch {
		case c.Name.Space == ns.Stanzas && c.Name.Local == "text":
			if e.Text == "" {
				e.Text = c.Text()
			}
		case c.Name.Space == ns.Stanzas:
			e.Condition = c.Name.Local
			if c.Name.Local == "gone" || c.Name.Local == "redirect" {
				e.URI = strings.TrimSpace(c.Text())
			}
		case c.Name.Space == ns.PubsubErrors:
			e.PubsubCondition = c.Name.Local
		}
	}
	return e
}

// An Origin says whose error it is.
type Origin uint8

// The origins.
const (
	Unknown Origin = iota
	Local          // the account's own server
	Remote         // the pubsub service
)

// Origin tells whether the account's server made the error, or the service.
// XEP-0376 §3.2: without by the account's server made it. One case is Unknown:
// no by, but a condition of pubsub, which only a service is likely to have
// found; a server on the wire copies those without by. Invalid-jid is the
// condition that XEP-0376 has the account's server send.
func (e *Error) Origin(account jid.JID) Origin {
	switch e.By {
	case account.Bare().String(), account.Domain().String():
		return Local
	case "":
		if e.PubsubCondition != "" && e.PubsubCondition != "invalid-jid" {
			return Unknown
		}
		return Local
	}
	return Remote
}

func (o Origin) String() string {
	switch o {
	case Local:
		return "local"
	case Remote:
		return "remote"
	}
	return "unknown"
}
