package engine

import (
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// newMessage returns the event for a message, with its text if that can be delivered.
func newMessage(stanza *element.Element) pam.MessageReceived {
	m := pam.MessageReceived{From: stanza.Attr("from"), To: stanza.Attr("to"), Type: stanza.Attr("type"), ID: stanza.Attr("id")}
	switch text, err := stanza.XML(pam.MaxText); err {
	case nil:
		m.XML = text
	case element.ErrTooLong:
		m.Omitted = pam.OmittedTooLong
	default:
		m.Omitted = pam.OmittedUnreadable
	}
	return m
}
